"""What every tool here knows of a notebook: where it lies, its cells, its tags, its normal form."""

import argparse
import ast
import json
import os
import re
import tomllib
from enum import StrEnum
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.validator import iter_validate

ROOT = Path(__file__).resolve().parents[2]


class Tag(StrEnum):
    """The tags that a code cell may carry: all there are, each with what it means."""

    meaning: str

    def __new__(cls, name: str, meaning: str) -> "Tag":
        """A tag is its name."""
        tag = str.__new__(cls, name)
        tag._value_, tag.meaning = name, meaning
        return tag

    EXPORT = "export", "the cell becomes part of cnnbook.networks"
    COLAB_SETUP = "colab-setup", "the first code cell, which installs cnnbook where it is missing"
    HIDE_INPUT = "hide-input", "the site folds the code"
    HIDE_CELL = "hide-cell", "the site folds the cell"
    EXERCISE = "exercise", "the stub that a reader fills in"
    CHECK = "check", "what tells the reader how far the exercise is"
    SOLUTION = "solution", "one answer, folded"
    STEPPER = "stepper", "several pictures that the site shows one at a time"
    TRAINED = "trained", "what it draws depends on a training: compared by structure, not by pixels"
    IGNORE_OUTPUT = "nbval-ignore-output", "what it prints may differ from run to run"
    SKIP = "nbval-skip", "the tests do not run the cell"
    NBVAL_RAISES = "nbval-raises-exception", "the cell raises, and the error is compared"
    RAISES = "raises-exception", "the cell raises, and the error is compared"


RAISES = {Tag.NBVAL_RAISES, Tag.RAISES}
CELL_METADATA = {"tags", "jupyter", "cellView"}  # what a cell may carry

SETUP_TAGS = [Tag.COLAB_SETUP.value, Tag.HIDE_INPUT.value]
# The wheel comes from a release of the repository, not from an index, where anybody could take the
# name; --no-deps leaves Colab's own torch alone.
SETUP = """\
try:
    import cnnbook
except ImportError:
    RELEASE = "{repository}/releases/download/v{version}"
    %pip install -q --no-deps {{RELEASE}}/cnnbook-{version}-py3-none-any.whl torchinfo
    try:
        import cnnbook
    except ImportError:
        raise ImportError(
            f"The book's package is not at {{RELEASE}}, or this machine has no network. "
            "Connect it and run this cell again; where there is no release, run the chapter "
            "in a clone of the book: git clone {repository}"
        ) from None"""

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {  # as the kernel says it, without the version of Python
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


def chapters(root: Path) -> list[Path]:
    """Every notebook of the book, its path given from root, in a fixed order."""
    found = (path.relative_to(root) for path in (root / "notebooks").rglob("*.ipynb"))
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


class NotebookError(Exception):
    """A file is no notebook; says which."""


def read(path: Path, root: Path) -> NotebookNode:
    """Read a notebook, its path given from root, in today's format.

    Raises:
        NotebookError: it does not fit the format.
    """
    try:
        content = json.loads((root / path).read_text(encoding="utf-8"))
        invalid = next(iter_validate(content), None)
    except (ValueError, KeyError, AttributeError) as error:
        invalid = error
    if invalid:
        what = getattr(invalid, "message", invalid)
        raise NotebookError(f"{path}: no valid notebook ({what}): mend it, or take it from git")
    # Colab writes an older minor version; the upgrade leaves a mark, which the checks find.
    return nbformat.v4.upgrade(nbformat.v4.rwbase.rejoin_lines(nbformat.from_dict(content)))


def write(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook whole or not at all."""
    draft = path.with_suffix(".ipynb.new")
    draft.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    os.replace(draft, path)


def tags(cell: NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", ()))


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def title(notebook: NotebookNode) -> str:
    """The title of a chapter: the first line of its first cell, without the `#`."""
    return notebook.cells[0].source.partition("\n")[0].lstrip("# ").strip()


def place(path: Path, notebook: NotebookNode, cell: NotebookNode) -> str:
    """Say where a cell is: the file, its number, and for code the In [n] that a reader sees."""
    number = next(i for i, other in enumerate(notebook.cells, 1) if other is cell)
    where = f"{path}: cell {number}"
    if cell.cell_type == "code":
        count = next(i for i, other in enumerate(code_cells(notebook), 1) if other is cell)
        where += f" (In [{count}])"
    return where


def parse(source: str) -> ast.Module:
    r"""Parse a cell; a line of IPython's (`%pip …`, `!ls`) counts as `pass`.

    >>> ast.unparse(parse("if missing:\n    %pip install torchinfo"))
    'if missing:\n    pass'

    Raises:
        SyntaxError: it is not Python.
    """
    try:
        return ast.parse(source)
    except SyntaxError:  # only now: a line of a string may begin with % as well
        return ast.parse(re.sub(r"^(\s*)(?:%|!).*", r"\1pass", source, flags=re.MULTILINE))


def magics(source: str) -> bool:
    """Whether a cell has lines that only IPython understands."""
    try:
        ast.parse(source)
    except SyntaxError:
        return re.search(r"^\s*[%!]", source, re.MULTILINE) is not None
    return False


def setup_source(root: Path) -> str:
    """The set-up cell, with the book's own version and the repository that publishes it."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return SETUP.format(version=project["version"], repository=config["repository"]["url"])


def is_setup(cell: NotebookNode) -> bool:
    """Whether a cell is meant to be the set-up cell."""
    return Tag.COLAB_SETUP in tags(cell)


def write_setup(notebook: NotebookNode, root: Path) -> None:
    """Put the set-up cell where it belongs: before all other code."""
    cells = [cell for cell in notebook.cells if is_setup(cell)]
    cell = cells[0] if cells else nbformat.v4.new_code_cell()
    cell.source = setup_source(root)
    cell.metadata = nbformat.from_dict({"tags": SETUP_TAGS})
    rest = [other for other in notebook.cells if not is_setup(other)]
    first = next((i for i, other in enumerate(rest) if other.cell_type == "code"), len(rest))
    notebook.cells = [*rest[:first], cell, *rest[first:]]


def tidy(notebook: NotebookNode) -> None:
    """Drop what editors leave in a notebook's metadata, and the version of Python."""
    own = {"stamp": ""} | notebook.metadata.get("cnnbook", {})
    own = {key: own[key] for key in ("seconds", "stamp") if key in own}
    notebook.metadata = nbformat.from_dict(
        {"cnnbook": own, "kernelspec": KERNELSPEC, "language_info": LANGUAGE}
    )
    for cell in notebook.cells:
        for key in set(cell.metadata) - CELL_METADATA:
            del cell.metadata[key]


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser of the arguments that every tool takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=Path, default=ROOT, help="the book's folder (default: here)")
    return parser


def selected(names: list[str], root: Path) -> list[Path]:
    """The notebooks that a command line names, from root; all of them if it names none.

    Raises:
        SystemExit: one of them is not there.
    """
    known = chapters(root)
    paths = [Path(os.path.relpath(root / name, root)) for name in names]
    for path in paths:
        if path not in known:
            raise SystemExit(f"{path} is no chapter: name one as notebooks/part/name.ipynb.")
    return paths or known
