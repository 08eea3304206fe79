"""Pre-activation residual networks.

Collected from notebooks/deeper/pre-activation.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from cnnbook.layers import bn_relu_conv, conv_bn_relu, initialise
from cnnbook.networks.resnet import Stage, option_a

__all__ = [
    "ResidualSum",
    "bn_relu",
    "preact_basic",
    "preact_bottleneck",
    "preact_bottleneck_v15",
    "preact_network",
    "preact_projection",
    "preact_resnet",
    "preact_resnet200",
    "preact_unit",
]


# -- The idea: nothing behind the sum: Why the shortcut must be bare: a product of scales
_DRAW = partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")  # before a ReLU


# -- Build it: The unit, written out
class ResidualSum(nn.Module):
    """The sum of a branch and a shortcut, and nothing behind it."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:  # (N, C_in, H, W)
        return self.branch(x) + self.shortcut(x)  # (N, C_out, H / stride, W / stride)


def preact_basic(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Two 3×3 convolutions; the activation before the first is the unit's."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
        *bn_relu_conv(out_channels, out_channels, 3),
    )


def preact_bottleneck(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """1×1, 3×3 and 1×1, with the stride in the first, as the authors' code has it."""
    width = out_channels // 4
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 1, stride=stride, bias=False),
        *bn_relu_conv(width, width, 3),
        *bn_relu_conv(width, out_channels, 1),
    )


def preact_projection(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """A 1×1 convolution where the shape changes, and the identity elsewhere."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)


def bn_relu(channels: int) -> nn.Sequential:
    """The activation that goes before a convolution: batch normalisation, then ReLU."""
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())


def preact_unit(branch: nn.Sequential, shortcut: nn.Module) -> nn.Sequential | ResidualSum:
    """Put the activation before the split where the shortcut projects, else into the branch."""
    activation = bn_relu(branch[0].in_channels)
    if isinstance(shortcut, nn.Conv2d):
        return nn.Sequential(*activation, ResidualSum(branch, shortcut))
    return ResidualSum(nn.Sequential(*activation, *branch), shortcut)


# -- Build it: The network
def _stages(stages: list[Stage], in_channels: int, branch: Callable, shortcut: Callable) -> dict:
    """The units of each row by the paper's names, all but the very first with an activation."""
    found = OrderedDict()
    for place, stage in enumerate(stages, 2):
        units = []
        for stride in [stage.stride] + [1] * (stage.depth - 1):
            shape = in_channels, stage.out_channels, stride
            unit = preact_unit if found or units else ResidualSum
            units.append(unit(branch(*shape), shortcut(*shape)))
            in_channels = stage.out_channels
        found[f"conv{place}_x"] = nn.Sequential(*units)
    return found


def preact_network(
    stem: nn.Module,
    in_channels: int,
    stages: list[Stage],
    branch: Callable,
    shortcut: Callable,
    num_classes: int,
) -> nn.Sequential:
    """Chain a stem that ends in an activation, the stages, the last activation, and a head."""
    children = OrderedDict(stem=stem, **_stages(stages, in_channels, branch, shortcut))
    channels = stages[-1].out_channels
    children["activation"] = bn_relu(channels)
    linear = nn.Linear(channels, num_classes)
    children["head"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    return initialise(nn.Sequential(children), _DRAW, kinds=nn.Conv2d)


class Kind(NamedTuple):
    """How the units of a network are made."""

    layers: int  # with weights, in a branch
    expansion: int  # channels that leave a unit, for one of its 3×3 convolution
    branch: Callable
    shortcut: Callable


BASIC = Kind(2, 1, preact_basic, option_a)
BOTTLENECK = Kind(3, 4, preact_bottleneck, preact_projection)


def preact_resnet(depth: int, num_classes: int = 10, kind: Kind | None = None) -> nn.Sequential:
    """A network of He et al. (2016) for CIFAR: images `(N, 3, 32, 32)` to logits.

    Args:
        depth: 6n + 2 layers, such as 110; from 164 on 9n + 2, such as 164 or 1001.
        num_classes: number of logits.
        kind: of the units; if not given, basic below 164 layers, and bottlenecks from there on.

    Raises:
        ValueError: `depth` is none of these.
    """
    kind = kind or (BOTTLENECK if depth >= 164 else BASIC)
    n, rest = divmod(depth - 2, 3 * kind.layers)
    if n < 1 or rest:
        raise ValueError(
            f"depth is {depth}; it must be {3 * kind.layers}n + 2 for units of {kind.layers} "
            f"layers, such as 20, 56 or 110 (6n + 2), or 164 or 1001 (9n + 2)."
        )
    channels = [16 * kind.expansion, 32 * kind.expansion, 64 * kind.expansion]
    stages = [Stage(n, out_channels, stride) for out_channels, stride in zip(channels, (1, 2, 2))]
    stem = conv_bn_relu(3, 16, 3)
    return preact_network(stem, 16, stages, kind.branch, kind.shortcut, num_classes)


RESNET200 = [Stage(3, 256, 1), Stage(24, 512, 2), Stage(36, 1024, 2), Stage(3, 2048, 2)]


def preact_resnet200(num_classes: int = 1000, kind: Kind = BOTTLENECK) -> nn.Sequential:
    """ResNet-200 of He et al. (2016): images `(N, 3, 224, 224)` to logits."""
    stem = nn.Sequential(conv_bn_relu(3, 64, 7, stride=2), nn.MaxPool2d(3, stride=2, padding=1))
    return preact_network(stem, 64, RESNET200, kind.branch, kind.shortcut, num_classes)


# -- Check it: The forms that people download
def preact_bottleneck_v15(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """The bottleneck with the stride in the 3×3 convolution."""
    width = out_channels // 4
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 1, bias=False),
        *bn_relu_conv(width, width, 3, stride=stride),
        *bn_relu_conv(width, out_channels, 1),
    )


BASIC_PROJECTING = BASIC._replace(shortcut=preact_projection)
BOTTLENECK_V15 = BOTTLENECK._replace(branch=preact_bottleneck_v15)
