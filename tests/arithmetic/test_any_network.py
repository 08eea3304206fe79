"""Networks as people write them: each is counted right, or refused in a sentence of ours."""

import copy
import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations
from torchvision.models import resnet18, vit_b_16
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.models.optical_flow import raft_small
from torchvision.models.quantization import resnet18 as quantized_resnet18
from torchvision.models.segmentation import fcn_resnet50
from torchvision.ops import DeformConv2d

from cnnbook.arithmetic import (
    count_parameters,
    multiply_adds,
    output_size,
    receptive_field,
    summary,
)

CONV = 4 * (4 * 9 + 1)  # parameters of a 3×3 convolution of 4 channels to 4


class Net(nn.Module):
    """A network from what it holds and what it does."""

    def __init__(self, does, **holds):
        super().__init__()
        self.does = does
        for name, part in holds.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.does(self, x)


def conv(**options):
    return nn.Conv2d(4, 4, 3, padding=1, **options)


def in_turn(net, x):
    for block in net.blocks:
        x = block(x)
    return net.head(x.mean((2, 3)))


def sums(network, size):
    rows = summary(network, size)
    assert sum(r.parameters for r in rows) == count_parameters(network)
    assert sum(r.multiply_adds for r in rows) == multiply_adds(network, size)
    return {row.name: (row.parameters, row.multiply_adds) for row in rows}


def test_a_list_of_modules_has_a_row():
    blocks = nn.ModuleList(conv() for _ in range(3))
    net = Net(in_turn, blocks=blocks, head=nn.Linear(4, 10))
    assert sums(net, (4, 8, 8)) == {"blocks": (3 * CONV, 3 * 64 * 144), "head": (50, 40)}
    assert summary(net, (4, 8, 8))[0].output_shape == (4, 8, 8)


def test_what_belongs_to_no_child_has_a_row():
    net = Net(
        lambda net, x: net.conv(x).mean((2, 3)) @ net.w,
        conv=conv(),
        w=nn.Parameter(torch.zeros(4, 10)),
    )
    assert sums(net, (4, 8, 8))["(own)"] == (40, 40)
    functional = Net(lambda net, x: F.conv2d(x, net.conv.weight), conv=conv())
    assert sums(functional, (4, 8, 8)) == {"conv": (CONV, 0), "(own)": (0, 36 * 144)}


def test_tied_weights_count_once():
    net = Net(lambda net, x: net.b(net.a(x)), a=conv(bias=False), b=conv(bias=False))
    net.b.weight = net.a.weight
    assert sums(net, (4, 8, 8)) == {"a": (144, 64 * 144), "b": (0, 64 * 144)}


def test_a_module_under_two_parents_works_for_the_one_in_which_it_runs():
    shared = conv()
    block = nn.Sequential(shared, nn.ReLU())
    for parts in ({"a": shared, "block": block}, {"block": block, "a": shared}):
        found = sums(Net(lambda net, x: net.block(net.a(x)), **parts), (4, 8, 8))
        assert {name: work for name, (_, work) in found.items()} == dict.fromkeys(parts, 64 * 144)


def test_a_child_that_does_not_run_is_shown():
    net = Net(lambda net, x: net.a(x), a=conv(), spare=nn.Linear(3, 3), nothing=nn.ReLU())
    assert sums(net, (4, 8, 8)) == {"a": (CONV, 64 * 144), "spare": (12, 0)}
    assert summary(net, (4, 8, 8))[1].output_shape == ()


class WithNone(nn.Module):
    def __init__(self, extra):
        super().__init__()
        self.conv, self.extra = conv(), extra

    def forward(self, x):
        return self.extra, {"map": self.conv(x)}


@pytest.mark.parametrize("extra", [None, 3, "words"])
def test_what_comes_beside_the_map_does_not_matter(extra):
    net = Net(lambda net, x: net.child(x)[1]["map"], child=WithNone(extra))
    assert sums(net, (4, 8, 8)) == {"child": (CONV, 64 * 144)}


