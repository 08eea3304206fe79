"""Numbers as pictures: matrices, curves, and networks in a plane."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator
from matplotlib.transforms import Bbox
from torch import Tensor

from cnnbook.plots.style import BLUE, COLOURS, INK, PAPER, VERMILLION, new_axes, number


def matrix(
    values: Tensor,
    ax: Axes | None = None,
    *,
    numbers: bool = True,
    title: str = "",
    limit: float | None = None,
) -> Axes:
    """Draw a matrix `(H, W)` as squares from vermillion (negative) over white to blue (positive).

    Args:
        values: the matrix.
        ax: where to draw.
        numbers: write each value into its square.
        title: title of the axes.
        limit: value of full colour; the largest magnitude if not given.

    Raises:
        ValueError: it is no matrix, or one of its numbers is infinite or none.

    Examples:
        >>> import torch
        >>> ax = matrix(torch.tensor([[1.0, -0.5], [0.0, 2.0]]))
        >>> [text.get_text() for text in ax.texts]
        ['1', '−0.5', '0', '2']
    """
    values = values.detach().cpu()
    if values.dim() != 2 or not values.numel() or not values.isfinite().all():
        raise ValueError(
            "matrix draws (H, W) finite numbers; this tensor is "
            f"{' × '.join(map(str, values.shape)) or 'a single number'}"
            f"{'' if values.isfinite().all() else ', and some of it is infinite or no number'}."
        )
    height, width = values.shape
    ax = new_axes(ax, (0.5 * width, 0.5 * height))
    limit = limit or values.abs().max().item() or 1.0
    for row in range(height):
        for column in range(width):
            value = values[row, column].item()
            strength = min(abs(value) / limit, 1.0)
            colour = BLUE if value > 0 else VERMILLION
            place = (column - 0.5, row - 0.5)
            ax.add_patch(Rectangle(place, 1, 1, facecolor=PAPER, edgecolor=INK, lw=0.5))
            ax.add_patch(Rectangle(place, 1, 1, facecolor=colour, alpha=0.8 * strength, lw=0))
            if numbers:
                text = number(value)
                ink = "white" if strength > 0.6 else "#1a1a1a"
                ax.text(column, row, text, ha="center", va="center", color=ink, fontsize=9)
    ax.set(xlim=(-0.55, width - 0.45), ylim=(height - 0.45, -0.55), aspect="equal", title=title)
    ax.set_axis_off()
    return ax


def learning_curves(
    runs: Mapping[str, Sequence[Sequence[float]]],
    ax: Axes | None = None,
    *,
    ylabel: str = "training loss",
    xlabel: str = "step",
    window: int = 1,
) -> Axes:
    """Draw the curves of several runs under a name each: a line for the mean, a band for the range.

    Args:
        runs: for each name a list of runs, each a list of one value a step.
        ax: where to draw.
        ylabel: what the values are, with their unit.
        xlabel: what is counted.
        window: draw means over this many steps, which takes the noise of single batches away.

    Raises:
        ValueError: the runs under a name are not of one length, or shorter than the window.

    Examples:
        >>> ax = learning_curves({"small": [[2.3, 1.0], [2.2, 0.8]], "large": [[2.3, 0.5]]})
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['small', 'large']
    """
    for name, curves in runs.items():
        lengths = sorted({len(curve) for curve in curves})
        if len(lengths) != 1 or lengths[0] < window:
            raise ValueError(
                f"the runs of {name!r} have {' and '.join(map(str, lengths)) or 'no'} values; give "
                f"runs of one length, of at least window = {window}."
            )
    ax = new_axes(ax)
    for colour, (name, curves) in zip(itertools.cycle(COLOURS), runs.items()):
        values = np.asarray(curves, dtype=float)
        points = values.shape[1] // window
        values = values[:, : points * window].reshape(len(values), points, window).mean(2)
        steps = (np.arange(points) + 0.5) * window + 0.5
        ax.plot(steps, values.mean(0), color=colour, label=name)
        ax.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.2, lw=0)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return ax


class NetworkPoint(NamedTuple):
    """A network in the plane of `network_map`."""

    name: str
    multiply_adds: float
    error: float  # in %
    parameters: float


def network_map(
    points: Iterable[NetworkPoint], ax: Axes | None = None, *, ylabel: str = "top-1 error in %"
) -> Axes:
    """Draw networks in the plane of cost and error, each as a circle as large as its weights.

    The area of a circle is proportional to the number of parameters. Names are put where they
    cover the least.

    Args:
        points: one for each network.
        ax: where to draw.
        ylabel: what the error is.

    Raises:
        ValueError: there is no network, or one without cost.

    Examples:
        >>> small = NetworkPoint("small", multiply_adds=0.5e9, error=40, parameters=5e6)
        >>> large = NetworkPoint("large", multiply_adds=5e9, error=20, parameters=50e6)
        >>> ax = network_map([small, large])
        >>> sorted(text.get_text() for text in ax.texts)
        ['large', 'largest circle: 50 M parameters', 'small']
    """
    points = list(points)
    if not points or min(p.multiply_adds for p in points) <= 0:
        raise ValueError("network_map needs at least one point, each with multiply_adds above 0.")
    ax = new_axes(ax, (8, 4.6))
    largest = max(point.parameters for point in points)
    areas = [1600 * point.parameters / largest for point in points]  # in points², as a marker's
    for colour, point, area in zip(itertools.cycle(COLOURS), points, areas):
        place = point.multiply_adds, point.error
        ax.scatter(*place, s=area, color=colour, alpha=0.55, lw=0)
        ax.scatter(*place, s=6, color=colour, lw=0)
    errors = [point.error for point in points]
    room = 0.2 * (max(errors) - min(errors)) + 1
    costs = [point.multiply_adds for point in points]
    ax.set(xscale="log", xlim=(min(costs) / 2, max(costs) * 2.5))
    ax.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(ylim=(min(errors) - room, max(errors) + room))
    ax.set(xlabel="multiply–adds", ylabel=ylabel)
    ax.text(
        1, 1, f"largest circle: {largest / 1e6:.0f} M parameters",
        transform=ax.transAxes, ha="right", va="top", fontsize=8,
    )  # fmt: skip
    _name_points(ax, points, areas)
    return ax


def _name_points(ax: Axes, points: Sequence[NetworkPoint], areas: Sequence[float]) -> None:
    """Write each name beside its circle, at the first of several places that is free."""
    renderer = ax.figure.canvas.get_renderer()
    scale = ax.figure.dpi / 72  # pixels in a point
    centres = ax.transData.transform([(p.multiply_adds, p.error) for p in points])
    radii = [math.sqrt(area / math.pi) * scale for area in areas]
    taken = [Bbox.from_extents(*(c - 0.8 * r), *(c + 0.8 * r)) for c, r in zip(centres, radii)]
    for point, centre, radius in sorted(zip(points, centres, radii), key=lambda each: each[2]):
        label = ax.text(0, 0, point.name, fontsize=8, ha="center", va="center", transform=None)
        size = label.get_window_extent(renderer)
        best = None
        for away in (2, 8, 16, 30):
            for angle in np.deg2rad([90, 270, 0, 180, 45, 135, 225, 315]):
                reach = np.array(size.size) / 2 + radius + away
                place = centre + reach * np.array([np.cos(angle), np.sin(angle)])
                box = Bbox.from_bounds(*(place - (size.width / 2, size.height / 2)), *size.size)
                cover = sum(max(_overlap(box, other), 0) for other in taken)
                if best is None or cover < best[0]:
                    best = (cover, place, box)
        _, place, box = best
        taken.append(box)
        label.remove()
        where = ax.transData.inverted().transform(place)
        ax.text(*where, point.name, fontsize=8, ha="center", va="center")


def _overlap(a: Bbox, b: Bbox) -> float:
    common = Bbox.intersection(a, b)
    return 0.0 if common is None else common.width * common.height
