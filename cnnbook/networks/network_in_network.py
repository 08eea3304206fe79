"""Network in network.

Collected from notebooks/classics/network-in-network.ipynb
by `make export`: edit the chapter, not this file.
"""

import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from torch import nn

from cnnbook.layers import conv_relu, initialise

__all__ = ["mlpconv", "mlpconv_network", "nin", "nin_imagenet"]


# -- Build it: The mlpconv layer
def mlpconv(
    in_channels: int,
    channels: Sequence[int],
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int | None = None,
) -> nn.Sequential:
    """Convolution, then 1×1 convolutions, all with ReLU (Lin et al., 2013, Section 3.1)."""
    geometry = {"stride": stride, "padding": padding}
    layers = [*conv_relu(in_channels, channels[0], kernel_size, **geometry)]
    for narrower, wider in itertools.pairwise(channels):
        layers += conv_relu(narrower, wider, 1)
    return nn.Sequential(*layers)


# -- Build it: Pooling, dropout, and the head
class MLPConv(NamedTuple):
    """A row of a table: an mlpconv layer, and what follows it."""

    channels: tuple[int, int, int]  # of the convolution, and of the two 1×1
    kernel_size: int
    stride: int = 1
    padding: int | None = None  # kernel_size // 2 if not given
    pool: Callable[..., nn.Module] | None = None  # 3×3 with stride 2
    dropout: float = 0.0  # behind the pooling


NIN = [  # for CIFAR-10
    MLPConv((192, 160, 96), 5, pool=nn.MaxPool2d, dropout=0.5),
    MLPConv((192, 192, 192), 5, pool=nn.MaxPool2d, dropout=0.5),
    MLPConv((192, 192, 10), 3),
]


_draw = partial(nn.init.kaiming_normal_, nonlinearity="relu")


def mlpconv_network(table: Sequence[MLPConv], num_classes: int) -> nn.Sequential:
    """Chain mlpconv layers, and average: images `(N, 3, H, W)` to scores."""
    *others, final = table
    final = final._replace(channels=(*final.channels[:-1], num_classes))
    children, in_channels = OrderedDict(), 3
    for place, row in enumerate([*others, final], 1):
        geometry = {"stride": row.stride, "padding": row.padding}
        layer = mlpconv(in_channels, row.channels, row.kernel_size, **geometry)
        children[f"mlpconv{place}"] = layer
        if row.pool is not None:
            children[f"pool{place}"] = row.pool(3, stride=2, ceil_mode=True)
        if row.dropout:
            children[f"dropout{place}"] = nn.Dropout(row.dropout)
        in_channels = row.channels[-1]
    children["head"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return initialise(nn.Sequential(children), _draw, kinds=nn.Conv2d)


def nin(num_classes: int = 10) -> nn.Sequential:
    """The CIFAR-10 network of Lin et al. (2013): images `(N, 3, 32, 32)` to scores."""
    return mlpconv_network(NIN, num_classes)


# -- Build it: The network for ImageNet
NIN_IMAGENET = [
    MLPConv((96, 96, 96), 11, stride=4, padding=0, pool=nn.MaxPool2d),
    MLPConv((256, 256, 256), 5, pool=nn.MaxPool2d),
    MLPConv((384, 384, 384), 3, pool=nn.MaxPool2d, dropout=0.5),
    MLPConv((1024, 1024, 1000), 3),
]
SMALL_SPREADS = {"mlpconv1.0": 0.01, "mlpconv3.0": 0.01, "mlpconv4.4": 0.01}


def nin_imagenet(num_classes: int = 1000) -> nn.Sequential:
    """The authors' network for ImageNet: images `(N, 3, 224, 224)` to scores."""
    network = mlpconv_network(NIN_IMAGENET, num_classes)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=SMALL_SPREADS.get(name, 0.05))
    return network
