"""Draw the pictures of the front page, of the openers and of README.md.

    python -m tools.site picture

The front page's picture is computed: four filters of 5 × 5 × 3 weights on a photograph that ships
with scikit-learn. Part I's opener shows how its chapters lean on each other, that of Part II when
its networks came and what they cost. The picture in README.md is a screenshot of the built site.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon
from matplotlib.transforms import Affine2D
from PIL import Image
from sklearn.datasets import load_sample_image

from cnnbook import papers, plots
from tools.pages import chromium

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#7b7f86"
BLUE, ORANGE = "#0072B2", "#E69F00"

TINTS = [
    LinearSegmentedColormap.from_list("channel", ["#16181b", colour, "#ffffff"])
    for colour in ("#d0402f", "#1f9d63", "#2b6fd4")
]
SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#56B4E9", BLUE, "#20262b", ORANGE, "#ffe2a6"]
)


def photograph(side: int = 112) -> torch.Tensor:
    """Return a square of scikit-learn's flower, (1, 3, side, side) in [0, 1]."""
    pixels = torch.tensor(load_sample_image("flower.jpg")).permute(2, 0, 1)[None] / 255
    return F.interpolate(pixels[..., 30:410, 150:530], side, mode="area")


def filters() -> torch.Tensor:
    """Return four filters, (4, 3, 5, 5): two edges, a blur, and red against green."""
    position = torch.arange(-2.0, 3.0)
    bell = torch.exp(-(position**2) / 2)
    bell /= bell.sum()
    slope = -position * bell
    spatial = [torch.outer(bell, slope), torch.outer(slope, bell)] + 2 * [torch.outer(bell, bell)]
    colours = torch.tensor([[1, 1, 1], [1, 1, 1], [1, 1, 1], [2, -2, 0.0]]) / 3
    return torch.stack(spatial)[:, None] * colours[:, :, None, None]


class Plane:
    """One channel in the picture: a square seen from the side."""

    def __init__(self, axes: Axes, x: float, y: float, layer: int) -> None:
        self.axes, self.layer = axes, layer
        # (across, up) in the unit square → (x, y) in the picture
        self.to_page = Affine2D(np.array([[0.62, 0, x], [0.22, 1, y], [0, 0, 1]]))

    def corners(self, left: float, right: float, bottom: float, top: float) -> np.ndarray:
        """Return the corners of a rectangle of the plane, in the picture."""
        return self.to_page.transform([(left, bottom), (right, bottom), (right, top), (left, top)])

    def show(self, values: torch.Tensor, cmap: mpl.colors.Colormap, limits: tuple) -> None:
        """Draw one channel on the plane."""
        drawn = self.axes.imshow(
            values.numpy(),
            cmap=cmap,
            vmin=limits[0],
            vmax=limits[1],
            extent=(0, 1, 0, 1),
            interpolation="bilinear",
            zorder=self.layer,
        )
        drawn.set_transform(self.to_page + self.axes.transData)
        self.outline(self.corners(0, 1, 0, 1), edgecolor=INK, lw=0.6)

    def outline(self, corners: np.ndarray, **style: object) -> None:
        """Draw a rectangle of the plane, in front of what the plane shows."""
        self.axes.add_patch(Polygon(corners, facecolor="none", zorder=self.layer, **style))


