"""Train a network of the book on a folder of images, at scale: `python -m cnnbook.train --help`.

Lightning trains (`engine`). The rest says what (`command`), as which paper did (`recipe`), on which
images (`images`), and sees to it that an interrupted run goes on as if it had not been interrupted
(`checkpoints`).
"""

from cnnbook.train.command import constructors, main
from cnnbook.train.errors import Refused
from cnnbook.train.recipe import recipes

__all__ = ["Refused", "constructors", "main", "recipes"]
