"""One visible training loop, in plain PyTorch, that every chapter uses."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

from cnnbook import data
from cnnbook.devices import device
from cnnbook.numbers import integer
from cnnbook.tables import Table
from cnnbook.training import handed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Batches = Iterable[tuple[Tensor, Tensor]]  # images (N, C, H, W) and labels (N,)
LossFunction = Callable[[Tensor, Tensor], Tensor]  # outputs and labels to the batch's mean loss
Metrics = Mapping[str, Any]  # objects of torchmetrics, or others with to, reset, update, compute


class History(NamedTuple):
    """What a training run gave; shows itself as a table with one row an epoch."""

    losses: list[float]  # mean over each batch, in the order of training
    accuracies: list[float]  # on the validation images after each epoch; empty without any
    validation_losses: list[float]  # after each epoch; empty without validation images
    metrics: dict[str, list[float]]  # those asked for, on the validation images after each epoch
    learning_rates: list[float]  # of each step
    ends: list[int]  # steps taken by the end of each epoch

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the training loss, and at the end of each epoch the validation loss."""
        from cnnbook import plots

        window = max(1, len(self.losses) // 100)  # means over a hundredth of the run
        ax = plots.learning_curves({"training": [self.losses]}, ax, ylabel="loss", window=window)
        if self.validation_losses:
            ax.plot(self.ends, self.validation_losses, "o-", color=plots.INK, label="validation")
        ax.legend()
        return ax

    def table(self) -> Table:
        """One row an epoch."""
        measured = {"validation loss": self.validation_losses, "accuracy": self.accuracies}
        measured = {name: values for name, values in (measured | self.metrics).items() if values}
        head = ("epoch", "learning rate", "training loss", *measured)
        rows = []
        for epoch, (start, end) in enumerate(zip([0, *self.ends], self.ends)):
            loss = sum(self.losses[start:end]) / (end - start)
            numbers = loss, *(values[epoch] for values in measured.values())
            rate = f"{self.learning_rates[end - 1]:.2g}"
            rows.append((str(epoch + 1), rate, *(f"{number:.4f}" for number in numbers)))
        return Table(head, rows, "r" * len(head))

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def fit(
    model: nn.Module,
    train: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    scheduler: LRScheduler | None = None,
    validation: Batches | None = None,
    loss_function: LossFunction = F.cross_entropy,
    metrics: Metrics | None = None,
    patience: int | None = None,
) -> History:
    """Train a classifier on the device where its parameters are.

    A bar shows the progress while it runs; the environment variable `TQDM_DISABLE=1` hides it.

    Args:
        model: from images `(N, C, H, W)` to logits `(N, classes)`.
        train: batches, gone through once an epoch.
        optimizer: of the model's parameters.
        epochs: passes over `train`.
        scheduler: stepped after each batch, so that it counts steps, not epochs; only
            `ReduceLROnPlateau` is stepped after each epoch, with the validation loss (in the mode
            "max" with its negative: in either mode it waits for a lower loss).
        validation: batches to measure the loss, the accuracy and the metrics on after each epoch.
        loss_function: from logits and labels to the mean loss of the batch.
        metrics: more to measure on `validation`, by name: objects of torchmetrics.
        patience: stop after this many epochs in a row without a lower validation loss, and give
            the model the weights of its best epoch in any case; `None` trains to the end and
            keeps the last weights.

    Returns:
        The loss of each batch, and what was measured after each epoch.

    Raises:
        ValueError: `epochs` or `patience` is below 1, `train` or `validation` holds no batch, or
            `validation` is missing where it is needed.
            Also: the model does not take the images; labels do not fit the logits; a batch is
            too small for batch normalisation.
        FloatingPointError: a loss was infinite or not a number, which shows at the end of its
            epoch, or a weight is no number. The model has the weights of the epoch with the
            lowest validation loss again, or those of the epoch before if there is no
            `validation`. If it is the validation loss, the model keeps the weights of the last
            epoch, unless an earlier one was lower.

    Examples:
        >>> from cnnbook import data
        >>> images, labels = data.digits()
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> batches = data.batches(images, labels, seed=0)
        >>> history = fit(model, batches, torch.optim.SGD(model.parameters(), 0.5), epochs=2)
        >>> history.losses[-1] < history.losses[0]
        True
    """
    from tqdm import tqdm

    epochs = integer("epochs", epochs, least=1)
    patience = None if patience is None else integer("patience", patience, least=1)
    handed.check_optimizer(model, optimizer, scheduler)
    handed.check_reduction(loss_function)
    at_plateaus = isinstance(scheduler, ReduceLROnPlateau)
    if validation is None and (at_plateaus or patience or metrics):
        needs = "ReduceLROnPlateau" if at_plateaus else "patience" if patience else "metrics"
        raise ValueError(f"{needs} needs validation images; hand over validation=….")

    where = _place(model)
    history = History([], [], [], {name: [] for name in metrics or ()}, [], [])
    best_epoch, best_weights, lowest = 0, _copy_weights(model), math.inf
    for epoch in range(1, epochs + 1):
        if not model.training:  # else parts of it may be held in evaluation mode on purpose
            model.train()
        losses: list[Tensor] = []  # on the device: reading each would stop a GPU at every step
        for batch in tqdm(train, desc=f"epoch {epoch} of {epochs}", leave=False):
            images, labels = handed.pair(batch)
            logits = handed.outputs(model, images.to(where))
            loss = handed.loss_of(loss_function, logits, labels.to(where))
            handed.check_loss(loss)
            optimizer.zero_grad()
            loss.backward()
            history.learning_rates.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            if scheduler is not None and not at_plateaus:
                scheduler.step()
            losses.append(loss.detach())
        if not losses:
            raise ValueError("train holds no batch; hand over a DataLoader or a list of batches.")
        history.losses.extend(torch.stack(losses).tolist())
        history.ends.append(len(history.losses))
        for step, loss in enumerate(history.losses[-len(losses) :], 1):
            if not math.isfinite(loss):
                model.load_state_dict(best_weights)
                raise FloatingPointError(
                    f"the loss is {loss} at step {step} of epoch {epoch}; lower the learning "
                    f"rate. The model is back at its weights after epoch {best_epoch}."
                )

        if not handed.is_finite(model):
            model.load_state_dict(best_weights)
            raise FloatingPointError(
                f"a weight is no number after epoch {epoch}, though the losses are; lower the "
                f"learning rate. The model is back at its weights after epoch {best_epoch}."
            )

        if validation is not None:
            measured = measure(model, validation, loss_function=loss_function, metrics=metrics)
            history.validation_losses.append(measured["loss"])
            history.accuracies.append(measured["accuracy"])
            for name, values in history.metrics.items():
                values.append(measured[name])
            if not math.isfinite(measured["loss"]):
                if best_epoch:
                    model.load_state_dict(best_weights)
                raise FloatingPointError(
                    f"the validation loss is {measured['loss']} after epoch {epoch}, though the "
                    "training losses are numbers: look for images or labels that are none. The "
                    f"model has its weights after epoch {best_epoch or epoch}."
                )
            if at_plateaus:
                scheduler.step((-1 if scheduler.mode == "max" else 1) * measured["loss"])
        if validation is None or measured["loss"] < lowest:
            best_epoch, best_weights = epoch, _copy_weights(model)
            lowest = math.inf if validation is None else measured["loss"]
        if patience and epoch - best_epoch >= patience:
            break
    if patience:
        model.load_state_dict(best_weights)
    return history


def train(
    build: Callable[[], nn.Module],
    images: Tensor,
    labels: Tensor,
    *,
    seed: int,
    optimizer: Callable[..., torch.optim.Optimizer],
    rate: float,
    epochs: int = 1,
    batch_size: int = 32,
    loss_function: LossFunction = F.cross_entropy,
    validation: Batches | None = None,
) -> tuple[nn.Module, History]:
    """Build a network from a seed and train it as the book's experiments do.

    Weights and the order of the images come from the seed; the rate climbs to `rate` and falls to
    nothing again (`OneCycleLR`), over all steps. That schedule also moves the momentum of an
    optimizer that has one, and Adam's first β, from 0.95 to 0.85 and back, whatever was asked for.

    Args:
        build: makes the network.
        images: all training images, `(N, C, H, W)`.
        labels: their classes, `(N,)`.
        seed: of the weights, the order, and dropout.
        optimizer: takes the parameters and the rate: a class of `torch.optim`, or
            `functools.partial` of one with more settings.
        rate: the highest learning rate.
        epochs: passes over the images.
        batch_size: images a step.
        loss_function: from logits and labels to the mean loss of the batch.
        validation: batches to measure on after each epoch.

    Returns:
        The network, in evaluation mode on the book's device, and its history.

    Raises:
        ValueError: a number is out of range, see `fit`.
        FloatingPointError: a loss was infinite or not a number, see `fit`.

    Examples:
        >>> from cnnbook import data
        >>> build = lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> network, history = train(
        ...     build, *data.digits(), seed=0, optimizer=torch.optim.Adam, rate=0.01
        ... )
        >>> history.losses[-1] < history.losses[0]
        True
    """
    torch.manual_seed(seed)
    network = build().to(device(), memory_format=torch.channels_last)
    batches = data.batches(images, labels, batch_size=batch_size, seed=seed)
    chosen = optimizer(network.parameters(), rate)
    schedule = OneCycleLR(chosen, rate, total_steps=max(1, epochs) * len(batches))
    history = fit(
        network,
        batches,
        chosen,
        epochs=epochs,
        scheduler=schedule,
        validation=validation,
        loss_function=loss_function,
    )
    return network.eval(), history


def _copy_weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: x.detach().to("cpu", copy=True) for name, x in model.state_dict().items()}


