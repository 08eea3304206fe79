"""The verdict on an experiment: what runs that are paired by their seeds say."""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple


class Paired(NamedTuple):
    """How one side did beside another, run by run; says it as text."""

    ahead: int  # runs in which the first side has more
    behind: int  # runs in which it has less
    of: int  # runs of each side
    by: float  # how much more the first side has, on average
    low: float  # the least of these differences …
    high: float  # … and the largest
    unit: str

    @property
    def clear(self) -> bool:
        """Whether every single run says the same."""
        return self.of in (self.ahead, self.behind)

    def __str__(self) -> str:
        word, sign = ("ahead", 1) if self.ahead >= self.behind else ("behind", -1)
        places = 1 if max(abs(self.low), abs(self.high)) >= 1 else 3
        by, *ends = (
            f"{sign * value:z.{places}f}".replace("-", "−")  # z: no minus before a zero
            for value in (self.by, *(self.low, self.high)[::sign])
        )
        runs = f"{word} in {max(self.ahead, self.behind)} of {self.of} seeds"
        unit = f" {self.unit}" if self.unit else ""
        verdict = f"{runs}, by {by}{unit} ({ends[0]} to {ends[1]})"
        return verdict if self.clear else f"does not show: {verdict}"


def paired(
    first: Sequence[float], second: Sequence[float], *, unit: str = "points", scale: float = 100
) -> Paired:
    """Hold the runs of one side against those of another, pair by pair.

    Two runs of one seed share their images and their order, so much of what luck adds falls out of
    their difference. Where not all pairs say the same, the difference does not show.

    Args:
        first: what the runs of the one side reached, one a seed.
        second: the same of the other side, in the same order of seeds.
        unit: what the differences are told in.
        scale: what the values are multiplied by: 100 for shares told in points.

    Raises:
        ValueError: the sides have no runs, or not equally many.

    Examples:
        >>> print(paired([0.91, 0.93, 0.92], [0.88, 0.87, 0.91]))
        ahead in 3 of 3 seeds, by 3.3 points (1.0 to 6.0)
        >>> print(paired([0.91, 0.93, 0.92], [0.88, 0.94, 0.93]))
        does not show: behind in 2 of 3 seeds, by −0.3 points (−3.0 to 1.0)
        >>> print(paired([0.51, 0.55], [0.74, 0.66], unit="", scale=1))  # losses
        behind in 2 of 2 seeds, by 0.170 (0.110 to 0.230)
        >>> print(paired([0.910, 0.920], [0.915, 0.920]))
        does not show: behind in 1 of 2 seeds, by 0.250 points (0.000 to 0.500)
    """
    if not first or len(first) != len(second):
        raise ValueError(
            f"there are {len(first)} runs of the one side and {len(second)} of the other; give "
            "one a seed of each."
        )
    apart = [scale * (a - b) for a, b in zip(first, second)]
    ahead, behind = sum(d > 0 for d in apart), sum(d < 0 for d in apart)
    return Paired(ahead, behind, len(apart), fmean(apart), min(apart), max(apart), unit)
