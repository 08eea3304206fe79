"""A chapter opened alone, as in Colab; the releases of its book lie on this machine.

One chapter, the quickest, is run by `make test`; `make alone` runs them all.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools.chapters import notebooks

QUICKEST = Path("notebooks/foundations/counting.ipynb")
ALL = os.environ.get("CNNBOOK_ALONE") == "all"
CHAPTERS = notebooks.chapters(notebooks.ROOT) if ALL else [QUICKEST]
WITNESS = """
import importlib.metadata, json, cnnbook, torch
print(json.dumps([cnnbook.__file__, torch.__version__, importlib.metadata.version("torch")]))
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Path]:
    """A copy of the book, which says that it is published on this machine, with no release yet."""
    root, served = tmp_path / "book", tmp_path / "served"
    root.mkdir()
    served.mkdir()
    shutil.copy(notebooks.ROOT / "pyproject.toml", root)
    handler = functools.partial(Quiet, directory=served)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        config = (notebooks.ROOT / "_config.yml").read_text(encoding="utf-8")
        here = f"http://127.0.0.1:{server.server_port}"
        (root / "_config.yml").write_text(config.replace("https://github.com", here))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield root
        server.shutdown()


@pytest.fixture
def released(book: Path, wheel: Path) -> Path:
    """The copy of the book, with its release."""
    version = wheel.name.split("-")[1]
    release = book.parent / "served" / f"cnnbook/cnnbook/releases/download/v{version}"
    release.mkdir(parents=True)
    shutil.copy(wheel, release)
    return book


@pytest.fixture
def kernel(colab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A kernel of Colab's Python, named colab; its environment variables."""
    environment = {
        "PIP_NO_INDEX": "1",  # no network: cnnbook comes from the release, or not at all
        "PYTHONPATH": "",
        "CNNBOOK_DEVICE": "cpu",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "TQDM_DISABLE": "1",
        "no_proxy": "127.0.0.1",
    }
    argv = [str(colab), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    folder = tmp_path / "kernels" / "colab"
    folder.mkdir(parents=True)
    spec = {"argv": argv, "display_name": "Colab", "language": "python", "env": environment}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert "colab" in KernelSpecManager().find_kernel_specs()
    return environment


def alone(chapter: Path, book: Path, folder: Path) -> NotebookNode:
    """A chapter in an empty folder, with the set-up cell of its book; a witness at its end."""
    folder.mkdir()
    shutil.copy(notebooks.ROOT / chapter, folder)
    notebook = notebooks.read(Path(chapter.name), folder)
    notebooks.write_setup(notebook, book)
    notebook.cells.append(new_code_cell(WITNESS))
    return notebook


def run(notebook: NotebookNode, folder: Path) -> None:
    """Run it in Colab's kernel."""
    NotebookClient(
        notebook, kernel_name="colab", timeout=300, resources={"metadata": {"path": str(folder)}}
    ).execute()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_alone_installs_what_it_needs_and_runs(
    chapter: Path, released: Path, colab: Path, kernel: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "alone"
    notebook = alone(chapter, released, folder)
    asked = "import importlib.metadata as m; print(m.version('torch'))"
    torch = subprocess.run([colab, "-c", asked], capture_output=True, text=True, check=True).stdout
    absent = subprocess.run(
        [colab, "-c", "import cnnbook"], env=os.environ | kernel, cwd=folder, capture_output=True
    )
    assert b"No module named 'cnnbook'" in absent.stderr

    run(notebook, folder)
    where, version, distribution = json.loads(notebook.cells[-1].outputs[-1].text)
    assert Path(where).is_relative_to(colab.parents[1])
    assert version.partition("+")[0] == distribution.partition("+")[0] == torch.strip()
    assert [path.name for path in folder.iterdir()] == [chapter.name]


def test_without_a_release_the_set_up_cell_says_what_to_do(
    book: Path, kernel: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "alone"
    notebook = alone(QUICKEST, book, folder)
    with pytest.raises(CellExecutionError) as told:
        run(notebook, folder)
    assert told.value.ename == "ImportError"
    assert (
        "run the chapter in a clone of the book: git clone http://127.0.0.1:" in told.value.evalue
    )
