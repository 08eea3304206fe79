import copy
import math

import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from cnnbook.arithmetic import (
    count_parameters,
    multiply_adds,
    output_size,
    receptive_field,
    receptive_fields,
    summary,
    transposed_output_size,
)
from cnnbook.arithmetic.receptive import FieldMode

small = st.integers(1, 4)


@settings(max_examples=200)
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


@given(st.integers(1, 20), small, small, st.integers(0, 3), small, st.booleans())
@settings(max_examples=300)
def test_output_size_is_what_pooling_gives(size, kernel, stride, padding, dilation, ceil_mode):
    assume(ceil_mode or padding <= kernel // 2)  # which pooling wants, and convolution does not
    layer = nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=ceil_mode)
    call = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    try:
        expected = layer(torch.zeros(1, 1, size, size)).shape[-1]
    except RuntimeError:
        with pytest.raises(ValueError, match=r"the window is|padding is"):
            output_size(size, kernel, **call)
    else:
        assert output_size(size, kernel, **call) == expected


@given(st.integers(1, 9), small, small, st.integers(0, 3), st.integers(0, 3), small)
@settings(max_examples=300)
def test_transposed_output_size_is_what_pytorch_gives(
    size, kernel, stride, padding, output_padding, dilation
):
    call = {"stride": stride, "padding": padding, "output_padding": output_padding}
    call["dilation"] = dilation
    try:
        layer = nn.ConvTranspose1d(1, 1, kernel, **call)
        expected = layer(torch.zeros(1, 1, size)).shape[-1]
    except RuntimeError:
        with pytest.raises(ValueError, match=r"output_padding is|pixels spread to"):
            transposed_output_size(size, kernel, **call)
    else:
        assert transposed_output_size(size, kernel, **call) == expected


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_sizes_of_several_axes_are_what_pytorch_gives(axes):
    size, kernel, stride = (9, 10, 11)[:axes], (1, 2, 3)[:axes], (3, 2, 1)[:axes]
    convolution = [nn.Conv1d, nn.Conv2d, nn.Conv3d][axes - 1]
    transposed = [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d][axes - 1]
    image = torch.zeros(1, 1, *size)
    expected = convolution(1, 1, kernel, stride, padding=1)(image).shape[2:]
    assert output_size(size, kernel, stride=stride, padding=1) == tuple(expected)
    expected = transposed(1, 1, kernel, stride, padding=(0, 1, 1)[:axes])(image).shape[2:]
    found = transposed_output_size(size, kernel, stride=stride, padding=(0, 1, 1)[:axes])
    assert found == tuple(expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0, "kernel_size": 3}, "size is 0; it must be at least 1"),
        ({"size": 5, "kernel_size": 3, "stride": 0}, "stride is 0"),
        ({"size": 5, "kernel_size": 3, "padding": -1}, "padding is -1"),
        ({"size": 5, "kernel_size": 3, "dilation": 3}, "the window is 7 pixels long"),
        ({"size": 5, "kernel_size": 2.5}, "kernel_size is 2.5; it must be an integer"),
        ({"size": (5, 0), "kernel_size": 3}, "size is 0; it must be at least 1"),
        ({"size": (5, 5), "kernel_size": (3, 3, 3)}, "the tuples have 2 and 3 numbers"),
    ],
)
def test_output_size_says_which_number_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        output_size(**arguments)


class Branches(nn.Module):
    """Two windows of different sizes on the same input, added or concatenated."""

    def __init__(self, left: nn.Module, right: nn.Module, join: str) -> None:
        super().__init__()
        self.left, self.right, self.join = left, right, join

    def forward(self, x):
        left, right = self.left(x), self.right(x)
        return left + right if self.join == "add" else torch.cat([left, right], 1)


