"""Convolutional networks from their papers: the small package behind the book.

`cnnbook.networks` holds the networks, collected from the chapters; the other modules hold what two
chapters or more need. Importing the package loads torch and nothing heavier.
"""

from importlib.metadata import PackageNotFoundError, version

from cnnbook.devices import device
from cnnbook.exercises import check

try:
    __version__ = version("cnnbook")
except PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "0+source"

__all__ = ["check", "device"]
