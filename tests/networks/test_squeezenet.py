"""SqueezeNet against torchvision and pytorchcv, and with complex bypass by hand."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import reference
from cnnbook.arithmetic import count_parameters, summary
from cnnbook.networks import fire_network, squeezenet1_0, squeezenet1_1
from cnnbook.networks.squeezenet import FIRE_MODULES, FireRow, fire

SMALL = (3, 63, 63)  # on which pooling rounds up


@pytest.mark.parametrize("size", [SMALL, (3, 96, 64)])
@pytest.mark.parametrize("build", [squeezenet1_0, squeezenet1_1])
def test_torchvision_computes_the_same(build, size):
    theirs = getattr(torchvision.models, build.__name__)()
    assert max(reference.compare(build(), theirs, size)) < reference.TOLERANCE


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        (squeezenet1_0(), "squeezenet_v1_0"),
        (squeezenet1_1(), "squeezenet_v1_1"),
        (squeezenet1_0(bypass="simple"), "squeezeresnet_v1_0"),
    ],
)
def test_pytorchcv_computes_the_same(ours, name):
    theirs = get_model(name)
    theirs.output.final_pool = nn.AdaptiveAvgPool2d(1)  # its own fits 224 pixels alone
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


def by_hand(weights: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """SqueezeNet 1.0 with complex bypass, from weights and biases in their order."""
    take = iter(weights)

    def conv(x, **options):
        return F.conv2d(x, next(take), next(take), **options)

    def pool(x):  # rounds up: what is missing never wins
        down, right = (-(side - 3) % 2 for side in x.shape[2:])
        return F.max_pool2d(F.pad(x, (0, right, 0, down), value=-torch.inf), 3, 2)

    x = pool(conv(x, stride=2).relu())
    for place in range(2, 10):
        squeezed = conv(x).relu()
        expanded = torch.cat([conv(squeezed).relu(), conv(squeezed, padding=1).relu()], 1)
        x = expanded + (conv(x) if place % 2 == 0 else x)
        if place in (4, 8):
            x = pool(x)
    return conv(x).relu().mean((2, 3))


def test_complex_bypass_computes_what_is_written_by_hand():
    torch.manual_seed(0)
    network = squeezenet1_0(bypass="complex").double().eval()
    for parameter in network.parameters():
        if parameter.dim() == 1:
            nn.init.normal_(parameter, std=0.1)
    outputs, gradients = [], []
    image = torch.randn(1, *SMALL, dtype=torch.float64)
    for compute in (network, lambda x: by_hand(list(network.parameters()), x)):
        x = image.clone().requires_grad_()
        outputs.append(compute(x))
        gradients.append(torch.autograd.grad(outputs[-1].square().sum(), x)[0])
    for ours, theirs in (outputs, gradients):
        assert (ours - theirs).abs().max() < reference.TOLERANCE * theirs.abs().max()


def test_table_1_is_generated_by_its_five_numbers():
    for i, row in enumerate(FIRE_MODULES):
        expand = 128 + 128 * (i // 2)
        assert row == FireRow(expand // 8, expand // 2, expand // 2)


def test_simple_bypass_has_no_parameter_and_complex_a_1x1_where_channels_change():
    plain, simple, complex_ = (
        {name: count_parameters(child) for name, child in network.named_children()}
        for network in (squeezenet1_0(bypass=way) for way in (None, "simple", "complex"))
    )
    assert plain == simple
    more = {name: complex_[name] - plain[name] for name in plain if complex_[name] != plain[name]}
    steps = {"fire2": (96, 128), "fire4": (128, 256), "fire6": (256, 384), "fire8": (384, 512)}
    assert more == {name: (ins + 1) * outs for name, (ins, outs) in steps.items()}


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.builds(FireRow, *[st.integers(1, 5)] * 3), min_size=1, max_size=4),
    st.sets(st.integers(1, 5), max_size=3),
    st.sampled_from([None, "simple", "complex"]),
)
def test_rows_become_modules(rows, pools, bypass):
    network = fire_network(nn.Conv2d(3, 4, 3), rows, pools, 6, bypass).eval()
    names = [name for name, _ in network.named_children()]
    assert [name for name in names if name.startswith("fire")] == [
        f"fire{place}" for place in range(2, 2 + len(rows))
    ]
    assert {name for name in names if name.startswith("pool")} == {
        f"pool{place}" for place in pools if place <= len(rows) + 1
    }
    assert network(torch.zeros(2, 3, 40, 40)).shape == (2, 6)
    for row in summary(network, (3, 40, 40)):
        if row.name.startswith("fire"):
            assert row.output_shape[0] == rows[int(row.name[4:]) - 2].out_channels


def test_an_expand_layer_is_one_3x3_convolution_with_zeros():
    torch.manual_seed(0)
    squeeze, _, expand = fire(8, FireRow(3, 4, 5)).double()
    (one, _), (three, _) = expand
    weight = torch.cat([F.pad(one.weight, (1, 1, 1, 1)), three.weight])
    x = torch.randn(2, 8, 9, 9, dtype=torch.float64)
    squeezed = squeeze(x).relu()
    right = F.conv2d(squeezed, weight, torch.cat([one.bias, three.bias]), padding=1).relu()
    assert torch.allclose(expand(squeezed), right)


@pytest.mark.parametrize("bypass", ["Simple", "both", True, ""])
def test_an_unknown_bypass_is_refused(bypass):
    with pytest.raises(ValueError, match=f'bypass is {bypass!r}; it must be "simple"'):
        squeezenet1_0(bypass=bypass)
