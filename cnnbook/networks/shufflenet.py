"""ShuffleNet.

Collected from notebooks/efficient/shufflenet.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from cnnbook.layers import conv_bn, conv_bn_relu, initialise
from cnnbook.networks.inception import Branches
from cnnbook.networks.resnet import ResidualBlock

__all__ = [
    "ChannelShuffle",
    "SplitConcat",
    "shuffle_unit",
    "shufflenet_v1",
    "shufflenet_v2",
    "split_unit",
]


# -- The idea: deal the channels out anew: A shuffle is a permutation
class ChannelShuffle(nn.Module):
    """Deal out the channels of `groups` groups anew: one of each group in turn."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:  # (N, g · n, H, W)
        x = x.unflatten(1, (self.groups, -1))  # (N, g, n, H, W)
        return x.transpose(1, 2).flatten(1, 2)  # (N, n · g, H, W)


# -- Build it: With stride 2
def shuffle_unit(
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    groups: int,
    first_groups: int | None = None,
    shuffle: Callable[[int], nn.Module] = ChannelShuffle,
) -> nn.Sequential | ResidualBlock:
    """The unit of Zhang et al. (2017), Figure 2b; with stride 2, Figure 2c.

    Raises:
        ValueError: the channels cannot be cut into `groups` equal groups.
    """
    width = out_channels // 4
    grown = out_channels - (in_channels if stride == 2 else 0)  # the shortcut brings the others
    if grown < 1 or out_channels % 4 or width % groups or grown % groups:
        raise ValueError(
            f"{groups} groups do not fit a unit from {in_channels} to {out_channels} channels: "
            f"its branch has {out_channels / 4:g} inside and gives {grown}."
        )
    branch = nn.Sequential(
        *conv_bn_relu(in_channels, width, 1, groups=first_groups or groups),
        shuffle(groups),
        *conv_bn(width, width, 3, stride=stride, groups=width),
        *conv_bn(width, grown, 1, groups=groups),
    )
    if stride == 1:
        return ResidualBlock(branch, nn.Identity())
    joined = Branches([branch, nn.AvgPool2d(3, stride=stride, padding=1)])
    return nn.Sequential(joined, nn.ReLU(inplace=True))


# -- Build it: Table 1 as a table
DEPTHS = (4, 8, 4)  # units of stages 2, 3 and 4, in both versions

SHUFFLENET_V1 = {  # channels of stages 2, 3 and 4, by the number of groups
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}


def _stages(channels: int, widths: Sequence[int], unit: Callable) -> OrderedDict:
    """Stages 2 to 4: a unit with stride 2, then units that keep the shape."""
    stages = OrderedDict()
    for number, (depth, width) in enumerate(zip(DEPTHS, widths), 2):
        units = [unit(channels, width, 2), *(unit(width, width, 1) for _ in range(depth - 1))]
        stages[f"stage{number}"] = nn.Sequential(*units)
        channels = width
    return stages


def _network(stem: int, stages: OrderedDict, last: int, num_classes: int) -> nn.Sequential:
    """A stem of two halvings, the stages, the average and a linear layer."""
    children = OrderedDict(stem=conv_bn_relu(3, stem, 3, stride=2))
    children["pool"] = nn.MaxPool2d(3, stride=2, padding=1)
    children |= stages
    average = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    children["head"] = nn.Sequential(*average, nn.Linear(last, num_classes))
    return initialise(nn.Sequential(children), nn.init.kaiming_normal_, kinds=nn.Conv2d)


def shufflenet_v1(
    groups: int = 3,
    width: float = 1.0,
    num_classes: int = 1000,
    *,
    stem: int | None = None,
    shuffle: Callable[[int], nn.Module] = ChannelShuffle,
) -> nn.Sequential:
    """ShuffleNet of Zhang et al. (2017): images `(N, 3, 224, 224)` to logits.

    Raises:
        ValueError: Table 1 has no such number of groups, or it does not divide the channels.
    """
    if groups not in SHUFFLENET_V1:
        raise ValueError(f"groups is {groups}; Table 1 has {list(SHUFFLENET_V1)}.")
    stem = int(24 * width) if stem is None else stem
    widths = [int(width * channels) for channels in SHUFFLENET_V1[groups]]

    def unit(in_channels: int, out_channels: int, stride: int) -> nn.Module:
        first = 1 if in_channels == stem else groups  # stage 2 begins with few channels
        return shuffle_unit(
            in_channels, out_channels, stride, groups=groups, first_groups=first, shuffle=shuffle
        )

    return _network(stem, _stages(stem, widths, unit), widths[-1], num_classes)


# -- Version 2: split, do not group
class SplitConcat(nn.Module):
    """The first half of the channels as it is, and behind it a branch of the second half."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        stays, goes = x.chunk(2, dim=1)  # (N, C / 2, H, W) each
        return torch.cat([stays, self.branch(goes)], dim=1)  # (N, C, H, W)


def split_unit(
    in_channels: int, out_channels: int, stride: int, *, halves: bool = False
) -> nn.Sequential:
    """The unit of Ma et al. (2018), Figure 3c; with stride 2, which splits nothing, Figure 3d.

    With stride 2 the shortcut keeps its channels and the branch gives the others, or each a half.
    """
    half = out_channels // 2
    kept = half if halves or stride == 1 else in_channels
    branch = nn.Sequential(
        *conv_bn_relu(in_channels if stride == 2 else half, half, 1),
        *conv_bn(half, half, 3, stride=stride, groups=half),
        *conv_bn_relu(half, out_channels - kept, 1),
    )
    if stride == 1:
        return nn.Sequential(SplitConcat(branch), ChannelShuffle(2))
    shortcut = nn.Sequential(
        *conv_bn(in_channels, in_channels, 3, stride=stride, groups=in_channels),
        *conv_bn_relu(in_channels, kept, 1),
    )
    return nn.Sequential(Branches([shortcut, branch]), ChannelShuffle(2))


SHUFFLENET_V2 = {  # channels of stages 2, 3 and 4 and of the last 1×1 convolution, by width
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}


def shufflenet_v2(
    width: float = 1.0, num_classes: int = 1000, *, halves: bool = False
) -> nn.Sequential:
    """ShuffleNet V2 of Ma et al. (2018): images `(N, 3, 224, 224)` to logits.

    Where the image is halved, as the authors' code has it; with `halves`, as torchvision has it.

    Raises:
        ValueError: Table 5 has no such width.
    """
    if width not in SHUFFLENET_V2:
        raise ValueError(f"width is {width}; Table 5 has {list(SHUFFLENET_V2)}.")
    *widths, last = SHUFFLENET_V2[width]
    stages = _stages(24, widths, partial(split_unit, halves=halves))
    stages["conv5"] = conv_bn_relu(widths[-1], last, 1)
    return _network(24, stages, last, num_classes)
