"""Fixtures: a small book to break, the wheel, and a Python like Colab's."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # results repeat exactly
os.environ.setdefault("MPLBACKEND", "Agg")

import hypothesis
import pytest
from minibook import Book

from tools.chapters import notebooks

# The same examples everywhere: a test that fails, fails for everyone.
hypothesis.settings.register_profile("book", derandomize=True, deadline=None)
hypothesis.settings.load_profile("book")


@pytest.fixture(scope="session")
def whole_book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A book with one small chapter; copied for each test."""
    book = Book(tmp_path_factory.mktemp("book"))
    book.make()
    return book


@pytest.fixture
def book(whole_book: Book, tmp_path: Path) -> Book:
    """A book with one small chapter, to break."""
    shutil.copytree(whole_book.root, tmp_path, dirs_exist_ok=True)
    return Book(tmp_path)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, "."]
    subprocess.run(command, cwd=notebooks.ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def colab(tmp_path: Path) -> Path:
    """A Python like Colab's: with every package that is here, torch among them, but no cnnbook.

    Its packages are links to the ones here, in a folder outside the environment, as Colab's are:
    pip sees them as installed and does not touch them.
    """
    packages = tmp_path / "colab" / "dist-packages"
    packages.mkdir(parents=True)
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        # A .pth file would lead back to this tree; the book itself is what must be missing.
        if "cnnbook" not in entry.name and entry.suffix != ".pth":
            (packages / entry.name).symlink_to(entry)
    venv.create(tmp_path / "colab" / "env")  # pip is among the packages
    python = tmp_path / "colab" / "env" / "bin" / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    Path(own, "colab.pth").write_text(f"{packages}\n")
    return python
