"""Convolutional networks from their papers: the small package behind the book.

`cnnbook.networks` holds the networks, collected from the chapters; the other modules hold what two
chapters or more need. Importing the package loads nothing heavy: torch comes with the first name
that needs it.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what __getattr__ hands on
    from cnnbook.devices import device
    from cnnbook.exercises import check

try:
    __version__ = version("cnnbook")
except PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "0+source"

__all__ = ["check", "device"]

_HOMES = {"check": "cnnbook.exercises", "device": "cnnbook.devices"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in ("devices", "exercises"):  # as if they had been imported with the package
        return import_module(f"cnnbook.{name}")
    raise AttributeError(f"module 'cnnbook' has no attribute {name!r}")
