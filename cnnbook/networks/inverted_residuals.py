"""MobileNetV2 and V3.

Collected from notebooks/efficient/inverted-residuals.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from cnnbook.layers import conv_bn, initialise
from cnnbook.networks.pre_activation import ResidualSum
from cnnbook.networks.senet import SqueezeExcitation

__all__ = ["bneck", "inverted_residual", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"]


# -- Build it: The same, for all who follow
def inverted_residual(
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    width: int,
    kernel_size: int = 3,
    activation: Callable[[], nn.Module] = nn.ReLU6,
    gate: nn.Module | None = None,
) -> nn.Sequential | ResidualSum:
    """Expand to `width` channels, look at neighbours, gate, project; add `x` if shapes agree."""
    expand = *conv_bn(in_channels, width, 1), activation()
    neighbours = conv_bn(width, width, kernel_size, stride=stride, groups=width)
    layers = [] if width == in_channels else [*expand]
    layers += [*neighbours, activation()]
    if gate is not None:
        layers.append(gate)
    layers += conv_bn(width, out_channels, 1)  # and no activation: the bottleneck is linear
    branch = nn.Sequential(*layers)
    same = stride == 1 and in_channels == out_channels
    return ResidualSum(branch, nn.Identity()) if same else branch


# -- Build it: Rounding to eights
def round_channels(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of `divisor`, but never to less than nine tenths of `channels`.

    Raises:
        ValueError: `channels` is not positive.
    """
    if channels <= 0:
        raise ValueError(f"channels is {channels}; a layer needs more than none.")
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * channels else rounded + divisor


# -- Build it: Table 2
class Bottlenecks(NamedTuple):
    """A row of Table 2 of Sandler et al. (2018)."""

    expansion: int  # t: channels inside, as a multiple of those that come in
    out_channels: int  # c
    depth: int  # n
    stride: int  # s, of the first block; the others keep height and width


MOBILENET_V2 = {
    "bottleneck1": Bottlenecks(1, 16, 1, 1),
    "bottleneck2": Bottlenecks(6, 24, 2, 2),
    "bottleneck3": Bottlenecks(6, 32, 3, 2),
    "bottleneck4": Bottlenecks(6, 64, 4, 2),
    "bottleneck5": Bottlenecks(6, 96, 3, 1),
    "bottleneck6": Bottlenecks(6, 160, 3, 2),
    "bottleneck7": Bottlenecks(6, 320, 1, 1),
}


# -- Build it: The network
def _conv_act(
    in_channels: int, out_channels: int, kernel_size: int, stride: int, activation: Callable
) -> nn.Sequential:
    """A convolution, batch normalisation, an activation."""
    layers = conv_bn(in_channels, out_channels, kernel_size, stride=stride)
    return nn.Sequential(*layers, activation())


# by fan-in: the fan-out that PyTorch takes for a depthwise kernel counts all channels, not its own
_DRAW = partial(nn.init.kaiming_normal_, mode="fan_in", nonlinearity="relu")


def mobilenet_v2(
    num_classes: int = 1000, width: float = 1.0, rows: dict[str, Bottlenecks] = MOBILENET_V2
) -> nn.Sequential:
    """MobileNetV2 of Sandler et al. (2018): images `(N, 3, 224, 224)` to logits.

    Raises:
        ValueError: `width` is not positive.
    """
    channels = round_channels(32 * width)
    children = OrderedDict(stem=_conv_act(3, channels, 3, 2, nn.ReLU6))
    for name, row in rows.items():
        out_channels, blocks = round_channels(row.out_channels * width), []
        for stride in [row.stride] + [1] * (row.depth - 1):
            inside = row.expansion * channels
            blocks.append(inverted_residual(channels, out_channels, stride, width=inside))
            channels = out_channels
        children[name] = nn.Sequential(*blocks)
    last = round_channels(1280 * max(1.0, width))
    children["last"] = _conv_act(channels, last, 1, 1, nn.ReLU6)
    average = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2)
    children["head"] = nn.Sequential(*average, nn.Linear(last, num_classes))
    return initialise(nn.Sequential(children), _DRAW, kinds=nn.Conv2d)


