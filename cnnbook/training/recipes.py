"""How the papers trained: `recipes.yaml` as presets, and what a command line changes in them."""

import argparse
import math
from collections.abc import Mapping
from importlib import resources
from typing import Any

from torch.optim import Optimizer, lr_scheduler

from cnnbook.training.errors import Refused

Recipe = dict[str, Any]  # an entry of recipes.yaml
_RECIPES = resources.files("cnnbook.training").joinpath("recipes.yaml")


def recipes() -> dict[str, Recipe]:
    """How the papers trained, by name; what a paper does not state is absent.

    Examples:
        >>> recipes()["vgg"]["epochs"]
        74
    """
    import yaml

    return yaml.safe_load(_RECIPES.read_text("utf-8"))


def count(text: str) -> int:
    """A whole number of at least 1, from the command line."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"it is {text}; it must be at least 1")
    return int(text)


def _amount(text: str) -> float:
    if not 0 <= float(text) < math.inf:
        raise argparse.ArgumentTypeError(f"it is {text}; it must be at least 0")
    return float(text)


NUMBERS = {  # of a recipe, each an option too; without the first four nothing can be trained
    "epochs": (count, "passes over the training images"),
    "batch_size": (count, "images in a step, on all devices together"),
    "lr": (_amount, "learning rate; it belongs to the batch size, and is not scaled with it"),
    "weight_decay": (_amount, "of all parameters"),
    "warmup": (_amount, "epochs over which the learning rate rises to its value"),
    "label_smoothing": (_amount, "share of each target that is spread over all classes"),
    "ema": (_amount, "average the weights with this decay a step, such as 0.9999"),
    "clip": (_amount, "largest norm of the gradient"),
}


def choose(network: str, name: str | None, given: Mapping[str, float | None]) -> Recipe:
    """The recipe of that name, or of the network's, with the numbers given put in.

    Raises:
        Refused: a number that training needs is neither in the recipe nor given.

    Examples:
        >>> choose("resnet50", None, {"epochs": 5, "lr": None})["epochs"]
        5
    """
    own = [known for known in recipes() if network.startswith(known)]
    name = name or max(own, key=len, default="resnet")
    recipe = recipes()[name] | {key: value for key, value in given.items() if value is not None}
    if missing := [field for field in list(NUMBERS)[:4] if field not in recipe]:
        missing = ", ".join(f"--{field.replace('_', '-')}" for field in missing)
        raise Refused(f"the source of the recipe {name} does not state all; give {missing}.")
    return {key: value for key, value in recipe.items() if key != "note"}


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
