"""The figures of cnnbook.plots: what is drawn is what was given."""

import io
import itertools
import json
import math
import re
from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from PIL import Image

from cnnbook import plots
from cnnbook.arithmetic import ReceptiveField

# Three channels of 4×5, a kernel of 3×3 in each: the worked example of the chapter Convolution.
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randint(0, 3, (3, 4, 5), generator=GENERATOR)
WEIGHT = torch.randint(-2, 3, (3, 3, 3), generator=GENERATOR)
BIAS = -4
OUTPUT = F.conv2d(X[None].double(), WEIGHT[None].double())[0, 0].long() + BIAS


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with plt.rc_context():
        plots.use_style()
        yield
    plt.close("all")


def words(ax: Axes) -> list[str]:
    """All texts of a figure, with a hyphen for the minus sign."""
    return [text.get_text().replace("−", "-") for text in ax.texts if text.get_text()]


def numbers(ax: Axes) -> list[int]:
    """The texts that are whole numbers."""
    return [int(word) for word in words(ax) if re.fullmatch(r"-?\d+", word)]


def frames(ax: Axes, colour: str) -> list[tuple[float, float, float, float]]:
    """Place and size of the rectangles that are outlined in a colour."""
    return [
        (*patch.get_xy(), patch.get_width(), patch.get_height())
        for patch in ax.patches
        if isinstance(patch, plt.Rectangle)
        and not patch.get_fill()
        and patch.get_edgecolor() == to_rgba(colour)
    ]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 2), (1, 1)])
def test_convolution_step_shows_the_numbers_of_the_step(row: int, column: int) -> None:
    ax = plots.convolution_step(X, WEIGHT, BIAS, row, column)
    sums = (X[:, row : row + 3, column : column + 3] * WEIGHT).sum((1, 2)).tolist()
    # Written so far: the numbers of the output up to this one, row by row.
    so_far = OUTPUT.flatten()[: row * 3 + column + 1].tolist()
    expected = [*X.flatten().tolist(), *WEIGHT.flatten().tolist(), *sums, *so_far]
    assert sorted(numbers(ax)) == sorted(expected)
    assert f"{BIAS}\nbias" in words(ax)


def test_convolution_step_writes_a_sum_that_is_right() -> None:
    for row in range(2):
        for column in range(3):
            ax = plots.convolution_step(X, WEIGHT, BIAS, row, column)
            left, right = next(word for word in words(ax) if " = " in word).split(" = ")
            terms = [int(term) for term in re.findall(r"-?\d+", left.replace("- ", "-"))]
            assert len(terms) == 4
            assert sum(terms) == int(right) == OUTPUT[row, column]


def test_convolution_step_moves_the_window_in_every_channel() -> None:
    first, last = (plots.convolution_step(X, WEIGHT, BIAS, *at) for at in ((0, 0), (1, 2)))
    boxes = zip(frames(first, plots.ORANGE), frames(last, plots.ORANGE))
    moves = [(x1 - x0, y1 - y0) for (x0, y0, *_), (x1, y1, *_) in boxes]
    assert len(moves) == 6
    assert sorted((round(x, 6), round(y, 6)) for x, y in moves) == [(0, 0)] * 3 + [(2, 1)] * 3
    ((x0, y0, *_),), ((x1, y1, *_),) = frames(first, plots.GREEN), frames(last, plots.GREEN)
    assert (round(x1 - x0, 6), round(y1 - y0, 6)) == (2, 1)


