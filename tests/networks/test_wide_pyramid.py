"""Wide residual networks and PyramidNet against torchvision, timm, pytorchcv and by hand."""

import math
from fractions import Fraction

import pytest
import timm
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from pytorchcv.models.pyramidnet import get_pyramidnet
from pytorchcv.models.pyramidnet_cifar import get_pyramidnet_cifar
from pytorchcv.models.wrn_cifar import get_wrn_cifar
from torch import nn

from cnnbook import networks, reference
from cnnbook.arithmetic import count_parameters
from cnnbook.layers import conv_bn
from cnnbook.networks import pyramid_network, pyramidnet, wide_resnet
from cnnbook.networks.pre_activation import ResidualSum
from cnnbook.networks.resnet import basic, bottleneck_v15
from cnnbook.networks.wide_pyramid import (
    additive,
    multiplicative,
    pyramid_shortcut,
    pyramid_unit,
    wide_basic,
)


def for_few_pixels(theirs: nn.Module) -> nn.Module:
    """Average over any size, where pytorchcv's networks average over 7×7 or 8×8."""
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)
    return theirs


@pytest.mark.parametrize(("depth", "widen"), [(10, 2), (16, 4), (28, 10), (40, 2)])
def test_pytorchcv_computes_the_same_wide_network(depth, widen):
    theirs = for_few_pixels(get_wrn_cifar(10, depth, widen))
    ours = wide_resnet(depth, widen)
    assert max(reference.compare(ours, theirs, (3, 8, 8))) < reference.TOLERANCE


def test_a_network_that_is_not_widened_forks_one_activation_later():
    """In the authors' code the first shortcut of WRN-16-1 reads the bare convolution."""
    theirs = for_few_pixels(get_wrn_cifar(10, 16, 1))
    with torch.device("meta"):
        assert count_parameters(wide_resnet(16, 1)) == count_parameters(theirs)
    assert max(reference.compare(wide_resnet(16, 1), theirs, (3, 8, 8))) > 1e-3


@pytest.mark.parametrize("build", [torchvision.models.wide_resnet50_2, timm.models.wide_resnet50_2])
def test_torchvision_and_timm_compute_the_same(build):
    difference = reference.compare(networks.wide_resnet50_2(), build(), (3, 32, 32))
    assert max(difference) < reference.TOLERANCE


def test_dropout_stands_before_the_second_convolution_and_only_works_in_training():
    branch = wide_basic(4, 8, 2, dropout=0.5)
    kinds = [type(layer).__name__ for layer in branch]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU", "Dropout", "Conv2d"]
    network = wide_resnet(10, 1, dropout=0.3)
    assert sum(isinstance(module, nn.Dropout) for module in network.modules()) == 3
    images = torch.randn(2, 3, 16, 16)
    assert not torch.equal(network(images), network(images))
    difference = reference.compare(network, wide_resnet(10, 1), (3, 8, 8))  # in evaluation mode
    assert max(difference) < reference.TOLERANCE


@pytest.mark.parametrize(("depth", "widen"), [(28, 0), (28, -1), (4, 2), (26, 10), (29, 10)])
def test_what_is_not_in_the_wide_family_is_refused(depth, widen):
    with pytest.raises(ValueError, match=r"(depth|widen) is -?\d+; it must be"):
        wide_resnet(depth, widen)


@pytest.mark.parametrize(
    ("depth", "alpha", "pixels"),
    [
        (20, 48, 8),
        (110, 48, 8),
        (110, 84, 8),
        (110, 270, 6),
        (164, 48, 8),
        (164, 84, 6),
        (164, 270, 6),
        (200, 240, 6),
        (236, 220, 5),
        (272, 200, 5),
    ],
)
def test_pytorchcv_computes_the_same_pyramid(depth, alpha, pixels):
    theirs = for_few_pixels(get_pyramidnet_cifar(10, depth, alpha, bottleneck=depth >= 164))
    difference = reference.compare(pyramidnet(depth, alpha), theirs, (3, pixels, pixels))
    assert max(difference) < reference.TOLERANCE


@pytest.mark.parametrize(("depth", "alpha"), [(101, 360), (200, 300), (200, 450)])
def test_pytorchcv_computes_the_same_pyramid_for_imagenet(depth, alpha):
    theirs = for_few_pixels(get_pyramidnet(depth, alpha))
    ours = getattr(networks, f"pyramidnet{depth}_{alpha}")()
    assert max(reference.compare(ours, theirs, (3, 32, 32))) < reference.TOLERANCE


