"""MobileNetV2 and V3 against torchvision, timm and pytorchcv."""

import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn
from torchvision import models

from cnnbook import reference
from cnnbook.arithmetic import count_parameters, multiply_adds
from cnnbook.networks import mobilenet_v2, mobilenet_v3_large, mobilenet_v3_small
from cnnbook.networks.inverted_residuals import (
    MOBILENET_V2,
    MOBILENET_V3_LARGE,
    MOBILENET_V3_SMALL,
    bneck,
    inverted_residual,
    round_channels,
)
from cnnbook.networks.pre_activation import ResidualSum
from cnnbook.networks.senet import SqueezeExcitation

SMALL = (3, 64, 64)
V3 = {"large": mobilenet_v3_large, "small": mobilenet_v3_small}

COUNTED = {  # width: parameters, multiply–adds
    0.35: (1_677_128, 59_285_808),
    0.5: (1_968_680, 97_131_840),
    0.75: (2_636_424, 209_069_792),
    1.0: (3_504_872, 300_774_272),
    1.3: (5_386_792, 509_374_560),
    1.4: (6_108_776, 582_195_824),
}


@pytest.mark.parametrize("width", COUNTED)
def test_torchvision_computes_the_same_at_every_width(width):
    ours, theirs = mobilenet_v2(width=width), models.mobilenet_v2(width_mult=width)
    assert (count_parameters(ours), multiply_adds(ours)) == COUNTED[width]
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


@pytest.mark.parametrize(("width", "name"), [(0.35, "035"), (0.5, "050"), (0.75, "075"),
                                             (1.0, "100"), (1.4, "140")])  # fmt: skip
def test_timm_computes_the_same(width, name):
    theirs = timm.create_model(f"mobilenetv2_{name}")
    assert max(reference.compare(mobilenet_v2(width=width), theirs, SMALL)) < reference.TOLERANCE


def flattened(convolution: nn.Conv2d) -> nn.Sequential:
    """A 1×1 convolution of a single pixel, as the linear layer that it is."""
    linear = nn.Linear(convolution.in_channels, convolution.out_channels)
    return nn.Sequential(nn.Flatten(), linear, nn.Unflatten(1, (-1, 1, 1)))


def test_pytorchcv_has_the_same_mobilenet_v2_without_the_bias_of_the_head():
    ours, theirs = mobilenet_v2(), get_model("mobilenetv2b_w1")
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)  # theirs takes 224 pixels only
    theirs.output = flattened(theirs.output)
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE
    assert multiply_adds(get_model("mobilenetv2_w1")) == 313_619_328  # with an expansion for t = 1


@pytest.mark.parametrize("size", V3)
def test_torchvision_computes_the_same_v3_but_for_the_epsilon(size):
    ours, theirs = V3[size](), models.get_model(f"mobilenet_v3_{size}")
    assert max(reference.compare(ours, theirs, SMALL)) > 1e-6
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.eps == 1e-3
            layer.eps = 1e-5
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


@pytest.mark.parametrize("size", V3)
def test_timm_computes_the_same_v3(size):
    theirs = timm.create_model(f"mobilenetv3_{size}_100")
    theirs.conv_head = flattened(theirs.conv_head)
    assert max(reference.compare(V3[size](), theirs, SMALL)) < reference.TOLERANCE


def test_v3_small_of_an_earlier_version_is_wider_in_the_head():
    wider = mobilenet_v3_small()
    wider.head[2], wider.head[5] = nn.Linear(576, 1280), nn.Linear(1280, 1000)
    theirs = count_parameters(get_model("mobilenetv3_small_w1"))
    assert count_parameters(wider) == theirs + 1280  # theirs has no bias there


def test_17_blocks_of_which_10_have_a_shortcut():
    assert sum(row.depth for row in MOBILENET_V2.values()) == 17
    sums = [m for m in mobilenet_v2().modules() if isinstance(m, ResidualSum)]
    assert len(sums) == 10
    assert all(isinstance(m.shortcut, nn.Identity) for m in sums)


@pytest.mark.parametrize("rows", [MOBILENET_V3_LARGE, MOBILENET_V3_SMALL])
def test_v3_is_built_as_its_table_says(rows):
    channels = 16
    for row in rows:
        layers = list(bneck(channels, row).modules())
        gates = [layer for layer in layers if isinstance(layer, SqueezeExcitation)]
        assert len(gates) == row.gated
        assert any(isinstance(layer, row.activation) for layer in layers)
        assert max(layer.kernel_size[0] for layer in layers if isinstance(layer, nn.Conv2d)) == (
            row.kernel_size
        )
        channels = row.out_channels


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.sampled_from([1, 2]),
    st.integers(1, 6),
    st.sampled_from([3, 5]),
)
def test_a_block_is_linear_at_its_end_and_adds_where_it_can(i, o, stride, expansion, kernel):
    block = inverted_residual(i, o, stride, width=expansion * i, kernel_size=kernel).eval()
    x, side = torch.randn(1, i, 7, 7), -(-7 // stride)
    given = x.clone()
    assert block(x).shape == (1, o, side, side)
    assert torch.equal(x, given)
    same = stride == 1 and i == o
    assert isinstance(block, ResidualSum) == same
    branch = block.branch if same else block
    assert isinstance(branch[-1], nn.BatchNorm2d)
    assert len(branch) == (8 if expansion > 1 else 5)


def test_a_gate_stands_before_the_projection():
    gate = SqueezeExcitation(24, 6, nn.SiLU)
    block = inverted_residual(4, 8, 1, width=24, activation=nn.SiLU, gate=gate)
    assert block[-3] is gate
    assert isinstance(block[-4], nn.SiLU)


@given(st.floats(0.5, 3000), st.sampled_from([4, 8, 16]))
def test_channels_are_rounded_to_multiples_near_by(channels, divisor):
    rounded = round_channels(channels, divisor)
    assert rounded % divisor == 0
    assert rounded >= 0.9 * channels
    assert rounded <= max(divisor, channels + divisor)
    assert rounded == models._utils._make_divisible(channels, divisor)


@pytest.mark.parametrize("width", [0, -1.0])
def test_no_width_is_refused(width):
    with pytest.raises(ValueError, match="more than none"):
        mobilenet_v2(width=width)
