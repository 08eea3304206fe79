"""Checkpoints that are whole, whatever happens while they are written."""

import io
import os
import tempfile
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch

from cnnbook.training.errors import Refused


def save(content: dict[str, Any], path: Path) -> None:
    """Write a file beside the old one, then rename it: one of them is always whole.

    Raises:
        Refused: it cannot be written; the old one is kept.
    """
    new, buffer = path.with_name(f"{path.name}.part"), io.BytesIO()
    torch.save(content, buffer)
    try:
        with new.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        told = f"{path} cannot be written ({error.strerror})"
        raise Refused(f"{told}; what was there before is kept.") from error


def last_checkpoint(output: Path, resume: bool, settings: dict[str, Any]) -> Path | None:
    """Make the output folder, and find the checkpoint to resume from, if any.

    Raises:
        Refused: the folder cannot be written, holds another run, or has nothing to resume.
    """
    last = output / "last.ckpt"
    try:
        output.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output).close()
    except OSError as error:
        raise Refused(f"{output} cannot be written ({error.strerror}).") from error
    if not resume and last.exists():
        raise Refused(f"{output} holds a run; --resume it, or choose another --output.")
    if not resume:
        return None
    if not last.exists():
        raise Refused(f"there is no {last} to resume; start without --resume.")
    before = torch.load(last, mmap=True)["hyper_parameters"]
    for name in {**before, **settings}:
        if before.get(name) != settings.get(name):
            old, new = (shorten(str(x.get(name)), 80) for x in (before, settings))
            raise Refused(f"{last} has {name} {old}, not {new}; resume with the first options.")
    return last
