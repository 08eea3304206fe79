"""Inception-v2 and v3.

Collected from notebooks/classics/factorised-inception.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from functools import partial

from torch import nn

from cnnbook.layers import initialise
from cnnbook.networks.inception import Branches, WithHeads, average_head, conv_norm

__all__ = [
    "inception_a",
    "inception_b",
    "inception_c",
    "inception_d",
    "inception_e",
    "inception_v3",
    "normalised_head",
]


# -- Build it
def _pooled(in_channels: int, out_channels: int) -> nn.Sequential:
    """The branch that pools, at stride 1; the average counts the zeros of its padding."""
    average = nn.AvgPool2d(3, stride=1, padding=1)
    return nn.Sequential(average, conv_norm(in_channels, out_channels, 1))


def inception_a(in_channels: int, pool_proj: int) -> nn.Module:
    """At 35×35: two 3×3 beside a 5×5 that remained."""
    one = conv_norm(in_channels, 64, 1)
    five = nn.Sequential(conv_norm(in_channels, 48, 1), conv_norm(48, 64, 5))
    double = nn.Sequential(
        conv_norm(in_channels, 64, 1),
        conv_norm(64, 96, 3),
        conv_norm(96, 96, 3),
    )
    return Branches([one, five, double, _pooled(in_channels, pool_proj)])


def inception_b(in_channels: int) -> nn.Module:
    """From 35×35 to 17×17: a 3×3, two 3×3 and a pooling, each with stride 2 at its end."""
    three = conv_norm(in_channels, 384, 3, stride=2, padding=0)
    double = nn.Sequential(
        conv_norm(in_channels, 64, 1),
        conv_norm(64, 96, 3),
        conv_norm(96, 96, 3, stride=2, padding=0),
    )
    return Branches([three, double, nn.MaxPool2d(3, stride=2)])


def inception_c(in_channels: int, width: int) -> nn.Module:
    """At 17×17: a row and a column of 7, once and twice."""
    one = conv_norm(in_channels, 192, 1)
    once = nn.Sequential(
        conv_norm(in_channels, width, 1),
        conv_norm(width, width, (1, 7)),
        conv_norm(width, 192, (7, 1)),
    )
    twice = nn.Sequential(
        conv_norm(in_channels, width, 1),
        conv_norm(width, width, (7, 1)),
        conv_norm(width, width, (1, 7)),
        conv_norm(width, width, (7, 1)),
        conv_norm(width, 192, (1, 7)),
    )
    return Branches([one, once, twice, _pooled(in_channels, 192)])


def inception_d(in_channels: int) -> nn.Module:
    """From 17×17 to 8×8: a 3×3, a row with a column and a 3×3, and a pooling."""
    three = nn.Sequential(
        conv_norm(in_channels, 192, 1),
        conv_norm(192, 320, 3, stride=2, padding=0),
    )
    seven = nn.Sequential(
        conv_norm(in_channels, 192, 1),
        conv_norm(192, 192, (1, 7)),
        conv_norm(192, 192, (7, 1)),
        conv_norm(192, 192, 3, stride=2, padding=0),
    )
    return Branches([three, seven, nn.MaxPool2d(3, stride=2)])


def _fork(in_channels: int) -> Branches:
    """A row and a column of 3, side by side: 768 channels."""
    row = conv_norm(in_channels, 384, (1, 3))
    return Branches([row, conv_norm(in_channels, 384, (3, 1))])


def inception_e(in_channels: int) -> nn.Module:
    """At 8×8: branches that fork."""
    one = conv_norm(in_channels, 320, 1)
    fork = nn.Sequential(conv_norm(in_channels, 384, 1), _fork(384))
    three = nn.Sequential(conv_norm(in_channels, 448, 1), conv_norm(448, 384, 3), _fork(384))
    return Branches([one, fork, three, _pooled(in_channels, 192)])


# -- Build it: The auxiliary head
def normalised_head(in_channels: int, scores: int) -> nn.Sequential:
    """A classifier on maps `(N, C, 17, 17)`, as it was published."""
    return nn.Sequential(
        nn.AvgPool2d(5, stride=3),  # (N, C, 5, 5)
        conv_norm(in_channels, 128, 1),  # (N, 128, 5, 5)
        conv_norm(128, 768, 5, padding=0),  # (N, 768, 1, 1)
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),  # (N, 768)
        nn.Linear(768, scores),
    )


# -- Build it: The network
_draw = partial(nn.init.kaiming_uniform_, nonlinearity="linear")  # variance 1 / fan-in


def inception_v3(num_classes: int = 1000, *, heads: bool = False) -> nn.Module:
    """Inception-v3 of Szegedy et al. (2015): images `(N, 3, 299, 299)` to logits.

    With `heads` a tuple in training: the logits, and those of the head behind `c4`. Weights
    as in `googlenet`; the paper does not say how.
    """
    first = conv_norm(3, 32, 3, stride=2, padding=0)
    children = OrderedDict(
        conv1=nn.Sequential(first, conv_norm(32, 32, 3, padding=0), conv_norm(32, 64, 3)),
        pool1=nn.MaxPool2d(3, stride=2),
        conv2=nn.Sequential(conv_norm(64, 80, 1), conv_norm(80, 192, 3, padding=0)),
        pool2=nn.MaxPool2d(3, stride=2),  # (N, 192, 35, 35)
        a1=inception_a(192, pool_proj=32),
        a2=inception_a(256, pool_proj=64),
        a3=inception_a(288, pool_proj=64),
        b=inception_b(288),  # (N, 768, 17, 17)
        c1=inception_c(768, width=128),
        c2=inception_c(768, width=160),
        c3=inception_c(768, width=160),
        c4=inception_c(768, width=192),
        d=inception_d(768),  # (N, 1280, 8, 8)
        e1=inception_e(1280),
        e2=inception_e(2048),
        head=average_head(2048, num_classes, dropout=0.5),
    )
    network = nn.Sequential(children)
    early = {"c4": normalised_head(768, num_classes)} if heads else {}
    return initialise(WithHeads(network, early) if heads else network, _draw)
