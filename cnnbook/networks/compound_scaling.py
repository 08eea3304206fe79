"""EfficientNet.

Collected from notebooks/efficient/compound-scaling.ipynb
by `make export`: edit the chapter, not this file.
"""

import math
from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from cnnbook.layers import conv_bn, initialise
from cnnbook.networks.inverted_residuals import inverted_residual, round_channels
from cnnbook.networks.pre_activation import ResidualSum
from cnnbook.networks.senet import SqueezeExcitation

__all__ = [
    "StochasticDepth",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "mbconv",
    "scaled_network",
]


# -- Build it: Stochastic depth
class StochasticDepth(nn.Module):
    """In training, set the whole branch of an image to zero with probability `drop`.

    What is kept is divided by 1 − `drop`, so that the average stays what it is without dropping.

    Args:
        drop: share of the images whose branch is dropped.

    Raises:
        ValueError: `drop` is not from 0 up to 1, 1 left out.
    """

    def __init__(self, drop: float) -> None:
        super().__init__()
        if not 0 <= drop < 1:
            raise ValueError(f"drop is {drop}; it must be at least 0 and below 1.")
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        if not self.training or self.drop == 0:
            return x
        kept = x.new_empty(len(x), 1, 1, 1).bernoulli_(1 - self.drop)  # one draw an image
        return x * kept / (1 - self.drop)


# -- Build it: The block of the library
def mbconv(
    in_channels: int,
    out_channels: int,
    stride: int,
    kernel_size: int,
    expansion: int,
    drop: float = 0.0,
) -> nn.Sequential | ResidualSum:
    """An inverted residual with gates and swish, whose branch is dropped at random in training."""
    width = expansion * in_channels
    gate = SqueezeExcitation(width, in_channels // 4, nn.SiLU)  # a quarter of what comes in
    block = inverted_residual(
        in_channels, out_channels, stride,
        width=width, kernel_size=kernel_size, activation=nn.SiLU, gate=gate,
    )  # fmt: skip
    if isinstance(block, ResidualSum):
        block.branch.append(StochasticDepth(drop))
    return block


# -- Build it: Table 1
class MBConvs(NamedTuple):
    """A row of Table 1 of Tan and Le (2019)."""

    expansion: int  # the number behind "MBConv"
    kernel_size: int
    out_channels: int
    depth: int  # "Layers"
    stride: int  # of the first block, from the resolutions


EFFICIENTNET_B0 = {
    "stage2": MBConvs(1, 3, 16, 1, 1),
    "stage3": MBConvs(6, 3, 24, 2, 2),
    "stage4": MBConvs(6, 5, 40, 2, 2),
    "stage5": MBConvs(6, 3, 80, 3, 2),
    "stage6": MBConvs(6, 5, 112, 3, 1),
    "stage7": MBConvs(6, 5, 192, 4, 2),
    "stage8": MBConvs(6, 3, 320, 1, 1),
}


# -- Build it: B0 to B7
class Scale(NamedTuple):
    """How much wider and deeper than B0 a network is, and what it is trained with."""

    width: float  # times the channels of B0
    depth: float  # times the blocks of B0
    size: int  # pixels of a side
    dropout: float


SCALES = {
    "b0": Scale(1.0, 1.0, 224, 0.2),
    "b1": Scale(1.0, 1.1, 240, 0.2),
    "b2": Scale(1.1, 1.2, 260, 0.3),
    "b3": Scale(1.2, 1.4, 300, 0.3),
    "b4": Scale(1.4, 1.8, 380, 0.4),
    "b5": Scale(1.6, 2.2, 456, 0.4),
    "b6": Scale(1.8, 2.6, 528, 0.5),
    "b7": Scale(2.0, 3.1, 600, 0.5),
}


# -- Build it: The network
# by fan-in: the fan-out that PyTorch takes for a depthwise kernel counts all channels, not its own
_DRAW = partial(nn.init.kaiming_normal_, mode="fan_in", nonlinearity="relu")


def scaled_network(
    scale: Scale,
    num_classes: int = 1000,
    rows: dict[str, MBConvs] = EFFICIENTNET_B0,
    drop: float = 0.2,
) -> nn.Sequential:
    """The network of a table, made wider and deeper: images `(N, 3, H, W)` to logits.

    Args:
        scale: factors for channels and blocks; its `size` is not needed here.
        num_classes: the number of logits.
        rows: the table; its channels are rounded to multiples of 8, its blocks upwards.
        drop: where stochastic depth would be behind the last block; it rises evenly from 0.

    Raises:
        ValueError: a factor is not positive.
    """
    if min(scale.width, scale.depth) <= 0:
        raise ValueError(f"width {scale.width} and depth {scale.depth} must both be more than 0.")
    depths = [math.ceil(row.depth * scale.depth) for row in rows.values()]
    channels, done = round_channels(32 * scale.width), 0
    children = OrderedDict(stem=nn.Sequential(*conv_bn(3, channels, 3, stride=2), nn.SiLU()))
    for (name, row), depth in zip(rows.items(), depths):
        out_channels, blocks = round_channels(row.out_channels * scale.width), []
        for stride in [row.stride] + [1] * (depth - 1):
            share = drop * done / sum(depths)
            blocks.append(
                mbconv(channels, out_channels, stride, row.kernel_size, row.expansion, share)
            )
            channels, done = out_channels, done + 1
        children[name] = nn.Sequential(*blocks)
    last = round_channels(1280 * scale.width)
    children["last"] = nn.Sequential(*conv_bn(channels, last, 1), nn.SiLU())
    average = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(scale.dropout)
    children["head"] = nn.Sequential(*average, nn.Linear(last, num_classes))
    return initialise(nn.Sequential(children), _DRAW, kinds=nn.Conv2d)


def efficientnet_b0(num_classes: int = 1000) -> nn.Sequential:
    """EfficientNet-B0 of Tan and Le (2019): images `(N, 3, 224, 224)` to logits."""
    return scaled_network(SCALES["b0"], num_classes)


def efficientnet_b1(num_classes: int = 1000) -> nn.Sequential:
    """EfficientNet-B1: images `(N, 3, 240, 240)` to logits."""
    return scaled_network(SCALES["b1"], num_classes)


def efficientnet_b2(num_classes: int = 1000) -> nn.Sequential:
    """EfficientNet-B2: images `(N, 3, 260, 260)` to logits."""
    return scaled_network(SCALES["b2"], num_classes)


def efficientnet_b3(num_classes: int = 1000) -> nn.Sequential:
    """EfficientNet-B3: images `(N, 3, 300, 300)` to logits."""
    return scaled_network(SCALES["b3"], num_classes)


def efficientnet_b4(num_classes: int = 1000) -> nn.Sequential:
    """EfficientNet-B4: images `(N, 3, 380, 380)` to logits."""
    return scaled_network(SCALES["b4"], num_classes)


def efficientnet_b5(num_classes: int = 1000) -> nn.Sequential:
    """EfficientNet-B5: images `(N, 3, 456, 456)` to logits."""
    return scaled_network(SCALES["b5"], num_classes)


def efficientnet_b6(num_classes: int = 1000) -> nn.Sequential:
    """EfficientNet-B6: images `(N, 3, 528, 528)` to logits."""
    return scaled_network(SCALES["b6"], num_classes)


def efficientnet_b7(num_classes: int = 1000) -> nn.Sequential:
    """EfficientNet-B7: images `(N, 3, 600, 600)` to logits."""
    return scaled_network(SCALES["b7"], num_classes)
