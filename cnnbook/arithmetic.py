"""The book's arithmetic: output sizes, parameters, multiply–adds and receptive fields.

Networks are followed on torch's meta device, where tensors have shapes but no numbers: nothing is
computed, and a network of any size takes a fraction of a second.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.weak import WeakIdKeyDictionary

aten = torch.ops.aten


def output_size(
    size: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
) -> int:
    """Length of a convolution's or pooling's output along one axis.

    Args:
        size: length of the input, in pixels.
        kernel_size: length of the kernel, in pixels.
        stride: step of the window.
        padding: pixels added at each end.
        dilation: distance between neighbouring kernel elements.
        ceil_mode: also count a last window that begins inside the input (or its left padding) and
            hangs over the end, as pooling layers can.

    Returns:
        The number of places at which the window can stand.

    Raises:
        ValueError: a number is out of range, or the window does not fit.

    Examples:
        >>> output_size(32, 5)
        28
        >>> output_size(224, 7, stride=2, padding=3)
        112
    """
    least = {"size": 1, "kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
    given = (size, kernel_size, stride, padding, dilation)
    for (name, minimum), value in zip(least.items(), given):
        if value < minimum:
            raise ValueError(f"{name} is {value}; it must be at least {minimum}.")
    window = dilation * (kernel_size - 1) + 1
    room = size + 2 * padding - window
    hangs = stride - 1 if ceil_mode else 0  # pixels by which the only window may hang over
    if room < -hangs:
        raise ValueError(
            f"the window is {window} pixels long, but the padded input has only "
            f"{size + 2 * padding}; use a smaller kernel_size or dilation, or more padding."
        )
    steps = -(-room // stride) if ceil_mode else room // stride
    if ceil_mode and steps * stride >= size + padding:  # the last window would see padding only
        steps -= 1
    return steps + 1


def count_parameters(module: nn.Module) -> int:
    """Number of trainable parameters, each shared one counted once.

    Batch norm's running mean and variance are buffers, not parameters.

    Examples:
        >>> count_parameters(nn.Conv2d(3, 4, kernel_size=5))  # 4 · (5 · 5 · 3) weights, 4 biases
        304
    """
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def multiply_adds(module: nn.Module, input_size: Sequence[int] = (3, 224, 224)) -> int:
    """Multiply–adds of one evaluation at batch size 1.

    Counted are those of convolutions, linear layers and matrix products, as papers do. Biases,
    normalisation, activations, pooling and additions are not counted.

    Args:
        module: any module of one input.
        input_size: the input's shape without the batch, for images `(C, H, W)`.

    Raises:
        ValueError: the module does not take an input of that size.

    Examples:
        >>> multiply_adds(nn.Conv2d(3, 4, kernel_size=5), (3, 32, 32))  # 4·28·28 outputs of 5·5·3
        235200
    """
    counter = FlopCounterMode(display=False)
    with counter:
        _run_on_meta(_on_meta(module), input_size)
    return counter.get_total_flops() // 2


class Field(NamedTuple):
    """The receptive field along one axis: unit `i` sees pixels `jump·i + low` … `jump·i + high`."""

    jump: Fraction
    low: Fraction
    high: Fraction

    def window(self, kernel: int, stride: int, padding: int, dilation: int) -> "Field":
        """Field of the units that look at this axis through a sliding window."""
        low = self.low - self.jump * padding
        high = self.high + self.jump * (dilation * (kernel - 1) - padding)
        return Field(self.jump * stride, low, high)

    def spread(self, kernel: int, stride: int, padding: int, dilation: int) -> "Field":
        """Field of a transposed convolution's units; the widest one, where they differ."""
        low = self.low + self.jump * Fraction(padding - dilation * (kernel - 1), stride)
        high = self.high + self.jump * Fraction(padding, stride)
        return Field(self.jump / stride, low, high)

    def join(self, other: "Field") -> "Field":
        """Field of units that see what either sees."""
        if self.jump != other.jump:
            raise ValueError(f"two branches step by {self.jump} and {other.jump} pixels")
        return Field(self.jump, min(self.low, other.low), max(self.high, other.high))


class ReceptiveField(NamedTuple):
    """What one unit of a feature map sees of the input, along each axis (height, width)."""

    size: tuple[int | float, ...]  # pixels; infinite where the unit sees the whole input
    stride: tuple[int | float, ...]  # pixels between the fields of neighbouring units
    offset: tuple[float, ...]  # pixel on which the field of unit 0 is centred