def test_a_column_that_cannot_be_followed_is_empty():
    rows = summary(vit_b_16())
    assert {row.name: row.receptive_field for row in rows}["encoder"] is None
    assert sum(row.multiply_adds for row in rows) == multiply_adds(vit_b_16())


def test_what_cannot_be_followed_stays_unknown():
    def does(net, x):
        parts = x.unfold(2, 2, 2).amax(-1)  # moves pixels: not followed
        return net.conv(parts + 0 * x[:, :, :8])

    rows = summary(Net(does, conv=conv()), (4, 16, 16))
    assert rows[0].receptive_field is None


def test_a_network_that_gives_a_dictionary():
    net = fcn_resnet50(weights=None, weights_backbone=None)
    assert list(sums(net, (3, 64, 64))) == ["backbone", "classifier"]


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_a_scripted_network_is_counted_and_its_summary_refused():
    net = torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3)))
    assert multiply_adds(net, (3, 8, 8)) == 3888
    with pytest.raises(ValueError, match="scripted"):
        summary(net, (3, 8, 8))


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_normalised_weights():
    nets = (
        torch.nn.utils.weight_norm(nn.Conv2d(3, 4, 3)),
        torch.nn.utils.spectral_norm(nn.Conv2d(3, 4, 3)),
        parametrizations.weight_norm(nn.Conv2d(3, 4, 3)),
        parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
    )
    for net in nets:
        assert multiply_adds(net, (3, 8, 8)) == 3888
        assert receptive_field(net, (3, 8, 8)).size == (3, 3)


def test_a_network_that_keeps_an_activation():
    net = resnet18()
    net.layer4.register_forward_hook(lambda part, _, output: setattr(part, "kept", output))
    kept = net(torch.zeros(2, 3, 64, 64)).shape, net.layer4.kept
    assert receptive_field(net).size == (435, 435)
    assert net.layer4.kept is kept[1]  # the reader's network is as it was


def minus_own_mean(net, x):
    return net.conv(x - net.mean)


def minus_new_mean(net, x):
    return net.conv(x - torch.tensor([0.4, 0.5, 0.6, 0.7]).view(4, 1, 1))


@pytest.mark.parametrize("does", [minus_own_mean, minus_new_mean])
def test_tensors_that_are_no_parameters(does):
    net = Net(does, conv=conv(), mean=torch.full((4, 1, 1), 0.45))
    assert multiply_adds(net, (4, 8, 8)) == 64 * 144
    assert receptive_field(net, (4, 8, 8)).size == (3, 3)
    assert net.mean.device.type == "cpu"


class Token(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x, token):
        return self.linear(torch.cat([token, x], 1))


def test_an_expanded_parameter_as_an_input():
    net = Net(
        lambda net, x: net.block(x, net.token.expand(len(x), -1, -1)),
        block=Token(),
        token=nn.Parameter(torch.zeros(1, 1, 4)),
    )
    assert multiply_adds(net, (5, 4)) == 6 * 16


def test_a_deformable_convolution_is_a_convolution():
    net = Net(
        lambda net, x: net.conv(x, net.offsets(x)),
        offsets=nn.Conv2d(4, 18, 3, padding=1),
        conv=DeformConv2d(4, 8, 3, padding=1),
    )
    assert multiply_adds(net, (4, 8, 8)) == 64 * 18 * 36 + 64 * 8 * 36


def test_a_bilinear_layer():
    net = Net(lambda net, x: net.layer(x[..., :4], x[..., 4:]), layer=nn.Bilinear(4, 5, 6))
    assert multiply_adds(net, (7, 9)) == 7 * 6 * (4 * 5 + 5)


def test_numbers_of_words():
    assert multiply_adds(nn.Sequential(nn.Embedding(10, 8), nn.Linear(8, 2)), (5,)) == 5 * 16


