"""A folder of images in ImageNet's layout, in an order and a dress that a run can repeat."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.data.distributed import DistributedSampler

from cnnbook.data.transforms import IMAGENET
from cnnbook.train.errors import Refused


class Images(Dataset):
    """Images, each augmented from a seed of its own in each epoch."""

    def __init__(self, folder: Dataset, seed: int) -> None:
        self.folder, self.seed = folder, seed

    def __getitem__(self, place: tuple[int, int]) -> tuple[Tensor, int]:
        epoch, index = place
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(hash((self.seed, epoch, index)))
            return self.folder[index]


class Places(DistributedSampler):
    """Places `(epoch, index)` in a random order, dealt out to the devices."""

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch = self.epoch
        for index in super().__iter__():
            yield epoch, index


def _read_image(path: str, mode: str = "RGB") -> Any:
    """An image of 8 bits a channel; one of 16 bits, which Pillow would cut off, is scaled."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.mode == "F" or (picture.mode == "I" and picture.format == "TIFF"):
                told = "holds numbers of 32 bits, of which nobody knows what is white"
                raise Refused(f"{path} {told}; save it with 8 or 16 bits.")
            if picture.mode.startswith(("I;16", "I")):
                picture = Image.fromarray((np.asarray(picture).clip(0, 65535) // 256).astype("u1"))
            return picture.convert(mode)
    except PermissionError as error:
        raise Refused(f"{path} may not be read; change its permissions.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        told = "is larger than Pillow opens" if "bomb" in str(error) else "is no whole image"
        raise Refused(f"{path} {told}; replace it, and start the command again.") from error


def _is_image(path: str, root: Path) -> bool:
    """Whether a file is one of an image's kinds; nothing hidden, no pipes, no devices."""
    from torchvision.datasets.folder import IMG_EXTENSIONS

    hidden = any(part.startswith(".") for part in Path(path).relative_to(root).parts)
    if hidden or not path.lower().endswith(IMG_EXTENSIONS):
        return False
    if os.path.islink(path) and not os.path.exists(path):
        raise Refused(f"{path} is a link that leads nowhere; remove it.")
    return os.path.isfile(path)


def image_folders(data: Path, crop: int, channels: int = 3) -> list[Dataset]:
    """The training images, with random crops and flips, and the validation images.

    Args:
        data: holds `train/CLASS/` and `val/CLASS/`.
        crop: height and width of what is cut out, in pixels.
        channels: 3, or 1 for grey images.

    Raises:
        Refused: a folder or its images are missing, the two have different classes, there is
            one class alone, or a hidden folder among them.
    """
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    statistics = IMAGENET if channels == 3 else [[fmean(values)] for values in IMAGENET]
    end = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(*statistics)]
    read = partial(_read_image, mode="RGB" if channels == 3 else "L")
    views = {
        "train": [v2.RandomResizedCrop(crop), v2.RandomHorizontalFlip(), *end],
        "val": [v2.Resize(round(crop * 256 / 224)), v2.CenterCrop(crop), *end],
    }
    folders = []
    for name, view in views.items():
        if not (data / name).is_dir():
            raise Refused(f"there is no folder {data / name}; --data holds train/ and val/.")
        for entry in sorted(os.scandir(data / name), key=lambda entry: entry.name):
            if entry.is_dir() and entry.name.startswith("."):  # left by a notebook, say
                told = f"{data / name} holds the hidden folder {entry.name}, which is no class"
                raise Refused(f"{told}; remove it.")
        try:
            folder = ImageFolder(
                data / name,
                v2.Compose(view),
                loader=read,
                is_valid_file=partial(_is_image, root=data / name),
            )
        except FileNotFoundError as error:  # no class, or a class without images
            raise Refused(f"{data / name}: {str(error).partition('. ')[0]}.") from error
        places: dict[str, str] = {}
        for place in sorted({os.path.dirname(path) for path, _ in folder.samples}):
            if (first := places.setdefault(os.path.realpath(place), place)) != place:
                told = f"{place} is the folder {first} again, by a link"
                raise Refused(f"{told}: its images would count twice; remove the link.")
        folders.append(folder)
    train, val = folders
    if len(train.classes) < 2:
        raise Refused(f"{data / 'train'} has the class {train.classes[0]} alone; two are needed.")
    if odd := set(train.classes) ^ set(val.classes):
        raise Refused(f"only one of train/ and val/ has the classes {', '.join(sorted(odd))}.")
    return [train, val]
