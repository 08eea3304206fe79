"""The verdict on an exercise, and `check`, which shows it.

A verdict says what the reader's code gave, and what is wrong with it. It never gives the right
value away unless it is asked to.
"""

import math
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

Case = tuple[Any, ...]  # the call as text, what it gave, what is right, and perhaps a hint
_failures: Counter[str] = Counter()  # how often an exercise has failed in this session


class Verdict(NamedTuple):
    """How far an exercise is."""

    id: str  # chapter and number: "vgg.2"
    passed: int  # cases that are right
    of: int | None  # cases in all; None if an error hides how many there are
    failed: str = ""  # what the reader's code gave, and what is wrong with it
    hint: str = ""  # for whoever fails a second time
    right: str = ""  # the right value, for whoever asks

    @property
    def solved(self) -> bool:
        """Whether every case is right."""
        return not self.failed

    def text(self, *, hint: bool = False, answer: bool = False) -> str:
        """The verdict in words."""
        if self.solved:
            return f"right: {self.passed} of {self.of} checks pass"
        said = f"not yet: {self.failed}"
        if hint and self.hint:
            said += f"\nhint: {self.hint}"
        if answer and self.right:
            said += f"\nright is {self.right}"
        return said


def verdict(cases: Callable[[], Iterable[Case]], id: str = "") -> Verdict:
    """Find the first case that is not right yet.

    The cases are computed one after the other, so an error in the reader's code stops at the case
    that raised it and is told like a wrong answer.

    Args:
        cases: a generator function of `(call, got, right)` or `(call, got, right, hint)`: the call
            as text, what the reader's code gave, and what is right. Tensors and floats are
            compared to five digits, whole numbers exactly; a whole number will do for a float, a
            list for a tuple, and NumPy's numbers for Python's.
        id: chapter and number of the exercise, such as `"vgg.2"`.

    Examples:
        >>> def cases():
        ...     yield "double(1)", 2, 2
        ...     yield "double(2)", 5, 4, "Twice two is not five."
        >>> verdict(cases, "arithmetic.1").failed
        'double(2) gave 5, which is too large'
    """
    passed, total, found = 0, 0, None
    try:
        for call, got, right, *hint in cases():
            total += 1
            if found is None and (wrong := _wrong(got, right)):
                found = f"{call} {wrong}", *(hint or [""]), _show(right)
            passed += found is None
    except Exception as error:
        return Verdict(id, passed, None, *(found or (_raised(error, passed),)))
    return Verdict(id, passed, total, *(found or ()))


def check(cases: Callable[[], Iterable[Case]], id: str = "", *, answer: bool = False) -> None:
    """Show how far an exercise is: the first case that is not right yet, or that all are.

    The hint of a case, if it has one, is shown from the second failure on.

    Args:
        cases: what `verdict` takes.
        id: chapter and number of the exercise, such as `"vgg.2"`.
        answer: also show the right value.

    Examples:
        >>> def cases():
        ...     yield "double(1)", 2, 2
        ...     yield "double(2)", 5, 4
        >>> check(cases, "arithmetic.1")
        not yet: double(2) gave 5, which is too large
        >>> check(cases, "arithmetic.1", answer=True)
        not yet: double(2) gave 5, which is too large
        right is 4
    """
    found = verdict(cases, id)
    name = id or getattr(cases, "__qualname__", "")
    _failures[name] += not found.solved
    text = found.text(hint=_failures[name] > 1, answer=answer)
    if _in_notebook():  # which stores the verdict itself beside its words
        from IPython.display import display

        told = {"id": found.id, "passed": found.passed, "of": found.of, "solved": found.solved}
        display({"text/plain": text}, raw=True, metadata={"cnnbook": told})
    else:
        print(text)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return hasattr(ipython and ipython.get_ipython(), "kernel")


def _raised(error: Exception, passed: int) -> str:
    """What an error in the reader's code says, and where in it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    reason = str(error).strip().partition("\n")[0] or "no reason given"
    where = f"line {own[-1].lineno} of {own[-1].name}"
    return f"after {passed} right, {type(error).__name__} ({where}): {reason}"


# -- what is wrong with a value -----------------------------------------------------------------


def _wrong(got: Any, right: Any) -> str:
    """What is wrong with a value, as the end of a sentence; empty if nothing is."""
    if got is None and right is not None:
        return "gave None: nothing is returned yet"
    got, right = _plain(got), _plain(right)
    if isinstance(right, Tensor):
        return _wrong_tensor(got, right)
    if isinstance(right, (tuple, list)):
        return _wrong_sequence(got, right)
    if isinstance(right, dict):
        return _wrong_dictionary(got, right)
    if isinstance(right, bool) or not isinstance(right, (int, float)):
        same = type(got) is type(right) and got == right
        return "" if same else f"gave {_show(got)}"
    return _wrong_number(got, right)


def _plain(value: Any) -> Any:
    """NumPy's numbers, and arrays and tensors without axes, as Python's."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def _wrong_number(got: Any, right: float) -> str:
    if isinstance(got, bool) or not isinstance(got, (int, float)):
        return f"gave {_show(got)}, where a number is wanted"
    if got == right or (math.isnan(got) and math.isnan(right)):
        return ""
    if not math.isfinite(got):
        return f"gave {_show(got)}, where a finite number is wanted"
    if isinstance(right, int) and got != int(got):
        return f"gave {_show(got)}, where a whole number is wanted"
    if isinstance(right, float) and abs(got - right) <= 1e-5 * abs(right) + 1e-7:
        return ""
    return f"gave {_show(got)}, which is too {'small' if got < right else 'large'}"