def test_a_detector_is_refused_in_words():
    net = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    with pytest.raises(NotImplementedError, match="looks at the numbers"):
        multiply_adds(net, (3, 320, 320))


@pytest.mark.filterwarnings("ignore::UserWarning")  # of torch's, on its own packed weights
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_quantised_network_is_refused_in_words():
    net = quantized_resnet18(weights=None, quantize=False)
    assert multiply_adds(net) == multiply_adds(resnet18())  # ready for it, still of fractions
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2)).eval()
    halves = torch.ao.quantization.quantize_dynamic(net, {nn.Linear})
    with pytest.raises(NotImplementedError, match="Sequential is quantised"):
        multiply_adds(halves, (3, 8, 8))


def test_a_network_of_two_images_is_refused_in_words():
    with pytest.raises(ValueError, match=r"RAFT takes 2 inputs \(image1, image2\)"):
        multiply_adds(raft_small(weights=None), (3, 128, 128))


def test_lazy_layers_are_told():
    with pytest.raises(ValueError, match="lazy layers"):
        multiply_adds(nn.Sequential(nn.LazyConv2d(3, 3)), (3, 8, 8))


def test_where_a_network_stops_is_told():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(100, 3))
    with pytest.raises(ValueError, match=r"stops at '2', Linear\(in_features=100.*given 1 × 144"):
        multiply_adds(net, (3, 8, 8))
    with pytest.raises(ValueError, match="each size of the input is -1"):
        multiply_adds(net, (3, -1, 8))


@pytest.mark.parametrize("layer", [nn.Conv1d, nn.Conv2d, nn.Conv3d])
def test_circular_padding(layer):
    net = layer(2, 2, 3, padding=1, padding_mode="circular")
    axes = len(net.kernel_size)
    assert receptive_field(net, (2, *(16,) * axes)).size == (3,) * axes
    assert multiply_adds(net, (2, *(4,) * axes)) == 4**axes * 4 * 3**axes


def seen(network, size):
    """Extent of the pixels on which a unit in the middle depends, by its gradient."""
    x = torch.rand(1, *size, requires_grad=True)
    middle = [length // 2 for length in size[1:]]
    y = network(x)[(0, slice(None), *middle)].sum()
    found = torch.autograd.grad(y, x)[0][0].abs().sum(0).nonzero()
    return tuple((found.amax(0) - found.amin(0) + 1).tolist())


def test_a_linear_layer_along_an_axis_sees_all_of_it():
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Linear(32, 32))
    assert seen(net, (1, 32, 32)) == (3, 32)
    assert receptive_field(net, (1, 32, 32)).size == (3, float("inf"))


def into_channels(net, x):
    y = x.clone()
    part = y[:, :2]
    part += net.conv(x[:, 2:])
    return y


def into_rows(net, x):
    y = x.clone()
    y[:, :, :8] += net.conv(x[:, :2])[:, :, 8:].repeat(1, 2, 1, 1)
    return y


def test_what_is_written_into_a_part():
    net = Net(into_channels, conv=nn.Conv2d(2, 2, 3, padding=1))
    assert receptive_field(net, (4, 16, 16)).size == seen(net, (4, 16, 16)) == (3, 3)
    with pytest.raises(NotImplementedError):
        receptive_field(Net(into_rows, conv=nn.Conv2d(2, 2, 3, padding=1)), (4, 16, 16))


class Unwritten(nn.Conv2d):
    def __repr__(self):
        raise KeyError("alpha")  # as a layer of pytorchcv's DANet does


def test_a_layer_that_cannot_write_itself():
    assert multiply_adds(nn.Sequential(Unwritten(3, 4, 3)), (3, 8, 8)) == 3888
    with pytest.raises(ValueError, match="stops at '0', Unwritten, which is given 1 × 5 × 8 × 8"):
        multiply_adds(nn.Sequential(Unwritten(3, 4, 3)), (5, 8, 8))


