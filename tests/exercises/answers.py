"""Tries an answer to an exercise of a chapter, as a reader would, without running the chapter."""

import ast
import functools
from typing import Any

from nbformat import NotebookNode

from cnnbook.exercises import Verdict, verdict
from tools.chapters import notebooks

DEFINES = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


@functools.cache
def chapter(name: str) -> NotebookNode:
    """The notebook of a chapter, by its file's name."""
    path = next(path for path in notebooks.chapters(notebooks.ROOT) if path.stem == name)
    return notebooks.read(path, notebooks.ROOT)


def parts(
    name: str, number: int
) -> tuple[list[NotebookNode], NotebookNode, NotebookNode, NotebookNode]:
    """The code before an exercise, its stub, its check and its solution."""
    cells = chapter(name).cells
    start = next(
        i for i, cell in enumerate(cells) if cell.source.startswith(f"### Exercise {number}:")
    )
    before = [cell for cell in cells[:start] if cell.cell_type == "code"]
    return before, *cells[start + 1 : start + 4]


@functools.cache
def definitions(name: str, number: int) -> dict[str, Any]:
    """What the cells before an exercise import and define; whatever they run is left out.

    Constants in capitals count as definitions. An exercise needs no more than that, so that it can
    be tried without training anything.
    """
    body = []
    for cell in parts(name, number)[0]:
        if {"exercise", "check", "solution", "colab-setup"} & notebooks.tags(cell):
            continue
        for statement in notebooks.parse(cell.source).body:
            constant = isinstance(statement, ast.Assign) and all(
                isinstance(target, ast.Name) and target.id.isupper() for target in statement.targets
            )
            if isinstance(statement, DEFINES) or constant:
                body.append(statement)
    names: dict[str, Any] = {"__name__": "answers"}
    exec(compile(ast.Module(body, []), name, "exec"), names)
    return names


def judge(name: str, number: int, answer: str) -> Verdict:
    """The verdict on an answer, which is Python that takes the place of the stub."""
    _, _, check, _ = parts(name, number)
    *body, call = ast.parse(check.source).body
    cases, exercise = call.value.args
    names = dict(definitions(name, number))
    exec(compile(ast.parse(answer), "the answer", "exec"), names)
    exec(compile(ast.Module(body, []), "the check", "exec"), names)
    return verdict(names[cases.id], exercise.value)


def stub(name: str, number: int) -> str:
    """What stands in the chapter before anything is answered."""
    return parts(name, number)[1].source


def solution(name: str, number: int) -> str:
    """The chapter's own solution, without its check."""
    *_, cell = parts(name, number)
    return ast.unparse(ast.Module(ast.parse(cell.source).body[:-1], []))


def numbers(name: str) -> list[int]:
    """The numbers of a chapter's exercises."""
    headings = [cell.source for cell in chapter(name).cells if cell.cell_type == "markdown"]
    return list(range(1, 1 + sum(text.startswith("### Exercise ") for text in headings)))
