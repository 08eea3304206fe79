"""What the training loop is handed: one sentence where it cannot be trained on or measured."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_OF_CLASSES = (F.cross_entropy, F.nll_loss, nn.CrossEntropyLoss, nn.NLLLoss)
_UNIT_BY_UNIT = (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss)
_UNIT_BY_UNIT += (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)
_UNIT_BY_UNIT += (F.poisson_nll_loss, nn.PoissonNLLLoss, F.kl_div, nn.KLDivLoss)
_UNIT_BY_UNIT += (F.hinge_embedding_loss, nn.HingeEmbeddingLoss, nn.MultiLabelSoftMarginLoss)


def pair(batch: Any) -> tuple[Tensor, Tensor]:
    """Images and labels of a batch; what is something else is told."""
    if not (isinstance(batch, (tuple, list)) and len(batch) == 2):
        given = type(batch).__name__
        raise ValueError(f"a batch is a {given}; a pair (images, labels) is wanted.")
    if not all(hasattr(part, "to") for part in batch):
        given = " and ".join(type(part).__name__ for part in batch)
        raise ValueError(f"a batch holds {given}; tensors of images and labels are wanted.")
    if isinstance(batch[0], Tensor) and not len(batch[0]):
        raise ValueError("a batch holds no image; leave it out.")
    return tuple(batch)


def check_loss(loss: Any) -> None:
    """Refuse a loss that is no single number, or that no parameter can lower."""
    if not isinstance(loss, Tensor) or loss.dim():
        given = (
            " × ".join(map(str, loss.shape)) if isinstance(loss, Tensor) else type(loss).__name__
        )
        raise ValueError(f"the loss is {given}; it must be a tensor with one number, the mean.")
    if not loss.requires_grad:
        raise ValueError(
            "the loss does not depend on any parameter that is trained: all are frozen, or the "
            "outputs were detached."
        )


def check_optimizer(model: Any, optimizer: Any, scheduler: Any) -> None:
    """Refuse what is no model, and an optimizer or a scheduler that belong to others."""
    if not isinstance(model, nn.Module):
        raise ValueError(f"the model is {model!r}; an nn.Module is wanted.")
    if isinstance(optimizer, (type, torch.optim.LBFGS)) or not hasattr(optimizer, "param_groups"):
        raise ValueError(
            f"the optimizer is {optimizer!r}; one that was built of the model's parameters is "
            "wanted, and none that runs the model itself, as LBFGS does."
        )
    moved = {id(p) for group in optimizer.param_groups for p in group["params"]}
    own = {id(p) for p in model.parameters()}
    if own and not own & moved:
        raise ValueError("the optimizer has no parameter of this model: it would train another.")
    if isinstance(scheduler, type) or getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise ValueError("the scheduler belongs to another optimizer, or to none.")


def check_labels(logits: Tensor, labels: Tensor) -> None:
    """Refuse labels that would be compared with something else than their own answers."""
    wanted = (len(logits), *logits.shape[2:])
    if logits.dim() < 2 or labels.shape != wanted:
        given, found = (_shape(t) for t in (labels, logits))
        raise ValueError(
            f"the labels are {given} for outputs of {found}; accuracy wants outputs (N, classes), "
            "or (N, classes, H, W), and a label (the number of a class) for each answer: here "
            f"{' × '.join(map(str, wanted))}."
        )


def check_reduction(loss_function: Any) -> None:
    """Refuse a loss of torch's that is built to give no mean."""
    chosen = getattr(loss_function, "keywords", {}).get("reduction")
    chosen = chosen or getattr(loss_function, "reduction", "mean")
    if chosen in ("sum", "none"):
        raise ValueError(
            f"the loss has the reduction {chosen!r}; the mean of a batch is wanted: leave it out."
        )


