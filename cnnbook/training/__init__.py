"""Training: one loop to read, and behind it what trains at scale.

`loop` is what every chapter uses, and `paired` the verdict on its runs. Recipes, folders of
images, the Lightning engine and its checkpoints stand behind `python -m cnnbook.train`.
"""

from cnnbook.training.loop import History, evaluate, fit, measure, train
from cnnbook.training.paired import Paired, paired

__all__ = ["History", "Paired", "evaluate", "fit", "measure", "paired", "train"]
