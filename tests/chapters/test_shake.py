"""Notebooks run as other machines would run them; what is not robust is told, cell by cell."""

import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from minibook import Book, code, printed

from tools.chapters import notebooks, shake

DRAW = """
import torch
from torch import nn

torch.manual_seed(0)
one = nn.Linear(40, 40).weight
torch.manual_seed(0)
other = nn.Linear(40, 40).weight
generator = torch.Generator("cpu").manual_seed(0)
print(torch.equal(one, other), torch.rand(1).item(), torch.rand(1, generator=generator).item())
print(nn.MultiheadAttention(4, 2).in_proj_weight.tolist())
print(nn.Linear(2, 2, device="meta").weight.is_meta, nn.BatchNorm2d(1).weight.item())
print(one.flatten().tolist())
"""


@functools.cache  # starting torch is what takes time
def started(kind: str) -> tuple[list[str], list[float]]:
    """What the program above prints under a kind of shake: three lines, and the weights."""
    variables = {"CNNBOOK_SHAKE": kind, "PYTHONPATH": str(shake.START_UP)}
    command = [sys.executable, "-c", DRAW]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    *lines, weights = done.stdout.splitlines()
    return lines, [float(word) for word in weights.strip("[]").split(",")]


def test_weights_are_disturbed_a_little_and_nothing_else() -> None:
    (plain, same), (first, once), (second, again) = map(started, ("", "weights", "weights2"))
    assert plain[0] == first[0] == second[0]  # equal weights stay equal, random numbers stay
    assert plain[2] == first[2] == second[2] == "True 1.0"
    assert len({plain[1], first[1], second[1]}) == 3  # layers that imported the functions too
    for disturbed in (once, again):
        changes = [abs(b - a) / abs(a) for a, b in zip(same, disturbed) if a]
        assert 1e-7 < max(changes) < 1.2e-6
        assert all(abs(b) <= abs(a) for a, b in zip(same, disturbed))
    assert once != again


def test_seeds_are_others() -> None:
    (plain, _), (other, _) = started(""), started("seeds")
    assert other[0].startswith("True ")
    assert not set(plain[0].split()[1:]) & set(other[0].split()[1:])


UNLIKE = """
import os

print("a line")
print(os.environ.get("CNNBOOK_SHAKE", "AVX"))
"""
STRICTER = 'assert os.environ.get("CNNBOOK_SHAKE") is None, "a band"'
DRAWS = 'plots.show(plots.bar(30 if "CNNBOOK_SHAKE" in os.environ else 20), alt="a bar")'


@pytest.fixture
def unlike(book: Book) -> Book:
    """A book with cells that are not robust: a line, an assertion, a picture."""

    def add(nb: notebooks.NotebookNode) -> None:
        figure = nb.cells[5].outputs
        cells = [code(UNLIKE, printed("a line\nAVX\n")), code(STRICTER), code(DRAWS, *figure)]
        for number, cell in enumerate(cells, 18):
            cell.execution_count = number
        nb.cells.extend(cells)

    book.edit(add)
    return book


def command(book: Book, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Call the tool as `make shake` does."""
    monkeypatch.setattr(sys, "argv", ["shake", "--root", str(book.root), *words])
    shake.main()


def test_each_cell_that_is_not_robust_is_a_line(
    unlike: Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^Not robust: 3 cells, in 1 chapters\.$"):
        command(unlike, monkeypatch, "--all", "--kind=weights")
    kind, line, band, picture, summary = capsys.readouterr().out.splitlines()
    assert kind == f"weights (weights disturbed by 1e-6): {unlike.path.stem} …"
    assert line == f"  {unlike.path}: In [18]: gives 'weights', but 'AVX' is stored"
    assert band.startswith(f"  {unlike.path}: In [19]: AssertionError: a band at assert os.environ")
    assert picture.startswith(f"  {unlike.path}: In [20]: picture 1 differs from the stored one by")
    assert summary.startswith("  3 cells differ, ")


def test_with_other_seeds_bands_must_hold_and_outputs_may_differ(unlike: Book) -> None:
    (band,) = shake.shake([unlike.path], unlike.root, shake.KINDS["seeds"])
    assert "In [19]: AssertionError: a band" in band


def test_what_a_cell_lost_is_told() -> None:
    lost = "Traceback:\nMissing output fields from running code: {'stdout'}\n"
    assert shake.reason(lost) == "Missing output fields from running code: {'stdout'}"
    shorter = "Traceback:\n  'a\\nb' == 'a'\n  \n    a\n  + b\n"
    assert shake.reason(shorter) == "gives nothing, but 'b' is stored"


def test_the_cheap_kinds_come_in_turn_where_none_is_named(
    book: Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shake, "shake", lambda *_: [])
    command(book, monkeypatch, str(book.path))
    told = capsys.readouterr().out
    assert re.findall(r"^(\w+) \(", told, re.MULTILINE) == ["weights", "kernels", "threads"]
    assert told.endswith("Robust: 1 chapters.\n")


def git(root: Path, *words: str) -> str:
    """Call git."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(["git", *who, *words], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_lot_is_that_of_the_commit_to_come(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    (tmp_path / ".gitignore").write_text("ignored\n")
    (tmp_path / "ignored").write_text("1")
    before = git(tmp_path, "status", "--porcelain")
    lot = shake.tree_hash(tmp_path)
    assert git(tmp_path, "status", "--porcelain") == before
    assert git(tmp_path, "count-objects") == "0 objects, 0 kilobytes"
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-q", "-m", "a")
    assert shake.tree_hash(tmp_path) == lot == git(tmp_path, "rev-parse", "HEAD^{tree}")
    (tmp_path / "a").write_text("2")
    assert shake.tree_hash(tmp_path) != lot


def test_without_git_it_says_what_to_name(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(book.root.parent))
    with pytest.raises(SystemExit, match=r"^Not shaken: .*not a git repo.*name chapters with NB="):
        command(book, monkeypatch)


def test_another_lot_draws_another_third_and_each_chapter_has_its_turn_of_each_kind() -> None:
    names = [Path(f"notebooks/part/{number}.ipynb") for number in range(17)]
    lots = [shake.drawn(names, str(number), 3) for number in range(90)]
    assert {tuple(map(len, lot)) for lot in lots} == {(2, 2, 2)}
    assert all(len(set().union(*lot)) == 6 for lot in lots)  # nothing is dealt twice
    assert len({str(lot) for lot in lots}) > 80
    for hand in range(3):
        assert set().union(*(lot[hand] for lot in lots)) == set(names)


def test_chapters_that_were_drawn_are_run_under_one_kind_each(
    book: Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shake, "tree_hash", lambda _: "0")
    monkeypatch.setattr(shake, "shake", lambda *_: [])
    command(book, monkeypatch)
    told = capsys.readouterr().out
    assert re.findall(r"^(\w+) \(", told, re.MULTILINE) == ["weights"]  # a book of one chapter
    assert told.endswith("Robust: 1 chapters.\n")
