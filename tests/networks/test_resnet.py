"""Residual networks against torchvision and pytorchcv."""

import pytest
import torchvision
from pytorchcv.model_provider import get_model

from cnnbook import networks, papers, reference
from cnnbook.networks import cifar_resnet, resnet50
from cnnbook.networks.resnet import bottleneck_v15, option_b

IMAGENET = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


@pytest.mark.parametrize("name", IMAGENET)
def test_torchvision_computes_the_same(name):
    form = {"branch": bottleneck_v15} if papers.paper(name).depth >= 50 else {}
    ours, theirs = getattr(networks, name)(**form), getattr(torchvision.models, name)()
    difference = reference.compare(ours, theirs, (3, 64, 64))
    assert max(difference) < reference.TOLERANCE


# pytorchcv runs the shortcut before the branch, so its layers are paired as they are defined.
@pytest.mark.parametrize("name", ["resnet50", "resnet101", "resnet152"])
def test_pytorchcv_computes_the_same_as_the_paper_form(name):
    ours, theirs = getattr(networks, name)(), get_model(name)
    difference = reference.compare(ours, theirs, (3, 224, 224), order="definition")
    assert max(difference) < reference.TOLERANCE


def test_pytorchcv_differs_from_the_other_form():
    ours = resnet50(branch=bottleneck_v15)
    difference = reference.compare(ours, get_model("resnet50"), (3, 224, 224), order="definition")
    assert max(difference) > 1e-3


@pytest.mark.parametrize("depth", [20, 56])
def test_pytorchcv_computes_the_same_on_cifar_with_option_b(depth):
    ours, theirs = cifar_resnet(depth, shortcut=option_b), get_model(f"resnet{depth}_cifar10")
    difference = reference.compare(ours, theirs, (3, 32, 32), order="definition")
    assert max(difference) < reference.TOLERANCE


def test_a_depth_that_is_not_in_the_family_is_refused():
    with pytest.raises(ValueError, match="depth is 21; it must be 6n"):
        cifar_resnet(21)
