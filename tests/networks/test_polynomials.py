"""PolyNet against pretrainedmodels and pytorchcv, and its modules by hand."""

from functools import partial

import pretrainedmodels
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorchcv.model_provider import get_model
from torch import nn

from cnnbook import papers, reference
from cnnbook.arithmetic import count_parameters, multiply_adds, summary
from cnnbook.networks import poly_network, polynet
from cnnbook.networks.inception_resnet import FIGURE_17, BranchRow
from cnnbook.networks.polynomials import (
    EXPRESSIONS,
    POLY_3,
    TWO_WAY,
    VERY_DEEP,
    PolyInception,
    calls,
    once_more,
    poly_branch,
    terms,
)
from tools.pages import forms

SIZE = (3, 331, 331)
SMALL = (3, 75, 75)  # the smallest image: the last maps have one pixel


def of_pretrainedmodels() -> nn.Module:
    network = pretrainedmodels.polynet(pretrained=None)
    network.avg_pool = nn.AdaptiveAvgPool2d(1)  # 9×9, made for 331 pixels
    return network


def of_pytorchcv() -> nn.Module:
    network = get_model("polynet")
    network.features.final_pool = nn.AdaptiveAvgPool2d(1)
    return network


@pytest.mark.parametrize("build", [of_pretrainedmodels, of_pytorchcv])
def test_packages_compute_the_same(build):
    assert max(reference.compare(polynet(), build(), SMALL)) < reference.TOLERANCE


def test_scales_count_in_the_comparison():
    theirs, ours = of_pretrainedmodels(), polynet()
    assert [module.scale for name in "abc" for module in ours.get_submodule(name)] == [
        module.scale for name in "abc" for module in theirs.get_submodule(f"stage_{name}")
    ]
    ours.c[9].scale = 0.3  # of the last module alone
    assert min(reference.compare(ours, theirs, SMALL)) > 1e-6


def test_the_packages_have_a_relu_more_that_nobody_reads():
    """Behind the last order of each poly-3, where no call follows."""
    with torch.device("meta"):
        ours, theirs = polynet(), of_pytorchcv()
        found = forms.differences(ours, theirs, SIZE)
    assert [(one.name, sum(one.reference.values())) for one in found] == [("relu", 15)]


def test_stages_and_counts():
    with torch.device("meta"):
        network = polynet()
    rows = {row.name: row.output_shape for row in summary(network, SIZE)}
    assert [rows[name] for name in "abc"] == [(384, 39, 39), (1152, 19, 19), (2048, 9, 9)]
    assert [len(network.get_submodule(name)) for name in "abc"] == [10, 20, 10]


@pytest.mark.parametrize(
    ("shared", "parameters"),
    [("branches", 95_366_600), ("convolutions", 77_344_200), ("all", 77_213_000)],
)
def test_sharing_changes_the_parameters_and_not_the_cost(shared, parameters):
    with torch.device("meta"):
        network = polynet(shared=shared)
    assert count_parameters(network) == parameters
    if shared == "all":
        assert multiply_adds(network, SIZE) == papers.paper("polynet").multiply_adds


