"""The book's arithmetic: output sizes, parameters, multiply–adds and receptive fields.

Networks are followed on torch's meta device, where tensors have shapes but no numbers: nothing is
computed, and a network of any size takes a fraction of a second.
"""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnbook.fields import Field, FieldMode

Sizes = int | tuple[int, ...]  # of one axis, or of several


def output_size(
    size: Sizes,
    kernel_size: Sizes,
    *,
    stride: Sizes = 1,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Sizes:
    """Size of a convolution's or pooling's output: the places at which the window can stand.

    Every number may be one for each axis, as a tuple; a single number then holds for all of them.

    Args:
        size: length of the input, in pixels.
        kernel_size: length of the kernel, in pixels.
        stride: step of the window.
        padding: pixels added at each end.
        dilation: distance between neighbouring kernel elements.
        ceil_mode: also count a last window that begins inside the input (or its left padding) and
            hangs over the end, as pooling layers can.

    Returns:
        The size along the axis; a tuple for several axes.

    Raises:
        ValueError: a number is out of range, or the window does not fit.

    Examples:
        >>> output_size(224, 7, stride=2, padding=3)
        112
        >>> output_size((480, 640), (3, 5), stride=2)
        (239, 318)
    """
    given = {
        "size": size,
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
    }
    return _per_axis(given, lambda *axis: _windows(*axis, ceil_mode))


def _windows(
    size: int, kernel_size: int, stride: int, padding: int, dilation: int, ceil_mode: bool
) -> int:
    window = dilation * (kernel_size - 1) + 1
    if ceil_mode and padding > kernel_size // 2:
        raise ValueError(
            f"padding is {padding}; with ceil_mode, which is pooling's, it must be at most half of "
            f"the kernel_size {kernel_size}."
        )
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


def transposed_output_size(
    size: Sizes,
    kernel_size: Sizes,
    *,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    dilation: Sizes = 1,
) -> Sizes:
    """Size of a transposed convolution's output.

    It is the size of an input from which the convolution of the same numbers gives `size`; of the
    `stride` sizes that do, `output_padding` chooses one.

    Args:
        size: length of the input, in pixels.
        kernel_size: length of the kernel, in pixels.
        stride: pixels between the places at which neighbouring units put their kernels.
        padding: pixels cut off at each end.
        output_padding: pixels added at the far end.
        dilation: distance between neighbouring kernel elements.

    Returns:
        The size along the axis; a tuple for several axes.

    Raises:
        ValueError: a number is out of range, or nothing is left.

    Examples:
        >>> transposed_output_size(112, 7, stride=2, padding=3, output_padding=1)
        224
    """
    given = {
        "size": size,
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "output_padding": output_padding,
    }
    return _per_axis(given, _spread)


def _spread(
    size: int, kernel_size: int, stride: int, padding: int, dilation: int, output_padding: int
) -> int:
    if output_padding >= max(stride, dilation):
        raise ValueError(
            f"output_padding is {output_padding}; it must be smaller than the stride ({stride}) "
            f"or the dilation ({dilation})."
        )
    length = (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1
    if length < 1:
        raise ValueError(
            f"{size} pixels spread to {length + 2 * padding}, and the padding of {padding} cuts "
            "all of them off; use less padding."
        )
    return length


_LEAST = {"size": 1, "kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
_LEAST["output_padding"] = 0


def _per_axis(given: Mapping[str, Sizes], rule: Callable[..., int]) -> Sizes:
    """Check the numbers, and apply a rule to those of each axis."""
    lengths = {len(value) for value in given.values() if isinstance(value, tuple)}
    if len(lengths) > 1:
        counts = " and ".join(map(str, sorted(lengths)))
        raise ValueError(f"the tuples have {counts} numbers; give one number for each axis.")
    axes = lengths.pop() if lengths else 1
    values = {k: v if isinstance(v, tuple) else (v,) * axes for k, v in given.items()}
    for name, numbers in values.items():
        for number in numbers:
            if not isinstance(number, int):
                raise ValueError(f"{name} is {number!r}; it must be a whole number.")
            if number < _LEAST[name]:
                raise ValueError(f"{name} is {number}; it must be at least {_LEAST[name]}.")
    found = tuple(rule(*axis) for axis in zip(*values.values()))
    return found if any(isinstance(value, tuple) for value in given.values()) else found[0]


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
    meta = _on_meta(module)
    if len(input_size) < 2:
        raise ValueError(f"input_size is {tuple(input_size)}; give (C, H, W): channels, then axes.")
    with FieldMode() as mode:
        output = _run_on_meta(meta, input_size, before=mode.start)
    return _as_receptive_field(mode.of(_first(output)) or mode.last, gates)


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
    meta = _on_meta(module)
    found: dict[str, ReceptiveField] = {}

    def note(name: str) -> Callable:
        def hook(_module: nn.Module, _inputs: tuple, output: object) -> None:
            if fields := mode.of(_first(output)):
                found[name] = _as_receptive_field(fields, gates)

        return hook

    for name, child in meta.named_modules():
        if name:
            child.register_forward_hook(note(name))
    with FieldMode() as mode:
        _run_on_meta(meta, input_size, before=mode.start)
    return found


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
        def hook(_module: nn.Module, _inputs: tuple, output: object) -> None:
            sizes = [field.size for field in mode.of(_first(output))]
            seen[name] = (tuple(_first(output).shape[1:]), max(sizes, default=None))

        return hook

    for name, child in meta.named_children():
        child.register_forward_hook(note(name))
    with counter, FieldMode() as mode:
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
) -> Any:
    dtype = next((p.dtype for p in module.parameters()), torch.float32)
    image = torch.empty(1, *input_size, device="meta", dtype=dtype)
    before(image)
    try:
        with torch.no_grad():
            return module(image)
    except NotImplementedError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError, AssertionError) as error:
        name = type(module).__name__
        if "meta tensor" in str(error):
            raise NotImplementedError(
                f"{name} looks at the numbers in a tensor to decide what to run, and here tensors "
                "have only shapes: measure the part of the network that does not."
            ) from error
        size = " × ".join(map(str, input_size))
        raise ValueError(f"{name} does not take an input of {size}: {error}") from error


def _first(output: Any) -> Any:
    """The main output of a network that gives several, in a tuple, a list or a dictionary."""
    while isinstance(output, (tuple, list, Mapping)):
        output = next(iter(output.values() if isinstance(output, Mapping) else output))
    return output


def _as_receptive_field(fields: Sequence[Field], gates: bool) -> ReceptiveField:
    return ReceptiveField(
        tuple(math.inf if gates and field.gated else field.size for field in fields),
        tuple(int(f.jump) if f.jump.denominator == 1 else float(f.jump) for f in fields),
        tuple((field.low[0] + field.high[0]) / 2 for field in fields),
    )
