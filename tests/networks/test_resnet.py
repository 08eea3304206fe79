"""Residual networks against torchvision and pytorchcv."""

import math

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import networks, papers, reference
from cnnbook.arithmetic import count_parameters
from cnnbook.layers import conv_bn_relu
from cnnbook.networks import cifar_resnet, residual_network, resnet50
from cnnbook.networks.resnet import (
    ResidualBlock,
    Stage,
    basic,
    bottleneck_v15,
    option_a,
    option_b,
    option_c,
)

IMAGENET = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


@pytest.mark.parametrize("name", IMAGENET)
def test_torchvision_computes_the_same(name):
    form = {"branch": bottleneck_v15} if papers.paper(name).depth >= 50 else {}
    ours, theirs = getattr(networks, name)(**form), getattr(torchvision.models, name)()
    difference = reference.compare(ours, theirs, (3, 64, 64))
    assert max(difference) < reference.TOLERANCE


# pytorchcv runs the shortcut before the branch, so its layers are paired as they are defined.
@pytest.mark.parametrize("name", ["resnet50", "resnet101", "resnet152"])
def test_pytorchcv_computes_the_same_as_the_paper_form(name):
    ours, theirs = getattr(networks, name)(), get_model(name)
    difference = reference.compare(ours, theirs, (3, 224, 224), order="definition")
    assert max(difference) < reference.TOLERANCE


def test_pytorchcv_differs_from_the_other_form():
    ours = resnet50(branch=bottleneck_v15)
    difference = reference.compare(ours, get_model("resnet50"), (3, 224, 224), order="definition")
    assert max(difference) > 1e-3


@pytest.mark.parametrize("depth", [20, 56])
def test_pytorchcv_computes_the_same_on_cifar_with_option_b(depth):
    ours, theirs = cifar_resnet(depth, shortcut=option_b), get_model(f"resnet{depth}_cifar10")
    difference = reference.compare(ours, theirs, (3, 32, 32), order="definition")
    assert max(difference) < reference.TOLERANCE


@pytest.mark.parametrize("depth", [2, 21])
def test_a_depth_that_is_not_in_the_family_is_refused(depth):
    with pytest.raises(ValueError, match=f"depth is {depth}; it must be 6n"):
        cifar_resnet(depth)


@given(
    st.lists(
        st.builds(Stage, st.integers(1, 3), st.sampled_from([8, 16]), st.sampled_from([1, 2]))
    ),
    st.sampled_from([option_b, option_c]),
)
def test_rows_become_stages(stages, shortcut):
    network = residual_network(conv_bn_relu(3, 8, 3), 8, stages, basic, shortcut, num_classes=5)
    names = [f"conv{place}_x" for place in range(2, 2 + len(stages))]
    assert [name for name, _ in network.named_children()] == ["stem", *names, "head"]
    x, side = network.stem(torch.zeros(2, 3, 16, 16)), 16
    for name, stage in zip(names, stages):
        blocks = network.get_submodule(name)
        assert len(blocks) == stage.depth
        assert all(isinstance(block, ResidualBlock) for block in blocks)
        x, side = blocks(x), math.ceil(side / stage.stride)
        assert x.shape == (2, stage.out_channels, side, side)
    assert network.head(x).shape == (2, 5)


@pytest.mark.parametrize("shape", [(4, 8, 2), (4, 8, 1), (4, 4, 2), (4, 4, 1)])
def test_a_shortcut_is_bare_only_where_the_shape_stays(shape):
    x, same = torch.randn(1, 4, 6, 6), shape == (4, 4, 1)
    for option in (option_a, option_b, option_c):
        shortcut = option(*shape)
        assert shortcut(x).shape == basic(*shape)(x).shape
        assert isinstance(shortcut, nn.Identity) == (same and option is not option_c)
    assert count_parameters(option_a(*shape)) == 0


def test_option_a_drops_pixels_and_pads_with_zeros():
    x = torch.randn(1, 4, 6, 6)
    y = option_a(4, 8, 2)(x)
    assert torch.equal(y[:, :4], x[:, :, ::2, ::2])
    assert not y[:, 4:].any()