# -- Build it: MobileNetV3: the tables
class Bneck(NamedTuple):
    """A row of Tables 1 and 2 of Howard et al. (2019)."""

    kernel_size: int
    width: int  # "exp size": channels inside
    out_channels: int
    gated: bool  # "SE"
    activation: Callable  # "NL"
    stride: int


RE = nn.ReLU
HS = nn.Hardswish

MOBILENET_V3_LARGE = [
    Bneck(3, 16, 16, False, RE, 1),
    Bneck(3, 64, 24, False, RE, 2),
    Bneck(3, 72, 24, False, RE, 1),
    Bneck(5, 72, 40, True, RE, 2),
    Bneck(5, 120, 40, True, RE, 1),
    Bneck(5, 120, 40, True, RE, 1),
    Bneck(3, 240, 80, False, HS, 2),
    Bneck(3, 200, 80, False, HS, 1),
    Bneck(3, 184, 80, False, HS, 1),
    Bneck(3, 184, 80, False, HS, 1),
    Bneck(3, 480, 112, True, HS, 1),
    Bneck(3, 672, 112, True, HS, 1),
    Bneck(5, 672, 160, True, HS, 2),
    Bneck(5, 960, 160, True, HS, 1),
    Bneck(5, 960, 160, True, HS, 1),
]


MOBILENET_V3_SMALL = [
    Bneck(3, 16, 16, True, RE, 2),
    Bneck(3, 72, 24, False, RE, 2),
    Bneck(3, 88, 24, False, RE, 1),
    Bneck(5, 96, 40, True, HS, 2),
    Bneck(5, 240, 40, True, HS, 1),
    Bneck(5, 240, 40, True, HS, 1),
    Bneck(5, 120, 48, True, HS, 1),
    Bneck(5, 144, 48, True, HS, 1),
    Bneck(5, 288, 96, True, HS, 2),
    Bneck(5, 576, 96, True, HS, 1),
    Bneck(5, 576, 96, True, HS, 1),
]


def bneck(in_channels: int, row: Bneck) -> nn.Sequential | ResidualSum:
    """An inverted residual as a row says, with gates computed in a quarter of its width."""
    squeezed = round_channels(row.width / 4)
    gate = SqueezeExcitation(row.width, squeezed, gate=nn.Hardsigmoid) if row.gated else None
    return inverted_residual(
        in_channels, row.out_channels, row.stride, width=row.width,
        kernel_size=row.kernel_size, activation=row.activation, gate=gate,
    )  # fmt: skip


# -- Build it: MobileNetV3: both ends
def _mobilenet_v3(rows: list[Bneck], last: int, num_classes: int) -> nn.Sequential:
    """The stem, the rows, and a head that widens behind the average."""
    children, channels = OrderedDict(stem=_conv_act(3, 16, 3, 2, HS)), 16
    for number, row in enumerate(rows, 1):
        children[f"bneck{number}"] = bneck(channels, row)
        channels = row.out_channels
    width = rows[-1].width
    children["last"] = _conv_act(channels, width, 1, 1, HS)
    wider = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, last), HS()
    children["head"] = nn.Sequential(*wider, nn.Dropout(0.2), nn.Linear(last, num_classes))
    return initialise(nn.Sequential(children), _DRAW, kinds=nn.Conv2d)


def mobilenet_v3_large(num_classes: int = 1000) -> nn.Sequential:
    """MobileNetV3-Large of Howard et al. (2019): images `(N, 3, 224, 224)` to logits."""
    return _mobilenet_v3(MOBILENET_V3_LARGE, 1280, num_classes)


def mobilenet_v3_small(num_classes: int = 1000) -> nn.Sequential:
    """MobileNetV3-Small of Howard et al. (2019): images `(N, 3, 224, 224)` to logits."""
    return _mobilenet_v3(MOBILENET_V3_SMALL, 1024, num_classes)
