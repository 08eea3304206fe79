"""Counts multiply–adds anew, without torch's counter and without the package's arithmetic.

It listens to the functions of PyTorch that a network calls, `F.conv2d` and the like, before they
become operations; and has a formula of its own for each.
"""

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class Listening(TorchFunctionMode):
    """Under it, `multiply_adds` grows with each function that multiplies and adds.

    Examples:
        >>> import torch
        >>> with Listening() as heard:
        ...     _ = nn.Conv2d(3, 4, 5)(torch.zeros(1, 3, 32, 32))
        >>> heard.multiply_adds  # 4·28·28 outputs of 5·5·3
        235200
    """

    def __init__(self) -> None:
        super().__init__()
        self.multiply_adds = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "").strip("_")
        result = function(*args, **kwargs)
        if formula := _FORMULAS.get(name):
            self.multiply_adds += formula(result, *args, **kwargs)
        return result


def parameters(network: nn.Module) -> int:
    """Numbers in a network's trainable parameters, collected layer by layer."""
    seen: dict[int, int] = {}
    for layer in network.modules():
        for weight in layer._parameters.values():
            if weight is not None and weight.requires_grad:
                seen[id(weight)] = math.prod(weight.shape)
    return sum(seen.values())


def _convolution(result: Tensor, input: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    return math.prod(result.shape) * math.prod(weight.shape[1:])


def _transposed(result: Tensor, input: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    return math.prod(input.shape) * math.prod(weight.shape[1:])


def _linear(result: Tensor, input: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    return math.prod(result.shape) * weight.shape[-1]


def _product(result: Tensor, first: Tensor, second: Tensor, *_: Any, **__: Any) -> int:
    return math.prod(result.shape) * first.shape[-1]


def _product_added(result: Tensor, _added: Tensor, first: Tensor, *_: Any, **__: Any) -> int:
    return math.prod(result.shape) * first.shape[-1]


def _product_reversed(result: Tensor, second: Tensor, first: Tensor, *_: Any, **__: Any) -> int:
    return math.prod(result.shape) * first.shape[-1]


def _attention(result: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any):
    scores = math.prod(query.shape[:-1]) * key.shape[-2]
    return scores * (query.shape[-1] + value.shape[-1])


def _multi_head(result: Any, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Three maps in, attention of all heads, one map out; sequences come first."""
    width, batch = query.shape[-1], math.prod(query.shape[1:-1])
    long, seen = query.shape[0], key.shape[0]
    maps = long * width + seen * key.shape[-1] + seen * value.shape[-1] + long * width
    return batch * (maps * width + 2 * long * seen * width)


def _recurrent(result: Any, input: Tensor, _hidden: Any, weights: list[Tensor], *_: Any, **__: Any):
    steps = math.prod(input.shape[:-1])
    return steps * sum(math.prod(weight.shape) for weight in weights if weight.dim() == 2)


def _einsum(result: Tensor, equation: str, *operands: Any, **__: Any) -> int:
    """Of two tensors: as often as there are combinations of letters that stand in both."""
    tensors = list(operands[0]) if len(operands) == 1 else list(operands)
    if len(tensors) != 2:
        return 0
    left, _, kept = equation.replace(" ", "").partition("->")
    first, second = left.split(",")
    sizes: dict[str, int] = {}
    for letters, tensor in zip((first, second), tensors):
        sizes |= dict(zip(letters, tensor.shape))
    alone = (set(first) ^ set(second)) - set(kept)  # is summed before anything is multiplied
    return math.prod(size for letter, size in sizes.items() if letter not in alone)


def _bilinear(result: Tensor, first: Tensor, second: Tensor, weight: Tensor, *_: Any) -> int:
    outputs, left, right = weight.shape
    return math.prod(first.shape[:-1]) * outputs * (left * right + right)


_FORMULAS: dict[str, Callable] = {
    name: formula
    for names, formula in {
        "conv1d conv2d conv3d deform_conv2d": _convolution,
        "conv_transpose1d conv_transpose2d conv_transpose3d": _transposed,
        "linear": _linear,
        "matmul mm bmm mv": _product,
        "rmatmul": _product_reversed,
        "addmm baddbmm": _product_added,
        "scaled_dot_product_attention": _attention,
        "multi_head_attention_forward": _multi_head,
        "lstm gru": _recurrent,
        "einsum": _einsum,
        "bilinear": _bilinear,
    }.items()
    for name in names.split()
}
