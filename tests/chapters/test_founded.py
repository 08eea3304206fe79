"""A number in a chapter's text that comes from nowhere is found."""

import re
from pathlib import Path

import pytest
import yaml
from minibook import Book

from tools.chapters import check, founded


def asked(book: Book) -> list[str]:
    """What is said of numbers in the small book."""
    return [*founded.problems(book.root)]


def said(book: Book, text: str) -> list[str]:
    """The numbers of a text that are asked for, when it stands in the small book's chapter."""
    book.edit(lambda nb: nb.cells[0].update(source=nb.cells[0].source + f"\n\n{text}"))
    return [re.search(r": (\S+) stands in no output", line)[1] for line in asked(book)]


def test_the_small_book_has_no_number_without_a_source(book: Book) -> None:
    assert asked(book) == []


@pytest.mark.parametrize(
    "text",
    [
        "It has 9999 of them.",
        "An error of 98.76 %.",
        "$9{,}999$ parameters",
        "| a | 9,999 |",
        "ResNet-9999 has a name that nobody gave.",
        "It was 3997 when it began.",
    ],
)
def test_a_number_from_nowhere_is_asked_for(book: Book, text: str) -> None:
    (number,) = said(book, text)
    assert number in text.replace("{,}", ",")


@pytest.mark.parametrize(
    "text",
    [
        "In 2015 there were three.",
        "See Section 4.13 and Tables 17, 18 and 19.",
        "[He et al.](https://arxiv.org/abs/1512.03385), `9999`, https://example.org/9999",
        "[Polyak](https://doi.org/10.1016/0041-5553(64)90137-5) and [pytorch#23796](page)",
        "$8 \\cdot 8 = 64$ pixels",
        "8 × (9 + 11) are 160.",
    ],
)
def test_a_number_that_explains_itself_is_not(book: Book, text: str) -> None:
    assert said(book, text) == []


def test_a_number_may_be_rounded(book: Book) -> None:
    known = founded.roundings("25,557,032 0.84937 1234")
    read = {"25.6": 1, "25.56": 2, "25,557": 0, "84.9": 1, "85": 0, "1.2": 1, "25,557,032": 0}
    assert {number for number, p in read.items() if (p, founded.value(number)) in known} == {*read}
    assert not {(1, 25.7), (2, 25.55), (0, 84), (0, 1235)} & known


def test_a_source_answers_for_its_number_and_for_no_other(book: Book) -> None:
    sources = book.root / founded.SOURCES
    sources.parent.mkdir()
    sources.write_text(
        f'{book.path}:\n  - numbers: ["9,999", "77.7"]\n    source: somebody\n'
        "notebooks/part/gone.ipynb:\n  - numbers: []\n    source: somebody\n"
    )
    book.edit(lambda nb: nb.cells[0].update(source=nb.cells[0].source + "\n\n9,999 and 9,998."))
    lacking, spare, gone = asked(book)
    assert ": 9,998 stands in no output, no code and no facts: compute it, or give" in lacking
    assert spare == f"book/sources.yaml: {book.path} has no 77.7: take it out"
    assert gone == "book/sources.yaml: there is no notebooks/part/gone.ipynb"


def test_check_asks(book: Book) -> None:
    book.edit(lambda nb: nb.cells[0].update(source=nb.cells[0].source + "\n\nIt has 9999."))
    book.stamp()
    assert any("9999 stands in no output" in line for line in check.problems(book.root))


def test_every_entry_of_the_book_names_a_source() -> None:
    entries = yaml.safe_load(Path(founded.SOURCES).read_text(encoding="utf-8"))
    for path, listed in entries.items():
        for entry in listed:
            assert entry.keys() == {"numbers", "source"}, path
            assert entry["numbers"], path
            assert len(entry["source"]) > 10, path
            assert all(isinstance(number, str) for number in entry["numbers"]), path
