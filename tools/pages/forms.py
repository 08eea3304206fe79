"""What a network does to an image, step by step, and in what two forms of it differ.

Two networks of one name are seldom the same: one pads where the other rounds up, one has lost a
normalisation on the way. A network is read here by running it, so that it does not matter whether a
step is a module or a function.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnbook.arithmetic import meta


class Step(NamedTuple):
    """One operation of a network, and how it is set."""

    kind: str  # such as "convolution"
    settings: Mapping[str, str]  # such as {"out_channels": "64", "kernel_size": "3×3", …}
    depth: int = 0  # steps before it, on the longest way from the image


class Aspect(NamedTuple):
    """Something in which two networks differ."""

    name: str  # a kind of step, or one of its settings: "convolution stride"
    ours: Counter  # what only the one has, and how often
    reference: Counter  # what only the other has


# The functions that are steps, and their arguments in order. All others only carry numbers about.
_ARGUMENTS = {
    "conv2d": "input weight bias stride padding dilation groups",
    "linear": "input weight bias",
    "batch_norm": "input mean var weight bias training momentum eps",
    "local_response_norm": "input size alpha beta k",
    "max_pool2d": "input kernel_size stride padding dilation ceil_mode return_indices",
    "avg_pool2d": "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    "adaptive_avg_pool2d": "input output_size",
    "mean": "input dim keepdim",
    "dropout": "input p training inplace",
    "cat": "tensors dim",
    "add": "input other",
    "relu": "input inplace",
    "tanh": "input",
    "sigmoid": "input",
}


def steps(model: nn.Module, input_size: Sequence[int] = (3, 224, 224)) -> list[Step]:
    """List what a network does to one image in evaluation, in the order in which it runs.

    Nothing is computed, and the model does not change. Steps without any effect, such as an
    adaptive pooling to the size that the map has already, are left out.

    Args:
        model: a network of one input.
        input_size: the image's shape `(C, H, W)`.

    Returns:
        Convolutions, linear layers, pooling, normalisation, dropout, activations, sums and
        concatenations with their settings.

    Examples:
        >>> stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        >>> [step.kind for step in steps(stem, (3, 32, 32))]
        ['convolution', 'relu', 'global average pooling']
        >>> steps(stem, (3, 32, 32))[0].settings["stride"]
        '2'
    """
    _, recorder = meta.run(meta.on_meta(model), input_size, lambda _image: _Recorder())
    return recorder.steps


def differences(
    ours: nn.Module,
    reference: nn.Module,
    input_size: Sequence[int] = (3, 224, 224),
    reference_size: Sequence[int] | None = None,
) -> list[Aspect]:
    """List everything in which the steps of two networks differ.

    Weights do not count, and neither do names. Each kind of step and each of its settings is
    compared on its own; where all agree, in pairs (which kernels have which stride). Two networks
    that agree in this, too, are compared in how many steps stand before each; the order in which
    parallel branches run is no difference.

    Args:
        ours: the one network.
        reference: the other.
        input_size: shape of the image that they are meant for, `(C, H, W)`.
        reference_size: that of the other network, if it is meant for another.

    Returns:
        The aspects in which they differ; none if they do the same.

    Examples:
        >>> ours = nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.ReLU())
        >>> theirs = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        >>> for name, here, there in differences(ours, theirs, (3, 32, 32)):
        ...     print(f"{name}: {written(here)} here, {written(there)} there")
        convolution kernel_size: 5×5 here, 3×3 there
        convolution padding: 2 here, 1 there
        batch normalisation: none here, eps 1e-05 there
    """
    here, there = steps(ours, input_size), steps(reference, reference_size or input_size)
    found = []
    sizes = [_across(size) for size in (input_size, reference_size or input_size)]
    if sizes[0] != sizes[1]:
        found.append(Aspect("input size", *(Counter([size]) for size in sizes)))
    for kind in dict.fromkeys(step.kind for step in here + there):
        parts = ([step.settings for step in part if step.kind == kind] for part in (here, there))
        found += _in_settings(kind, *parts)
    depths = [Counter((depth, kind) for kind, _, depth in part) for part in (here, there)]
    if not found and depths[0] != depths[1]:
        first = [min(d - other) for d, other in (depths, depths[::-1])]
        found.append(Aspect("order", *(Counter([f"{kind} as step {at}"]) for at, kind in first)))
    return found


def _in_settings(kind: str, ours: list[Mapping], reference: list[Mapping]) -> list[Aspect]:
    """What differs in one kind of step: whole steps, or settings, or pairs of settings."""
    whole = [Counter(_written_out(settings) for settings in part) for part in (ours, reference)]
    more, fewer = whole[0] - whole[1], whole[1] - whole[0]
    if not more or not fewer:  # the one has all that the other has
        return [Aspect(kind, more, fewer)] if more or fewer else []
    names = list(ours[0])
    for group in (1, 2):
        found = []
        for chosen in itertools.combinations(names, group):
            a, b = (
                Counter(_written_out({name: s[name] for name in chosen}, group) for s in part)
                for part in (ours, reference)
            )
            new = set(a) ^ set(b)  # without these, and with more on one side only, it is the number
            if a != b and (new or (a - b and b - a)):
                found.append(Aspect(f"{kind} {' and '.join(chosen)}", a - b, b - a))
        if found:  # pairs say the same again and again: the first is enough
            return found if group == 1 else found[:1]
    return []


def _written_out(settings: Mapping[str, str], number: int = 0) -> str:
    """Settings as a text: the value alone of a single one, of several those that are unusual."""
    usual = {"padding": "0", "dilation": "1", "groups": "1", "rounding": "down", "stride": "1"}
    if number == 1:
        return next(iter(settings.values()))
    shown = {key: value for key, value in settings.items() if value != usual.get(key)}
    return ", ".join(f"{key} {value}" for key, value in shown.items()) or "1 step"


def written(values: Counter) -> str:
    """Write what a network has as a text.

    Examples:
        >>> written(Counter({"3×3": 9, "5×5": 1})), written(Counter())
        ('3×3 (9 times); 5×5', 'none')
    """
    texts = (
        f"{value} ({number} times)" if number > 1 else value for value, number in values.items()
    )
    return "; ".join(texts) or "none"


class _Recorder(TorchFunctionMode):
    """Writes down the steps among the functions that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []

    def __torch_function__(
        self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        before = [getattr(t, "_depth", 0) for t in _tensors([*args, *(kwargs or {}).values()])]
        output = function(*args, **(kwargs or {}))
        name, depth = getattr(function, "__name__", "").strip("_"), max(before, default=0)
        if name in _ARGUMENTS:
            given = dict(zip(_ARGUMENTS[name].split(), args), **(kwargs or {}))
            if step := _step(name, given, output):
                self.steps.append(step._replace(depth=depth))
                depth += 1
        for tensor in _tensors([output]):
            tensor._depth = depth
        return output


def _tensors(values: Sequence) -> Iterator[Tensor]:
    """The tensors among arguments or results, also within lists."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _step(name: str, given: dict[str, Any], output: Tensor) -> Step | None:
    x = given.get("input")
    match name:
        case "conv2d":
            weight = given["weight"]
            settings = {
                "out_channels": str(weight.shape[0]),
                "kernel_size": "×".join(map(str, weight.shape[2:])),
                "stride": _across(given.get("stride", 1)),
                "padding": _across(given.get("padding", 0)),
                "dilation": _across(given.get("dilation", 1)),
                "groups": str(given.get("groups", 1)),
                "bias": "no" if given.get("bias") is None else "yes",
            }
            return Step("convolution", settings)
        case "linear":
            features = dict(zip(("out_features", "in_features"), map(str, given["weight"].shape)))
            return Step(
                "linear", {**features, "bias": "no" if given.get("bias") is None else "yes"}
            )
        case "batch_norm":
            return Step("batch normalisation", {"eps": f"{given['eps']:g}"})
        case "local_response_norm":
            defaults = {"alpha": 1e-4, "beta": 0.75, "k": 1.0}
            settings = {key: f"{given.get(key, value):g}" for key, value in defaults.items()}
            return Step("local response normalisation", {"size": str(given["size"]), **settings})
        case "max_pool2d" | "avg_pool2d":
            return _pooling("max" if name[0] == "m" else "average", given, output)
        case "adaptive_avg_pool2d" | "mean":
            if x.dim() < 4 or output.shape == x.shape:
                return None
            return Step("global average pooling", {})
        case "dropout":
            return Step("dropout", {"p": f"{given.get('p', 0.5):g}"})
        case "cat":
            return Step("concatenation", {"parts": str(len(given["tensors"]))})
        case "add":
            is_sum = isinstance(given.get("other"), Tensor) and given["other"].dim() == 4
            return Step("sum", {}) if is_sum else None
        case _:
            return Step(name, {})


def _pooling(kind: str, given: dict[str, Any], output: Tensor) -> Step:
    kernel, stride = given["kernel_size"], given.get("stride") or given["kernel_size"]
    height, width = given["input"].shape[-2:]
    padding = given.get("padding", 0)
    if (
        kind == "average"
        and output.shape[-2:] == (1, 1)
        and _across(kernel) == _across((height, width))
    ):
        return Step("global average pooling", {})
    settings = {
        "kernel_size": _across(kernel),
        "stride": _across(stride),
        "padding": _across(padding),
    }
    k, s, p = (value if isinstance(value, int) else value[0] for value in (kernel, stride, padding))
    settings["rounding"] = "up" if output.shape[-2] > (height + 2 * p - k) // s + 1 else "down"
    return Step(f"{kind} pooling", settings)


def _across(value: int | str | Sequence[int]) -> str:
    """Write a size once where it is the same in all directions."""
    if isinstance(value, (int, str)):
        return str(value)
    return str(value[0]) if len(set(value)) == 1 else "×".join(map(str, value))
