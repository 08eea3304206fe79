"""Of every chapter with a file of answers here: all exercises are tried, each stub is caught, and
each solution passes."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.exercises.answers import judge, numbers, solution, stub

CHAPTERS = [
    path.stem.removeprefix("test_").replace("_", "-")
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    if path != Path(__file__)
]
EXERCISES = [(chapter, number) for chapter in CHAPTERS for number in numbers(chapter)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_has_three_wrong_answers(chapter):
    module = import_module(f"tests.exercises.test_{chapter.replace('-', '_')}")
    wrong = module.WRONG  # by number, or rows that begin with it
    tried = (
        [n for n in wrong for _ in wrong[n]] if isinstance(wrong, dict) else [r[0] for r in wrong]
    )
    elsewhere = getattr(module, "ELSEWHERE", ())  # exercises with tests of their own
    assert [n for n in numbers(chapter) if tried.count(n) < 3 and n not in elsewhere] == []


@pytest.mark.parametrize(("chapter", "number"), EXERCISES)
def test_the_solution_passes_and_the_stub_does_not(chapter, number):
    assert judge(chapter, number, solution(chapter, number)).solved
    assert not judge(chapter, number, stub(chapter, number)).solved
