"""How each kind of operation changes what its units see of the image.

A rule gives the fields of an output from its sources, pairs of a tensor and its fields, and the
operation's other arguments; `None` where it cannot tell.
"""

import functools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction

from torch import Tensor

from cnnbook.arithmetic import shaping
from cnnbook.arithmetic.fields import Field, Fields, Merged, Origin, as_gated, elementwise


def _unknown(sources: list[Origin], output: Tensor, *_args, **_kwargs) -> Fields | None:
    return None if any(any(fields) for _, fields in sources) else (None,) * output.dim()


def _normalised(sources, output, *_rest, over_image: bool = True, **_kwargs) -> Fields:
    """Units stay where they are; statistics over the whole image are a gate."""
    tensor, fields = sources[0]
    if output.shape != tensor.shape:  # the statistics, which are given as well
        return (None,) * output.dim()
    return tuple(map(as_gated, fields)) if over_image else fields


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
        moved = tuple(map(as_gated, moved))
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
    if sources[0][1][-3] is not None:
        return None  # pixels are made of channels, and these are a side of the image
    return _step(sources[0][1], 2, step, [factor], [factor], [0], [1])


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
        "rrelu_with_noise": elementwise,
        "pixel_shuffle": functools.partial(_pixels, step=Field.spread),
        "pixel_unshuffle": functools.partial(_pixels, step=Field.window),
        "expand": elementwise,
        "mm addmm bmm baddbmm": _product,
        **shaping.RULES,
    }.items()
    for name in names.split()
}


def rule_of(name: str, *, pointwise: bool) -> Callable:
    """The rule of an operation of aten; one that says `None` where there is none."""
    follows = pointwise or name in _POINTWISE
    return _RULES.get(name, elementwise if follows else _unknown)
