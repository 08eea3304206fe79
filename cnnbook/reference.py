"""Hold a network against its paper, and weight for weight against a reference implementation."""

import copy
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnbook.arithmetic import count_parameters, multiply_adds, receptive_field
from cnnbook.arithmetic.meta import check_size, main_output
from cnnbook.data import archives
from cnnbook.data.transforms import IMAGENET
from cnnbook.names import suggestion
from cnnbook.numbers import integer
from cnnbook.papers import paper
from cnnbook.tables import Table
from cnnbook.weights import Order, check_weights, copy_weights, own_tensors, ran_on

TOLERANCE = 1e-9  # of the scale of the outputs, in float64


class Difference(NamedTuple):
    """Largest differences of two networks with the same weights, as fractions of the scale."""

    outputs: float
    gradients: float  # of the sum of the outputs' squares with respect to the input


def compare(
    ours: nn.Module,
    reference: nn.Module,
    input_size: Sequence[int] = (3, 224, 224),
    *,
    order: Order = "running",
    seed: int = 0,
) -> Difference:
    """Give two networks the same random weights, and measure how far their outputs differ.

    Both are copied to float64 on the CPU, in evaluation mode. Scale, shift and running statistics
    of batch norm are drawn at random, so that they count. The models themselves do not change.

    Args:
        ours: the network of the book.
        reference: an implementation to hold it against.
        input_size: the input's shape without the batch, for images `(C, H, W)`.
        order: how the modules of the two are paired, see `copy_weights`.
        seed: seed of the weights and of the input.

    Returns:
        The largest differences of the outputs and of the gradients at the input.

    Raises:
        ValueError: the weights of one do not fit into the other; or there is nothing to compare:
            an output is missing, is made of zeros, or does not follow from the input by a gradient.

    Examples:
        >>> ours, theirs = (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()) for _ in range(2))
        >>> max(compare(ours, theirs, (3, 8, 8))) < TOLERANCE
        True
    """
    for net in (ours, reference):
        check_weights(net, order)
    input_size, seed = check_size(input_size), integer("seed", seed, least=-(2**63))
    ours, reference = (_copied(net).double().cpu().eval() for net in (ours, reference))
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(1, *input_size, generator=generator, dtype=torch.float64)
    _randomise(reference, generator)
    copy_weights(reference, ours, image, order)
    results = []
    for net in (ours, reference):
        x = image.clone().requires_grad_()
        output = main_output(ran_on(net, x))
        if output is None or not output.requires_grad:
            raise ValueError(
                f"{type(net).__name__} gives {'no tensor' if output is None else 'numbers'} "
                "without a gradient at the input: hand over what comes before."
            )
        if output.is_complex():
            output = torch.view_as_real(output)
        (gradient,) = torch.autograd.grad(output.square().sum(), x)
        results.append((output.detach(), gradient))
    (output, gradient), (expected, expected_gradient) = results
    if output.shape != expected.shape:
        raise ValueError(
            f"the output here is {tuple(output.shape)}, the reference's {tuple(expected.shape)}."
        )
    found = Difference(_relative(output, expected), _relative(gradient, expected_gradient))
    if any(math.isnan(value) for value in found):
        raise ValueError(
            "outputs or gradients are zero everywhere, or not all numbers: they prove nothing."
        )
    return found


