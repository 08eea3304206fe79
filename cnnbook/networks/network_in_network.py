"""Network in network.

Collected from notebooks/classics/network-in-network.ipynb
by `make export`: edit the chapter, not this file.
"""

import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import nn

from cnnbook.layers import conv_relu

__all__ = [
    "CIFAR",
    "IMAGENET",
    "SMALL_SPREADS",
    "MLPConv",
    "initialise",
    "mlpconv",
    "mlpconv_network",
    "nin",
    "nin_imagenet",
]


def mlpconv(
    in_channels: int,
    channels: Sequence[int],
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int | None = None,
) -> nn.Sequential:
    """Convolution, then 1×1 convolutions, all with ReLU (Lin et al., 2013, Section 3.1)."""
    steps = {"stride": stride, "padding": padding}
    layers = [*conv_relu(in_channels, channels[0], kernel_size, **steps)]
    for narrower, wider in itertools.pairwise(channels):
        layers += conv_relu(narrower, wider, 1)
    return nn.Sequential(*layers)


class MLPConv(NamedTuple):
    """An mlpconv layer as the released definitions have it, and what follows it."""

    channels: tuple[int, int, int]  # of the convolution, and of the two 1×1
    kernel_size: int
    stride: int = 1
    padding: int | None = None  # kernel_size // 2 if not given
    pool: Callable[..., nn.Module] | None = None  # 3×3 with stride 2
    dropout: float = 0.0  # behind the pooling

    def build(self, in_channels: int) -> nn.Sequential:
        """The mlpconv layer of this row."""
        steps = {"stride": self.stride, "padding": self.padding}
        return mlpconv(in_channels, self.channels, self.kernel_size, **steps)


CIFAR = [
    MLPConv((192, 160, 96), 5, pool=nn.MaxPool2d, dropout=0.5),
    MLPConv((192, 192, 192), 5, pool=nn.AvgPool2d, dropout=0.5),
    MLPConv((192, 192, 10), 3),
]


def mlpconv_network(blocks: Sequence[MLPConv], num_classes: int) -> nn.Sequential:
    """Chain mlpconv layers, and average: images `(N, 3, H, W)` to scores."""
    *others, last = blocks
    last = last._replace(channels=(*last.channels[:-1], num_classes))
    children, in_channels = OrderedDict(), 3
    for place, block in enumerate([*others, last], 1):
        children[f"mlpconv{place}"] = block.build(in_channels)
        if block.pool is not None:
            children[f"pool{place}"] = block.pool(3, stride=2, ceil_mode=True)
        if block.dropout:
            children[f"dropout{place}"] = nn.Dropout(block.dropout)
        in_channels = block.channels[-1]
    children["head"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return initialise(nn.Sequential(children))


def initialise(network: nn.Module) -> nn.Module:
    """Draw the weights as in He et al. (2015b), and set the biases to zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def nin(num_classes: int = 10) -> nn.Sequential:
    """The CIFAR-10 network of Lin et al. (2013): images `(N, 3, 32, 32)` to scores."""
    return mlpconv_network(CIFAR, num_classes)


IMAGENET = [
    MLPConv((96, 96, 96), 11, stride=4, padding=0, pool=nn.MaxPool2d),
    MLPConv((256, 256, 256), 5, pool=nn.MaxPool2d),
    MLPConv((384, 384, 384), 3, pool=nn.MaxPool2d, dropout=0.5),
    MLPConv((1024, 1024, 1000), 3),
]
SMALL_SPREADS = {"mlpconv1.0": 0.01, "mlpconv3.0": 0.01, "mlpconv4.4": 0.01}


def nin_imagenet(num_classes: int = 1000) -> nn.Sequential:
    """The authors' network for ImageNet: images `(N, 3, 224, 224)` to scores."""
    network = mlpconv_network(IMAGENET, num_classes)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=SMALL_SPREADS.get(name, 0.05))
    return network
