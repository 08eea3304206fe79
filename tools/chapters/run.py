"""Run the notebooks whose stored outputs are stale, top to bottom, and stamp them.

    python -m tools.chapters.run                           those whose stamp does not fit
    python -m tools.chapters.run notebooks/part/name.ipynb this one, whatever its stamp says

A cell that fails leaves its notebook as it was.
"""

import asyncio
import copy
import os
import re
import sys
import textwrap
import time
from collections.abc import Iterable
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager

from tools.chapters import notebooks
from tools.chapters.notebooks import Tag
from tools.chapters.stamp import stamp

SIDE_BY_SIDE = 2
CELL_TIMEOUT = 300  # seconds, as in the tests


def environment(root: Path, device: str = "cpu") -> dict[str, str]:
    """The environment in which notebooks are run and tested, so that both print the same."""
    path = os.pathsep.join(map(str, dict.fromkeys([root, notebooks.ROOT])))
    return os.environ | {
        "CNNBOOK_DEVICE": device,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # whatever the shell says
        "OMP_NUM_THREADS": "1",  # results repeat exactly, and two kernels do not fight
        "PYTEST_CURRENT_TEST": "tools.run",  # nbval sets it: C code prints in another order then
        "PYTHONPATH": path,
        "TQDM_DISABLE": "1",  # a progress bar is no result
    }


class RunError(Exception):
    """A notebook did not run: where, why, and the cell."""


async def run(path: Path, root: Path) -> None:
    """Run one notebook, its path given from root, stamp it and store it.

    Raises:
        RunError: a cell failed; the stored notebook is untouched.
    """
    notebook = notebooks.read(path, root)
    notebooks.write_setup(notebook, root)
    notebooks.tidy(notebook)
    started = time.monotonic()
    await execute(notebook, path, root)
    notebook.metadata.cnnbook.seconds = rounded(time.monotonic() - started)
    notebook.metadata.cnnbook.stamp = stamp(notebook, root)
    notebooks.write(root / path, notebook)


def rounded(seconds: float) -> int:
    """To one digit: how long a notebook takes, stored so that it seldom changes.

    >>> rounded(0.2), rounded(37.4), rounded(163)
    (1, 40, 200)
    """
    return int(float(f"{max(seconds, 1):.0e}"))


def client(notebook: NotebookNode, path: Path, root: Path, **options: object) -> NotebookClient:
    """What runs cells, in a fresh kernel of this Python that stands where the notebook lies."""
    return NotebookClient(
        notebook,
        km=AsyncKernelManager(
            kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager()
        ),
        resources={"metadata": {"path": str((root / path).parent)}},
        extra_arguments=["--log-level=ERROR"],
        timeout=CELL_TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        **options,
    )


async def execute(notebook: NotebookNode, path: Path, root: Path) -> None:
    """Run the cells in a fresh kernel, and put the outputs into them."""
    running = copy.deepcopy(notebook)
    for cell in running.cells:  # nbclient knows only one of the two tags
        if notebooks.RAISES & notebooks.tags(cell):
            cell.metadata.tags = [Tag.RAISES.value]
    runner = client(running, path, root)
    at = 0

    def remember(cell: NotebookNode, cell_index: int) -> None:
        nonlocal at
        at = cell_index

    runner.on_cell_execute = remember
    try:
        await runner.async_execute(cleanup_kc=True, env=environment(root))
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        where = notebooks.place(path, notebook, notebook.cells[at])
        raise RunError(story(where, notebook.cells[at].source, error)) from error
    for cell, ran in zip(notebook.cells, running.cells):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count


def story(where: str, source: str, error: Exception) -> str:
    """One line that says what failed where; below it the cell, and what it raised."""
    if isinstance(error, CellExecutionError):
        what = f"{error.ename}: {error.evalue}"
        source = re.sub(r"\x1b\[[\d;]*m", "", error.traceback)  # shows the cell as well
    elif isinstance(error, CellTimeoutError):
        what = f"it took longer than {CELL_TIMEOUT} s"
    else:
        what = "the kernel died (out of memory?)"
    return (
        f"{where}: {what}; the stored notebook is as it was\n\n{textwrap.indent(source, '    ')}\n"
    )


async def run_all(paths: Iterable[Path], root: Path) -> bool:
    """Run notebooks, two at a time; tell how each went; return whether all did well."""
    free = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(path: Path) -> bool:
        async with free:
            started = time.monotonic()
            try:
                await run(path, root)
            except RunError as error:
                print(error, file=sys.stderr, flush=True)
                return False
            seconds = time.monotonic() - started
            print(f"{path}: run and stamped, {seconds:.0f} s", flush=True)
            return True

    return all(await asyncio.gather(*map(one, paths)))


def is_stale(path: Path, root: Path) -> bool:
    """Whether a notebook's stored outputs may differ from what its code gives now."""
    notebook = notebooks.read(path, root)
    if not any(map(notebooks.is_setup, notebook.cells)):
        return True
    try:
        return notebook.metadata.get("cnnbook", {}).get("stamp") != stamp(notebook, root)
    except SyntaxError:  # running it says where
        return True


def main() -> None:
    """Run what is stale, or what the command line names."""
    parser = notebooks.arguments(__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", help="notebooks to run, stale or not")
    options = parser.parse_args()
    root = options.root.resolve()
    paths = notebooks.selected(options.notebooks, root)
    if not options.notebooks:
        paths = [path for path in paths if is_stale(path, root)]
    if not paths:
        print("Every notebook is fresh.")
    if not asyncio.run(run_all(paths, root)):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