class SummaryRow(NamedTuple):
    """One row of a summary: a child of the network, and what it makes of the input."""

    name: str
    output_shape: tuple[int, ...]  # (C, H, W), or (features,)
    parameters: int
    multiply_adds: int
    receptive_field: int | float | None  # of the widest axis, in pixels; None: no feature map


def receptive_field(module: nn.Module, input_size: Sequence[int] = (3, 224, 224)) -> ReceptiveField:
    """Theoretical receptive field of a unit of the last feature map, before any global pooling.

    Every operation is followed as it runs, branch by branch; where branches meet, the field is
    what either of them sees. Borders are ignored: it is the field of a unit far inside. Statistics
    and gates taken over the whole image (group norm, squeeze-and-excitation) are not counted:
    with them every unit sees everything.

    Args:
        module: any module of one input.
        input_size: the input's shape without the batch, for images `(C, H, W)`.

    Raises:
        NotImplementedError: an operation moves pixels in a way that is not followed; the message
            names it.
        ValueError: the module does not take an input of that size.

    Examples:
        >>> two = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3))
        >>> receptive_field(two, (1, 32, 32)).size
        (5, 5)
    """
    meta = _on_meta(module)
    with _FieldMode() as mode:
        _run_on_meta(meta, input_size, before=mode.start)
    return _as_receptive_field(mode.last)


def summary(module: nn.Module, input_size: Sequence[int] = (3, 224, 224)) -> "Summary":
    """Walk through the children of a network, and give the shape and cost of each.

    Args:
        module: a network; its direct children are the rows.
        input_size: the input's shape without the batch, for images `(C, H, W)`.

    Returns:
        A list of `SummaryRow` that shows itself as a table.

    Examples:
        >>> summary(nn.Sequential(nn.Conv2d(3, 4, 5), nn.ReLU()), (3, 32, 32))
        name  output shape  parameters  multiply–adds  receptive field
        0     4 × 28 × 28          304        235,200                5
        1     4 × 28 × 28            0              0                5
        sum                        304        235,200
    """
    meta = _on_meta(module)
    seen: dict[str, tuple[tuple[int, ...], int | float | None]] = {}
    counter = FlopCounterMode(display=False)

    def note(name: str) -> Callable:
        def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            fields = mode.fields.get(output)
            size = None
            if fields is not None and any(field is not None for field in fields):
                size = max(_as_receptive_field(fields).size)
            seen[name] = (tuple(output.shape[1:]), size)

        return hook

    for name, child in meta.named_children():
        child.register_forward_hook(note(name))
    with counter, _FieldMode() as mode:
        _run_on_meta(meta, input_size, before=mode.start)
    root = type(meta).__name__
    operations = counter.get_flop_counts()
    return Summary(
        SummaryRow(
            name,
            seen[name][0],
            count_parameters(child),
            sum(operations.get(f"{root}.{name}", {}).values()) // 2,
            seen[name][1],
        )
        for name, child in meta.named_children()
        if name in seen
    )


