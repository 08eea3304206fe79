"""Repeat a chapter's experiments with more seeds, longer training or other rates; store nothing.

    python -m tools.chapters.repeat notebooks/part/name.ipynb --seeds 10 --longer 2 --rate 0.1

A cell of an experiment begins with its constants: `SEEDS = range(3)`, `EPOCHS = 2` or `STEPS = 80`,
`RATE = 0.05`. This runs a copy of the notebook in which they are others, and prints what the cells
print that are tagged nbval-ignore-output. An assertion that fails is told, and the run goes on.
Of several rates each gets a run of its own.
"""

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools.chapters import notebooks
from tools.chapters.notebooks import Tag
from tools.chapters.run import client, environment

LENGTHS = {"EPOCHS", "STEPS"}


class RepeatError(Exception):
    """A notebook could not be repeated; says why."""


def changed(
    source: str, seeds: int | None, longer: float, rate: float | None
) -> tuple[str, set[str]]:
    r"""A cell with other constants, and the names of those that were changed.

    >>> changed("SEEDS = range(3)\nRATE = 0.05  # small", 10, 2, None)
    ('SEEDS = range(10)\nRATE = 0.05  # small', {'SEEDS'})
    """
    lines = source.encode().splitlines(keepends=True)  # ast counts bytes
    found = set()
    for statement in reversed(notebooks.parse(source).body):
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            continue
        name, value = statement.targets[0].id, statement.value
        number = value.value if isinstance(value, ast.Constant) else None
        if name == "SEEDS" and seeds is not None:
            new = f"range({seeds})"
        elif name in LENGTHS and longer != 1 and isinstance(number, int):
            new = str(round(longer * number))
        elif name == "RATE" and rate is not None and isinstance(number, (int, float)):
            new = repr(rate)
        else:
            continue
        first, last = value.lineno - 1, value.end_lineno - 1
        head, tail = lines[first][: value.col_offset], lines[last][value.end_col_offset :]
        lines[first : last + 1] = [head + new.encode() + tail]
        found.add(name)
    return b"".join(lines).decode(), found


def with_constants(
    notebook: NotebookNode, seeds: int | None, longer: float, rate: float | None
) -> None:
    """Change the constants in a notebook.

    Raises:
        RepeatError: one that should change is nowhere.
    """
    found: set[str] = set()
    for cell in notebooks.code_cells(notebook):
        cell.source, names = changed(cell.source, seeds, longer, rate)
        found |= names
    wanted = [
        ("SEEDS = range(3)", seeds is not None, {"SEEDS"}),
        ("EPOCHS = 2 or STEPS = 80", longer != 1, LENGTHS),
        ("RATE = 0.05", rate is not None, {"RATE"}),
    ]
    for form, asked, names in wanted:
        if asked and not names & found:
            raise RepeatError(f"no cell begins with {form}: write the experiment's constants so")


async def repeat(notebook: NotebookNode, path: Path, root: Path) -> bool:
    """Run a notebook's cells, print what was measured, and return whether all assertions held.

    Raises:
        RepeatError: a cell raised something else than an assertion.
    """
    held = True
    runner = client(notebook, path, root, allow_errors=True)
    runner.timeout = None  # ten seeds take as long as they take
    async with runner.async_setup_kernel(cleanup_kc=True, env=environment(root)):
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            await runner.async_execute_cell(cell, index)
            where = notebooks.place(path, notebook, cell)
            if Tag.IGNORE_OUTPUT in notebooks.tags(cell):
                print(*(f"{where}\n{text}" for text in texts(cell)), sep="\n", flush=True)
            for output in cell.outputs:
                if output.output_type != "error" or notebooks.RAISES & notebooks.tags(cell):
                    continue
                if output.ename != "AssertionError":
                    raise RepeatError(f"{where}: {output.ename}: {output.evalue}")
                held = False
                print(f"{where}: does not hold: {failed_line(output)}", flush=True)
    return held


def texts(cell: NotebookNode) -> Iterator[str]:
    """What a cell printed."""
    for output in cell.outputs:
        yield output.get("text") or output.get("data", {}).get("text/plain", "")


def failed_line(error: NotebookNode) -> str:
    """The assertion that failed, from its traceback."""
    text = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback))
    marked = re.findall(r"^-+> \d+ (.*)", text, re.MULTILINE)
    return marked[-1].strip() if marked else error.evalue


def main() -> None:
    """Repeat one notebook; exit with 1 if an assertion does not hold."""
    parser = notebooks.arguments(__doc__.splitlines()[0])
    parser.add_argument("notebook", help="the chapter")
    parser.add_argument("--seeds", type=int, help="SEEDS becomes range(…)")
    parser.add_argument("--longer", type=float, default=1, help="times EPOCHS and STEPS")
    parser.add_argument("--rate", type=float, action="append", help="RATE; may repeat")
    options = parser.parse_args()
    root = options.root.resolve()
    (path,) = notebooks.selected([options.notebook], root)
    held = True
    try:
        for rate in options.rate or [None]:
            notebook = notebooks.read(path, root)
            with_constants(notebook, options.seeds, options.longer, rate)
            if rate is not None:
                print(f"RATE = {rate}:", flush=True)
            held &= asyncio.run(repeat(notebook, path, root))
    except RepeatError as error:
        raise SystemExit(f"{path}: {error}.") from error
    if not held:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
