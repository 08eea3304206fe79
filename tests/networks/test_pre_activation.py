"""Pre-activation residual networks against pytorchcv, and against another construction."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import reference
from cnnbook.arithmetic import count_parameters
from cnnbook.layers import conv_bn_relu
from cnnbook.networks import cifar_resnet, preact_network, preact_resnet, preact_resnet200
from cnnbook.networks.pre_activation import (
    BASIC_PROJECTING,
    BOTTLENECK_V15,
    ResidualSum,
    preact_basic,
    preact_bottleneck,
    preact_projection,
    preact_unit,
)
from cnnbook.networks.resnet import Stage, option_a


def for_few_pixels(theirs: nn.Module) -> nn.Module:
    """Average over any size, where pytorchcv's networks average over 7×7 or 8×8."""
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)
    return theirs


def first_activation_before_the_split(theirs: nn.Module) -> nn.Module:
    """Move the first activation of pytorchcv's networks for CIFAR to where the paper has it."""
    first = theirs.features.stage1.unit1.body.conv1
    features = theirs.features
    features.init_block = nn.Sequential(features.init_block, first.bn, nn.ReLU())
    first.bn, first.activ = nn.Identity(), nn.Identity()
    return for_few_pixels(theirs)


def first_activation_once(theirs: nn.Module) -> nn.Module:
    """Take the second of the two first activations of pytorchcv's ResNet-200 away."""
    first = theirs.features.stage1.unit1.body.conv1
    first.bn, first.activ = nn.Identity(), nn.Identity()
    return for_few_pixels(theirs)


def stride_in_the_first_convolution(theirs: nn.Module) -> nn.Module:
    """Move the stride of pytorchcv's bottlenecks from the 3×3 to the first 1×1 convolution."""
    for unit in theirs.modules():
        if hasattr(unit, "conv3") and unit.conv2.conv.stride == (2, 2):
            first, second = unit.conv1.conv, unit.conv2.conv
            first.stride, second.stride = second.stride, first.stride
    return theirs


@pytest.mark.parametrize("depth", [20, 110])
def test_pytorchcv_computes_the_same_with_projections(depth):
    theirs = first_activation_before_the_split(get_model(f"preresnet{depth}_cifar10"))
    ours = preact_resnet(depth, kind=BASIC_PROJECTING)
    assert max(reference.compare(ours, theirs, (3, 8, 8))) < reference.TOLERANCE


@pytest.mark.parametrize("name", ["preresnet164bn_cifar10", "preresnet1001_cifar10"])
def test_pytorchcv_computes_the_same_with_bottlenecks(name):
    depth = 1001 if "1001" in name else 164
    theirs = first_activation_before_the_split(get_model(name))
    ours = preact_resnet(depth, kind=BOTTLENECK_V15)
    assert max(reference.compare(ours, theirs, (3, 8, 8))) < reference.TOLERANCE


def test_pytorchcv_computes_the_same_as_the_paper_form_of_164_layers():
    theirs = first_activation_before_the_split(get_model("preresnet164bn_cifar10"))
    theirs = stride_in_the_first_convolution(theirs)
    assert max(reference.compare(preact_resnet(164), theirs, (3, 8, 8))) < reference.TOLERANCE


def test_pytorchcv_differs_where_the_stride_is_elsewhere():
    theirs = first_activation_before_the_split(get_model("preresnet164bn_cifar10"))
    assert max(reference.compare(preact_resnet(164), theirs, (3, 8, 8))) > 1e-3


@pytest.mark.parametrize(
    ("name", "form"), [("preresnet200", {}), ("preresnet200b", {"kind": BOTTLENECK_V15})]
)
def test_pytorchcv_computes_the_same_200_layers(name, form):
    theirs = first_activation_once(get_model(name))
    difference = reference.compare(preact_resnet200(**form), theirs, (3, 32, 32))
    assert max(difference) < reference.TOLERANCE


