"""Parameters and multiply–adds of any network."""

import math
import sys
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnbook.arithmetic import meta


def count_parameters(module: nn.Module) -> int:
    """Number of trainable parameters, each shared one counted once.

    Batch norm's running mean and variance are buffers, not parameters.

    Raises:
        ValueError: it is no module, or has lazy layers.

    Examples:
        >>> count_parameters(nn.Conv2d(3, 4, kernel_size=5))  # 4 · (5 · 5 · 3) weights, 4 biases
        304
    """
    meta.check_network(module)
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def multiply_adds(module: nn.Module, input_size: Sequence[int] = (3, 224, 224)) -> int:
    """Multiply–adds of one evaluation at batch size 1.

    Counted are those of convolutions, linear layers and matrix products, as papers do. Biases,
    normalisation, activations, pooling and additions are not counted, nor is what makes weights
    out of other weights, as spectral norm does: that could be done once for all images.

    Args:
        module: any module of one input.
        input_size: the input's shape without the batch, for images `(C, H, W)`.

    Raises:
        ValueError: the module does not take an input of that size.

    Examples:
        >>> multiply_adds(nn.Conv2d(3, 4, kernel_size=5), (3, 32, 32))  # 4·28·28 outputs of 5·5·3
        235200
    """
    _, counter = meta.run(meta.on_meta(module), input_size, lambda _image: counting())
    return counter.get_total_flops() // 2


def counting() -> FlopCounterMode:
    """PyTorch's counter, which here also counts what it leaves out.

    These are products with a vector, products in place, sums of products, bilinear layers and
    deformable convolutions. It counts two operations for a multiply–add.
    """
    aten = torch.ops.aten
    known: dict[object, Callable] = {
        aten._trilinear: _bilinear,
        aten.conv_tbc: _over_time,
        **dict.fromkeys((aten.mv, aten.dot, aten.vdot), _product),
        **dict.fromkeys((aten.addmv, aten.addmv_, aten.addmm_), _added_product),
        **dict.fromkeys((aten.addbmm, aten.addbmm_, aten.baddbmm_), _added_product),
    }
    if "torchvision" in sys.modules:  # nobody has such a layer who has not imported it
        known[torch.ops.torchvision.deform_conv2d] = _deformable
    return FlopCounterMode(display=False, custom_mapping=known)


def _product(first: torch.Size, second: torch.Size, *_rest: object, **_: object) -> int:
    return 2 * math.prod(first) * math.prod(second[-1:] if len(second) > 1 else ())


def _added_product(_to: object, *factors: torch.Size, **_: object) -> int:
    return _product(*factors)


def _over_time(
    image: torch.Size, weight: torch.Size, *_rest: object, out_shape, **_: object
) -> int:
    return 2 * out_shape[0] * out_shape[1] * math.prod(weight)


def _bilinear(first: torch.Size, weight: torch.Size, *_rest: object, **_: object) -> int:
    outputs, left, right = weight[-3:]  # each output: the first times a matrix, times the second
    return 2 * math.prod(first[:-1]) * outputs * (left * right + right)


def _deformable(_image: object, weight: torch.Size, *_rest: object, out_shape, **_: object) -> int:
    return 2 * math.prod(weight) * math.prod(out_shape[2:]) * out_shape[0]
