"""Hold the speed and the memory of the book's code against what people use now.

python -m tools.pages.benchmarks            write book/benchmarks.md, in about five minutes
python -m tools.pages.benchmarks --quick    a first impression, printed
"""

from __future__ import annotations

import argparse
import datetime
import logging
import os
import platform
import re
import statistics
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is there

import torch
from torch import nn

from tools.chapters import written
from tools.pages.measuring import Build, Spread, Task, peak_memory, ratios, spread, take_turns

ROOT = Path(__file__).resolve().parents[2]


# -- what is measured ---------------------------------------------------------------------------


class Result(NamedTuple):
    """What a network took for a task, against each reference."""

    network: str
    task: str
    seconds: float  # of the processor, median
    time: dict[str, Spread]  # ratios
    megabytes: float
    memory: dict[str, float]  # ratios


class Count(NamedTuple):
    """What a tool counted, and how long it took."""

    network: str
    tool: str
    multiply_adds: int | None  # None: it measures the receptive field
    seconds: float


class Drawing(NamedTuple):
    """How fast images are drawn."""

    call: str
    images_per_second: Spread


def networks() -> dict[str, dict[str, Build]]:
    """Return the constructors of each network: the book's first, in torchvision's form."""
    import timm
    import torchvision

    from cnnbook.networks import resnet18, resnet50
    from cnnbook.networks.resnet import bottleneck_v15

    return {
        "ResNet-18": {
            "cnnbook": resnet18,
            "torchvision": torchvision.models.resnet18,
            "timm": lambda: timm.create_model("resnet18"),
        },
        "ResNet-50": {
            "cnnbook": lambda: resnet50(branch=bottleneck_v15),
            "torchvision": torchvision.models.resnet50,
            "timm": lambda: timm.create_model("resnet50"),
        },
    }


def measure_networks(tasks: Sequence[Task], rounds: int) -> list[Result]:
    """Let each network do each task."""
    found = []
    cases = [(name, builds, task) for name, builds in networks().items() for task in tasks]
    # Memory first: a process that has computed holds memory that its copies would use again.
    memories = [
        {who: peak_memory(build, task) for who, build in builds.items()}
        for _, builds, task in cases
    ]
    for (name, builds, task), memory in zip(cases, memories):
        times = take_turns({who: task.prepare(build()) for who, build in builds.items()}, rounds)
        megabytes = memory.pop("cnnbook")
        relative = {who: megabytes / theirs for who, theirs in memory.items()}
        seconds = statistics.median(times["cnnbook"])
        found.append(Result(name, str(task), seconds, ratios(times), megabytes, relative))
    return found


def measure_counting(rounds: int) -> list[Count]:
    """Count the multiply–adds of two networks with each tool."""
    import torchinfo
    import torchvision
    from fvcore.nn import FlopCountAnalysis
    from torch.utils.flop_counter import FlopCounterMode

    from cnnbook.arithmetic import multiply_adds, receptive_field

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    image = torch.zeros(1, 3, 224, 224)

    def flop_counter(network: nn.Module) -> int:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(image)
        return counter.get_total_flops() // 2

    tools = {
        "`cnnbook.arithmetic.multiply_adds`": multiply_adds,
        "torch's `FlopCounterMode`": flop_counter,
        "fvcore": lambda network: int(FlopCountAnalysis(network, image).total()),
        "torchinfo": lambda network: (
            torchinfo.summary(network, (1, 3, 224, 224), verbose=0).total_mult_adds
        ),
    }
    counted = {
        "ResNet-50": networks()["ResNet-50"]["cnnbook"]().eval(),
        "ViT-B/16": torchvision.models.vit_b_16().eval(),
    }
    found = []
    for name, network in counted.items():
        times = take_turns({tool: partial(run, network) for tool, run in tools.items()}, rounds)
        for tool, run in tools.items():
            found.append(Count(name, tool, run(network), statistics.median(times[tool])))
    tool = "`cnnbook.arithmetic.receptive_field`"
    times = take_turns({tool: partial(receptive_field, counted["ResNet-50"])}, rounds)
    return [*found, Count("ResNet-50", tool, None, statistics.median(times[tool]))]


def measure_drawing(count: int, rounds: int) -> list[Drawing]:
    """Draw images of each kind."""
    from cnnbook import data

    calls = {
        f"shapes({count:_}, 32)": lambda: data.shapes(count, 32),
        f"shapes({count:_}, 32, hard=True)": lambda: data.shapes(count, 32, hard=True),
        f"shapes({count:_}, 64)": lambda: data.shapes(count, 64),
        f"scenes({count:_}, 64)": lambda: data.scenes(count, 64),
    }
    times = take_turns(calls, rounds)
    return [Drawing(call, spread([count / s for s in times[call]])) for call in calls]


