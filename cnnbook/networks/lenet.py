"""LeNet-5.

Collected from notebooks/classics/lenet.ipynb
by `make export`: edit the chapter, not this file.
"""

import random
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["RadialBasis", "ScaledTanh", "Subsample", "TableConv2d", "lenet5", "lenet5_tutorial"]


# -- Build it: The squashing function
class ScaledTanh(nn.Module):
    """The squashing function 1.7159 tanh(2a/3) of LeCun et al. (1998)."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(2 / 3 * x)


# -- Build it: Subsampling
class Subsample(nn.Module):
    """Sums of 2×2 units, times a coefficient, plus a bias; one of each for every map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels, 1, 1), 1 / 4))  # a mean
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        sums = F.avg_pool2d(x, 2, divisor_override=1)  # (N, C, H / 2, W / 2)
        return self.weight * sums + self.bias


# -- Build it: C3: who is connected to whom
TABLE_I = [  # of LeCun et al. (1998): for each map of C3, the maps of S2 that it sees
    *[(0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)],
    *[(0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)],
    *[(0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)],
    (0, 1, 2, 3, 4, 5),
]


class TableConv2d(nn.ModuleList):
    """A convolution for each row of a table, which names the channels that it sees."""

    def __init__(self, table: list[tuple[int, ...]], kernel_size: int) -> None:
        super().__init__(nn.Conv2d(len(seen), 1, kernel_size) for seen in table)
        self.table = table

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        maps = x.unbind(dim=1)  # C times (N, H, W)
        parts = [torch.stack([maps[m] for m in seen], dim=1) for seen in self.table]
        return torch.cat([conv(part) for conv, part in zip(self, parts)], dim=1)


# -- Build it: The output: distances to pictures
BITMAPS = """
.#####. ...##.. .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.
##...## ..###.. ##...## ##...## ...###. ##..... .##.... .....## ##...## ##...##
##...## .####.. ##...## .....## ..####. ##..... ##..... .....## ##...## ##...##
##...## ...##.. .....## .....## .##.##. ##..... ##..... ....##. ##...## ##...##
##...## ...##.. .....## .....## ##..##. ######. ##..... ....##. .##.##. ##...##
##...## ...##.. ....##. ..####. ##..##. .....## ######. ...##.. ..###.. .######
##...## ...##.. ...##.. .....## ####### .....## ##...## ...##.. .##.##. .....##
##...## ...##.. ..##... .....## ....##. .....## ##...## ..##... ##...## .....##
##...## ...##.. .##.... .....## ....##. .....## ##...## ..##... ##...## .....##
##...## ...##.. ##..... ##...## ....##. ##...## ##...## .##.... ##...## ....##.
##...## ...##.. ##..... ##...## ....##. ##...## ##...## .##.... ##...## ...##..
.#####. .###### ####### .#####. ....##. .#####. .#####. .##.... .#####. .###...
"""


def bitmap_codes() -> Tensor:
    """The ten digits as 12 rows of 7 pixels, +1 for ink and −1 for paper: `(10, 84)`."""
    rows = [line.split() for line in BITMAPS.strip().splitlines()]
    digits = ["".join(parts) for parts in zip(*rows)]
    return torch.tensor([[1.0 if pixel == "#" else -1.0 for pixel in d] for d in digits])


def random_codes(number: int) -> Tensor:
    """Codes of 84 signs, drawn by lot and always the same: `(number, 84)`."""
    draw = random.Random(0)
    return torch.tensor([draw.choices((-1.0, 1.0), k=84) for _ in range(number)])


class RadialBasis(nn.Module):
    """Minus the squared distances to fixed codes `(num_classes, features)`."""

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, x: Tensor) -> Tensor:  # (…, features)
        return -(x.unsqueeze(-2) - self.codes).square().sum(dim=-1)  # (…, num_classes)


# -- Build it: The network
def _draw(layer: nn.Module) -> None:
    """Draw weights and biases uniformly from ±2.4 / fan-in, as LeCun et al. (1998)."""
    if isinstance(layer, (nn.Conv2d, nn.Linear, Subsample)):
        fan_in = 4 if isinstance(layer, Subsample) else layer.weight[0].numel()
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -2.4 / fan_in, 2.4 / fan_in)


def lenet5(num_classes: int = 10) -> nn.Sequential:
    """LeNet-5 of LeCun et al. (1998): digits `(N, 1, 32, 32)` to minus the distances."""
    codes = bitmap_codes() if num_classes == 10 else random_codes(num_classes)
    children = OrderedDict(
        C1=nn.Sequential(nn.Conv2d(1, 6, 5), ScaledTanh()),
        S2=nn.Sequential(Subsample(6), ScaledTanh()),
        C3=nn.Sequential(TableConv2d(TABLE_I, 5), ScaledTanh()),
        S4=nn.Sequential(Subsample(16), ScaledTanh()),
        C5=nn.Sequential(nn.Conv2d(16, 120, 5), ScaledTanh()),
        flatten=nn.Flatten(),
        F6=nn.Sequential(nn.Linear(120, 84), ScaledTanh()),
        output=RadialBasis(codes),
    )
    return nn.Sequential(children).apply(_draw)


# -- Check it: The form that tutorials show
def lenet5_tutorial(num_classes: int = 10) -> nn.Sequential:
    """LeNet-5 as tutorials show it: digits `(N, 1, 32, 32)` to logits."""
    children = OrderedDict(
        C1=nn.Sequential(nn.Conv2d(1, 6, 5), nn.Tanh()),
        S2=nn.AvgPool2d(2),
        C3=nn.Sequential(nn.Conv2d(6, 16, 5), nn.Tanh()),
        S4=nn.AvgPool2d(2),
        C5=nn.Sequential(nn.Conv2d(16, 120, 5), nn.Tanh()),
        flatten=nn.Flatten(),
        F6=nn.Sequential(nn.Linear(120, 84), nn.Tanh()),
        output=nn.Linear(84, num_classes),
    )
    return nn.Sequential(children)
