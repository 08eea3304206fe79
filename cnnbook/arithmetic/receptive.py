"""Receptive fields: every operation of a network followed as it runs."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from cnnbook.arithmetic import meta, rules
from cnnbook.arithmetic.fields import Field


class ReceptiveField(NamedTuple):
    """What one unit of a feature map sees of the input, along each axis (height, width)."""

    size: tuple[int | float, ...]  # pixels; infinite where the unit sees the whole input
    stride: tuple[int | float, ...]  # pixels between the fields of neighbouring units
    offset: tuple[float, ...]  # pixel on which the field of unit 0 is centred


def receptive_field(
    module: nn.Module, input_size: Sequence[int] = (3, 224, 224), *, gates: bool = False
) -> ReceptiveField:
    """Theoretical receptive field of a unit of the output, or of the last feature map before it.

    Every operation is followed as it runs, branch by branch; where branches meet, the field is
    what either of them sees. Borders are ignored: it is the field of a unit far inside. Where
    units differ, as behind a transposed convolution, the size is that of those that see most.

    Args:
        module: any module of one input.
        input_size: the input's shape without the batch, for images `(C, H, W)`.
        gates: count numbers that were computed from the whole image and then met a feature map,
            as in squeeze-and-excitation or group norm: the field behind them is infinite.

    Raises:
        NotImplementedError: an operation moves pixels in a way that is not followed; the message
            names it.
        ValueError: the module does not take an input of that size, or makes no feature map.

    Examples:
        >>> two = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3, stride=2))
        >>> receptive_field(two, (1, 32, 32))
        ReceptiveField(size=(5, 5), stride=(2, 2), offset=(2.0, 2.0))
    """
    network, input_size = meta.on_meta(module), meta.check_size(input_size)
    if len(input_size) < 2:
        raise ValueError(f"input_size is {tuple(input_size)}; give (C, H, W): channels, then axes.")
    output, mode = meta.run(network, input_size, FieldMode)
    last = meta.main_output(output)
    if last is not None and last not in mode.fields:
        raise ValueError(f"the output of {type(module).__name__} does not depend on its input.")
    seen = mode.of(last)
    has_places = last is not None and last.dim() == len(input_size) + 1 and max(last.shape[2:]) > 1
    if not seen and has_places:  # from a vector, or along an axis that is none of the image's
        raise meta.NotFollowedError(
            "the receptive field cannot be followed where an image is made anew, of numbers "
            "that have no place in the input any more: measure the part of the network before."
        )
    return _as_receptive_field(seen or mode.last, gates)


def receptive_fields(
    module: nn.Module, input_size: Sequence[int] = (3, 224, 224), *, gates: bool = False
) -> dict[str, ReceptiveField]:
    """Receptive field behind every submodule that makes a feature map, by the submodule's name.

    The arguments and errors are those of `receptive_field`; a submodule that runs several times is
    listed as it ran last.

    Examples:
        >>> two = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3, stride=2))
        >>> {name: field.size for name, field in receptive_fields(two, (1, 32, 32)).items()}
        {'0': (3, 3), '1': (5, 5)}
    """
    network = meta.on_meta(module)
    found: dict[str, ReceptiveField] = {}
    modes: list[FieldMode] = []

    def watch(image: Tensor) -> FieldMode:
        modes.append(FieldMode(image))
        return modes[-1]

    def note(name: str) -> Callable:
        def hook(_module: nn.Module, _inputs: tuple, output: object) -> None:
            if fields := modes[-1].of(meta.main_output(output)):
                found[name] = _as_receptive_field(fields, gates)

        return hook

    for name, child in network.named_modules():
        if name:
            child.register_forward_hook(note(name))
    meta.run(network, input_size, watch)
    return found


def _as_receptive_field(fields: Sequence[Field], gates: bool) -> ReceptiveField:
    return ReceptiveField(
        tuple(math.inf if gates and field.gated else field.size for field in fields),
        tuple(int(f.jump) if f.jump.denominator == 1 else float(f.jump) for f in fields),
        tuple((field.low[0] + field.high[0]) / 2 for field in fields),  # inf − inf is nan
    )


class FieldMode(TorchDispatchMode):
    """Follows the fields of all tensors through whatever a module runs.

    Args:
        image: the input; every pixel sees itself.
        strict: raise where a field cannot be followed; else go on, and know nothing about what
            comes out of it.

    Attributes:
        fields: for each tensor that depends on the image, its fields; None if they are unknown.
        last: the fields along the axes of the last tensor that still is a feature map.
    """

    def __init__(self, image: Tensor, *, strict: bool = True) -> None:
        super().__init__()
        self.strict = strict
        self.fields: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._bases: WeakIdKeyDictionary = WeakIdKeyDictionary()  # of what each tensor is a view
        self.last: tuple[Field, ...] = tuple(
            Field(Fraction(1), (0,), (0,), axis=axis) for axis in range(image.dim() - 2)
        )
        self.fields[image] = (None, None, *self.last)

    def of(self, tensor: object) -> tuple[Field, ...]:
        """The fields along the axes of a feature map; of anything else none."""
        fields = self.fields.get(tensor) if isinstance(tensor, Tensor) else ()
        axes = tuple(field for field in fields or () if isinstance(field, Field))
        in_order = tuple(sorted(axes, key=lambda field: field.axis))  # they may be transposed
        return in_order if len(axes) == len(self.last) else ()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        lists = [a if isinstance(a, (list, tuple)) else [a] for a in (*args, *kwargs.values())]
        tensors = [t for items in lists for t in items if isinstance(t, Tensor)]
        sources = [(t, self.fields[t]) for t in tensors if t in self.fields]
        name = function.overloadpacket.__name__.removesuffix("_")  # relu_ is relu in place
        outputs = [r for r in (result if isinstance(result, (list, tuple)) else [result])
                   if isinstance(r, Tensor)]  # fmt: skip
        if function.is_view:
            for output in outputs:
                self._bases[output] = args[0]
        if not sources or name in rules.CONSTANT:
            return result
        rule = rules.rule_of(name, pointwise=torch.Tag.pointwise in function.tags)
        known = all(fields is not None for _, fields in sources)
        for output in outputs:
            try:
                fields = rule(sources, output, *args[1:], **kwargs) if known else None
            except meta.NotFollowedError:
                if self.strict:
                    raise
                fields = None
            if known and fields is None and self.strict:
                raise meta.NotFollowedError(
                    f"the receptive field cannot be followed through aten.{name}: "
                    "replace this operation by convolutions, pooling or slices, "
                    "or measure the part of the network before it."
                )
            if output is args[0] and output in self._bases:  # in place, into a part of another
                self._write(output, fields)
            self.fields[output] = fields
            self.last = self.of(output) or self.last
        return result

    def _write(self, view: Tensor, fields: tuple | None) -> None:
        """Tell the tensor of which `view` is a part that the part has other fields now."""
        base = self._bases[view]
        before = self.fields.get(base, (None,) * base.dim())
        if fields == self.fields.get(view, (None,) * view.dim()):
            return
        after = None
        if fields is not None and before is not None and view.dim() == base.dim():
            whole = [a is None or n == m for a, n, m in zip(fields, view.shape, base.shape)]
            if all(whole):  # a slice of channels, and all of the image
                after = rules.elementwise([(view, fields), (base, before)], base)
        if after is None and self.strict:
            raise meta.NotFollowedError(
                "the receptive field cannot be followed where a part of an image, or an image in "
                "another shape, is written in place: put the parts together with torch.cat, or "
                "measure the part of the network before it."
            )
        if base in self._bases:
            self._write(base, after)
        self.fields[base] = after
        self.last = self.of(base) or self.last
