"""Train a network of the book on a folder of images, at scale: `python -m cnnbook.train --help`.

This is the command line: what it takes, and what it refuses before anything is trained. What it
starts stands in `cnnbook.training`.
"""

import argparse
import inspect
import math
import sys
from pathlib import Path
from textwrap import fill, indent

from cnnbook import networks
from cnnbook.names import suggestion
from cnnbook.training.errors import Refused
from cnnbook.training.images import image_folders
from cnnbook.training.recipes import NUMBERS, choose, recipes


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
        return 2
    return 0


def _train(options: argparse.Namespace) -> None:
    if options.network not in constructors():
        told = suggestion(options.network, constructors())
        raise Refused(f"there is no network {options.network!r}; {told}")
    recipe = choose(
        options.network, options.recipe, {name: vars(options)[name] for name in NUMBERS}
    )
    folders = image_folders(options.data, options.crop)
    if len(folders[0]) < recipe["batch_size"]:
        told = f"--batch-size is {recipe['batch_size']}"
        raise Refused(f"{told}; there are only {len(folders[0])} training images.")
    try:
        from cnnbook.training import engine
    except ImportError as error:
        raise Refused('Lightning is missing; run pip install "cnnbook[train]".') from error
    engine.run_training(getattr(networks, options.network), options, recipe, folders)


def _count(text: str) -> int:
    """A whole number of at least 1, from the command line."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"it is {text}; it must be at least 1")
    return int(text)


def _amount(text: str) -> float:
    if not 0 <= float(text) < math.inf:
        raise argparse.ArgumentTypeError(f"it is {text}; it must be at least 0")
    return float(text)


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
    add("--crop", type=_count, default=224, metavar="PIXELS", help="height and width (224)")
    add("--workers", type=int, default=4, metavar="N", help="reading processes per device (4)")
    add = parser.add_argument_group("recipe, and what to change in it").add_argument
    start = "a paper's (default: that of the network, if its paper states one)"
    add("--recipe", choices=recipes(), metavar="NAME", help=f"{start}: {', '.join(recipes())}")
    for name, meaning in NUMBERS.items():
        kind = _count if name in ("epochs", "batch_size") else _amount
        add(f"--{name.replace('_', '-')}", type=kind, metavar="X", help=meaning)
    add = parser.add_argument_group("machine").add_argument
    add("--accelerator", choices=["auto", "cpu", "gpu"], default="auto")
    add("--devices", type=_count, metavar="N", help="per machine (all GPUs, or one CPU process)")
    add("--nodes", type=_count, default=1, metavar="N", help="machines (1)")
    add("--precision", choices=["32-true", "bf16-mixed", "16-mixed", "64-true"], default="32-true")
    add = parser.add_argument_group("run").add_argument
    add("--output", type=Path, required=True, metavar="FOLDER", help="receives what is trained")
    add("--resume", action="store_true", help="go on after the last whole epoch in --output")
    add("--seed", type=int, default=0, metavar="N", help="of weights, order and augmentation (0)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
