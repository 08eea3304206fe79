"""Drawings of operations and of networks."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Polygon
from torch import nn

from cnnbook.arithmetic import SummaryRow, layer_names
from cnnbook.plots.style import BLUE, INK, VERMILLION, new_axes


def profiles(networks: Mapping[str, Iterable[SummaryRow]], ax: Axes | None = None) -> Axes:
    """Draw networks' feature maps as blocks: the front is height × width, the depth channels.

    The edges grow with the square root of the numbers, on one scale for all chapters, so that
    networks can be compared by eye.

    Args:
        networks: for each name, what `cnnbook.arithmetic.summary` gives; rows without a feature
            map are left out.
        ax: where to draw; new axes of the right size if not given.

    Raises:
        ValueError: there is no network, or one without a feature map.

    Examples:
        >>> from cnnbook.arithmetic import summary
        >>> network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(2))
        >>> ax = profiles({"two layers": summary(network, (3, 32, 32))})
        >>> [text.get_text() for text in ax.texts][-2:]
        ['8', '16×16']
    """
    rows = {name: [r for r in rows if len(r.output_shape) == 3] for name, rows in networks.items()}
    empty = [name for name, drawn in rows.items() if not drawn]
    if empty or not rows:
        raise ValueError(
            f"there is no feature map (C, H, W) to draw{' of ' + repr(empty[0]) if empty else ''}."
        )
    sizes = {name: [_edges(row) for row in drawn] for name, drawn in rows.items()}
    width = max(sum(w + 0.15 for w, _ in places) for places in sizes.values()) + 0.2
    heights = {name: max(h for _, h in places) + 0.95 for name, places in sizes.items()}
    ax = new_axes(ax, (width, sum(heights.values())))
    floor = 0.0
    for name, drawn in rows.items():
        floor -= heights[name]
        left = 0.1
        ax.text(0.1, floor + heights[name] - 0.05, name, va="top", fontsize=11, fontweight="bold")
        for row, (wide, _) in zip(drawn, sizes[name]):
            _feature_map(ax, row, left, floor + 0.4, wide)
            left += wide + 0.15
    ax.set(xlim=(0, width), ylim=(floor, 0))
    ax.set_position((0, 0, 1, 1))
    ax.set_axis_off()
    return ax


def _edges(row: SummaryRow) -> tuple[float, float]:
    """Width and height of a feature map's picture; labels need the least width."""
    channels, height, width = row.output_shape
    depth = 0.022 * math.sqrt(channels)
    return max(0.1 * math.sqrt(width) + depth, 1.0), 0.1 * math.sqrt(height) + 0.7 * depth


def _feature_map(ax: Axes, row: SummaryRow, left: float, floor: float, wide: float) -> None:
    channels, height, width = row.output_shape
    front, up, depth = 0.1 * math.sqrt(width), 0.1 * math.sqrt(height), 0.022 * math.sqrt(channels)
    back = np.array([depth, 0.7 * depth])
    x = left + (wide - front - depth) / 2
    right, roof = x + front, floor + up
    corners = np.array([(x, floor), (right, floor), (right, roof), (x, roof)])
    top = [corners[3], corners[2], corners[2] + back, corners[3] + back]
    side = [corners[1], corners[1] + back, corners[2] + back, corners[2]]
    for face, alpha in ((corners, 0.85), (top, 0.45), (side, 0.6)):
        ax.add_patch(Polygon(face, facecolor=BLUE, alpha=alpha, edgecolor=INK, lw=0.6))
    middle = left + wide / 2
    ax.text(middle, roof + back[1] + 0.05, row.name, ha="center", va="bottom", fontsize=9)
    ax.text(
        middle, floor - 0.04, f"{channels}", ha="center", va="top", fontsize=9, fontweight="bold"
    )
    ax.text(middle, floor - 0.2, f"{height}×{width}", ha="center", va="top", fontsize=8)


class Block(NamedTuple):
    """What `blocks` draws: chains of layers from one input, and what joins them."""

    branches: Sequence[Sequence[str] | nn.Module]  # modules, or lists of names of layers
    after: Sequence[str] = ()  # names of the layers after the join
    join: str = "+"  # sign in the circle where branches meet; a single branch has none


