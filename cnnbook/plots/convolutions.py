"""Drawings of a convolution: its shapes, and one step with all its numbers."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from cnnbook.plots.style import COLOURS, GREEN, INK, ORANGE, PAPER, bare_axes, number


def convolution_shapes(
    in_shape: tuple[int, int, int], out_channels: int, kernel_size: int, ax: Axes | None = None
) -> Axes:
    """Draw a convolution's input, kernels and output to scale, with the channels as depth.

    One window is marked in every channel of the input. Each kernel makes one number of it, in
    the output channel that has the kernel's colour.

    Args:
        in_shape: `(C, H, W)` of the input.
        out_channels: number of kernels.
        kernel_size: height and width of the kernels.
        ax: where to draw; new axes of the right size if not given.

    Examples:
        >>> ax = convolution_shapes((3, 8, 8), out_channels=4, kernel_size=3)
        >>> [text.get_text().splitlines()[1] for text in ax.texts]
        ['3 × 8 × 8', '3 × 3 × 3', '4 × 6 × 6']
    """
    channels, height, width = in_shape
    out_height, out_width = height - kernel_size + 1, width - kernel_size + 1
    pixel = 3.4 / height
    kernel, depth = kernel_size * pixel, 0.3
    hues = [colour for colour in COLOURS if colour != ORANGE]
    colours = [hues[k % len(hues)] for k in range(out_channels)]
    kernel_x = width * pixel + channels * depth + 1.3
    output_x = kernel_x + kernel + 2.2
    right = output_x + out_width * pixel + (out_channels - 1) * depth
    top = -depth * (max(channels, out_channels) - 1)
    low = height * pixel + 0.3
    border = pixel * (kernel_size - 1) / 2  # what the output lacks on each side
    ax = bare_axes(ax, (0.68 * (right + 0.2), 0.68 * (low - top + 0.9)))
    ax.set(xlim=(-0.1, right + 0.1), ylim=(low + 0.8, top - 0.1), aspect="equal")

    def slices(x: float, y: float, shape: tuple, colours: Sequence[str], step: float) -> None:
        """Draw squares behind one another, the first in front."""
        for c, colour in reversed(list(enumerate(colours))):
            corner = (x + step * c, y - step * c)
            for face, alpha in ((PAPER, 1), (colour, 0.35)):
                face = Rectangle(corner, *shape, facecolor=face, alpha=alpha, lw=0, zorder=-1)
                ax.add_patch(face)
            edge = Rectangle(corner, *shape, fill=False, edgecolor=colour, lw=1, zorder=-1)
            ax.add_patch(edge)

    slices(0, 0, (width * pixel, height * pixel), [INK] * channels, depth)
    slices(output_x, border, (out_width * pixel, out_height * pixel), colours, depth)
    x, y = pixel * (width // 4), pixel * (height // 2)  # of the window
    for c in reversed(range(channels)):
        behind = (depth, -depth) if c < channels - 1 else None  # the slice behind this one
        _frame(ax, (x + depth * c, y - depth * c), (kernel, kernel), ORANGE, behind)
    back = depth * (channels - 1)
    pitch = low / out_channels
    for k, colour in enumerate(colours):  # the first at the bottom, as its map is in front
        place = min(low - pitch * (k + 0.5), height * pixel - kernel / 2) - kernel / 2
        slices(kernel_x, place, (kernel, kernel), [colour] * channels, 0.15)
        start = (kernel_x + kernel + 0.15 * (channels - 1), place + kernel / 2)
        cell = (output_x + depth * k + x, border + y - depth * k)
        seen = (x + kernel + back, y - back + kernel / 2)
        ax.plot(*zip(seen, (kernel_x, start[1])), color=ORANGE, lw=0.9)
        ax.plot(*zip(start, (cell[0], cell[1] + pixel / 2)), color=colour, lw=1.2)
        hidden = {"fill": False, "ls": ":"} if k else {}  # behind the maps in front of it
        ax.add_patch(Rectangle(cell, pixel, pixel, fc=colour, ec=colour, zorder=3, **hidden))
    for middle, name, shape in (
        (width * pixel / 2, "input", in_shape),
        (kernel_x + kernel / 2, f"{out_channels} kernels", (channels, kernel_size, kernel_size)),
        (output_x + out_width * pixel / 2, "output", (out_channels, out_height, out_width)),
    ):
        name += "\n" + " × ".join(map(str, shape))
        ax.text(middle, low, name, ha="center", va="top", fontsize=10, linespacing=1.5)
    return ax


def convolution_step(
    x: Tensor, weight: Tensor, bias: int, row: int, column: int, ax: Axes | None = None
) -> Axes:
    """Draw one step of a convolution with all its numbers: one window, in every channel.

    The channels lie behind one another, pulled apart so that each number can be read. Each
    window times its channel's kernel gives a sum of products; these sums and the bias give one
    number of the output. The numbers of the steps before, row by row, are already written.

    Args:
        x: input `(C, H, W)` of small whole numbers.
        weight: kernel `(C, K, K)` of small whole numbers.
        bias: what is added to the sum over the channels.
        row: row of the output.
        column: column of the output.
        ax: where to draw; new axes of the right size if not given.

    Examples:
        >>> import torch
        >>> x, weight = torch.ones(2, 3, 3), torch.ones(2, 2, 2)
        >>> ax = convolution_step(x, weight, bias=1, row=0, column=0)
        >>> ax.texts[-1].get_text()
        '4 + 4 + 1 = 9'
    """
    x, weight = x.detach().cpu().long(), weight.detach().cpu().long()
    channels, height, width = x.shape
    size = weight.shape[-1]
    windows = x.unfold(1, size, 1).unfold(2, size, 1)  # (C, H', W', K, K)
    sums = (windows * weight[:, None, None]).sum((3, 4))  # (C, H', W')
    output = sums.sum(0) + bias
    behind = (0.6, -height - 0.8)  # from a channel to the one behind it
    first = 0.9 + behind[0] * (channels - 1)  # left end of the channel at the back
    bottom = height - behind[1] * (channels - 1)
    kernel_x, sum_x = width + 1.1, width + size + 2.5  # from the left end of a channel
    plus_x, plus_y = first + sum_x + 2.2, bottom / 2
    output_x, output_y = plus_x + 1.5, plus_y - output.shape[0] / 2
    right = output_x + output.shape[1]
    ax = bare_axes(ax, (0.36 * (right + 0.4), 0.36 * (bottom + 2.6)))
    ax.set(xlim=(-0.2, right + 0.2), ylim=(bottom + 1.4, -1.2), aspect="equal")

    def text(x: float, y: float, words: str, **style) -> None:
        ax.text(x, y, words, **{"ha": "center", "va": "center", "fontsize": 11, **style})

    def arrow(start: Sequence[float], end: Sequence[float]) -> None:
        style = {"arrowstyle": "-|>", "color": INK, "lw": 1.1, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", end, start, arrowprops=style)

    terms = sums[:, row, column].tolist()
    for c, term in enumerate(terms):
        left, top = first - behind[0] * c, -behind[1] * c
        y = top + height / 2
        window, kernel = (left + column, top + row), (left + kernel_x, y - size / 2)
        _squares(ax, x[c], (left, top))
        _squares(ax, weight[c], kernel)
        for corner, shape, colour in (
            ((left, top), (height, width), INK),
            (window, (size, size), ORANGE),
            (kernel, (size, size), ORANGE),
        ):
            _frame(ax, corner, shape, colour, behind if c else None)
        text(left - 0.75, y, f"channel {c}", rotation=90, fontsize=9)
        text(left + width + 0.55, y, "×", fontsize=12)
        text(left + kernel_x + size + 0.5, y, "=", fontsize=12)
        text(left + sum_x, y, number(term), weight="bold")
        x_term = left + sum_x + 0.65
        reach = 0.5 / math.hypot(x_term - plus_x, y - plus_y)  # ends at the circle
        arrow((x_term, y), (plus_x + reach * (x_term - plus_x), plus_y + reach * (y - plus_y)))
    ax.add_patch(Circle((plus_x, plus_y), 0.45, fill=False, edgecolor=INK, lw=1.2))
    text(plus_x, plus_y, "+", fontsize=13)
    arrow((plus_x, plus_y + 1.7), (plus_x, plus_y + 0.5))
    text(plus_x, plus_y + 2.3, f"{number(bias)}\nbias", weight="bold")
    arrow((plus_x + 0.5, plus_y), (plus_x + 1.4, plus_y))
    _squares(ax, output, (output_x, output_y), count=row * output.shape[1] + column + 1)
    _frame(ax, (output_x + column, output_y + row), (1, 1), GREEN)
    text(first + width / 2, -0.6, "input")
    text(first + kernel_x + size / 2, -0.6, "kernel")
    text(first + sum_x, -0.6, "sum")
    text(output_x + output.shape[1] / 2, output_y - 0.6, "output")
    more = "".join(f" {'−' if term < 0 else '+'} {abs(term)}" for term in [*terms[1:], bias])
    result = number(output[row, column].item())
    text(right / 2, bottom + 0.9, f"{number(terms[0])}{more} = {result}", fontsize=12)
    return ax


def _squares(
    ax: Axes, values: Tensor, corner: tuple[float, float], count: int | None = None
) -> None:
    """Write whole numbers `(H, W)` into squares, all or the first `count` of them."""
    for place, value in enumerate(values.flatten().tolist()):
        x, y = corner[0] + place % values.shape[1], corner[1] + place // values.shape[1]
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor=PAPER, edgecolor=INK, lw=0.6))
        if count is None or place < count:
            style = {"ha": "center", "va": "center", "color": "#1a1a1a", "zorder": 4}
            ax.text(x + 0.5, y + 0.5, number(value), fontsize=10, **style)


def _frame(
    ax: Axes,
    corner: tuple[float, float],
    shape: tuple[int, int],
    colour: str,
    behind: tuple[float, float] | None = None,
) -> None:
    """Frame a block of squares, and join its corners to those of the block `behind` it."""
    strong = colour != INK
    height, width = shape
    face = Rectangle(corner, width, height, facecolor=colour, alpha=0.35 * strong, lw=0, zorder=2)
    edge = Rectangle(corner, width, height, fill=False, edgecolor=colour, lw=1 + strong, zorder=3)
    ax.add_patch(face)
    ax.add_patch(edge)
    if behind is not None:
        for x in (corner[0], corner[0] + width):
            for y in (corner[1], corner[1] + height):
                ends = (x, x + behind[0]), (y, y + behind[1])
                ax.plot(*ends, color=colour, lw=0.8 + 0.5 * strong, zorder=0)
