"""Runs networks on torch's meta device, where tensors have shapes but no numbers."""

import contextlib
import copy
import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.overrides import TorchFunctionMode

from cnnbook.numbers import integer


class NotFollowedError(NotImplementedError):
    """What a network does cannot be followed without numbers; says what, and what would do."""


class _Emptied(TorchFunctionMode):
    """Under it, the copy of a tensor has its shape, lies on the meta device and holds nothing."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in (Tensor.__deepcopy__, Tensor.clone):
            return torch.empty_like(args[0], device="meta", requires_grad=False)
        return function(*args, **(kwargs or {}))


def check_network(module: Any) -> None:
    """Refuse what is no module, or has no shapes yet.

    Raises:
        ValueError: it says so.
    """
    if not isinstance(module, nn.Module):
        given = (
            f"the class {module.__name__}" if isinstance(module, type) else type(module).__name__
        )
        raise ValueError(f"a network is wanted, an nn.Module; this is {given}: build one of it.")
    if any(is_lazy(tensor) for tensor in (*module.parameters(), *module.buffers())):
        raise ValueError(
            f"{type(module).__name__} has lazy layers, whose shapes are not known yet: run it once "
            "on an input."
        )


def check_size(input_size: Any) -> list[int]:
    """The input's shape without the batch, as integers.

    Raises:
        ValueError: it is none.

    Examples:
        >>> check_size(224)
        Traceback (most recent call last):
            ...
        ValueError: input_size is 224; give the shape without the batch: (C, H, W) for images.
    """
    if isinstance(input_size, Sequence) and not isinstance(input_size, str) and len(input_size):
        return [integer("each size of the input", size, least=1) for size in input_size]
    given = type(input_size).__name__ if isinstance(input_size, Tensor) else repr(input_size)
    raise ValueError(
        f"input_size is {given}; give the shape without the batch: (C, H, W) for images."
    )


def on_meta(module: nn.Module) -> nn.Module:
    """Copy a module to the meta device, in evaluation mode, without copying its numbers.

    Whatever tensors the module holds are emptied: parameters and buffers, plain attributes, kept
    activations. The copy's parameters are frozen; count those of the original.

    Raises:
        ValueError: the module has layers without shapes, or cannot be copied.
    """
    check_network(module)
    name = type(module).__name__
    scripted = any(isinstance(part, torch.jit.ScriptModule) for part in module.modules())
    try:
        with contextlib.nullcontext() if scripted else _Emptied():
            copied = copy.deepcopy(module)  # TorchScript copies its numbers, too
    except Exception as error:
        raise ValueError(
            f"{name} holds something that Python cannot copy; hand over a network without it."
        ) from error
    for parameter in copied.parameters():
        parameter.detach_().requires_grad_(False)
    copied.eval()
    for part in copied.modules():
        _make_weights(part)
    return copied


@torch.no_grad()
def _make_weights(part: nn.Module) -> None:
    """Put the weights that a layer makes out of others in their place, once for all runs."""
    for key, hook in list(part._forward_pre_hooks.items()):
        if isinstance(hook, SpectralNorm):  # the weight that it made last is there
            del part._forward_pre_hooks[key]
    if parametrize.is_parametrized(part):
        try:
            made = {name: getattr(part, name) for name in part.parametrizations}
        except Exception:  # they look at numbers, say: then they run with the layer, and tell it
            return
        part.__class__ = type(part).__bases__[0]  # the copy's; the class itself is shared
        del part.parametrizations
        for name, weight in made.items():
            setattr(part, name, weight)


class _Padded(TorchFunctionMode):
    """Pads with zeros where circular padding is asked for: the shapes are the same.

    Circular padding is made of many writes into parts of an image, which nobody can follow.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is F.pad and "circular" in (kwargs.get("mode"), *args[2:3]):
            args = args[:2]
            kwargs = {key: value for key, value in kwargs.items() if key in ("input", "pad")}
        return function(*args, **kwargs)


