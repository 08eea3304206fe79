"""Training: one loop to read, and what belongs to it.

`loop` is what every chapter uses, `paired` the verdict on its runs, and `recipes` how the papers
trained. What trains at scale is `cnnbook.train`.
"""

from cnnbook.training.loop import History, evaluate, fit, measure, train
from cnnbook.training.paired import Paired, paired

__all__ = ["History", "Paired", "evaluate", "fit", "measure", "paired", "train"]
