"""SENet.

Collected from notebooks/deeper/senet.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from cnnbook.layers import conv_bn, conv_bn_relu
from cnnbook.networks.resnet import (
    RESNET50,
    RESNET101,
    RESNET152,
    Stage,
    bottleneck,
    option_b,
    residual_network,
)
from cnnbook.networks.resnext import Template, aggregated

__all__ = [
    "SqueezeExcitation",
    "gated",
    "se_resnet50",
    "se_resnet101",
    "se_resnet152",
    "se_resnext50_32x4d",
    "se_resnext101_32x4d",
    "senet154",
]


# -- Build it: The block that the library keeps
class SqueezeExcitation(nn.Module):
    """Multiply each channel by a gate, which is computed from the averages of all channels.

    Args:
        channels: of the input, and of the output.
        squeezed: channels between the two layers.
        activation: the module between the two layers.
        gate: the module that makes gates of numbers.

    Raises:
        ValueError: no channel is left between the layers.
    """

    def __init__(
        self,
        channels: int,
        squeezed: int,
        activation: Callable[[], nn.Module] = nn.ReLU,
        gate: Callable[[], nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        if squeezed < 1:
            raise ValueError(
                f"squeezed is {squeezed}; gates of {channels} channels need at least 1: take a "
                "smaller reduction."
            )
        down, up = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)
        self.excite = nn.Sequential(down, activation(), up, gate())

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        z = x.mean(dim=(2, 3), keepdim=True)  # squeeze: (N, C, 1, 1)
        return x * self.excite(z)  # each map times its gate


# -- Build it: Where the gate acts
def gated(
    in_channels: int, out_channels: int, stride: int, branch: Callable, reduction: int = 16
) -> nn.Sequential:
    """A branch that ends in gates, before the sum with the shortcut (Figure 3)."""
    layers = branch(in_channels, out_channels, stride)
    return nn.Sequential(*layers, SqueezeExcitation(out_channels, out_channels // reduction))


# -- Build it: The networks
def _se_resnet(stages: list[Stage], branch: Callable, num_classes: int) -> nn.Sequential:
    """A network of Table 1: images `(N, 3, 224, 224)` to logits."""
    pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    stem = nn.Sequential(conv_bn_relu(3, 64, 7, stride=2), pool)
    return residual_network(stem, 64, stages, partial(gated, branch=branch), option_b, num_classes)


_PATHS = partial(aggregated, template=Template(32, 4))


def se_resnet50(num_classes: int = 1000, branch: Callable = bottleneck) -> nn.Sequential:
    """SE-ResNet-50 of Hu et al. (2017): images `(N, 3, 224, 224)` to logits."""
    return _se_resnet(RESNET50, branch, num_classes)


def se_resnet101(num_classes: int = 1000, branch: Callable = bottleneck) -> nn.Sequential:
    """SE-ResNet-101 of Hu et al. (2017): images `(N, 3, 224, 224)` to logits."""
    return _se_resnet(RESNET101, branch, num_classes)


def se_resnet152(num_classes: int = 1000, branch: Callable = bottleneck) -> nn.Sequential:
    """SE-ResNet-152 of Hu et al. (2017): images `(N, 3, 224, 224)` to logits."""
    return _se_resnet(RESNET152, branch, num_classes)


def se_resnext50_32x4d(num_classes: int = 1000) -> nn.Sequential:
    """SE-ResNeXt-50 (32×4d) of Hu et al. (2017): images `(N, 3, 224, 224)` to logits."""
    return _se_resnet(RESNET50, _PATHS, num_classes)


def se_resnext101_32x4d(num_classes: int = 1000) -> nn.Sequential:
    """SE-ResNeXt-101 (32×4d) of Hu et al. (2017): images `(N, 3, 224, 224)` to logits."""
    return _se_resnet(RESNET101, _PATHS, num_classes)


# -- Build it: SENet-154
def _wide_paths(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """64 paths, twice as wide behind the 3×3 as before it."""
    return nn.Sequential(
        *conv_bn_relu(in_channels, out_channels // 2, 1),
        *conv_bn_relu(out_channels // 2, out_channels, 3, stride=stride, groups=64),
        *conv_bn(out_channels, out_channels, 1),
    )


def _overlapping(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Option B, with a 3×3 projection where the map is halved."""
    if stride == 1:
        return option_b(in_channels, out_channels, stride)
    return conv_bn(in_channels, out_channels, 3, stride=stride)


def senet154(num_classes: int = 1000) -> nn.Sequential:
    """SENet-154 of Hu et al. (2017): images `(N, 3, 224, 224)` to logits."""
    stem = nn.Sequential(
        conv_bn_relu(3, 64, 3, stride=2),
        conv_bn_relu(64, 64, 3),
        conv_bn_relu(64, 128, 3),
        nn.MaxPool2d(3, stride=2, ceil_mode=True),
    )
    branch = partial(gated, branch=_wide_paths)
    network = residual_network(stem, 128, RESNET152, branch, _overlapping, num_classes)
    network.head.insert(2, nn.Dropout(0.2))
    return network
