"""One switch for where the book computes."""

import os

import torch


def device() -> torch.device:
    """Choose the device for the whole book.

    The environment variable `CNNBOOK_DEVICE` decides (`cpu`, `cuda`, `cuda:1`, `mps`); without it
    CUDA comes before Apple's MPS, and MPS before the CPU.

    Returns:
        The device to hand to `.to(...)`.

    Raises:
        ValueError: `CNNBOOK_DEVICE` is not the name of a device that torch knows.
        RuntimeError: the named device is not there.

    Examples:
        >>> import torch
        >>> torch.zeros(2, device=device()).shape
        torch.Size([2])
    """
    name = os.environ.get("CNNBOOK_DEVICE", "").strip()
    if not name:
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if _count(kind)))
    try:
        chosen = torch.device(name)
    except RuntimeError as error:
        raise ValueError(
            f"CNNBOOK_DEVICE is {name!r}, which names no device; use cpu, cuda, cuda:0 or mps."
        ) from error
    count = _count(chosen.type)
    if (chosen.index or 0) >= count:
        there = ", ".join(kind for kind in ("cuda", "mps", "cpu") if _count(kind))
        raise RuntimeError(
            f"CNNBOOK_DEVICE is {name!r}, but this machine has {count} {chosen.type} devices; "
            f"unset it or choose from: {there}."
        )
    return chosen


def _count(kind: str) -> int:
    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return int(kind == "cpu")
