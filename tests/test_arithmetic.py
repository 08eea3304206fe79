import math

import pytest
import torch
import torchvision
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from cnnbook.arithmetic import (
    count_parameters,
    multiply_adds,
    output_size,
    receptive_field,
    summary,
)

small = st.integers(1, 4)


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 20), small, small, st.integers(0, 3), small)
def test_output_size_is_what_convolution_gives(size, kernel, stride, padding, dilation):
    layer = nn.Conv1d(1, 1, kernel, stride=stride, padding=padding, dilation=dilation)
    call = {"stride": stride, "padding": padding, "dilation": dilation}
    try:
        expected = layer(torch.zeros(1, 1, size)).shape[-1]
    except RuntimeError:
        with pytest.raises(ValueError, match="the window is"):
            output_size(size, kernel, **call)
    else:
        assert output_size(size, kernel, **call) == expected


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 20), small, small, st.integers(0, 2), st.booleans())
def test_output_size_is_what_pooling_gives(size, kernel, stride, padding, ceil_mode):
    assume(padding <= kernel // 2)  # PyTorch wants it
    layer = nn.MaxPool1d(kernel, stride, padding, ceil_mode=ceil_mode)
    try:
        expected = layer(torch.zeros(1, 1, size)).shape[-1]
    except RuntimeError:
        assume(False)
    call = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    assert output_size(size, kernel, **call) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0, "kernel_size": 3}, "size is 0; it must be at least 1"),
        ({"size": 5, "kernel_size": 3, "stride": 0}, "stride is 0"),
        ({"size": 5, "kernel_size": 3, "padding": -1}, "padding is -1"),
        ({"size": 5, "kernel_size": 3, "dilation": 3}, "the window is 7 pixels long"),
    ],
)
def test_output_size_says_which_number_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        output_size(**arguments)


# The numbers were counted by forward hooks and by hand, not by this package; receptive fields of
# VGG-16 and AlexNet are those of Araujo et al. (2019), https://distill.pub/2019/computing-receptive-fields.
@pytest.mark.parametrize(
    ("name", "parameters", "operations", "field", "stride"),
    [
        ("resnet18", 11_689_512, 1_814_073_344, 435, 32),
        ("resnet50", 25_557_032, 4_089_184_256, 427, 32),
        ("vgg16", 138_357_544, 15_470_264_320, 212, 32),
        ("densenet121", 7_978_856, 2_834_161_664, 2071, 32),
    ],
)
def test_famous_networks(name, parameters, operations, field, stride):
    network = getattr(torchvision.models, name)()
    assert count_parameters(network) == parameters
    assert multiply_adds(network) == operations
    found = receptive_field(network)
    assert found.size == (field, field)
    assert found.stride == (stride, stride)


class Branches(nn.Module):
    """Two windows of different sizes on the same input, added or concatenated."""

    def __init__(self, left: nn.Module, right: nn.Module, join: str) -> None:
        super().__init__()
        self.left, self.right, self.join = left, right, join

    def forward(self, x):
        left, right = self.left(x), self.right(x)
        return left + right if self.join == "add" else torch.cat([left, right], 1)


@st.composite
def networks(draw):
    """Chains of convolutions, poolings and branches that keep two channels."""
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["conv", "pool", "average", "add", "cat", "pad", "slice"]))
        kernel = draw(st.sampled_from([1, 3, 5]))
        step, dilation = draw(st.integers(1, 2)), draw(st.integers(1, 2))
        same = dilation * (kernel - 1) // 2
        if kind == "conv":
            layers.append(nn.Conv2d(2, 2, (kernel, 3), stride=step, dilation=dilation))
        elif kind == "pool":
            layers.append(nn.MaxPool2d(3, step, padding=draw(st.integers(0, 1))))
        elif kind == "average":
            layers.append(nn.AvgPool2d(2, step))
        elif kind == "pad":
            layers.append(nn.ZeroPad2d((1, 0, 2, 1)))
        elif kind == "slice":
            layers.append(EverySecond())
        else:
            wide = nn.Conv2d(2, 2, kernel, step, padding=same, dilation=dilation)
            narrow = nn.Conv2d(2, 2, 1, step)
            layers.append(Branches(wide, narrow, kind))
            if kind == "cat":
                layers.append(nn.Conv2d(4, 2, 1))
    return nn.Sequential(*layers)


class EverySecond(nn.Module):
    def forward(self, x):
        return x[:, :, 1::2, ::2]


def reached(network: nn.Module, size: int) -> list[tuple[float, int, int]]:
    """For each axis: what one inner output unit sees, found by sending NaN back from it.

    Max pooling is replaced by average pooling, which lets every input of the window through.
    """
    for parent in network.modules():
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.MaxPool2d):
                average = nn.AvgPool2d(child.kernel_size, child.stride, child.padding)
                setattr(parent, name, average)
    image = torch.rand(1, 2, size, size, requires_grad=True)
    output = network(image)
    unit = [n // 2 for n in output.shape[2:]]
    gradient = torch.zeros_like(output)
    gradient[0, :, unit[0], unit[1]] = math.nan
    output.backward(gradient)
    seen = image.grad[0].isnan().any(0)
    found = []
    for axis, place in enumerate(unit):
        line = seen.any(1 - axis).nonzero().flatten()
        found.append((line[0].item(), line[-1].item(), place))
    return found


@settings(deadline=None, max_examples=60)
@given(networks())
def test_receptive_field_is_what_a_nan_sent_back_reaches(network):
    size = 160
    field = receptive_field(network, (2, size, size))
    for axis, (first, last, unit) in enumerate(reached(network, size)):
        assert field.size[axis] == last - first + 1
        assert field.offset[axis] + field.stride[axis] * unit == (first + last) / 2


def test_what_cannot_be_followed_is_named():
    class Flip(nn.Module):
        def forward(self, x):
            return x.flip(2)

    with pytest.raises(NotImplementedError, match=r"aten\.flip"):
        receptive_field(Flip(), (3, 8, 8))


def test_a_wrong_input_is_told_with_its_size():
    with pytest.raises(ValueError, match="Conv2d does not take an input of 1 × 8 × 8"):
        multiply_adds(nn.Conv2d(3, 4, 3), (1, 8, 8))


def test_a_module_is_left_as_it_was():
    network = torchvision.models.resnet18().train()
    weight = network.conv1.weight.clone()
    receptive_field(network)
    multiply_adds(network)
    assert network.training
    assert network.conv1.weight.device.type == "cpu"
    assert torch.equal(network.conv1.weight, weight)


def test_rows_of_a_summary_add_up():
    network = torchvision.models.resnet18()
    rows = summary(network)
    assert sum(row.parameters for row in rows) == count_parameters(network)
    assert sum(row.multiply_adds for row in rows) == multiply_adds(network)
    assert rows[-3].output_shape == (512, 7, 7)
    assert rows[-3].receptive_field == receptive_field(network).size[0]
    assert "<td>11,689,512</td>" in rows._repr_html_()
