"""What Lightning trains, and how it is told to; the only module that imports it.

The order of the images and how each is augmented depend on the seed and the epoch alone: not on
how many processes read them, how many train, or whether the run was interrupted.
"""

import argparse
import hashlib
import inspect
import logging
import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch import callbacks, loggers, plugins
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler
from torch.utils.data import DataLoader, Dataset
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy

from cnnbook.train.checkpoints import last_checkpoint, only_here, save
from cnnbook.train.errors import Refused, Stopped
from cnnbook.train.images import Images, Places
from cnnbook.training.recipes import Recipe


class Classifier(L.LightningModule):
    """A network, its images and its recipe."""

    def __init__(
        self,
        constructor: Callable[..., nn.Module],
        options: argparse.Namespace,
        recipe: Recipe,
        settings: Recipe,
        folders: list,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(settings)
        self.options, self.recipe = options, recipe
        self.images, self.validation = folders
        classes = len(self.images.classes)
        self.steps = len(self.images) // recipe["batch_size"]  # of an epoch
        has_heads = "heads" in recipe and "heads" in inspect.signature(constructor).parameters
        self.network = constructor(num_classes=classes, **{"heads": True} if has_heads else {})
        top = {f"val_top{k}": k for k in (1, 5) if k <= classes}
        self.accuracies = MetricCollection(
            {name: MulticlassAccuracy(classes, k, "micro") for name, k in top.items()}
        )

    def configure_optimizers(self) -> tuple[list[Optimizer], list[dict[str, Any]]]:
        how = self.recipe["optimizer"] | {k: self.recipe[k] for k in ("lr", "weight_decay")}
        optimizer = getattr(torch.optim, how.pop("name"))(self.parameters(), **how)
        return [optimizer], schedulers(optimizer, self.recipe, self.steps)

    def train_dataloader(self) -> DataLoader:
        place, seed = (self.trainer.world_size, self.trainer.global_rank), self.options.seed
        order = Places(self.images, *place, seed=seed, drop_last=True)
        # A resumed run begins to read before Lightning tells the sampler the epoch.
        order.set_epoch(self.trainer.fit_loop.epoch_progress.current.processed)
        return self.batches(Images(self.images, seed), sampler=order, drop_last=True)

    def val_dataloader(self) -> DataLoader:
        return self.batches(self.validation)

    def batches(self, dataset: Dataset, **how: Any) -> DataLoader:
        workers = self.options.workers
        how |= {"num_workers": workers, "persistent_workers": workers > 0}
        how["pin_memory"] = torch.cuda.is_available()
        return DataLoader(dataset, self.recipe["batch_size"] // self.trainer.world_size, **how)

    def on_train_batch_start(self, batch: Any, _: int) -> None:  # dropout is random too
        torch.manual_seed(hash((self.options.seed, self.global_step, self.global_rank)))

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        images, labels = batch
        smoothing = self.recipe.get("label_smoothing", 0.0)
        outputs = self.network(images)  # with auxiliary heads several, the network's own first
        losses = [
            F.cross_entropy(logits, labels, label_smoothing=smoothing)
            for logits in (outputs if isinstance(outputs, tuple) else (outputs,))
        ]
        loss = losses[0] + self.recipe.get("heads", 0.0) * sum(losses[1:])
        self.log("train_loss", loss, on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        images, labels = batch
        logits = self.network(images)
        self.log("val_loss", F.cross_entropy(logits, labels), sync_dist=True)
        self.accuracies.update(logits, labels)
        self.log_dict(self.accuracies)

    def on_train_epoch_end(self) -> None:  # before the checkpoints are written
        self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"])
        seen = {name: value.item() for name, value in self.trainer.callback_metrics.items()}
        told = ", ".join(f"{name} {seen[name]:.4g}" for name in sorted(seen))
        self.print(f"epoch {self.current_epoch + 1} of {self.recipe['epochs']}: {told}")
        if not math.isfinite(seen["train_loss"]):
            raise Refused("the loss is no longer a number; lower --lr, or set --clip.")


def schedulers(optimizer: Optimizer, recipe: Recipe, steps: int) -> list[dict[str, Any]]:
    """What moves the learning rate, as Lightning wants it; an epoch has so many steps."""
    total, when = recipe["epochs"] * steps, {"interval": "step"}
    match recipe["schedule"]:
        case "cosine":
            main = lr_scheduler.CosineAnnealingLR(optimizer, total)
        case "linear":
            main = lr_scheduler.LinearLR(optimizer, 1, 0, total)
        case {"every": epochs, "factor": factor}:
            main = lr_scheduler.StepLR(optimizer, max(1, round(epochs * steps)), factor)
        case {"at": epochs, "factor": factor}:
            main = lr_scheduler.MultiStepLR(optimizer, [e * steps for e in epochs], factor)
        case {"plateau": epochs, "factor": factor, **rest}:
            least = recipe["lr"] * factor ** rest.get("times", math.inf)
            main = lr_scheduler.ReduceLROnPlateau(optimizer, "min", factor, epochs, min_lr=least)
            # Counted in steps, it moves before the epoch's checkpoint is written, not after.
            when |= {"frequency": steps, "monitor": "val_loss"}
    moving = [{"scheduler": main, **when}]
    if rise := round(recipe.get("warmup", 0) * steps):  # a factor on top of the schedule
        warmup = lr_scheduler.LinearLR(optimizer, 1 / rise, 1, rise)
        moving.append({"scheduler": warmup, "interval": "step"})
    return moving


class Checkpoints(callbacks.ModelCheckpoint):
    """Checkpoints that know the best of before, also where the folder has been moved."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        def here(path: str) -> str:
            return str(Path(self.dirpath, Path(path).name)) if path else path

        moved = {key: here(v) if key.endswith("_path") else v for key, v in state_dict.items()}
        best = {here(path): score for path, score in moved.get("best_k_models", {}).items()}
        super().load_state_dict(moved | {"dirpath": self.dirpath, "best_k_models": best})


class WholeFiles(plugins.TorchCheckpointIO):
    """Checkpoints that are there as a whole or not at all."""

    def save_checkpoint(self, checkpoint: Any, path: str, storage_options: Any = None) -> None:
        save(checkpoint, Path(path))


def _end_all(trainer: L.Trainer, *_: Any) -> None:  # the other processes have nobody to wait for
    for process in getattr(trainer.strategy.launcher, "procs", ()):
        process.kill()


def run_training(
    constructor: Callable[..., nn.Module],
    options: argparse.Namespace,
    recipe: Recipe,
    folders: list,
) -> None:
    """Train a network, or go on, and leave the weights in the output folder.

    Raises:
        Refused: what the command line asks for cannot be done, or something failed on the way.
    """
    for name in ("lightning.pytorch", "lightning.fabric"):  # no banners
        logging.getLogger(name).setLevel(logging.WARNING)
    for noise in ("many workers", "is not empty", "LeafSpec"):
        warnings.filterwarnings("ignore", f".*{noise}")
    settings = {name: vars(options)[name] for name in ("network", "crop", "precision", "seed")}
    settings |= {"classes": folders[0].classes, "images": _told(folders[0]), **recipe}
    last = last_checkpoint(options.output, options.resume, settings)
    with only_here(options.output):
        _run(constructor, options, recipe, folders, settings, last)


def _run(
    constructor: Callable[..., nn.Module],
    options: argparse.Namespace,
    recipe: Recipe,
    folders: list,
    settings: Recipe,
    last: Path | None,
) -> None:
    files = {"dirpath": options.output, "enable_version_counter": False}
    files["save_on_train_epoch_end"] = True
    watching = [
        callbacks.LambdaCallback(on_exception=_end_all),
        Checkpoints(filename="best", monitor="val_top1", mode="max", **files),
        Checkpoints(filename="last", **files),  # after the best, which it records
    ]
    if "ema" in recipe:
        watching.append(callbacks.EMAWeightAveraging(decay=recipe["ema"]))
    L.seed_everything(options.seed, verbose=False)
    model = Classifier(constructor, options, recipe, settings, folders)
    try:
        trainer = L.Trainer(
            accelerator=options.accelerator,
            devices=options.devices or "auto",
            num_nodes=options.nodes,
            precision=options.precision,
            max_epochs=recipe["epochs"],
            gradient_clip_val=recipe.get("clip"),
            callbacks=watching,
            logger=loggers.CSVLogger(options.output, name="logs"),
            log_every_n_steps=min(50, model.steps),
            plugins=[WholeFiles()],
            num_sanity_val_steps=0,
            enable_model_summary=False,
            enable_progress_bar=sys.stderr.isatty(),
        )
    except MisconfigurationException as error:
        raise Refused(str(error).partition("\n")[0]) from error
    if recipe["batch_size"] % trainer.world_size:
        told = f"--batch-size {recipe['batch_size']} cannot be shared"
        raise Refused(f"{told} by {trainer.world_size} devices.")
    try:
        trainer.fit(model, ckpt_path=last)
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        told = "a process that reads images was killed, mostly for want of memory"
        raise Refused(f"{told}; take fewer --workers. {_how_on(options.output)}") from error
    except (KeyboardInterrupt, SystemExit) as error:
        raise Stopped(f"stopped. {_how_on(options.output)}") from error
    if trainer.interrupted or trainer.received_sigterm:
        raise Stopped(f"stopped. {_how_on(options.output)}")
    if trainer.is_global_zero:  # the checkpoint holds the averaged weights, if they are averaged
        trained = torch.load(options.output / "last.ckpt", map_location="cpu")["state_dict"]
        weights = {name.removeprefix("network."): value for name, value in trained.items()}
        save(weights, options.output / "weights.pt")


def _how_on(output: Path) -> str:
    there = (output / "last.ckpt").exists()
    return "--resume goes on after the last epoch." if there else "Nothing is saved yet."


def _told(folder: Dataset) -> str:
    """How many images there are, and a sum of their names: they must be the same on resuming."""
    names = (f"{Path(path).parent.name}/{Path(path).name}" for path, _ in folder.samples)
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
    return f"{len(folder)} (sum of their names: {digest})"
