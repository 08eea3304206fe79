"""All data sets by one call, in the same splits and types."""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, default_collate

from cnnbook.data.archives import data_folder
from cnnbook.data.drawn import SHAPES, scenes, shapes
from cnnbook.data.real import REAL, permutation
from cnnbook.data.transforms import (
    as_float,
    as_target,
    channel_statistics,
    transform_of,
    transformed,
)
from cnnbook.names import suggestion
from cnnbook.numbers import integer

TASKS = ("classification", "segmentation", "detection")
HELD_OUT = 1000  # drawn images of the validation split, and of the test split


class ImageSet(Dataset):
    """Images with their targets, ready for a network.

    An item is a pair of an image `(C, H, W)`, float32 in [0, 1] or normalised, and a target:

    - classification: the label, int64, an index into `classes`.
    - segmentation: the class of each pixel `(H, W)`, int64. 0 is the background; 255 (void) is
      where the truth is not known or an augmentation looked beyond the image.
    - detection: a dict of `boxes` `(K, 4)`, float32, x0, y0, x1, y1 in pixels, and `labels`
      `(K,)`, int64, at least 1: 0 is the background, as torchvision's detectors want it.

    Attributes:
        classes: their names; `"background"` is the first one in segmentation and detection.
        mean: of each channel over all pixels of the training images, in [0, 1].
        std: standard deviation of the same pixels.
    """

    def __init__(
        self,
        pairs: Dataset | Sequence,
        classes: tuple[str, ...],
        mean: Tensor,
        std: Tensor,
        *,
        transform: Callable | None = None,
        normalise: bool = False,
    ) -> None:
        self.classes, self.mean, self.std = classes, mean, std
        self._pairs, self._transform, self._normalise = pairs, transform, normalise

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f"ImageSet({len(self):,} images, {len(self.classes)} classes)"

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor | dict[str, Tensor]]:
        image, target = self._pairs[index]
        image = as_float(image)
        if self._transform is not None:
            image, target = transformed(self._transform, image, target)
        return self._finished(image), as_target(target)

    def __getitems__(self, indices: list[int]) -> list[tuple]:
        """A batch, as a DataLoader asks for it; at once where nothing is done image by image."""
        if self._transform is not None or not isinstance(self._pairs, TensorDataset):
            return [self[index] for index in indices]
        images, targets = self._pairs[indices]
        return list(zip(self._finished(as_float(images)), as_target(targets)))

    def _finished(self, images: Tensor) -> Tensor:
        if not self._normalise:
            return images
        return (images - self.mean.view(-1, 1, 1)) / self.std.view(-1, 1, 1)


class Splits(NamedTuple):
    """The three parts of a data set; each of its images is in one of them only."""

    train: ImageSet
    validation: ImageSet  # to choose with
    test: ImageSet  # to report


