"""SqueezeNet.

Collected from notebooks/efficient/squeezenet.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

from torch import nn

from cnnbook.layers import conv_relu, initialise
from cnnbook.networks.inception import Branches
from cnnbook.networks.pre_activation import ResidualSum

__all__ = ["fire", "fire_network", "squeezenet1_0", "squeezenet1_1"]


# -- Build it: The module, from a row
class FireRow(NamedTuple):
    """A fire module in Table 1 of Iandola et al. (2016), by its channels."""

    squeeze: int
    expand1x1: int
    expand3x3: int

    @property
    def out_channels(self) -> int:
        """Channels of what the module gives."""
        return self.expand1x1 + self.expand3x3


def fire(in_channels: int, row: FireRow) -> nn.Sequential:
    """The module of a row (Figure 1): few channels, then many."""
    expand = [
        conv_relu(row.squeeze, row.expand1x1, 1),
        conv_relu(row.squeeze, row.expand3x3, 3),
    ]
    return nn.Sequential(*conv_relu(in_channels, row.squeeze, 1), Branches(expand))


# -- Build it: The table
FIRE_MODULES = [  # Table 1: fire2 to fire9
    FireRow(16, 64, 64),
    FireRow(16, 64, 64),
    FireRow(32, 128, 128),
    FireRow(32, 128, 128),
    FireRow(48, 192, 192),
    FireRow(48, 192, 192),
    FireRow(64, 256, 256),
    FireRow(64, 256, 256),
]


# -- Build it: The bypass
def _bypassed(in_channels: int, row: FireRow, bypass: str | None) -> nn.Module:
    """The module of a row, with its bypass if it has one (Figure 2)."""
    module = fire(in_channels, row)
    if bypass and in_channels == row.out_channels:
        return ResidualSum(module, nn.Identity())
    if bypass == "complex":
        return ResidualSum(module, nn.Conv2d(in_channels, row.out_channels, 1))
    return module


# -- Build it: The network
_draw = partial(nn.init.kaiming_uniform_, nonlinearity="linear")  # variance 1 / fan-in


def fire_network(
    conv1: nn.Conv2d,
    rows: Sequence[FireRow],
    pools: Collection[int],
    num_classes: int,
    bypass: str | None = None,
) -> nn.Sequential:
    """Chain a first convolution, fire modules, and a last convolution that is averaged.

    Args:
        conv1: the first convolution; a ReLU follows it.
        rows: the fire modules, which are counted from 2.
        pools: numbers of the layers that a max pooling with stride 2 follows.
        num_classes: number of classes.
        bypass: `"simple"` adds the input of a module to its output where both have
            equally many channels; `"complex"` elsewhere, too, by a 1×1 convolution.

    Raises:
        ValueError: there is no such bypass.
    """
    if bypass not in (None, "simple", "complex"):
        raise ValueError(f'bypass is {bypass!r}; it must be "simple", "complex" or None.')
    layers = OrderedDict(conv1=nn.Sequential(conv1, nn.ReLU(inplace=True)))
    in_channels = conv1.out_channels
    for place, row in enumerate(rows, 2):
        layers[f"fire{place}"] = _bypassed(in_channels, row, bypass)
        in_channels = row.out_channels
    children = OrderedDict()
    for place, (name, layer) in enumerate(layers.items(), 1):
        children[name] = layer
        if place in pools:
            children[f"pool{place}"] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    last = nn.Conv2d(in_channels, num_classes, 1)
    children["head"] = nn.Sequential(
        nn.Dropout(0.5), last, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    network = initialise(nn.Sequential(children), _draw)
    nn.init.normal_(last.weight, std=0.01)
    return network


def squeezenet1_0(num_classes: int = 1000, bypass: str | None = None) -> nn.Sequential:
    """SqueezeNet of Iandola et al. (2016): images `(N, 3, 224, 224)` to logits."""
    conv1 = nn.Conv2d(3, 96, 7, stride=2)
    return fire_network(conv1, FIRE_MODULES, (1, 4, 8), num_classes, bypass)


def squeezenet1_1(num_classes: int = 1000) -> nn.Sequential:
    """SqueezeNet 1.1, as its authors released it: images `(N, 3, 224, 224)` to logits."""
    conv1 = nn.Conv2d(3, 64, 3, stride=2)
    return fire_network(conv1, FIRE_MODULES, (1, 3, 5), num_classes)
