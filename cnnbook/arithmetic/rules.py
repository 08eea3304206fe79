"""How each kind of operation changes what its units see of the image.

A rule gives the fields of an output from its sources, pairs of a tensor and its fields, and the
operation's other arguments; `None` where it cannot tell.
"""

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from torch import Tensor

from cnnbook.arithmetic.fields import Field


class Merged(tuple):
    """A dimension that runs through several axes, as after flattening: pairs of size and field."""


# For each dimension of a tensor the field along it, or None where it is no axis of the image.
Fields = tuple[Field | Merged | None, ...]
_Source = tuple[Tensor, Fields]


def _unknown(sources: list[_Source], output: Tensor, *_args, **_kwargs) -> Fields | None:
    return None if any(any(fields) for _, fields in sources) else (None,) * output.dim()


def elementwise(sources: list[_Source], output: Tensor, *_args, **_kwargs) -> Fields | None:
    """Every output unit sees what the input units at its place see."""
    joined: list[Field | Merged | None] = []
    for dim in range(output.dim()):
        places = [dim - output.dim() + tensor.dim() for tensor, _ in sources]
        here = [fields[d] if d >= 0 else None for d, (_, fields) in zip(places, sources)]
        known = [field for field in here if field]
        if any(isinstance(field, Merged) for field in known):
            if any(field != known[0] for field in known):
                return None
            joined.append(known[0])
        else:
            joined.append(_union(known, gated=len(known) < len(here)))
    return tuple(joined)


def _union(fields: Sequence[Field], gated: bool) -> Field | None:
    if not fields:
        return None
    union = fields[0]
    for field in fields[1:]:
        union = union.join(field)
    return union._replace(gated=union.gated or gated)


def _normalised(sources, output, *_rest, over_image: bool = True, **_kwargs) -> Fields:
    """Units stay where they are; statistics over the whole image are a gate."""
    tensor, fields = sources[0]
    if output.shape != tensor.shape:  # the statistics, which are given as well
        return (None,) * output.dim()
    return tuple(
        f._replace(gated=True) if over_image and isinstance(f, Field) else f for f in fields
    )


def _batch_norm(sources, output, _w, _b, _mean, _var, training, *_rest) -> Fields:
    return _normalised(sources, output, over_image=training)  # in training it is instance norm's


def _layer_norm(sources, output, shape, *_rest, **_kwargs) -> Fields:
    return _normalised(sources, output, over_image=any(sources[0][1][-len(shape) :]))


def _softmax(sources, output, dim, *_rest) -> Fields:
    return _normalised(sources, output, over_image=sources[0][1][dim] is not None)


def _per_axis(values: Iterable[int], axes: int) -> list[int]:
    values = list(values)
    return values * axes if len(values) == 1 else values


def _step(fields: Fields, axes: int, step: Callable, *settings: Iterable[int]) -> Fields | None:
    """Take `step` along the last `axes` dimensions, each with its own settings."""
    ahead, behind = fields[:-axes], fields[-axes:]
    if any(isinstance(field, Merged) for field in behind):
        return None
    settings = zip(*(_per_axis(values, axes) for values in settings))
    return (*ahead, *(field and step(field, *own) for field, own in zip(behind, settings)))


def _convolution(
    sources, output, weight, _bias, stride, padding, dilation, transposed, *_rest
) -> Fields | None:
    step = Field.spread if transposed else Field.window
    kernel = weight.shape[2:]
    (image, fields), *made = sources  # the others are weights that were made from the image
    if image is weight or any(any(places) for _, places in made):
        return None  # they are a part of it: every unit sees that, wherever it lies
    moved = _step(fields, len(kernel), step, kernel, stride, padding, dilation)
    if moved and made:
        moved = tuple(f._replace(gated=True) if isinstance(f, Field) else f for f in moved)
    return moved and (moved[0], None, *moved[2:])


def _max_pooling(
    sources, output, kernel, stride=(), padding=(0,), dilation=(1,), *_rest, **_kwargs
) -> Fields | None:
    axes = len(kernel)
    return _step(
        sources[0][1], axes, Field.window, kernel, stride or kernel, padding or (0,), dilation
    )


def _average_pooling(sources, output, kernel, stride=(), padding=(0,), *_rest, **_kwargs):
    tensor, fields = sources[0]
    axes = len(kernel)
    if tuple(tensor.shape[-axes:]) == tuple(kernel) and math.prod(kernel) > 1:
        return (*fields[:-axes], *[None] * axes)  # global pooling, written with a window
    return _max_pooling(sources, output, kernel, stride, padding)


