"""Inception-v4 and Inception-ResNet against timm, pretrainedmodels, pytorchcv, and by hand."""

import pretrainedmodels
import pytest
import timm
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import papers, reference
from cnnbook.arithmetic import count_parameters, multiply_adds, receptive_field, summary
from cnnbook.networks import (
    inception_resnet_v1,
    inception_resnet_v2,
    inception_v4,
    schema_network,
)
from cnnbook.networks.inception_resnet import (
    COLUMN_7,
    FIGURE_5,
    FIGURE_13,
    FIGURE_16,
    FIGURE_17,
    FIGURE_19,
    INCEPTION_RESNET_V1,
    INCEPTION_RESNET_V2,
    INCEPTION_V4,
    MAX_POOL,
    ROW_7,
    Box,
    BranchRow,
    ScaledResidual,
    inception_module,
    residual_branch,
    stacked_channels,
)
from tools.pages import forms

SIZE = (3, 299, 299)
SMALL = (3, 75, 75)  # the smallest image: the last maps have one pixel


def pooled(network: nn.Module) -> nn.Module:
    """A reference whose last average is made for 299 pixels, made fit for any."""
    for name in ("avg_pool", "avgpool_1a"):
        if hasattr(network, name):
            setattr(network, name, nn.AdaptiveAvgPool2d(1))
    if hasattr(getattr(network, "features", None), "final_pool"):
        network.features.final_pool = nn.AdaptiveAvgPool2d(1)
    return network


PACKAGES = {
    "timm": lambda name: timm.create_model(name),
    "pretrainedmodels": lambda name: getattr(pretrainedmodels, name.replace("_", ""))(
        pretrained=None
    ),
    "pytorchcv": lambda name: get_model(name.replace("_", "")),
}


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("build", [inception_v4, inception_resnet_v2], ids=lambda b: b.__name__)
def test_packages_compute_the_same(build, package):
    theirs = pooled(PACKAGES[package](build.__name__))
    assert max(reference.compare(build(), theirs, SMALL)) < reference.TOLERANCE


def test_the_body_of_v1_is_that_of_pytorchcv_with_its_sixth_block_c():
    theirs = pooled(get_model("inceptionresnetv1"))
    theirs.output = nn.Linear(1792, 1000)
    last = Box(FIGURE_13, scale=1.0, relu=False)
    ours = inception_resnet_v1(boxes=INCEPTION_RESNET_V1 | {"last": last})
    assert count_parameters(ours) == 24_357_096
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


@pytest.mark.parametrize(
    ("build", "boxes"),
    [(inception_v4, INCEPTION_V4), (inception_resnet_v2, None)],
    ids=["rows and columns as drawn", "the scale of the last block"],
)
def test_another_form_is_told_from_the_released_one(build, boxes):
    ours = build() if boxes is None else build(boxes=boxes)
    if boxes is None:
        ours.last[0].scale = 0.2
        assert min(reference.compare(ours, timm.create_model(build.__name__), SMALL)) > 1e-6
    else:
        with pytest.raises(ValueError, match="part at step"):
            reference.compare(ours, timm.create_model(build.__name__), SMALL)


# -- the figures once more, written out --------------------------------------------------------


