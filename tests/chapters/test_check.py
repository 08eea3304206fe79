"""Each thing that a chapter must not be is found, and the sentence says what to do."""

import re
import sys
from collections.abc import Callable

import nbformat
import pytest
from minibook import Book, code, judged, png, printed
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output, new_raw_cell

from tools.chapters import check, notebooks

RUN = "run 'make notebooks NB=notebooks/part/round-things.ipynb'"
SETUP, IMPORTS, EXPORT, PRINT, FIGURE, EXERCISES, TASK, STUB, CHECK, SOLUTION = range(1, 11)


def found(book: Book, change: Callable[[NotebookNode], object]) -> str:
    """The one problem that a change brings, when everything else is as if it had been run."""
    (problem,) = problems_after(book, change)
    return problem


def problems_after(book: Book, change: Callable[[NotebookNode], object]) -> list[str]:
    """The problems that a change brings, when everything else is as if it had been run."""
    book.edit(change)
    book.stamp()
    return book.problems()


def display(**data: str) -> NotebookNode:
    """An output with data."""
    return new_output("display_data", {key.replace("_", "/"): text for key, text in data.items()})


def test_a_chapter_that_is_right_has_no_problems(book: Book) -> None:
    assert book.problems() == []


def test_command_prints_each_problem_and_fails(
    book: Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["check", "--root", str(book.root)])
    check.main()
    assert capsys.readouterr().out == "Notebooks: 1, exports in sync, stamps fresh, clean.\n"
    book.edit(lambda nb: nb.cells[PRINT].metadata.update(tags=["stepper"]))
    with pytest.raises(SystemExit, match="Problems: 1, in a book of 1 notebooks"):
        check.main()
    assert capsys.readouterr().out == (
        f"{book.path}: cell 5 (In [4]): a stepper shows at least two pictures: show each step\n"
    )


def test_a_digit_changed_in_an_exported_cell(book: Book) -> None:
    book.replace("radius**2", "radius**3")
    assert book.problems() == [
        "cnnbook/networks/round_things.py: differs from the exported cells of its chapter: "
        "run 'make export' (and change only the chapter)",
        f"{book.path}: its code, the part of cnnbook it uses, or a stored output changed since "
        f"it was run: {RUN}",
    ]


@pytest.mark.parametrize("cell", [PRINT, FIGURE])
def test_a_stored_output_deleted(book: Book, cell: int) -> None:
    book.edit(lambda nb: nb.cells[cell].update(outputs=[]))
    assert any("a stored output changed since it was run" in line for line in book.problems())


def test_a_cell_that_was_not_run(book: Book) -> None:
    problem = found(book, lambda nb: nb.cells[PRINT].update(execution_count=None))
    assert problem == f"{book.path}: was not run once from top to bottom: {RUN}"


def test_a_cell_that_is_not_python(book: Book) -> None:
    book.edit(lambda nb: nb.cells[PRINT].update(source="print("))
    (problem,) = book.problems()
    assert problem.startswith(f"{book.path}: cell 5 (In [4]): is not Python (")


def test_a_file_that_is_no_notebook(book: Book) -> None:
    path = book.root / book.path
    path.write_text(path.read_text()[:-20])
    (problem,) = set(book.problems())
    assert problem.startswith(f"{book.path}: no valid notebook (")
    assert problem.endswith("mend it, or take it from git")


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("README.md", b"\xff\xfe", "byte 0 is no UTF-8"),
        ("_toc.yml", b"a: [", "no valid YAML in line 1"),
        ("_config.yml", b"<<<<<<< HEAD\na: 1\n=======\n", "no valid YAML in line"),
        ("pyproject.toml", b"[project\n", "no valid TOML (Expected"),
        ("cnnbook/facts/classics.yaml", b"", "holds no entries"),
        ("cnnbook/plots.py", b"name = '\xe9'\n", "byte 8 is no UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_alone(
    book: Book, file: str, content: bytes, sentence: str
) -> None:
    path = book.root / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    (problem,) = book.problems()
    assert problem.startswith(f"{file}: {sentence}")
    assert problem.endswith(f": mend it, or take it back: git checkout {file}")


def test_a_notebook_that_is_no_utf8(book: Book) -> None:
    path = book.root / book.path
    path.write_bytes(path.read_bytes()[:500] + b"\xff" + path.read_bytes()[500:])
    (problem,) = book.problems()
    assert problem.startswith(f"{book.path}: no valid notebook (")


