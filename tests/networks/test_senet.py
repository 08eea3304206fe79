"""SENet against timm, pretrainedmodels and pytorchcv, and its gate against torchvision's."""

import pretrainedmodels
import pytest
import timm
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import networks, papers, reference
from cnnbook.arithmetic import count_parameters, multiply_adds, receptive_field
from cnnbook.networks import resnet50, se_resnet50
from cnnbook.networks.resnet import basic, bottleneck, bottleneck_v15
from cnnbook.networks.senet import SqueezeExcitation, gated

SMALL = (3, 32, 32)  # pixels enough for networks that end in an average
NAMES = [
    "se_resnet50",
    "se_resnet101",
    "se_resnet152",
    "se_resnext50_32x4d",
    "se_resnext101_32x4d",
    "senet154",
]


def padded(network: nn.Module) -> nn.Module:
    """A network of the book with the pooling of most code."""
    network.stem[-1] = nn.MaxPool2d(3, stride=2, padding=1)
    return network


# timm and pretrainedmodels run the shortcut before the gates.
@pytest.mark.parametrize("name", NAMES)
def test_timm_computes_the_same(name):
    ours = getattr(networks, name)()
    theirs = timm.create_model("legacy_" + name.replace("se_res", "seres"))
    difference = reference.compare(ours, theirs, SMALL, order="definition")
    assert max(difference) < reference.TOLERANCE


# pretrainedmodels and pytorchcv average over windows of a fixed size.
@pytest.mark.parametrize("name", ["se_resnet50", "se_resnext50_32x4d"])
def test_pretrainedmodels_computes_the_same(name):
    ours = getattr(networks, name)()
    theirs = getattr(pretrainedmodels, name)(pretrained=None)
    difference = reference.compare(ours, theirs, (3, 224, 224), order="definition")
    assert max(difference) < reference.TOLERANCE


@pytest.mark.parametrize("name", ["se_resnet50", "se_resnext50_32x4d"])
def test_pytorchcv_computes_the_same_but_for_the_pooling(name):
    ours, theirs = getattr(networks, name)(), get_model(name.replace("se_res", "seres"))
    same = reference.compare(padded(ours), theirs, (3, 224, 224), order="definition")
    assert max(same) < reference.TOLERANCE


def test_pytorchcv_pools_otherwise():
    theirs = get_model("seresnet50")
    difference = reference.compare(se_resnet50(), theirs, (3, 224, 224), order="definition")
    assert difference.outputs > 1e-3


def test_timms_later_form_is_the_one_with_the_stride_in_the_3x3():
    ours, theirs = padded(se_resnet50(branch=bottleneck_v15)), timm.create_model("seresnet50")
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


def test_torchvisions_gate_computes_the_same():
    ours, theirs = SqueezeExcitation(24, 6), torchvision.ops.SqueezeExcitation(24, 6)
    assert max(reference.compare(ours, theirs, (24, 5, 7))) < reference.TOLERANCE


def test_other_functions_around_the_layers_are_those_of_later_networks():
    ours = SqueezeExcitation(24, 6, activation=nn.SiLU, gate=nn.Hardsigmoid)
    theirs = torchvision.ops.SqueezeExcitation(
        24, 6, activation=nn.SiLU, scale_activation=nn.Hardsigmoid
    )
    assert max(reference.compare(ours, theirs, (24, 5, 7))) < reference.TOLERANCE


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5))
def test_a_gate_is_what_the_equations_say(channels, squeezed, height, width):
    block = SqueezeExcitation(channels, squeezed).double()
    x = torch.randn(2, channels, height, width, dtype=torch.float64)
    down, up = block.excite[0], block.excite[2]
    for image, scaled in zip(x, block(x)):
        z = torch.stack([channel.sum() / (height * width) for channel in image])
        h = torch.clamp(down.weight[:, :, 0, 0] @ z + down.bias, min=0)
        s = 1 / (1 + torch.exp(-(up.weight[:, :, 0, 0] @ h + up.bias)))
        for c in range(channels):
            assert torch.allclose(scaled[c], s[c] * image[c], rtol=0, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(12)))
def test_a_gate_does_not_know_where_things_are(places):
    block, x = SqueezeExcitation(6, 2).double(), torch.randn(1, 6, 3, 4, dtype=torch.float64)
    moved = x.flatten(2)[:, :, list(places)].view_as(x)
    there = block(x).flatten(2)[:, :, list(places)].view_as(x)
    assert torch.allclose(block(moved), there, rtol=0, atol=1e-12)


def test_open_gates_leave_the_branch_as_it_was():
    branch = gated(8, 16, 2, basic, reduction=4).eval()
    x = torch.randn(1, 8, 6, 6)
    with torch.no_grad():
        branch[-1].excite[2].weight.zero_()
        branch[-1].excite[2].bias.fill_(50)
    assert torch.equal(branch(x), branch[:-1](x))


def test_gates_cost_what_equation_5_says():
    with torch.device("meta"):
        plain, with_gates = resnet50(), se_resnet50()
    stages = [(3, 256), (4, 512), (6, 1024), (3, 2048)]
    weights = 2 * sum(depth * channels**2 for depth, channels in stages) // 16
    biases = sum(depth * (channels + channels // 16) for depth, channels in stages)
    assert count_parameters(with_gates) - count_parameters(plain) == weights + biases == 2530992
    assert multiply_adds(with_gates) - multiply_adds(plain) == weights


def test_gates_see_the_whole_image():
    block = gated(4, 4, 1, basic, reduction=2)
    assert receptive_field(block, (4, 16, 16)).size == (5, 5)
    assert receptive_field(block, (4, 16, 16), gates=True).size == (float("inf"),) * 2


def test_a_reduction_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="squeezed is 0; gates of 8 channels need at least 1"):
        gated(8, 8, 1, bottleneck)


@pytest.mark.parametrize("name", NAMES)
def test_the_facts_name_the_published_definitions_counts(name):
    with torch.device("meta"):
        theirs = timm.create_model("legacy_" + name.replace("se_res", "seres"))
    paper = papers.paper(name)
    assert (count_parameters(theirs), multiply_adds(theirs)) == (
        paper.parameters,
        paper.multiply_adds,
    )