class Written(nn.Module):
    """A network of the paper's figures as one function; layers are made as they first run."""

    def __init__(self, forward) -> None:
        super().__init__()
        self.layers, self.run, self.place = nn.ModuleList(), forward, 0
        self.train(False)
        with torch.no_grad():
            self(torch.zeros(1, *SMALL))

    def conv(self, x, channels, kernel, stride=1, same=True):
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = tuple(k // 2 for k in kernel) if same else 0
        if self.place == len(self.layers):
            self.layers += [
                nn.Conv2d(x.shape[1], channels, kernel, stride, padding, bias=False),
                nn.BatchNorm2d(channels, eps=0.001).eval(),
            ]
        convolution, norm = self.layers[self.place : self.place + 2]
        self.place += 2
        return norm(convolution(x)).clamp(min=0)

    def chain(self, x, *steps):
        for channels, kernel in steps:
            x = self.conv(x, channels, kernel)
        return x

    def linear(self, x, channels):
        if self.place == len(self.layers):
            self.layers.append(nn.Conv2d(x.shape[1], channels, 1))
        self.place += 1
        return self.layers[self.place - 1](x)

    def scores(self, x):
        if self.place == len(self.layers):
            self.layers.append(nn.Linear(x.shape[1], 1000))
        return self.layers[self.place](x)

    def forward(self, x):
        self.place = 0
        return self.run(self, x)


def pool(x):
    return F.max_pool2d(x, 3, 2)


def average(x):
    ones = F.avg_pool2d(torch.ones_like(x), 3, 1, 1)
    return F.avg_pool2d(x, 3, 1, 1) / ones  # the mean of the pixels that are there


def stem(n, x):
    x = n.chain(n.conv(n.conv(x, 32, 3, 2, False), 32, 3, 1, False), (64, 3))
    x = torch.cat([pool(x), n.conv(x, 96, 3, 2, False)], 1)
    left = n.conv(n.chain(x, (64, 1)), 96, 3, 1, False)
    right = n.conv(n.chain(x, (64, 1), (64, (7, 1)), (64, (1, 7))), 96, 3, 1, False)
    x = torch.cat([left, right], 1)
    return torch.cat([n.conv(x, 192, 3, 2, False), pool(x)], 1)


def reduction_a(n, x, k, l, m, big):  # noqa: E741
    direct = n.conv(x, big, 3, 2, False)
    return torch.cat([direct, n.conv(n.chain(x, (k, 1), (l, 3)), m, 3, 2, False), pool(x)], 1)


def figures_of_v4(n, x):
    x = stem(n, x)
    for _ in range(4):
        ways = [n.chain(x, (96, 1)), n.chain(x, (64, 1), (96, 3))]
        ways += [n.chain(x, (64, 1), (96, 3), (96, 3)), n.chain(average(x), (96, 1))]
        x = torch.cat(ways, 1)
    x = reduction_a(n, x, 192, 224, 256, 384)
    row, column = (1, 7), (7, 1)
    for _ in range(7):
        ways = [n.chain(x, (384, 1)), n.chain(x, (192, 1), (224, row), (256, row))]
        ways.append(n.chain(x, (192, 1), (192, row), (224, column), (224, row), (256, column)))
        x = torch.cat([*ways, n.chain(average(x), (128, 1))], 1)
    ways = [n.conv(n.chain(x, (192, 1)), 192, 3, 2, False)]
    ways.append(n.conv(n.chain(x, (256, 1), (256, row), (320, column)), 320, 3, 2, False))
    x = torch.cat([*ways, pool(x)], 1)
    row, column = (1, 3), (3, 1)
    for _ in range(3):
        ways, y = [n.chain(x, (256, 1))], n.chain(x, (384, 1))
        ways += [n.conv(y, 256, row), n.conv(y, 256, column)]
        y = n.chain(x, (384, 1), (448, row), (512, column))
        ways += [n.conv(y, 256, row), n.conv(y, 256, column), n.chain(average(x), (256, 1))]
        x = torch.cat(ways, 1)
    return n.scores(x.mean((2, 3)))


def figures_of_v2(n, x):
    x = stem(n, x)
    for _ in range(5):
        ways = [n.chain(x, (32, 1)), n.chain(x, (32, 1), (32, 3))]
        ways.append(n.chain(x, (32, 1), (48, 3), (64, 3)))
        x = (x + 0.17 * n.linear(torch.cat(ways, 1), 384)).clamp(min=0)
    x = reduction_a(n, x, 256, 256, 384, 384)
    for _ in range(10):
        ways = [n.chain(x, (192, 1)), n.chain(x, (128, 1), (160, (1, 7)), (192, (7, 1)))]
        x = (x + 0.1 * n.linear(torch.cat(ways, 1), 1152)).clamp(min=0)
    ways = [n.conv(n.chain(x, (256, 1)), m, 3, 2, False) for m in (384, 288)]
    ways.append(n.conv(n.chain(x, (256, 1), (288, 3)), 320, 3, 2, False))
    x = torch.cat([*ways, pool(x)], 1)
    for _ in range(5):
        ways = [n.chain(x, (192, 1)), n.chain(x, (192, 1), (224, (1, 3)), (256, (3, 1)))]
        x = (x + 0.2 * n.linear(torch.cat(ways, 1), 2144)).clamp(min=0)
    return n.scores(x.mean((2, 3)))


@pytest.mark.parametrize(
    ("ours", "figures"),
    [
        (lambda: inception_v4(boxes=INCEPTION_V4), figures_of_v4),
        (lambda: inception_resnet_v2(boxes=INCEPTION_RESNET_V2), figures_of_v2),
    ],
    ids=["v4", "resnet v2"],
)
def test_the_figures_as_drawn_compute_what_an_independent_form_does(ours, figures):
    assert max(reference.compare(ours(), Written(figures), SMALL)) < reference.TOLERANCE


# -- counts --------------------------------------------------------------------------------------


def counted(build, **options) -> tuple[int, int, int]:
    with torch.device("meta"):
        network = build(**options)
    field = max(receptive_field(network, SIZE).size)
    return count_parameters(network), multiply_adds(network, SIZE), field


def test_rows_and_columns_as_drawn_cost_what_the_released_ones_do():
    assert counted(inception_v4, boxes=INCEPTION_V4) == counted(inception_v4)


def test_the_paper_form_of_v2_is_smaller():
    parameters, cost, field = counted(inception_resnet_v2, boxes=INCEPTION_RESNET_V2)
    assert (parameters, cost, field) == (32_433_928, 9_257_953_632, 1591)


@pytest.mark.parametrize(
    ("build", "boxes", "sizes"),
    [
        (inception_v4, None, [(384, 35), (1024, 17), (1536, 8)]),  # Figure 9
        (inception_resnet_v1, None, [(256, 35), (896, 17), (1792, 8)]),  # Figure 15
        (inception_resnet_v2, INCEPTION_RESNET_V2, [(384, 35), (1152, 17), (2144, 8)]),
    ],
)
def test_stages_have_the_sizes_of_the_figures(build, boxes, sizes):
    with torch.device("meta"):
        network = build() if boxes is None else build(boxes=boxes)
    rows = {row.name: row.output_shape for row in summary(network, SIZE)}
    assert [rows[name] for name in "abc"] == [(c, side, side) for c, side in sizes]


@pytest.mark.parametrize(
    ("name", "boxes"),
    [
        ("inception_v4", INCEPTION_V4),
        ("inception_resnet_v1", INCEPTION_RESNET_V1),
        ("inception_resnet_v2", None),
    ],
)
def test_the_depth_is_the_longest_way(name, boxes):
    with torch.device("meta"):
        network = {
            "inception_v4": inception_v4,
            "inception_resnet_v1": inception_resnet_v1,
            "inception_resnet_v2": inception_resnet_v2,
        }[name]()

    def longest(module: nn.Module) -> int:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            return 1
        parts = [longest(child) for child in module.children()]
        return max(parts) if isinstance(module, nn.ModuleList) else sum(parts)

    assert longest(network) == papers.paper(name).depth


def test_the_released_form_differs_in_nothing_but_dropout_from_timm():
    with torch.device("meta"):
        pairs = [(b(), timm.create_model(b.__name__)) for b in (inception_v4, inception_resnet_v2)]
    for ours, theirs in pairs:
        assert [a.name for a in forms.differences(ours, theirs, SIZE)] in ([], ["dropout p"])


# -- what must hold of every module --------------------------------------------------------------

ROWS = st.builds(
    lambda channels, kernel, average, fork: BranchRow(
        tuple(channels), (1, *[kernel] * (len(channels) - 1)), average, fork
    ),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from([1, 3, ROW_7, COLUMN_7]),
    st.booleans(),
    st.sampled_from([0, 2]),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=3), st.integers(1, 4))