def _resizing(reads: Callable[[int, Fraction], Iterable[int]]) -> Callable:
    """Rule of what scales the image: `reads` are the old units behind a new one, for a ratio."""

    def rule(sources, output, _size=None, align_corners=False, *_rest, **_kwargs) -> Fields | None:
        tensor, fields = sources[0]
        moved: list[Field | None] = []
        for field, size, new in zip(fields, tensor.shape, output.shape):
            if isinstance(field, Merged):
                return None
            ratio, shift = Fraction(size, new), Fraction(0)
            if align_corners is True and new > 1:  # then the centres of the corner units stay
                ratio = Fraction(size - 1, new - 1)
                shift = (1 - ratio) / 2
            step = functools.partial(reads, ratio=ratio, shift=shift)
            moved.append(field and field.read(step, ratio.denominator, ratio.numerator))
        return tuple(moved)

    return rule


def _nearest(unit: int, ratio: Fraction, shift: Fraction) -> list[int]:
    return [math.floor(unit * ratio)]


def _nearest_centre(unit: int, ratio: Fraction, shift: Fraction) -> list[int]:
    return [math.floor((unit + Fraction(1, 2)) * ratio)]


def _linear(unit: int, ratio: Fraction, shift: Fraction) -> list[int]:
    place = (unit + Fraction(1, 2)) * ratio - Fraction(1, 2) + shift
    return [math.floor(place), math.ceil(place)]  # on a unit's centre, its neighbours weigh 0


def _cubic(unit: int, ratio: Fraction, shift: Fraction) -> list[int]:
    first, last = _linear(unit, ratio, shift)
    return [first] if first == last else [first - 1, first, last, last + 1]


def _share(unit: int, ratio: Fraction, shift: Fraction) -> range:
    return range(math.floor(unit * ratio), math.ceil((unit + 1) * ratio))


def _adaptive_pooling(sources, output, *_args, **_kwargs) -> Fields | None:
    """Cut each axis into equal shares; a single share is the whole image, and no feature map."""
    tensor = sources[0][0]
    moved = _resizing(_share)(sources, output)
    whole = [new == 1 < size for size, new in zip(tensor.shape, output.shape)]
    return moved and tuple(None if all_ else field for all_, field in zip(whole, moved))


def _pixels(sources, output, factor: int, *, step: Callable) -> Fields | None:
    return _step(sources[0][1], 2, step, [factor], [factor], [0], [1])


def _reduction(sources, output, dims=None, keepdim=False, *_rest, **_kwargs) -> Fields:
    tensor, fields = sources[0]
    dims = range(tensor.dim()) if dims in (None, []) else dims
    gone = {d % tensor.dim() for d in ([dims] if isinstance(dims, int) else dims)}
    if output.dim() == tensor.dim():
        return tuple(None if d in gone else field for d, field in enumerate(fields))
    return tuple(field for d, field in enumerate(fields) if d not in gone)


def _slice(sources, output, dim=0, start=None, _end=None, step=1) -> Fields | None:
    tensor, fields = sources[0]
    moved, size = list(fields), tensor.shape[dim]
    first = 0 if start is None else max(start + size if start < 0 else start, 0)
    if isinstance(moved[dim], Merged):
        return fields if output.shape == tensor.shape else None
    moved[dim] = moved[dim] and moved[dim].window(1, step, -first, 1)
    return tuple(moved)


def _select(sources, output, dim, _index) -> Fields:
    fields = list(sources[0][1])
    del fields[dim]
    return tuple(fields)


def _unbind(sources, output, dim=0) -> Fields:
    return _select(sources, output, dim, 0)


def _split(sources, output, _sizes, dim=0) -> Fields | None:
    fields = sources[0][1]
    return fields if fields[dim] is None else None  # the parts of an image are different places