def test_the_names_that_pytorchcv_registers_are_these_networks():
    with torch.device("meta"):
        for depth, alpha in ((110, 48), (110, 84), (110, 270)):
            theirs = get_model(f"pyramidnet{depth}_a{alpha}_cifar10")
            assert count_parameters(theirs) == count_parameters(pyramidnet(depth, alpha))


class Written(nn.Module):
    """A basic unit as addpyramidnet.lua and mulpyramidnet.lua of the authors say it."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(out_channels)
        self.stride, self.extra = stride, out_channels - in_channels

    def forward(self, x):
        y = self.norm3(self.conv2(self.norm2(self.conv1(self.norm1(x))).relu()))
        if self.stride == 2:
            x = F.avg_pool2d(x, 2)
        return y + torch.cat([x, x.new_zeros(len(x), self.extra, *x.shape[2:])], dim=1)


@pytest.mark.parametrize(("alpha", "rule"), [(48, "add"), (4.75, "mul"), (8, "mul"), (27, "mul")])
def test_the_authors_loop_gives_the_same_network(alpha, rule):
    layers, width, channels = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)], 16.0, 16
    for place in range(54):
        width = width + alpha / 54 if rule == "add" else width * alpha ** (1 / 54)
        out_channels, stride = math.floor(width + 0.5), 2 if place in (18, 36) else 1
        layers.append(Written(channels, out_channels, stride))
        channels = out_channels
    layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    theirs = nn.Sequential(*layers, nn.Linear(channels, 10))
    ours = pyramidnet(110, alpha, growth=additive if rule == "add" else multiplicative)
    assert max(reference.compare(ours, theirs, (3, 8, 8))) < reference.TOLERANCE


@given(st.integers(1, 64), st.integers(0, 500), st.integers(1, 100))
def test_additive_growth_is_rounded_once_and_half_up(start, alpha, units):
    widths = additive(start, alpha, units)
    exact = [start + Fraction(alpha * unit, units) for unit in range(1, units + 1)]
    assert widths == [math.floor(width + Fraction(1, 2)) for width in exact]
    assert widths[-1] == start + alpha
    steps = [b - a for a, b in zip([start, *widths], widths)]
    assert max(steps) - min(steps) <= 1


@given(st.integers(1, 64), st.floats(1, 30), st.integers(1, 100))
def test_multiplicative_growth_begins_slowly_and_ends_at_the_factor(start, alpha, units):
    widths = multiplicative(start, alpha, units)
    assert len(widths) == units
    assert widths == sorted(widths)
    assert abs(widths[-1] - start * alpha) <= 0.5 + 1e-9
    assert widths[units // 2] <= additive(start, start * (alpha - 1), units)[units // 2] + 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((112, 48), r"depth is 112; it must be 6n \+ 2"),
        ((2, 48), "depth is 2; it must be"),
        ((170, 48), r"depth is 170; it must be 9n \+ 2"),
        ((110, -20), r"\d+ channels cannot be padded to \d+"),
    ],
)
def test_what_is_no_pyramid_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        pyramidnet(*arguments)


@pytest.mark.parametrize("size", [8, 7])
@pytest.mark.parametrize("branch", [basic, bottleneck_v15])
def test_zero_padding_adds_no_parameters_and_hands_the_means_on(branch, size):
    unit = pyramid_unit(branch, 8, 20, 2).eval()
    assert count_parameters(pyramid_shortcut(8, 20, 2)) == 0
    nn.init.zeros_(unit.branch[-1].weight)
    nn.init.zeros_(unit.branch[-1].bias)
    x = torch.randn(1, 8, size, size)  # below zero as well: there is no ReLU on the way
    y = unit(x)
    assert torch.equal(y[:, :8], F.avg_pool2d(x, 2, ceil_mode=True))
    assert not y[:, 8:].any()


@given(st.lists(st.integers(1, 2), min_size=1, max_size=3), st.data())
def test_each_unit_has_its_own_width(depths, data):
    many = sum(depths)
    widths = sorted(data.draw(st.lists(st.integers(8, 24), min_size=many, max_size=many)))
    network = pyramid_network(conv_bn(3, 8, 3), 8, depths, widths, basic, num_classes=5)
    sums = [module for module in network.modules() if isinstance(module, ResidualSum)]
    assert [unit.branch[-1].num_features for unit in sums] == widths
    assert network.head[-1].in_features == widths[-1]
    assert network.eval()(torch.randn(2, 3, 8, 8)).shape == (2, 5)
