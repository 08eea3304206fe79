"""Draw the pictures of the front page, of the openers and of README.md.

    python -m tools.pages.art

The front page's picture is computed: four filters of 5 × 5 × 3 weights on a photograph that ships
with scikit-learn. Part I's opener shows how its chapters lean on each other, the later ones when
their networks came and what they cost. The picture in README.md is a screenshot of the built site.
"""

from __future__ import annotations

import calendar
import re
import textwrap
from functools import partial
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
from tools.chapters import notebooks
from tools.pages import chromium
from tools.pages.contents import Chapter, parts
from tools.pages.rooms import floors, needed, read_rooms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

INK = "#7b7f86"
DARK, BLUE, ORANGE = "#4a4f57", "#0072B2", "#E69F00"

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


def columns(chapters: Sequence[Chapter]) -> list[list[Chapter]]:
    """Put chapters into columns: each behind all that it needs, and beside the nearest of them."""
    found: list[list[Chapter]] = []
    rows: dict[Path, float] = {}

    def height(chapter: Chapter) -> float:
        return float(np.mean([rows[path] for path in chapter.needs if path in rows] or [0]))

    waiting = list(chapters)
    while waiting:
        ahead = {chapter.path for chapter in waiting}
        column = [chapter for chapter in waiting if not ahead & set(chapter.needs)]
        column.sort(key=height)  # of equal ones the first in the book comes first
        rows.update((chapter.path, row) for row, chapter in enumerate(column))
        found.append(column)
        waiting = [chapter for chapter in waiting if chapter not in column]
    return found


