"""Measures fairly: contenders in turns, ratios within a round, memory in a process of its own.

Times on a shared machine drift, ratios much less: the contenders take turns, round by round, and
what counts is the median of the ratios within a round. Times are those of the processor, which is
why this is not `torch.utils.benchmark`: it measures one contender after the other, by the clock.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

Build = Callable[[], nn.Module]


class Spread(NamedTuple):
    """The middle of some numbers, and the quarters around it."""

    low: float
    median: float
    high: float


def spread(numbers: Sequence[float]) -> Spread:
    """Return the median and the quartiles.

    >>> spread([4, 1, 3, 2, 5])
    Spread(low=2.0, median=3.0, high=4.0)
    """
    if len(numbers) == 1:
        return Spread(*numbers * 3)
    return Spread(*statistics.quantiles(numbers, n=4, method="inclusive"))


def ratios(times: dict[str, list[float]]) -> dict[str, Spread]:
    """Return how long the first contender takes for each second that another one takes.

    >>> ratios({"ours": [1, 2, 3], "theirs": [2, 4, 3]})["theirs"].median
    0.5
    """
    first, *others = times
    return {
        name: spread([ours / theirs for ours, theirs in zip(times[first], times[name])])
        for name in others
    }


def take_turns(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Run each contender once a round, each time another one first.

    Returns:
        Seconds of the processor, for each contender in each round.
    """
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        contenders[name]()  # warm
    gc.collect()
    gc.disable()  # or whoever comes next pays for what others left
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            start = time.process_time()
            contenders[name]()
            times[name].append(time.process_time() - start)
    gc.enable()
    return times


def peak_memory(build: Build, task: Task) -> float:
    """Return by how much a task raises the memory of a process that holds the network, in MB.

    It runs in a copy of this process: all contenders begin alike, with everything imported. There
    every tensor is taken from the system and given back to it, so that the process never holds
    more than it uses.
    """
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)

    def measure() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).mallopt(-3, 1 << 16)  # M_MMAP_THRESHOLD, in bytes
        run = task.prepare(build())
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        run()
        run()
        there.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

    process = context.Process(target=measure)
    process.start()
    kilobytes = here.recv() / (1024 if sys.platform == "darwin" else 1)
    process.join()
    return kilobytes / 1024


class Task(NamedTuple):
    """What a network has to do: a forward pass, or a step of training."""

    training: bool
    batch_size: int
    size: int  # height and width of the images, in pixels

    def prepare(self, network: nn.Module) -> Callable[[], None]:
        """Return the task, ready to run."""
        images = torch.randn(self.batch_size, 3, self.size, self.size)
        labels = torch.arange(self.batch_size)
        optimizer = torch.optim.SGD(network.parameters(), 1e-4, momentum=0.9)
        network.train(self.training)

        def forward() -> None:
            with torch.inference_mode():
                network(images)

        def step() -> None:
            loss = F.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        return step if self.training else forward

    def __str__(self) -> str:
        work = "training step" if self.training else "forward"
        return f"{work}, batch of {self.batch_size}, {self.size}²"
