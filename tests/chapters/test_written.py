"""A page that a program wrote is not changed by hand."""

from pathlib import Path

import pytest

from tools.chapters import written


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A book with one page as its program wrote it."""
    (tmp_path / "book").mkdir()
    written.write("book/benchmarks.md", "# Benchmarks\n\n| ours | 1.01 |\n", tmp_path)
    return tmp_path


def test_a_page_as_it_was_written_is_right(root: Path) -> None:
    assert not [*written.problems(root)]
    before = (root / "book/benchmarks.md").read_text()
    assert before.startswith("# Benchmarks\n\n| ours | 1.01 |\n\n<!-- Written by `make bench`: ")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("1.01", "0.51"),
        lambda text: text + "And a sentence.\n",
        lambda text: text.split("<!--")[0],
        lambda text: text.replace("make bench", "make test"),
    ],
)
def test_a_page_that_a_hand_has_changed_is_told(root: Path, change) -> None:
    page = root / "book/benchmarks.md"
    page.write_text(change(page.read_text()))
    (problem,) = written.problems(root)
    assert problem == (
        "book/benchmarks.md: is not what a program wrote: take it back (git checkout "
        "book/benchmarks.md), or write it anew: make bench"
    )


def test_every_page_that_says_a_program_wrote_it_is_held() -> None:
    sealed = {
        path.as_posix()
        for path in Path("book").glob("*.md")
        if "<!-- Written by " in path.read_text(encoding="utf-8")
    }
    assert sealed == set(written.PAGES)
