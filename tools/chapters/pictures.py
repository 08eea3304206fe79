"""A pytest plugin: what nbval compares as text, this compares as pictures.

nbval skips PNG outputs. After each cell that it compares, the pictures the cell drew are held
against the stored ones, on white, as thumbnails: equal in number, and close. Other releases of
matplotlib and other processors stay below the two limits, changed data does not. (Of a value
written into a picture only its place shows: put it into the alt text, which nbval compares.)

What a trained network draws is another picture on another processor. So the pictures of a cell
tagged `trained` are compared by structure, which `cnnbook.plots.show` stores beside each: as many
pictures, about as large, with the same axes. Of the axes, titles and labels are the same but for
the numbers in them (those may be measured), limits nearly, scales and the number of lines, images,
texts, patches and collections exactly; tick labels are not compared. This holds for a cell tagged
nbval-ignore-output as well: what it draws may differ in its data only.
"""

import base64
import io
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from nbval.plugin import IPyNbCell, NbCellError
from PIL import Image

from tools.chapters.notebooks import Tag, tags

# Levels of 255. Measured: matplotlib 3.10 against 3.11, on pictures of the book, at most 3.5 and 9;
# training curves of other seeds 2.8 and 5. One of six bars lower by a sixth: 2.1 and 54; a curve
# lower by a tenth: 2.8 and 11.
MEAN_LIMIT = 4  # on average
FIELD_LIMIT = 10  # in the worst of 8×8 fields

# Of pictures that are compared by structure: what fits the data may follow them so far, and a
# curve that is another (a loss that stays, one that explodes) leaves the band.
SIZE_LIMIT = 0.1  # of each side
AXIS_LIMIT = 0.25  # of the length of the axis; on a logarithmic one at least a third of a decade
NUMBER = re.compile(r"[-−+]?\d+(?:[.,]\d+)*")


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


def drawn(outputs: Iterable[Any]) -> list[tuple[Image.Image, list[dict[str, Any]] | None]]:
    """The pictures among a cell's outputs, each with its structure (None: was not stored)."""
    return [
        (picture, output.get("metadata", {}).get("cnnbook", {}).get("figure"))
        for output in outputs
        for picture in pictures([output])
    ]


def structural_differences(stored: Iterable[Any], fresh: Iterable[Any]) -> Iterator[str]:
    """What differs in structure between the stored outputs of a cell and fresh ones."""
    old, new = drawn(stored), drawn(fresh)
    if len(old) != len(new):
        yield f"it draws {len(new)} pictures, but {len(old)} are stored"
        return
    for number, ((before, axes), (now, fresh_axes)) in enumerate(zip(old, new), 1):
        if any(abs(b - a) > SIZE_LIMIT * a for a, b in zip(before.size, now.size)):
            sizes = ["×".join(map(str, picture.size)) for picture in (now, before)]
            yield f"picture {number} has {sizes[0]} pixels, but {sizes[1]} are stored"
        if axes is None or fresh_axes is None:
            continue
        if len(axes) != len(fresh_axes):
            yield f"picture {number} has {len(fresh_axes)} axes, but {len(axes)} are stored"
            continue
        for place, pair in enumerate(zip(axes, fresh_axes), 1):
            for what in axes_differences(*pair):
                yield f"picture {number}, axes {place}: {what}"


def axes_differences(stored: dict[str, Any], fresh: dict[str, Any]) -> Iterator[str]:
    """What differs between the stored structure of axes and a fresh one.

    >>> [*axes_differences({"title": "loss 0.5", "lines": 3}, {"title": "loss 0.7", "lines": 2})]
    ['lines is 2, but 3 is stored']
    """
    for key in stored | fresh:
        before, now = stored.get(key, 0), fresh.get(key, 0)
        if key in ("xlim", "ylim") and before and now:
            same = near(before, now, stored.get(f"{key[0]}scale") == "log")
        elif isinstance(before, str) and isinstance(now, str):
            same = NUMBER.sub("", before) == NUMBER.sub("", now)
        else:
            same = before == now
        if not same:
            yield f"{key} is {now!r}, but {before!r} is stored"


def near(stored: list[float], fresh: list[float], logarithmic: bool) -> bool:
    """Whether the limits of an axis are about the stored ones.

    >>> near([0, 1], [0, 1.2], False), near([0, 1], [0, 1.3], False), near([1, 0], [0, 1], False)
    (True, False, False)
    >>> near([0.1, 1], [0.1, 2], True), near([0.1, 1], [0.1, 3], True)
    (True, False)
    """
    if logarithmic:
        stored, fresh = ([math.log10(limit) for limit in each] for each in (stored, fresh))
    band = max(AXIS_LIMIT * abs(stored[1] - stored[0]), logarithmic / 3)
    return all(abs(a - b) <= band for a, b in zip(stored, fresh))


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
    stored, fresh = item.cell.outputs, item.test_outputs
    if not item.config.option.nbval:  # only errors count
        return
    if Tag.TRAINED in tags(item.cell):
        found = structural_differences(stored, fresh)
    elif item.options["check"]:
        found = differences(pictures(stored), pictures(fresh))
    else:
        return
    if text := "; ".join(found):
        message = f"In [{item.cell_num + 1}] of {name}: {text}; {cure}"
        raise NbCellError(item.cell_num, message, item.cell.source)