def load(
    name: str,
    task: str = "classification",
    *,
    size: int | None = None,
    count: int | None = None,
    augment: Callable | None = None,
    normalise: bool = False,
    root: str | os.PathLike | None = None,
    seed: int = 0,
) -> Splits:
    """Load a data set, in splits that are the same everywhere.

    | name | tasks | train, validation, test | size |
    |---|---|---|---|
    | shapes | all three | 10,000 (2,000), 1,000, 1,000 | 32 (64), any |
    | digits | classification | 1,295, 143, 359 | 8 |
    | mnist, fashion-mnist | classification | 54,000, 6,000, 10,000 | 28 |
    | cifar10, cifar100 | classification | 45,000, 5,000, 10,000 | 32 |
    | imagenette | classification | nine tenths, a tenth of its training part; its `val` | 160 |
    | voc | segmentation, detection | nine tenths, a tenth of 2012's `train`; its `val` | 256 |

    The shapes are drawn, one an image for classification, else scenes (the numbers in brackets);
    the digits ship with scikit-learn; the others are downloaded once, through torchvision's
    addresses, and kept in `root`. What lies there already, as torchvision's own download or
    Debian's package `dataset-fashion-mnist` put it, is taken from there. The official test images
    are the test split. Imagenette and VOC 2012 publish none: there it is their validation part.
    The validation split is a tenth of the official training images, drawn by lot with a fixed
    seed; of the digits, a fifth is the test split first. Objects that VOC marks as difficult are
    left out.

    Args:
        name: a name of the table.
        task: `"classification"`, `"segmentation"` or `"detection"`.
        size: height and width of the images, in pixels. Shapes are drawn at it. Others are
            resized: for classification the shorter side, and the middle is cut out; for the other
            tasks both sides, so that no object is lost.
        count: number of training images, from the front of the split; `None` takes all, or the
            number of the table. It changes neither validation nor test.
        augment: transform of `torchvision.transforms.v2` for training images in [0, 1]; boxes and
            masks follow it. It draws from torch's global random numbers.
        normalise: subtract the mean and divide by the standard deviation of each channel.
        root: folder of the downloads; else the environment variable CNNBOOK_DATA, else
            `~/.cache/cnnbook`.
        seed: of the drawn shapes; each seed gives three splits of its own.

    Returns:
        Train, validation and test images, each with `classes`, `mean` and `std`.

    Raises:
        ValueError: no such name or task, or a `size` or `count` that cannot be.
        FetchError: no network, a broken archive, or a folder that cannot be written; nothing
            half-written is left behind.

    Examples:
        >>> train, validation, test = load("digits")
        >>> len(train), len(validation), len(test)
        (1295, 143, 359)
        >>> image, label = train[0]
        >>> image.shape, train.classes[label]
        (torch.Size([1, 8, 8]), '3')
    """
    tasks = {"shapes": TASKS} | {known: tuple(real.tasks) for known, real in REAL.items()}
    if not isinstance(name, str) or name not in tasks:
        raise ValueError(f"there is no data set {name!r}; {suggestion(str(name).lower(), tasks)}")
    if task not in tasks[name]:
        raise ValueError(f"{name} has no task {task!r}; choose from {', '.join(tasks[name])}.")
    size = None if size is None else integer("size", size, least=1)
    count = None if count is None else integer("count", count, least=1)
    seed = integer("seed", seed, least=-(2**32))
    if augment is not None and (isinstance(augment, type) or not callable(augment)):
        told = "is a class; build one of it" if isinstance(augment, type) else "cannot be called"
        raise ValueError(f"augment is {augment!r}, which {told}.")
    if not isinstance(root, (str, os.PathLike, type(None))):
        raise ValueError(f"root is {root!r}; give the path of a folder.")

    resize = published = None
    if name == "shapes":
        whole = task == "classification"
        counts = (count or (10_000 if whole else 2_000), HELD_OUT, HELD_OUT)
        parts = [
            _drawn(task, number, size or (32 if whole else 64), 3 * seed + k)
            for k, number in enumerate(counts)
        ]
        classes = SHAPES if whole else ("background", *SHAPES)
    else:
        real = REAL[name]
        training, test, classes = real.tasks[task](data_folder(root), size or real.size)
        order = permutation(len(training))
        validation, rest = order[: len(order) // 10], order[len(order) // 10 :]
        if count is not None and count > len(rest):
            raise ValueError(f"count is {count}, but {name} has {len(rest)} training images.")
        parts = [_take(training, rest[:count]), _take(training, validation), test]
        published = real.statistics
        if size not in (None, real.size) or not isinstance(test, TensorDataset):
            resize = size or real.size

    mean, std = map(torch.tensor, published) if published else channel_statistics(parts[0])
    return Splits(
        *(
            ImageSet(
                part,
                classes,
                mean,
                std,
                transform=transform_of(task, resize, augment if part is parts[0] else None),
                normalise=normalise,
            )
            for part in parts
        )
    )


def _drawn(task: str, count: int, size: int, seed: int) -> Dataset | list:
    """Drawn images, kept in 8 bits, with their targets."""
    draw = shapes if task == "classification" else scenes
    drawn = draw(count, size, seed=seed)
    images = (drawn.images * 255).round().byte()
    if task == "classification":
        return TensorDataset(images, drawn.labels)
    if task == "segmentation":
        return TensorDataset(images, drawn.masks.byte())
    targets = zip(drawn.boxes, drawn.labels)
    return [(image, {"boxes": b, "labels": k}) for image, (b, k) in zip(images, targets)]


def _take(pairs: Dataset, indices: np.ndarray) -> Dataset:
    if isinstance(pairs, TensorDataset):
        return TensorDataset(*(tensor[indices] for tensor in pairs.tensors))
    return Subset(pairs, indices.tolist())


def batches(
    images: Tensor | Dataset,
    labels: Tensor | None = None,
    *,
    batch_size: int = 64,
    seed: int | None = None,
) -> DataLoader:
    """Cut images and labels, or a data set, into batches.

    The targets of a detection set stay a list, for each image has boxes of its own number.

    Args:
        images: `(N, C, H, W)`; or a data set of images and targets, then without `labels`.
        labels: `(N,)`.
        batch_size: images in a batch; the last one may be smaller.
        seed: shuffle anew in each epoch, from this seed; `None` keeps the order.

    Raises:
        ValueError: a tensor of images comes without labels, there are not as many of both, they are
            something else, or a number cannot be.

    Examples:
        >>> [len(x) for x, y in batches(torch.zeros(5, 1, 8, 8), torch.zeros(5), batch_size=2)]
        [2, 2, 1]
        >>> images, labels = next(iter(batches(load("digits").train, batch_size=100, seed=0)))
        >>> images.shape
        torch.Size([100, 1, 8, 8])
    """
    batch_size = integer("batch_size", batch_size, least=1)
    seed = None if seed is None else integer("seed", seed, least=-(2**63))
    if labels is not None:
        if not (torch.is_tensor(images) and torch.is_tensor(labels) and images.dim()):
            given = " and ".join(type(x).__name__ for x in (images, labels))
            raise ValueError(f"images and labels are {given}; hand over two tensors.")
        if labels.shape[:1] != images.shape[:1]:
            counts = f"{len(images)} images and {len(labels) if labels.dim() else 1} labels"
            raise ValueError(f"there are {counts}; each image needs one.")
        images = TensorDataset(images, labels)
    elif torch.is_tensor(images) or isinstance(images, np.ndarray):
        raise ValueError("the images come without labels; give batches(images, labels) of tensors.")
    elif isinstance(images, (DataLoader, tuple)) or not hasattr(images, "__getitem__"):
        raise ValueError(
            f"a data set is wanted, which has a length and gives a pair of image and target for "
            f"each number; this is a {type(images).__name__}."
        )
    if seed is not None and not len(images):
        raise ValueError("there are no images to shuffle.")
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return DataLoader(
        images,
        batch_size=batch_size,
        shuffle=seed is not None,
        generator=generator,
        collate_fn=_collate,
    )


def _collate(items: list) -> tuple | list:
    if not isinstance(items[0], (tuple, list)) or len(items[0]) < 2:
        raise ValueError("the data set gives images without targets; it must give pairs of both.")
    if isinstance(items[0], tuple) and isinstance(items[0][1], dict):
        images, targets = zip(*items)
        return torch.stack(images), list(targets)
    return default_collate(items)
