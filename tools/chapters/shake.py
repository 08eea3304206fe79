"""Run notebooks as other machines would, and report each cell that gives something else there.

    python -m tools.chapters.shake                    a third of the chapters, drawn from the tree
    python -m tools.chapters.shake --all              every chapter
    python -m tools.chapters.shake notebooks/part/name.ipynb …
    python -m tools.chapters.shake --kind kernels …   one kind (default: weights kernels threads)

Compared as strictly as in verify. The chapters drawn are dealt to the kinds, so that each is run
once; chapters that are named, or all, are run under every kind. The draw changes with every commit,
and is the same on every machine: it is made from git's hash of the files here, as `git add --all`
would store them.
"""

import hashlib
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from tools.chapters import colab, notebooks
from tools.chapters.run import environment
from tools.chapters.verify import longest_first, nbval

START_UP = Path(__file__).parent / "shaken"  # what it does stands there
SHARE = 3  # one chapter in so many


class Kind(NamedTuple):
    """One way to be another machine."""

    meaning: str
    variables: dict[str, str]
    side_by_side: int = 2
    strict: bool = True  # compare what is printed and drawn; else only errors count


KINDS = {
    "weights": Kind("weights disturbed by 1e-6", {"CNNBOOK_SHAKE": "weights"}),
    "kernels": Kind(
        "a processor without AVX",
        {
            "ATEN_CPU_CAPABILITY": "default",
            "MKL_CBWR": "COMPATIBLE",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
        },
    ),
    "threads": Kind("two threads", {"OMP_NUM_THREADS": "2"}, side_by_side=1),
    "weights2": Kind("weights disturbed otherwise", {"CNNBOOK_SHAKE": "weights2"}),
    "seeds": Kind("other seeds; only errors count", {"CNNBOOK_SHAKE": "seeds"}, strict=False),
    "colab": Kind("Colab's versions", {}),
}
CHEAP = ("weights", "kernels", "threads")


class ShakeError(Exception):
    """Nothing could be shaken; says why."""


def tree_hash(root: Path) -> str:
    """Git's hash of the files under root as they are now, stored or not; git is not changed.

    Raises:
        ShakeError: root is no clone.
    """
    with tempfile.TemporaryDirectory() as folder:

        def git(*words: str) -> str:
            done = subprocess.run(
                ["git", *words], cwd=root, env=variables, capture_output=True, text=True
            )
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["git failed"])[-1]
                raise ShakeError(f"{reason}; name chapters with NB=, or all with ALL=1")
            return done.stdout.strip()

        variables = {**os.environ}
        objects = git("rev-parse", "--path-format=absolute", "--git-path", "objects")
        variables |= {
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
            "GIT_INDEX_FILE": f"{folder}/index",
            "GIT_OBJECT_DIRECTORY": folder,
        }
        git("add", "--all", ".")
        return git("write-tree")


def drawn(paths: list[Path], lot: str, hands: int) -> list[list[Path]]:
    """One in three of the chapters, dealt to so many hands; others for another lot.

    >>> names = [Path(f"notebooks/a/{n}.ipynb") for n in range(7)]
    >>> [len(hand) for hand in drawn(names, "0", 2)]
    [2, 1]
    >>> drawn(names, "0", 2) == drawn(names[::-1], "0", 2)
    True
    """
    count = math.ceil(len(paths) / SHARE)
    chosen = sorted(paths, key=lambda path: hashlib.sha256(f"{lot} {path}".encode()).digest())
    return [sorted(chosen[hand:count:hands]) for hand in range(hands)]