def _wrong_sequence(got: Any, right: tuple | list) -> str:
    if hasattr(got, "tolist"):  # a tensor, an array
        got = got.tolist()
    if not isinstance(got, (tuple, list)):
        return f"gave {_show(got)}, where {len(right)} values are wanted"
    if len(got) != len(right):
        return f"gave {_show(got)}: {len(got)} instead of {len(right)} values"
    said = {k: found for k, pair in enumerate(zip(got, right), 1) if (found := _wrong(*pair))}
    if not said:
        return ""
    places = ", ".join(map(str, said))
    return f"gave {_show(got)}: wrong in place {places} of {len(right)}"


def _wrong_dictionary(got: Any, right: dict) -> str:
    if not isinstance(got, dict):
        return f"gave {_show(got)}, where a dictionary is wanted"
    if got.keys() != right.keys():
        return f"gave {_show(got)}: the keys are not those that are wanted"
    wrong = [key for key in right if _wrong(got[key], right[key])]
    return f"gave {_show(got)}: wrong at {', '.join(map(repr, wrong))}" if wrong else ""


def _wrong_tensor(got: Any, right: Tensor) -> str:
    if not isinstance(got, Tensor):
        try:  # a list of numbers says the same
            got = torch.as_tensor(got)
        except (TypeError, ValueError, RuntimeError):
            return f"gave {_show(got)}, where a tensor is wanted"
    if got.shape != right.shape:
        return f"gave a tensor of shape {tuple(got.shape)}, where {tuple(right.shape)} is wanted"
    if got.is_complex() or right.is_complex():  # real and imaginary parts, as numbers
        got, right = (torch.view_as_real(x.to(torch.complex128)) for x in (got, right))
    exact = not right.is_floating_point()
    whole = exact and not got.is_floating_point()  # large ones are no longer exact in float64
    kind = torch.int64 if whole else torch.float64
    a, b = (x.detach().cpu().to(kind) for x in (got, right))
    off = a != b if exact else ~torch.isclose(a, b, 1e-4, 1e-5, equal_nan=True)
    if not off.any():
        return ""
    counted = f"{int(off.sum())} of {off.numel()} values are wrong"
    a, b = a.double(), b.double()
    return f"gave {_show(got)}: {_look(a, b) or counted}"


def _look(got: Tensor, right: Tensor) -> str:
    """In what way a tensor as a whole differs from the right one; empty if in no such way."""

    def same(x: Tensor, y: Tensor) -> bool:
        return torch.allclose(x, y, 1e-4, 1e-5)

    if not got.isfinite().all():
        return "not all of its numbers are finite"
    if got.numel() < 3 or right.std() == 0:
        return ""
    if got.dim() >= 2 and min(got.shape[-2:]) > 2:
        h, w = got.shape[-2:]
        for name, y, x in (("up", 1, 0), ("down", -1, 0), ("left", 0, 1), ("right", 0, -1)):
            inner = got[..., max(-y, 0) : h - max(y, 0), max(-x, 0) : w - max(x, 0)]
            if same(inner, right[..., max(y, 0) : h + min(y, 0), max(x, 0) : w + min(x, 0)]):
                return f"the picture moved {name} by one pixel"
        turned = {
            "left and right are exchanged": right.flip(-1),
            "top and bottom are exchanged": right.flip(-2),
            "it is turned by half": right.flip(-1, -2),
            "rows and columns are exchanged": right.transpose(-1, -2) if h == w else right,
        }
        if told := next((name for name, other in turned.items() if same(got, other)), ""):
            return told
        if same(got[..., 1:-1, 1:-1], right[..., 1:-1, 1:-1]):
            return "only the border is wrong"
    if same(got, -right):
        return "the sign is wrong"
    ratio = (got * right).sum() / right.square().sum()
    if ratio.abs() > 1e-6 and same(got, ratio * right):
        return f"everything is {ratio.item():.4g} times what it should be"
    return "everything is off by the same amount" if same(got - right, (got - right).mean()) else ""


def _show(value: Any) -> str:
    if isinstance(value, Tensor):
        if value.numel() <= 9:
            return str([round(v, 3) for v in value.detach().flatten().tolist()])
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, bool):
        return repr(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    if " at 0x" in text:  # where an object lies says nothing
        return f"a {type(value).__name__}"
    return text if len(text) <= 200 else f"{text[:199]}…"
