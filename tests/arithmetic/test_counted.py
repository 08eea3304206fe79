"""Networks of four libraries, counted by others and by us.

`counted.csv` holds what forward hooks on every convolution and linear layer counted, which torch's
own counter confirmed; its receptive fields were followed through torch.fx graphs, or published by
Araujo et al. (2019), https://distill.pub/2019/computing-receptive-fields. None of these numbers was
made by this package.
"""

import csv
import functools
import gc
import importlib
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch

from cnnbook.arithmetic import count_parameters, multiply_adds, receptive_field

TABLE = Path(__file__).with_name("counted.csv").read_text(encoding="utf-8")
ROWS = list(csv.DictReader(TABLE.splitlines()))


def build(constructor: str) -> torch.nn.Module:
    """Call a constructor, written as it is called, on the meta device: without any numbers."""
    names = constructor.partition("(")[0].split(".")
    library = imported(".".join(names[:-1]), names[0])
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        return eval(constructor, {names[0]: library})


@functools.cache
def imported(module: str, library: str) -> ModuleType:
    """Import an old library on a new torch; it warns, and leaves files open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(module)
        gc.collect()
    return importlib.import_module(library)


@pytest.mark.parametrize("row", ROWS, ids=[row["constructor"] for row in ROWS])
def test_a_network_counts_as_others_counted_it(row):
    network = build(row["constructor"])
    size = tuple(map(int, row["input_size"].split()))
    field = receptive_field(network, size)  # of every network: none is refused
    if row["parameters"]:
        assert count_parameters(network) == int(row["parameters"])
    if row["multiply_adds"]:
        assert multiply_adds(network, size) == int(row["multiply_adds"])
    if row["receptive_field"]:
        assert set(field.size) == {int(row["receptive_field"])}


def test_the_table_is_of_four_libraries():
    libraries = {row["constructor"].partition(".")[0] for row in ROWS}
    assert libraries == {"torchvision", "timm", "pytorchcv", "pretrainedmodels"}
    assert sum(bool(row["receptive_field"]) for row in ROWS) > 40
