"""Train a network of the book on a folder of images, at scale: `python -m cnnbook.train --help`."""

from cnnbook.train.command import command_line, constructors, input_of, main

__all__ = ["command_line", "constructors", "input_of", "main"]
