"""GoogLeNet.

Collected from notebooks/classics/inception.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnbook.layers import conv_relu, initialise

__all__ = [
    "Branches",
    "WithHeads",
    "auxiliary_head",
    "average_head",
    "caffe_norm",
    "conv_norm",
    "googlenet",
    "googlenet_bn",
    "inception",
    "inception_network",
]


# -- Build it: Any module
class Branches(nn.ModuleList):
    """Several ways from the same input, stacked along the channels."""

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return torch.cat([branch(x) for branch in self], dim=1)  # (N, ΣC, H′, W′)


class InceptionRow(NamedTuple):
    """A module in Table 1 of Szegedy et al. (2014): the channels of its convolutions."""

    conv1x1: int
    reduce3x3: int
    conv3x3: int
    reduce5x5: int
    conv5x5: int
    pool_proj: int
    large: int = 5  # the kernel of conv5x5
    pool: int = 0  # the window of the max pooling behind the module, if there is one


def inception(in_channels: int, row: InceptionRow, conv: Callable = conv_relu) -> Branches:
    """The module of a row (Figure 2b)."""
    one = conv(in_channels, row.conv1x1, 1)
    three = nn.Sequential(
        conv(in_channels, row.reduce3x3, 1),
        conv(row.reduce3x3, row.conv3x3, 3),
    )
    five = nn.Sequential(
        conv(in_channels, row.reduce5x5, 1),
        conv(row.reduce5x5, row.conv5x5, row.large),
    )
    pool = nn.MaxPool2d(3, stride=1, padding=1)
    pooled = nn.Sequential(pool, conv(in_channels, row.pool_proj, 1))
    return Branches([one, three, five, pooled])


# -- Build it: Table 1
GOOGLENET = {  # Szegedy et al. (2014), Table 1
    "3a": InceptionRow(64, 96, 128, 16, 32, 32),
    "3b": InceptionRow(128, 128, 192, 32, 96, 64, pool=3),
    "4a": InceptionRow(192, 96, 208, 16, 48, 64),
    "4b": InceptionRow(160, 112, 224, 24, 64, 64),
    "4c": InceptionRow(128, 128, 256, 24, 64, 64),
    "4d": InceptionRow(112, 144, 288, 32, 64, 64),
    "4e": InceptionRow(256, 160, 320, 32, 128, 128, pool=3),
    "5a": InceptionRow(256, 160, 320, 32, 128, 128),
    "5b": InceptionRow(384, 192, 384, 48, 128, 128),
}


def _max_pool(kernel_size: int) -> nn.MaxPool2d:
    """Max pooling that halves, and rounds up."""
    return nn.MaxPool2d(kernel_size, stride=2, ceil_mode=True)


def caffe_norm() -> nn.LocalResponseNorm:
    """Local response normalisation with the constants of the Caffe definition."""
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)


# -- Build it: The network
def average_head(in_channels: int, scores: int, dropout: float) -> nn.Sequential:
    """Average over the image, and score the classes."""
    average = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout)
    return nn.Sequential(*average, nn.Linear(in_channels, scores))


def inception_network(
    table: dict[str, InceptionRow],
    conv: Callable,
    norm: Callable,
    dropout: float,
    num_classes: int = 1000,
) -> nn.Sequential:
    """Build Table 1 of Szegedy et al. (2014) with these rows: images to logits."""
    children = OrderedDict(
        conv1=conv(3, 64, 7, stride=2),
        pool1=nn.Sequential(_max_pool(3), norm()),
        conv2=nn.Sequential(conv(64, 64, 1), conv(64, 192, 3), norm()),
        pool2=_max_pool(3),
    )
    in_channels = 192
    for name, row in table.items():
        children[f"inception{name}"] = inception(in_channels, row, conv)
        in_channels = row.conv1x1 + row.conv3x3 + row.conv5x5 + row.pool_proj
        if row.pool:
            children[f"pool{name[0]}"] = _max_pool(row.pool)
    children["head"] = average_head(in_channels, num_classes, dropout)
    return nn.Sequential(children)


# -- Build it: The auxiliary heads
def auxiliary_head(in_channels: int, scores: int) -> nn.Sequential:
    """A classifier on maps `(N, C, 14, 14)` (Section 5 of Szegedy et al., 2014)."""
    return nn.Sequential(
        nn.AvgPool2d(5, stride=3),  # (N, C, 4, 4)
        conv_relu(in_channels, 128, 1),  # (N, 128, 4, 4)
        nn.Flatten(),  # (N, 2048)
        *(nn.Linear(128 * 4 * 4, 1024), nn.ReLU(inplace=True), nn.Dropout(0.7)),
        nn.Linear(1024, scores),
    )


class WithHeads(nn.Module):
    """A network with more heads behind some of its children, used in training only."""

    def __init__(self, network: nn.Sequential, heads: dict[str, nn.Module]) -> None:
        super().__init__()
        self.network = network
        self.heads = nn.ModuleDict(heads)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:  # (N, 3, 224, 224)
        early = []
        for name, child in self.network.named_children():
            x = child(x)
            if self.training and name in self.heads:
                early.append(self.heads[name](x))
        return (x, *early) if self.training else x


_draw = partial(nn.init.kaiming_uniform_, nonlinearity="linear")  # variance 1 / fan-in


def googlenet(num_classes: int = 1000, *, heads: bool = False) -> nn.Module:
    """GoogLeNet of Szegedy et al. (2014): images `(N, 3, 224, 224)` to logits.

    Args:
        num_classes: number of classes.
        heads: add the auxiliary heads; then the module gives a tuple in training: the
            logits, and those of the heads behind 4a and 4d.
    """
    network = inception_network(GOOGLENET, conv_relu, caffe_norm, 0.4, num_classes)
    early = {}
    if heads:
        early["inception4a"] = auxiliary_head(512, num_classes)
        early["inception4d"] = auxiliary_head(528, num_classes)
    whole = WithHeads(network, early) if heads else network
    initialise(whole, _draw, bias=0.2)
    for head in (network.head, *early.values()):
        nn.init.zeros_(head[-1].bias)  # of the scores
    return whole


# -- Check it: The form that everybody downloads
def conv_norm(
    in_channels: int,
    out_channels: int,
    kernel_size: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: int | None = None,
) -> nn.Sequential:
    """Convolution without bias, batch normalisation with ε = 0.001, ReLU."""
    if padding is None:
        sides = kernel_size if isinstance(kernel_size, tuple) else (kernel_size,) * 2
        padding = tuple(side // 2 for side in sides)
    shape = in_channels, out_channels, kernel_size, stride, padding
    norm = nn.BatchNorm2d(out_channels, eps=0.001)
    return nn.Sequential(nn.Conv2d(*shape, bias=False), norm, nn.ReLU(inplace=True))


def googlenet_bn(num_classes: int = 1000) -> nn.Sequential:
    """GoogLeNet as torchvision has it: images `(N, 3, 224, 224)` to logits.

    3×3 kernels in place of 5×5, batch normalisation in place of local response
    normalisation and biases, a smaller fourth pooling, dropout of 0.2. No paper has it.
    """
    table = {name: row._replace(large=3) for name, row in GOOGLENET.items()}
    table["4e"] = table["4e"]._replace(pool=2)
    return initialise(inception_network(table, conv_norm, nn.Identity, 0.2, num_classes), _draw)
