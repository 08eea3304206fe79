"""ConvNeXt against torchvision and timm, and its steps against ResNet-50 and the paper's counts."""

from itertools import pairwise

import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torchvision import models

from cnnbook import networks, reference
from cnnbook.arithmetic import count_parameters, multiply_adds
from cnnbook.networks import convnext_network, convnext_tiny, modernised, resnet50
from cnnbook.networks.convnext import (
    CHANGES,
    CONVNEXT,
    STEPS,
    ConvNeXtBlock,
    LayerNorm2d,
    Proportions,
    Step,
)
from cnnbook.networks.resnet import bottleneck_v15

SMALL = (3, 32, 32)  # one unit is left at the end, so the 7×7 kernels see padding, too
TABLE_10 = [4.09, 4.53, 4.42, 2.35, 5.27, 4.64, 4.07, 4.10] + [4.15] * 4 + [4.46, 4.49]
TABLE_11 = [15.01, 14.52, 14.38, 7.23, 16.76, 15.68, 14.63, 14.70] + [14.81] * 5 + [15.35]


def undrawn(build) -> nn.Module:
    """A network whose weights nobody draws: the comparison will, and the large ones take long."""
    with torch.device("meta"):
        network = build()
    return network.to_empty(device="cpu")


@pytest.mark.parametrize("name", CONVNEXT)
def test_torchvision_computes_the_same(name):
    ours = undrawn(lambda: getattr(networks, f"convnext_{name}")())
    theirs = undrawn(lambda: models.get_model(f"convnext_{name}"))
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


@pytest.mark.parametrize("name", ["tiny", "small", "base"])
def test_timm_computes_the_same(name, monkeypatch):
    ours = undrawn(lambda: getattr(networks, f"convnext_{name}")())
    theirs = undrawn(lambda: timm.create_model(f"convnext_{name}"))
    kind = timm.models.convnext.ConvNeXtBlock
    for module in theirs.modules():
        if isinstance(module, kind):  # layer scale is (C,) there, (C, 1, 1) here and in torchvision
            module.layer_scale = nn.Parameter(module.gamma.detach().view(-1, 1, 1))
            del module.gamma
    monkeypatch.setattr(kind, "gamma", property(lambda block: block.layer_scale), raising=False)
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


def test_the_kernels_agree_on_a_map_that_is_larger_than_they_are():
    theirs = models.convnext_tiny()
    assert max(reference.compare(convnext_tiny(), theirs, (3, 96, 64))) < reference.TOLERANCE


@pytest.mark.parametrize("name", CONVNEXT)
def test_branches_are_dropped_as_often_as_torchvisions(name):
    with torch.device("meta"):
        ours = getattr(networks, f"convnext_{name}")()
        theirs = models.get_model(f"convnext_{name}")
    shares = [m.drop.drop for m in ours.modules() if isinstance(m, ConvNeXtBlock)]
    blocks = (m for m in theirs.modules() if isinstance(m, models.convnext.CNBlock))
    assert shares == pytest.approx([m.stochastic_depth.p for m in blocks])


def test_it_begins_as_torchvisions_does():
    fresh = [
        (p.std().item(), p.mean().item())
        for net in (convnext_tiny(), models.convnext_tiny())
        for name, p in net.named_parameters()
        if p.dim() in (2, 4)
    ]
    assert all(0.01 < std < 0.03 and abs(mean) < 0.01 for std, mean in fresh)


def test_the_first_step_is_resnet50_and_the_last_convnext():
    theirs = resnet50(branch=bottleneck_v15)
    first = modernised(STEPS["ResNet-50"])
    assert max(reference.compare(first, theirs, SMALL)) < reference.TOLERANCE
    *_, last = STEPS.values()
    built, network = modernised(last).double(), convnext_tiny().double()
    scales = [p for name, p in network.named_parameters() if name.endswith("layer_scale")]
    rest = [p for name, p in network.named_parameters() if not name.endswith("layer_scale")]
    assert count_parameters(built) == count_parameters(network) - sum(p.numel() for p in scales)
    with torch.no_grad():
        for ours, theirs in zip(built.parameters(), rest, strict=True):
            ours.copy_(theirs.normal_(0, 0.1).view_as(ours))
        for scale in scales:
            scale.fill_(1)
    x = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    a, b = built.eval()(x), network.eval()(x)
    assert (a - b).abs().max() < reference.TOLERANCE * b.abs().max()


def gigas(step: Step) -> float:
    with torch.device("meta"):
        return multiply_adds(modernised(step)) / 1e9


def test_steps_count_to_table_10_but_for_two():
    counted = [round(gigas(step), 2) for step in STEPS.values()]
    assert len(counted) == len(TABLE_10)
    differ = [
        (name, here)
        for name, here, stated in zip(STEPS, counted, TABLE_10)
        if abs(here - stated) > 0.006
    ]
    assert differ == [("BN to LN", 4.15), ("separate d.s. conv", 4.46)]
    moved = STEPS["kernel size 7"]
    assert gigas(moved._replace(kernel_size=9)) == pytest.approx(4.21, abs=0.005)
    assert gigas(moved._replace(kernel_size=11)) == pytest.approx(4.29, abs=0.005)


def test_from_resnet_200_they_count_to_table_11():
    changes = CHANGES | {
        "stage ratio": {"depths": (3, 3, 27, 3), "width": 84},
        "increase width": {"width": 128},
    }
    step = Step(depths=(3, 24, 36, 3))
    counted = [gigas(step)]
    for change in changes.values():
        step = step._replace(**change)
        counted.append(gigas(step))
    assert counted == pytest.approx(TABLE_11, abs=0.0055)


def test_each_step_changes_one_line():
    steps = list(STEPS.values())
    for before, after in pairwise(steps):
        assert sum(a != b for a, b in zip(before, after)) == 1


@pytest.mark.parametrize("name", STEPS)
def test_every_step_runs_and_keeps_the_shapes(name):
    network = modernised(STEPS[name]._replace(depths=(1, 1), width=8), num_classes=5).eval()
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 5)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_each_place_is_normalised_by_itself(channels, height, width, seed):
    torch.manual_seed(seed)
    layer, x = LayerNorm2d(channels).double(), torch.randn(2, channels, height, width).double()
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, correction=0)
    scale, shift = (p.view(-1, 1, 1) for p in (layer.weight, layer.bias))
    assert torch.allclose(layer(x), (x - mean) / (variance + 1e-6).sqrt() * scale + shift)


@given(st.floats(0, 0.5), st.integers(0, 20))
def test_a_fresh_block_is_nearly_the_identity(drop, seed):
    torch.manual_seed(seed)
    block, x = ConvNeXtBlock(8, drop), torch.randn(2, 8, 5, 5)
    assert (block(x) - x).abs().max() < 1e-4


@pytest.mark.parametrize("variant", [Proportions((), (), 0.1), Proportions((8, 16), (1,), 0.1)])
def test_stages_without_a_number_are_refused(variant):
    with pytest.raises(ValueError, match="a number for each stage"):
        convnext_network(variant)


@pytest.mark.parametrize("change", [{"activations": 2}, {"norms": 0}])
def test_no_such_step_is_refused(change):
    with pytest.raises(ValueError, match="choose 1 or 3"):
        modernised(Step()._replace(**change))
