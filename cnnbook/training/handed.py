"""What the training loop is handed: one sentence where it cannot be trained on or measured."""

from typing import Any

import torch
from torch import Tensor, nn


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
        given, found = (" × ".join(map(str, t.shape)) for t in (labels, logits))
        raise ValueError(
            f"the labels are {given} for outputs of {found}; accuracy wants outputs (N, classes), "
            "or (N, classes, H, W), and a label (the number of a class) for each answer: here "
            f"{' × '.join(map(str, wanted))}."
        )


def called(model: nn.Module, images: Tensor) -> Tensor:
    """The outputs in training; a batch that batch normalisation cannot take is told in words."""
    try:
        return model(images)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ValueError(
            f"a batch of {len(images)} is too small for batch normalisation in training, which "
            "needs two values of each channel: choose a batch size that leaves no such rest, or "
            "leave the last batch out."
        ) from error