def test_modules_keep_the_size_and_give_the_channels_that_are_counted(schema, in_channels):
    x = torch.zeros(1, in_channels, 6, 5)
    shape = inception_module(in_channels, schema).eval()(x).shape
    assert shape == (1, stacked_channels(in_channels, schema), 6, 5)
    block = ScaledResidual(residual_branch(in_channels, schema), 0.1)
    assert block.eval()(x).shape == x.shape


@pytest.mark.parametrize(("stride", "side"), [(1, 5), (2, 3)])
def test_valid_windows_end_every_branch(stride, side):
    schema = [MAX_POOL, BranchRow((4,), (3,)), BranchRow((2, 5), (1, 3))]
    maps = inception_module(3, schema, stride)(torch.zeros(2, 3, 7, 7))
    assert maps.shape == (2, 3 + 4 + 5, side, side)


def test_the_scale_multiplies_the_branch_and_not_the_input():
    block = ScaledResidual(nn.Conv2d(2, 2, 1), 0.1)
    nn.init.zeros_(block.branch.weight)
    nn.init.ones_(block.branch.bias)
    x = torch.rand(1, 2, 3, 3)
    assert torch.allclose(block(x), x + 0.1)


@pytest.mark.parametrize("relu", [True, False])
def test_the_relu_comes_after_the_sum(relu):
    block = ScaledResidual(nn.Identity(), 0.5, relu)
    x = torch.randn(2, 3, 4, 4)
    assert torch.equal(block(x), (1.5 * x).clamp(min=0) if relu else 1.5 * x)


@pytest.mark.parametrize(
    ("schema", "stacked"), [(FIGURE_16, 128), (FIGURE_17, 384), (FIGURE_19, 448)]
)
def test_branches_can_be_had_apart_from_the_sum(schema, stacked):
    assert stacked_channels(999, schema) == stacked
    maps = inception_module(10, schema)(torch.zeros(2, 10, 8, 8))
    assert maps.shape == (2, stacked, 8, 8)
    branch = residual_branch(10, schema)
    assert branch[-1].bias is not None  # linear: a bias, no normalisation, no ReLU
    assert branch(torch.zeros(2, 10, 8, 8)).shape == (2, 10, 8, 8)


def test_figure_5_as_drawn_has_a_branch_that_sees_one_row():
    branch = inception_module(8, [FIGURE_5[1]])
    assert tuple(receptive_field(branch, (8, 17, 17)).size) == (1, 13)


def test_a_residual_box_that_changes_the_size_is_refused():
    boxes = {"odd": Box([MAX_POOL], scale=0.1, valid_stride=2)}
    with pytest.raises(ValueError, match=r"^odd has a scale, so its sum must keep height"):
        schema_network(nn.Identity(), 3, boxes, 10)


@pytest.mark.parametrize(("size", "side"), [(299, 8), (224, 5), (75, 1)])
def test_networks_take_images_of_other_sizes(size, side):
    with torch.device("meta"):
        network = inception_resnet_v2().eval()
        assert network[:-1](torch.zeros(1, 3, size, size)).shape == (1, 1536, side, side)