def blocks(drawn: Mapping[str, Block], ax: Axes | None = None) -> Axes:
    """Draw block diagrams side by side, each under its title, all on one scale.

    The input is at the top. A branch that is an identity is a bare line.

    Args:
        drawn: for each title, a block.
        ax: where to draw; new axes of the right size if not given.

    Examples:
        >>> residual = Block([["3×3 conv", "ReLU", "3×3 conv"], []], after=["ReLU"])
        >>> ax = blocks({"residual": residual})
        >>> [text.get_text() for text in ax.texts if text.get_text() == "+"]
        ['+']
    """
    chains = {
        title: [_chain(branch) for branch in block.branches] for title, block in drawn.items()
    }
    rows = max(
        max(map(len, chains[title])) + (len(chains[title]) > 1) + len(drawn[title].after)
        for title in drawn
    )
    widths = {title: sum(map(_width, chains[title])) for title in drawn}
    width, height = sum(widths.values()) + _GAP * (len(drawn) - 1), rows + 2.4
    ax = new_axes(ax, (0.5 * width, 0.42 * height))
    left = 0.0
    for title, block in drawn.items():
        _block(ax, left, chains[title], block, title)
        left += widths[title] + _GAP
    ax.set(xlim=(0, width), ylim=(-height + 1.2, 1.2))
    ax.set_position((0, 0, 1, 1))
    ax.set_axis_off()
    return ax


_COLUMN, _BARE, _GAP = 3.5, 1.4, 0.6  # widths in a block diagram, where a row is 1 high


def _width(chain: list[str]) -> float:
    return _COLUMN if chain else _BARE


def _chain(branch: Sequence[str] | nn.Module) -> list[str]:
    names = layer_names(branch) if isinstance(branch, nn.Module) else branch
    return [name for name in names if name != "identity"]


def _block(ax: Axes, left: float, chains: list[list[str]], block: Block, title: str) -> None:
    longest = max(map(len, chains))
    joined = len(chains) > 1
    edges = [left, *(left + edge for edge in accumulate(map(_width, chains)))]
    x, *_ = centres = [(a + b) / 2 for a, b in pairwise(edges)]

    def box(x: float, row: float, name: str) -> None:
        colour = BLUE if "conv" in name else VERMILLION if "ReLU" in name else INK
        corner = (x - 1.4, -row - 0.3)
        style = "round,pad=0,rounding_size=0.1"
        patch = FancyBboxPatch(corner, 2.8, 0.6, boxstyle=style, fc=colour, ec="none", zorder=2)
        ax.add_patch(patch)
        ax.text(x, -row, name, ha="center", va="center", color="white", fontsize=9, zorder=3)

    def arrow(*points: tuple[float, float]) -> None:
        """Draw a line through points (x, row), with a head at its end."""
        places = [(x, -row) for x, row in points]
        ax.plot(*zip(*places[:-1]), color=INK, lw=1.2, zorder=1)
        head = {"arrowstyle": "-|>", "color": INK, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", places[-1], places[-2], arrowprops=head, zorder=1)

    ax.text((left + edges[-1]) / 2, 1.0, title, ha="center", va="top", fontsize=11)
    ax.text(x, -0.1, "$x$", ha="center", va="bottom", fontsize=11)
    meet = longest + 1
    for column, (here, chain) in enumerate(zip(centres, chains)):
        path = [(x, 0.15), (x, 0.35), (here, 0.35)] if column else [(x, 0.0)]
        first = 1 + (longest - len(chain)) / 2
        for row, name in enumerate(chain, 1):
            y = first + row - 1
            arrow(*path, (here, y - 0.3))
            box(here, y, name)
            path = [(here, y + 0.3)]
        if not joined:
            end = path[0][1]
        else:
            arrow(*path, *([(here, meet), (x + 0.25, meet)] if column else [(x, meet - 0.25)]))
            end = meet + 0.25
    if joined:
        circle = FancyBboxPatch((x, -meet), 0, 0, boxstyle="circle,pad=0.25", fc="none", ec=INK)
        ax.add_patch(circle)
        ax.text(x, -meet, block.join, ha="center", va="center", fontsize=11)
    for row, name in enumerate(block.after, longest + joined + 1):
        arrow((x, end), (x, row - 0.3))
        box(x, row, name)
        end = row + 0.3
    arrow((x, end), (x, end + 0.45))