def foundations(path: Path) -> None:
    """Draw the chapters of Part I as boxes, with an arrow from each to those that need it."""
    drawn = columns(parts(notebooks.ROOT)[0].chapters)
    tallest = max(map(len, drawn))
    figure = Figure(
        figsize=(8.4, float(tallest)), dpi=150
    )  # a box is as high with three as with four
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    places = {
        chapter.path: (2.3 * x, -(y + (tallest - len(column)) / 2))
        for x, column in enumerate(drawn)
        for y, chapter in enumerate(column)
    }
    for chapter in (chapter for column in drawn for chapter in column):
        x, y = places[chapter.path]
        box = {"boxstyle": "round,pad=0,rounding_size=0.08", "fc": BLUE, "ec": "none"}
        axes.add_patch(FancyBboxPatch((x - 0.82, y - 0.34), 1.64, 0.68, **box))
        style = {"ha": "center", "va": "center", "color": "white", "fontsize": 9.5}
        axes.text(x, y, textwrap.fill(chapter.title, 20), linespacing=1.15, **style)
        for start_x, start_y in (places[other] for other in chapter.needs):
            head = {"arrowstyle": "-|>", "color": INK, "lw": 1.3, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", (x - 0.86, y), (start_x + 0.84, start_y), arrowprops=head)
    axes.set(xlim=(-0.9, 2.3 * len(drawn) - 1.4), ylim=(-tallest + 0.6, 0.4))
    axes.set_axis_off()
    figure.savefig(path, transparent=True)


def rooms(path: Path) -> None:
    """Draw the rooms of the project: what each is for, and an arrow to each that it builds on."""
    drawn = read_rooms(notebooks.ROOT)
    rows = floors(drawn)
    widest = max(map(len, rows))
    places = {
        name: (k + (widest - len(row)) / 2, y)
        for y, row in enumerate(rows)
        for k, name in enumerate(row)
    }
    figure = Figure(figsize=(1.75 * widest, 1.75 * len(rows)), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    for name, (x, y) in places.items():
        colour = BLUE if name.startswith("cnnbook") else DARK
        box = {"boxstyle": "round,pad=0,rounding_size=0.05", "fc": colour, "ec": "none"}
        axes.add_patch(FancyBboxPatch((x - 0.47, y - 0.38), 0.94, 0.76, zorder=2, **box))
        style = {"ha": "center", "color": "white", "zorder": 3}
        axes.text(x, y + 0.29, name, va="center", weight="bold", fontsize=10, **style)
        told = textwrap.fill(drawn[name].about.replace("`", ""), 20)
        axes.text(x, y + 0.19, told, va="top", fontsize=9, linespacing=1.15, **style)
        for to_x, to_y in (places[other] for other in needed(name, drawn)):
            head = {"arrowstyle": "-|>", "color": INK, "lw": 1.1, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", (to_x, to_y + 0.38), (x, y - 0.38), arrowprops=head, zorder=1)
    axes.set(xlim=(-0.55, widest - 0.45), ylim=(-0.45, len(rows) - 0.55))
    axes.set_axis_off()
    figure.savefig(path, transparent=True)


def months(paper: papers.Paper) -> str:
    """When a paper appeared, as its address on arXiv dates it; its year where it has none."""
    found = re.search(r"arxiv.org/abs/(\d\d)(\d\d)", paper.source.url)
    if not found:
        return str(paper.source.year)
    return f"{calendar.month_abbr[int(found[2])]} 20{found[1]}"


def timeline(part: str, path: Path) -> None:
    """Draw the networks of a part on a line, with the dates of their papers."""
    on_it = [paper for paper in map(papers.paper, papers.names(part)) if paper.brought]
    on_it.sort(key=lambda paper: (paper.source.year, paper.source.url))
    gap = on_it[1].source.year - on_it[0].source.year > 5  # drawn dotted
    places = [0.85 * k + 0.75 * (gap and k > 0) for k in range(len(on_it))]
    figure = Figure(figsize=(1.05 * (places[-1] + 1.6), 3.1), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    solid = 1.05 if gap else -0.3
    if gap:
        axes.plot([-0.3, 0.55], [0, 0], color=INK, lw=1.3, zorder=1)
        axes.plot([0.55, solid], [0, 0], color=INK, lw=1.3, ls=":", zorder=1)
    head = {"arrowstyle": "-|>", "color": INK, "lw": 1.3, "zorder": 1}
    axes.annotate("", (places[-1] + 0.65, 0), (solid, 0), arrowprops=head)
    one_year = len({paper.source.year for paper in on_it}) < len(on_it) / 2
    for k, (x, paper) in enumerate(zip(places, on_it)):
        side = -1 if k % 2 else 1
        axes.plot([x, x], [0, side * 0.42], color=INK, lw=0.9, zorder=1)
        axes.plot(x, 0, "o", ms=8, color=BLUE, zorder=3)
        style = {"ha": "center", "va": "center", "color": INK}
        date = months(paper) if one_year else paper.source.year
        axes.text(x, -side * 0.2, date, fontsize=9.5, **style)
        bold = style | {"color": ORANGE, "weight": "bold", "fontsize": 11}
        axes.text(x, side * 0.58, paper.family, **bold)
        style |= {"va": "bottom" if side > 0 else "top", "linespacing": 1.25}
        brought = textwrap.fill(paper.brought, 19)
        axes.text(x, side * 0.72, brought, fontsize=9, **style)
    axes.set(xlim=(-0.75, places[-1] + 0.85), ylim=(-1.25, 1.25))
    axes.set_axis_off()
    figure.savefig(path, transparent=True)


def costs(part: str, path: Path, *, ends: bool = False) -> None:
    """Draw error against cost of the networks of a part that state a top-5 error.

    With `ends`, of each paper only the cheapest and the dearest.
    """
    drawn = [p for p in map(papers.paper, papers.names(part)) if "top5" in p.errors]
    if ends:
        papers_of = {p.source: [q for q in drawn if q.source == p.source] for p in drawn}
        extremes = [(min(f, key=_work), max(f, key=_work)) for f in papers_of.values()]
        drawn = [p for p in drawn if any(p in pair for pair in extremes)]
    points = [
        plots.NetworkPoint(
            p.name.split(" (")[0] if ends else p.name,
            p.multiply_adds,
            p.errors["top5"],
            p.parameters,
        )
        for p in drawn
    ]
    with mpl.rc_context({**plots.STYLE, "savefig.transparent": True}):
        axes = plots.network_map(points, ylabel="top-5 error on ImageNet, as stated, in %")
        axes.figure.savefig(path, dpi=150, bbox_inches="tight")


def _work(paper: papers.Paper) -> int:
    return paper.multiply_adds


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


DRAWINGS = {
    "front": front,
    "foundations": foundations,
    "rooms": rooms,
    "timeline": partial(timeline, "classics"),
    "classics": partial(costs, "classics"),
    "timeline-deeper": partial(timeline, "deeper"),
    "deeper": partial(costs, "deeper", ends=True),
    "timeline-efficient": partial(timeline, "efficient"),
}


def draw(root: Path) -> list[Path]:
    """Draw all pictures and return where they are."""
    static, work = root / "book" / "_static", root / "_build" / "drawn.png"
    work.parent.mkdir(exist_ok=True)
    for name, drawing in DRAWINGS.items():
        drawing(work)
        Image.open(work).save(static / f"{name}.webp", quality=82, method=6)
    readme(root, static / "readme.png")
    return [*(static / f"{name}.webp" for name in DRAWINGS), static / "readme.png"]


def main() -> None:
    """Draw all pictures; `make book` comes first."""
    for path in draw(notebooks.ROOT):
        print(f"Drew {path.relative_to(notebooks.ROOT)}, {path.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
