"""Checkpoints that are whole, whatever happens while they are written."""

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch

from cnnbook.train.errors import Refused


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


@contextlib.contextmanager
def only_here(output: Path) -> Iterator[None]:
    """Have the output folder for this run alone.

    Raises:
        Refused: another run has it.
    """
    if any(os.environ.get(rank, "0") != "0" for rank in ("LOCAL_RANK", "RANK")):
        yield  # the first process of the run has it
        return
    with (output / ".lock").open("w") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"another run writes into {output}; choose another --output.") from error
        except (ImportError, OSError):  # Windows, or a file system without locks
            pass
        yield


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
    there = [name for name in ("last.ckpt", "best.ckpt", "weights.pt") if (output / name).exists()]
    if not resume and "last.ckpt" in there:
        raise Refused(f"{output} holds a run; --resume it, or choose another --output.")
    if not resume and there:
        raise Refused(f"{output} holds {there[0]} of a run; choose another --output.")
    if not resume:
        return None
    if not last.exists():
        raise Refused(f"there is no {last} to resume; start without --resume.")
    try:
        before = torch.load(last, mmap=True)["hyper_parameters"]
    except Exception as error:  # cut off, or something else under this name
        raise Refused(f"{last} is no whole checkpoint; start anew in another --output.") from error
    for name in {**before, **settings}:
        if before.get(name) != settings.get(name):
            old, new = (shorten(str(x.get(name)), 80) for x in (before, settings))
            raise Refused(f"{last} has {name} {old}, not {new}; resume with the first options.")
    return last
