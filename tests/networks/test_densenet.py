"""DenseNets against torchvision, timm and pytorchcv, and against a second construction."""

import math

import pytest
import timm
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import networks, reference
from cnnbook.arithmetic import count_parameters
from cnnbook.networks import cifar_densenet, cifar_densenet_bc, dense_network, densenet264
from cnnbook.networks.densenet import (
    BC,
    PLAIN,
    CheckpointedBlock,
    DenseBlock,
    dense_bottleneck,
    dense_layer,
    transition,
    with_dropout,
)


def for_few_pixels(theirs: nn.Module) -> nn.Module:
    """Average over any size, where pytorchcv's networks average over 7×7 or 8×8."""
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)
    return theirs


@pytest.mark.parametrize("name", ["densenet121", "densenet161", "densenet169", "densenet201"])
def test_torchvision_computes_the_same(name):
    ours, theirs = getattr(networks, name)(), getattr(torchvision.models, name)(weights=None)
    assert max(reference.compare(ours, theirs, (3, 32, 32))) < reference.TOLERANCE


def test_torchvision_computes_the_same_264_layers():
    theirs = torchvision.models.DenseNet(32, (6, 12, 64, 48), 64)
    assert max(reference.compare(densenet264(), theirs, (3, 32, 32))) < reference.TOLERANCE


@pytest.mark.parametrize("name", ["densenet121", "densenet201"])
def test_timm_computes_the_same(name):
    ours, theirs = getattr(networks, name)(), timm.create_model(name)
    assert max(reference.compare(ours, theirs, (3, 32, 32))) < reference.TOLERANCE


@pytest.mark.parametrize("name", ["densenet121", "densenet161"])
def test_pytorchcv_computes_the_same(name):
    ours, theirs = getattr(networks, name)(), for_few_pixels(get_model(name))
    assert max(reference.compare(ours, theirs, (3, 32, 32))) < reference.TOLERANCE


@pytest.mark.parametrize(("depth", "growth"), [(40, 12), (100, 12), (250, 24)])
def test_pytorchcv_computes_the_same_with_bottlenecks(depth, growth):
    theirs = for_few_pixels(get_model(f"densenet{depth}_k{growth}_bc_cifar10"))
    ours = cifar_densenet_bc(depth, growth)
    assert max(reference.compare(ours, theirs, (3, 8, 8))) < reference.TOLERANCE


def test_pytorchcv_has_the_parameters_of_190_layers():
    with torch.device("meta"):
        theirs = get_model("densenet190_k40_bc_cifar10")
        assert count_parameters(cifar_densenet_bc(190, 40)) == count_parameters(theirs)


