"""A folder of images in ImageNet's layout, in an order and a dress that a run can repeat."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.data.distributed import DistributedSampler

from cnnbook.data.transforms import IMAGENET
from cnnbook.training.errors import Refused


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


def _read_image(path: str) -> Any:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise Refused(f"{path} is no whole image; replace it, then --resume.") from error


def image_folders(data: Path, crop: int) -> list[Dataset]:
    """The training images, with random crops and flips, and the validation images.

    Raises:
        Refused: a folder or its images are missing, or the two have different classes.
    """
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    end = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(*IMAGENET)]
    views = {
        "train": [v2.RandomResizedCrop(crop), v2.RandomHorizontalFlip(), *end],
        "val": [v2.Resize(round(crop * 256 / 224)), v2.CenterCrop(crop), *end],
    }
    folders = []
    for name, view in views.items():
        if not (data / name).is_dir():
            raise Refused(f"there is no folder {data / name}; --data holds train/ and val/.")
        try:
            folders.append(ImageFolder(data / name, v2.Compose(view), loader=_read_image))
        except FileNotFoundError as error:  # no class, or a class without images
            raise Refused(f"{data / name}: {str(error).partition('. ')[0]}.") from error
    train, val = folders
    if odd := set(train.classes) ^ set(val.classes):
        raise Refused(f"only one of train/ and val/ has the classes {', '.join(sorted(odd))}.")
    return [train, val]