def test_integers_of_other_libraries():
    import numpy as np

    assert output_size(np.int64(32), torch.tensor(3), stride=np.int32(2)) == 15


def test_the_network_itself_is_left_alone():
    net = resnet18().train()
    before = copy.deepcopy(net.state_dict())
    summary(net), receptive_field(net), multiply_adds(net)
    assert net.training
    assert all(p.requires_grad and p.device.type == "cpu" for p in net.parameters())
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.modules())


def test_products_with_vectors_are_counted():
    vector = nn.Parameter(torch.zeros(4))
    assert multiply_adds(Net(lambda net, x: x @ net.w, w=vector), (6, 4)) == 24
    assert multiply_adds(Net(lambda net, x: torch.dot(x[0], net.w), w=vector), (4,)) == 4
    sums = Net(lambda net, x: net.b.addbmm(x, net.w), w=nn.Parameter(torch.zeros(1, 4, 5)))
    sums.b = nn.Parameter(torch.zeros(3, 5))
    assert multiply_adds(sums, (3, 4)) == 60


def test_weights_made_of_weights_are_made_once():
    net = parametrizations.orthogonal(nn.Linear(4, 4))
    assert multiply_adds(net, (4,)) == 16
    assert torch.nn.utils.parametrize.is_parametrized(net)  # the reader's own still is


@dataclasses.dataclass
class Answer:
    logits: torch.Tensor


def test_outputs_in_an_object_have_a_shape():
    child = Net(lambda net, x: Answer(net.conv(x)), conv=conv())
    rows = summary(Net(lambda net, x: net.child(x).logits, child=child), (4, 8, 8))
    assert rows[0].output_shape == (4, 8, 8)


def test_a_part_whose_error_the_network_catches():
    def does(net, x):
        try:
            return net.wrong(x)
        except RuntimeError:
            return net.conv(x)

    net = Net(does, wrong=nn.Sequential(nn.Conv2d(5, 4, 3)), conv=conv())
    assert sums(net, (4, 8, 8))["conv"] == (CONV, 64 * 144)


def test_axes_may_be_transposed():
    wide = nn.Conv2d(4, 4, (1, 5), padding=(0, 2))
    net = Net(lambda net, x: net.conv(x).transpose(2, 3), conv=wide)
    assert receptive_field(net, (4, 16, 16)).size == (1, 5)
    net.does = lambda net, x: net.conv(x).transpose(2, 3) + x
    with pytest.raises(NotImplementedError, match="meets its transpose"):
        receptive_field(net, (4, 16, 16))


@pytest.mark.parametrize(
    "does",
    [
        lambda net, x: F.conv2d(x, x[:, :, 4:7, 4:7]),  # a kernel cut out of the image
        lambda net, x: net.fc(net.conv(x).flatten(1)).view(1, 4, 4, 4),  # an image made anew
    ],
)
def test_a_field_that_cannot_be_known_is_refused(does):
    with pytest.raises(NotImplementedError, match="cannot be followed"):
        receptive_field(Net(does, conv=conv(), fc=nn.Linear(256, 64)), (4, 8, 8))


def test_an_output_without_the_input_has_no_field():
    with pytest.raises(ValueError, match="does not depend on its input"):
        receptive_field(Net(lambda net, x: torch.zeros(1, 3, 8, 8)), (3, 8, 8))


@pytest.mark.parametrize("measure", [summary, multiply_adds, receptive_field])
def test_what_is_no_network_or_no_size_is_told(measure):
    for wrong in (nn.Conv2d, torch.relu, conv().state_dict()):
        with pytest.raises(ValueError, match="a network is wanted"):
            measure(wrong, (4, 8, 8))
    for size in (224, None, (), "3"):
        with pytest.raises(ValueError, match=r"input_size is .*give the shape"):
            measure(conv(), size)
    with pytest.raises(ValueError, match="no forward"):
        measure(nn.ModuleList([conv()]), (4, 8, 8))