@pytest.mark.parametrize("depth", [40, 100])
def test_pytorchcv_compresses_where_the_paper_does_not(depth):
    """With its stem and its compression ours is pytorchcv's; the paper's network is another."""
    theirs = for_few_pixels(get_model(f"densenet{depth}_k12_cifar10"))
    stem = nn.Conv2d(3, 24, 3, padding=1, bias=False)
    kind = PLAIN._replace(compression=0.5)
    ours = dense_network(stem, 24, [(depth - 4) // 3] * 3, 12, kind, 10)
    assert max(reference.compare(ours, theirs, (3, 8, 8))) < reference.TOLERANCE
    assert count_parameters(theirs) < 0.6 * count_parameters(cifar_densenet(depth, 12))


class WrittenOut(nn.Module):
    """The plain DenseNet as the paper's text says it, for which no package stands."""

    def __init__(self, depth: int, growth: int) -> None:
        super().__init__()
        self.n, channels = (depth - 4) // 3, 16
        self.first = nn.Conv2d(3, channels, 3, 1, 1, bias=False)
        self.norms, self.convolutions = nn.ModuleList(), nn.ModuleList()
        for place in range(1, 3 * self.n + 3):
            between = place in (self.n + 1, 2 * self.n + 2)
            self.norms.append(nn.BatchNorm2d(channels))
            shape = (channels, 1, 1, 0) if between else (growth, 3, 1, 1)
            self.convolutions.append(nn.Conv2d(channels, *shape, bias=False))
            channels += 0 if between else growth
        self.norms.append(nn.BatchNorm2d(channels))
        self.last = nn.Linear(channels, 10)

    def forward(self, x):
        found = [self.first(x)]
        for place, (norm, convolution) in enumerate(zip(self.norms, self.convolutions), 1):
            y = convolution(norm(torch.cat(found, 1)).relu())
            if place in (self.n + 1, 2 * self.n + 2):
                found = [nn.functional.avg_pool2d(y, 2)]
            else:
                found.append(y)
        return self.last(self.norms[-1](torch.cat(found, 1)).relu().mean((2, 3)))


@pytest.mark.parametrize(("depth", "growth"), [(40, 12), (100, 12), (22, 24)])
def test_the_plain_network_is_what_the_paper_says(depth, growth):
    ours, theirs = cifar_densenet(depth, growth), WrittenOut(depth, growth)
    assert max(reference.compare(ours, theirs, (3, 8, 8))) < reference.TOLERANCE


LAYERS = st.sampled_from([dense_layer, dense_bottleneck])


@given(LAYERS, st.integers(1, 5), st.integers(1, 6), st.integers(1, 4))
def test_a_block_keeps_what_it_reads_and_appends(layer, channels, growth, depth):
    block = DenseBlock(*(layer(channels + i * growth, growth) for i in range(depth))).eval()
    x = torch.randn(2, channels, 5, 4)
    with torch.no_grad():
        y = block(x)
        assert y.shape == (2, channels + depth * growth, 5, 4)
        assert torch.equal(y[:, :channels], x)
        for i, each in enumerate(block):
            start = channels + i * growth
            alone = each(y[:, :start].contiguous())
            torch.testing.assert_close(y[:, start : start + growth], alone, rtol=1e-4, atol=1e-5)


@given(LAYERS, st.booleans())
def test_a_checkpointed_block_gives_the_same_gradients(layer, training):
    torch.manual_seed(0)
    blocks = [
        block(*(layer(3 + 2 * i, 2) for i in range(4))).double().train(training)
        for block in (DenseBlock, CheckpointedBlock)
    ]
    blocks[1].load_state_dict(blocks[0].state_dict())
    found = []
    for block in blocks:
        x = torch.linspace(-2, 3, 150, dtype=torch.float64).view(2, 3, 5, 5).requires_grad_()
        y = block(x)
        found.append([y, *torch.autograd.grad(y.square().sum(), [x, *block.parameters()])])
    for a, b in zip(*found):
        torch.testing.assert_close(a, b)


def test_a_checkpointed_network_is_the_same():
    ours = cifar_densenet(22, 4, block=CheckpointedBlock)
    assert max(reference.compare(ours, cifar_densenet(22, 4), (3, 8, 8))) < reference.TOLERANCE


@pytest.mark.parametrize("build", [cifar_densenet, cifar_densenet_bc])
@pytest.mark.parametrize("depth", [4, 39, 41, 102])
def test_a_depth_that_is_not_in_the_family_is_refused(build, depth):
    with pytest.raises(ValueError, match=f"depth is {depth}; it must be"):
        build(depth, 12)


def test_seven_layers_are_no_bottlenecks():
    assert cifar_densenet(7, 12)(torch.zeros(1, 3, 8, 8)).shape == (1, 10)
    with pytest.raises(ValueError, match="6n \\+ 4"):
        cifar_densenet_bc(7, 12)


@pytest.mark.parametrize(("build", "count"), [(cifar_densenet, 38), (cifar_densenet_bc, 38)])
def test_dropout_stands_behind_every_convolution_but_the_first(build, count):
    """As the paper has it for images without augmentation."""
    network, without = build(40, 4, dropout=0.2), build(40, 4)
    modules = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Dropout))]
    kinds = [type(m) for m in modules]
    assert kinds == [nn.Conv2d, *[nn.Conv2d, nn.Dropout] * count]
    assert all(m.p == 0.2 for m in modules if isinstance(m, nn.Dropout))
    assert not any(isinstance(m, nn.Dropout) for m in without.modules())
    assert max(reference.compare(network, without, (3, 8, 8))) < reference.TOLERANCE


def test_no_dropout_leaves_the_layers_alone():
    layers = transition(4, 2)
    assert with_dropout(layers, 0) is layers


@given(st.integers(1, 9), st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(1, 5))
def test_channels_are_rounded_down(channels, depths, growth):
    stem = nn.Conv2d(3, 2 * channels, 1)
    network = dense_network(stem, 2 * channels, depths, growth, BC, num_classes=3)
    expected = 2 * channels
    for place, depth in enumerate(depths):
        expected = math.floor(expected / 2) if place else expected
        expected += depth * growth
    assert network.head[-1].in_features == expected
    with torch.no_grad():
        assert network.eval()(torch.zeros(1, 3, 8, 8)).shape == (1, 3)
