"""Numbers that callers hand over: one sentence where one cannot be."""

import operator
from typing import Any


def integer(name: str, number: Any, least: int) -> int:
    """A number as an int: Python's, NumPy's, or that of a tensor with one number.

    Args:
        name: of the argument, for the sentence.
        number: what was handed over.
        least: the smallest that can be.

    Raises:
        ValueError: it is no integer, or too small.

    Examples:
        >>> integer("count", 0, least=1)
        Traceback (most recent call last):
            ...
        ValueError: count is 0; it must be at least 1.
    """
    try:
        found = operator.index(number)
    except TypeError:
        raise ValueError(f"{name} is {number!r}; it must be an integer.") from None
    if found < least:
        raise ValueError(f"{name} is {found}; it must be at least {least}.")
    return found