def longest(module: nn.Module) -> int:
    """Layers on the longest way through a module."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        return 1
    if isinstance(module, PolyInception):
        ways = {"": 0}
        for word, branch in module.calls.items():
            ways[word] = ways[word[1:]] + longest(branch)
        return max(ways.values())
    parts = [longest(child) for child in module.children()]
    return max(parts) if isinstance(module, nn.ModuleList) else sum(parts)


def test_the_depth_is_the_longest_way():
    with torch.device("meta"):
        assert longest(polynet()) == papers.paper("polynet").depth


# -- modules -------------------------------------------------------------------------------------

WORDS = st.lists(st.text("FGH", min_size=1, max_size=3), min_size=1, max_size=4, unique=True)
ROWS = [BranchRow((3,), (1,)), BranchRow((2, 4), (1, 3))]
BRANCH = partial(poly_branch, 6, ROWS)


def separately(block: PolyInception, x: torch.Tensor) -> torch.Tensor:
    """The sum, with each of its terms computed from the input on."""
    total = x
    for word in block.terms:
        value = x
        for start in reversed(range(len(word))):
            value = value.relu() if start + 1 < len(word) else value
            value = block.calls[word[start:]](value)
        total = total + block.scale * value
    return total.relu()


@settings(max_examples=30, deadline=None)
@given(WORDS, st.sampled_from(["all", "convolutions", "branches"]))
def test_a_cascade_is_the_sum_of_its_terms(words, shared):
    expression = " + ".join(["I", *words])
    block = PolyInception(expression, BRANCH, 0.4, shared).double()
    x = torch.randn(2, 6, 5, 5, dtype=torch.float64)
    block.train()(x)
    assert torch.allclose(block.eval()(x), separately(block, x), rtol=0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(WORDS)
def test_cost_counts_calls_and_weights_count_letters(words):
    expression = " + ".join(["I", *words])
    block, branch = PolyInception(expression, BRANCH), BRANCH()
    cost = multiply_adds(branch, (6, 5, 5))
    assert multiply_adds(block, (6, 5, 5)) == len(calls(expression)) * cost
    convolutions = {m for m in block.modules() if isinstance(m, nn.Conv2d)}
    each = len([m for m in branch.modules() if isinstance(m, nn.Conv2d)])
    assert len(convolutions) == len(set("".join(words))) * each


@pytest.mark.parametrize(
    ("name", "endings"),
    [
        ("poly-3", ["F", "FF", "FFF"]),
        ("mpoly-3", ["F", "GF", "HGF"]),
        ("3-way", ["F", "G", "H"]),
    ],
)
def test_calls_are_the_endings_of_the_words(name, endings):
    assert calls(EXPRESSIONS[name]) == endings


def test_a_letter_that_is_no_term_is_computed_all_the_same():
    assert terms("I + GF") == ["GF"]
    assert calls("I + GF") == ["F", "GF"]


@pytest.mark.parametrize("shared", ["all", "convolutions", "branches"])
def test_what_two_calls_share(shared):
    block = PolyInception("I + F + FF", BRANCH, shared=shared)
    first, second = block.calls["F"], block.calls["FF"]
    same = [a is b for a, b in zip(first.modules(), second.modules()) if isinstance(a, nn.Conv2d)]
    norms = [a is b for a, b in zip(first.modules(), second.modules()) if "Batch" in str(type(a))]
    assert same == [shared in ("all", "convolutions", "branches")] * 3 + [shared != "branches"]
    assert set(norms) == {shared == "all"}


def test_order_and_scale_of_a_module():
    layers = iter([nn.Conv2d(1, 1, 1, bias=False) for _ in range(2)])
    block = PolyInception("I + F + GF", lambda: next(layers), scale=0.5)
    nn.init.constant_(block.calls["F"].weight, 2)
    nn.init.constant_(block.calls["GF"].weight, -3)
    x = torch.tensor([[1.0, 5.0], [-1.0, 0.0]]).reshape(1, 1, 2, 2)
    # 1 + (2 − 6) / 2 < 0; −1 gives −2, of which ReLU leaves nothing for G
    assert torch.equal(block(x), (x + 0.5 * (2 * x - 3 * (2 * x).relu())).relu())


@pytest.mark.parametrize("expression", ["", "F + G", "I", "I + ", "I+F", "I + F²", "I + 2F"])
def test_what_is_no_expression_is_refused(expression):
    with pytest.raises(ValueError, match=r"is no sum of I and words, such as 'I \+ F \+ GF'\.$"):
        PolyInception(expression, BRANCH)


def test_an_unknown_way_of_sharing_is_refused():
    with pytest.raises(ValueError, match="shared is 'all', 'convolutions' or 'branches', not 'F'"):
        once_more(BRANCH(), "F")


def test_the_very_deep_network_is_10_20_10():
    assert [len(VERY_DEEP[name]) for name in "abc"] == [10, 20, 10]
    assert VERY_DEEP["b"][:2] == [POLY_3, TWO_WAY]


def test_a_network_of_ordinary_blocks():
    stages = {"a": ["I + F"], "b": ["I + F"], "c": ["I + F"]}
    with torch.device("meta"):
        network = poly_network(stages, [0.3] * 3, 7)
        assert network.eval()(torch.zeros(1, *SMALL)).shape == (1, 7)
        alone = PolyInception("I + F", partial(poly_branch, 1152, FIGURE_17))
    assert count_parameters(network.b) == count_parameters(alone)
    assert {norm.eps for norm in network.modules() if isinstance(norm, nn.BatchNorm2d)} == {1e-5}
