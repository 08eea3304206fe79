"""AlexNet and OverFeat against other implementations, and what their chapter claims of them."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import networks, papers, reference
from cnnbook.networks.alexnet_overfeat import fully_convolutional


@pytest.fixture(scope="module")
def two_towers():
    torch.manual_seed(0)
    return networks.alexnet()


@pytest.fixture(scope="module")
def fast():
    torch.manual_seed(0)
    return networks.overfeat().eval()


def relative(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def response_norm(x, alpha=1e-4, k=2):
    """The formula of Krizhevsky et al. (2012), Section 3.3, channel by channel."""
    channels = x.shape[1]
    sums = [(x[:, max(0, c - 2) : c + 3] ** 2).sum(1, keepdim=True) for c in range(channels)]
    return x / (k + alpha * torch.cat(sums, 1)) ** 0.75


def caffe_alexnet(x, state, norm=response_norm, norm_first=True):
    """BVLC's deploy.prototxt with the paper's norm, as two chains of separate convolutions."""

    def tower(name, inputs, **options):
        halves = zip(inputs, state[f"{name}.0.weight"].chunk(2), state[f"{name}.0.bias"].chunk(2))
        return [F.relu(F.conv2d(x, weight, bias, **options)) for x, weight, bias in halves]

    def norm_and_pool(maps):
        maps = torch.cat(maps, 1)
        maps = F.max_pool2d(norm(maps), 3, 2) if norm_first else norm(F.max_pool2d(maps, 3, 2))
        return maps.chunk(2, 1)

    maps = norm_and_pool(tower("conv1", [x, x], stride=4))
    maps = norm_and_pool(tower("conv2", maps, padding=2))
    maps = tower("conv3", [torch.cat(maps, 1)] * 2, padding=1)
    maps = tower("conv4", maps, padding=1)
    maps = tower("conv5", maps, padding=1)
    features = F.max_pool2d(torch.cat(maps, 1), 3, 2).flatten(1)
    for name in ("fc6.0", "fc7.0"):
        features = F.relu(F.linear(features, state[f"{name}.weight"], state[f"{name}.bias"]))
    return F.linear(features, state["fc8.weight"], state["fc8.bias"])


@pytest.fixture(scope="module")
def in_float64(two_towers):
    """AlexNet with weights at which every layer matters, an image, and what comes out."""
    network = networks.alexnet().double().eval()
    generator = torch.Generator().manual_seed(0)
    reference._randomise(network, generator)
    image = 50 * torch.randn(1, 3, 227, 227, generator=generator, dtype=torch.float64)
    image.requires_grad_()
    scores = network(image)
    (gradient,) = torch.autograd.grad(scores.square().sum(), image)
    return network.state_dict(), image, scores.detach(), gradient


def test_two_separate_towers_compute_the_same(in_float64):
    state, image, scores, gradient = in_float64
    theirs = caffe_alexnet(image, state)
    (their_gradient,) = torch.autograd.grad(theirs.square().sum(), image)
    assert relative(theirs, scores) < reference.TOLERANCE
    assert relative(their_gradient, gradient) < reference.TOLERANCE


@pytest.mark.parametrize(
    "form",
    [
        {"norm_first": False},  # CaffeNet: pooling, then the norm
        {"norm": lambda x: response_norm(x, alpha=1e-4 / 5)},  # the paper's alpha typed into torch
        {"norm": lambda x: response_norm(x, alpha=1e-4 / 5, k=1)},  # Caffe's own
    ],
)
def test_other_forms_differ(in_float64, form):
    state, image, scores, _ = in_float64
    with torch.no_grad():
        assert relative(caffe_alexnet(image, state, **form), scores) > 1e-3


def test_pytorchcv_computes_the_same_as_one_tower_with_its_alpha():
    ours, theirs = networks.alexnet(groups=1), get_model("alexnet")
    assert sum(p.numel() for p in ours.parameters()) == 62378344
    for layer in ours.modules():
        if isinstance(layer, nn.LocalResponseNorm):
            layer.alpha = 1e-4  # pytorchcv types the paper's constant into torch's function
    difference = reference.compare(ours, theirs, (3, 227, 227))
    assert max(difference) < reference.TOLERANCE


@pytest.mark.parametrize("theirs", [torchvision.models.alexnet, lambda: get_model("alexnetb")])
def test_others_compute_the_same_as_the_network_of_2014(theirs):
    difference = reference.compare(networks.alexnet_owt(), theirs(), (3, 224, 224))
    assert max(difference) < reference.TOLERANCE


def test_weights_begin_as_in_the_paper(two_towers):
    for name, child in two_towers.named_children():
        for layer in child.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                assert abs(layer.weight.std().item() - 0.01) < 5e-4
                expected = 1.0 if name in ("conv2", "conv4", "conv5", "fc6", "fc7") else 0.0
                assert (layer.bias == expected).all()


# Kernel, stride, padding of each convolution, and the window of the pooling behind it.
TABLE_1 = [(11, 4, 0, 2), (5, 1, 0, 2), (3, 1, 1, 0), (3, 1, 1, 0), (3, 1, 1, 2)]
TABLE_3 = [(7, 2, 0, 3), (7, 1, 0, 2), (3, 1, 1, 0), (3, 1, 1, 0), (3, 1, 1, 0), (3, 1, 1, 3)]


def by_table(x, network, table):
    """OverFeat as its tables say, from the tensors of a network in their order."""
    weights, biases = (
        [p for key, p in network.state_dict().items() if key.endswith(kind)]
        for kind in ("weight", "bias")
    )
    for (kernel, stride, padding, window), weight, bias in zip(table, weights, biases):
        assert weight.shape[2:] == (kernel, kernel)
        x = F.relu(F.conv2d(x, weight, bias, stride, padding))
        x = F.max_pool2d(x, window) if window else x
    x = x.flatten(1)
    for place in range(len(table), len(weights)):
        x = F.linear(x, weights[place], biases[place])
        x = F.relu(x) if place < len(weights) - 1 else x
    return x


@pytest.mark.parametrize(("name", "table"), [("overfeat", TABLE_1), ("overfeat_accurate", TABLE_3)])
def test_overfeat_is_that_of_the_tables(name, table):
    torch.manual_seed(0)
    network = getattr(networks, name)().eval()
    image = torch.randn(1, *papers.paper(name).input_size)
    with torch.no_grad():
        scores = network(image)
        assert relative(by_table(image, network, table), scores) < 1e-5
        shifted = [(kernel, stride, 0, window) for kernel, stride, _, window in table]
        with pytest.raises(RuntimeError):  # without the padding the shapes part
            by_table(image, network, shifted)


def test_linear_layers_become_convolutions_without_a_copy(fast):
    sliding = fully_convolutional(fast)
    image = torch.randn(1, 3, 231, 231, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert relative(sliding(image).flatten(1), fast(image)) < 1e-5
        assert sliding(F.pad(image, (0, 63, 0, 32))).shape == (1, 1000, 2, 2)
    pointers = {p.data_ptr() for p in fast.parameters()}
    assert {p.data_ptr() for p in sliding.parameters()} == pointers
    assert not sliding.training


def test_a_map_of_scores_is_the_sliding_window_where_nothing_is_padded():
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    network = nn.Sequential(*layers, nn.Linear(8 * 3 * 3, 4)).double()
    image = torch.randn(1, 3, 31, 39, dtype=torch.float64)
    scores = fully_convolutional(network)(image)
    windows = image.unfold(2, 15, 4).unfold(3, 15, 4).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
    torch.testing.assert_close(network(windows).T.reshape(4, -1), scores[0].flatten(1))
