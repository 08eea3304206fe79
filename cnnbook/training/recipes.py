"""How the papers trained: what stands in `recipes.yaml`."""

from importlib import resources
from typing import Any

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