def counted(loss_function: Any, labels: Tensor) -> int:
    """Over how many labels the loss of a batch is a mean: images, or pixels, that have one."""
    if not _among(_OF_CLASSES, loss_function) or labels.is_floating_point():
        return len(labels)
    ignored = getattr(loss_function, "keywords", {}).get("ignore_index")
    ignored = getattr(loss_function, "ignore_index", -100) if ignored is None else ignored
    return int((labels != ignored).sum())


def is_finite(model: nn.Module) -> bool:
    """Whether all weights that are trained are numbers."""
    return all(p.isfinite().all() for p in model.parameters() if p.requires_grad)


def outputs(model: nn.Module, images: Any) -> Any:
    """What the model gives; what it refuses is told with the shape of the images."""
    try:
        return model(images)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        if "more than 1 value per channel" in str(error):
            raise ValueError(
                f"a batch of {len(images)} is too small for batch normalisation in training, "
                "which needs two values of each channel: choose a batch size that leaves no such "
                "rest, or leave the last batch out."
            ) from error
        if isinstance(error, ValueError):
            raise  # somebody's sentence on what is wrong
        raise ValueError(
            f"the model does not take images of {_described(images)}: {_first_line(error)}"
        ) from error


def loss_of(loss_function: Callable, logits: Any, labels: Any) -> Any:
    """The loss of a batch; outputs and labels that it cannot compare are told."""
    alone = isinstance(logits, Tensor) and (logits.dim() < 2 or logits.shape[1] == 1)
    if alone and _among(_OF_CLASSES, loss_function):
        raise ValueError(
            f"the outputs are {_described(logits)}: cross-entropy chooses among classes, and "
            "wants an output for each, (N, classes). For one output there is "
            "binary_cross_entropy_with_logits."
        )
    shapes = {getattr(value, "shape", None) for value in (logits, labels)}
    if _among(_UNIT_BY_UNIT, loss_function) and len(shapes) > 1:
        raise ValueError(
            f"the outputs are {_described(logits)} and the labels {_described(labels)}; this "
            "loss compares them unit by unit and wants the same shape: labels that are "
            "repeated to fit would be compared with other images' outputs."
        )
    try:
        return loss_function(logits, labels)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, IndexError, ValueError, AttributeError) as error:
        of_classes = _among(_OF_CLASSES, loss_function)
        raise ValueError(_mismatch(logits, labels, error, of_classes)) from error


def _among(kinds: tuple, function: Any) -> bool:
    function = getattr(function, "func", function)  # behind functools.partial
    classes = tuple(kind for kind in kinds if isinstance(kind, type))
    return isinstance(function, classes) or any(function is kind for kind in kinds)


def _mismatch(logits: Any, labels: Any, error: Exception, of_classes: bool) -> str:
    """Why a loss cannot be calculated: in words where it is one of the usual reasons."""
    if not isinstance(logits, Tensor):
        return (
            f"the model gives a {type(logits).__name__}, which the loss does not take: put the "
            "model into a module that gives one tensor of logits, or hand over a loss_function "
            "that takes it."
        )
    fitting = logits.dim() > 1 and labels.shape == (len(logits), *logits.shape[2:])
    if of_classes and fitting and labels.dtype != torch.int64:
        return (
            f"the labels are {labels.dtype}; the numbers of classes must be torch.int64: "
            "labels.long()."
        )
    if of_classes and fitting and labels.numel():
        low, high = labels.min().item(), labels.max().item()
        if low < 0 or high >= logits.shape[1]:
            return (
                f"the labels go from {low} to {high}, and the model knows the classes 0 to "
                f"{logits.shape[1] - 1}: give it more classes, or label what belongs to none "
                "with a number that the loss leaves out (ignore_index)."
            )
    return (
        f"the loss cannot be calculated from outputs of {_described(logits)} and labels of "
        f"{_described(labels)}: {_first_line(error)}"
    )


def _described(value: Any) -> str:
    """Shape and type in words."""
    if not isinstance(value, Tensor):
        return f"type {type(value).__name__}"
    return f"{_shape(value)} ({value.dtype})"


def _shape(value: Tensor) -> str:
    return " × ".join(map(str, value.shape)) or "a single number"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
