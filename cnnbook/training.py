"""One visible training loop, in plain PyTorch, that every chapter uses."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Batches = Iterable[tuple[Tensor, Tensor]]  # images (N, C, H, W) and labels (N,)


class History(NamedTuple):
    """What a training run gave."""

    losses: list[float]  # mean over each batch, in the order of training
    accuracies: list[float]  # on the validation images after each epoch; empty without any


def fit(
    model: nn.Module,
    train: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    validation: Batches | None = None,
    loss_function: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
) -> History:
    """Train a classifier on the device where its parameters are.

    Args:
        model: from images `(N, C, H, W)` to logits `(N, classes)`.
        train: batches, gone through once an epoch.
        optimizer: of the model's parameters.
        epochs: passes over `train`.
        scheduler: stepped after each batch, as `OneCycleLR` wants it.
        validation: batches to measure the accuracy on after each epoch.
        loss_function: from logits and labels to the mean loss of the batch.

    Returns:
        The loss of each batch, and the accuracy after each epoch.

    Raises:
        ValueError: `train` holds no batch.
        FloatingPointError: the loss is no longer a number.

    Examples:
        >>> from cnnbook import data
        >>> images, labels = data.digits()
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> batches = data.batches(images, labels, seed=0)
        >>> history = fit(model, batches, torch.optim.SGD(model.parameters(), 0.5), epochs=2)
        >>> history.losses[-1] < history.losses[0]
        True
    """
    device = next(model.parameters()).device
    losses: list[Tensor] = []  # kept on the device: reading each would stop a GPU at every step
    accuracies: list[float] = []
    for epoch in range(1, epochs + 1):
        model.train()
        for images, labels in train:
            loss = loss_function(model(images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            losses.append(loss.detach())
        if not losses:
            raise ValueError("train holds no batch; hand over a DataLoader or a list of batches.")
        if not losses[-1].isfinite():
            raise FloatingPointError(
                f"the loss is {losses[-1].item()} in epoch {epoch}; lower the learning rate."
            )
        if validation is not None:
            accuracies.append(evaluate(model, validation))
    return History(torch.stack(losses).tolist(), accuracies)


@torch.no_grad()
def evaluate(model: nn.Module, batches: Batches) -> float:
    """Share of images that the model classifies rightly, in evaluation mode.

    Args:
        model: from images `(N, C, H, W)` to logits `(N, classes)`; its mode is left as it was.
        batches: images and labels.

    Returns:
        The accuracy, between 0 and 1.

    Raises:
        ValueError: `batches` holds no image.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    right = count = 0
    for images, labels in batches:
        predicted = model(images.to(device)).argmax(dim=1)
        right += (predicted == labels.to(device)).sum().item()
        count += len(labels)
    model.train(was_training)
    if not count:
        raise ValueError("batches holds no image; hand over a DataLoader or a list of batches.")
    return right / count
