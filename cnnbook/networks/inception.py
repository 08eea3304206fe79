"""GoogLeNet and Inception.

Collected from notebooks/classics/inception.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnbook.layers import conv_relu

__all__ = [
    "FORK",
    "INCEPTION_B",
    "INCEPTION_D",
    "INCEPTION_E",
    "INCEPTION_V3",
    "ROWS",
    "Branches",
    "Chain",
    "Convolution",
    "Row",
    "WithHeads",
    "around",
    "auxiliary_head",
    "average",
    "chain",
    "conv_norm",
    "googlenet",
    "googlenet_bn",
    "halve",
    "halve_inside",
    "inception",
    "inception_a",
    "inception_c",
    "inception_network",
    "inception_v3",
    "initialise",
    "last",
    "lrn",
    "small_pool4",
    "table_1",
]


class Convolution(NamedTuple):
    """A convolution in a table; it is followed by a ReLU."""

    out_channels: int
    kernel_size: int | tuple[int, int]
    stride: int = 1
    padding: int | None = None  # half of the kernel, if not given


Chain = list["Convolution | Callable[[], nn.Module] | list[Chain]"]


class Branches(nn.ModuleList):
    """Several ways from the same input, stacked along the channels."""

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return torch.cat([branch(x) for branch in self], dim=1)  # (N, ΣC, H′, W′)


def chain(
    in_channels: int,
    steps: Chain,
    convolution: Callable,
) -> tuple[nn.Sequential, int]:
    """Build a chain, and count the channels that leave it."""
    layers = []
    for step in steps:
        if isinstance(step, Convolution):
            geometry = {"stride": step.stride, "padding": step.padding}
            channels = in_channels, step.out_channels
            layers += convolution(*channels, step.kernel_size, **geometry)
            in_channels = step.out_channels
        elif isinstance(step, list):
            built = [chain(in_channels, branch, convolution) for branch in step]
            layers.append(Branches(branch for branch, _ in built))
            in_channels = sum(channels for _, channels in built)
        else:
            layers.append(step())
    return nn.Sequential(*layers), in_channels


class Row(NamedTuple):
    """An Inception module in Table 1 of Szegedy et al. (2014): channels."""

    conv1x1: int
    reduce3x3: int
    conv3x3: int
    reduce5x5: int
    conv5x5: int
    pool_proj: int


def around() -> nn.Module:
    """The pooling within a module, which keeps height and width."""
    return nn.MaxPool2d(3, stride=1, padding=1)


def inception(row: Row, large: int = 5) -> list[Chain]:
    """The four branches of a module (Figure 2b), with its largest kernel."""
    return [
        [Convolution(row.conv1x1, 1)],
        [Convolution(row.reduce3x3, 1), Convolution(row.conv3x3, 3)],
        [Convolution(row.reduce5x5, 1), Convolution(row.conv5x5, large)],
        [around, Convolution(row.pool_proj, 1)],
    ]


ROWS = {
    "3a": Row(64, 96, 128, 16, 32, 32),
    "3b": Row(128, 128, 192, 32, 96, 64),
    "4a": Row(192, 96, 208, 16, 48, 64),
    "4b": Row(160, 112, 224, 24, 64, 64),
    "4c": Row(128, 128, 256, 24, 64, 64),
    "4d": Row(112, 144, 288, 32, 64, 64),
    "4e": Row(256, 160, 320, 32, 128, 128),
    "5a": Row(256, 160, 320, 32, 128, 128),
    "5b": Row(384, 192, 384, 48, 128, 128),
}


def halve() -> nn.Module:
    """Max pooling that halves, and rounds up."""
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def lrn() -> nn.Module:
    """Local response normalisation with the constants of the Caffe definition."""
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)


def table_1(
    large: int = 5,
    norm: Callable = lrn,
    pool4: Callable = halve,
) -> dict[str, Chain]:
    """Table 1 of Szegedy et al. (2014) up to its last module, or another form of it."""

    def modules(stage: str) -> dict[str, Chain]:
        names = [name for name in ROWS if name[0] == stage]
        return {f"inception{name}": [inception(ROWS[name], large)] for name in names}

    stem = {"conv1": [Convolution(64, 7, stride=2)], "pool1": [halve, norm]}
    stem["conv2"] = [Convolution(64, 1), Convolution(192, 3), norm]
    stem["pool2"] = [halve]
    third = modules("3") | {"pool3": [halve]}
    fourth = modules("4") | {"pool4": [pool4]}
    return stem | third | fourth | modules("5")


def inception_network(
    table: dict[str, Chain],
    convolution: Callable,
    dropout: float,
    num_classes: int = 1000,
) -> nn.Sequential:
    """Chain the rows of a table, average over the image, and score the classes."""
    children, channels = OrderedDict(), 3
    for name, steps in table.items():
        layers, channels = chain(channels, steps, convolution)
        children[name] = layers[0] if len(layers) == 1 else layers
    linear = nn.Linear(channels, num_classes)
    average = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout)]
    children["head"] = nn.Sequential(*average, linear)
    return nn.Sequential(children)


def initialise(network: nn.Module) -> nn.Module:
    """Draw weights with variance 1 / fan-in; biases are 0.2 before a ReLU, else 0."""
    for module in network.modules():
        layers = list(module.children())
        for layer, after in zip(layers, [*layers[1:], None]):
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="linear")
                if layer.bias is not None:
                    nn.init.constant_(layer.bias, 0.2 * isinstance(after, nn.ReLU))
    return network


def auxiliary_head(in_channels: int, scores: int) -> nn.Sequential:
    """A classifier on maps `(N, C, 14, 14)` (Section 5 of Szegedy et al., 2014)."""
    return nn.Sequential(
        nn.AvgPool2d(5, stride=3),  # (N, C, 4, 4)
        *conv_relu(in_channels, 128, 1),
        nn.Flatten(),
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


def googlenet(num_classes: int = 1000, *, heads: bool = False) -> nn.Module:
    """GoogLeNet of Szegedy et al. (2014): images `(N, 3, 224, 224)` to logits.

    Args:
        num_classes: number of classes.
        heads: add the auxiliary heads; then the module gives a tuple in training: the
            logits, and those of the heads behind 4a and 4d.
    """
    network = inception_network(table_1(), conv_relu, 0.4, num_classes)
    if heads:
        auxiliary = {
            "inception4a": auxiliary_head(512, num_classes),
            "inception4d": auxiliary_head(528, num_classes),
        }
        network = WithHeads(network, auxiliary)
    return initialise(network)


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


def small_pool4() -> nn.Module:
    """The fourth pooling of torchvision's form."""
    return nn.MaxPool2d(2, stride=2, ceil_mode=True)