def _copied(model: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(model)
    except Exception as error:
        raise ValueError(
            f"{type(model).__name__} holds something that Python cannot copy, such as a weight "
            "that another made (torch.nn.utils.weight_norm) or a kept activation."
        ) from error


@torch.no_grad()
def _randomise(model: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights anew; biases and batch norm's tensors are made to matter."""
    for module in model.modules():
        for key, tensor in own_tensors(module).items():
            if not tensor.is_floating_point():
                continue
            if key == "running_var" or (key == "weight" and tensor.dim() == 1):
                tensor.uniform_(0.5, 1.5, generator=generator)
            elif tensor.dim() <= 1:
                tensor.normal_(0, 0.1, generator=generator)
            else:
                limit = (6 / tensor[0].numel()) ** 0.5  # as He draws them; normal numbers are slow
                tensor.uniform_(-limit, limit, generator=generator)


def _relative(a: Tensor, b: Tensor) -> float:
    return ((a - b).abs().max() / b.abs().max()).item()


class Pretrained(NamedTuple):
    """What belongs to weights that somebody trained."""

    classes: tuple[str, ...]  # names of the classes, in the order of the logits
    preprocess: Callable[[Tensor], Tensor]  # from an image `(3, H, W)` in [0, 1] to the input


def load_reference_weights(
    ours: nn.Module, name: str, weights: str = "DEFAULT", *, order: Order = "running"
) -> Pretrained:
    """Give a network of the book the weights that torchvision's network was trained to.

    The weights are downloaded once and kept where torch keeps them (`TORCH_HOME`). Afterwards both
    networks must give the same logits. Where torchvision's network changes its input itself, as
    GoogLeNet and Inception-v3 do with these weights, so does `ours` from then on, by a hook.

    Args:
        ours: the network of the book; it is changed only if everything fits.
        name: torchvision's name of the reference, such as `"resnet50"`.
        weights: which of its trained weights, such as `"IMAGENET1K_V1"`, or torchvision's object.
        order: how the modules of the two are paired, see `copy_weights`.

    Returns:
        The names of the classes, and what prepares an image.

    Raises:
        ValueError: there is no such network or no such weights, or they are another network's.
        ConnectionError: the weights are not there and cannot be downloaded.
        OSError: the file of the weights is broken, or cannot be written.

    Examples:
        >>> from cnnbook import data
        >>> from cnnbook.networks.resnet import bottleneck_v15, resnet50
        >>> network = resnet50(branch=bottleneck_v15).eval()
        >>> load_reference_weights(network, "resnet-50")
        Traceback (most recent call last):
            ...
        ValueError: torchvision has no network 'resnet-50'; did you mean ...

        With the right name, the first call downloads 98 MB.

        >>> classes, preprocess = load_reference_weights(network, "resnet50")  # doctest: +SKIP
        >>> batch = preprocess(data.photograph("flower")).unsqueeze(0)  # doctest: +SKIP
        >>> classes[network(batch).argmax()]  # doctest: +SKIP
    """
    from torchvision import models

    check_weights(ours, order)
    known = models.list_models(module=models)
    if name not in known:
        raise ValueError(f"torchvision has no network {name!r}; {suggestion(name, known)}")
    choices = models.get_model_weights(name)
    if isinstance(weights, choices):
        weights = weights.name
    if not isinstance(weights, str) or weights not in choices.__members__:
        there = " or ".join(choices.__members__)
        raise ValueError(f"torchvision has no weights {weights!r} of {name}; choose {there}.")
    chosen = choices[weights]
    with warnings.catch_warnings():  # of how some draw weights, which are replaced at once
        warnings.simplefilter("ignore", FutureWarning)
        reference = models.get_model(name)
    reference.load_state_dict(archives.trained_weights(chosen.url))
    trained = copy.deepcopy(ours).cpu().eval()
    reference.eval()
    rescales = hasattr(reference, "transform_input")  # as torchvision sets it with trained weights
    if rescales:
        reference.transform_input = True
        _rescale_input(trained)
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    copy_weights(reference, trained, image, order)
    with torch.no_grad():
        apart = _relative(trained(image), reference(image))
    if not apart < 1e-3:  # float32, summed in another order
        raise ValueError(
            f"with the same weights, torchvision's {name} gives logits that are off by {apart:.2g} "
            "of their scale: it is another network with layers of the same shapes."
        )
    ours.load_state_dict(trained.state_dict())
    if rescales:
        _rescale_input(ours)
    return Pretrained(tuple(chosen.meta["categories"]), chosen.transforms())


def _rescale_input(network: nn.Module) -> None:
    if _to_half not in network._forward_pre_hooks.values():
        network.register_forward_pre_hook(_to_half)


def _to_half(_network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Take back ImageNet's mean and spread, and take ½ and ½ in their place."""
    image, *rest = inputs
    mean, std = (image.new_tensor(values).view(3, 1, 1) for values in IMAGENET)
    return ((image * std + mean - 0.5) / 0.5, *rest)


def prove(
    ours: nn.Module,
    name: str,
    reference: nn.Module | None = None,
    *,
    explained: Mapping[str, str] | None = None,
    compare_size: Sequence[int] | None = None,
) -> Table:
    """Hold a network against its paper and against a reference, or raise what is wrong.

    Parameters, multiply–adds and receptive field must be those of the paper's data, and what the
    paper states must agree to its digits, rounded or cut off. The reference must have the same
    numbers, and with the same weights the same outputs and input gradients in float64, to 1e-9 of
    their scale.

    Args:
        ours: the network of the book.
        name: its entry in the paper data.
        reference: an implementation to hold it against.
        explained: for a quantity in which the reference or the paper's statement differs, the
            reason; a difference without a reason raises, and so does a reason without a
            difference.
        compare_size: input to compare outputs on, `(C, H, W)`; that of the paper if not given. A
            smaller one is quicker and proves the same of a network with global pooling.

    Returns:
        A table that shows itself in a terminal and in a notebook.

    Raises:
        AssertionError: a number or an output is not what it should be.
        ValueError: the weights of the reference do not fit.

    Examples:
        >>> from torchvision.models import resnet18 as theirs
        >>> from cnnbook.networks import resnet18
        >>> prove(resnet18(), "resnet18", theirs(), compare_size=(3, 64, 64)).rows[0][2]
        '11,689,512'
    """
    facts, explained = paper(name), dict(explained or {})
    counts = {
        "parameters": (facts.parameters, count_parameters),
        "multiply–adds": (facts.multiply_adds, lambda m: multiply_adds(m, facts.input_size)),
        "receptive field": (
            facts.receptive_field,
            lambda m: max(receptive_field(m, facts.input_size).size),
        ),
    }
    rows = []
    for quantity, (expected, count) in counts.items():
        counted = count(ours)
        if counted != expected:
            raise AssertionError(
                f"{facts.name} has {counted:,} {quantity} here, but {expected:,} when built as "
                f"the paper says."
            )
        stated = facts.stated.get(quantity.replace("–", "_"), "")
        theirs = None if reference is None else count(reference)
        differs = theirs not in (None, counted) or not _agrees(counted, stated)
        if differs and quantity not in explained:
            raise AssertionError(
                f"{quantity} of {facts.name}: counted {counted:,}, the paper states "
                f"{stated or 'nothing'}, the reference has {theirs or 0:,}; "
                f"give the reason in `explained`, or mend the network."
            )
        remark = explained.pop(quantity, "") if differs else ""
        shown = "" if theirs is None else f"{theirs:,}"
        rows.append((quantity, stated or "–", f"{counted:,}", shown, remark))
    if explained:
        raise AssertionError(f"{facts.name} does not differ in {', '.join(explained)}.")
    if reference is not None:
        difference = compare(ours, reference, compare_size or facts.input_size)
        for quantity, value in zip(("outputs", "input gradients"), difference):
            if not value < TOLERANCE:
                raise AssertionError(
                    f"with the same weights the {quantity} of {facts.name} differ from the "
                    f"reference's by {value:.1e} of their scale; {TOLERANCE:g} is allowed."
                )
            remark = "of the largest, with the same weights in float64"
            rows.append((quantity, "", "", f"differ by < {TOLERANCE:g}", remark))
    filled = [k for k, column in enumerate(zip(*rows)) if any(column)]
    head = ("", "paper", "counted here", "reference", "")
    align = "".join("lrrr "[k] for k in filled).strip()  # remarks are not padded
    shown = [[row[k] for k in filled] for row in (head, *rows)]
    return Table(shown[0], shown[1:], align, "proof", f"{facts.name}, proved", named=True)


def _agrees(counted: int, stated: str) -> bool:
    """Whether a count rounds, or is cut off, to what a paper prints, such as `3.8 G`."""
    found = re.fullmatch(r"([\d.,]+) ?([GM]?)", stated)
    if not found:
        return not stated
    digits = found[1].replace(",", "")
    unit = {"G": 10**9, "M": 10**6, "": 1}[found[2]]
    places = len(digits.partition(".")[2])
    off = (counted / unit - float(digits)) * 10**places
    return -0.5 <= off < 1
