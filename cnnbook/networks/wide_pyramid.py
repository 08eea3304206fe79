"""Wide residual networks and PyramidNet.

Collected from notebooks/deeper/wide-pyramid.ipynb
by `make export`: edit the chapter, not this file.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from torch import nn

from cnnbook.layers import conv_bn, conv_bn_relu, initialise
from cnnbook.networks.pre_activation import (
    RESNET200,
    Kind,
    ResidualSum,
    bn_relu,
    preact_basic,
    preact_network,
    preact_projection,
)
from cnnbook.networks.resnet import (
    RESNET50,
    RESNET101,
    Stage,
    basic,
    bottleneck_v15,
    imagenet_resnet,
    option_a,
)

__all__ = [
    "imagenet_pyramidnet",
    "pyramid_network",
    "pyramid_shortcut",
    "pyramidnet",
    "pyramidnet101_360",
    "pyramidnet200_300",
    "pyramidnet200_450",
    "wide_basic",
    "wide_bottleneck",
    "wide_resnet",
    "wide_resnet50_2",
]


# -- The idea: two answers to one question: Four ways to grow
def additive(start: int, alpha: float, units: int) -> list[int]:
    """Widths of the units that grow by α / N each, to `start` + α, rounded half up."""
    return [math.floor(start + alpha * unit / units + 0.5) for unit in range(1, units + 1)]


def multiplicative(start: int, alpha: float, units: int) -> list[int]:
    """Widths of the units that grow by one factor, to `start` · α, rounded half up."""
    return [math.floor(start * alpha ** (unit / units) + 0.5) for unit in range(1, units + 1)]


# -- Build it: The wide unit
_FAN_IN = partial(nn.init.kaiming_normal_, mode="fan_in", nonlinearity="relu")


def wide_basic(
    in_channels: int, out_channels: int, stride: int, dropout: float = 0.0
) -> nn.Sequential:
    """The pre-activated branch of two 3×3 convolutions, with dropout before the second."""
    first, norm, relu, second = preact_basic(in_channels, out_channels, stride)
    drop = [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(first, norm, relu, *drop, second)


def wide_resnet(
    depth: int, widen: int, num_classes: int = 10, dropout: float = 0.0
) -> nn.Sequential:
    """A network of Zagoruyko and Komodakis (2016) for CIFAR: images `(N, 3, 32, 32)` to logits.

    Args:
        depth: 6n + 4 layers, such as 16, 28 or 40.
        widen: how many times as many channels as in a ResNet of the same kind.
        num_classes: number of logits.
        dropout: the share of values that a unit drops between its convolutions in training.

    Raises:
        ValueError: `depth` is not 6n + 4, or `widen` is below 1.
    """
    n, rest = divmod(depth - 4, 6)
    if n < 1 or rest:
        raise ValueError(f"depth is {depth}; it must be 6n + 4, such as 10, 16, 22, 28 or 40.")
    if widen < 1:
        raise ValueError(f"widen is {widen}; it must be at least 1.")
    stages = [Stage(n, 16 * widen, 1), Stage(n, 32 * widen, 2), Stage(n, 64 * widen, 2)]
    branch = partial(wide_basic, dropout=dropout)
    stem = conv_bn_relu(3, 16, 3)
    network = preact_network(stem, 16, stages, branch, preact_projection, num_classes)
    return initialise(network, _FAN_IN, kinds=nn.Conv2d)


def wide_bottleneck(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """The bottleneck of ResNet-50 with twice as many channels inside."""
    width = out_channels // 2
    return nn.Sequential(
        *conv_bn_relu(in_channels, width, 1),
        *conv_bn_relu(width, width, 3, stride=stride),
        *conv_bn(width, out_channels, 1),
    )


def wide_resnet50_2(num_classes: int = 1000) -> nn.Sequential:
    """WRN-50-2 of Zagoruyko and Komodakis (2016): images `(N, 3, 224, 224)` to logits."""
    return imagenet_resnet(RESNET50, wide_bottleneck, num_classes)


# -- Build it: The unit of a pyramid
def pyramid_shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """A shortcut without parameters: 2×2 means where the stride is 2, then channels of zeros.

    Raises:
        ValueError: there are fewer channels behind than before.
    """
    if out_channels < in_channels:
        raise ValueError(f"{in_channels} channels cannot be padded to {out_channels}.")
    pad = option_a(in_channels, out_channels, 1)
    return pad if stride == 1 else nn.Sequential(nn.AvgPool2d(stride, ceil_mode=True), pad)


def pyramid_unit(branch: Callable, in_channels: int, out_channels: int, stride: int) -> ResidualSum:
    """A branch of 2015 behind a batch normalisation, and the shortcut that pads."""
    shape = in_channels, out_channels, stride
    before = nn.BatchNorm2d(in_channels)  # and no ReLU
    return ResidualSum(nn.Sequential(before, *branch(*shape)), pyramid_shortcut(*shape))


# -- Build it: The network
_FAN_OUT = partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")


def pyramid_network(
    stem: nn.Module,
    in_channels: int,
    depths: list[int],
    widths: list[int],
    branch: Callable,
    num_classes: int,
) -> nn.Sequential:
    """Chain a stem, stages of `depths` units, each with a width of its own, and a head."""
    children, coming = OrderedDict(stem=stem), iter(widths)
    for place, depth in enumerate(depths, 2):
        units = []
        for unit in range(depth):
            out_channels, stride = next(coming), 2 if place > 2 and unit == 0 else 1
            units.append(pyramid_unit(branch, in_channels, out_channels, stride))
            in_channels = out_channels
        children[f"conv{place}_x"] = nn.Sequential(*units)
    children["activation"] = bn_relu(in_channels)
    linear = nn.Linear(in_channels, num_classes)
    children["head"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    return initialise(nn.Sequential(children), _FAN_OUT, kinds=nn.Conv2d)


PYRAMID_BASIC = Kind(2, 1, basic, pyramid_shortcut)
PYRAMID_BOTTLENECK = Kind(3, 4, bottleneck_v15, pyramid_shortcut)


def pyramidnet(
    depth: int, alpha: float, num_classes: int = 10, growth: Callable = additive
) -> nn.Sequential:
    """A network of Han et al. (2016) for CIFAR: images `(N, 3, 32, 32)` to logits.

    Args:
        depth: 6n + 2 layers, such as 110; from 164 on 9n + 2, such as 164 or 272.
        alpha: the channels that all units add, or, with multiplicative growth, their factor.
        num_classes: number of logits.
        growth: `additive` or `multiplicative`.

    Raises:
        ValueError: `depth` is none of these, or the widths fall.
    """
    kind = PYRAMID_BOTTLENECK if depth >= 164 else PYRAMID_BASIC
    n, rest = divmod(depth - 2, 3 * kind.layers)
    if n < 1 or rest:
        raise ValueError(
            f"depth is {depth}; it must be {3 * kind.layers}n + 2 for units of {kind.layers} "
            f"layers, such as 20 or 110 (6n + 2), or 164 or 272 (9n + 2)."
        )
    widths = [kind.expansion * width for width in growth(16, alpha, 3 * n)]
    return pyramid_network(conv_bn(3, 16, 3), 16, [n] * 3, widths, kind.branch, num_classes)


def imagenet_pyramidnet(stages: list[Stage], alpha: float, num_classes: int) -> nn.Sequential:
    """An additive PyramidNet for images `(N, 3, 224, 224)`, with as many units as the stages."""
    stem = nn.Sequential(conv_bn_relu(3, 64, 7, stride=2), nn.MaxPool2d(3, stride=2, padding=1))
    depths = [stage.depth for stage in stages]
    widths = [4 * width for width in additive(64, alpha, sum(depths))]
    return pyramid_network(stem, 64, depths, widths, bottleneck_v15, num_classes)


def pyramidnet101_360(num_classes: int = 1000) -> nn.Sequential:
    """PyramidNet-101 with α = 360 of the authors' code: images `(N, 3, 224, 224)` to logits."""
    return imagenet_pyramidnet(RESNET101, 360, num_classes)


def pyramidnet200_300(num_classes: int = 1000) -> nn.Sequential:
    """PyramidNet-200 of Han et al. (2016) with α = 300: images `(N, 3, 224, 224)` to logits."""
    return imagenet_pyramidnet(RESNET200, 300, num_classes)


def pyramidnet200_450(num_classes: int = 1000) -> nn.Sequential:
    """PyramidNet-200 of Han et al. (2016) with α = 450: images `(N, 3, 224, 224)` to logits."""
    return imagenet_pyramidnet(RESNET200, 450, num_classes)
