"""GoogLeNet against torchvision, and an independent form."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from cnnbook import reference
from cnnbook.arithmetic import count_parameters, multiply_adds, receptive_field
from cnnbook.layers import conv_relu
from cnnbook.networks import googlenet, googlenet_bn
from cnnbook.networks.inception import (
    GOOGLENET,
    Branches,
    InceptionRow,
    WithHeads,
    caffe_norm,
    conv_norm,
    inception,
    inception_network,
)
from tools.pages import forms

# Table 1 of the paper once more, as channels in and the six columns.
MODULES = [
    (192, 64, 96, 128, 16, 32, 32), (256, 128, 128, 192, 32, 96, 64), None,
    (480, 192, 96, 208, 16, 48, 64), (512, 160, 112, 224, 24, 64, 64),
    (512, 128, 128, 256, 24, 64, 64), (512, 112, 144, 288, 32, 64, 64),
    (528, 256, 160, 320, 32, 128, 128), None,
    (832, 256, 160, 320, 32, 128, 128), (832, 384, 192, 384, 48, 128, 128),
]  # fmt: skip


def pooled(x: torch.Tensor) -> torch.Tensor:
    """Max pooling of 3×3 with stride 2 as Caffe has it: a last window may hang over the end."""
    rows, columns = (1 - size % 2 for size in x.shape[2:])
    x = F.pad(x, (0, columns, 0, rows), value=-torch.inf)
    return x.unfold(2, 3, 2).unfold(3, 3, 2).amax((4, 5))


def normalised(x: torch.Tensor) -> torch.Tensor:
    """Local response normalisation as Caffe has it: alpha is divided by the size."""
    squares = F.pad(x.square(), (0, 0, 0, 0, 2, 2)).unfold(1, 5, 1).sum(-1)
    return x / (1 + 1e-4 / 5 * squares) ** 0.75


class Functional(nn.Module):
    """GoogLeNet as the paper has it, written out; its layers are defined in running order."""

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(3, 64, 7, 2, 3), nn.Conv2d(64, 64, 1), nn.Conv2d(64, 192, 3, 1, 1)]
        )
        for inputs, one, three_in, three, five_in, five, pool in filter(None, MODULES):
            self.convolutions += [
                nn.Conv2d(inputs, one, 1),
                nn.Conv2d(inputs, three_in, 1),
                nn.Conv2d(three_in, three, 3, 1, 1),
                nn.Conv2d(inputs, five_in, 1),
                nn.Conv2d(five_in, five, 5, 1, 2),
                nn.Conv2d(inputs, pool, 1),
            ]
        self.linear = nn.Linear(1024, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layers = iter(self.convolutions)

        def conv(x: torch.Tensor) -> torch.Tensor:
            return next(layers)(x).clamp(min=0)

        x = normalised(pooled(conv(x)))
        x = pooled(normalised(conv(conv(x))))
        for module in MODULES:
            if module is None:
                x = pooled(x)
                continue
            branches = [conv(x), conv(conv(x)), conv(conv(x))]
            around = F.pad(x, (1, 1, 1, 1), value=-torch.inf).unfold(2, 3, 1).unfold(3, 3, 1)
            x = torch.cat([*branches, conv(around.amax((4, 5)))], 1)
        return self.linear(x.mean((2, 3)))


def torchvision_googlenet(**options) -> nn.Module:
    options = {"weights": None, "aux_logits": False, "init_weights": False, **options}
    return torchvision.models.googlenet(**options)


@pytest.mark.parametrize("size", [64, 75])
def test_the_paper_form_computes_what_an_independent_form_does(size):
    difference = reference.compare(googlenet(), Functional(), (3, size, size))
    assert max(difference) < reference.TOLERANCE


@pytest.mark.parametrize(
    ("table", "norm"),
    [
        (GOOGLENET, nn.Identity),
        (GOOGLENET | {"4e": GOOGLENET["4e"]._replace(pool=2)}, caffe_norm),
        (GOOGLENET, lambda: nn.LocalResponseNorm(5, alpha=5e-4, k=1)),
    ],
    ids=["no normalisation", "another pooling", "another alpha"],
)
def test_another_form_is_told_from_the_paper_form(table, norm):
    ours = inception_network(table, conv_relu, norm, 0.4)
    assert min(reference.compare(ours, Functional(), (3, 75, 75))) > 1e-6


def test_torchvision_has_no_5x5_kernels():
    ours = inception_network(GOOGLENET, conv_norm, nn.Identity, 0.2)
    with pytest.raises(ValueError, match="part at step"):
        reference.compare(ours, torchvision_googlenet(), (3, 64, 64))


@pytest.mark.parametrize("size", [64, 96])
def test_torchvision_computes_the_same_as_its_form_here(size):
    difference = reference.compare(googlenet_bn(), torchvision_googlenet(), (3, size, size))
    assert max(difference) < reference.TOLERANCE


def test_torchvision_form_has_the_counts_of_torchvision():
    with torch.device("meta"):
        ours, theirs = googlenet_bn(), torchvision_googlenet()
    assert count_parameters(ours) == count_parameters(theirs) == 6_624_904
    assert multiply_adds(ours) == multiply_adds(theirs)
    assert receptive_field(ours).size == (379, 379)
    assert forms.differences(ours, theirs) == []


def test_heads_have_the_parameters_of_the_caffe_definition():
    with torch.device("meta"):
        network = googlenet(heads=True)
    assert count_parameters(network) == 13_378_280
    assert count_parameters(network.heads) == 6_379_728


def test_heads_speak_in_training_only_and_change_nothing_else():
    torch.manual_seed(0)
    network = googlenet(num_classes=5, heads=True)
    image = torch.rand(2, 3, 224, 224)
    scores = network.train()(image)
    assert [tuple(each.shape) for each in scores] == [(2, 5)] * 3
    with torch.no_grad():
        alone = network.eval()(image)
        assert torch.equal(alone, network.network(image))


def test_heads_stand_behind_4a_and_4d_in_this_order():
    torch.manual_seed(0)
    network = googlenet(num_classes=5, heads=True).train()
    _, first, second = network(torch.rand(2, 3, 224, 224))
    names = ("inception4a", "inception4b", "inception4d", "inception4e")
    stages = {name: getattr(network.network, name)[0][0].weight for name in names}
    reached = [
        [
            name
            for name, weight in stages.items()
            if torch.autograd.grad(s.sum(), weight, allow_unused=True, retain_graph=True)[0]
            is not None
        ]
        for s in (first, second)
    ]
    assert reached == [["inception4a"], ["inception4a", "inception4b", "inception4d"]]


def test_a_network_with_heads_is_any_chain():
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    both = WithHeads(trunk, {"0": nn.Linear(4, 2)})
    assert [tuple(s.shape) for s in both(torch.rand(5, 1, 2, 2))] == [(5, 3), (5, 2)]


def test_weights_are_drawn_as_in_the_caffe_definition():
    network = googlenet()
    weight = network.inception5b[1][1][0].weight  # 3×3 of 192 channels
    assert weight.std().item() == pytest.approx((1 / (9 * 192)) ** 0.5, rel=0.02)
    assert all(bool((m.bias == 0.2).all()) for m in network.modules() if isinstance(m, nn.Conv2d))
    assert not network.head[-1].bias.any()


def test_scores_of_all_heads_begin_without_bias():
    network = googlenet(heads=True)
    biases = {name: m.bias for name, m in network.named_modules() if isinstance(m, nn.Linear)}
    scores = [name for name, bias in biases.items() if len(bias) == 1000]
    assert len(scores) == 3
    assert [name for name, bias in biases.items() if not bias.any()] == scores
    assert all(bool((biases[name] == 0.2).all()) for name in set(biases) - set(scores))


def test_lrn_divides_alpha_by_the_size():
    x = 30 * torch.rand(1, 12, 3, 3, dtype=torch.float64)
    assert torch.allclose(caffe_norm()(x), normalised(x))


def test_branches_within_branches_are_stacked_in_their_order():
    fork = Branches([nn.Conv2d(5, 3, 1), nn.Conv2d(5, 4, 1)])
    built = Branches([nn.Sequential(nn.Conv2d(2, 5, 1), fork), nn.Identity()])
    x = torch.rand(1, 2, 6, 6)
    maps = built(x)
    assert maps.shape == (1, 3 + 4 + 2, 6, 6)
    assert torch.equal(maps[:, 7:], x)
    assert torch.equal(maps[:, 3:7], fork[1](built[0][0](x)))


def test_modules_keep_height_and_width():
    built = inception(7, InceptionRow(1, 2, 3, 4, 5, 6))
    assert built(torch.rand(1, 7, 9, 11)).shape == (1, 1 + 3 + 5 + 6, 9, 11)