def test_convolution_shapes_names_the_shapes() -> None:
    ax = plots.convolution_shapes((3, 32, 32), out_channels=4, kernel_size=5)
    assert words(ax) == ["input\n3 × 32 × 32", "4 kernels\n3 × 5 × 5", "output\n4 × 28 × 28"]
    assert len(frames(ax, plots.ORANGE)) == 3  # the window, in every channel
    assert len(frames(ax, plots.INK)) == 3  # the channels of the input
    for colour in (plots.BLUE, plots.VERMILLION, plots.GREEN, plots.PURPLE):
        boxes = frames(ax, colour)  # three slices of a kernel, a map; and a pixel, if it is hidden
        sizes = sorted(round(width, 6) for *_, width, _ in boxes)
        assert len(sizes) == 4 + (colour != plots.BLUE)
        assert sizes[-1] / sizes[-2] == pytest.approx(28 / 5, rel=1e-3)  # to scale


def test_convolution_shapes_has_a_colour_for_every_kernel() -> None:
    ax = plots.convolution_shapes((1, 8, 8), out_channels=7, kernel_size=3)
    assert words(ax)[2] == "output\n7 × 6 × 6"
    maps = [box for colour in plots.COLOURS for box in frames(ax, colour) if box[2] > 2]
    assert len(maps) == 7


def shown(fig: plt.Figure, monkeypatch: pytest.MonkeyPatch) -> tuple[Image.Image, dict, dict]:
    """What `show` hands to the notebook."""
    calls = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **more: calls.append((args, more)))
    plots.show(fig, alt="two words")
    ((bundle,), more) = calls[0]
    return Image.open(io.BytesIO(bundle["image/png"])), bundle, more


def test_show_keeps_the_words_and_the_transparency(monkeypatch: pytest.MonkeyPatch) -> None:
    ax = plots.convolution_step(X, WEIGHT, BIAS, 0, 0)
    picture, bundle, more = shown(ax.figure, monkeypatch)
    assert more["metadata"]["image/png"] == {"alt": "two words"}
    assert "two words" in bundle["text/plain"]
    assert picture.convert("RGBA").getpixel((0, 0))[3] == 0
    assert not plt.fignum_exists(ax.figure.number)


def test_show_stores_what_a_figure_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    fig, (left, right) = plt.subplots(1, 2)
    left.plot([0, 1], [0, 1], label="loss")
    left.axhline(0.5)
    left.set(title="training", xlabel="step", yscale="log", xlim=(0, 1), ylim=(0.01234567, 1))
    left.legend()
    right.imshow(torch.eye(3).numpy())
    right.text(0, 0, "x")
    right.bar([0, 1], [1, 1])
    right.scatter([0], [0])
    *_, more = shown(fig, monkeypatch)
    curves, picture = more["metadata"]["cnnbook"]["figure"]
    assert curves == {
        "title": "training",
        "xlabel": "step",
        "xlim": [0, 1],
        "yscale": "log",
        "ylim": [0.0123, 1],
        "lines": 2,
        "legend": 1,
    }
    counted = {key: picture[key] for key in picture if key not in ("xlim", "ylim")}
    assert counted == {"images": 1, "texts": 1, "patches": 2, "collections": 1}
    assert json.loads(json.dumps([curves, picture])) == [curves, picture]


def test_show_gives_a_drawing_few_colours_and_a_photograph_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = plots.convolution_step(X, WEIGHT, BIAS, 1, 2).figure
    drawing, bundle, _ = shown(step, monkeypatch)
    assert drawing.mode == "P"
    assert len(bundle["image/png"]) <= 40_000
    photograph, *_ = shown(plots.images([torch.rand(3, 64, 64)], columns=1), monkeypatch)
    assert photograph.mode == "RGBA"


def test_show_wants_words() -> None:
    with pytest.raises(ValueError, match="alt is empty"):
        plots.show(plots.images([torch.zeros(4, 4)], columns=1), alt=" ")


def test_drawings_leave_the_place_of_given_axes_alone() -> None:
    _, (left, right) = plt.subplots(1, 2)
    places = [ax.get_position().bounds for ax in (left, right)]
    assert plots.convolution_step(X, WEIGHT, BIAS, 0, 0, left) is left
    assert plots.convolution_shapes((3, 32, 32), 4, 5, right) is right
    after = [ax.get_position(original=True).bounds for ax in (left, right)]
    assert after == places


