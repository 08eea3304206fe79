"""Xception.

Collected from notebooks/deeper/extreme-inception.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from torch import nn

from cnnbook.layers import conv_bn, initialise
from cnnbook.networks.pre_activation import ResidualSum
from cnnbook.networks.resnet import option_b

__all__ = ["separable_bn", "xception"]


# -- Build it: The separable convolution, written out
def separable_bn(in_channels: int, out_channels: int) -> nn.Sequential:
    """Depthwise 3×3, pointwise 1×1, batch normalisation; nothing between the two."""
    depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
    return nn.Sequential(depthwise, *conv_bn(in_channels, out_channels, 1))


# -- Build it: The figure as a table
class SeparableRow(NamedTuple):
    """A module of Figure 5 of Chollet (2016) that has a shortcut."""

    out_channels: tuple[int, ...]  # of its separable convolutions
    stride: int = 1  # 2: max pooling behind them
    relu_first: bool = True


XCEPTION = {
    "entry1": SeparableRow((128, 128), 2, relu_first=False),
    "entry2": SeparableRow((256, 256), 2),
    "entry3": SeparableRow((728, 728), 2),
    **{f"middle{n}": SeparableRow((728, 728, 728)) for n in range(1, 9)},
    "exit": SeparableRow((728, 1024), 2),
}


def separable_module(in_channels: int, row: SeparableRow) -> ResidualSum:
    """Chain the separable convolutions of a row, and put a shortcut around them."""
    layers, width = [], in_channels
    for out_channels in row.out_channels:
        # not in place: the first ReLU reads what the shortcut reads
        layers += [nn.ReLU(), *separable_bn(width, out_channels)]
        width = out_channels
    if row.stride == 2:
        layers.append(nn.MaxPool2d(3, stride=2, padding=1))
    first = 0 if row.relu_first else 1
    branch = nn.Sequential(*layers[first:])
    return ResidualSum(branch, option_b(in_channels, width, row.stride))


# -- Build it: The network
def _conv_relu_unpadded(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """A 3×3 convolution that loses the border, batch normalisation, ReLU."""
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride=stride, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


# by fan-in: the fan-out that PyTorch takes for a depthwise kernel counts all channels, not its own
_draw = partial(nn.init.kaiming_normal_, mode="fan_in", nonlinearity="relu")


def xception(num_classes: int = 1000) -> nn.Sequential:
    """Xception of Chollet (2016): images `(N, 3, 299, 299)` to logits."""
    stem = nn.Sequential(_conv_relu_unpadded(3, 32, 2), _conv_relu_unpadded(32, 64, 1))
    children = OrderedDict(stem=stem)
    in_channels = 64
    for name, row in XCEPTION.items():
        children[name] = separable_module(in_channels, row)
        in_channels = row.out_channels[-1]
    wider = *separable_bn(in_channels, 1536), nn.ReLU(inplace=True)
    widest = *separable_bn(1536, 2048), nn.ReLU(inplace=True)
    children["separable"] = nn.Sequential(*wider, *widest)
    average = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5)
    children["head"] = nn.Sequential(*average, nn.Linear(2048, num_classes))
    return initialise(nn.Sequential(children), _draw, kinds=nn.Conv2d)
