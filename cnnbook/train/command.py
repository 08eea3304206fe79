"""The command line: what it takes, and what it refuses before anything is trained.

What it starts stands in `cnnbook.training`.
"""

import argparse
import inspect
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from textwrap import fill, indent

import torch

from cnnbook import networks, papers
from cnnbook.arithmetic import meta
from cnnbook.names import suggestion
from cnnbook.train.errors import Refused
from cnnbook.train.images import image_folders
from cnnbook.train.recipe import NUMBERS, choose
from cnnbook.training.recipes import recipes


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status is 2 where its arguments or files are wrong.

    Examples:
        >>> main(["resnet18", "--data", "nowhere", "--output", "runs"])
        2
    """
    try:
        _train(command_line().parse_args(arguments))
    except (Refused, OSError) as error:
        sentence = str(error).strip().rpartition("Refused: ")[2]  # after a worker's traceback
        print(f"cnnbook.train: {sentence}", file=sys.stderr)
        return getattr(error, "status", 2)
    except KeyboardInterrupt:
        print("cnnbook.train: stopped before training.", file=sys.stderr)
        return 1
    return 0


def _train(options: argparse.Namespace) -> None:
    if options.network not in constructors():
        told = suggestion(options.network, constructors())
        raise Refused(f"there is no network {options.network!r}; {told}")
    recipe = choose(
        options.network, options.recipe, {name: vars(options)[name] for name in NUMBERS}
    )
    constructor = getattr(networks, options.network)
    channels, side = input_of(options.network)
    options.crop = options.crop or side
    for part in ("train", "val"):
        if options.output.resolve().is_relative_to((options.data / part).resolve()):
            raise Refused(f"--output lies in {options.data / part}, where folders are classes.")
    folders = image_folders(options.data, options.crop, channels)
    if "image_size" in inspect.signature(constructor).parameters:
        constructor = partial(constructor, image_size=options.crop)
    _try(options.network, constructor, (channels, options.crop, options.crop), side)
    if len(folders[0]) < recipe["batch_size"]:
        told = f"--batch-size is {recipe['batch_size']}"
        raise Refused(f"{told}; there are only {len(folders[0])} training images.")
    try:
        from cnnbook.train import engine
    except ImportError as error:
        raise Refused("Lightning is missing; run: pip install lightning") from error
    engine.run_training(constructor, options, recipe, folders)


def input_of(network: str) -> tuple[int, int]:
    """Channels and side of the images that a network is made for, from the paper data.

    Examples:
        >>> input_of("lenet5"), input_of("inception_v3")
        ((1, 32), (3, 299))
    """
    if network in papers.names():
        channels, side, _ = papers.paper(network).input_size
        return channels, side
    parameters = inspect.signature(getattr(networks, network)).parameters
    return 3, parameters["image_size"].default if "image_size" in parameters else 224


def _try(network: str, constructor: Callable, size: tuple[int, int, int], own: int) -> None:
    """Refuse images of a size that the network does not take, before anything is trained."""
    with torch.device("meta"):  # shapes without numbers
        tried = constructor(num_classes=2)
    try:
        meta.run(meta.on_meta(tried), size)
    except ValueError as error:
        told = f"{network} is made for images of {own} × {own} pixels"
        raise Refused(f"{told}, and does not take those of --crop {size[1]}.") from error


def _within(kind: type, least: float, most: float) -> Callable[[str], float]:
    """What reads a number of the command line, and refuses it where it cannot be."""

    def read(text: str) -> float:
        if not least <= kind(text) <= most:
            raise argparse.ArgumentTypeError(f"it is {text}; it must be from {least} to {most}")
        return kind(text)

    read.__name__ = kind.__name__  # for what argparse says of a text that is no number
    return read


_COUNT, _WORKERS, _SEED = _within(int, 1, 10**9), _within(int, 0, 999), _within(int, 0, 2**32 - 1)
_NUMBER = _within(float, 0, 1e38)  # more is infinite for float32
_SHARE = _within(float, 0, 0.999999)  # weights averaged with a share of 1 would never change
_KINDS = {"epochs": _COUNT, "batch_size": _COUNT, "label_smoothing": _SHARE, "ema": _SHARE}


def constructors() -> list[str]:
    """Names of the networks that need nothing but the number of classes.

    Examples:
        >>> "resnet50" in constructors(), "cifar_resnet" in constructors()
        (True, False)
    """

    def fits(name: str) -> bool:
        try:
            return bool(inspect.signature(getattr(networks, name)).bind(num_classes=2))
        except TypeError:
            return False

    return list(filter(fits, networks.__all__))


def command_line() -> argparse.ArgumentParser:
    """What the command takes.

    Examples:
        >>> command_line().parse_args("vgg16 --data photos --output runs --lr 0.01".split()).lr
        0.01
    """
    parser = argparse.ArgumentParser(
        prog="python -m cnnbook.train",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Train a network of the book on a folder of images.",
        epilog=f"""\
example, on all GPUs of this machine:
  python -m cnnbook.train resnet50 --data imagenet --output runs/resnet50 --precision bf16-mixed

The output folder receives last.ckpt after each epoch (to --resume), best.ckpt, logs/, and in the
end weights.pt (for network.load_state_dict). On several machines start the command on each, with
--nodes, by torchrun or Slurm. With several devices, batch norm takes its statistics over the
share of each, and the last few validation images may count twice.

networks:
{indent(fill(", ".join(constructors()), 96), "  ")}""",
    )
    parser.add_argument("network", metavar="NETWORK", help="one of the names below")
    add = parser.add_argument_group("images").add_argument
    there = "holds train/CLASS/*.JPEG and val/CLASS/*.JPEG, as ImageNet does"
    add("--data", type=Path, required=True, metavar="FOLDER", help=there)
    add("--crop", type=_COUNT, metavar="PIXELS", help="height and width (the network's own)")
    add("--workers", type=_WORKERS, default=4, metavar="N", help="reading processes per device (4)")
    add = parser.add_argument_group("recipe, and what to change in it").add_argument
    start = "a paper's (default: that of the network, if its paper states one)"
    add("--recipe", choices=recipes(), metavar="NAME", help=f"{start}: {', '.join(recipes())}")
    for name, meaning in NUMBERS.items():
        kind = _KINDS.get(name, _NUMBER)
        add(f"--{name.replace('_', '-')}", type=kind, metavar="X", help=meaning)
    add = parser.add_argument_group("machine").add_argument
    add("--accelerator", choices=["auto", "cpu", "gpu"], default="auto")
    add("--devices", type=_COUNT, metavar="N", help="per machine (all GPUs, or one CPU process)")
    add("--nodes", type=_COUNT, default=1, metavar="N", help="machines (1)")
    add("--precision", choices=["32-true", "bf16-mixed", "16-mixed", "64-true"], default="32-true")
    add = parser.add_argument_group("run").add_argument
    add("--output", type=Path, required=True, metavar="FOLDER", help="receives what is trained")
    add("--resume", action="store_true", help="go on after the last whole epoch in --output")
    add("--seed", type=_SEED, default=0, metavar="N", help="of weights, order and augmentation (0)")
    return parser