class GroupsAndBack(nn.Module):
    """Channels cut into groups, exchanged, put back: as ShuffleNet does."""

    def forward(self, x):
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class LinearPerPixel(nn.Module):
    """A linear layer on channels that come last: as ConvNeXt does."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x):
        return self.linear(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class EverySecond(nn.Module):
    def forward(self, x):
        return x[:, :, 1::2, ::2]


class EvenSize(nn.Module):
    def forward(self, x):
        return x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]


@st.composite
def networks(draw):
    """Chains of what moves pixels, which keep two channels."""
    kinds = ["conv", "pool", "average", "add", "cat", "pad", "slice", "transposed", "depthwise"]
    kinds += ["nearest", "linear", "bilinear", "shuffle", "unshuffle", "mirror", "groups"]
    growing = ["transposed", "nearest", "bilinear", "shuffle"]
    layers = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(kinds))
        if kind in growing:  # once: the maps stay small enough to be computed
            kinds = [kind for kind in kinds if kind not in growing]
        kernel = draw(st.sampled_from([1, 3, 5]))
        step, dilation = draw(st.integers(1, 2)), draw(st.integers(1, 2))
        same = dilation * (kernel - 1) // 2
        if kind == "conv":
            layers.append(nn.Conv2d(2, 2, (kernel, 3), stride=step, dilation=dilation))
        elif kind == "depthwise":
            layers.append(nn.Conv2d(2, 2, (2, kernel), (1, step), groups=2))
        elif kind == "pool":
            layers.append(nn.MaxPool2d(3, step, padding=draw(st.integers(0, 1))))
        elif kind == "average":
            layers.append(nn.AvgPool2d(2, step))
        elif kind == "pad":
            layers.append(nn.ZeroPad2d((1, 0, 2, 1)))
        elif kind == "mirror":
            layers.append(nn.ReflectionPad2d((1, 2, 0, 1)))
        elif kind == "slice":
            layers.append(EverySecond())
        elif kind == "groups":
            layers.append(GroupsAndBack())
        elif kind == "linear":
            layers.append(LinearPerPixel())
        elif kind == "transposed":
            wide = draw(st.integers(step, 4))  # no gaps: each unit sees something
            layers.append(
                nn.ConvTranspose2d(2, 2, (wide, 3), step, padding=draw(st.integers(0, 1)))
            )
        elif kind == "nearest":
            layers.append(nn.Upsample(scale_factor=step + 1))
        elif kind == "bilinear":
            layers.append(nn.Upsample(scale_factor=2, mode="bilinear"))
        elif kind == "shuffle":
            layers += [nn.Conv2d(2, 8, 1), nn.PixelShuffle(2)]
        elif kind == "unshuffle":
            layers += [EvenSize(), nn.PixelUnshuffle(2), nn.Conv2d(8, 2, 1)]
        else:
            wide = nn.Conv2d(2, 2, kernel, step, padding=same, dilation=dilation)
            narrow = nn.Conv2d(2, 2, 1, step)
            layers.append(Branches(wide, narrow, kind))
            if kind == "cat":
                layers.append(nn.Conv2d(4, 2, 1))
    return nn.Sequential(*layers)


def reached(network: nn.Module, size: int, aside: int) -> list[tuple[int, int, int]]:
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
    unit = [n // 2 + aside for n in output.shape[2:]]
    gradient = torch.zeros_like(output)
    gradient[0, :, unit[0], unit[1]] = math.nan
    output.backward(gradient)
    seen = image.grad[0].isnan().any(0)
    found = []
    for axis, place in enumerate(unit):
        line = seen.any(1 - axis).nonzero().flatten()
        found.append((line[0].item(), line[-1].item(), place))
    return found


@settings(max_examples=150)
@given(networks(), st.integers(-1, 1))
def test_every_unit_sees_what_a_nan_sent_back_from_it_reaches(network, aside):
    size = 160
    image = torch.empty(1, 2, size, size, device="meta")
    with FieldMode(image) as mode, torch.no_grad():
        fields = mode.of(copy.deepcopy(network).to("meta")(image))
    for field, (first, last, unit) in zip(fields, reached(network, size, aside)):
        assert field.sees(unit) == (first, last)


@settings(max_examples=30)
@given(networks())
def test_the_receptive_field_is_that_of_the_units_that_see_most(network):
    field = receptive_field(network, (2, 160, 160))
    found = [reached(network, 160, aside) for aside in range(8)]  # all kinds of units
    for axis in range(2):
        assert field.size[axis] == max(
            last - first + 1 for first, last, _ in (f[axis] for f in found)
        )


@pytest.mark.parametrize(
    ("layer", "size", "stride", "offset"),
    [
        (nn.Upsample(scale_factor=2), 4, 2, 1.5),
        (nn.Upsample(scale_factor=3, mode="bilinear"), 8, 4 / 3, -0.5),  # units 4 pixels wide
        (nn.Upsample(scale_factor=3, mode="bicubic"), 16, 4 / 3, -0.5),
        (nn.Upsample(size=29, mode="bilinear", align_corners=True), 8, 2, 1.5),
        (nn.AdaptiveAvgPool2d(6), 12, 10, 5.5),  # 15 units in 6 shares of 2 ½: 3 units, overlapping
        (nn.ConvTranspose2d(2, 2, 1, stride=2), 4, 2, 1.5),  # every second unit sees nothing
    ],
)
def test_units_that_take_turns(layer, size, stride, offset):
    network = nn.Sequential(nn.AvgPool2d(4), layer)
    found = receptive_field(network, (2, 60, 60))
    assert found == ((size, size), (stride, stride), (offset, offset))


class Gate(nn.Module):
    """Squeeze-and-excitation: each channel times a number computed from the whole map."""

    def __init__(self) -> None:
        super().__init__()
        self.excite = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 2, 1), nn.Sigmoid())

    def forward(self, x):
        return x * self.excite(x)


@pytest.mark.parametrize("gate", [Gate(), nn.GroupNorm(1, 2), nn.InstanceNorm2d(2)])
def test_gates_are_counted_when_asked_for(gate):
    network = nn.Sequential(nn.Conv2d(2, 2, 3), gate, nn.Conv2d(2, 2, 3))
    assert receptive_field(network, (2, 16, 16)).size == (5, 5)
    assert receptive_field(network, (2, 16, 16), gates=True).size == (math.inf, math.inf)


def test_global_pooling_ends_the_feature_maps():
    body = nn.Conv2d(3, 4, 3)
    for pool in (nn.AdaptiveAvgPool2d(1), nn.AvgPool2d(30), nn.AdaptiveMaxPool2d(1)):
        network = nn.Sequential(body, pool, nn.Flatten(), nn.Linear(4, 10))
        assert receptive_field(network, (3, 32, 32)).size == (3, 3)


def test_one_axis_and_three():
    assert receptive_field(nn.Conv1d(2, 2, 5, 2), (2, 32)) == ((5,), (2,), (2.0,))
    assert receptive_field(nn.Conv3d(2, 2, (1, 3, 5)), (2, 8, 8, 8)).size == (1, 3, 5)


def test_the_first_output_of_several_counts():
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.main, self.other = nn.Conv2d(3, 1, 3), nn.Conv2d(3, 1, 7)

        def forward(self, x):
            return {"main": self.main(x), "other": self.other(x)}

    assert receptive_field(Heads(), (3, 16, 16)).size == (3, 3)
    assert receptive_fields(Heads(), (3, 16, 16))["other"].size == (7, 7)


def test_transposed_and_functional_convolutions_are_counted():
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 2, 3, 3))

        def forward(self, x):
            return F.conv2d(x, self.weight, padding=1)

    assert multiply_adds(Functional(), (2, 8, 8)) == 8 * 8 * 4 * 2 * 3 * 3
    # every input pixel is multiplied by every kernel element of every output channel
    assert multiply_adds(nn.ConvTranspose2d(2, 4, 3, stride=2), (2, 8, 8)) == 8 * 8 * 2 * 4 * 3 * 3
    grouped = nn.ConvTranspose2d(2, 4, 3, stride=2, groups=2)
    assert multiply_adds(grouped, (2, 8, 8)) == 8 * 8 * 2 * 2 * 3 * 3


def test_what_cannot_be_followed_is_named():
    class Flip(nn.Module):
        def forward(self, x):
            return x.flip(2)

    with pytest.raises(NotImplementedError, match=r"aten\.flip"):
        receptive_field(Flip(), (3, 8, 8))


class Decides(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def test_a_network_that_looks_at_numbers_is_told_what_to_do():
    with pytest.raises(NotImplementedError, match="Decides looks at the numbers"):
        receptive_field(Decides(), (3, 8, 8))


def test_branches_that_do_not_meet_are_told_what_to_do():
    class Pyramid(nn.Module):
        def forward(self, x):
            return F.interpolate(F.avg_pool2d(x, 2), x.shape[2:]) + x

    assert receptive_field(Pyramid(), (3, 8, 8)).size == (2, 2)
    with pytest.raises(
        NotImplementedError, match="an input size that the network's strides divide"
    ):
        receptive_field(Pyramid(), (3, 9, 9))


def test_a_vector_has_no_receptive_field():
    with pytest.raises(ValueError, match=r"input_size is \(3,\); give \(C, H, W\)"):
        receptive_field(nn.Linear(3, 3), (3,))


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
