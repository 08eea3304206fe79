"""The style of all figures, and how a notebook shows one."""

import io
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

INK = "#7b7f86"  # grey that reads on white and on black
PAPER = "#fbfbf9"  # ground of squares that hold numbers, on any page
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILLION, PURPLE, SKY = "#D55E00", "#CC79A7", "#56B4E9"
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY)

STYLE = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.prop_cycle": plt.cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "figure.dpi": 120,
    "figure.facecolor": "none",
    "figure.figsize": (7, 3.2),
    "font.size": 10,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 2,
    "savefig.facecolor": "none",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def use_style() -> None:
    """Give every figure from here on the style of the book.

    Examples:
        >>> use_style()
        >>> plt.rcParams["figure.facecolor"]
        'none'
    """
    plt.rcParams.update(STYLE)


def show(fig: Figure, alt: str) -> None:
    """Show a finished figure in a notebook, with words for those who cannot see it.

    Args:
        fig: the figure; it is closed afterwards.
        alt: what the figure shows, in a sentence or two.

    Raises:
        ValueError: `alt` is empty.

    Examples:
        >>> fig, ax = plt.subplots()
        >>> show(fig, alt=" ")
        Traceback (most recent call last):
            ...
        ValueError: alt is empty; say in a sentence what the figure shows.
        >>> plt.close(fig)
    """
    if not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the figure shows.")
    from IPython.display import display

    drawn, picture = io.BytesIO(), io.BytesIO()
    fig.savefig(drawn, format="png", bbox_inches="tight")
    structure = _describe(fig)  # once it is drawn: drawing settles the limits
    plt.close(fig)
    png = Image.open(drawn)
    if not any(ax.images for ax in fig.axes):  # a drawing: 256 colours do, at a third of the bytes
        png = png.quantize(256, method=Image.Quantize.FASTOCTREE)
    png.save(picture, "png", optimize=True)
    display(
        {"image/png": picture.getvalue(), "text/plain": f"<Figure: {alt}>"},
        raw=True,
        metadata={"image/png": {"alt": alt}, "cnnbook": {"figure": structure}},
    )


def _describe(fig: Figure) -> list[dict[str, Any]]:
    """What a figure is made of, for each of its axes; nothing that is empty or 0.

    What a trained network draws looks a little different on another processor, so such pictures
    are compared by this, which is stored beside each picture: texts at the sides, limits to three
    digits, scales that are not linear, and how many lines, images and so on there are.
    """
    return [{key: value for key, value in _parts(ax).items() if value} for ax in fig.axes]


def _parts(ax: Axes) -> dict[str, Any]:
    found: dict[str, Any] = {"title": ax.get_title()}
    for side, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
        found[f"{side}label"] = axis.get_label_text()
        found[f"{side}scale"] = axis.get_scale().removeprefix("linear")
        found[f"{side}lim"] = [float(f"{limit:.3g}") for limit in axis.get_view_interval()]
    for kind in ("lines", "images", "texts", "patches", "collections"):
        found[kind] = len(getattr(ax, kind))
    found["legend"] = len(legend.get_texts()) if (legend := ax.get_legend()) else 0
    return found


def new_axes(ax: Axes | None, figsize: tuple[float, float] | None = None) -> Axes:
    """The given axes, or new ones."""
    return plt.subplots(figsize=figsize)[1] if ax is None else ax


def bare_axes(ax: Axes | None, figsize: tuple[float, float]) -> Axes:
    """Axes without ticks and lines; new ones fill their figure."""
    if ax is None:
        ax = plt.figure(figsize=figsize).add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    return ax


def number(value: float) -> str:
    """Write a number with at most two digits that are no whole, and a real minus."""
    text = f"{value + 0.0:.0f}" if value == round(value) else f"{value:.2g}"  # no -0
    return text.replace("-", "−")
