"""Inception-v3 against torchvision, timm and pytorchcv, and its auxiliary head."""

import pytest
import timm
import torch
import torchvision
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import reference
from cnnbook.arithmetic import count_parameters
from cnnbook.networks import inception_v3
from cnnbook.networks.factorised_inception import normalised_head
from tools.pages import forms


def torchvision_v3() -> nn.Module:
    return torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False)


@pytest.mark.parametrize(
    "build",
    [
        torchvision_v3,
        lambda: timm.create_model("inception_v3"),
        lambda: get_model("inceptionv3", in_size=(75, 75)),
    ],
    ids=["torchvision", "timm", "pytorchcv"],
)
def test_references_compute_the_same_as_inception_v3(build):
    ours, theirs = inception_v3(), build()
    if hasattr(theirs, "features") and hasattr(theirs.features, "final_pool"):
        theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)  # pytorchcv's is made for 299
    assert max(reference.compare(ours, theirs, (3, 75, 75))) < reference.TOLERANCE


def test_inception_v3_differs_in_nothing_from_torchvision():
    assert forms.differences(inception_v3(), torchvision_v3(), (3, 299, 299)) == []


@pytest.mark.parametrize("change", ["padding", "eps"])
def test_another_form_is_told_from_inception_v3(change):
    ours = inception_v3()
    for module in ours.modules():
        if isinstance(module, nn.AvgPool2d) and change == "padding":
            module.count_include_pad = False
        if isinstance(module, nn.BatchNorm2d) and change == "eps":
            module.eps = 1e-5
    assert min(reference.compare(ours, torchvision_v3(), (3, 139, 139))) > 1e-9


@pytest.mark.parametrize(("size", "side"), [(299, 8), (224, 5), (75, 1)])
def test_inception_v3_takes_images_of_other_sizes(size, side):
    with torch.device("meta"):
        network = inception_v3().eval()
        assert network[:-1](torch.zeros(1, 3, size, size)).shape == (1, 2048, side, side)


def test_the_head_computes_what_torchvisions_does():
    theirs = torchvision.models.inception.InceptionAux(768, 7)
    difference = reference.compare(normalised_head(768, 7), theirs, (768, 17, 17))
    assert max(difference) < reference.TOLERANCE


def test_with_its_head_it_has_the_parameters_of_torchvisions():
    with torch.device("meta"):
        theirs = torchvision.models.inception_v3(weights=None, init_weights=False)
        assert count_parameters(inception_v3(heads=True)) == count_parameters(theirs) == 27_161_264


def test_the_head_stands_behind_the_last_module_of_17x17_and_speaks_in_training_only():
    torch.manual_seed(0)
    network, image = inception_v3(num_classes=5, heads=True), torch.rand(2, 3, 299, 299)
    scores, early = network.train()(image)
    assert scores.shape == early.shape == (2, 5)
    b, d = network.network.b[0][0].weight, network.network.d[0][0][0].weight
    reached = torch.autograd.grad(early.sum(), (b, d), allow_unused=True)
    assert [gradient is not None for gradient in reached] == [True, False]
    with torch.no_grad():
        assert network.eval()(image).shape == (2, 5)
