"""Every network of the book against its paper and against reference implementations."""

import pytest
import torch
import torchvision
from pytorchcv.model_provider import get_model

from cnnbook import networks, papers, reference
from cnnbook.networks import cifar_resnet, resnet50
from cnnbook.networks.resnet import bottleneck_v15, option_b

IMAGENET = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def build(name: str):
    if name.startswith("cifar_resnet"):
        return cifar_resnet(int(name.removeprefix("cifar_resnet")))
    return getattr(networks, name)()


@pytest.mark.parametrize("name", papers.names())
def test_counts_are_those_of_the_paper(name):
    reference.prove(build(name), name)  # raises what is wrong


@pytest.mark.parametrize("name", IMAGENET)
def test_torchvision_computes_the_same(name):
    form = {"branch": bottleneck_v15} if papers.paper(name).depth >= 50 else {}
    ours, theirs = getattr(networks, name)(**form), getattr(torchvision.models, name)()
    difference = reference.compare(ours, theirs, (3, 64, 64))
    assert max(difference) < reference.TOLERANCE


# pytorchcv runs the shortcut before the branch, so its layers are paired as they are defined.
@pytest.mark.parametrize("name", ["resnet50", "resnet101", "resnet152"])
def test_pytorchcv_computes_the_same_as_the_paper_form(name):
    difference = reference.compare(build(name), get_model(name), (3, 224, 224), order="definition")
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


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "cifar_resnet20"])
def test_every_parameter_gets_a_gradient(name):
    network = build(name)
    image = torch.randn(2, 3, 64, 64)
    network(image).square().sum().backward()
    missing = [key for key, p in network.named_parameters() if not p.grad.abs().sum() > 0]
    assert missing == []


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet20"])
def test_an_evaluation_does_not_depend_on_the_rest_of_the_batch(name):
    network = build(name).double().eval()
    images = torch.randn(3, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(network(images)[:1], network(images[:1]))


def test_num_classes_is_the_number_of_logits():
    assert cifar_resnet(20, num_classes=7)(torch.zeros(1, 3, 32, 32)).shape == (1, 7)
    assert networks.resnet18(num_classes=7)(torch.zeros(2, 3, 64, 64)).shape == (2, 7)


def test_a_depth_that_is_not_in_the_family_is_refused():
    with pytest.raises(ValueError, match="depth is 21; it must be 6n"):
        cifar_resnet(21)
