"""The recipe of one training: that of a paper, and the numbers which a command line changes."""

from collections.abc import Mapping

from cnnbook.train.errors import Refused
from cnnbook.training.recipes import Recipe, recipes

NUMBERS = {  # of a recipe, each an option too; without the first four nothing can be trained
    "epochs": "passes over the training images",
    "batch_size": "images in a step, on all devices together",
    "lr": "learning rate; it belongs to the batch size, and is not scaled with it",
    "weight_decay": "of all parameters",
    "warmup": "epochs over which the learning rate rises to its value",
    "label_smoothing": "share of each target that is spread over all classes",
    "ema": "average the weights with this decay a step, such as 0.9999",
    "clip": "largest norm of the gradient",
}


def choose(network: str, name: str | None, given: Mapping[str, float | None]) -> Recipe:
    """The recipe of that name, or of the network's paper, with the numbers given put in.

    Raises:
        Refused: the network has no recipe of its own, and none is named; or a number that training
            needs is neither in the recipe nor given.

    Examples:
        >>> choose("resnet50", None, {"epochs": 5, "lr": None})["epochs"]
        5
    """
    known = recipes()
    trained = [(start, key) for key in known for start in known[key]["networks"]]
    own = max(((start, key) for start, key in trained if network.startswith(start)), default=None)
    if not (name or own):
        raise Refused(f"{network} has no recipe of its own; give --recipe: {', '.join(known)}.")
    name = name or own[1]
    recipe = known[name] | {key: value for key, value in given.items() if value is not None}
    if missing := [field for field in list(NUMBERS)[:4] if field not in recipe]:
        missing = ", ".join(f"--{field.replace('_', '-')}" for field in missing)
        raise Refused(f"the source of the recipe {name} does not state all; give {missing}.")
    return {key: value for key, value in recipe.items() if key not in ("note", "networks")}
