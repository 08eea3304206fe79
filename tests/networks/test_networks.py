"""Every network of the book: its counts, and what must hold for all of them.

How each is held against reference implementations stands in `test_networks_<chapter>.py`.
"""

import inspect

import pytest
import torch

from cnnbook import networks, papers, reference
from cnnbook.networks.compound_scaling import StochasticDepth


def build(name: str, **options):
    """The network of an entry of the paper data."""
    paper = papers.paper(name)
    return getattr(networks, paper.constructor)(**paper.arguments, **options)


def images(name: str, number: int) -> torch.Tensor:
    """Images of the network's own size; small ones where it ends in an average, to save time."""
    channels, *size = papers.paper(name).input_size
    with torch.device("meta"):
        network, small = build(name).eval(), (96, 96)
        try:
            network(torch.zeros(1, channels, *small))
        except RuntimeError:  # its linear layers fit one size
            small = size
    generator = torch.Generator().manual_seed(0)
    return torch.randn(number, channels, *min(size, list(small)), generator=generator)


def logits(output) -> torch.Tensor:
    """What a network says of its images, without the heads that only help training."""
    return output if isinstance(output, torch.Tensor) else output[0]


@pytest.mark.parametrize("name", papers.names())
def test_counts_are_those_of_the_paper(name):
    with torch.device("meta"):
        network = build(name)
    reference.prove(network, name)  # raises what is wrong


@pytest.mark.parametrize("name", papers.names())
def test_every_parameter_gets_a_gradient(name):
    for dtype in (torch.float32, torch.float64):  # gradients of hundreds of layers, with two
        torch.manual_seed(0)  # values to normalise by, leave the range of float32
        network = build(name).to(dtype)
        for layer in network.modules():
            if isinstance(layer, StochasticDepth):  # what is dropped gets none
                layer.eval()
        logits(network(images(name, 2).to(dtype))).square().sum().backward()
        missing = [key for key, p in network.named_parameters() if not p.grad.abs().sum() > 0]
        if not missing:
            break
    assert missing == []


@pytest.mark.parametrize("name", papers.names())
def test_an_evaluation_does_not_depend_on_the_rest_of_the_batch(name):
    torch.manual_seed(0)
    network, batch = build(name).eval(), images(name, 2)
    for dtype in (torch.float32, torch.float64):  # fresh, a thousand layers leave float32 …
        network, batch = network.to(dtype), batch.to(dtype)
        with torch.no_grad():
            alone, together = network(batch[:1]), network(batch)[:1]
        same = (alone - together).abs().max() < 1e-3 * alone.abs().max()
        if same:  # … and gates of a hundred layers magnify its rounding
            break
    assert same


@pytest.mark.parametrize("name", papers.names())
def test_num_classes_is_the_number_of_logits(name):
    with torch.device("meta"):
        network = build(name, num_classes=7).eval()
        shape = network(torch.zeros(2, *papers.paper(name).input_size)).shape
    assert shape == (2, 7)


@pytest.mark.parametrize("name", sorted(set(networks.__all__)))
def test_constructors_say_what_they_are(name):
    assert "num_classes" in inspect.signature(getattr(networks, name)).parameters
    assert inspect.getdoc(getattr(networks, name)).endswith((".", "`"))


def test_a_network_of_other_channels_is_told_from_its_paper():
    network = networks.cifar_resnet(20, num_classes=11)
    with pytest.raises(AssertionError, match="269,787 parameters here, but 269,722"):
        reference.prove(network, "cifar_resnet20")
