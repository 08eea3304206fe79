"""What the units along one axis see of the image, and how windows change it."""

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from torch import Tensor

from cnnbook.arithmetic.meta import NotFollowedError


class Field(NamedTuple):
    """What the units along one axis see of the image.

    Unit `u` sees the pixels `low[u]` to `high[u]`. Both lists repeat: `len(low)` units further on,
    everything is shifted by `len(low) · jump` pixels. Mostly all units see alike and the lists hold
    one number; after a transposed convolution of stride `s`, `s` kinds of units take turns.
    """

    jump: Fraction  # pixels between the fields of neighbouring units, on average
    low: tuple[float, ...]  # first pixel that a unit sees; inf if it sees none
    high: tuple[float, ...]  # last pixel that a unit sees; -inf if it sees none
    gated: bool = False  # also touched by numbers that were computed from the whole image
    axis: int = 0  # of the image

    def sees(self, unit: int) -> tuple[float, float]:
        """First and last pixel that a unit sees."""
        lap, kind = divmod(unit, len(self.low))
        shift = int(lap * len(self.low) * self.jump)
        return self.low[kind] + shift, self.high[kind] + shift

    def read(self, reads: Callable[[int], Iterable[int]], units: int, per: int) -> "Field":
        """Field of new units that each read some of these.

        Args:
            reads: the old units that a new unit reads.
            units: new units after which the reading repeats …
            per: … this many old units further on.
        """
        laps = len(self.low) // math.gcd(len(self.low), per)
        seen = [[self.sees(old) for old in reads(new)] for new in range(units * laps)]
        low = [min((first for first, _ in pixels), default=math.inf) for pixels in seen]
        high = [max((last for _, last in pixels), default=-math.inf) for pixels in seen]
        jump = self.jump * per / units
        return _shortest(self._replace(jump=jump, low=tuple(low), high=tuple(high)))

    def window(self, kernel: int, stride: int, padding: int, dilation: int) -> "Field":
        """Field of a convolution's or pooling's units."""

        def reads(unit: int) -> range:
            first = unit * stride - padding
            return range(first, first + dilation * (kernel - 1) + 1, dilation)

        return self.read(reads, 1, stride)

    def spread(self, kernel: int, stride: int, padding: int, dilation: int) -> "Field":
        """Field of a transposed convolution's units: of those that spread over them."""

        def reads(unit: int) -> list[int]:
            places = [unit + padding - dilation * element for element in range(kernel)]
            return [place // stride for place in places if place % stride == 0]

        return self.read(reads, stride, 1)

    def join(self, other: "Field") -> "Field":
        """Field of units that see what either sees."""
        if self.axis != other.axis:
            raise NotFollowedError(
                "the receptive field cannot be followed where an image meets its transpose: "
                "measure the part of the network before it."
            )
        if self.jump != other.jump:
            raise NotFollowedError(
                f"two branches meet whose units are {self.jump} and {other.jump} pixels apart: "
                "choose an input size that the network's strides divide."
            )
        kinds = range(math.lcm(len(self.low), len(other.low)))
        pairs = [(self.sees(unit), other.sees(unit)) for unit in kinds]
        low = tuple(min(a[0], b[0]) for a, b in pairs)
        high = tuple(max(a[1], b[1]) for a, b in pairs)
        gated = self.gated or other.gated
        return _shortest(self._replace(low=low, high=high, gated=gated))

    def everything(self) -> "Field":
        """Field of units that each see the whole axis, as behind a linear layer along it."""
        return self._replace(low=(-math.inf,), high=(math.inf,))

    @property
    def size(self) -> int | float:
        """Pixels that a unit sees; the most, where units differ; infinite for the whole axis."""
        most = max(max(last - first for first, last in zip(self.low, self.high)) + 1, 0)
        return most if math.isinf(most) else int(most)


def _shortest(field: Field) -> Field:
    """The same field with as few kinds of units as will do."""
    kinds = len(field.low)
    for fewer in range(1, kinds):
        if kinds % fewer or (fewer * field.jump).denominator != 1:
            continue
        short = field._replace(low=field.low[:fewer], high=field.high[:fewer])
        if all(short.sees(unit) == field.sees(unit) for unit in range(kinds)):
            return short
    return field


class Merged(tuple):
    """A dimension that runs through several axes, as after flattening: pairs of size and field."""


# For each dimension of a tensor the field along it, or None where it is no axis of the image.
Fields = tuple[Field | Merged | None, ...]
Origin = tuple[Tensor, Fields]


def elementwise(sources: list[Origin], output: Tensor, *_args, **_kwargs) -> Fields | None:
    """Every output unit sees what the input units at its place see."""
    joined: list[Field | Merged | None] = []
    for dim in range(output.dim()):
        here: list[Field | Merged | None] = []
        for tensor, fields in sources:
            d = dim - output.dim() + tensor.dim()
            if d >= 0 and fields[d] and tensor.shape[d] < output.shape[dim]:
                return None  # one place of the image is spread over all
            here.append(fields[d] if d >= 0 else None)
        known = [field for field in here if field]
        if any(isinstance(field, Merged) for field in known):
            if any(as_gated(field) != as_gated(known[0]) for field in known):
                return None
            alike = len(known) == len(here) and all(field == known[0] for field in known)
            joined.append(known[0] if alike else as_gated(known[0]))
        else:
            joined.append(_union(known, beside=len(known) < len(here)))
    return tuple(joined)


def as_gated(field: Field | Merged | None) -> Field | Merged | None:
    """The field of units that something over the whole image has scaled or moved."""
    if isinstance(field, Merged):
        return Merged((size, as_gated(own)) for size, own in field)
    return field and field._replace(gated=True)


def _union(fields: Sequence[Field], beside: bool) -> Field | None:
    if not fields:
        return None
    union = fields[0]
    for field in fields[1:]:
        union = union.join(field)
    return union._replace(gated=union.gated or beside)
