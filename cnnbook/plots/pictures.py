"""Pictures, and what networks make of them."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from torch import Tensor

from cnnbook.arithmetic import ReceptiveField
from cnnbook.plots.charts import matrix
from cnnbook.plots.style import BLUE, COLOURS, INK, PAPER, VERMILLION, new_axes, number

VOID = 255  # in masks: pixels that belong to no class


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

    Examples:
        >>> fig = images([torch.rand(3, 8, 8) for _ in range(5)], columns=3)
        >>> len(fig.axes)
        6
    """
    pictures = list(pictures)
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


def receptive_field(
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
        >>> ax = receptive_field(layers, torch.rand(3, 32, 48))
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


def _class_colour(k: int) -> tuple[float, float, float]:
    """A colour for each class: the six of the book, then lighter and darker ones."""
    base = np.array(to_rgb(COLOURS[k % len(COLOURS)]))
    towards = (None, 1.0, 0.0)[k // len(COLOURS) % 3]
    return tuple(base if towards is None else 0.5 * base + 0.5 * towards)


def segmentation(
    picture: Tensor, mask: Tensor, classes: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Draw the classes of a picture's pixels over it, each in a colour, outlined.

    Args:
        picture: see `image`.
        mask: `(H, W)` of whole numbers: 0 is the background, k is `classes[k - 1]`, and 255
            pixels that belong to no class, which are drawn grey.
        classes: names of the classes.
        ax: where to draw; new axes of the right size if not given.

    Raises:
        ValueError: mask and picture have not the same size, or a number has no class.

    Examples:
        >>> mask = torch.zeros(32, 48, dtype=torch.int64)
        >>> mask[8:20, 10:30] = 2
        >>> ax = segmentation(torch.rand(3, 32, 48), mask, ["cat", "dog"])
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['dog']
    """
    mask = mask.detach().cpu().long()
    if mask.shape != picture.shape[-2:]:
        sizes = tuple(mask.shape), tuple(picture.shape[-2:])
        raise ValueError(f"the mask is {sizes[0]} and the picture {sizes[1]}; they must agree.")
    found = [k for k in mask.unique().tolist() if k not in (0, VOID)]
    if found and (min(found) < 0 or max(found) > len(classes)):
        raise ValueError(f"the mask holds {max(found)}, but there are {len(classes)} classes.")
    ax = image(picture, new_axes(ax, (4, 4 * mask.shape[0] / mask.shape[1])))
    handles = []
    for k in [*found, *([VOID] if (mask == VOID).any() else [])]:
        colour = to_rgb(INK) if k == VOID else _class_colour(k - 1)
        inside = (mask == k).numpy()
        veil = np.zeros((*inside.shape, 4))
        veil[inside] = (*colour, 0.55)
        ax.imshow(veil)
        if k != VOID:
            edge = np.pad(inside, 1).astype(float)
            places = [np.arange(n + 2) - 1 for n in inside.shape]
            ax.contour(*places[::-1], edge, levels=[0.5], colors=[colour], linewidths=1.5)
        handles.append(Rectangle((0, 0), 1, 1, fc=colour, label=_name(k, classes)))
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "fontsize": 8}
    if handles:
        ax.legend(handles=handles, ncols=min(len(handles), 4), handlelength=1, **place)
    height, width = mask.shape
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    return ax


def _name(k: int, classes: Sequence[str]) -> str:
    return "void" if k == VOID else classes[k - 1]


def boxes(
    picture: Tensor,
    boxes: Tensor,
    ax: Axes | None = None,
    *,
    labels: Sequence[str] = (),
    scores: Sequence[float] = (),
) -> Axes:
    """Draw boxes over a picture, with their names and scores.

    Args:
        picture: see `image`.
        boxes: `(K, 4)`: x0, y0, x1, y1 in pixels, the last two exclusive.
        ax: where to draw; new axes of the right size if not given.
        labels: a name for each box; equal names get equal colours.
        scores: a score for each box.

    Raises:
        ValueError: `boxes` is not `(K, 4)`, or there is not a name or a score for each.

    Examples:
        >>> ax = boxes(torch.rand(3, 32, 48), torch.tensor([[4, 4, 20, 30]]), labels=["cat"])
        >>> ax.texts[0].get_text(), [float(n) for n in ax.patches[0].get_bbox().bounds]
        ('cat', [3.5, 3.5, 16.0, 26.0])
    """
    if boxes.dim() != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes has the shape {tuple(boxes.shape)}; it must be (K, 4).")
    for what, given in (("labels", labels), ("scores", scores)):
        if len(given) not in (0, len(boxes)):
            raise ValueError(f"there are {len(boxes)} boxes, but {len(given)} {what}.")
    ax = image(picture, new_axes(ax, (4, 4 * picture.shape[-2] / picture.shape[-1])))
    names = list(dict.fromkeys(labels))
    for k, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        colour = _class_colour(names.index(labels[k]) if labels else k)
        corner = (x0 - 0.5, y0 - 0.5)  # pixel x covers x − ½ to x + ½
        ax.add_patch(Rectangle(corner, x1 - x0, y1 - y0, fill=False, ec=colour, lw=2))
        words = [*labels[k : k + 1], *(f"{score:.2f}" for score in scores[k : k + 1])]
        if words:
            box = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}
            style = {"color": "white", "fontsize": 8, "va": "bottom", "bbox": box}
            ax.text(*corner, " ".join(words), **style)
    return ax


def filters(
    kernels: Mapping[str, Tensor], pictures: Sequence[Tensor], *, size: float = 1.7
) -> Figure:
    """Draw kernels `(K, K)` under their names, and below each what it makes of a picture.

    A kernel of fractions is drawn in whole numbers where a divisor up to 256 makes it whole.

    Args:
        kernels: for each name, a kernel.
        pictures: as many pictures; see `image` for what a picture is.
        size: width of a picture on the page, in inches.

    Examples:
        >>> blur = torch.full((3, 3), 1 / 8)
        >>> fig = filters({"blur": blur}, [torch.rand(16, 16)])
        >>> fig.axes[0].get_title()
        'blur, ÷ 8'
    """
    ratio = pictures[0].shape[-2] / pictures[0].shape[-1]
    fig, grid = plt.subplots(
        2,
        len(kernels),
        figsize=(size * len(kernels), size * (0.95 + ratio)),
        height_ratios=(0.85, ratio),
        squeeze=False,
        layout="constrained",
    )
    for (above, below), (name, kernel), picture in zip(grid.T, kernels.items(), pictures):
        whole = next((n for n in range(1, 257) if torch.equal((n * kernel).round(), n * kernel)), 1)
        matrix(whole * kernel, above, title=name if whole == 1 else f"{name}, ÷ {whole}")
        image(picture, below)
    return fig
