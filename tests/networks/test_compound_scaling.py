"""EfficientNet against torchvision, timm and pytorchcv."""

import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn
from torchvision import models

from cnnbook import networks, papers, reference
from cnnbook.arithmetic import count_parameters, multiply_adds
from cnnbook.networks import efficientnet_b0, scaled_network
from cnnbook.networks.compound_scaling import (
    EFFICIENTNET_B0,
    SCALES,
    Scale,
    StochasticDepth,
    mbconv,
)
from cnnbook.networks.pre_activation import ResidualSum
from cnnbook.networks.senet import SqueezeExcitation

SMALL = (3, 33, 33)  # few pixels: the deepest have 164 layers


def network(name: str) -> nn.Module:
    return getattr(networks, f"efficientnet_{name}")()


def with_epsilon(theirs: nn.Module, eps: float) -> nn.Module:
    """Give all batch normalisations the book's ε, after a look at what they had."""
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.eps == eps
            layer.eps = 1e-5
    return theirs


@pytest.mark.parametrize("name", SCALES)
def test_torchvision_computes_the_same_and_has_two_epsilons(name):
    theirs = models.get_model(f"efficientnet_{name}")
    theirs = with_epsilon(theirs, 1e-3 if name in ("b5", "b6", "b7") else 1e-5)
    assert max(reference.compare(network(name), theirs, SMALL)) < reference.TOLERANCE


@pytest.mark.parametrize("name", ["b0", "b1", "b2", "b3", "b4"])
def test_timm_computes_the_same(name):
    theirs = timm.create_model(f"efficientnet_{name}")
    assert max(reference.compare(network(name), theirs, SMALL)) < reference.TOLERANCE


@pytest.mark.parametrize("name", ["b0", "b1"])
def test_pytorchcv_computes_the_same(name):
    theirs = get_model(f"efficientnet_{name}")
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)
    assert max(reference.compare(network(name), theirs, SMALL)) < reference.TOLERANCE


def test_tensorflows_padding_is_another_function_of_the_same_size():
    theirs = with_epsilon(timm.create_model("tf_efficientnet_b0"), 1e-3)
    assert count_parameters(theirs) == count_parameters(efficientnet_b0())
    assert multiply_adds(theirs) == multiply_adds(efficientnet_b0())
    assert max(reference.compare(efficientnet_b0(), theirs, (3, 32, 32))) > 1e-3


@pytest.mark.parametrize("name", SCALES)
def test_scales_are_those_that_torchvision_trains_and_the_facts_have(name):
    scale = SCALES[name]
    assert papers.paper(f"efficientnet_{name}").input_size == (3, scale.size, scale.size)
    with torch.device("meta"):
        theirs = models.get_model(f"efficientnet_{name}")
    assert theirs.classifier[0].p == scale.dropout == network_on_meta(name).head[2].p


def network_on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return network(name)


@pytest.mark.parametrize("name", ["b0", "b4"])
def test_branches_are_dropped_as_often_as_torchvisions(name):
    with torch.device("meta"):
        theirs = models.get_model(f"efficientnet_{name}")
    blocks = (m for m in theirs.modules() if isinstance(m, models.efficientnet.MBConv))
    shares = [m.stochastic_depth.p for m in blocks if m.use_res_connect]
    ours = [m.drop for m in network_on_meta(name).modules() if isinstance(m, StochasticDepth)]
    assert ours == pytest.approx(shares)


def test_b0_has_16_blocks_of_which_9_have_a_shortcut():
    assert sum(row.depth for row in EFFICIENTNET_B0.values()) == 16
    assert sum(isinstance(m, ResidualSum) for m in efficientnet_b0().modules()) == 9


@given(st.integers(1, 6), st.sampled_from([1, 2]), st.sampled_from([3, 5]), st.integers(1, 6))
def test_gates_are_computed_in_a_quarter_of_what_comes_in(quarter, stride, kernel, expansion):
    channels, side = 4 * quarter, 7 // stride + 7 % 2 * (stride - 1)
    block = mbconv(channels, channels, stride, kernel, expansion, 0.5).eval()
    assert block(torch.randn(1, channels, 7, 7)).shape == (1, channels, side, side)
    (gate,) = (m for m in block.modules() if isinstance(m, SqueezeExcitation))
    assert gate.excite[0].weight.shape[:2] == (quarter, expansion * channels)
    assert sum(isinstance(m, StochasticDepth) for m in block.modules()) == (stride == 1)


@given(st.floats(0, 0.9), st.integers(0, 100))
def test_a_branch_is_kept_or_dropped_whole(drop, seed):
    torch.manual_seed(seed)
    layer, x = StochasticDepth(drop), torch.ones(40, 3, 2, 2)
    factors = layer(x)
    assert (factors == factors[:, :1, :1, :1]).all()
    kept = factors[:, 0, 0, 0] > 0
    assert torch.allclose(factors[kept], x[kept] / (1 - drop))
    assert torch.equal(layer.eval()(x), x)


def test_on_average_nothing_changes():
    torch.manual_seed(0)
    assert StochasticDepth(0.2)(torch.ones(100_000, 1, 1, 1)).mean().item() == pytest.approx(
        1, abs=0.01
    )


def test_a_network_is_made_smaller_than_b0():
    small = scaled_network(Scale(0.5, 0.5, 128, 0.1), num_classes=10)
    assert count_parameters(small) < count_parameters(efficientnet_b0()) / 3
    assert small.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 10)


@pytest.mark.parametrize("drop", [1, -0.1, 1.5])
def test_no_such_share_is_refused(drop):
    with pytest.raises(ValueError, match="below 1"):
        StochasticDepth(drop)


@pytest.mark.parametrize("scale", [Scale(0, 1, 224, 0), Scale(1, -1, 224, 0)])
def test_no_such_scale_is_refused(scale):
    with pytest.raises(ValueError, match="more than 0"):
        scaled_network(scale)
