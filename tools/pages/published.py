"""What torchvision, timm and pytorchcv publish of their networks: parameters and multiply–adds.

torchvision's figures are in its weights' metadata, pytorchcv's in the description of the package;
both lie on this machine with the libraries. timm's are in a table of its repository, which is
downloaded once, into `_build/published`.
"""

import csv
import importlib.metadata
import re
import urllib.request
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from tools.pages.constructors import weights_of_torchvision

# Of 2026-08-08: the newest table there, of benchmarks of all networks.
TIMM = (
    "https://raw.githubusercontent.com/huggingface/pytorch-image-models/"
    "aa4b5850c1543fa488abf260f18390eda46cf85d/results/"
    "benchmark-infer-amp-nchw-pt291-cu128-4090.csv"
)
NEAR = 0.05  # multiply–adds of counters that count other work too


class Figure(NamedTuple):
    """A number as it is printed, and the unit in which it is."""

    text: str  # "4.11"
    unit: int  # 1_000_000_000

    @property
    def value(self) -> float:
        """What it says."""
        return float(self.text) * self.unit

    def agrees(self, counted: int, near: float = 0.0) -> bool:
        """Whether it is this count, rounded as it is printed, or lies near it."""
        digits = -Decimal(self.text).as_tuple().exponent
        last = self.unit / 10**digits
        return abs(self.value - counted) <= max(0.51 * last if self.unit > 1 else 0, near * counted)

    def __str__(self) -> str:
        """The number alone, in full."""
        return f"{self.value:.0f}"


class Published(NamedTuple):
    """What a library says of one of its networks."""

    parameters: Figure | None
    multiply_adds: Figure | None
    exactly: bool  # whether its multiply–adds are those of convolutions and products alone


Key = tuple[str, str, str]  # library, constructor, size of the input; "": whatever size


def figures(root: Path) -> dict[Key, Published]:
    """All that can be had; of timm nothing where its table neither lies here nor can be had."""
    found: dict[Key, Published] = {}
    for library in (torchvision(), timm(root / "_build" / "published"), pytorchcv()):
        found |= library
    return found


def of(found: Mapping[Key, Published], library: str, name: str, size: str) -> Published | None:
    """What is published of a network on an input of that size."""
    name = name.partition("(")[0]
    return found.get((library, name, size)) or found.get((library, name, ""))


def torchvision() -> dict[Key, Published]:
    """From the weights whose recipe tells the input."""
    from torchvision import models

    found = {}
    for name in models.list_models():
        data = weights_of_torchvision(name).meta
        figure = Figure(f"{data['_ops']:.3f}", 10**9)
        parameters = Figure(str(data["num_params"]), 1)
        found["torchvision", name, ""] = Published(parameters, figure, exactly=True)
    return found


def timm(folder: Path) -> dict[Key, Published]:
    """From its table of benchmarks, for square images of the sizes that stand there."""
    path = folder / TIMM.rpartition("/")[2]
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with urllib.request.urlopen(TIMM, timeout=30) as answer:
                path.write_bytes(answer.read())
        except OSError:
            return {}
    found: dict[Key, Published] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            size = f"3 {line['infer_img_size']} {line['infer_img_size']}"
            work = Figure(line["infer_gmacs"], 10**9) if line["infer_gmacs"] else None
            parameters = Figure(line["param_count"], 10**6)
            found["timm", line["model"], size] = Published(parameters, work, exactly=False)
    return found


def pytorchcv() -> dict[Key, Published]:
    """From the tables in its description; the name of a network is that of its weights' file."""
    description = importlib.metadata.metadata("pytorchcv").get_payload()
    found: dict[Key, Published] = {}
    head: list[str] = []
    for line in description.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if "Params" in cells:
            head = cells
        named = re.search(r"/(\w+)-\d{4}-[0-9a-f]{8}\.(?:pth|npz)", line)
        if not cells or not named or "Params" not in head:
            continue
        parameters, work = (
            cells[head.index(column)].replace(",", "") for column in ("Params", "FLOPs/2")
        )
        work = Figure(work.removesuffix("M"), 10**6) if work.endswith("M") else None
        found["pytorchcv", named[1], ""] = Published(Figure(parameters, 1), work, exactly=False)
    return found
