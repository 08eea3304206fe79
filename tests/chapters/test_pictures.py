"""Pictures are compared as a reader sees them: what is close passes, what is another does not."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from cnnbook import plots
from tools.chapters.pictures import FIELD_LIMIT, MEAN_LIMIT, differences, distance, on_white


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
