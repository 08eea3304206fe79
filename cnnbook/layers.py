"""Blocks and the initialiser that two chapters or more use.

A chain of layers is a function, a join is a class.
"""

from collections.abc import Callable

from torch import Tensor, nn


def conv_relu(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int | None = None,
) -> nn.Sequential:
    """Convolution with a bias, then ReLU, as in the networks before batch normalisation.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: height and width of the kernel, in pixels.
        stride: step of the window, in pixels.
        padding: zeros on every side; if not given, `kernel_size // 2`, which keeps height and
            width of an odd kernel at stride 1.

    Returns:
        A module from `(N, in_channels, H, W)` to `(N, out_channels, …, …)`.

    Examples:
        >>> import torch
        >>> conv_relu(3, 8, 5)(torch.zeros(1, 3, 32, 32)).shape
        torch.Size([1, 8, 32, 32])
    """
    if padding is None:
        padding = kernel_size // 2
    convolution = nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=padding)
    return nn.Sequential(convolution, nn.ReLU(inplace=True))


def conv_bn(
    in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution, then batch normalisation, as in Ioffe and Szegedy (2015).

    The convolution has no bias: the normalisation subtracts the mean, which would take any bias
    away again, and adds its own. The padding `kernel_size // 2` keeps height and width of an odd
    kernel at stride 1.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: height and width of the kernel, in pixels.
        stride: step of the window, in pixels.
        groups: groups of channels that do not see each other.

    Returns:
        A module from `(N, in_channels, H, W)` to `(N, out_channels, H / stride, W / stride)`.

    Examples:
        >>> import torch
        >>> conv_bn(3, 8, 3, stride=2)(torch.zeros(1, 3, 32, 32)).shape
        torch.Size([1, 8, 16, 16])
    """
    convolution = nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride=stride,
        padding=kernel_size // 2,
        groups=groups,
        bias=False,
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels))


def conv_bn_relu(
    in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """`conv_bn`, then ReLU; the arguments and shapes are those of `conv_bn`.

    Examples:
        >>> import torch
        >>> conv_bn_relu(3, 8, 3)(torch.randn(2, 3, 32, 32)).min().item()
        0.0
    """
    relu = nn.ReLU(inplace=True)  # nobody else needs what the normalisation gives
    return nn.Sequential(
        *conv_bn(in_channels, out_channels, kernel_size, stride=stride, groups=groups), relu
    )


def bn_relu_conv(
    in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Batch normalisation, ReLU, then convolution: the pre-activation of He et al. (2016).

    The convolution has no bias: the next normalisation would take it away again. The arguments
    and shapes are those of `conv_bn`.

    Examples:
        >>> import torch
        >>> bn_relu_conv(3, 8, 3, stride=2)(torch.zeros(1, 3, 32, 32)).shape
        torch.Size([1, 8, 16, 16])
    """
    # not in place: the shortcut of a block, or a later layer, needs the normalised input as it is
    activation = nn.BatchNorm2d(in_channels), nn.ReLU()
    convolution, _ = conv_bn(in_channels, out_channels, kernel_size, stride=stride, groups=groups)
    return nn.Sequential(*activation, convolution)


def initialise(
    network: nn.Module,
    draw: Callable[[Tensor], Tensor],
    *,
    bias: float = 0.0,
    kinds: type | tuple[type, ...] = (nn.Conv2d, nn.Linear),
) -> nn.Module:
    """Draw the weights of a network anew, layer by layer, and set the biases.

    Args:
        network: the module whose layers are meant, however deep they lie.
        draw: fills a tensor in place: a function of `nn.init`, or a `partial` of one.
        bias: what all biases become.
        kinds: the classes of the layers; other layers stay as they are.

    Returns:
        The same network.

    Examples:
        >>> layer = initialise(nn.Linear(2, 3), nn.init.ones_, bias=0.2)
        >>> layer.weight.sum().item(), round(layer.bias.sum().item(), 2)
        (6.0, 0.6)
    """
    for layer in network.modules():
        if isinstance(layer, kinds):
            draw(layer.weight)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, bias)
    return network
