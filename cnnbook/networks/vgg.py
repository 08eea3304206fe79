"""VGG.

Collected from notebooks/classics/vgg.ipynb
by `make export`: edit the chapter, not this file.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from cnnbook.layers import conv_bn_relu, conv_relu, initialise
from cnnbook.networks.alexnet_overfeat import as_convolution, response_norm

__all__ = [
    "dense",
    "vgg11",
    "vgg11_lrn",
    "vgg13",
    "vgg16",
    "vgg16_c",
    "vgg19",
    "vgg_network",
    "vgg_small",
]


# -- Build it: The table
class VGGStage(NamedTuple):
    """The rows of Table 1 of Simonyan and Zisserman (2014) up to a max pooling."""

    out_channels: int
    kernel_sizes: tuple[int, ...]  # one for each convolution
    lrn: bool = False  # local response normalisation before the pooling


def _column(*kernel_sizes: tuple[int, ...], lrn: bool = False) -> list[VGGStage]:
    """A column of Table 1: five stages, from 64 to 512 channels."""
    first, *others = zip((64, 128, 256, 512, 512), kernel_sizes, strict=True)
    return [VGGStage(*first, lrn), *(VGGStage(*other) for other in others)]


TABLE_1 = {
    "A": _column((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "A-LRN": _column((3,), (3,), (3, 3), (3, 3), (3, 3), lrn=True),
    "B": _column((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "C": _column((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "D": _column((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "E": _column((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}


# -- Build it: From table to network
def _stage(stage: VGGStage, in_channels: int, convolution: Callable) -> nn.Sequential:
    """Chain a stage's convolutions, and halve."""
    layers = []
    for kernel_size in stage.kernel_sizes:
        layers += convolution(in_channels, stage.out_channels, kernel_size)
        in_channels = stage.out_channels
    layers += [response_norm()] * stage.lrn
    return nn.Sequential(*layers, nn.MaxPool2d(2))


def vgg_network(
    stages: list[VGGStage],
    num_classes: int,
    *,
    image_size: int = 224,
    in_channels: int = 3,
    hidden: tuple[int, ...] = (4096, 4096),
    convolution: Callable = conv_relu,
) -> nn.Sequential:
    """Chain stages and a linear head: images `(N, C, size, size)` to logits."""
    children = OrderedDict()
    for place, stage in enumerate(stages, 1):
        children[f"stage{place}"] = _stage(stage, in_channels, convolution)
        in_channels = stage.out_channels
    features = in_channels * (image_size // 2 ** len(stages)) ** 2
    head = [nn.Flatten()]
    for width in hidden:
        head += [nn.Linear(features, width), nn.ReLU(inplace=True), nn.Dropout(0.5)]
        features = width
    children["head"] = nn.Sequential(*head, nn.Linear(features, num_classes))
    return initialise(nn.Sequential(children), nn.init.xavier_uniform_)


def vgg11(num_classes: int = 1000) -> nn.Sequential:
    """Net A of Simonyan and Zisserman (2014): images `(N, 3, 224, 224)` to logits."""
    return vgg_network(TABLE_1["A"], num_classes)


def vgg11_lrn(num_classes: int = 1000) -> nn.Sequential:
    """Net A-LRN, Simonyan and Zisserman (2014): images `(N, 3, 224, 224)` to logits."""
    return vgg_network(TABLE_1["A-LRN"], num_classes)


def vgg13(num_classes: int = 1000) -> nn.Sequential:
    """Net B of Simonyan and Zisserman (2014): images `(N, 3, 224, 224)` to logits."""
    return vgg_network(TABLE_1["B"], num_classes)


def vgg16_c(num_classes: int = 1000) -> nn.Sequential:
    """Net C of Simonyan and Zisserman (2014): images `(N, 3, 224, 224)` to logits."""
    return vgg_network(TABLE_1["C"], num_classes)


def vgg16(num_classes: int = 1000) -> nn.Sequential:
    """Net D of Simonyan and Zisserman (2014): images `(N, 3, 224, 224)` to logits."""
    return vgg_network(TABLE_1["D"], num_classes)


def vgg19(num_classes: int = 1000) -> nn.Sequential:
    """Net E of Simonyan and Zisserman (2014): images `(N, 3, 224, 224)` to logits."""
    return vgg_network(TABLE_1["E"], num_classes)


# -- Train it as the paper did: What is "the first four"?
def start_from(network: nn.Sequential, trained: nn.Sequential) -> None:
    """Copy what net A has of the first three stages and the head into a deeper net."""
    for name in ("stage1", "stage2", "stage3", "head"):
        ours, theirs = (
            [layer for layer in net.get_submodule(name) if hasattr(layer, "weight")]
            for net in (network, trained)
        )
        for target, source in zip(ours, theirs):
            target.load_state_dict(source.state_dict())


# -- Read an image of any size
def dense(network: nn.Sequential) -> nn.Sequential:
    """The form of a VGG that takes larger images, too, and averages its score map."""
    children = OrderedDict(network.named_children())
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    channels = convolutions[-1].out_channels
    layers = []
    for layer in list(children["head"])[1:]:  # without nn.Flatten
        if isinstance(layer, nn.Linear):
            layer = as_convolution(layer, channels)
            channels = layer.out_channels
        layers.append(layer)
    children["head"] = nn.Sequential(*layers)
    children["average"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(children)


# -- Read an image of any size: A small VGG
def vgg_small(num_classes: int = 10, image_size: int = 32, width: int = 64) -> nn.Sequential:
    """VGG for small images, the book's own: images `(N, 3, H, W)` to logits.

    Raises:
        ValueError: `image_size` is below 4.
    """
    if image_size < 4:
        raise ValueError(f"image_size is {image_size}; it must be at least 4 pixels.")
    halvings = min(int(math.log2(image_size)) - 1, 5)  # to 2×2; five stages at most
    column = [VGGStage(width * min(2**k, 8), (3, 3)) for k in range(halvings)]
    form = {"image_size": 2**halvings, "hidden": (), "convolution": conv_bn_relu}
    return dense(vgg_network(column, num_classes, **form))
