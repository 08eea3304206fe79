"""AlexNet and OverFeat.

Collected from notebooks/classics/alexnet-overfeat.ipynb
by `make export`: edit the chapter, not this file.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from torch import nn

from cnnbook.layers import initialise

__all__ = [
    "alexnet",
    "alexnet_owt",
    "as_convolution",
    "fully_convolutional",
    "overfeat",
    "overfeat_accurate",
    "response_norm",
]


# -- Build it: The convolutions
class Convolution(NamedTuple):
    """A convolution with its ReLU, and what follows it."""

    out_channels: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    split: bool = False  # reads only the maps of its own tower
    norm: bool = False  # local response normalisation behind it
    pool: tuple[int, int] | None = None  # window and stride of max pooling behind that


ALEXNET = [  # Krizhevsky et al. (2012), Section 3.5 and Figure 2
    Convolution(96, 11, stride=4, norm=True, pool=(3, 2)),
    Convolution(256, 5, padding=2, split=True, norm=True, pool=(3, 2)),
    Convolution(384, 3, padding=1),
    Convolution(384, 3, padding=1, split=True),
    Convolution(256, 3, padding=1, split=True, pool=(3, 2)),
]


def response_norm() -> nn.LocalResponseNorm:
    """Local response normalisation of AlexNet; PyTorch divides alpha by the size."""
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2)


def _convolutions(table: Sequence[Convolution], groups: int = 1) -> OrderedDict[str, nn.Module]:
    """The children conv1, norm1, pool1, conv2, … of a table."""
    children = OrderedDict()
    in_channels = 3
    for place, row in enumerate(table, 1):
        shape = in_channels, row.out_channels, row.kernel_size, row.stride, row.padding
        convolution = nn.Conv2d(*shape, groups=groups if row.split else 1)
        children[f"conv{place}"] = nn.Sequential(convolution, nn.ReLU(inplace=True))
        if row.norm:
            children[f"norm{place}"] = response_norm()
        if row.pool:
            children[f"pool{place}"] = nn.MaxPool2d(*row.pool)
        in_channels = row.out_channels
    return children


# -- Build it: The head
def _linear_layers(widths: Sequence[int], first: int) -> OrderedDict[str, nn.Module]:
    """Linear layers of these widths, from `fc{first}` to the scores."""
    children = OrderedDict(flatten=nn.Flatten())
    for place, (in_features, out_features) in enumerate(pairwise(widths), first):
        children[f"fc{place}"] = nn.Sequential(
            nn.Linear(in_features, out_features), nn.ReLU(inplace=True), nn.Dropout(0.5)
        )
    children[f"fc{place}"] = children[f"fc{place}"][0]  # scores: no ReLU, no dropout
    return children


# -- Build it: The network
_draw = partial(nn.init.normal_, std=0.01)


def alexnet(num_classes: int = 1000, groups: int = 2) -> nn.Sequential:
    """AlexNet of Krizhevsky et al. (2012): images `(N, 3, 227, 227)` to logits.

    Args:
        num_classes: number of classes.
        groups: towers; with 1 every kernel reads all maps.
    """
    linear = _linear_layers((256 * 6 * 6, 4096, 4096, num_classes), first=6)
    network = nn.Sequential(_convolutions(ALEXNET, groups) | linear)
    initialise(network, _draw)
    for name in ("conv2", "conv4", "conv5", "fc6", "fc7"):
        nn.init.ones_(network.get_submodule(name)[0].bias)
    return network


# -- Check it: The form that everybody downloads
ALEXNET_OWT = [  # Krizhevsky (2014), as torchvision has it: one tower, padded, no norm
    Convolution(64, 11, stride=4, padding=2, pool=(3, 2)),
    Convolution(192, 5, padding=2, pool=(3, 2)),
    Convolution(384, 3, padding=1),
    Convolution(256, 3, padding=1),
    Convolution(256, 3, padding=1, pool=(3, 2)),
]


def alexnet_owt(num_classes: int = 1000) -> nn.Sequential:
    """AlexNet of Krizhevsky (2014), "one weird trick": images `(N, 3, 224, 224)` to logits.

    The weights are drawn as PyTorch draws them.
    """
    linear = _linear_layers((256 * 6 * 6, 4096, 4096, num_classes), first=6)
    return nn.Sequential(_convolutions(ALEXNET_OWT) | linear)


# -- OverFeat: slide the whole network
OVERFEAT = [  # Sermanet et al. (2013), Table 1: the fast model
    Convolution(96, 11, stride=4, pool=(2, 2)),
    Convolution(256, 5, pool=(2, 2)),
    Convolution(512, 3, padding=1),
    Convolution(1024, 3, padding=1),
    Convolution(1024, 3, padding=1, pool=(2, 2)),
]


OVERFEAT_ACCURATE = [  # Sermanet et al. (2013), Table 3: the accurate model
    Convolution(96, 7, stride=2, pool=(3, 3)),
    Convolution(256, 7, pool=(2, 2)),
    Convolution(512, 3, padding=1),
    Convolution(512, 3, padding=1),
    Convolution(1024, 3, padding=1),
    Convolution(1024, 3, padding=1, pool=(3, 3)),
]


def overfeat(num_classes: int = 1000) -> nn.Sequential:
    """OverFeat, fast, of Sermanet et al. (2013): images `(N, 3, 231, 231)` to logits."""
    linear = _linear_layers((1024 * 6 * 6, 3072, 4096, num_classes), first=6)
    return initialise(nn.Sequential(_convolutions(OVERFEAT) | linear), _draw)


def overfeat_accurate(num_classes: int = 1000) -> nn.Sequential:
    """OverFeat, accurate, of Sermanet et al. (2013): images `(N, 3, 221, 221)` to logits."""
    linear = _linear_layers((1024 * 5 * 5, 4096, 4096, num_classes), first=7)
    return initialise(nn.Sequential(_convolutions(OVERFEAT_ACCURATE) | linear), _draw)


# -- OverFeat: slide the whole network: A linear layer is a convolution
def as_convolution(linear: nn.Linear, in_channels: int) -> nn.Conv2d:
    """A linear layer on flattened square maps as a convolution, weights shared."""
    side = math.isqrt(linear.in_features // in_channels)
    convolution = nn.Conv2d(in_channels, linear.out_features, side, device="meta")
    weight = linear.weight.detach().view(-1, in_channels, side, side)  # no copy
    convolution.weight, convolution.bias = nn.Parameter(weight), linear.bias
    return convolution


def fully_convolutional(network: nn.Sequential) -> nn.Sequential:
    """A chain with its linear layers as convolutions, for images of any size."""
    layers, channels = [], 0
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            layer = as_convolution(layer, channels)
        if isinstance(layer, nn.Conv2d):
            channels = layer.out_channels
        if not isinstance(layer, (nn.Sequential, nn.Flatten)):
            layers.append(layer)
    return nn.Sequential(*layers).train(network.training)