class Summary(list[SummaryRow]):
    """A list of stages that shows itself as a table, in a terminal and in a notebook."""

    _HEAD = ("name", "output shape", "parameters", "multiply–adds", "receptive field")

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for stage in self:
            seen = stage.receptive_field
            field = "–" if seen is None else "whole" if seen == math.inf else f"{seen:,}"
            shape = " × ".join(map(str, stage.output_shape))
            yield stage.name, shape, f"{stage.parameters:,}", f"{stage.multiply_adds:,}", field
        totals = sum(s.parameters for s in self), sum(s.multiply_adds for s in self)
        yield "sum", "", f"{totals[0]:,}", f"{totals[1]:,}", ""

    def __repr__(self) -> str:
        rows = [self._HEAD, *self._rows()]
        widths = [max(len(row[k]) for row in rows) for k in range(len(self._HEAD))]
        lines = []
        for row in rows:
            cells = [
                text.ljust(width) if k < 2 else text.rjust(width)
                for k, (text, width) in enumerate(zip(row, widths))
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{text}</th>" for text in self._HEAD)
        body = "".join(
            "<tr>" + "".join(f"<td>{text}</td>" for text in row) + "</tr>" for row in self._rows()
        )
        return (
            '<table class="cnnbook-summary">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def _on_meta(module: nn.Module) -> nn.Module:
    """Copy a module to the meta device, in evaluation mode, without copying its numbers."""
    tensors = [*module.parameters(), *module.buffers()]
    memo = {}
    for tensor in tensors:
        empty = torch.empty_like(tensor, device="meta")
        if isinstance(tensor, nn.Parameter):
            empty = nn.Parameter(empty, requires_grad=tensor.requires_grad)
        memo[id(tensor)] = empty
    return copy.deepcopy(module, memo).eval()


def _run_on_meta(
    module: nn.Module,
    input_size: Sequence[int],
    before: Callable[[Tensor], None] = lambda image: None,
) -> None:
    dtype = next((p.dtype for p in module.parameters()), torch.float32)
    image = torch.empty(1, *input_size, device="meta", dtype=dtype)
    before(image)
    try:
        with torch.no_grad():
            module(image)
    except NotImplementedError:
        raise
    except (RuntimeError, ValueError, IndexError) as error:
        size = " × ".join(map(str, input_size))
        raise ValueError(
            f"{type(module).__name__} does not take an input of {size}: {error}"
        ) from error


def _as_receptive_field(fields: "Fields") -> ReceptiveField:
    axes = [field for field in fields if field is not None]
    sizes = [field.high - field.low + 1 for field in axes]
    return ReceptiveField(
        tuple(math.floor(size) if size != math.inf else math.inf for size in sizes),
        tuple(int(f.jump) if f.jump == int(f.jump) else float(f.jump) for f in axes),
        tuple(float((f.low + f.high) / 2) for f in axes),
    )


# For each dimension of a tensor the field along it, or None where it is no axis of the image.
Fields = tuple[Field | None, ...]


class _FieldMode(TorchDispatchMode):
    """Follows the fields of all tensors through whatever the module runs."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self.last: Fields = ()  # of the last tensor that still is a feature map

    def start(self, image: Tensor) -> None:
        """Say that `image` is the input: every pixel sees itself."""
        pixel = Field(Fraction(1), Fraction(0), Fraction(0))
        self.last = (None, None, *(pixel for _ in range(image.dim() - 2)))
        self.fields[image] = self.last

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        tensors = [a for a in args if isinstance(a, Tensor)]
        tensors += [
            t for a in args if isinstance(a, (list, tuple)) for t in a if isinstance(t, Tensor)
        ]
        sources = [(t, self.fields[t]) for t in tensors if t in self.fields]
        if not sources:
            return result
        name = function.overloadpacket
        rule = _RULES.get(name, _elementwise if torch.Tag.pointwise in function.tags else _unknown)
        outputs = result if isinstance(result, (list, tuple)) else [result]
        for output in outputs:
            if not isinstance(output, Tensor):
                continue
            fields = rule(sources, output, *args[1:], **kwargs)
            if fields is None:
                raise NotImplementedError(
                    f"the receptive field cannot be followed through {name}: "
                    "replace this operation by convolutions, pooling or slices, "
                    "or measure the part of the network before it."
                )
            self.fields[output] = fields
            if any(field is not None for field in fields):
                self.last = fields
        return result


# A rule gives the fields of an output from its sources, pairs of a tensor and its fields, and the
# operation's other arguments; None where it cannot tell.


def _unknown(sources: list, output: Tensor, *_args, **_kwargs) -> Fields | None:
    return None if any(any(fields) for _, fields in sources) else (None,) * output.dim()


def _elementwise(sources: list, output: Tensor, *_args, **_kwargs) -> Fields:
    """Every output unit sees what the input units at its place see."""
    joined: list[Field | None] = [None] * output.dim()
    for tensor, fields in sources:
        for dim, field in enumerate(fields, output.dim() - tensor.dim()):
            if field is not None:
                known = joined[dim]
                joined[dim] = field if known is None else known.join(field)
    return tuple(joined)


def _same_place(sources, output, *_args, **_kwargs) -> Fields:
    """Normalisation, copies and splits of channels: the image stays where it is."""
    image, fields = sources[0]
    return fields if output.dim() == image.dim() else (None,) * output.dim()


def _per_axis(values, axes: int) -> list[int]:
    values = list(values)
    return values * axes if len(values) == 1 else values


def _convolution(
    sources, output, _weight, _bias, stride, padding, dilation, transposed, *_rest
) -> Fields:
    image, fields = sources[0]
    axes = image.dim() - 2
    kernel = _weight.shape[2:]
    settings = zip(kernel, *(_per_axis(v, axes) for v in (stride, padding, dilation)))
    step = Field.spread if transposed else Field.window
    return (None, None, *(step(f, *s) for f, s in zip(fields[2:], settings)))


def _pooling(
    sources, output, kernel, stride=(), padding=(0,), dilation=(1,), *_rest, **_kw
) -> Fields:
    fields = sources[0][1]
    axes = len(_per_axis(kernel, output.dim() - 2))
    if not isinstance(dilation, (list, tuple)):  # average pooling has ceil_mode in this place
        dilation = (1,)
    settings = zip(*(_per_axis(v, axes) for v in (kernel, stride or kernel, padding, dilation)))
    moved = [f.window(*s) for f, s in zip(fields[-axes:], settings)]
    return (*fields[:-axes], *moved)


def _adaptive_pooling(sources, output, *_args, **_kwargs) -> Fields | None:
    image, fields = sources[0]
    moved = []
    for field, size, new in zip(fields, image.shape, output.shape):
        if field is None or size == new:
            moved.append(field)
        elif new == 1:
            moved.append(None)  # sees the whole input: no longer a feature map
        elif size % new == 0:
            moved.append(field.window(size // new, size // new, 0, 1))
        else:
            return None
    return tuple(moved)


def _reduction(sources, output, *_args, **_kwargs) -> Fields:
    image, fields = sources[0]
    if output.dim() == image.dim():
        return tuple(f if n == m else None for f, n, m in zip(fields, image.shape, output.shape))
    dims = _args[0] if _args and _args[0] is not None else range(image.dim())
    gone = {d % image.dim() for d in (dims if isinstance(dims, (list, tuple, range)) else [dims])}
    return tuple(f for d, f in enumerate(fields) if d not in gone)


def _slice(sources, output, dim=0, start=None, end=None, step=1) -> Fields:
    image, fields = sources[0]
    moved = list(fields)
    if moved[dim] is not None:
        first = (start or 0) % image.shape[dim]
        moved[dim] = moved[dim].window(1, step, -first, 1)
    return tuple(moved)


def _pad(sources, output, pad, *_rest, **_kwargs) -> Fields:
    image, fields = sources[0]
    moved = list(fields)
    for axis in range(len(pad) // 2):  # pairs (before, after), from the last dimension on
        dim = image.dim() - 1 - axis
        if moved[dim] is not None:
            moved[dim] = moved[dim].window(1, 1, pad[2 * axis], 1)
    return tuple(moved)


def _concatenation(sources, output, _tensors=None, dim=0) -> Fields | None:
    if any(fields[dim] is not None for _, fields in sources):
        return None
    joined = sources[0][1]
    for _, fields in sources[1:]:
        joined = tuple(a.join(b) if a and b else a or b for a, b in zip(joined, fields))
    return joined


def _view(sources, output, *_args, **_kwargs) -> Fields | None:
    image, fields = sources[0]
    kept, place = [], 0
    for size in output.shape:  # keep each dimension that is still there as it was
        match = next(
            (d for d in range(place, image.dim()) if image.shape[d] == size and fields[d]), None
        )
        kept.append(None if match is None else fields[match])
        place = place if match is None else match + 1
    if sum(f is not None for f in kept) == sum(f is not None for f in fields):
        return tuple(kept)
    return (None,) * output.dim()  # flattened: no longer a feature map


def _product(sources, output, *_args, **_kwargs) -> Fields:
    return (None,) * output.dim()


_RULES = {
    **dict.fromkeys(
        [
            aten.native_batch_norm,
            aten._native_batch_norm_legit_no_training,
            aten.native_group_norm,
            aten.clone,
            aten.detach,
            aten.alias,
            aten._to_copy,
            aten.split,
            aten.split_with_sizes,
        ],
        _same_place,
    ),
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _pooling,
    aten.avg_pool2d: _pooling,
    aten._adaptive_avg_pool2d: _adaptive_pooling,
    aten.adaptive_max_pool2d: _adaptive_pooling,
    aten.mean: _reduction,
    aten.amax: _reduction,
    aten.sum: _reduction,
    aten.slice: _slice,
    aten.constant_pad_nd: _pad,
    aten.cat: _concatenation,
    aten.view: _view,
    aten._unsafe_view: _view,
    aten.reshape: _view,
    aten.addmm: _product,
    aten.mm: _product,
    aten.bmm: _product,
}
