"""ResNeXt against torchvision, timm and pytorchcv, and its three forms against each other."""

from functools import partial

import pytest
import timm
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from pytorchcv.models.resnext_cifar import get_resnext_cifar

from cnnbook import networks, papers, reference
from cnnbook.arithmetic import count_parameters, multiply_adds
from cnnbook.networks import cifar_resnext, imagenet_resnet, resnet50
from cnnbook.networks.resnet import RESNET50, bottleneck_v15
from cnnbook.networks.resnext import Template, aggregated

SMALL = (3, 32, 32)  # pixels enough for networks that end in an average


@pytest.mark.parametrize("name", ["resnext50_32x4d", "resnext101_64x4d"])
def test_torchvision_computes_the_same(name):
    ours, theirs = getattr(networks, name)(), getattr(torchvision.models, name)()
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


@pytest.mark.parametrize("name", ["resnext50_32x4d", "resnext101_32x4d"])
def test_timm_computes_the_same(name):
    ours, theirs = getattr(networks, name)(), timm.create_model(name)
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


# pytorchcv runs the shortcut before the branch, and averages over windows of a fixed size.
def test_pytorchcv_computes_the_same():
    ours, theirs = networks.resnext50_32x4d(), get_model("resnext50_32x4d")
    difference = reference.compare(ours, theirs, (3, 224, 224), order="definition")
    assert max(difference) < reference.TOLERANCE


def on_cifar(cardinality: int, width: int, depth: int = 29):
    """pytorchcv's network of these numbers."""
    return get_resnext_cifar(10, depth, cardinality, width)


@pytest.mark.parametrize(
    ("depth", "cardinality", "width"), [(29, 8, 64), (29, 16, 64), (29, 32, 4), (38, 1, 64)]
)
def test_pytorchcv_computes_the_same_on_cifar(depth, cardinality, width):
    ours, theirs = cifar_resnext(depth, cardinality, width), on_cifar(cardinality, width, depth)
    difference = reference.compare(ours, theirs, (3, 32, 32), order="definition")
    assert max(difference) < reference.TOLERANCE


def test_the_model_of_the_paper_is_the_one_that_pytorchcv_offers():
    with torch.device("meta"):
        ours, theirs = cifar_resnext(29, 16, 64), get_model("resnext29_16x64d_cifar10")
    assert count_parameters(ours) == count_parameters(theirs) == 68_155_210


def test_one_path_of_64_channels_is_resnet():
    branch = partial(aggregated, template=Template(1, 64))
    ours, theirs = imagenet_resnet(RESNET50, branch, 1000), resnet50(branch=bottleneck_v15)
    assert max(reference.compare(ours, theirs, SMALL)) < reference.TOLERANCE


@pytest.mark.parametrize(
    ("template", "parameters", "work"),
    [
        (Template(1, 64), 25557032, 4089184256),
        (Template(2, 40), 25425000, 4124508160),
        (Template(4, 24), 25292968, 4159832064),
        (Template(8, 14), 25603016, 4267409408),
        (Template(32, 4), 25028904, 4230479872),
    ],
)
def test_the_templates_of_table_2_cost_what_they_should(template, parameters, work):
    with torch.device("meta"):
        network = imagenet_resnet(RESNET50, partial(aggregated, template=template), 1000)
    assert (count_parameters(network), multiply_adds(network)) == (parameters, work)


@settings(max_examples=20)
@given(st.integers(1, 6), st.integers(1, 4), st.sampled_from([1, 2]), st.integers(1, 2))
def test_the_branch_is_a_sum_of_paths(cardinality, width, stride, scale):
    out_channels = 256 * scale
    branch = aggregated(8, out_channels, stride, Template(cardinality, width)).double().eval()
    x = torch.randn(1, 8, 6, 6, dtype=torch.float64)
    total = 0
    with torch.no_grad():
        for norm in (branch[1], branch[4], branch[7]):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 1.5)
        for part in torch.arange(cardinality * width * scale).chunk(cardinality):
            h = x
            for place, padding in ((0, 0), (3, 1)):
                convolution, norm = branch[place], branch[place + 1]
                h = F.conv2d(h, convolution.weight[part], None, convolution.stride, padding)
                h = (h - norm.running_mean[part, None, None]) / torch.sqrt(
                    norm.running_var[part, None, None] + norm.eps
                )
                h = F.relu(h)
            total = total + F.conv2d(h, branch[6].weight[:, part])
        assert torch.allclose(branch(x), branch[7](total), rtol=0, atol=1e-12)
    side = 6 // stride
    assert branch(x).shape == (1, out_channels, side, side)


@pytest.mark.parametrize("depth", [2, 28, 30])
def test_a_depth_that_is_not_in_the_family_is_refused(depth):
    with pytest.raises(ValueError, match=f"depth is {depth}; it must be 9n"):
        cifar_resnext(depth, 8, 64)


@pytest.mark.parametrize(("cardinality", "width"), [(0, 64), (8, 0), (-1, 4)])
def test_a_block_without_paths_is_refused(cardinality, width):
    with pytest.raises(ValueError, match=r"gives paths of -?\d+ channels"):
        cifar_resnext(29, cardinality, width)


def test_paths_without_a_channel_are_refused():
    with pytest.raises(ValueError, match="gives paths of 0 channels for 32 outputs"):
        aggregated(16, 32, 1, Template(32, 4))


@pytest.mark.parametrize("name", ["resnext101_32x4d", "cifar_resnext29_8x64d"])
def test_the_facts_name_their_constructors(name):
    paper = papers.paper(name)
    assert paper.constructor in networks.__all__
