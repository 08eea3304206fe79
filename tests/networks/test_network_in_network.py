"""NIN against pytorchcv, and against functional forms written from the released definitions."""

import pytest
import torch
import torch.nn.functional as F
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import papers, reference
from cnnbook.networks import nin, nin_imagenet
from cnnbook.networks.network_in_network import NIN, mlpconv, mlpconv_network


def pooled_as_published(theirs: nn.Module) -> nn.Module:
    """pytorchcv's network with maxima, rounded up, where it pads, and averages in the second."""
    for stage in theirs.features.children():
        for name, module in list(stage.named_children()):
            if isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)):
                setattr(stage, name, nn.MaxPool2d(3, stride=2, ceil_mode=True))
    return theirs


@pytest.mark.parametrize(("name", "num_classes"), [("nin_cifar10", 10), ("nin_cifar100", 100)])
def test_pytorchcv_computes_the_same_once_its_poolings_are_the_papers(name, num_classes):
    theirs = pooled_as_published(get_model(name))
    difference = reference.compare(nin(num_classes), theirs, (3, 32, 32))
    assert max(difference) < reference.TOLERANCE


def test_pytorchcv_as_it_stands_is_another_network():
    difference = reference.compare(nin(), get_model("nin_cifar10"), (3, 32, 32))
    assert min(difference) > 1e-3


class Released(nn.Module):
    """The released definition for ImageNet, layer by layer: name, channels, kernel, stride, pad."""

    LAYERS = """
        conv1 96 11 4 0  cccp1 96 1 1 0  cccp2 96 1 1 0  pool
        conv2 256 5 1 2  cccp3 256 1 1 0  cccp4 256 1 1 0  pool
        conv3 384 3 1 1  cccp5 384 1 1 0  cccp6 384 1 1 0  pool
        conv4 1024 3 1 1  cccp7 1024 1 1 0  cccp8 1000 1 1 0
    """

    def __init__(self) -> None:
        super().__init__()
        words, channels = iter(self.LAYERS.split()), 3
        self.layers = nn.ModuleDict()
        for word in words:
            if word == "pool":
                self.layers[f"pool{len(self.layers)}"] = nn.Identity()
                continue
            out_channels, *sizes = (int(next(words)) for _ in range(4))
            self.layers[word] = nn.Conv2d(channels, out_channels, *sizes)
            channels = out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for name, layer in self.layers.items():
            if name.startswith("pool"):
                missing = [(3 - size) % 2 for size in x.shape[:1:-1]]  # width, then height
                x = F.pad(x, (0, missing[0], 0, missing[1]), value=-torch.inf)
                x = x.unfold(2, 3, 2).unfold(3, 3, 2).amax((4, 5))
            else:
                x = layer(x).clamp(min=0)
        return x.flatten(2).mean(-1)


@pytest.mark.parametrize("size", [(3, 224, 224), (3, 131, 163)])
def test_the_released_definition_computes_the_same(size):
    difference = reference.compare(nin_imagenet(), Released(), size)
    assert max(difference) < reference.TOLERANCE


def test_a_pooling_that_rounds_down_is_seen():
    ours = nin_imagenet()
    ours.pool1.ceil_mode = False
    assert min(reference.compare(ours, Released())) > 1e-3


@pytest.mark.parametrize(("network", "name"), [(nin, "nin"), (nin_imagenet, "nin_imagenet")])
def test_layers_with_weights_are_as_many_as_the_card_says(network, name):
    with torch.device("meta"):
        convolutions = sum(isinstance(m, nn.Conv2d) for m in network().modules())
    assert convolutions == papers.paper(name).depth


@pytest.mark.parametrize(("side", "maps"), [(32, 8), (64, 16), (40, 10)])
def test_the_maps_of_larger_images_are_averaged(side, maps):
    network = nin().eval()
    image = torch.rand(1, 3, side, side)
    with torch.no_grad():
        before = network[:-1](image)
        assert before.shape == (1, 10, maps, maps)
        assert torch.allclose(network(image), before.mean((2, 3)), atol=1e-5)


def test_an_mlpconv_layer_may_have_any_number_of_layers():
    assert mlpconv(3, (8,), 3)(torch.zeros(1, 3, 9, 9)).shape == (1, 8, 9, 9)
    assert len(mlpconv(3, (8, 4, 2, 1), 3)) == 8


def test_only_the_last_number_of_the_table_is_the_number_of_classes():
    with torch.device("meta"):
        network = mlpconv_network(NIN, 7)
    assert network.mlpconv3[2].out_channels == 192
    assert network.mlpconv3[4].out_channels == 7
    assert NIN[-1].channels == (192, 192, 10)


def test_weights_are_drawn_as_the_released_definition_says():
    spreads = [
        (m.weight.std().item(), m.bias.abs().sum().item())
        for m in nin_imagenet().modules()
        if isinstance(m, nn.Conv2d)
    ]
    stated = [0.01, *[0.05] * 5, 0.01, *[0.05] * 4, 0.01]
    assert [spread for spread, _ in spreads] == pytest.approx(stated, rel=0.03)
    assert all(bias == 0 for _, bias in spreads)
