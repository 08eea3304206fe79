"""MobileNet against timm, pytorchcv, the paper's tables and what its authors' code counts."""

import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import reference
from cnnbook.arithmetic import count_parameters, multiply_adds, receptive_field
from cnnbook.layers import conv_bn_relu
from cnnbook.networks import mobilenet_v1
from cnnbook.networks.mobilenet import MOBILENET_V1, SeparablePair, depthwise_separable

SIXTEEN = {  # multiply–adds at 224, 192, 160 and 128 pixels
    1.0: (568_740_352, 418_121_728, 290_675_200, 186_400_768),
    0.75: (325_400_448, 239_273_472, 166_396_800, 106_770_432),
    0.5: (149_497_088, 109_970_432, 76_524_800, 49_160_192),
    0.25: (41_030_272, 30_212_608, 21_059_200, 13_570_048),
}


@pytest.mark.parametrize(("name", "width"), [("mobilenetv1_100", 1), ("mobilenetv1_125", 1.25)])
def test_timm_computes_the_same_with_relu_in_place_of_relu6(name, width):
    theirs = timm.create_model(name, act_layer=nn.ReLU)
    difference = reference.compare(mobilenet_v1(width=width), theirs, (3, 64, 64))
    assert max(difference) < reference.TOLERANCE


@pytest.mark.parametrize(
    ("name", "width"), [("w1", 1), ("w3d4", 0.75), ("wd2", 0.5), ("wd4", 0.25)]
)
def test_pytorchcv_computes_the_same(name, width):
    theirs = get_model(f"mobilenet_{name}")
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)  # theirs takes 224 pixels only
    difference = reference.compare(mobilenet_v1(width=width), theirs, (3, 64, 64))
    assert max(difference) < reference.TOLERANCE


@pytest.mark.parametrize("width", SIXTEEN)
def test_the_sixteen_published_networks(width):
    with torch.device("meta"):
        network = mobilenet_v1(width=width)
    for side, count in zip((224, 192, 160, 128), SIXTEEN[width], strict=True):
        assert multiply_adds(network, (3, side, side)) == count
    assert receptive_field(network).size == (315, 315)


def test_full_convolutions_and_fewer_layers_are_those_of_tables_4_and_5():
    def full(in_channels, out_channels, stride):
        return conv_bn_relu(in_channels, out_channels, 3, stride=stride)

    with torch.device("meta"):
        conv_mobilenet = mobilenet_v1(block=full)
        shallow = mobilenet_v1(pairs=MOBILENET_V1[:6] + MOBILENET_V1[11:])
    assert round(count_parameters(conv_mobilenet) / 1e6, 1) == 29.3
    without_head = multiply_adds(conv_mobilenet) - 1024 * 1000
    assert round(without_head / 1e6) == 4866
    assert round(count_parameters(shallow) / 1e6, 1) == 2.9
    assert round(multiply_adds(shallow) / 1e6) == 307


def test_28_layers():
    with torch.device("meta"):
        network = mobilenet_v1()
    layers = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len(layers) == 28
    depthwise = [m for m in layers if getattr(m, "groups", 1) > 1]
    assert len(depthwise) == len(MOBILENET_V1) == 13
    assert all(m.groups == m.in_channels == m.out_channels for m in depthwise)


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 2]), st.integers(1, 9))
def test_a_pair_costs_what_the_formula_says(in_channels, out_channels, stride, side):
    pair = depthwise_separable(in_channels, out_channels, stride)
    smaller = -(-side // stride)
    work = (9 * in_channels + in_channels * out_channels) * smaller**2
    assert multiply_adds(pair, (in_channels, side, side)) == work
    assert pair(torch.randn(2, in_channels, side, side)).shape[1:] == (
        out_channels,
        smaller,
        smaller,
    )


@given(st.floats(0.0625, 1.5))
def test_every_layer_is_as_much_thinner(width):
    with torch.device("meta"):
        network = mobilenet_v1(width=width, pairs=[SeparablePair(64), SeparablePair(128, 2)])
    channels = [m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert channels[::2] == [int(width * c) for c in (32, 64, 128)]


@pytest.mark.parametrize("width", [0, -0.5, 0.03])
def test_a_width_that_leaves_no_channel_is_refused(width):
    with pytest.raises(ValueError, match=r"32 channels"):
        mobilenet_v1(width=width)
