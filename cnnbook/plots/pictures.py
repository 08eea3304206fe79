"""Pictures, and what networks make of them."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from torch import Tensor

from cnnbook.arithmetic import ReceptiveField
from cnnbook.plots.style import BLUE, COLOURS, PAPER, VERMILLION, new_axes, number


def image(picture: Tensor, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draw a picture `(3, H, W)`, or a single channel `(H, W)` or `(1, H, W)` in grey.

    Colour pictures have values in [0, 1]; a channel is stretched to its own range.

    Examples:
        >>> ax = image(torch.rand(3, 8, 12), title="noise")
        >>> ax.images[0].get_array().shape
        (8, 12, 3)
    """
    ax = new_axes(ax)
    picture = picture.detach().cpu()
    if picture.dim() == 3:
        picture = picture.squeeze(0) if picture.shape[0] == 1 else picture.permute(1, 2, 0)
    ax.imshow((picture.clamp(0, 1) if picture.dim() == 3 else picture).numpy())
    ax.set_axis_off()
    ax.set_title(title)
    return ax


def images(
    pictures: Iterable[Tensor], titles: Sequence[str] = (), *, columns: int = 6, size: float = 1.2
) -> Figure:
    """Draw pictures in a grid; see `image` for what a picture is.

    Args:
        pictures: tensors `(3, H, W)`, `(1, H, W)` or `(H, W)`.
        titles: one for each picture, or none.
        columns: pictures in a row.
        size: height of a picture on the page, in inches.

    Raises:
        ValueError: there is no picture, or a picture without a title among some that have one.

    Examples:
        >>> fig = images([torch.rand(3, 8, 8) for _ in range(5)], columns=3)
        >>> len(fig.axes)
        6
    """
    pictures = list(pictures)
    if not pictures:
        raise ValueError("there is no picture to draw.")
    if titles and len(titles) < len(pictures):
        raise ValueError(f"{len(titles)} titles for {len(pictures)} pictures; give each one.")
    rows = -(-len(pictures) // columns)
    ratio = pictures[0].shape[-1] / pictures[0].shape[-2]
    fig, grid = plt.subplots(
        rows,
        columns,
        figsize=(size * ratio * columns, (size + 0.3 * bool(titles)) * rows),
        squeeze=False,
        layout="constrained",
    )
    for place, ax in enumerate(grid.flat):
        if place < len(pictures):
            image(pictures[place], ax, title=titles[place] if titles else "")
        else:
            ax.set_axis_off()
    return fig


def feature_maps(
    maps: Tensor, ax: Axes | None = None, *, columns: int = 8, limit: float | None = None
) -> Axes:
    """Draw the channels of a feature map side by side, all on one scale.

    Positive values are blue, negative ones vermillion, zero is white.

    Args:
        maps: `(C, H, W)`.
        ax: where to draw; new axes of the right size if not given.
        columns: channels in a row.
        limit: value of full colour; the largest magnitude if not given.

    Raises:
        ValueError: `maps` has not three dimensions.

    Examples:
        >>> ax = feature_maps(torch.ones(12, 8, 8), columns=6, limit=2)
        >>> ax.get_title()
        '12 channels of 8 × 8, from −2 to 2'
    """
    if maps.dim() != 3:
        raise ValueError(f"maps has the shape {tuple(maps.shape)}; give one image's (C, H, W).")
    maps = maps.detach().cpu().float()
    channels, height, width = maps.shape
    columns = min(columns, channels)
    rows, gap = -(-channels // columns), max(1, round(0.06 * max(height, width)))
    limit = limit or maps.abs().max().item() or 1.0
    strength = (maps / limit).clamp(-1, 1).unsqueeze(-1)  # (C, H, W, 1)
    paper, blue, vermillion = (torch.tensor(to_rgb(c)) for c in (PAPER, BLUE, VERMILLION))
    coloured = torch.lerp(paper, torch.where(strength > 0, blue, vermillion), strength.abs())
    sheet = torch.zeros(rows * (height + gap) - gap, columns * (width + gap) - gap, 4)
    for channel, picture in enumerate(coloured):
        top = channel // columns * (height + gap)
        left = channel % columns * (width + gap)
        sheet[top : top + height, left : left + width, :3] = picture
        sheet[top : top + height, left : left + width, 3] = 1  # the gaps stay transparent
    ax = new_axes(ax, (8, 8 * sheet.shape[0] / sheet.shape[1] + 0.3))
    ax.imshow(sheet.numpy())
    ax.set_axis_off()
    span = f"from {number(-limit)} to {number(limit)}"
    ax.set_title(f"{channels} channels of {height} × {width}, {span}")
    return ax


def field_frames(
    fields: Mapping[str, ReceptiveField],
    picture: Tensor,
    ax: Axes | None = None,
    *,
    at: tuple[float, float] | None = None,
) -> Axes:
    """Draw over a picture what one unit of each of several layers sees of it.

    Args:
        fields: for each layer's name its receptive field, from
            `cnnbook.arithmetic.receptive_fields`.
        picture: see `image`.
        ax: where to draw; new axes of the right size if not given.
        at: row and column of the picture; of each layer the unit is drawn that is centred nearest
            to it. The middle if not given.

    Raises:
        ValueError: a field has not two axes.

    Examples:
        >>> from cnnbook.arithmetic import ReceptiveField
        >>> layers = {"stem": ReceptiveField((7, 7), (2, 2), (0.0, 0.0))}
        >>> ax = field_frames(layers, torch.rand(3, 32, 48))
        >>> [round(float(edge), 1) for edge in ax.patches[0].get_bbox().bounds]
        [20.5, 12.5, 7.0, 7.0]
    """
    shape = picture.shape[-2:]
    at = at or (shape[0] / 2, shape[1] / 2)
    ax = image(picture, new_axes(ax, (6, 6 * shape[0] / shape[1])))
    edges = [(-0.5, n - 0.5) for n in shape]  # top and bottom, left and right
    handles = []
    for colour, (name, field) in zip(itertools.cycle(COLOURS), fields.items()):
        if len(field.size) != 2:
            raise ValueError(f"{name} has a field of {len(field.size)} axes; a picture has two.")
        sides = []
        for axis, size in enumerate(field.size):
            step, first = field.stride[axis], field.offset[axis]
            centre = first + step * round((at[axis] - first) / step)
            ends = (centre - size / 2, centre + size / 2)
            sides.append(ends if math.isfinite(size) else (-0.5, shape[axis] - 0.5))
        (top, bottom), (left, right) = sides
        for alpha, ink in ((0.9, "white"), (1.0, colour)):  # a light line below shows on dark
            width = 4 if ink == "white" else 2
            frame = Rectangle(
                (left, top), right - left, bottom - top, fill=False, ec=ink, lw=width, alpha=alpha
            )
            ax.add_patch(frame)
        wide = "everything" if math.isinf(max(field.size)) else f"{number(right - left)} pixels"
        handles.append(Line2D([], [], color=colour, lw=2, label=f"{name}: {wide}"))
        edges = [(min(a, low), max(b, high)) for (a, b), (low, high) in zip(edges, sides)]
    (top, bottom), (left, right) = edges
    ax.set(xlim=(left - 1, right + 1), ylim=(bottom + 1, top - 1))
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=9)
    return ax
