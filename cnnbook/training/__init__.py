"""Training: one loop to read, and behind it what trains at scale.

`loop` is what every chapter uses. Recipes, folders of images, the Lightning engine and its
checkpoints stand behind `python -m cnnbook.train`.
"""

from cnnbook.training.loop import History, evaluate, fit, measure

__all__ = ["History", "evaluate", "fit", "measure"]
