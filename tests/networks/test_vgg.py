"""VGG against its paper, torchvision, pytorchcv, timm, and an independent functional form."""

import pytest
import timm
import torch
import torch.nn.functional as F
import torchvision
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import papers, reference
from cnnbook.layers import conv_bn_relu
from cnnbook.networks import vgg11, vgg_network, vgg_small
from cnnbook.networks.alexnet_overfeat import response_norm
from cnnbook.networks.vgg import TABLE_1, VGGStage, dense, start_from

NETWORKS = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}
SMALL = {"image_size": 32, "hidden": ()}  # the stages, and a head that costs nothing

# Table 1 of the paper once more, written as a list of layers: kernel, channels; M is max pooling.
LAYERS = {
    "A-LRN": "3-64 LRN M 3-128 M 3-256 3-256 M 3-512 3-512 M 3-512 3-512 M",
    "C": "3-64 3-64 M 3-128 3-128 M 3-256 3-256 1-256 M 3-512 3-512 1-512 M 3-512 3-512 1-512 M",
}


class Functional(nn.Module):
    """The stages of a network, layer by layer, with LRN written out as AlexNet's paper has it."""

    def __init__(self, layers: str) -> None:
        super().__init__()
        self.layers, channels = layers.split(), 3
        self.convolutions = nn.ModuleList()
        for layer in self.layers:
            if "-" in layer:
                size, out_channels = map(int, layer.split("-"))
                self.convolutions.append(nn.Conv2d(channels, out_channels, size, padding="same"))
                channels = out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        convolutions = iter(self.convolutions)
        for layer in self.layers:
            if layer == "M":
                x = x.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
            elif layer == "LRN":
                squares = F.pad(x.square(), (0, 0, 0, 0, 2, 2)).unfold(1, 5, 1).sum(-1)
                x = x / (2 + 1e-4 * squares) ** 0.75
            else:
                x = next(convolutions)(x).clamp(min=0)
        return x


def stages(letter: str) -> nn.Sequential:
    return vgg_network(TABLE_1[letter], 10, **SMALL)[:-1]


def test_torchvision_computes_the_same_as_net_a():
    theirs = torchvision.models.vgg11(init_weights=False)
    assert max(reference.compare(vgg11(), theirs)) < reference.TOLERANCE


@pytest.mark.parametrize(("name", "letter"), NETWORKS.items())
def test_torchvision_has_the_same_stages(name, letter):
    theirs = getattr(torchvision.models, name)(init_weights=False).features
    assert max(reference.compare(stages(letter), theirs, (3, 32, 32))) < reference.TOLERANCE


@pytest.mark.parametrize(("name", "letter"), NETWORKS.items())
def test_torchvision_has_the_same_head(name, letter):
    with torch.device("meta"):
        ours = vgg_network(TABLE_1[letter], 1000).head
        theirs = getattr(torchvision.models, name)(init_weights=False).classifier
    assert [str(layer) for layer in ours[1:]] == [str(layer) for layer in theirs]


@pytest.mark.parametrize("letter", LAYERS)
def test_an_independent_form_computes_the_same(letter):
    difference = reference.compare(stages(letter), Functional(LAYERS[letter]), (3, 32, 32))
    assert max(difference) < reference.TOLERANCE


def test_pytorchcv_computes_the_same():
    theirs = get_model("vgg16").features
    assert max(reference.compare(stages("D"), theirs, (3, 32, 32))) < reference.TOLERANCE


class TimmLike(nn.Sequential):
    """timm's VGG-16 without its adaptive pooling and its flattening: a score map."""

    def __init__(self) -> None:
        theirs = timm.create_model("vgg16", num_classes=0, mlp_ratio=1 / 64)
        super().__init__(theirs.features, theirs.pre_logits)


def test_timm_stores_the_head_as_our_dense_form_has_it():
    ours = dense(vgg_network(TABLE_1["D"], 10, hidden=(64, 4096)))[:-1]
    ours.head = ours.head[:-1]  # timm's hidden layers: 7×7, then 1×1
    theirs = TimmLike()
    assert max(reference.compare(ours, theirs, (3, 256, 224))) < reference.TOLERANCE


@pytest.mark.parametrize(("ours", "theirs"), [("C", "D"), ("D", "C")])
def test_another_column_does_not_pass_for_this_one(ours, theirs):
    with pytest.raises(ValueError, match="part at step"):
        reference.compare(stages(ours), stages(theirs), (3, 32, 32))


