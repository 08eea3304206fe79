"""A pytest plugin: what nbval compares as text, this compares as pictures.

nbval skips PNG outputs. After each cell that it compares, the pictures the cell drew are held
against the stored ones, on white, as thumbnails: equal in number, and close. Other releases of
matplotlib and other processors stay below the two limits, changed data does not. (Of a value
written into a picture only its place shows: put it into the alt text, which nbval compares.)
"""

import base64
import io
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from nbval.plugin import IPyNbCell, NbCellError
from PIL import Image

# Levels of 255. Measured: matplotlib 3.10 against 3.11, on pictures of the book, at most 3.5 and 9;
# training curves of other seeds 2.8 and 5. One of six bars lower by a sixth: 2.1 and 54; a curve
# lower by a tenth: 2.8 and 11.
MEAN_LIMIT = 4  # on average
FIELD_LIMIT = 10  # in the worst of 8×8 fields


def pictures(outputs: Iterable[Any]) -> list[Image.Image]:
    """The PNG pictures among a cell's outputs, on white."""
    encoded = [output.get("data", {}).get("image/png") for output in outputs]
    return [on_white(base64.b64decode(png)) for png in encoded if png]


def on_white(png: bytes) -> Image.Image:
    """A picture as it looks on a white page."""
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    page = Image.new("RGBA", picture.size, "white")
    page.alpha_composite(picture)
    return page.convert("RGB")


def distance(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """How far the 64×64 thumbnails of two pictures are apart: on average, and in the worst field.

    A field is 8×8 pixels, and may move by one: another release sets a label a little elsewhere.

    >>> white, black = Image.new("RGB", (90, 60), "white"), Image.new("RGB", (80, 60))
    >>> distance(white, white), distance(white, black)
    ((0.0, 0.0), (255.0, 255.0))
    """
    a, b = (
        np.asarray(picture.resize((64, 64), Image.Resampling.BOX), dtype=float)
        for picture in (one, other)
    )
    framed = np.pad(b, ((1, 1), (1, 1), (0, 0)), mode="edge")
    moved = [framed[y : y + 64, x : x + 64] for y in range(3) for x in range(3)]
    fields = [np.abs((a - m).reshape(8, 8, 8, 8, 3).mean(axis=(1, 3))).mean(axis=2) for m in moved]
    return float(np.abs(a - b).mean()), float(np.min(fields, axis=0).max())


def differences(stored: list[Image.Image], fresh: list[Image.Image]) -> Iterator[str]:
    """What differs between the stored pictures of a cell and fresh ones."""
    if len(stored) != len(fresh):
        yield f"it draws {len(fresh)} pictures, but {len(stored)} are stored"
        return
    for number, pair in enumerate(zip(stored, fresh), 1):
        mean, field = distance(*pair)
        if mean >= MEAN_LIMIT or field >= FIELD_LIMIT:
            yield (
                f"picture {number} differs from the stored one by {mean:.1f} of 255 on average "
                f"(below {MEAN_LIMIT} is close) and {field:.0f} in the worst place "
                f"(below {FIELD_LIMIT} is close)"
            )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Hold a cell's pictures against the stored ones; say what to do when something differs."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    name = item.path.relative_to(item.config.rootpath)
    cure = f"if the new output is right, store it: make notebooks NB={name}"
    try:
        yield
    except NbCellError as error:
        if item.test_outputs is None or "differ" not in str(error):
            raise
        error.args = (f"{error} in In [{item.cell_num + 1}] of {name}: {cure}",)
        raise
    if item.options["check"]:
        found = differences(pictures(item.cell.outputs), pictures(item.test_outputs))
        if text := "; ".join(found):
            message = f"In [{item.cell_num + 1}] of {name}: {text}; {cure}"
            raise NbCellError(item.cell_num, message, item.cell.source)
