"""Xception against timm, pytorchcv and pretrainedmodels."""

import pretrainedmodels
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import reference
from cnnbook.arithmetic import count_parameters
from cnnbook.networks import xception
from cnnbook.networks.extreme_inception import (
    XCEPTION,
    SeparableRow,
    separable_bn,
    separable_module,
)


def test_timm_computes_the_same():
    difference = reference.compare(xception(), timm.create_model("legacy_xception"), (3, 96, 96))
    assert max(difference) < reference.TOLERANCE


def test_pretrainedmodels_computes_the_same():
    theirs = pretrainedmodels.xception(pretrained=None)
    assert max(reference.compare(xception(), theirs, (3, 96, 96))) < reference.TOLERANCE


def test_pytorchcv_computes_the_same():
    theirs = get_model("xception")
    theirs.features.final_block.pool = nn.AdaptiveAvgPool2d(1)  # theirs takes 299 pixels only
    for unit in theirs.modules():  # defines and runs the shortcut before the branch
        if shortcut := unit._modules.pop("identity_conv", None):
            unit._modules["identity_conv"] = shortcut
    difference = reference.compare(xception(), theirs, (3, 96, 96), order="definition")
    assert max(difference) < reference.TOLERANCE


def test_36_convolutional_layers():
    network = xception()
    layers = [
        layer
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d) and layer.groups == 1 and ".shortcut" not in name
    ]
    assert len(layers) == 36  # of a separable convolution its pointwise half
    assert len(XCEPTION) == 12


@given(
    st.integers(1, 12),
    st.lists(st.integers(1, 12), min_size=1, max_size=3),
    st.sampled_from([1, 2]),
    st.booleans(),
)
def test_a_row_becomes_a_module(in_channels, widths, stride, relu_first):
    row = SeparableRow(tuple(widths), stride, relu_first)
    module = separable_module(in_channels, row).eval()
    x = torch.randn(1, in_channels, 7, 7)
    given, side = x.clone(), -(-7 // stride)
    assert module(x).shape == (1, widths[-1], side, side)
    assert torch.equal(x, given)  # no layer works in place on what the shortcut reads
    assert isinstance(module.branch[0], nn.ReLU) == relu_first
    same = stride == 1 and in_channels == widths[-1]
    assert isinstance(module.shortcut, nn.Identity) == same


@given(st.integers(1, 8), st.integers(1, 8))
def test_a_separable_convolution_is_one_convolution(in_channels, out_channels):
    depthwise, pointwise, norm = separable_bn(in_channels, out_channels).double().eval()
    whole = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False).double()
    whole.weight.data = (pointwise.weight * depthwise.weight.transpose(0, 1)).detach()
    x = torch.randn(1, in_channels, 5, 5, dtype=torch.float64)
    assert torch.allclose(whole(x), pointwise(depthwise(x)), atol=1e-12)
    assert count_parameters(norm) == 2 * out_channels