def processor() -> str:
    """Return the name of the processor."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


# -- writing ------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> str:
    """Return a Markdown table whose first columns are texts, the others numbers.

    >>> print(table(["task", "ms"], [["forward", "12"]], texts=1))
    | task | ms |
    |:--|--:|
    | forward | 12 |
    """
    rule = [":--" if place < texts else "--:" for place in range(len(head))]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])


def ratio(value: Spread) -> str:
    """Write a ratio with its quartiles.

    >>> ratio(Spread(0.981, 1.0, 1.024))
    '1.00 (0.98–1.02)'
    """
    return f"{value.median:.2f} ({value.low:.2f}–{value.high:.2f})"


def page(
    results: Sequence[Result],
    counts: Sequence[Count],
    drawings: Sequence[Drawing],
    machine: str,
    rounds: int,
) -> str:
    """Return the page of the site, in Markdown."""
    references = list(results[0].time)
    speed = table(
        ["Network", "Task", "ms", *(f"time / {name}" for name in references)],
        [
            [r.network, r.task, f"{r.seconds * 1000:.0f}", *map(ratio, r.time.values())]
            for r in results
        ],
        texts=2,
    )
    memory = table(
        ["Network", "Task", "MB", *(f"memory / {name}" for name in references)],
        [
            [r.network, r.task, f"{r.megabytes:.0f}", *(f"{m:.2f}" for m in r.memory.values())]
            for r in results
        ],
        texts=2,
    )
    counting = table(
        ["Network", "Tool", "multiply–adds", "ms"],
        [
            [
                c.network,
                c.tool,
                "–" if c.multiply_adds is None else f"{c.multiply_adds:,}",
                f"{c.seconds * 1000:.0f}",
            ]
            for c in counts
        ],
        texts=2,
    )
    drawing = table(
        ["Call", "images a second", "quartiles"],
        [
            [
                f"`data.{d.call}`",
                f"{d.images_per_second.median:,.0f}",
                f"{d.images_per_second.low:,.0f}–{d.images_per_second.high:,.0f}",
            ]
            for d in drawings
        ],
        texts=1,
    )
    return PAGE.format(
        machine=machine,
        rounds=rounds,
        speed=speed,
        memory=memory,
        counting=counting,
        drawing=drawing,
    )


PAGE = """# Benchmarks

What the book's code costs, beside the code that people use now. `make bench` measures it and writes this page: {machine}.

A ratio of 1.00 means as long, or as much memory, as the reference; below 1, the book's code needs less. The contenders take turns in each of {rounds} rounds. Given is the median of the ratios within a round, with the quartiles in brackets: where these hold 1 between them, no difference is shown. Times are those of the processor, on one thread.

## Networks: time

The same architecture three times, with weights drawn at random. The book's ResNet-50 is built with `bottleneck_v15`, the form of the other two. A forward pass is in evaluation mode, without gradients; a training step is forward, backward and SGD with momentum.

{speed}

## Networks: memory

By how much the task raises the peak memory of a process that holds the network already.

{memory}

## Counting

Images of 224 × 224. Where the tools disagree, they count different things: fvcore counts batch normalisation too, torchinfo every bias and batch normalisation's parameters. On real tensors the attention of ViT-B/16 runs as one fused operation, into which the other tools do not look, or not wholly; `multiply_adds` follows the network on the meta device, where nothing is fused.

{counting}

## Drawing data

{drawing}
"""  # noqa: E501


def main() -> None:
    """Measure, and write the page or print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds; print, write nothing")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # those of the tools beside ours
    rounds = 3 if quick else 11
    tasks = [
        Task(training, batch_size, size)
        for size, batch_size in ((224, 1 if quick else 4), (32, 8 if quick else 64))
        for training in (False, True)
    ]
    results = measure_networks(tasks, rounds)
    counts = measure_counting(rounds)
    drawings = measure_drawing(500 if quick else 2000, rounds)
    today = datetime.datetime.now(datetime.UTC).date()
    machine = f"{processor()}, torch {torch.__version__}, {today}"
    text = page(results, counts, drawings, machine, rounds)
    if quick:
        print(text)
    else:
        written.write("book/benchmarks.md", text, ROOT)


if __name__ == "__main__":
    main()