@pytest.mark.parametrize("cut", [-3, -40])
def test_a_picture_that_is_cut_short(book: Book, cut: int) -> None:
    def shorten(notebook: NotebookNode) -> None:
        data = notebook.cells[FIGURE].outputs[0].data
        data["image/png"] = data["image/png"].strip()[:cut]

    assert "its picture is cut short: " in found(book, shorten)


def test_an_exercise_that_asks_nothing(book: Book) -> None:
    def delete(notebook: NotebookNode) -> None:
        cell = notebook.cells[TASK]
        cell.source = cell.source.partition("\n")[0]

    assert "asks nothing: write the task below it" in found(book, delete)


def test_a_notebook_against_the_format(book: Book) -> None:
    path = book.root / book.path
    path.write_text(path.read_text().replace('"cell_type": "code"', '"cell_type": "cod"', 1))
    (problem,) = set(book.problems())
    assert problem.startswith(f"{book.path}: no valid notebook (")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda nb: nb.metadata.update(widgets={}), "metadata is not in the book's form: " + RUN),
        (lambda nb: nb.metadata.language_info.update(version="3.11.7"), "in the book's form"),
        (
            lambda nb: nb.cells[PRINT].metadata.update(scrolled=True),
            "cells carry metadata scrolled: " + RUN,
        ),
        (lambda nb: nb.cells[0].update(source="Round things"), "must be Markdown and begin with"),
        (lambda nb: nb.cells.append(new_markdown_cell(" ")), "is empty: delete it"),
        (lambda nb: nb.cells.append(new_markdown_cell("# Two")), "'Two' has #: write ##"),
        (lambda nb: nb.cells.append(new_markdown_cell("##### Deep")), "'Deep' has #####: write #"),
        (lambda nb: nb.cells.append(new_raw_cell("raw")), "a raw cell: write Markdown or code"),
    ],
)
def test_form(book: Book, change: Callable[[NotebookNode], object], sentence: str) -> None:
    assert any(sentence in line for line in problems_after(book, change))


def test_a_notebook_saved_by_colab(book: Book) -> None:
    path = book.root / book.path
    text = path.read_text().replace('"nbformat_minor": 5', '"nbformat_minor": 0')
    path.write_text(re.sub(r'^   "id": ".*",\n', "", text, flags=re.MULTILINE))
    sentence = f"{book.path}: its metadata is not in the book's form: {RUN}"
    assert sentence in book.problems()
    book.edit(notebooks.tidy)
    assert book.problems() == []


def test_two_cells_with_one_id(book: Book) -> None:
    path = book.root / book.path
    path.write_text(path.read_text().replace(book.read().cells[0].id, book.read().cells[1].id))
    first, second = book.problems()
    assert f"{book.path}: cell 1: another cell has its id" in first
    assert f"{book.path}: cell 2 (In [1]): another cell has its id" in second


def test_an_unknown_tag(book: Book) -> None:
    problem = found(book, lambda nb: nb.cells[PRINT].metadata.update(tags=["hide-output"]))
    assert "cell 5 (In [4]): unknown tag hide-output: remove it; known are export, " in problem


def test_a_tag_on_text(book: Book) -> None:
    problem = found(book, lambda nb: nb.cells[EXERCISES].metadata.update(tags=["export"]))
    assert "unknown tag export: remove it; a Markdown cell has none" in problem


@pytest.mark.parametrize(
    "change",
    [
        lambda nb: nb.cells[SETUP].update(source=nb.cells[SETUP].source.replace("-q ", "")),
        lambda nb: nb.cells[SETUP].metadata.update(tags=["colab-setup"]),
        lambda nb: nb.cells.insert(1, code("x = 1")),
        lambda nb: nb.cells.pop(SETUP),
    ],
)
def test_the_set_up_cell(book: Book, change: Callable[[NotebookNode], object]) -> None:
    sentence = f"{book.path}: the set-up cell is missing, moved or changed: {RUN}"
    assert sentence in problems_after(book, change)
    book.edit(lambda nb: notebooks.write_setup(nb, book.root))
    assert sentence not in book.problems()