class WrittenOut(nn.Module):
    """A basic unit as the paper's text says it, for padding, which pytorchcv lacks."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, first: bool) -> None:
        super().__init__()
        self.norm1 = nn.Identity() if first else nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.stride, self.extra = stride, out_channels - in_channels

    def forward(self, x):
        y = self.conv1(self.norm1(x).relu())
        y = self.conv2(self.norm2(y).relu())
        x = x[:, :, :: self.stride, :: self.stride]
        return y + torch.cat([x, x.new_zeros(len(x), self.extra, *x.shape[2:])], dim=1)


@pytest.mark.parametrize("depth", [20, 110])
def test_padding_is_what_the_paper_says(depth):
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    in_channels = 16
    for out_channels in (16, 32, 64):
        for place in range((depth - 2) // 6):
            stride = 2 if out_channels > in_channels else 1
            first = place == 0 and out_channels == 16
            layers.append(WrittenOut(in_channels, out_channels, stride, first))
            in_channels = out_channels
    layers += [nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    theirs = nn.Sequential(*layers, nn.Linear(64, 10))
    assert max(reference.compare(preact_resnet(depth), theirs, (3, 8, 8))) < reference.TOLERANCE


@pytest.mark.parametrize("depth", [8, 20, 110])
def test_nothing_is_added_to_the_original(depth):
    with torch.device("meta"):
        assert count_parameters(preact_resnet(depth)) == count_parameters(cifar_resnet(depth))


@pytest.mark.parametrize("depth", [2, 21, 112, 165, 170, 1000])
def test_a_depth_that_is_not_in_the_family_is_refused(depth):
    with pytest.raises(ValueError, match=f"depth is {depth}; it must be"):
        preact_resnet(depth)


@given(
    st.lists(
        st.builds(Stage, st.integers(1, 3), st.sampled_from([8, 16]), st.sampled_from([1, 2])),
        min_size=1,
    ),
    st.sampled_from([preact_basic, preact_bottleneck]),
    st.booleans(),
)
def test_only_sums_stand_between_first_and_last_activation(stages, branch, projects):
    """With its last convolution at zero a unit with a bare shortcut gives back its input."""
    shortcut = preact_projection if projects else option_a
    channels = sorted(stage.out_channels for stage in stages)  # padding only adds channels
    stages = [stage._replace(out_channels=c) for stage, c in zip(stages, channels)]
    network = preact_network(conv_bn_relu(3, 8, 3), 8, stages, branch, shortcut, num_classes=5)
    names = [f"conv{place}_x" for place in range(2, 2 + len(stages))]
    children = [name for name, _ in network.named_children()]
    assert children == ["stem", *names, "activation", "head"]
    sums = [module for module in network.modules() if isinstance(module, ResidualSum)]
    assert len(sums) == sum(stage.depth for stage in stages)
    for module in sums:
        nn.init.zeros_(module.branch[-1].weight)
    x = torch.randn(2, 8, 8, 8)  # below zero as well
    for name, stage in zip(names, stages):
        for unit in network.get_submodule(name):
            y = unit(x)
            if isinstance(unit, ResidualSum) and isinstance(unit.shortcut, nn.Identity):
                assert torch.equal(y, x)
            x = y
        assert x.shape[1] == stage.out_channels
    assert network.head(network.activation(x)).shape == (2, 5)


@pytest.mark.parametrize("shape", [(8, 16, 2), (8, 16, 1), (8, 8, 2)])
def test_a_projection_reads_the_activated_input(shape):
    unit = preact_unit(preact_basic(*shape), preact_projection(*shape)).eval()
    nn.init.zeros_(unit[-1].branch[-1].weight)
    assert not unit(-torch.rand(1, 8, 6, 6)).any()  # nothing passes the ReLU


def test_a_padded_unit_hands_on_what_is_below_zero():
    unit = preact_unit(preact_basic(8, 16, 2), option_a(8, 16, 2)).eval()
    nn.init.zeros_(unit.branch[-1].weight)
    x = -torch.rand(1, 8, 6, 6)
    assert torch.equal(unit(x)[:, :8], x[:, :, ::2, ::2])