def _pad(sources, output, pad, *_rest, **_kwargs) -> Fields | None:
    fields = list(sources[0][1])
    for axis in range(len(pad) // 2):  # pairs (before, after), from the last dimension on
        dim = len(fields) - 1 - axis
        if isinstance(fields[dim], Merged):
            return None
        fields[dim] = fields[dim] and fields[dim].window(1, 1, pad[2 * axis], 1)
    return tuple(fields)


def _concatenation(sources, output, dim=0) -> Fields | None:
    if any(fields[dim] is not None for _, fields in sources):
        return None
    return elementwise(sources, output)


def _stack(sources, output, dim=0) -> Fields | None:
    joined = elementwise(sources, sources[0][0])
    dim %= output.dim()
    return joined and (*joined[:dim], None, *joined[dim:])


def _unsqueeze(sources, output, dim) -> Fields:
    fields = list(sources[0][1])
    fields.insert(dim % output.dim(), None)
    return tuple(fields)


def _squeeze(sources, output, dims=None) -> Fields:
    tensor, fields = sources[0]
    dims = range(tensor.dim()) if dims is None else [dims] if isinstance(dims, int) else dims
    gone = {d % tensor.dim() for d in dims if tensor.shape[d] == 1}
    return tuple(field for d, field in enumerate(fields) if d not in gone)


def _permute(sources, output, dims) -> Fields:
    return tuple(sources[0][1][d] for d in dims)


def _transpose(sources, output, first=0, second=1) -> Fields:
    fields = list(sources[0][1])
    if len(fields) > 1:
        fields[first], fields[second] = fields[second], fields[first]
    return tuple(fields)


def _view(sources, output, *_args, **_kwargs) -> Fields | None:
    """Cut the same row of numbers into other dimensions; an axis of the image must stay whole."""
    tensor, fields = sources[0]
    axes: list[tuple[int, Field | None]] = []
    for size, field in zip(tensor.shape, fields):
        for axis in field if isinstance(field, Merged) else [(size, field)]:
            if axis[1] is None and axes and axes[-1][1] is None:
                axes[-1] = (axes[-1][0] * axis[0], None)
            else:
                axes.append(axis)
    dims: list[list[tuple[int, Field | None]]] = []
    for size in output.shape:
        taken: list[tuple[int, Field | None]] = []
        while size > 1 or (not taken and axes and axes[0][0] == 1):
            length, field = axes.pop(0)
            if length > size:  # channels may be cut into groups
                if field is not None or length % size:
                    return None
                axes.insert(0, (length // size, None))
                length = size
            elif size % length:
                return None
            taken.append((length, field))
            size //= length
        dims.append(taken)
    if dims:
        dims[-1] += axes  # what is left has the length 1
    cut: list[Field | Merged | None] = []
    for taken in dims:
        seen = [axis for axis in taken if axis[1] is not None]
        cut.append(None if not seen else seen[0][1] if len(taken) == 1 else Merged(taken))
    return tuple(cut)


def _product(sources, output, *factors, **_kwargs) -> Fields | None:
    """A matrix product takes sums over one dimension and keeps the places along the other."""
    if len(sources) != 1:
        return _unknown(sources, output)
    tensor, (*batch, rows, columns) = sources[0]
    second = tensor is factors[-1]
    if len(factors) == 2 and all(tensor is not factor for factor in factors):
        return elementwise(sources, output)  # a product is added to it
    gone = rows if second else columns  # a sum over an axis sees all of it
    gone = gone.everything() if isinstance(gone, Field) else None
    return (*batch, gone, columns) if second else (*batch, rows, gone)


_POINTWISE = {"hardswish", "hardsigmoid", "hardtanh", "leaky_relu", "prelu", "_prelu_kernel"}
_POINTWISE |= {
    "copy",
    "dropout",
    "_to_copy",
    "clone",
    "detach",
    "alias",
    "contiguous",
    "lift_fresh",
}
CONSTANT = {"zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like"}
CONSTANT |= {"new_zeros", "new_ones", "new_empty", "new_full", "sym_size"}

_RULES: dict[str, Callable] = {
    name: rule
    for names, rule in {
        "native_batch_norm": _batch_norm,
        "_native_batch_norm_legit_no_training": functools.partial(_normalised, over_image=False),
        "native_group_norm": _normalised,
        "native_layer_norm": _layer_norm,
        "_softmax _log_softmax": _softmax,
        "convolution": _convolution,
        "max_pool2d_with_indices max_pool3d_with_indices": _max_pooling,
        "avg_pool1d avg_pool2d avg_pool3d": _average_pooling,
        "_adaptive_avg_pool2d _adaptive_avg_pool3d": _adaptive_pooling,
        "adaptive_max_pool2d adaptive_max_pool3d": _adaptive_pooling,
        "upsample_nearest1d upsample_nearest2d upsample_nearest3d": _resizing(_nearest),
        "_upsample_nearest_exact1d _upsample_nearest_exact2d": _resizing(_nearest_centre),
        "upsample_linear1d upsample_bilinear2d upsample_trilinear3d": _resizing(_linear),
        "upsample_bicubic2d": _resizing(_cubic),
        "pixel_shuffle": functools.partial(_pixels, step=Field.spread),
        "pixel_unshuffle": functools.partial(_pixels, step=Field.window),
        "mean sum max amax amin argmax var var_mean": _reduction,
        "slice": _slice,
        "select": _select,
        "unbind": _unbind,
        "split split_with_sizes": _split,
        "constant_pad_nd": _pad,
        "reflection_pad1d reflection_pad2d reflection_pad3d": _pad,
        "replication_pad1d replication_pad2d replication_pad3d": _pad,
        "cat": _concatenation,
        "stack": _stack,
        "unsqueeze": _unsqueeze,
        "squeeze": _squeeze,
        "permute": _permute,
        "transpose t": _transpose,
        "expand": elementwise,
        "view _unsafe_view reshape": _view,
        "mm addmm bmm baddbmm": _product,
    }.items()
    for name in names.split()
}


def rule_of(name: str, *, pointwise: bool) -> Callable:
    """The rule of an operation of aten; one that says `None` where there is none."""
    follows = pointwise or name in _POINTWISE
    return _RULES.get(name, elementwise if follows else _unknown)