def test_a_new_version_of_the_book_asks_for_new_set_up_cells_only(book: Book) -> None:
    project = book.root / "pyproject.toml"
    project.write_text(project.read_text().replace('\nversion = "', '\nversion = "9.'))
    assert [line.split(": ")[1] for line in book.problems()] == [
        "the set-up cell is missing, moved or changed"
    ]


def test_a_fork_installs_its_own_package(book: Book) -> None:
    config = book.root / "_config.yml"
    config.write_text(config.read_text().replace("github.com/cnnbook/", "github.com/ada/"))
    notebook = book.read()
    notebooks.write_setup(notebook, book.root)
    assert "https://github.com/ada/cnnbook/releases/" in notebook.cells[SETUP].source
    assert "github.com/cnnbook/" not in notebook.cells[SETUP].source


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (printed("x" * 16_001), "prints more than 16 kB of text: print less"),
        (printed("/home/ada/data"), "prints the path /home/ada of one machine: do not print it"),
        (display(text_plain="<A at 0x7f48>"), "prints an address (at 0x7f48): end with _ = …"),
        (display(image_svg="<svg/>"), "output image/svg: show image/png, text/html"),
        (new_output("stream", name="stderr", text="hm"), "prints to stderr: remove the cause"),
        (new_output("error", ename="E", evalue="", traceback=[]), "stored E: mend it, or tag"),
    ],
)
def test_outputs(book: Book, output: NotebookNode, sentence: str) -> None:
    problem = found(book, lambda nb: nb.cells[PRINT].outputs.append(output))
    assert problem.startswith(f"{book.path}: cell 5 (In [4]): ")
    assert sentence in problem


def test_an_error_that_is_announced(book: Book) -> None:
    def change(nb: NotebookNode) -> None:
        nb.cells[PRINT].outputs = [new_output("error", ename="E", evalue="", traceback=[])]
        nb.cells[PRINT].metadata.tags = ["raises-exception"]

    assert problems_after(book, change) == []


@pytest.mark.parametrize(
    ("body", "kind", "handler", "whose"),
    [
        ("net(image)", "RuntimeError", "print(str(e)[:57])", "torch's"),
        ("nn.Conv2d(18, 36, 3, groups=4)", "ValueError", "print('refused:', e)", "torch's"),
        ("x = [F.relu(net)]", "(TypeError, ValueError)", "print(f'{e}')", "torch's"),
        ("net(image)", "RuntimeError", "print('refused')", "ours"),
        ("output_size(4, 3)", "ValueError", "print(e)", "ours"),
        ("nn.Conv2d(18, 36, 3, groups=4)", "ValueError", "raise Wrong from e", "ours"),
    ],
)
def test_error_messages_of_torch_are_not_printed(
    book: Book, body: str, kind: str, handler: str, whose: str
) -> None:
    source = f"try:\n    {body}\nexcept {kind} as e:\n    {handler}"
    problems = problems_after(book, lambda nb: nb.cells[PRINT].update(source=source))
    said = [line for line in problems if "prints an error message of torch: print your" in line]
    assert len(said) == (whose == "torch's")


def test_a_semicolon(book: Book) -> None:
    problem = found(book, lambda nb: nb.cells[PRINT].update(source="area(1);"))
    assert "ends in ;, which hides nothing in tests: end with _ = …" in problem


def test_a_picture_without_words(book: Book) -> None:
    problem = found(book, lambda nb: nb.cells[FIGURE].outputs[0].update(metadata={}))
    assert "a picture without alt text: show it with cnnbook.plots.show(fig, alt=" in problem


def test_a_picture_that_is_too_large(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "PICTURE", 90)
    assert "at most 0 kB: draw it smaller" in found(book, lambda nb: None)


def test_a_notebook_that_is_too_large(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "NOTEBOOK", 5000)
    assert "at most 5 kB: draw fewer pictures" in found(book, lambda nb: None)


def test_a_chapter_without_a_figure(book: Book) -> None:
    def change(nb: NotebookNode) -> None:
        nb.cells[FIGURE].outputs = []

    assert found(book, change) == f"{book.path}: has no figure: draw at least one"


def test_a_cell_that_draws_a_training_draws(book: Book) -> None:
    problem = found(book, lambda nb: nb.cells[PRINT].metadata.update(tags=["trained"]))
    assert "draws nothing: remove the tag trained" in problem
    assert (
        problems_after(
            book,
            lambda nb: (
                nb.cells[PRINT].metadata.pop("tags"),
                nb.cells[FIGURE].metadata.update(tags=["trained"]),
            ),
        )
        == []
    )


