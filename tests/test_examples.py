"""Every public function shows how it is called, and the example runs."""

import importlib
import inspect
import pkgutil

import pytest

import cnnbook

MODULES = [
    module.name
    for module in pkgutil.walk_packages(cnnbook.__path__, "cnnbook.")
    if not module.name.startswith(("cnnbook.networks", "cnnbook.train.engine"))
]


def functions(name: str) -> list[str]:
    """The public functions that a module defines, and that are no workings of its own."""
    module = importlib.import_module(name)
    package = importlib.import_module(name.rpartition(".")[0])
    handed_on = getattr(package, "__all__", None) if package is not cnnbook else None
    return [
        key
        for key, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == name
        and not key.startswith("_")
        and (handed_on is None or key in handed_on)
    ]


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_has_an_example(name):
    module = importlib.import_module(name)
    bare = [key for key in functions(name) if ">>> " not in (getattr(module, key).__doc__ or "")]
    assert bare == []


def test_the_modules_are_found():
    assert {"cnnbook.arithmetic", "cnnbook.data.sets", "cnnbook.plots.charts"} <= set(MODULES)
    assert "fit" in functions("cnnbook.training.loop")
