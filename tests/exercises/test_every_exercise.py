"""Every exercise of every chapter that has a file here with right and wrong answers to it.

Stubs are caught, solutions pass, right answers in other forms pass as well, and wrong ones are
refused in useful words.
"""

from importlib import import_module
from pathlib import Path

import pytest

from tests.exercises.answers import judge, numbers, solution, stub

FILES = [
    path.stem
    for path in sorted(Path(__file__).parent.glob("*.py"))
    if path.stem not in ("__init__", "answers", Path(__file__).stem)
]
ANSWERS = {
    stem.removeprefix("test_").replace("_", "-"): import_module(f"tests.exercises.{stem}")
    for stem in FILES
}
EXERCISES = [(chapter, number) for chapter in ANSWERS for number in numbers(chapter)]
RIGHT = [(chapter, *row) for chapter, answers in ANSWERS.items() for row in answers.RIGHT]
WRONG = [
    (chapter, *row)
    for chapter, answers in ANSWERS.items()
    for row in (
        [(n, *pair) for n in answers.WRONG for pair in answers.WRONG[n].items()]
        if isinstance(answers.WRONG, dict)
        else answers.WRONG
    )
]


@pytest.mark.parametrize(("chapter", "number"), EXERCISES)
def test_every_exercise_has_three_wrong_answers(chapter, number):
    elsewhere = getattr(ANSWERS[chapter], "ELSEWHERE", ())  # exercises with tests of their own
    tried = sum(row[:2] == (chapter, number) for row in WRONG)
    assert tried >= 3 or number in elsewhere


@pytest.mark.parametrize(("chapter", "number"), EXERCISES)
def test_the_solution_passes_and_the_stub_does_not(chapter, number):
    assert judge(chapter, number, solution(chapter, number)).solved
    assert not judge(chapter, number, stub(chapter, number)).solved


@pytest.mark.parametrize(("chapter", "number", "answer"), RIGHT)
def test_a_right_answer_in_another_form_passes(chapter, number, answer):
    found = judge(chapter, number, answer)
    assert found.solved, found.text(hint=True)


@pytest.mark.parametrize(("chapter", "number", "answer", "told"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(chapter, number, answer, told):
    found = judge(chapter, number, answer)
    assert not found.solved
    assert told in found.failed
