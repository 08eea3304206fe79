"""Residual networks.

Collected from notebooks/classics/resnet.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from cnnbook.layers import conv_bn, conv_bn_relu, initialise

__all__ = [
    "ResidualBlock",
    "SubsampleAndPad",
    "basic",
    "bottleneck",
    "bottleneck_v15",
    "cifar_resnet",
    "imagenet_resnet",
    "option_a",
    "option_b",
    "option_c",
    "residual_network",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
]


# -- The problem: deeper is worse
def _draw(weight: Tensor) -> Tensor:
    """Draw first weights after He et al. (2015b), for layers before a ReLU."""
    return nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")


# -- Build it: The branch and the shortcut, apart
class ResidualBlock(nn.Module):
    """ReLU of the sum of a branch and a shortcut, which must give the same shape."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:  # (N, C_in, H, W)
        y = self.branch(x) + self.shortcut(x)  # (N, C_out, H / stride, W / stride)
        return F.relu(y, inplace=True)  # the sum is ours alone: no copy of it is needed


def basic(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """The branch of ResNet-18 and -34: two 3×3 convolutions (Figure 5, left)."""
    return nn.Sequential(
        *conv_bn_relu(in_channels, out_channels, 3, stride=stride),
        *conv_bn(out_channels, out_channels, 3),
    )


# -- Build it: When the shapes differ
class SubsampleAndPad(nn.Module):
    """Every `stride`-th pixel, with channels of zeros added at the end (option A)."""

    def __init__(self, stride: int, extra_channels: int) -> None:
        super().__init__()
        self.stride, self.extra_channels = stride, extra_channels

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        x = x[:, :, :: self.stride, :: self.stride]  # (N, C, H / stride, W / stride)
        return F.pad(x, (0, 0, 0, 0, 0, self.extra_channels))  # (N, C + extra, …)


def option_a(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """A shortcut without parameters: zeros for the channels that are missing."""
    same = stride == 1 and in_channels == out_channels
    return nn.Identity() if same else SubsampleAndPad(stride, out_channels - in_channels)


def option_b(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """A projection where the shape changes, and the identity elsewhere."""
    same = stride == 1 and in_channels == out_channels
    return nn.Identity() if same else conv_bn(in_channels, out_channels, 1, stride=stride)


def option_c(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """A projection everywhere."""
    return conv_bn(in_channels, out_channels, 1, stride=stride)


# -- Build it: The bottleneck
def bottleneck(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """The branch of ResNet-50, -101 and -152 (Figure 5, right), as the paper has it."""
    width = out_channels // 4
    return nn.Sequential(
        *conv_bn_relu(in_channels, width, 1, stride=stride),
        *conv_bn_relu(width, width, 3),
        *conv_bn(width, out_channels, 1),
    )


# -- Build it: The table
class Stage(NamedTuple):
    """A row of Table 1 of He et al. (2015)."""

    depth: int  # residual blocks
    out_channels: int
    stride: int  # of the first block; the others keep height and width


RESNET18 = [Stage(2, 64, 1), Stage(2, 128, 2), Stage(2, 256, 2), Stage(2, 512, 2)]
RESNET34 = [Stage(3, 64, 1), Stage(4, 128, 2), Stage(6, 256, 2), Stage(3, 512, 2)]
RESNET50 = [Stage(3, 256, 1), Stage(4, 512, 2), Stage(6, 1024, 2), Stage(3, 2048, 2)]
RESNET101 = [Stage(3, 256, 1), Stage(4, 512, 2), Stage(23, 1024, 2), Stage(3, 2048, 2)]
RESNET152 = [Stage(3, 256, 1), Stage(8, 512, 2), Stage(36, 1024, 2), Stage(3, 2048, 2)]


def _stage(stage: Stage, in_channels: int, branch: Callable, shortcut: Callable) -> nn.Sequential:
    """Chain the blocks of a row of the table."""
    blocks = []
    for stride in [stage.stride] + [1] * (stage.depth - 1):
        shape = in_channels, stage.out_channels, stride
        blocks.append(ResidualBlock(branch(*shape), shortcut(*shape)))
        in_channels = stage.out_channels
    return nn.Sequential(*blocks)


def residual_network(
    stem: nn.Module,
    in_channels: int,
    stages: list[Stage],
    branch: Callable,
    shortcut: Callable,
    num_classes: int,
) -> nn.Sequential:
    """Chain a stem that gives `in_channels`, the stages, and a linear head."""
    children = OrderedDict(stem=stem)
    for place, stage in enumerate(stages, 2):
        children[f"conv{place}_x"] = _stage(stage, in_channels, branch, shortcut)
        in_channels = stage.out_channels
    linear = nn.Linear(in_channels, num_classes)
    children["head"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    return initialise(nn.Sequential(children), _draw, kinds=nn.Conv2d)


def imagenet_resnet(stages: list[Stage], branch: Callable, num_classes: int) -> nn.Sequential:
    """A network of Table 1 for images `(N, 3, 224, 224)`, with shortcuts of option B."""
    stem = nn.Sequential(conv_bn_relu(3, 64, 7, stride=2), nn.MaxPool2d(3, stride=2, padding=1))
    return residual_network(stem, 64, stages, branch, option_b, num_classes)


def resnet18(num_classes: int = 1000) -> nn.Sequential:
    """ResNet-18 of He et al. (2015): images `(N, 3, 224, 224)` to logits."""
    return imagenet_resnet(RESNET18, basic, num_classes)


def resnet50(num_classes: int = 1000, branch: Callable = bottleneck) -> nn.Sequential:
    """ResNet-50 of He et al. (2015): images `(N, 3, 224, 224)` to logits."""
    return imagenet_resnet(RESNET50, branch, num_classes)


def resnet34(num_classes: int = 1000) -> nn.Sequential:
    """ResNet-34 of He et al. (2015): images `(N, 3, 224, 224)` to logits."""
    return imagenet_resnet(RESNET34, basic, num_classes)


def resnet101(num_classes: int = 1000, branch: Callable = bottleneck) -> nn.Sequential:
    """ResNet-101 of He et al. (2015): images `(N, 3, 224, 224)` to logits."""
    return imagenet_resnet(RESNET101, branch, num_classes)


def resnet152(num_classes: int = 1000, branch: Callable = bottleneck) -> nn.Sequential:
    """ResNet-152 of He et al. (2015): images `(N, 3, 224, 224)` to logits."""
    return imagenet_resnet(RESNET152, branch, num_classes)


# -- Build it: The CIFAR family
def cifar_resnet(depth: int, num_classes: int = 10, shortcut: Callable = option_a) -> nn.Sequential:
    """A network of Section 4.2 of He et al. (2015): images `(N, 3, 32, 32)` to logits.

    Raises:
        ValueError: `depth` is not 6n + 2.
    """
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"depth is {depth}; it must be 6n + 2, such as 20, 32, 44, 56 or 110.")
    n = (depth - 2) // 6
    stages = [Stage(n, 16, 1), Stage(n, 32, 2), Stage(n, 64, 2)]
    return residual_network(conv_bn_relu(3, 16, 3), 16, stages, basic, shortcut, num_classes)


# -- Check it: The form that everybody downloads
def bottleneck_v15(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """The bottleneck that torchvision ships, with the stride in the 3×3 convolution."""
    width = out_channels // 4
    return nn.Sequential(
        *conv_bn_relu(in_channels, width, 1),
        *conv_bn_relu(width, width, 3, stride=stride),
        *conv_bn(width, out_channels, 1),
    )