def googlenet_bn(num_classes: int = 1000) -> nn.Sequential:
    """GoogLeNet as torchvision has it: images `(N, 3, 224, 224)` to logits.

    3×3 kernels in place of 5×5, batch normalisation in place of local response
    normalisation and biases, a smaller fourth pooling, dropout of 0.2. No paper has it.
    """
    table = table_1(large=3, norm=nn.Identity, pool4=small_pool4)
    return initialise(inception_network(table, conv_norm, 0.2, num_classes))


def average() -> nn.Module:
    """The pooling within a module of v3; it counts the zeros of its padding."""
    return nn.AvgPool2d(3, stride=1, padding=1)


def halve_inside() -> nn.Module:
    """Max pooling that halves, and rounds down."""
    return nn.MaxPool2d(3, stride=2)


def inception_a(pool_proj: int) -> list[Chain]:
    """At 35×35: two 3×3 beside a 5×5 that remained."""
    return [
        [Convolution(64, 1)],
        [Convolution(48, 1), Convolution(64, 5)],
        [Convolution(64, 1), Convolution(96, 3), Convolution(96, 3)],
        [average, Convolution(pool_proj, 1)],
    ]


def inception_c(width: int) -> list[Chain]:
    """At 17×17: rows and columns of 7, once and twice."""
    across, down = (1, 7), (7, 1)
    once = [Convolution(width, 1), Convolution(width, across), Convolution(192, down)]
    twice = [
        *(Convolution(width, 1), Convolution(width, down), Convolution(width, across)),
        *(Convolution(width, down), Convolution(192, across)),
    ]
    return [[Convolution(192, 1)], once, twice, [average, Convolution(192, 1)]]


def last(out_channels: int, kernel_size: int = 3) -> Convolution:
    """A convolution with stride 2 and no padding, which ends a branch that halves."""
    return Convolution(out_channels, kernel_size, stride=2, padding=0)


INCEPTION_B = [  # from 35×35 to 17×17
    [last(384)],
    [Convolution(64, 1), Convolution(96, 3), last(96)],
    [halve_inside],
]
INCEPTION_D = [  # from 17×17 to 8×8
    [Convolution(192, 1), last(320)],
    [
        *(Convolution(192, 1), Convolution(192, (1, 7)), Convolution(192, (7, 1))),
        last(192),
    ],
    [halve_inside],
]
FORK = [[Convolution(384, (1, 3))], [Convolution(384, (3, 1))]]
INCEPTION_E = [  # at 8×8
    [Convolution(320, 1)],
    [Convolution(384, 1), FORK],
    [Convolution(448, 1), Convolution(384, 3), FORK],
    [average, Convolution(192, 1)],
]
INCEPTION_V3 = {
    "conv1": [last(32), Convolution(32, 3, padding=0), Convolution(64, 3)],
    "pool1": [halve_inside],
    "conv2": [Convolution(80, 1), Convolution(192, 3, padding=0)],
    "pool2": [halve_inside],
    **{"a1": [inception_a(32)], "a2": [inception_a(64)], "a3": [inception_a(64)]},
    "b": [INCEPTION_B],
    **{"c1": [inception_c(128)], "c2": [inception_c(160)]},
    **{"c3": [inception_c(160)], "c4": [inception_c(192)]},
    "d": [INCEPTION_D],
    **{"e1": [INCEPTION_E], "e2": [INCEPTION_E]},
}


def inception_v3(num_classes: int = 1000) -> nn.Sequential:
    """Inception-v3 of Szegedy et al. (2015): images `(N, 3, 299, 299)` to logits.

    Without the auxiliary head. Weights as in `googlenet`; the paper does not say how.
    """
    return initialise(inception_network(INCEPTION_V3, conv_norm, 0.5, num_classes))
