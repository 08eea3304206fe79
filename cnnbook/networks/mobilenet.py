"""MobileNet.

Collected from notebooks/efficient/mobilenet.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import nn

from cnnbook.layers import conv_bn_relu, initialise

__all__ = ["depthwise_separable", "mobilenet_v1"]


# -- Build it: The pair, written out
def depthwise_separable(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """Depthwise 3×3, pointwise 1×1, each with batch normalisation and ReLU."""
    depthwise = conv_bn_relu(in_channels, in_channels, 3, stride=stride, groups=in_channels)
    return nn.Sequential(*depthwise, *conv_bn_relu(in_channels, out_channels, 1))


# -- Build it: Table 1 as a table
class SeparablePair(NamedTuple):
    """Two rows of Table 1 of Howard et al. (2017): a depthwise and a pointwise convolution."""

    out_channels: int  # of the pointwise half
    stride: int = 1  # of the depthwise half


MOBILENET_V1 = [
    SeparablePair(64),
    SeparablePair(128, stride=2),
    SeparablePair(128),
    SeparablePair(256, stride=2),
    SeparablePair(256),
    SeparablePair(512, stride=2),
    *[SeparablePair(512)] * 5,
    SeparablePair(1024, stride=2),
    SeparablePair(1024),
]


# -- Build it: The network
def mobilenet_v1(
    num_classes: int = 1000,
    *,
    width: float = 1.0,
    pairs: Sequence[SeparablePair] = tuple(MOBILENET_V1),
    block: Callable = depthwise_separable,
) -> nn.Sequential:
    """MobileNet of Howard et al. (2017): images `(N, 3, 224, 224)` to logits."""
    in_channels = int(width * 32)
    if in_channels < 1:
        raise ValueError(f"width is {width}, which leaves none of the stem's 32 channels.")
    children = OrderedDict(stem=conv_bn_relu(3, in_channels, 3, stride=2))
    for number, pair in enumerate(pairs, 1):
        out_channels = int(width * pair.out_channels)
        children[f"pair{number}"] = block(in_channels, out_channels, pair.stride)
        in_channels = out_channels
    average = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    children["head"] = nn.Sequential(*average, nn.Linear(in_channels, num_classes))
    return initialise(nn.Sequential(children), nn.init.kaiming_normal_, kinds=nn.Conv2d)