def run(
    module: nn.Module,
    input_size: Sequence[int],
    watch: Callable[[Tensor], contextlib.AbstractContextManager] = contextlib.nullcontext,
) -> tuple[Any, Any]:
    """Run a network that lies on the meta device on one input of that size.

    Args:
        module: from `on_meta`.
        input_size: the input's shape without the batch.
        watch: gives the context in which the network runs, from its input. It may be asked more
            than once, when the network must run anew.

    Returns:
        The network's output, and what `watch` gave.

    Raises:
        NotImplementedError: the network looks at numbers, which are not there, or is quantised.
        ValueError: it does not take an input of that size, or takes several inputs.
    """
    name = type(module).__name__
    input_size = check_size(input_size)
    dtypes = [p.dtype for p in module.parameters() if p.is_floating_point()]
    complexes = [p.dtype for p in module.parameters() if p.is_complex()]
    image = torch.empty(1, *input_size, device="meta", dtype=(*dtypes, torch.float32)[0])
    place = contextlib.nullcontext()
    while True:
        context = watch(image)
        with _running(module) as stops_at:
            try:
                with torch.no_grad(), _Padded(), place, context:
                    return module(image), context
            except NotFollowedError:
                raise
            except Exception as failure:
                error, where = failure, stops_at(failure)
        # Numbers of words are whole; and what a network makes while it runs lies on the CPU,
        # unless it asks where the input is.
        if _WHOLE.search(str(error).lower()) and image.is_floating_point():
            image = image.long()
        elif complexes and image.is_floating_point():
            image = image.to(complexes[0])
        elif "device" in str(error) and not isinstance(place, torch.device):
            place = torch.device("meta")
        else:
            break
    if _is_quantised(module):
        raise NotFollowedError(
            f"{name} is quantised: its layers keep their weights packed, and here tensors have "
            "only shapes. Count the network that it was made from."
        ) from error
    if _looks_at_numbers(error):
        raise NotFollowedError(
            f"{name} looks at the numbers in a tensor to decide what to run, and here tensors "
            "have only shapes: measure the part of the network that does not."
        ) from error
    if isinstance(error, NotImplementedError) and '"forward"' in str(error):
        raise ValueError(
            f"{name} has no forward: put it into a module that says how its parts run."
        ) from error
    needed = _needed_inputs(module)
    if len(needed) > 1 and isinstance(error, TypeError):
        raise ValueError(
            f"{name} takes {len(needed)} inputs ({', '.join(needed)}): put it into a module of one "
            "input that makes the others."
        ) from error
    size = " × ".join(map(str, input_size))
    stops = ""
    if where:
        part, layer, shapes = where
        stops = f": it stops at {part!r}, {layer}"
        if shapes:
            stops += f", which is given {' and '.join(shapes)}"
    raise ValueError(f"{name} does not take an input of {size}{stops}.") from error


# What torch says where it wants whole numbers.
_WHOLE = re.compile(
    r"scalar types: long|int32|int64|torch\.long|longtensor|(must|to) be long|bitwise"
)


def _is_quantised(module: nn.Module) -> bool:
    """Whether a layer holds its weights in an object of torch's, which has no shape to see."""
    return any(
        isinstance(value, torch.ScriptObject)
        for part in module.modules()
        if not isinstance(part, torch.jit.ScriptModule)
        for value in vars(part).values()
    )


def _needed_inputs(module: nn.Module) -> list[str]:
    """Names of the inputs that a network cannot do without."""
    try:
        inputs = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):  # it is not written in Python
        return []
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [i.name for i in inputs if i.default is i.empty and i.kind not in several]


def _looks_at_numbers(error: Exception) -> bool:
    """Whether torch says that it wants numbers; that a device is another one it also says."""
    said = str(error).lower()
    unknown = isinstance(error, NotImplementedError) and "meta" in said
    words = ("meta tensor", "data-dependent", "convert meta", "to tensor.__format__")
    return unknown or any(word in said for word in words)


@contextlib.contextmanager
def _running(module: nn.Module) -> Iterator[Callable]:
    """Find in which part an error was raised: its name, what it is, shapes of its inputs."""
    now: list[tuple[str, str, list[str]]] = []
    seen: list[tuple[BaseException | None, tuple[str, str, list[str]]]] = []
    hooks = []

    def enter(name: str) -> Callable:
        def hook(part: nn.Module, inputs: tuple) -> None:
            given = [i for i in inputs if isinstance(i, Tensor)]
            shapes = [" × ".join(map(str, i.shape)) or "a number" for i in given]
            now.append((name, _described(part), shapes))

        return hook

    def leave(*_: object) -> None:  # the innermost part first, also after an error
        seen[:] = [*seen[-9:], (sys.exc_info()[1], now.pop())]

    def stops_at(error: Exception) -> tuple[str, str, list[str]] | None:
        return next((part for raised, part in seen if raised is error), None)

    for name, part in module.named_modules():
        if name and not isinstance(part, torch.jit.ScriptModule):
            hooks.append(part.register_forward_pre_hook(enter(name)))
            hooks.append(part.register_forward_hook(leave, always_call=True))
    try:
        yield stops_at
    finally:
        for hook in hooks:
            hook.remove()


def _described(part: nn.Module) -> str:
    """A layer as it writes itself; one that cannot, and a part of many layers, by its type."""
    if not list(part.children()):
        with contextlib.suppress(Exception):
            return str(part)
    return type(part).__name__


def main_output(output: Any) -> Tensor | None:
    """The main output of a network that gives several: the first tensor that is found in it."""
    if isinstance(output, Tensor):
        return output
    if not isinstance(output, (tuple, list, Mapping)) and dataclasses.is_dataclass(output):
        output = vars(output)
    if isinstance(output, (tuple, list, Mapping)):
        for part in output.values() if isinstance(output, Mapping) else output:
            if (found := main_output(part)) is not None:
                return found
    return None