def test_the_normalisation_of_a_lrn_is_seen():
    difference = reference.compare(stages("A-LRN"), stages("A"), (3, 32, 32))
    assert min(difference) > 1e-3


def test_lrn_has_the_constants_of_alexnet():
    x = 30 * torch.rand(1, 12, 3, 3, dtype=torch.float64)
    one = x[0, 5, 1, 1] / (2 + 1e-4 * x[0, 3:8, 1, 1].square().sum()) ** 0.75
    assert torch.isclose(response_norm()(x)[0, 5, 1, 1], one)


@pytest.mark.parametrize("letter", TABLE_1)
def test_layers_with_weights_are_as_many_as_the_paper_says(letter):
    name = {**{v: k for k, v in NETWORKS.items()}, "A-LRN": "vgg11_lrn", "C": "vgg16_c"}[letter]
    convolutions = sum(len(stage.kernel_sizes) for stage in TABLE_1[letter])
    assert convolutions + 3 == papers.paper(name).depth


def test_the_rows_are_data():
    kinds = {type(value) for column in TABLE_1.values() for stage in column for value in stage}
    assert kinds == {int, tuple, bool}


def test_more_scales_in_training_help_every_network_that_the_paper_tried_them_on():
    errors = {name: papers.paper(name).errors for name in papers.names() if "vgg" in name}
    both = {name: e for name, e in errors.items() if "one_scale" in e}
    assert list(both) == ["vgg16_c", "vgg16", "vgg19"]
    assert all(e["one_scale"][k] > e[k] for e in both.values() for k in ("top1", "top5"))
    assert all(e["where"].startswith("Table 3") for e in errors.values())


def test_the_dense_form_gives_the_same_at_the_size_of_training():
    torch.manual_seed(0)
    network = vgg_network(TABLE_1["A"], 5, image_size=64, hidden=(16, 16)).double().eval()
    image = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    assert torch.allclose(dense(network)(image), network(image))
    assert dense(network)[:-1](torch.randn(1, 3, 96, 160).double()).shape == (1, 5, 2, 4)


def test_the_dense_form_shares_the_weights():
    network = vgg_network([VGGStage(4, (3,))], 5, image_size=8, hidden=())
    network.head[-1].weight.data.zero_()
    assert dense(network).head[0].weight.abs().sum() == 0


def test_net_a_gives_four_convolutions_and_its_head():
    small = {"image_size": 32, "hidden": (8, 8)}
    net_a, net_e = (vgg_network(TABLE_1[letter], 10, **small) for letter in "AE")
    start_from(net_e, net_a)
    copied = [
        name
        for name, p in net_e.named_parameters()
        if p.dim() > 1 and any(p.shape == q.shape and torch.equal(p, q) for q in net_a.parameters())
    ]
    assert copied == [
        "stage1.0.weight", "stage2.0.weight", "stage3.0.weight", "stage3.2.weight",
        "head.1.weight", "head.4.weight", "head.7.weight",
    ]  # fmt: skip


@pytest.mark.parametrize(("size", "stages"), [(4, 1), (16, 3), (32, 4), (128, 5), (224, 5)])
def test_the_small_network_has_stages_for_its_images(size, stages):
    with torch.device("meta"):
        network = vgg_small(7, size, width=4)
        assert network(torch.zeros(2, 3, size, size)).shape == (2, 7)
    assert len([name for name, _ in network.named_children() if name.startswith("stage")]) == stages


def test_the_small_network_has_batch_norm_and_refuses_tiny_images():
    assert any(isinstance(m, nn.BatchNorm2d) for m in vgg_small(width=4).modules())
    assert conv_bn_relu(3, 4, 3)[0].bias is None
    with pytest.raises(ValueError, match="image_size is 3; it must be at least 4"):
        vgg_small(image_size=3)


def test_weights_are_drawn_after_glorot_and_biases_are_zero():
    network = vgg_network(TABLE_1["A"], 10, **SMALL)
    weight = network.stage3[2].weight
    assert weight.std().item() == pytest.approx((2 / (9 * 256 + 9 * 256)) ** 0.5, rel=0.02)
    assert all(not p.any() for name, p in network.named_parameters() if name.endswith("bias"))