def front(path: Path) -> None:
    """Draw a convolution with all its channels: 3 planes in, 4 feature maps out."""
    image = photograph()
    maps = F.conv2d(image, filters())[0]
    side, inner = image.shape[-1], maps.shape[-1]
    row, column = 40, 26  # of the window's upper left corner, and of the pixel that it gives

    figure = Figure(figsize=(12, 4.8), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()

    for i, (channel, tint) in enumerate(zip(image[0], TINTS)):
        plane = Plane(axes, 0.36 * i, -0.05 * i, layer=i)
        plane.show(channel, tint, (0, 1))
        left, bottom = column / side, 1 - (row + 5) / side
        window = plane.corners(left, left + 5 / side, bottom, bottom + 5 / side)
        plane.outline(window, edgecolor="#16181b", lw=3.2)
        plane.outline(window, edgecolor="#ffffff", lw=1.6)

    for i, channel in enumerate(maps):
        plane = Plane(axes, 1.83 + 0.36 * i, -0.05 * i, layer=3 + i)
        middle = channel.mean().item() if i == 2 else 0.0  # a blur has no sign, the others have
        spread = (channel - middle).abs().quantile(0.995).item()
        plane.show(channel, SIGNED, (middle - spread, middle + spread))
        left, bottom = column / inner, 1 - (row + 1) / inner
        pixel = plane.corners(left, left + 1 / inner, bottom, bottom + 1 / inner).mean(0)
        for corner in (window[1], window[2]):
            axes.plot(*zip(corner, pixel), color="#ffffff", lw=1.4, alpha=0.35, zorder=plane.layer)
            axes.plot(*zip(corner, pixel), color=INK, lw=0.7, zorder=plane.layer)
        axes.plot(*pixel, "o", ms=5, mfc="#ffffff", mec="#16181b", zorder=plane.layer)

    axes.set_xlim(-0.03, 3.56)
    axes.set_ylim(-0.19, 1.25)
    axes.set_aspect("equal")
    figure.savefig(path, transparent=True)


# Chapters of Part I: their places, and those that each one leans on.
CHAPTERS = {
    "Convolution": ((0, 1), []),
    "Stride, padding\nand dilation": ((1, 0), ["Convolution"]),
    "Channels": ((1, 1), ["Convolution"]),
    "Activations, norms,\nregularisation": ((1, 2), ["Convolution"]),
    "Pooling": ((2, 0), ["Stride, padding\nand dilation"]),
    "Counting": ((2, 1), ["Stride, padding\nand dilation", "Channels"]),
    "Initialisation": ((2, 2), ["Activations, norms,\nregularisation"]),
    "Upsampling": ((3, 0), ["Pooling"]),
    "Receptive fields": ((3, 1), ["Pooling", "Counting"]),
    "Training a network": ((3, 2), ["Initialisation"]),
}


def foundations(path: Path) -> None:
    """Draw the chapters of Part I as boxes, with an arrow from each to those that need it."""
    figure = Figure(figsize=(8.4, 3.0), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    places = {name: (2.3 * x, -y) for name, ((x, y), _) in CHAPTERS.items()}
    for name, (_, before) in CHAPTERS.items():
        x, y = places[name]
        box = {"boxstyle": "round,pad=0,rounding_size=0.08", "fc": BLUE, "ec": "none"}
        axes.add_patch(FancyBboxPatch((x - 0.82, y - 0.3), 1.64, 0.6, **box))
        style = {"ha": "center", "va": "center", "color": "white", "fontsize": 10.5}
        axes.text(x, y, name, linespacing=1.15, **style)
        for other in before:
            (start_x, start_y), end = places[other], (x - 0.86, y)
            head = {"arrowstyle": "-|>", "color": INK, "lw": 1.3, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", end, (start_x + 0.84, start_y), arrowprops=head)
    axes.set(xlim=(-0.9, 7.8), ylim=(-2.4, 0.4))
    axes.set_axis_off()
    figure.savefig(path, transparent=True)


# Networks of Part II: what they are called, and what came with them. Odd ones stand above the line.
TIMELINE = {
    "lenet5": ("LeNet-5", "shared kernels,\nlearned from pixels"),
    "alexnet": ("AlexNet", "ReLU, dropout,\ntwo graphics cards"),
    "nin": ("NIN", "1×1 convolutions,\nglobal averages"),
    "overfeat": ("OverFeat", "slides over\nlarger images"),
    "vgg16": ("VGG", "nothing but\n3×3, and deeper"),
    "googlenet": ("GoogLeNet", "branches of\nseveral sizes"),
    "inception_v3": ("Inception-v3", "factorised kernels,\nbatch norm"),
    "resnet50": ("ResNet", "shortcuts"),
}


def timeline(path: Path) -> None:
    """Draw the networks of Part II on a line, with the years of their papers."""
    figure = Figure(figsize=(8.4, 3.1), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.plot([-0.3, 0.55], [0, 0], color=INK, lw=1.3, zorder=1)
    axes.plot([0.55, 1.05], [0, 0], color=INK, lw=1.3, ls=":", zorder=1)  # fourteen years
    head = {"arrowstyle": "-|>", "color": INK, "lw": 1.3, "zorder": 1}
    axes.annotate("", (7.35, 0), (1.05, 0), arrowprops=head)
    for k, (name, (title, idea)) in enumerate(TIMELINE.items()):
        x, side = (0 if k == 0 else 0.75 + 0.85 * k), -1 if k % 2 else 1
        axes.plot([x, x], [0, side * 0.42], color=INK, lw=0.9, zorder=1)
        axes.plot(x, 0, "o", ms=8, color=BLUE, zorder=3)
        style = {"ha": "center", "va": "center", "color": INK}
        axes.text(x, -side * 0.2, papers.paper(name).source.year, fontsize=9.5, **style)
        bold = style | {"color": ORANGE, "weight": "bold", "fontsize": 11}
        axes.text(x, side * 0.58, title, **bold)
        style |= {"va": "bottom" if side > 0 else "top", "linespacing": 1.25}
        axes.text(x, side * 0.72, idea, fontsize=9, **style)
    axes.set(xlim=(-0.75, 7.45), ylim=(-1.25, 1.25))
    axes.set_axis_off()
    figure.savefig(path, transparent=True)


def classics(path: Path) -> None:
    """Draw error against cost of the networks of Part II that state a top-5 error."""
    points = [
        plots.NetworkPoint(
            p.name, p.multiply_adds, float(p.errors["top5"].split()[0]), p.parameters
        )
        for p in map(papers.paper, papers.names())
        if "top5" in p.errors
    ]
    with mpl.rc_context({**plots.STYLE, "savefig.transparent": True}):
        axes = plots.networks(points, ylabel="top-5 error on ImageNet, as stated, in %")
        axes.figure.savefig(path, dpi=150, bbox_inches="tight")


def readme(root: Path, path: Path) -> None:
    """Take a picture of the front page in light colours and of a chapter's stepper in dark ones."""
    from playwright.sync_api import sync_playwright

    site, width, height = root / "_build" / "html", 1240, 1000
    both = Image.new("RGB", (2 * width, height))
    look = {"viewport": {"width": width, "height": height}, "reduced_motion": "reduce"}
    with sync_playwright() as playwright, chromium.launch(playwright) as browser:
        for i, page in enumerate(["index.html", "notebooks/foundations/convolution.html"]):
            window = browser.new_page(**look, color_scheme=("light", "dark")[i])
            window.goto((site / page).as_uri())
            window.evaluate(
                "document.querySelector('.stepper')?.scrollIntoView({ block: 'center' })"
            )
            window.screenshot(path=path)
            both.paste(Image.open(path), (i * width, 0))
    both = both.resize((1440, round(720 * height / width)), Image.Resampling.LANCZOS)
    both.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2).save(path, optimize=True)


def draw(root: Path) -> list[Path]:
    """Draw all pictures and return where they are."""
    static, work = root / "book" / "_static", root / "_build" / "drawn.png"
    work.parent.mkdir(exist_ok=True)
    drawings = (front, foundations, timeline, classics)
    for drawing in drawings:
        drawing(work)
        Image.open(work).save(static / f"{drawing.__name__}.webp", quality=82, method=6)
    readme(root, static / "readme.png")
    return [*(static / f"{drawing.__name__}.webp" for drawing in drawings), static / "readme.png"]
