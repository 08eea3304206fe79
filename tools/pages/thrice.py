"""Counts a network with three counters, in a process of its own, or says why it cannot be counted.

The counters are the package's arithmetic, torch's own `FlopCounterMode` on the network as it was
built, and `tools.pages.functions`.
"""

import contextlib
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import torch
import torchvision  # noqa: F401  its deformable convolution is an operation of torch's then
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from cnnbook.arithmetic import count_parameters, multiply_adds
from tools.pages import functions
from tools.pages.constructors import Constructor, on_meta

LIMIT = 400  # seconds for a network
MEMORY = 8 << 30  # bytes for a network, beyond what the libraries take


class Row(NamedTuple):
    """A network, and what was counted, or why nothing was."""

    library: str
    name: str
    kind: str
    family: str
    input_size: str = ""  # without the batch: "3 224 224"
    parameters: int | None = None  # trainable
    frozen: int | None = None  # numbers in parameters that are not trained
    multiply_adds: int | None = None
    building: float | None = None  # seconds of the processor, to construct it
    counting: float | None = None  # seconds of the processor, for the package's counts
    reason: str = ""  # why it was refused

    def to_texts(self) -> dict[str, str]:
        """As a table stores it."""
        return {k: "" if v is None else str(v) for k, v in self._asdict().items()}

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> "Row":
        """As it was before it was stored."""
        number = {"parameters": int, "frozen": int, "multiply_adds": int}
        number |= {"building": float, "counting": float}
        return cls(
            **{k: number.get(k, str)(v) if v or k == "reason" else None for k, v in texts.items()}
        )


class DifferError(Exception):
    """Two counters disagree."""


def count(constructor: Constructor) -> Row:
    """Count a network three times, and say why where it cannot be counted."""
    row = Row(*constructor[:4])
    start = time.process_time()
    try:
        network = on_meta(constructor)
    except Exception as error:
        return row._replace(reason=f"cannot be built: {_sentence(error)}")
    building = time.process_time() - start
    size = constructor.size(network)
    row = row._replace(input_size=" ".join(map(str, size)), building=round(building, 3))
    start = time.process_time()
    try:
        ours = count_parameters(network), multiply_adds(network, size)
    except (ValueError, NotImplementedError) as error:
        return row._replace(reason=_sentence(error))
    counting = time.process_time() - start
    frozen = sum(p.numel() for p in network.parameters() if not p.requires_grad)
    network.to("meta")  # some have a weight that did not go there
    image = torch.empty(1, *size, device="meta")
    for who, theirs in zip(("torch", "the functions"), others(network, image)):
        if theirs != ours:
            raise DifferError(f"{row.library} {row.name}: {ours}, but {theirs} by {who}")
    return row._replace(
        parameters=ours[0], frozen=frozen, multiply_adds=ours[1], counting=round(counting, 3)
    )


def others(network: nn.Module, image: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """Parameters and multiply–adds as torch counts them, and as the functions that are called tell.

    Both listen to the same run: torch's counter to the operations, the other one to the functions
    that they come from. The network is frozen then.
    """
    trained = {id(p): p.numel() for p in network.parameters() if p.requires_grad}
    weights = sum(trained.values()), functions.parameters(network)
    network.requires_grad_(False)  # torch's counter fails where a weight is handed to a layer
    try:  # what a network makes while it runs lies on the meta device, if it does not mind
        with torch.device("meta"):
            work = _listen(network, image)
    except Exception:
        work = _listen(network, image)
    return (weights[0], work[0]), (weights[1], work[1])


def _listen(network: nn.Module, image: Tensor) -> tuple[int, int]:
    # Torch's counter does not know deformable convolutions: they are counted as others.
    known: dict[Any, Callable] = {torch.ops.torchvision.deform_conv2d: _deformable}
    counter = FlopCounterMode(display=False, custom_mapping=known)
    with torch.no_grad(), counter, functions.Listening() as heard:
        network(image)
    return counter.get_total_flops() // 2, heard.multiply_adds


def _deformable(image: Any, weight: Any, *_: Any, out_shape: Any, **__: Any) -> int:
    return conv_flop_count(image, weight, out_shape)


def _sentence(error: BaseException) -> str:
    """The first line of what an error says."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0]


def apart(constructor: Constructor, limit: float = LIMIT) -> Row:
    """Count in a copy of this process, with limits of time and memory."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_in_copy, args=(constructor, there))
    process.start()
    there.close()
    found = None
    if late := not here.poll(limit):
        process.kill()
    else:
        with contextlib.suppress(EOFError):  # it ended without a word
            found = here.recv()
    process.join()
    if isinstance(found, str):
        raise DifferError(found)
    what = f"takes more than {limit:.0f} seconds" if late else "takes more memory than there is"
    return found or Row(*constructor[:4], reason=what)


def _in_copy(constructor: Constructor, there: Connection) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY,) * 2)
    for stream in (1, 2):  # some libraries tell what they do
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    try:
        there.send(count(constructor))
    except MemoryError:
        pass
    except Exception as error:
        there.send(f"{constructor.library} {constructor.name}: {type(error).__name__}: {error}")
