"""Pictures are compared as a reader sees them: what is close passes, what is another does not.

Those behind a training are compared by what they are made of.
"""

import base64
import io
import re
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from cnnbook import plots
from cnnbook.plots import style
from tools.chapters.pictures import (
    FIELD_LIMIT,
    MEAN_LIMIT,
    differences,
    distance,
    on_white,
    structural_differences,
)


def curve(height: float = 1.0, noise: float = 0.0) -> Image.Image:
    """A training curve in the book's style."""
    x = np.arange(30)
    wobble = np.random.default_rng(0).normal(0, noise, 30)
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots()
        axes.plot(x, height * (1 - np.exp(-x / 8)) + wobble)
        axes.set(xlabel="epoch", ylabel="accuracy", ylim=(0, 1.2))
        return drawn(figure)


def bars(*heights: float) -> Image.Image:
    """A bar chart in the book's style."""
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots()
        axes.bar(range(len(heights)), heights)
        axes.set(ylim=(0, 7))
        return drawn(figure)


def drawn(figure: plt.Figure) -> Image.Image:
    """A figure as a notebook stores it, on white."""
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    plt.close(figure)
    return on_white(file.getvalue())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (curve(), curve()),
        (curve(), curve(noise=0.01)),  # the same training, on another processor
        (bars(1, 2, 3), bars(1, 2, 3.05)),
    ],
)
def test_close(one: Image.Image, other: Image.Image) -> None:
    assert list(differences([one], [other])) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (curve(), curve(height=0.8)),
        (bars(1, 2, 3, 4, 5, 6), bars(1, 2, 3, 4, 5, 5)),
        (bars(1, 2, 3), bars(3, 2, 1)),
    ],
)
def test_other_data(one: Image.Image, other: Image.Image) -> None:
    (sentence,) = differences([one], [other])
    mean, field = distance(one, other)
    assert mean >= MEAN_LIMIT or field >= FIELD_LIMIT
    assert f"by {mean:.1f} of 255 on average" in sentence
    assert f"{field:.0f} in the worst place" in sentence


def test_the_number_of_pictures_counts() -> None:
    assert list(differences([curve()], [])) == ["it draws 0 pictures, but 1 are stored"]
    first, second = bars(1), bars(5)
    (sentence,) = differences([first, second], [first, first])
    assert sentence.startswith("picture 2 differs")


def test_transparent_pictures_are_seen_on_white() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(file, "png")  # black, and invisible
    white = Image.new("RGB", (10, 10), "white")
    assert distance(on_white(file.getvalue()), white) == (0, 0)


def losses(*change: Callable[[plt.Axes], object], scale: float = 1.0, width: float = 4) -> dict:
    """What a cell stores that shows a training: a loss on a logarithmic axis, and a kernel."""
    with plt.rc_context(plots.STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(width, 2))
        steps = np.arange(1, 30)
        left.plot(steps, scale * np.exp(-steps / 8), label="training")
        left.set(yscale="log", xlabel="step", ylabel="loss", title=f"ends at {scale * 0.03:.2f}")
        left.legend()
        right.imshow(scale * np.eye(3))
        for each in change:
            each(left)
        file = io.BytesIO()
        figure.savefig(file, format="png", bbox_inches="tight")
        structure = style._describe(figure)
        plt.close(figure)
    data = {"image/png": base64.b64encode(file.getvalue()).decode()}
    return {"data": data, "metadata": {"cnnbook": {"figure": structure}}}


STORED = losses()


def test_another_training_has_the_same_structure() -> None:
    assert list(structural_differences([STORED], [losses()])) == []
    assert list(structural_differences([STORED], [losses(scale=1.4)])) == []


@pytest.mark.parametrize(
    ("fresh", "sentence"),
    [
        ([], "it draws 0 pictures, but 1 are stored"),
        ([losses(width=5)], r"picture 1 has \d+×\d+ pixels, but \d+×\d+ are stored"),
        (
            [losses(lambda ax: ax.axhline(1))],
            "picture 1, axes 1: lines is 2, but 1 is stored",
        ),
        (
            [losses(lambda ax: ax.figure.axes[1].images[0].remove())],
            "picture 1, axes 2: images is 0, but 1 is stored",
        ),
        (
            [losses(lambda ax: ax.text(5, 0.5, "best"))],
            "picture 1, axes 1: texts is 1, but 0 is stored",
        ),
        (
            [losses(lambda ax: ax.set_ylabel("error"))],
            "picture 1, axes 1: ylabel is 'error', but 'loss' is stored",
        ),
        (
            [losses(lambda ax: ax.set_title("begins at 0.03"))],
            "picture 1, axes 1: title is 'begins at 0.03', but 'ends at 0.03' is stored",
        ),
        ([losses(scale=100)], r"picture 1, axes 1: ylim is \[.*\], but \[.*\] is stored"),
        (
            [losses(lambda ax: ax.figure.axes[1].invert_yaxis())],
            r"picture 1, axes 2: ylim is \[-0.5, 2.5\], but \[2.5, -0.5\] is stored",
        ),
        ([losses(lambda ax: ax.legend().remove())], "axes 1: legend is 0, but 1 is stored"),
        ([losses(lambda ax: ax.figure.add_axes((0.4, 0.4, 0.1, 0.1)))], "1 has 3 axes, but 2"),
    ],
)
def test_another_structure(fresh: list[dict], sentence: str) -> None:
    (said,) = structural_differences([STORED], fresh)
    assert re.search(sentence, said)


def test_a_limit_on_a_linear_axis_may_move_by_a_quarter_of_it() -> None:
    def to(top: float) -> Callable[[plt.Axes], object]:
        return lambda ax: ax.set(yscale="linear", ylim=(0, top))

    assert list(structural_differences([losses(to(4))], [losses(to(4.9))])) == []
    assert len(list(structural_differences([losses(to(4))], [losses(to(5.2))]))) == 1


def test_a_picture_that_was_stored_without_its_structure_has_number_and_size() -> None:
    bare = {"data": STORED["data"]}
    assert list(structural_differences([bare], [losses(lambda ax: ax.axhline(1))])) == []
    assert len(list(structural_differences([bare], [losses(width=5)]))) == 1