def test_whole_numbers_where_they_are_wanted():
    table = Net(lambda net, x: net.w[x] @ net.v, w=nn.Parameter(torch.zeros(9, 4)))
    table.v = nn.Parameter(torch.zeros(4, 2))
    assert multiply_adds(table, (5,)) == 40
    assert multiply_adds(nn.EmbeddingBag(10, 8), (5,)) == 0


def _twice(x):
    return torch.cat((x, x), 1)


ALONG_CHANNELS = {
    "glu": lambda x: F.glu(_twice(x), 1),
    "median": lambda x: x * x.median(1, keepdim=True)[0],
    "min": lambda x: x * x.min(1, keepdim=True)[0],
    "std": lambda x: x * x.std(1, keepdim=True),
    "logsumexp": lambda x: x * x.logsumexp(1, keepdim=True),
    "normalize": lambda x: F.normalize(x, dim=1),
    "cumsum": lambda x: x.cumsum(1),
    "sort": lambda x: x.sort(1, descending=True)[0],
    "sort by name": lambda x: x.sort(dim=1, stable=True)[0],
    "topk": lambda x: x * x.topk(2, 1)[0].mean(1, keepdim=True),
    "flip": lambda x: x.flip(1),
    "roll": lambda x: x.roll(1, 1),
    "shuffle": nn.ChannelShuffle(2),
    "rrelu": F.rrelu,
}


@pytest.mark.parametrize("name", ALONG_CHANNELS)
def test_what_moves_and_mixes_channels_sees_no_more(name):
    net = nn.Sequential(conv(), Applied(ALONG_CHANNELS[name]), nn.Conv2d(4, 2, 3))
    assert receptive_field(net, (4, 16, 16)) == receptive_field(
        nn.Sequential(conv(), nn.Conv2d(4, 2, 3)), (4, 16, 16)
    )


@pytest.mark.parametrize(
    "moved",
    [
        lambda x: x.cumsum(2),
        lambda x: x.sort()[0],
        lambda x: x.topk(1)[0].expand_as(x),  # along the width, which is the default
        lambda x: x.flip(3),
        lambda x: x.flip(1, 2),
        lambda x: x.roll(1),
        lambda x: F.glu(x, 3),
        lambda x: x - x[:, :, :1],
        lambda x: x * x[..., :1],
        lambda x: x[:, :, :1].expand(-1, -1, 16, -1) * 1,
        lambda x: torch.zeros_like(x).copy_(x[:, :, :1]),
        lambda x: F.channel_shuffle(x.transpose(1, 2), 2).transpose(1, 2),
        lambda x: F.pixel_shuffle(x.transpose(1, 2), 2),
        lambda x: F.pixel_unshuffle(x.transpose(1, 3), 2),
    ],
)
def test_what_moves_the_image_is_refused(moved):
    with pytest.raises(NotImplementedError, match="cannot be followed through aten"):
        receptive_field(nn.Sequential(conv(), Applied(moved)), (4, 16, 16))


class Applied(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    "scaled",
    [
        lambda x: x.flatten(2).softmax(-1).view_as(x),
        lambda x: F.group_norm(x.flatten(2), 2).view_as(x),
        lambda x: F.layer_norm(x.flatten(2), [256]).view_as(x),
        lambda x: (x.flatten(2) - x.flatten(2).mean(2, keepdim=True)).view_as(x),
        lambda x: (x.flatten(2) / x.flatten(2).amax(2, keepdim=True)).view_as(x),
    ],
)
def test_a_statistic_over_a_flattened_image_is_a_gate(scaled):
    net = nn.Sequential(conv(), Applied(scaled))
    assert receptive_field(net, (4, 16, 16)).size == (3, 3)
    assert receptive_field(net, (4, 16, 16), gates=True).size == (math.inf, math.inf)
