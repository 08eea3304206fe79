"""Experiments are repeated with other constants; nothing is stored, and what fails is told."""

import sys

import pytest
from minibook import Book, code

from tools.chapters import notebooks, repeat

EXPERIMENT = """
SEEDS = range(3)
EPOCHS = 2  # a short training
RATE = 0.05
IMAGES = 100
print(f"seeds {list(SEEDS)}, {EPOCHS} epochs, rate {RATE}, {IMAGES} images")
"""


@pytest.fixture
def experiment(book: Book) -> Book:
    """A book whose chapter has an experiment."""
    book.edit(
        lambda nb: nb.cells.extend(
            [
                code(EXPERIMENT, tags="nbval-ignore-output"),
                code("print('not what was measured')"),
                code("low = 0.1\nassert RATE < low"),
                code("print('measured afterwards')", tags="nbval-ignore-output"),
            ]
        )
    )
    return book


def command(book: Book, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Call the tool as `make repeat` does."""
    monkeypatch.setattr(sys, "argv", ["repeat", "--root", str(book.root), *words, str(book.path)])
    repeat.main()


def test_what_was_measured_is_printed_and_nothing_stored(
    experiment: Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (experiment.root / experiment.path).read_bytes()
    with pytest.raises(SystemExit) as end:
        command(experiment, monkeypatch, "--seeds=4", "--longer=2", "--rate=0.01", "--rate=0.2")
    assert end.value.code == 1
    out = capsys.readouterr().out
    low, high = out.split("RATE = 0.2:")
    assert "seeds [0, 1, 2, 3], 4 epochs, rate 0.01, 100 images" in low
    assert "does not hold" not in low
    assert "seeds [0, 1, 2, 3], 4 epochs, rate 0.2, 100 images" in high
    assert "(In [20]): does not hold: assert RATE < low" in high
    assert high.index("does not hold") < high.index("measured afterwards")  # it goes on
    assert "not what was measured" not in out
    assert (experiment.root / experiment.path).read_bytes() == before


def test_an_error_ends_the_run(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.edit(lambda nb: nb.cells.extend([code("SEEDS = range(2)"), code("SEEDS + 1")]))
    with pytest.raises(SystemExit, match=r"cell 25 \(In \[19\]\): TypeError: "):
        command(book, monkeypatch, "--seeds=1")


@pytest.mark.parametrize(
    ("words", "form"),
    [
        ("--seeds=10", "SEEDS = range"),
        ("--longer=2", "EPOCHS = 2 or STEPS = 80"),
        ("--rate=0.1", "RATE = 0.05"),
    ],
)
def test_a_chapter_without_the_constant_says_how_to_write_it(
    book: Book, monkeypatch: pytest.MonkeyPatch, words: str, form: str
) -> None:
    with pytest.raises(SystemExit, match=f"no cell begins with {form}"):
        command(book, monkeypatch, words)


def test_only_constants_at_the_top_of_a_cell_are_changed() -> None:
    source = "def f():\n    SEEDS = range(3)\n\n\nSTEPS = len(x)\nNAME = 'µ'; STEPS = 80; rate = 1"
    new, names = repeat.changed(source, 9, 1.5, 0.5)
    assert new == source.replace("STEPS = 80", "STEPS = 120")
    assert names == {"STEPS"}


def test_a_value_of_several_lines_is_replaced_whole() -> None:
    new, _ = repeat.changed("SEEDS = [\n    1,\n    2,\n]  # two\nx = 1", 3, 1, None)
    assert new == "SEEDS = range(3)  # two\nx = 1"
    assert notebooks.parse(new)
