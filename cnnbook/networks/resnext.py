"""ResNeXt.

Collected from notebooks/deeper/resnext.ipynb
by `make export`: edit the chapter, not this file.
"""

from functools import partial
from typing import NamedTuple

from torch import nn

from cnnbook.layers import conv_bn, conv_bn_relu
from cnnbook.networks.resnet import (
    RESNET50,
    RESNET101,
    Stage,
    imagenet_resnet,
    option_b,
    residual_network,
)

__all__ = ["aggregated", "cifar_resnext", "resnext50_32x4d", "resnext101_32x4d", "resnext101_64x4d"]


# -- Build it: The branch that the library keeps
class Template(NamedTuple):
    """The block of 256 channels from which two rules give all others: 32×4d is (32, 4)."""

    cardinality: int  # paths
    width: int  # channels of a path, where the block gives 256


def aggregated(
    in_channels: int, out_channels: int, stride: int, template: Template
) -> nn.Sequential:
    """The branch of ResNeXt: all paths at once, in groups (Figure 3c).

    Raises:
        ValueError: there is no path, or a path without a channel.
    """
    width = template.width * out_channels // 256
    if min(template.cardinality, width) < 1:
        raise ValueError(f"{template} gives paths of {width} channels for {out_channels} outputs.")
    channels = template.cardinality * width
    return nn.Sequential(
        *conv_bn_relu(in_channels, channels, 1),
        *conv_bn_relu(channels, channels, 3, stride=stride, groups=template.cardinality),
        *conv_bn(channels, out_channels, 1),
    )


# -- Build it: The networks
def resnext50_32x4d(num_classes: int = 1000) -> nn.Sequential:
    """ResNeXt-50 (32×4d) of Xie et al. (2016): images `(N, 3, 224, 224)` to logits."""
    return imagenet_resnet(RESNET50, partial(aggregated, template=Template(32, 4)), num_classes)


def resnext101_32x4d(num_classes: int = 1000) -> nn.Sequential:
    """ResNeXt-101 (32×4d) of Xie et al. (2016): images `(N, 3, 224, 224)` to logits."""
    return imagenet_resnet(RESNET101, partial(aggregated, template=Template(32, 4)), num_classes)


def resnext101_64x4d(num_classes: int = 1000) -> nn.Sequential:
    """ResNeXt-101 (64×4d) of Xie et al. (2016): images `(N, 3, 224, 224)` to logits."""
    return imagenet_resnet(RESNET101, partial(aggregated, template=Template(64, 4)), num_classes)


# -- Build it: The CIFAR family
def cifar_resnext(depth: int, cardinality: int, width: int, num_classes: int = 10) -> nn.Sequential:
    """A network of Section 5.3 of Xie et al. (2016): images `(N, 3, 32, 32)` to logits.

    Raises:
        ValueError: `depth` is not 9n + 2, or `cardinality` or `width` is below 1.
    """
    if depth < 11 or depth % 9 != 2:
        raise ValueError(f"depth is {depth}; it must be 9n + 2, such as 29, 38, 47, 56 or 101.")
    n = (depth - 2) // 9
    stages = [Stage(n, 256, 1), Stage(n, 512, 2), Stage(n, 1024, 2)]
    branch = partial(aggregated, template=Template(cardinality, width))
    return residual_network(conv_bn_relu(3, 64, 3), 64, stages, branch, option_b, num_classes)
