import contextlib
import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import cnnbook
from cnnbook.exercises import Verdict, verdict

PICTURE = torch.arange(75.0).view(1, 3, 5, 5).square()


def judged(got, right, *hint) -> Verdict:
    return verdict(lambda: [("f(1)", got, right, *hint)], "chapter.1")


@pytest.mark.parametrize(
    ("got", "right"),
    [
        (5.0, 5),
        (5, 5.0),
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.True_, True),
        (torch.tensor(5), 5),
        (torch.tensor(0.5), 0.5),
        (0.1 + 0.2, 0.3),
        ([1, 2], (1, 2)),
        (torch.tensor([1, 2]), (1, 2)),
        (np.array([1, 2]), (1, 2)),
        (np.array([[0.5, 1.0], [2.0, 3.0]]), [(0.5, 1.0), (2.0, 3.0)]),
        ((0.1 + 0.2, 1.0), (0.3, 1.0)),
        ([1.0, 2.0], torch.tensor([1.0, 2.0])),
        (torch.tensor([1, 2]), torch.tensor([1.0, 2.0])),
        ((torch.ones(2), [torch.zeros(2)]), (torch.ones(2), (torch.zeros(2),))),
        ("same", "same"),
        ({1, 2}, {1, 2}),
        (float("nan"), float("nan")),
        (None, None),
    ],
)
def test_a_right_answer_is_right_in_every_form(got, right):
    assert judged(got, right).solved


@pytest.mark.parametrize(
    ("got", "right", "told"),
    [
        (None, 5, "nothing is returned yet"),
        (6, 5, "gave 6, which is too large"),
        (4.5, 5, "where a whole number is wanted"),
        (0.25, 0.5, "too small"),
        (float("inf"), 0.5, "where a finite number is wanted"),
        (True, 1, "where a number is wanted"),
        (1, True, "gave 1"),
        (lambda: 0, 5, "gave a function, where"),
        ("a", "b", "gave 'a'"),
        ([1], (1, 2), "1 instead of 2 values"),
        ((1, 3, 3), (1, 2, 2), "wrong in place 2, 3 of 3"),
        (5, (1, 2), "where 2 values are wanted"),
        ("five", torch.ones(2), "where a tensor is wanted"),
        (torch.tensor([11689513]), torch.tensor([11689512]), "1 of 1 values are wrong"),
        (torch.zeros(2, 3), torch.ones(3, 2), "shape (2, 3), where (3, 2) is wanted"),
        (PICTURE.roll(1, -1), PICTURE, "moved right by one pixel"),
        (PICTURE.roll(-1, -1), PICTURE, "moved left by one pixel"),
        (PICTURE.roll(1, -2), PICTURE, "moved down by one pixel"),
        (PICTURE.roll(-1, -2), PICTURE, "moved up by one pixel"),
        (PICTURE.flip(-1), PICTURE, "left and right are exchanged"),
        (PICTURE.flip(-2), PICTURE, "top and bottom are exchanged"),
        (PICTURE[..., :3, :3].flip(-1), PICTURE[..., :3, :3], "left and right are exchanged"),
        (PICTURE.flip(-1, -2), PICTURE, "turned by half"),
        (PICTURE.mT, PICTURE, "rows and columns are exchanged"),
        (-PICTURE, PICTURE, "the sign is wrong"),
        (2 * PICTURE, PICTURE, "2 times what it should be"),
        (PICTURE + 3, PICTURE, "off by the same amount"),
        (PICTURE / 0, PICTURE, "not all of its numbers are finite"),
        (torch.nn.functional.pad(PICTURE[..., 1:-1, 1:-1], (1,) * 4), PICTURE, "only the border"),
    ],
)
def test_a_wrong_answer_is_told_and_the_right_one_is_not(got, right, told):
    found = judged(got, right)
    assert not found.solved
    assert told in found.failed
    assert "right is" not in found.text(hint=True)
    assert "right is" in found.text(answer=True)


@given(st.one_of(st.integers(), st.floats(-1e9, 1e9), st.booleans(), st.text(max_size=3)))
def test_every_value_is_right_where_it_is_right(value):
    assert judged(value, value).solved


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_whole_numbers_are_compared_exactly(got, right):
    assert judged(got, right).solved == (got == right)


def test_the_cases_are_counted():
    found = verdict(lambda: [("f(1)", 1, 1), ("f(2)", 5, 4), ("f(3)", 9, 9)], "squares.1")
    assert (found.id, found.passed, found.of) == ("squares.1", 1, 3)


def test_an_error_in_the_readers_code_is_told_with_its_line():
    def reciprocal(x):
        return 1 // x

    def cases():
        yield "f(1)", reciprocal(1), 1
        yield "f(0)", reciprocal(0), 0

    found = verdict(cases)
    assert (found.passed, found.of) == (1, None)
    assert "after 1 right, ZeroDivisionError (line" in found.failed
    assert "of reciprocal" in found.failed


def test_the_hint_comes_with_the_second_failure(capsys):
    def cases():
        yield "f(1)", 6, 5, "Count the fingers."

    cnnbook.check(cases, "hints.1")
    assert "hint" not in capsys.readouterr().out
    cnnbook.check(cases, "hints.1")
    assert "hint: Count the fingers." in capsys.readouterr().out
    cnnbook.check(cases, "hints.2")
    assert "hint" not in capsys.readouterr().out


def test_a_notebook_stores_the_verdict_beside_its_words(monkeypatch):
    monkeypatch.setattr("cnnbook.exercises._in_notebook", lambda: True)
    shown = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, raw, metadata: shown.append((data, metadata))
    )
    with contextlib.redirect_stdout(io.StringIO()) as said:
        cnnbook.check(lambda: [("f(1)", 6, 5)], "stored.1")
    ((data, metadata),) = shown
    assert said.getvalue() == ""
    assert data == {"text/plain": "not yet: f(1) gave 6, which is too large"}
    told = {"id": "stored.1", "passed": 0, "of": 1, "solved": False}
    assert metadata == {"cnnbook": told}
    json.dumps(metadata)


@pytest.mark.parametrize(
    ("got", "right"),
    [
        (torch.tensor([1 + 2j]), torch.tensor([1 + 5j])),
        (torch.tensor([2**60 + 1]), torch.tensor([2**60])),
        (1e-5, 2e-5),
        ({"a": torch.ones(2)}, {"a": torch.zeros(2)}),
    ],
)
def test_what_is_close_in_no_way_is_wrong(got, right):
    assert verdict(lambda: iter([("f()", got, right)])).failed
    assert verdict(lambda: iter([("f()", right, right)])).solved