def test_a_stepper_with_steps(book: Book) -> None:
    def change(nb: NotebookNode) -> None:
        nb.cells[FIGURE].outputs *= 2
        nb.cells[FIGURE].metadata.tags = ["stepper"]

    assert problems_after(book, change) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda nb: nb.cells.__delitem__(slice(-4, None)), "has 3 exercises: write at least 4"),
        (
            lambda nb: nb.cells[TASK].update(source="### Exercise 7: twice\n\nTwice."),
            "'### Exercise 7: twice': write '### Exercise 1: …'",
        ),
        (
            lambda nb: nb.cells[CHECK].update(source=nb.cells[CHECK].source + "\nx = 1"),
            'its last line must be cnnbook.check(cases, "round-things.1")',
        ),
        (
            lambda nb: nb.cells[SOLUTION].update(
                source=nb.cells[SOLUTION].source.replace("(cases", "(others")
            ),
            "its last line must be cnnbook.check(cases, 'round-things.1'), as above it",
        ),
        (
            lambda nb: nb.cells[CHECK].update(outputs=[judged("round-things.1", "right: 1")]),
            "its stored verdict must find exercise round-things.1 wrong",
        ),
        (
            lambda nb: nb.cells[SOLUTION].update(outputs=[judged("round-things.1", "not yet")]),
            "its stored verdict must find exercise round-things.1 right",
        ),
        (
            lambda nb: nb.cells[SOLUTION].update(outputs=[judged("round-things.2", "right: 1")]),
            "its stored verdict must find exercise round-things.1 right",
        ),
        (
            lambda nb: nb.cells[SOLUTION].update(outputs=[printed("right: 1")]),
            "its stored verdict must find exercise round-things.1 right",
        ),
        (lambda nb: nb.cells[SOLUTION].metadata.pop("jupyter"), "a solution is folded everywhere"),
        (lambda nb: nb.cells[SOLUTION].metadata.pop("cellView"), "a solution is folded everywhere"),
        (
            lambda nb: nb.cells[SOLUTION].metadata.update(tags=["solution"]),
            "first line '# @title Solution', tags solution and hide-cell, metadata",
        ),
        (
            lambda nb: nb.cells[SOLUTION].update(
                source=nb.cells[SOLUTION].source.replace("@title", "")
            ),
            "a solution is folded everywhere",
        ),
        (
            lambda nb: nb.cells[PRINT].metadata.update(tags=["check"]),
            "belongs to no exercise: put it below '### Exercise n: …'",
        ),
    ],
)
def test_exercises(book: Book, change: Callable[[NotebookNode], object], sentence: str) -> None:
    assert sentence in found(book, change)


def test_an_exercise_without_its_parts(book: Book) -> None:
    lines = problems_after(book, lambda nb: nb.cells[STUB].metadata.pop("tags"))
    assert any("three code cells must follow, tagged exercise, check, and" in s for s in lines)


def test_text_that_would_show_raw_in_colab(book: Book) -> None:
    problem = found(
        book, lambda nb: nb.cells[0].update(source="# Round things\n\n:::{note}\nNo.\n:::")
    )
    assert problem.startswith(f"{book.path}: cell 1: a colon fence (:::): write")


def test_links_lead_somewhere(book: Book) -> None:
    def text(links: str) -> Callable[[NotebookNode], object]:
        return lambda nb: nb.cells[0].update(source=f"# Round things\n\n{links}")

    fine = "[self](round-things.ipynb) [He et al., 2015](https://arxiv.org/abs/1512.03385)"
    assert problems_after(book, text(fine)) == []
    problem = found(book, text("[next](../other/square.ipynb)"))
    assert problem == (
        f"{book.path}: cell 1: the link ../other/square.ipynb leads nowhere: "
        "write the path relative to this chapter"
    )


def test_a_word_that_is_not_used(book: Book) -> None:
    (book.root / "README.md").write_text("A book.\n\nSimply read it.\n")
    assert book.problems() == ["README.md: line 3: 'simply': leave the word out"]


def test_alt_text_and_pictures_are_read_from_a_valid_notebook(book: Book) -> None:
    nbformat.validate(book.read())
    assert book.read().cells[FIGURE].outputs[0].data["image/png"] == png()