def shake(paths: list[Path], root: Path, kind: Kind, python: str = sys.executable) -> list[str]:
    """Run chapters on another machine; a line for each cell that is not robust.

    Raises:
        ShakeError: the tests did not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        variables = environment(root) | kind.variables
        variables["PYTHONPATH"] = os.pathsep.join([str(START_UP), variables["PYTHONPATH"]])
        workers = min(kind.side_by_side, len(paths))
        command = [
            *(python, "-m", "pytest", *nbval(workers if workers > 1 else 0, kind.strict)),
            *("-q", "--color=no", "-p", "no:cacheprovider", f"--junitxml={report}"),
            *map(str, longest_first(paths, root)),
        ]
        done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True)
        if done.returncode not in (0, 1) or not report.exists():
            raise ShakeError(f"pytest failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return list(failures(ElementTree.parse(report)))


def failures(report: ElementTree.ElementTree) -> Iterator[str]:
    """A line for each cell that failed: the chapter, the In [n] that a reader sees, and why."""
    for case in report.iter("testcase"):
        for failure in [*case.iter("failure"), *case.iter("error")]:
            name = case.get("classname").removesuffix(".ipynb").replace(".", "/") + ".ipynb"
            number = int(case.get("name").split()[-1]) + 1  # nbval counts from 0
            yield f"{name}: In [{number}]: {reason(failure.text or '')}"


def reason(text: str) -> str:
    """What differs, in one line, from what nbval and the comparison of pictures say."""
    text = re.sub(r"(\x1b|#x1B)\[[\d;]*m", "", text)  # XML cannot hold the escape itself
    if found := re.search(r"In \[\d+\] of \S+: (.*?); if the new output is right", text):
        return found[1]
    if errors := re.findall(r"^\w+(?:Error|Exception|Interrupt)(?:: .*)?$", text, re.MULTILINE):
        line = re.search(r"^-+> *\d+ (.*)", text, re.MULTILINE)
        return errors[-1].rstrip(": ") + (f" at {line[1].strip()}" if line else "")
    # pytest's comparison: + what is stored, - what came out.
    stored, fresh = (re.search(rf"^  \{sign} (.*)", text, re.MULTILINE) for sign in "+-")
    if stored or fresh:
        words = [repr(found[1].strip()) if found else "nothing" for found in (fresh, stored)]
        return f"gives {words[0][:90]}, but {words[1][:90]} is stored"
    _, _, told = text.partition("Traceback:\n")
    return " ".join((told or text).split())[:200]


def main() -> None:
    """Shake the chapters under each kind; exit with 1 if a cell is not robust."""
    parser = notebooks.arguments(__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", help="chapters to shake (default: a third)")
    parser.add_argument("--all", action="store_true", help="every chapter")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind; may repeat")
    options = parser.parse_args()
    root = options.root.resolve()
    paths = notebooks.selected(options.notebooks, root)
    kinds = options.kind or CHEAP
    try:
        hands = [paths for _ in kinds]
        if not options.notebooks and not options.all:
            lot = tree_hash(root)
            hands = drawn(paths, lot, len(kinds))
            print(f"A third of the chapters, drawn from the tree {lot[:12]}.")
        cells = sum(shaken(kind, hand, root) for kind, hand in zip(kinds, hands) if hand)
    except (ShakeError, colab.ColabError) as error:
        raise SystemExit(f"Not shaken: {error}.") from error
    chapters = len({path for hand in hands for path in hand})
    if cells:
        raise SystemExit(f"Not robust: {cells} cells, in {chapters} chapters.")
    print(f"Robust: {chapters} chapters.")


def shaken(name: str, paths: list[Path], root: Path) -> int:
    """Shake under one kind, tell how it went, and count the cells that are not robust."""
    started = time.monotonic()
    python = str(colab.environment(root)) if name == "colab" else sys.executable
    print(f"{name} ({KINDS[name].meaning}): {', '.join(path.stem for path in paths)} …", flush=True)
    found = shake(paths, root, KINDS[name], python)
    print(*(f"  {line}" for line in found), sep="\n", end="\n" if found else "")
    print(f"  {len(found)} cells differ, {time.monotonic() - started:.0f} s", flush=True)
    return len(found)


if __name__ == "__main__":
    main()