def test_matrix_writes_a_real_minus_and_no_minus_zero() -> None:
    ax = plots.matrix(torch.tensor([[-2.0, -0.0, 0.25]]))
    assert [text.get_text() for text in ax.texts] == ["−2", "0", "0.25"]


def test_feature_maps_have_one_scale() -> None:
    maps = torch.zeros(2, 4, 4)
    maps[0, 0, 0], maps[1, 0, 0] = 2.0, -1.0  # full blue, and half of the way to vermillion
    drawn = plots.feature_maps(maps, columns=2).images[0].get_array()
    paper = torch.tensor(to_rgba(plots.PAPER)[:3])
    assert torch.allclose(torch.tensor(drawn[0, 0, :3]), torch.tensor(to_rgba(plots.BLUE)[:3]))
    half = (paper + torch.tensor(to_rgba(plots.VERMILLION)[:3])) / 2
    assert torch.allclose(torch.tensor(drawn[0, 5, :3]), half)
    assert drawn[0, 4, 3] == 0  # the gap


def test_feature_maps_wants_one_image() -> None:
    with pytest.raises(ValueError, match=r"give one image's \(C, H, W\)"):
        plots.feature_maps(torch.zeros(1, 2, 4, 4))


def test_receptive_field_frames_the_unit_nearest_to_a_place() -> None:
    field = ReceptiveField((5, 9), (4, 4), (2.0, 2.0))
    ax = plots.field_frames({"layer": field}, torch.rand(3, 40, 40), at=(11, 1))
    assert ax.patches[-1].get_bbox().extents.tolist() == [-2.5, 7.5, 6.5, 12.5]  # at (10, 2)
    assert ax.get_xlim()[0] <= -2.5  # what lies outside of the picture is drawn as well


def test_receptive_field_of_everything_frames_the_picture() -> None:
    field = ReceptiveField((math.inf, math.inf), (4, 4), (2.0, 2.0))
    ax = plots.field_frames({"gate": field}, torch.rand(3, 20, 30))
    assert ax.patches[-1].get_bbox().extents.tolist() == [-0.5, -0.5, 29.5, 19.5]


def test_networks_have_areas_like_their_parameters_and_names_that_do_not_meet() -> None:
    points = [
        plots.NetworkPoint(f"net {k}", 1e9 + 1e7 * k, 20 + k / 10, 1e6 * k) for k in (1, 2, 4)
    ]
    ax = plots.network_map(points)
    sizes = [circle.get_sizes()[0] for circle in ax.collections[::2]]
    assert sizes[1] / sizes[0] == pytest.approx(2)
    assert sizes[2] / sizes[0] == pytest.approx(4)
    ax.figure.canvas.draw()
    names = [text.get_window_extent() for text in ax.texts if text.get_text().startswith("net")]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(names, 2))


def test_networks_wants_a_cost() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        plots.network_map([])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.learning_curves({"a": [[1, 2], [1]]}), "'a' have 1 and 2 values"),
        (lambda: plots.learning_curves({"a": [[1, 2]]}, window=3), "window = 3"),
        (lambda: plots.images([]), "no picture"),
        (lambda: plots.images([torch.zeros(2, 2)] * 2, ["one"]), "1 titles for 2 pictures"),
        (lambda: plots.matrix(torch.full((2, 2), float("nan"))), "2 × 2, and some of it"),
        (lambda: plots.matrix(torch.zeros(3)), "this tensor is 3"),
        (lambda: plots.profiles({}), "no feature map"),
        (lambda: plots.profiles({"net": []}), "no feature map .* of 'net'"),
    ],
)
def test_what_cannot_be_drawn_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_seventh_run_is_drawn_too():
    ax = plots.learning_curves({str(k): [[k, k]] for k in range(9)})
    assert len(ax.lines) == 9
