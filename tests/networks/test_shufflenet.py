"""ShuffleNet v1 and v2 against pytorchcv, torchvision, PyTorch's shuffle and the papers' tables."""

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import reference
from cnnbook.arithmetic import count_parameters, multiply_adds
from cnnbook.networks import shufflenet_v1, shufflenet_v2
from cnnbook.networks.shufflenet import (
    SHUFFLENET_V1,
    SHUFFLENET_V2,
    ChannelShuffle,
    shuffle_unit,
)

WIDTHS = {"w1": 1, "w3d4": 0.75, "wd2": 0.5, "wd4": 0.25}
V1 = [(g, "w1") for g in SHUFFLENET_V1]
V1 += [(g, width) for g in (1, 3) for width in ("w3d4", "wd2", "wd4")]


def published(name: str) -> nn.Module:
    network = get_model(name)
    network.features.final_pool = nn.AdaptiveAvgPool2d(1)  # theirs takes 224 pixels only
    return network


@pytest.mark.parametrize(("groups", "width"), V1)
def test_pytorchcv_computes_the_same(groups, width):
    theirs = published(f"shufflenet_g{groups}_{width}")
    difference = reference.compare(shufflenet_v1(groups, WIDTHS[width]), theirs, (3, 64, 64))
    assert max(difference) < reference.TOLERANCE


@pytest.mark.parametrize("width", SHUFFLENET_V2)
def test_torchvision_computes_the_same_as_halves(width):
    theirs = getattr(torchvision.models, f"shufflenet_v2_x{width:.1f}".replace(".", "_"))()
    ours = shufflenet_v2(width, halves=True)
    assert max(reference.compare(ours, theirs, (3, 64, 64))) < reference.TOLERANCE


@pytest.mark.parametrize(("name", "width"), [("wd2", 0.5), ("w1", 1.0)])
def test_pytorchcv_has_the_authors_form_of_v2(name, width):
    theirs = published(f"shufflenetv2b_{name}")  # its wider ones have other channels
    difference = reference.compare(shufflenet_v2(width), theirs, (3, 64, 64))
    assert max(difference) < reference.TOLERANCE


def test_the_two_forms_of_v2_differ_where_stage_2_begins():
    with torch.device("meta"):
        ours, theirs = shufflenet_v2(), shufflenet_v2(halves=True)
    for (name, a), (_, b) in zip(ours.named_children(), theirs.named_children(), strict=True):
        same = count_parameters(a) == count_parameters(b)
        assert same == (name != "stage2")


@pytest.mark.parametrize("groups", SHUFFLENET_V1)
@pytest.mark.parametrize("width", [1, 0.5, 0.25])
def test_the_fifteen_cells_of_table_2(groups, width):
    if width < 1 and groups in (2, 4, 8):
        with pytest.raises(ValueError, match=r"groups do not fit"):
            shufflenet_v1(groups, width)
        return
    with torch.device("meta"):
        network = shufflenet_v1(groups, width)
    million = (multiply_adds(network) - network.head[-1].weight.numel()) / 1e6
    stated = {1: {1: 143, 2: 140, 3: 137, 4: 133, 8: 137}[groups], 0.5: 38, 0.25: 13}[width]
    assert abs(million - stated) < (1 if width > 0.25 else 2.5)


@pytest.mark.parametrize("groups", [1, 3])
def test_a_stem_of_12_gives_the_13_million_of_the_smallest(groups):
    with torch.device("meta"):
        network = shufflenet_v1(groups, 0.25, stem=12)
    without_head = multiply_adds(network) - network.head[-1].weight.numel()
    assert round(without_head / 1e6) == 13


def test_the_authors_half_width_network_of_eight_groups_has_a_wider_stem():
    with torch.device("meta"):
        network = shufflenet_v1(8, 0.5, stem=16)
    assert count_parameters(network) == 1_010_448 + 1_000  # their linear layer has no bias
    assert multiply_adds(network) == 40_469_760


@pytest.mark.parametrize("groups", [2, 3, 4, 8])
def test_one_convolution_of_1x1_in_the_units_is_not_grouped(groups):
    with torch.device("meta"):
        network = shufflenet_v1(groups)
    stages = nn.Sequential(network.stage2, network.stage3, network.stage4)
    pointwise = [m for m in stages.modules() if getattr(m, "kernel_size", 0) == (1, 1)]
    assert [m.groups for m in pointwise] == [1] + [groups] * 31


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3))
def test_the_shuffle_is_pytorchs_and_undone_by_the_other_number(groups, each, size):
    x = torch.randn(2, groups * each, size, size)
    y = ChannelShuffle(groups)(x)
    assert torch.equal(y, nn.ChannelShuffle(groups)(x))
    assert torch.equal(ChannelShuffle(each)(y), x)


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 3))
def test_a_unit_costs_what_section_3_2_says(groups, each, fewer):
    width = groups * each
    unit, c = shuffle_unit(4 * width, 4 * width, 1, groups=groups), 4 * width
    side = 3 + fewer
    assert multiply_adds(unit, (c, side, side)) == side**2 * (2 * c * width // groups + 9 * width)


@pytest.mark.parametrize(("groups", "width"), [(5, 1), (0, 1), (2, 0.5), (8, 0.25), (3, 0.01)])
def test_what_cannot_be_built_is_refused(groups, width):
    with pytest.raises(ValueError, match=r"groups"):
        shufflenet_v1(groups, width)


@pytest.mark.parametrize("width", [0.75, 0, 3])
def test_v2_has_four_widths(width):
    with pytest.raises(ValueError, match=r"Table 5"):
        shufflenet_v2(width)
