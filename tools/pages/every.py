"""Count every network of torchvision, timm and pytorchcv; write `book/every-network.md`.

    python -m tools.pages.every            count what is not counted yet, and write the page
    python -m tools.pages.every --anew     forget what was counted before
    python -m tools.pages.every --page     write the page from the stored table

Each row is kept in `_build/every.jsonl` as soon as it is there, so that a command that was stopped
goes on. Rows that other code or other libraries gave are counted anew.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import gc
import hashlib
import importlib.metadata
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is there

from tools.chapters import written
from tools.pages import constructors, every_page, published, thrice
from tools.pages.benchmarks import processor
from tools.pages.every_page import AGREES, Entry
from tools.pages.published import Figure
from tools.pages.thrice import DifferError, Row

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("torch", "torchvision", "timm", "pytorchcv")
KEPT = ROOT / "_build" / "every.jsonl"


def code() -> str:
    """A hash of all that decides what is counted: the counters, the list and the libraries."""
    found = hashlib.sha256()
    for path in (
        *(ROOT / "cnnbook" / "arithmetic" / f"{name}.py" for name in ("counting", "meta")),
        *(ROOT / "tools" / "pages" / f"{name}.py" for name in ("constructors", "functions")),
        ROOT / "tools" / "pages" / "thrice.py",
    ):
        tree = ast.parse(path.read_text(encoding="utf-8"))  # comments decide nothing
        found.update(ast.dump(tree).encode())
    for library in LIBRARIES:
        found.update(importlib.metadata.version(library).encode())
    return found.hexdigest()[:16]


def kept(path: Path, today: str) -> dict[tuple[str, str], Row]:
    """The rows that today's code has counted already; a line that was cut off is none."""
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry["code"] == today:
            row = Row.from_texts(entry["row"])
            rows[row.library, row.name] = row
    return rows


def rows(path: Path, today: str) -> Iterator[Row]:
    """All rows in the order of the libraries; what is new is written down at once.

    Raises:
        DifferError: in the end, if the counters differ on any network.
    """
    before, differing = kept(path, today), []
    path.parent.mkdir(parents=True, exist_ok=True)
    every = list(constructors.constructors())
    warm = next(c for c in every if c.name == "vit_b_16")
    thrice.count(warm)  # torch prepares itself once, not once in each process
    gc.collect()
    gc.freeze()  # or each copy looks through all that is here
    with path.open("a", encoding="utf-8") as file:
        for number, constructor in enumerate(every, 1):
            row = before.get((constructor.library, constructor.name))
            if row is None:
                try:
                    row = thrice.apart(constructor)
                except DifferError as error:
                    differing.append(str(error))
                    print(error, file=sys.stderr, flush=True)
                    continue
                file.write(json.dumps({"code": today, "row": row.to_texts()}) + "\n")
                file.flush()
                if number % 50 == 0:
                    print(f"{number} of {len(every)}", flush=True)
            yield row
    if differing:
        raise DifferError(f"the counters differ on {len(differing)} networks")


def compared(found: Iterable[Row], root: Path) -> Iterator[Entry]:
    """Put the published figures beside the rows."""
    known = published.figures(root)
    for row in found:
        theirs = published.of(known, row.library, row.name, row.input_size)
        if row.reason or theirs is None:
            yield Entry(row, "", "")
            continue
        counts = {row.parameters, row.parameters + row.frozen}  # some count the frozen ones
        near = 0 if theirs.exactly else published.NEAR
        yield Entry(
            row,
            _beside(theirs.parameters, counts),
            _beside(theirs.multiply_adds, {row.multiply_adds}, near),
        )


def _beside(figure: Figure | None, counts: set[int], near: float = 0) -> str:
    """What the table has for a figure."""
    if figure is None:
        return ""
    return AGREES if any(figure.agrees(count, near) for count in counts) else str(figure)


def main() -> None:
    """Count, store the table, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--anew", action="store_true", help="forget what was counted before")
    parser.add_argument("--page", action="store_true", help="write the page from the stored table")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # those of the libraries
    if arguments.anew:
        KEPT.unlink(missing_ok=True)
    if not arguments.page:
        every_page.store(compared(list(rows(KEPT, code())), ROOT), ROOT / every_page.TABLE)
    entries = every_page.load(ROOT / every_page.TABLE)
    why = every_page.reasons(ROOT / every_page.REASONS)
    if wrong := every_page.problems(entries, why):
        sys.exit("\n".join([*wrong, f"Say why in {every_page.REASONS}."]))
    versions = [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
    today = datetime.datetime.now(datetime.UTC).date()
    machine = f"{processor()}, {', '.join(versions)}, {today}"
    text = every_page.page(entries, why, machine)
    written.write(str(every_page.PAGE_FILE), text, ROOT)


if __name__ == "__main__":
    main()
