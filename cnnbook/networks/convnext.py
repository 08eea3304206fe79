"""ConvNeXt.

Collected from notebooks/efficient/convnext.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from functools import partial
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnbook.layers import initialise
from cnnbook.networks.compound_scaling import StochasticDepth
from cnnbook.networks.pre_activation import ResidualSum

__all__ = [
    "ConvNeXtBlock",
    "LayerNorm2d",
    "convnext_base",
    "convnext_large",
    "convnext_network",
    "convnext_small",
    "convnext_tiny",
    "modernised",
]


# -- Build it: Normalise over channels
class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation of each place over its channels, for maps `(N, C, H, W)`."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        x = super().forward(x.permute(0, 2, 3, 1))  # (N, H, W, C): it wants the channels last
        return x.permute(0, 3, 1, 2)  # (N, C, H, W)


# -- Build it: The block
class ConvNeXtBlock(nn.Module):
    """Look at neighbours, normalise, mix channels; a sum with the input (Figure 4, right)."""

    def __init__(self, channels: int, drop: float = 0.0) -> None:
        super().__init__()
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), 1e-6))
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.mix = nn.Sequential(
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
        )
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = self.depthwise(x).permute(0, 2, 3, 1)  # (N, H, W, C)
        y = self.mix(y).permute(0, 3, 1, 2)  # (N, C, H, W)
        return x + self.drop(self.layer_scale * y)


# -- Build it: The network
class Proportions(NamedTuple):
    """A line of the list in Section 3 of Liu et al. (2022)."""

    channels: tuple[int, ...]  # "C", of each stage
    depths: tuple[int, ...]  # "B": blocks of each stage
    drop: float  # stochastic depth of the last block (Table 5)


CONVNEXT = {
    "tiny": Proportions((96, 192, 384, 768), (3, 3, 9, 3), 0.1),
    "small": Proportions((96, 192, 384, 768), (3, 3, 27, 3), 0.4),
    "base": Proportions((128, 256, 512, 1024), (3, 3, 27, 3), 0.5),
    "large": Proportions((192, 384, 768, 1536), (3, 3, 27, 3), 0.5),
}


_DRAW = partial(nn.init.trunc_normal_, std=0.02)


def convnext_network(proportions: Proportions, num_classes: int = 1000) -> nn.Sequential:
    """Chain a stem of patches, the stages, and a head: images `(N, 3, H, W)` to logits.

    Raises:
        ValueError: there is no stage, or there are not as many numbers of channels as of blocks.
    """
    channels, depths = proportions.channels, proportions.depths
    if not channels or len(channels) != len(depths):
        raise ValueError(f"channels {channels} and depths {depths} need a number for each stage.")
    shares = iter(torch.linspace(0, proportions.drop, sum(depths), device="cpu").tolist())
    stem = nn.Conv2d(3, channels[0], 4, stride=4), LayerNorm2d(channels[0])
    children = OrderedDict(stem=nn.Sequential(*stem))
    for place, depth in enumerate(depths):
        layers, width = [], channels[place]
        if place:
            before = channels[place - 1]
            layers += [LayerNorm2d(before), nn.Conv2d(before, width, 2, stride=2)]
        layers += [ConvNeXtBlock(width, next(shares)) for _ in range(depth)]
        children[f"res{place + 2}"] = nn.Sequential(*layers)
    average = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(width, eps=1e-6)
    children["head"] = nn.Sequential(*average, nn.Linear(width, num_classes))
    return initialise(nn.Sequential(children), _DRAW)


def convnext_tiny(num_classes: int = 1000) -> nn.Sequential:
    """ConvNeXt-T of Liu et al. (2022): images `(N, 3, 224, 224)` to logits."""
    return convnext_network(CONVNEXT["tiny"], num_classes)


def convnext_small(num_classes: int = 1000) -> nn.Sequential:
    """ConvNeXt-S of Liu et al. (2022): images `(N, 3, 224, 224)` to logits."""
    return convnext_network(CONVNEXT["small"], num_classes)


def convnext_base(num_classes: int = 1000) -> nn.Sequential:
    """ConvNeXt-B of Liu et al. (2022): images `(N, 3, 224, 224)` to logits."""
    return convnext_network(CONVNEXT["base"], num_classes)


def convnext_large(num_classes: int = 1000) -> nn.Sequential:
    """ConvNeXt-L of Liu et al. (2022): images `(N, 3, 224, 224)` to logits."""
    return convnext_network(CONVNEXT["large"], num_classes)


# -- Build it: The steps
class Step(NamedTuple):
    """A network between ResNet-50 and ConvNeXt; what it is from the start is ResNet-50."""

    depths: tuple[int, ...] = (3, 4, 6, 3)
    patches: bool = False  # the stem is one convolution, 4×4 with stride 4
    depthwise: bool = False  # the K×K convolution of a block
    width: int = 64  # channels of that convolution in the first stage
    inverted: bool = False  # 1×1 convolutions go from few channels to many and back
    depthwise_first: bool = False
    kernel_size: int = 3
    activation: type[nn.Module] = nn.ReLU
    activations: int = 3  # for each block
    norms: int = 3  # for each block
    norm: type[nn.Module] = nn.BatchNorm2d
    separate: bool = False  # downsampling by a layer between the stages


CHANGES = {
    "stage ratio": {"depths": (3, 3, 9, 3)},
    "patchify stem": {"patches": True},
    "depthwise conv": {"depthwise": True},
    "increase width": {"width": 96},
    "inverting dimensions": {"inverted": True},
    "move up depthwise conv": {"depthwise_first": True},
    "kernel size 5": {"kernel_size": 5},
    "kernel size 7": {"kernel_size": 7},
    "ReLU to GELU": {"activation": nn.GELU},
    "fewer activations": {"activations": 1},
    "fewer norms": {"norms": 1},
    "BN to LN": {"norm": LayerNorm2d},
    "separate d.s. conv": {"separate": True},
}
STEPS = dict(
    zip(
        ["ResNet-50", *CHANGES],
        accumulate(CHANGES.values(), lambda step, change: step._replace(**change), initial=Step()),
    )
)


def _conv(
    in_channels: int, out_channels: int, kernel_size: int, step: Step, *,
    stride: int = 1, groups: int = 1, norm: bool = True, activation: bool = True,
) -> list[nn.Module]:  # fmt: skip
    """A convolution, and behind it what is asked for; patches (even kernels) are not padded."""
    padding = kernel_size // 2 if kernel_size % 2 else 0
    bias = not norm or step.norm is LayerNorm2d  # batch normalisation would take it away
    layers = [
        nn.Conv2d(
            in_channels, out_channels, kernel_size,
            stride=stride, padding=padding, groups=groups, bias=bias,
        )
    ]  # fmt: skip
    layers += [step.norm(out_channels)] if norm else []
    return layers + ([step.activation()] if activation else [])


def _branch(in_channels: int, out_channels: int, stride: int, step: Step) -> nn.Sequential:
    """The three convolutions of a block (Figure 3)."""
    width = 4 * out_channels if step.inverted else out_channels // 4
    around = in_channels if step.depthwise_first else width
    every = {"norm": step.norms == 3, "activation": step.activations == 3}
    neighbours = _conv(
        around, around, step.kernel_size, step, stride=stride,
        groups=around if step.depthwise else 1, activation=every["activation"],
    )  # fmt: skip
    first = _conv(in_channels, width, 1, step, norm=every["norm"])
    last = _conv(width, out_channels, 1, step, norm=every["norm"], activation=False)
    order = neighbours + first if step.depthwise_first else first + neighbours
    return nn.Sequential(*order, *last)


def _block(in_channels: int, out_channels: int, stride: int, step: Step) -> nn.Sequential:
    """The sum of branch and shortcut, and an activation if each convolution has one."""
    shortcut = nn.Identity()
    if stride != 1 or in_channels != out_channels:
        project = _conv(in_channels, out_channels, 1, step, stride=stride, activation=False)
        shortcut = nn.Sequential(*project)
    block = ResidualSum(_branch(in_channels, out_channels, stride, step), shortcut)
    return nn.Sequential(block, *[step.activation()] * (step.activations == 3))


def modernised(step: Step, num_classes: int = 1000) -> nn.Sequential:
    """The network of one step of Section 2 of Liu et al. (2022).

    Args:
        step: what it is made of.
        num_classes: the number of logits.

    Raises:
        ValueError: a block has neither one nor three activations, or norms.
    """
    if not {step.activations, step.norms} <= {1, 3}:
        raise ValueError(f"{step.activations} activations, {step.norms} norms: choose 1 or 3.")
    channels, few = step.width, step.activations == 1
    if step.patches:
        stem = _conv(3, channels, 4, step, stride=4, activation=not few)
    else:
        stem = [*_conv(3, channels, 7, step, stride=2), nn.MaxPool2d(3, stride=2, padding=1)]
    children = OrderedDict(stem=nn.Sequential(*stem))
    for place, depth in enumerate(step.depths):
        blocks, out_channels = [], step.width * 2**place * (1 if step.inverted else 4)
        strides = [2 if place else 1] + [1] * (depth - 1)
        if place and step.separate:
            blocks += [step.norm(channels), nn.Conv2d(channels, out_channels, 2, stride=2)]
            channels, strides[0] = out_channels, 1
        for stride in strides:
            blocks.append(_block(channels, out_channels, stride, step))
            channels = out_channels
        children[f"res{place + 2}"] = nn.Sequential(*blocks)
    average = [nn.AdaptiveAvgPool2d(1), *[step.norm(channels)] * step.separate, nn.Flatten()]
    children["head"] = nn.Sequential(*average, nn.Linear(channels, num_classes))
    return initialise(nn.Sequential(children), _DRAW)
