"""Notebooks are run, stamped and stored; run again, they must say and draw the same."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from minibook import Book, code

from tools.chapters import notebooks, run, verify


def stored(book: Book) -> bytes:
    """The chapter's file."""
    return (book.root / book.path).read_bytes()


def command(book: Book, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Call the tool as `make notebooks` does."""
    monkeypatch.setattr(sys, "argv", ["run", "--root", str(book.root), *names])
    run.main()


def nbval(book: Book) -> str:
    """What pytest says about the chapter, tested as `make test` does, in this one process."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *verify.nbval(), "-n0", "--color=no", str(book.path)],
        cwd=book.root,
        env=run.environment(book.root),
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_a_run_stores_what_the_checks_and_the_tests_want(
    book: Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(book, monkeypatch)
    assert capsys.readouterr().out == "Every notebook is fresh.\n"

    def spoil(nb: notebooks.NotebookNode) -> None:
        nb.metadata.language_info.version = "3.99"
        nb.cells[1].source = "import cnnbook"
        for cell in notebooks.code_cells(nb):
            cell.outputs, cell.execution_count = [], None

    good = book.read()
    book.edit(spoil)
    command(book, monkeypatch)
    assert "round-things.ipynb: run and stamped, " in capsys.readouterr().out
    assert book.problems() == []
    again = book.read()
    assert again.metadata.cnnbook.pop("seconds") >= 1
    assert again == good
    assert "17 passed" in nbval(book)


def test_a_cell_that_fails_leaves_the_stored_notebook_as_it_was(
    book: Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    book.replace("area(1)", "area('one')")
    before = stored(book)
    with pytest.raises(SystemExit):
        command(book, monkeypatch)
    message = capsys.readouterr().err
    assert message.startswith(f"{book.path}: cell 5 (In [4]): TypeError: ")
    assert "the stored notebook is as it was" in message.splitlines()[0]
    assert "area('one')" in message
    assert "\x1b" not in message
    assert stored(book) == before


def test_an_announced_error_is_stored(book: Book) -> None:
    book.edit(lambda nb: nb.cells.append(code("1 / 0", tags="nbval-raises-exception")))
    asyncio.run(run.run(book.path, book.root))
    assert book.read().cells[-1].outputs[0].ename == "ZeroDivisionError"
    assert notebooks.tags(book.read().cells[-1]) == {"nbval-raises-exception"}
    assert book.problems() == []


def test_a_name_that_is_no_chapter(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"notebooks/no\.ipynb is no chapter: name one as"):
        command(book, monkeypatch, "notebooks/no.ipynb")


def test_what_differs_from_what_is_stored_is_told_with_a_cure(book: Book) -> None:
    book.replace(":.2f", ":.3f")  # In [4] prints another text
    book.replace("bar(20)", "bar(30)")  # In [5] draws other data
    book.edit(lambda nb: nb.cells[-2].update(outputs=[]))  # In [16] lost its output
    said = nbval(book)
    cure = f"if the new output is right, store it: make notebooks NB={book.path}"
    assert f"Cell 3: Cell outputs differ in In [4] of {book.path}: {cure}" in said
    assert f"Cell 4: In [5] of {book.path}: picture 1 differs from the stored one by " in said
    assert f"Cell 15: Cell outputs differ in In [16] of {book.path}: {cure}" in said
    assert "3 failed, 14 passed" in said


def test_what_took_long_is_tested_first(book: Book) -> None:
    paths = []
    for name, seconds in (("short", 5), ("long", 100), ("new", None), ("middle", 30)):
        notebook = book.read()
        if seconds:
            notebook.metadata.cnnbook.seconds = seconds
        paths.append(book.path.with_stem(name))
        notebooks.write(book.root / paths[-1], notebook)
    ordered = verify.longest_first(paths, book.root)
    assert [path.stem for path in ordered] == ["new", "long", "middle", "short"]


def test_without_a_gpu_the_gpu_run_says_why_it_is_skipped(
    book: Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["verify", "--gpu", "--root", str(book.root)])
    verify.main()
    assert capsys.readouterr().out.startswith("GPU run skipped: torch 2.")


def test_the_gpu_run_asks_for_cuda_and_exact_float32(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def answer(command: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess:
        asked.update(env, command=command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(verify, "missing_gpu", lambda: "")
    monkeypatch.setattr(subprocess, "run", answer)
    monkeypatch.setattr(sys, "argv", ["verify", "--gpu", "--root", str(book.root)])
    with pytest.raises(SystemExit, match="0"):
        verify.main()
    assert asked["CNNBOOK_DEVICE"] == "cuda"
    assert asked["NVIDIA_TF32_OVERRIDE"] == "0"
    assert str(book.path) in asked["command"]
