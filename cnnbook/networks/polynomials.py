"""PolyNet.

Collected from notebooks/deeper/polynomials.ipynb
by `make export`: edit the chapter, not this file.
"""

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from torch import Tensor, nn
from torch.nn.functional import relu

from cnnbook.layers import conv_bn, initialise
from cnnbook.networks.inception import average_head, conv_norm
from cnnbook.networks.inception_resnet import (
    FIGURE_3,
    FIGURE_12,
    FIGURE_16,
    FIGURE_17,
    FIGURE_19,
    Box,
    BranchRow,
    figure_7,
    inception_module,
    stacked_channels,
)

__all__ = ["PolyInception", "once_more", "poly_branch", "poly_network", "polynet"]


# -- The idea: a block is a polynomial: The second way to write it
EXPRESSIONS = {
    "poly-2": "I + F + FF",
    "mpoly-2": "I + F + GF",
    "2-way": "I + F + G",
    "poly-3": "I + F + FF + FFF",
    "mpoly-3": "I + F + GF + HGF",
    "3-way": "I + F + G + H",
}


def terms(expression: str) -> list[str]:
    """List the terms behind I: "I + F + GF" has F and GF.

    Raises:
        ValueError: the text is no sum of I and words of letters.
    """
    identity, *words = expression.split(" + ")
    if identity != "I" or not words or not all(word.isalpha() for word in words):
        raise ValueError(f"{expression!r} is no sum of I and words, such as 'I + F + GF'.")
    return words


def calls(expression: str) -> list[str]:
    """List what has to be computed, each once: the endings of all terms, short ones first."""
    endings = {word[k:] for word in terms(expression) for k in range(len(word))}
    return sorted(endings, key=lambda word: (len(word), word))


# -- Build it: poly-2, written out
def poly_branch(channels: int, schema: list[BranchRow]) -> nn.Sequential:
    """Build the branches of a figure, and a 1×1 convolution back to `channels`, normalised."""
    last = conv_bn(stacked_channels(channels, schema), channels, 1)
    return nn.Sequential(inception_module(channels, schema), *last)


# -- Build it: What a second call has of its own
def once_more(branch: nn.Sequential, shared: str) -> nn.Sequential:
    """Give a `poly_branch` for a second call of the same letter.

    Args:
        branch: the one of the first call.
        shared: what both calls use: "all" of it, its "convolutions", or those of its "branches",
            so that the last 1×1 convolution is new. What is not shared is copied.

    Raises:
        ValueError: `shared` is another word.
    """
    if shared == "all":
        return branch
    parts = {"convolutions": branch, "branches": branch[0]}
    if shared not in parts:
        raise ValueError(f"shared is 'all', 'convolutions' or 'branches', not {shared!r}.")
    kept = {id(layer): layer for layer in parts[shared].modules() if isinstance(layer, nn.Conv2d)}
    return copy.deepcopy(branch, kept)  # what is in `kept` counts as copied, and is used again


# -- Build it: A block from its expression
class PolyInception(nn.Module):
    """The input plus scaled terms of branches, then ReLU: `(N, C, H, W)` to the same shape.

    Args:
        expression: such as "I + F + GF"; the last letter of a word runs first.
        build: makes a branch that keeps the shape.
        scale: what every term is multiplied by.
        shared: what all calls of a letter have in common, see `once_more`.
    """

    def __init__(
        self,
        expression: str,
        build: Callable[[], nn.Sequential],
        scale: float = 1.0,
        shared: str = "convolutions",
    ) -> None:
        super().__init__()
        self.terms, self.scale, self.calls = terms(expression), scale, nn.ModuleDict()
        for word in calls(expression):
            first = next((call for call in self.calls if call[0] == word[0]), None)
            self.calls[word] = once_more(self.calls[first], shared) if first else build()

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        values = {}
        for word, branch in self.calls.items():
            inner = word[1:]
            values[word] = branch(relu(values[inner]) if inner else x)  # (N, C, H, W)
        return relu(x + self.scale * sum(values[word] for word in self.terms))


# -- Build it: The network
SCHEMA = FIGURE_3 | {
    "stem3": Box(FIGURE_3["stem3"].schema[::-1], valid_stride=2),
    "a": Box(FIGURE_16[::-1]),
    "reduction_a": Box([figure_7(256, 256, 384, 384)[k] for k in (1, 0, 2)], valid_stride=2),
    "b": Box(FIGURE_17[::-1]),
    "reduction_b": Box([FIGURE_12[k] for k in (2, 1, 0, 3)], valid_stride=2),
    "c": Box(FIGURE_19[::-1]),
}


def _draw(weight: Tensor) -> Tensor:
    """Draw first weights with the variance 1 / fan-in."""
    return nn.init.kaiming_uniform_(weight, nonlinearity="linear")


def poly_network(
    stages: Mapping[str, list[str]],
    scales: Iterable[float],
    num_classes: int,
    shared: str = "convolutions",
) -> nn.Sequential:
    """Chain the boxes of Inception-ResNet-v2, with modules of these expressions in its stages.

    Args:
        stages: for the stages a, b and c, an expression for each module.
        scales: of all modules, in their order.
        num_classes: scores that the network gives.
        shared: what the calls of a letter have in common, see `once_more`.
    """
    first = conv_norm(3, 32, 3, stride=2, padding=0), conv_norm(32, 32, 3, padding=0)
    children = OrderedDict(stem=nn.Sequential(*first, conv_norm(32, 64, 3)))
    channels, scales = 64, iter(scales)
    for name, box in SCHEMA.items():
        if name in stages:
            build = partial(poly_branch, channels, box.schema)
            modules = [PolyInception(one, build, next(scales), shared) for one in stages[name]]
            children[name] = nn.Sequential(*modules)
        else:
            children[name] = inception_module(channels, box.schema, box.valid_stride)
            channels = stacked_channels(channels, box.schema)
    children["head"] = average_head(channels, num_classes, dropout=0.2)
    network = initialise(nn.Sequential(children), _draw)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.eps = 1e-5  # PyTorch's own, as in the packages; conv_norm has 0.001
    return network


TWO_WAY = EXPRESSIONS["2-way"]
POLY_3 = EXPRESSIONS["poly-3"]
VERY_DEEP = {"a": [TWO_WAY] * 10, "b": [POLY_3, TWO_WAY] * 10, "c": [POLY_3, TWO_WAY] * 5}


def polynet(num_classes: int = 1000, shared: str = "branches") -> nn.Sequential:
    """The very deep PolyNet of Zhang et al. (2016), as released: `(N, 3, 331, 331)` to logits.

    With `shared="convolutions"` a letter has one set of convolutions, as in the paper's formulas.
    """
    scales = [round(1 - 0.3 * k / 39, 6) for k in range(40)]
    return poly_network(VERY_DEEP, scales, num_classes, shared)
