"""Train the book's small networks on Fashion-MNIST; write `book/real-images.md` and its pictures.

    python -m tools.pages.real             train what is not trained yet, and write the page
    python -m tools.pages.real --anew      forget what was trained before

Each finished run is kept under `_build/real`, so that a command that was stopped goes on.
"""

from __future__ import annotations

import argparse
import datetime
import io
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is there: results repeat exactly

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn

from cnnbook import data, networks, plots, training
from cnnbook.arithmetic import count_parameters, multiply_adds
from tools.chapters import notebooks, written
from tools.pages.benchmarks import processor, table

SEEDS = 3
PAGE_FILE = Path("book/real-images.md")
SGD = partial(torch.optim.SGD, momentum=0.9, weight_decay=5e-4)
MISTAKES = 12
# From the list that the authors of the data set keep of what others sent them (README.md of
# zalandoresearch/fashion-mnist, "Benchmark"); nobody has checked these numbers again.
ELSEWHERE = {
    "people who are no experts": 83.5,
    "two convolutions and pooling, first entry": 87.6,
    "AlexNet with a triplet loss": 89.9,
    "VGG-16, 26 million parameters": 93.5,
    "ResNet-18, augmented": 94.9,
    "DenseNet-BC, 768 thousand parameters, augmented": 95.4,
    "WRN-40-4, 8.9 million parameters, augmented": 96.7,
}


class Trained(NamedTuple):
    """How a network is trained: everything but the seed."""

    name: str
    build: Callable[[], nn.Module]
    channels: int  # of its input; the one of the images is repeated
    rate: float
    images: int = 54_000  # of the training split, gone through once


NETWORKS = [
    Trained("LeNet-5", networks.lenet5, 1, 0.005),
    Trained("ResNet-8", partial(networks.cifar_resnet, 8), 3, 0.1),
    Trained("ResNet-20", partial(networks.cifar_resnet, 20), 3, 0.1),
    Trained("small VGG", networks.vgg_small, 3, 0.03, 6_000),
]


class Run(NamedTuple):
    """What is kept of one run."""

    losses: list[float]  # of each batch
    logits: Tensor  # (10000, 10), of the test images
    seconds: float  # of the processor, for training

    def right(self, labels: Tensor) -> float:
        """Accuracy on the test images."""
        return (self.logits.argmax(1) == labels).double().mean().item()


def pixels(images: data.ImageSet, count: int, channels: int) -> Tensor:
    """The first images of a split: normalised, padded to 32 × 32, in so many channels."""
    chosen = torch.stack([images[k][0] for k in range(count)])
    padded = nn.functional.pad(chosen, (2, 2, 2, 2), value=chosen.min().item())
    return padded.expand(-1, channels, -1, -1).contiguous()


def labels(images: data.ImageSet, count: int) -> Tensor:
    """Their classes."""
    return torch.stack([images[k][1] for k in range(count)])


def run(how: Trained, seed: int, splits: data.Splits) -> Run:
    """Train one network from one seed, and ask it for the classes of all test images."""
    images = pixels(splits.train, how.images, how.channels)
    start = time.process_time()
    network, history = training.train(
        how.build,
        images,
        labels(splits.train, how.images),
        seed=seed,
        optimizer=SGD,
        rate=how.rate,
        batch_size=64,
    )
    seconds = time.process_time() - start
    place = next(network.parameters()).device
    with torch.inference_mode():
        asked = pixels(splits.test, len(splits.test), how.channels).split(500)
        logits = torch.cat([network(part.to(place)).cpu() for part in asked])
    return Run(history.losses, logits, seconds)


def runs(root: Path, anew: bool) -> dict[str, list[Run]]:
    """All runs, those from before and those that are still to be done."""
    kept = root / "_build" / "real"
    kept.mkdir(parents=True, exist_ok=True)
    splits = data.load("fashion-mnist", normalise=True)
    found: dict[str, list[Run]] = {}
    for how in NETWORKS:
        for seed in range(SEEDS):
            file = kept / f"{how.name.lower().replace(' ', '-')}-{how.images}-{how.rate}-{seed}.pt"
            if anew or not file.exists():
                done = run(how, seed, splits)
                torch.save(done._asdict(), file)
                right = done.right(labels(splits.test, len(splits.test)))
                print(f"{how.name}, seed {seed}: {right:.2%} in {done.seconds:.0f} s", flush=True)
            found.setdefault(how.name, []).append(Run(**torch.load(file, weights_only=True)))
    return found


