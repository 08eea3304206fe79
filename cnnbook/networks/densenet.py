"""DenseNet.

Collected from notebooks/deeper/densenet.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from cnnbook.layers import bn_relu_conv, conv_bn_relu, initialise
from cnnbook.networks.pre_activation import bn_relu

__all__ = [
    "CheckpointedBlock",
    "DenseBlock",
    "cifar_densenet",
    "cifar_densenet_bc",
    "dense_bottleneck",
    "dense_layer",
    "dense_network",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "densenet264",
    "imagenet_densenet",
    "transition",
    "with_dropout",
]


# -- Build it: A block, written out
_DRAW = partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")  # before a ReLU


class DenseBlock(nn.Sequential):
    """Layers that read all channels so far, each of which puts its own behind them."""

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        for layer in self:
            x = torch.cat([x, layer(x)], dim=1)  # (N, C + k, H, W)
        return x


def dense_layer(in_channels: int, growth: int) -> nn.Sequential:
    """BN, ReLU and a 3×3 convolution: a layer of the plain DenseNet."""
    return bn_relu_conv(in_channels, growth, 3)


# -- Build it: B and C: the bottleneck and the compression
def dense_bottleneck(in_channels: int, growth: int) -> nn.Sequential:
    """A 1×1 convolution to four times the growth rate, then the 3×3: DenseNet-B."""
    width = 4 * growth
    return nn.Sequential(*bn_relu_conv(in_channels, width, 1), *bn_relu_conv(width, growth, 3))


def transition(in_channels: int, out_channels: int) -> nn.Sequential:
    """Between two blocks: BN, ReLU, a 1×1 convolution, and averages of 2×2 pixels."""
    return nn.Sequential(*bn_relu_conv(in_channels, out_channels, 1), nn.AvgPool2d(2))


# -- Build it: The network
class DenseKind(NamedTuple):
    """What the letters B and C stand for."""

    layer: Callable  # from channels and growth rate
    compression: float  # channels that leave a transition, for one that enters


PLAIN = DenseKind(dense_layer, 1.0)
BC = DenseKind(dense_bottleneck, 0.5)


def with_dropout(layers: nn.Sequential, rate: float) -> nn.Sequential:
    """Put dropout behind each convolution; with a rate of 0, give the layers as they are."""
    if rate == 0:
        return layers
    pairs = ((m, nn.Dropout(rate)) if isinstance(m, nn.Conv2d) else (m,) for m in layers)
    return nn.Sequential(*(module for pair in pairs for module in pair))


def dense_network(
    stem: nn.Module,
    channels: int,
    depths: Sequence[int],
    growth: int,
    kind: DenseKind,
    num_classes: int,
    *,
    block: type[nn.Sequential] = DenseBlock,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Chain a stem that gives `channels`, dense blocks with transitions between, and a head."""
    children = OrderedDict(stem=stem)
    for place, depth in enumerate(depths, 1):
        if place > 1:
            fewer = int(kind.compression * channels)
            children[f"transition{place - 1}"] = with_dropout(transition(channels, fewer), dropout)
            channels = fewer
        layers = [kind.layer(channels + i * growth, growth) for i in range(depth)]
        children[f"block{place}"] = block(*(with_dropout(layer, dropout) for layer in layers))
        channels += depth * growth
    children["activation"] = bn_relu(channels)
    linear = nn.Linear(channels, num_classes)
    children["head"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    return initialise(nn.Sequential(children), _DRAW, kinds=nn.Conv2d)


def _equal_depths(depth: int, layers: int) -> list[int]:
    """Share a depth among three blocks whose layers have so many convolutions each."""
    n, rest = divmod(depth - 4, 3 * layers)
    if n < 1 or rest:
        raise ValueError(
            f"depth is {depth}; it must be {3 * layers}n + 4: three equal blocks, and four layers "
            "around them."
        )
    return [n] * 3


def cifar_densenet(depth: int, growth: int, num_classes: int = 10, **options: Any) -> nn.Sequential:
    """The plain DenseNet of Huang et al. (2016) for CIFAR: images `(N, 3, 32, 32)` to logits.

    Args:
        depth: 3n + 4 layers, such as 40 or 100.
        growth: channels that a layer adds, such as 12.
        num_classes: number of logits.
        options: of `dense_network`: `block` and `dropout`.

    Raises:
        ValueError: `depth` is none of these.
    """
    stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)
    return dense_network(stem, 16, _equal_depths(depth, 1), growth, PLAIN, num_classes, **options)


def cifar_densenet_bc(
    depth: int, growth: int, num_classes: int = 10, **options: Any
) -> nn.Sequential:
    """DenseNet-BC for CIFAR, with bottlenecks and compression; as `cifar_densenet`.

    Its depths are 6n + 4 layers, such as 100, 190 or 250.
    """
    stem = nn.Conv2d(3, 2 * growth, 3, padding=1, bias=False)
    depths = _equal_depths(depth, 2)
    return dense_network(stem, 2 * growth, depths, growth, BC, num_classes, **options)


class Variant(NamedTuple):
    """A column of Table 1."""

    growth: int  # channels that a layer adds
    depths: list[int]  # layers of each block


DENSENET121 = Variant(32, [6, 12, 24, 16])
DENSENET169 = Variant(32, [6, 12, 32, 32])
DENSENET201 = Variant(32, [6, 12, 48, 32])
DENSENET264 = Variant(32, [6, 12, 64, 48])
DENSENET161 = Variant(48, [6, 12, 36, 24])


def imagenet_densenet(variant: Variant, num_classes: int = 1000, **options: Any) -> nn.Sequential:
    """A DenseNet-BC for images `(N, 3, 224, 224)`; the options are those of `dense_network`."""
    channels = 2 * variant.growth
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    stem = nn.Sequential(*conv_bn_relu(3, channels, 7, stride=2), pool)
    return dense_network(stem, channels, variant.depths, variant.growth, BC, num_classes, **options)


def densenet121(num_classes: int = 1000, **options: Any) -> nn.Sequential:
    """DenseNet-121 of Huang et al. (2016): images `(N, 3, 224, 224)` to logits."""
    return imagenet_densenet(DENSENET121, num_classes, **options)


def densenet169(num_classes: int = 1000, **options: Any) -> nn.Sequential:
    """DenseNet-169: 82 dense layers."""
    return imagenet_densenet(DENSENET169, num_classes, **options)


def densenet201(num_classes: int = 1000, **options: Any) -> nn.Sequential:
    """DenseNet-201: 98 dense layers."""
    return imagenet_densenet(DENSENET201, num_classes, **options)


def densenet264(num_classes: int = 1000, **options: Any) -> nn.Sequential:
    """DenseNet-264: 130 dense layers."""
    return imagenet_densenet(DENSENET264, num_classes, **options)


def densenet161(num_classes: int = 1000, **options: Any) -> nn.Sequential:
    """DenseNet-161, the wider one: a growth rate of 48."""
    return imagenet_densenet(DENSENET161, num_classes, **options)


# -- The price: what backward needs
class CheckpointedBlock(DenseBlock):
    """The same function with less memory: what a layer concatenates is made anew for backward."""

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        pieces = [x]
        for layer in self:
            read = partial(self._read, layer[:3])  # BN, ReLU and the first convolution
            y = checkpoint(read, *pieces, use_reentrant=False)
            pieces.append(layer[3:](y))  # (N, k, H, W)
        return torch.cat(pieces, dim=1)

    @staticmethod
    def _read(opening: nn.Sequential, *pieces: Tensor) -> Tensor:
        return opening(torch.cat(pieces, dim=1))