@torch.no_grad()
def measure(
    model: nn.Module,
    batches: Batches,
    *,
    loss_function: LossFunction = F.cross_entropy,
    metrics: Metrics | None = None,
) -> dict[str, float]:
    """Loss, accuracy and metrics of a classifier, in evaluation mode.

    Args:
        model: from images `(N, C, H, W)` to logits `(N, classes)`, or `(N, classes, H, W)` for
            labels `(N, H, W)`; its mode is left as it was.
        batches: images and labels.
        loss_function: from logits and labels to the mean loss of the batch.
        metrics: objects of torchmetrics, by name.

    Returns:
        `accuracy`, the share of right labels among those that name a class of the model (255, as
        void pixels have, names none; nan if none does, or if the model has a single output); each
        metric under its name; and `loss`, the mean over all images, or over all pixels with a
        label.

    Raises:
        ValueError: `batches` holds no image, the model does not take the images, or labels do not
            fit the outputs.

    Examples:
        >>> from cnnbook import data
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> list(measure(model, data.batches(*data.digits())))
        ['accuracy', 'loss']
    """
    metrics = metrics or {}
    where = _place(model)
    if taken := {"loss", "accuracy"} & set(metrics):
        raise ValueError(f"a metric is called {taken.pop()!r}, which is measured in any case.")
    for metric in metrics.values():
        metric.to(where)
        metric.reset()
    handed.check_reduction(loss_function)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    loss = right = count = labelled = averaged = 0
    try:
        for images, labels in map(handed.pair, batches):
            logits, labels = handed.outputs(model, images.to(where)), labels.to(where)
            if not isinstance(logits, Tensor):
                raise ValueError(
                    f"the model gives a {type(logits).__name__}; accuracy wants one tensor of "
                    "logits: put the model into a module that gives it."
                )
            handed.check_labels(logits, labels)
            # A last batch may be smaller: each image counts once, not each batch.
            if number := handed.counted(loss_function, labels):
                loss += handed.loss_of(loss_function, logits, labels).item() * number
            averaged += number
            known = (labels >= 0) & (labels < logits.shape[1])  # others are void, such as 255
            known |= labels.is_floating_point()  # which are no numbers of classes
            hit = (logits.argmax(dim=1) == labels) & ~logits.isnan().any(dim=1)  # nan names none
            right += (hit & known).sum().item()
            count += len(labels)
            labelled += known.sum().item() if logits.shape[1] > 1 else 0  # one output names none
            for metric in metrics.values():
                metric.update(logits, labels)
    finally:
        for module, mode in modes:
            module.training = mode
    if not count:
        raise ValueError("batches holds no image; hand over a DataLoader or a list of batches.")
    values = {name: float(metric.compute()) for name, metric in metrics.items()}
    accuracy = right / labelled if labelled else math.nan
    return {"accuracy": accuracy, **values, "loss": loss / averaged if averaged else math.nan}


def _place(model: nn.Module) -> torch.device:
    """The device of a model's first tensor; the CPU if it has none."""
    tensors = itertools.chain(model.parameters(), model.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


def evaluate(model: nn.Module, batches: Batches) -> float:
    """Share of images that the model classifies rightly, in evaluation mode.

    Args:
        model: from images `(N, C, H, W)` to logits `(N, classes)`; its mode is left as it was.
        batches: images and labels.

    Raises:
        ValueError: see `measure`.

    Examples:
        >>> from cnnbook import data
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> 0 <= evaluate(model, data.batches(*data.digits())) <= 1
        True
    """
    return measure(model, batches)["accuracy"]
