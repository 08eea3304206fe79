"""LeNet-5 against its paper's table, and against constructions that share none of its code."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnbook import networks, papers, reference
from cnnbook.arithmetic import summary
from cnnbook.networks.lenet import (
    TABLE_I,
    RadialBasis,
    ScaledTanh,
    Subsample,
    TableConv2d,
    bitmap_codes,
    random_codes,
)

STATED = {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48_120, "F6": 10_164}


def functional(state, x, table=TABLE_I, a=1.7159):
    """LeNet-5 with given weights, from matrix products over patches alone."""

    def squash(x):
        return a * torch.sinh(2 * x / 3) / torch.cosh(2 * x / 3)

    def convolve(x, weight, bias):
        side = x.shape[-1] - 4
        patches = F.unfold(x, 5)  # (N, C · 25, places)
        maps = weight.flatten(1) @ patches + bias[:, None]
        return squash(maps).unflatten(2, (side, side))

    def subsample(x, name):
        sums = x[..., ::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, ::2] + x[..., 1::2, 1::2]
        return squash(sums * state[f"{name}.0.weight"] + state[f"{name}.0.bias"])

    full = torch.zeros(16, 6, 5, 5, dtype=x.dtype)
    for k, seen in enumerate(table):
        for place, m in enumerate(seen):
            full[k, m] = state[f"C3.0.{k}.weight"][0, place]
    bias = torch.stack([state[f"C3.0.{k}.bias"][0] for k in range(16)])
    x = subsample(convolve(x, state["C1.0.weight"], state["C1.0.bias"]), "S2")
    x = subsample(convolve(x, full, bias), "S4")
    x = convolve(x, state["C5.0.weight"], state["C5.0.bias"]).flatten(1)
    x = squash(F.linear(x, state["F6.0.weight"], state["F6.0.bias"]))
    codes = state["output.codes"]
    return 2 * x @ codes.T - x.square().sum(1, keepdim=True) - codes.square().sum(1)


def difference(**form):
    """Largest relative difference of outputs and input gradients, in float64."""
    torch.manual_seed(0)
    network = networks.lenet5().double()
    x = torch.randn(2, 1, 32, 32, dtype=torch.float64, requires_grad=True)
    outputs = [network(x), functional(network.state_dict(), x, **form)]
    gradients = [torch.autograd.grad(y.square().sum(), x)[0] for y in outputs]
    pairs = outputs, gradients
    return max(((a - b).abs().max() / b.abs().max()).item() for a, b in pairs)


def test_another_construction_computes_the_same():
    assert difference() < reference.TOLERANCE


@pytest.mark.parametrize("form", [{"a": 1.7}, {"table": [TABLE_I[1], TABLE_I[0], *TABLE_I[2:]]}])
def test_another_construction_of_another_form_differs(form):
    assert difference(**form) > 1e-6


def test_parameters_and_connections_are_those_of_the_paper_layer_by_layer():
    rows = {row.name: row for row in summary(networks.lenet5(), (1, 32, 32))}
    assert {name: rows[name].parameters for name in STATED} == STATED
    places = dict.fromkeys(STATED, 1)
    for name in STATED:
        for side in rows[name].output_shape[1:]:
            places[name] *= side
    used = STATED | {"S2": 6 * (4 + 1), "S4": 16 * (4 + 1)}
    connections = sum(used[name] * places[name] for name in STATED) + bitmap_codes().numel()
    assert f"{connections:,}" == papers.paper("lenet5").stated["connections"]


def test_table_i_is_that_of_the_paper():
    assert [len(seen) for seen in TABLE_I] == [3] * 6 + [4] * 9 + [6]
    assert len(set(TABLE_I)) == 16
    assert [sum(m in seen for seen in TABLE_I) for m in range(6)] == [10] * 6
    rings = [tuple(sorted((k + i) % 6 for i in range(n))) for n in (3, 4) for k in range(6)]
    assert TABLE_I[:12] == rings


def test_the_table_hides_the_other_channels():
    convolution = TableConv2d(TABLE_I, 5)
    x = torch.randn(1, 6, 5, 5, requires_grad=True)
    for k, seen in enumerate(TABLE_I):
        (gradient,) = torch.autograd.grad(convolution(x)[0, k].sum(), x)
        assert tuple(gradient[0].abs().sum((1, 2)).nonzero().flatten().tolist()) == seen


def test_codes_are_signs_and_differ():
    for codes in (bitmap_codes(), random_codes(200)):
        assert codes.shape[1] == 84
        assert set(codes.flatten().tolist()) == {-1.0, 1.0}
        apart = (codes[:, None] != codes).sum(-1) + 84 * torch.eye(len(codes), dtype=torch.long)
        assert apart.min() >= 15
    assert torch.equal(random_codes(7), random_codes(9)[:7])
    assert torch.equal(networks.lenet5(7).output.codes, random_codes(7))


def test_codes_are_not_trained_but_stored():
    network = networks.lenet5()
    assert "output.codes" in network.state_dict()
    assert "output.codes" not in dict(network.named_parameters())


def test_the_output_is_minus_the_squared_distance():
    codes = bitmap_codes()
    logits = RadialBasis(codes)(codes)
    assert torch.equal(logits.diagonal(), torch.zeros(10))
    assert logits[0, 8].item() == -4 * (codes[0] != codes[8]).sum().item()


def test_the_squashing_function_passes_through_the_codes():
    torch.testing.assert_close(ScaledTanh()(torch.tensor([-1.0, 0, 1])), torch.tensor([-1.0, 0, 1]))


def test_subsampling_is_a_mean_with_its_first_numbers():
    x = torch.randn(2, 3, 6, 8)
    torch.testing.assert_close(Subsample(3)(x), F.avg_pool2d(x, 2))


def test_weights_begin_within_the_papers_bounds():
    network = networks.lenet5()
    assert network.C1[0].weight.abs().max() <= 2.4 / 25
    assert network.S2[0].weight.abs().max() <= 2.4 / 4
    assert network.F6[0].weight.abs().max() <= 2.4 / 120
    assert network.F6[0].weight.abs().max() > 2.3 / 120


def test_the_tutorial_form_is_the_plain_chain():
    tanh, pool = nn.Tanh, nn.AvgPool2d
    chain = nn.Sequential(
        *(nn.Conv2d(1, 6, 5), tanh(), pool(2), nn.Conv2d(6, 16, 5), tanh(), pool(2)),
        *(nn.Flatten(), nn.Linear(400, 120), tanh(), nn.Linear(120, 84), tanh(), nn.Linear(84, 10)),
    )
    ours = networks.lenet5_tutorial().double()
    chain.double()
    with torch.no_grad():
        for a, b in zip(chain.parameters(), ours.parameters(), strict=True):
            a.copy_(b.view_as(a))
    x = torch.randn(2, 1, 32, 32, dtype=torch.float64)
    assert (chain(x) - ours(x)).abs().max() < reference.TOLERANCE


@pytest.mark.parametrize("build", [networks.lenet5, networks.lenet5_tutorial])
def test_digits_of_28_pixels_need_padding(build):
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        build()(torch.zeros(1, 1, 28, 28))
