"""Output sizes: at how many places a window can stand."""

from collections.abc import Callable, Mapping

from cnnbook.numbers import integer

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
    given = {name: value for name, value in locals().items() if name != "ceil_mode"}
    return _per_axis(given, lambda **axis: _windows(**axis, ceil_mode=ceil_mode))


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
    return _per_axis(locals(), _spread)


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
    values = {}
    for name, value in given.items():
        numbers = value if isinstance(value, tuple) else (value,) * axes
        values[name] = tuple(integer(name, number, _LEAST[name]) for number in numbers)
    found = tuple(rule(**dict(zip(values, axis))) for axis in zip(*values.values()))
    return found if any(isinstance(value, tuple) for value in given.values()) else found[0]