def curves(found: dict[str, list[Run]]) -> Figure:
    """Training loss against images seen, a line for each network, a band for its seeds."""
    figure, axes = plt.subplots(figsize=(5.4, 3.4), layout="constrained")
    for name, colour in zip(found, plots.COLOURS):
        window = 20
        each = torch.tensor([one.losses for one in found[name]])
        each = each[:, : each.shape[1] // window * window].unflatten(1, (-1, window)).mean(2)
        seen = (torch.arange(each.shape[1]) + 0.5) * window * 64
        axes.plot(seen, each.mean(0), color=colour, label=name)
        axes.fill_between(seen, each.amin(0), each.amax(0), color=colour, alpha=0.25, lw=0)
    axes.set(xlabel="training images seen", ylabel="loss", ylim=(0.2, 1.5))
    axes.legend()
    return figure


def confusion(logits: Tensor, truth: Tensor) -> Tensor:
    """How many images of each class (rows) are given each class (columns)."""
    counts = torch.zeros(10, 10, dtype=torch.int64)
    return counts.index_put((truth, logits.argmax(1)), torch.tensor(1), accumulate=True)


def pairs(counts: Tensor, classes: tuple[str, ...], number: int) -> list[tuple[str, str, int]]:
    """The pairs that are confused most often: truth, answer, images."""
    wrong = counts - counts.diag().diag()
    order = wrong.flatten().argsort(descending=True)[:number].tolist()
    return [(classes[k // 10], classes[k % 10], wrong.flatten()[k].item()) for k in order]


def confident(logits: Tensor, truth: Tensor, number: int) -> list[int]:
    """The wrong answers with the highest probability: numbers of images."""
    sure, answer = logits.softmax(1).max(1)
    return sure.masked_fill(answer == truth, -1).topk(number).indices.tolist()


def confusion_figure(counts: Tensor, classes: tuple[str, ...]) -> Figure:
    """Draw the confusions: a square for each pair of classes, the right answers left out."""
    wrong = counts - counts.diag().diag()
    figure, axes = plt.subplots(figsize=(5.4, 5.2), layout="constrained")
    plots.matrix(wrong.double(), axes)
    for place, name in enumerate(classes):
        axes.text(-0.7, place, name, ha="right", va="center", fontsize=9)
        axes.text(place, -0.7, name, ha="left", va="bottom", rotation=40, fontsize=9)
    axes.set(xlim=(-2.8, 10.6), ylim=(9.6, -2.6))
    return figure


def mistakes_figure(chosen: list[int], logits: Tensor, images: data.ImageSet) -> Figure:
    """Draw the most confident mistakes, with what they are and what they are taken for."""
    names = [name.split("/")[0] for name in images.classes]
    answers = logits.argmax(1)
    titles = [f"{names[images[k][1]]},\nno {names[answers[k]].lower()}" for k in chosen]
    pictures = [images[k][0] * images.std + images.mean for k in chosen]
    return plots.images(pictures, titles, columns=4, size=1.25)


def save(figure: Figure, path: Path) -> None:
    """Store a figure for the site."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=150, transparent=True)
    plt.close(figure)
    Image.open(drawn).save(path, quality=82, method=6)


def page(found: dict[str, list[Run]], truth: Tensor, classes: tuple[str, ...], machine: str) -> str:
    """The page of the site, in Markdown."""
    rows = []
    for how in NETWORKS:
        network, size = how.build(), (how.channels, 32, 32)
        accuracies = [one.right(truth) for one in found[how.name]]
        took = statistics.median(one.seconds for one in found[how.name])
        rows.append(
            [
                how.name,
                ", ".join(f"{100 * each:.1f}" for each in accuracies),
                f"{how.images:,}",
                f"{took:.0f}",
                f"{multiply_adds(network, size) / 1e6:.1f}",
                f"{count_parameters(network):,}",
            ]
        )
    head = ["Network", "accuracy, %", "images", "s", "M multiply–adds", "parameters"]
    best = leader(found, truth)
    counts = sum(confusion(one.logits, truth) for one in found[best])
    often = [f"- {a}, taken for {b}: {n} times" for a, b, n in pairs(counts, classes, 5)]
    return PAGE.format(
        machine=machine,
        seeds=SEEDS,
        asked=f"{SEEDS * len(truth):,}",
        results=table(head, rows, texts=1),
        elsewhere=table(
            ["Who or what", "accuracy, %"], [[k, f"{v}"] for k, v in ELSEWHERE.items()], texts=1
        ),
        best=best,
        wrong=f"{(counts.sum() - counts.diag().sum()).item():,}",
        often="\n".join(often),
    )


def leader(found: dict[str, list[Run]], truth: Tensor) -> str:
    """The network with the highest mean accuracy."""
    return max(found, key=lambda name: statistics.mean(one.right(truth) for one in found[name]))


PAGE = """# Real images

The chapters train on images that are drawn in a second, so that every experiment fits into a minute. This page trains four of their networks on photographs: Fashion-MNIST, 70,000 grey pictures of clothes, 28 × 28 pixels each, in ten classes ([Xiao et al., 2017](https://arxiv.org/abs/1708.07747)). `make real` does it and writes the page: {machine}, one thread.

Every network goes once through its training images, in batches of 64, by SGD with momentum 0.9 and weight decay 0.0005; the rate climbs and falls again. The pictures are normalised and padded to 32 × 32; nothing is augmented. The small VGG, which has five times the work of ResNet-20, sees 6,000 of the 54,000 images. The rates were chosen in short runs. (NIN is missing: with five choices of rate and first weights it still named one test image in ten rightly after 47 to 141 steps, and a whole pass takes it a quarter of an hour.)

## How well, and how long

{seeds} seeds each, in the order of the seeds; the accuracy is that on the 10,000 test images; the time is that of the processor for one training.

{results}

:::{{figure}} _static/real-curves.webp
:alt: Training loss against images seen, from 0 to 54,000, a line for each of the four networks, with a band for its seeds. All fall.

The training loss, mean over twenty batches: a line for the mean of the seeds, a band for their range.
:::

## Beside what others report

{elsewhere}

The list is that of the authors of the data set, who collect what they are sent and [say](https://github.com/zalandoresearch/fashion-mnist#benchmark) that they have not checked it. How long each network was trained it does not say. A single pass says what a minute of computing is worth, not what a network can reach.

## Where {best} errs

Of {asked} answers (all test images, {seeds} seeds) {wrong} are wrong. The most frequent mistakes:

{often}

:::{{figure}} _static/real-confusion.webp
:alt: A square of ten by ten classes. Rows are what an image shows, columns what the network says; the number of wrong answers stands in each square.

Rows: what the image shows. Columns: what the network says. The right answers are left out.
:::

These are the wrong answers of the first seed that the network was surest of:

:::{{figure}} _static/real-mistakes.webp
:alt: Twelve pictures of clothes, each with its class and the other one that the network names.

Above each picture its class, and what the network takes it for. In some of them a reader may side with the network.
:::
"""  # noqa: E501


def main() -> None:
    """Train, draw, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--anew", action="store_true", help="forget what was trained before")
    root, anew = notebooks.ROOT, parser.parse_args().anew
    plots.use_style()
    found = runs(root, anew)
    test = data.load("fashion-mnist", normalise=True).test
    truth, classes = labels(test, len(test)), test.classes
    best = found[leader(found, truth)]
    static = root / "book" / "_static"
    save(curves(found), static / "real-curves.webp")
    counts = sum(confusion(one.logits, truth) for one in best)
    save(confusion_figure(counts, classes), static / "real-confusion.webp")
    logits = best[0].logits
    chosen = confident(logits, truth, MISTAKES)
    save(mistakes_figure(chosen, logits, test), static / "real-mistakes.webp")
    today = datetime.datetime.now(datetime.UTC).date()
    machine = f"{processor()}, torch {torch.__version__}, {today}"
    written.write(str(PAGE_FILE), page(found, truth, classes, machine), root)


if __name__ == "__main__":
    main()
