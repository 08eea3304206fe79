"""Runs networks on torch's meta device, where tensors have shapes but no numbers."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn


def on_meta(module: nn.Module) -> nn.Module:
    """Copy a module to the meta device, in evaluation mode, without copying its numbers."""
    tensors = [*module.parameters(), *module.buffers()]
    memo = {}
    for tensor in tensors:
        empty = torch.empty_like(tensor, device="meta")
        if isinstance(tensor, nn.Parameter):
            empty = nn.Parameter(empty, requires_grad=tensor.requires_grad)
        memo[id(tensor)] = empty
    return copy.deepcopy(module, memo).eval()


def run(
    module: nn.Module,
    input_size: Sequence[int],
    before: Callable[[Tensor], None] = lambda image: None,
) -> Any:
    """Run a network that lies on the meta device on one input of that size.

    Args:
        module: from `on_meta`.
        input_size: the input's shape without the batch.
        before: is shown the input first.

    Raises:
        NotImplementedError: the network looks at numbers, which are not there.
        ValueError: it does not take an input of that size.
    """
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


def main_output(output: Any) -> Any:
    """The main output of a network that gives several, in a tuple, a list or a dictionary."""
    while isinstance(output, (tuple, list, Mapping)):
        output = next(iter(output.values() if isinstance(output, Mapping) else output))
    return output
