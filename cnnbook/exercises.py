"""What tells a reader how far an exercise is."""

from collections.abc import Callable, Iterable
from typing import Any

import torch

Case = tuple[str, Any, Any]


def check(cases: Callable[[], Iterable[Case]]) -> None:
    """Print the first case that is not right yet, or that all of them are.

    The cases are computed one after the other, so an error in the reader's code stops at the case
    that raised it and is told like a wrong answer.

    Args:
        cases: a generator function of `(call, got, expected)`: the call as text, what the reader's
            code gave, and what is right (tensors are compared with `torch.allclose`, floats to
            six digits).

    Examples:
        >>> def cases():
        ...     yield "1 + 1", 1 + 1, 2
        ...     yield "2 * 2", 5, 4
        >>> check(cases)
        not yet: 2 * 2 gave 5, right is 4
    """
    passed = 0
    try:
        for call, got, expected in cases():
            if not _same(got, expected):
                print(f"not yet: {call} gave {_show(got, expected)}, right is {_show(expected)}")
                return
            passed += 1
    except Exception as error:
        print(f"not yet: after {passed} right, {type(error).__name__}: {error}")
        return
    print(f"right: {passed} of {passed} checks pass")


def _same(got: Any, expected: Any) -> bool:
    if isinstance(expected, torch.Tensor):
        if not isinstance(got, torch.Tensor) or got.shape != expected.shape:
            return False
        return torch.allclose(
            got.detach().cpu().double(), expected.detach().cpu().double(), 1e-4, 1e-5
        )
    if isinstance(expected, float) and isinstance(got, (int, float)):
        return abs(got - expected) <= 1e-6 * max(1.0, abs(expected))
    if isinstance(expected, (tuple, list)):
        return isinstance(got, (tuple, list)) and tuple(got) == tuple(expected)
    return type(got) is type(expected) and got == expected


def _show(value: Any, beside: Any = None) -> str:
    if isinstance(value, torch.Tensor):
        if value.numel() <= 9:
            return str([round(v, 3) for v in value.detach().flatten().tolist()])
        text = f"a tensor of shape {tuple(value.shape)}"
        if isinstance(beside, torch.Tensor) and value.shape == beside.shape:
            error = (value.detach().cpu().double() - beside.detach().cpu().double()).abs().max()
            text += f" that is off by up to {error.item():.2g}"
        return text
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return repr(value)
