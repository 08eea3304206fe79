"""The real data sets: how each is fetched, read by torchvision, and normalised."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from cnnbook.data.archives import Archive, FetchError, digest, fetch
from cnnbook.data.bundled import digits
from cnnbook.data.transforms import IMAGENET

VOC_CLASSES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)


class Official(NamedTuple):
    """A data set in its official parts, as pairs of a uint8 image `(C, H, W)` and a target."""

    training: Dataset
    test: Dataset
    classes: tuple[str, ...]


class RealSet(NamedTuple):
    """What is known about a data set before it is loaded."""

    size: int  # height and width of the images, in pixels, unless another one is asked for
    tasks: dict[str, Callable[[Path, int], Official]]  # how to read it, from a root and a size
    # mean and standard deviation of each channel; None: computed when loaded
    statistics: tuple[tuple[float, ...], tuple[float, ...]] | None = None


def _digits(_root: Path, _size: int) -> Official:
    images, labels = digits()
    order = permutation(len(images))
    test, training = order[: len(order) // 5], order[len(order) // 5 :]
    return Official(
        TensorDataset(images[training], labels[training]),
        TensorDataset(images[test], labels[test]),
        tuple("0123456789"),
    )


# Sums of the uncompressed files in the order of torchvision's `resources`: whoever packs them
# anew, as Debian does, has other archives of the same images.
CONTENTS = {
    "MNIST": (
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
    "FashionMNIST": (
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
}
# torchvision has Fashion-MNIST over plain http only; its authors keep the same files here, too.
HTTPS = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
DEBIAN = Path("/usr/share/datasets")  # where the package dataset-fashion-mnist puts it


def _mnist(name: str, kind: str, root: Path, _size: int) -> Official:
    from torchvision import datasets

    kind = getattr(datasets, kind)
    place = f"{kind.__name__}/raw"
    files = [root / place / file.removesuffix(".gz") for file, _ in kind.resources]
    if torchvisions := all(file.is_file() for file in files):
        folder = root
    else:
        mirror = next((m for m in kind.mirrors if not m.startswith("http:")), HTTPS)
        archives = [
            Archive(mirror + file, md5, place, content)
            for (file, md5), content in zip(kind.resources, CONTENTS[kind.__name__])
        ]
        folder = fetch(name, archives, root, [DEBIAN / name])
    with _reading(root / kind.__name__ if torchvisions else folder):
        for file, content in zip(files if torchvisions else (), CONTENTS[kind.__name__]):
            if digest(file) != content:
                raise ValueError(f"{file.name} is not the published one")
        training, test = (kind(folder, train=train) for train in (True, False))
    pairs = (TensorDataset(part.data.unsqueeze(1), part.targets) for part in (training, test))
    return Official(*pairs, tuple(text.rpartition(" - ")[2] for text in kind.classes))


def _cifar(name: str, kind: str, root: Path, _size: int) -> Official:
    from torchvision import datasets

    kind = getattr(datasets, kind)
    folder, own = _found_or_fetched(name, Archive(kind.url, kind.tgz_md5), root, kind.base_folder)
    with _reading(own):
        training, test = (kind(folder, train=train) for train in (True, False))
    pairs = (
        TensorDataset(
            torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets)
        )
        for part in (training, test)
    )
    return Official(*pairs, tuple(training.classes))


def _found_or_fetched(name: str, archive: Archive, root: Path, unpacked: str) -> tuple[Path, Path]:
    """What torchvision needs as its root, and the data set's own folder in it or itself.

    A folder that torchvision's own download left under `root` is used as it is.
    """
    if (root / unpacked).is_dir():
        return root, root / unpacked
    folder = fetch(name, [archive], root)
    return folder, folder


def _imagenette(root: Path, size: int) -> Official:
    from torchvision.datasets import Imagenette
    from torchvision.transforms.v2.functional import pil_to_tensor

    # The archives hold the same images, reduced to a shorter side of 160 and 320 pixels, or whole.
    edition = "160px" if size <= 160 else "320px" if size <= 320 else "full"
    archive = Archive(*Imagenette._ARCHIVES[edition])
    unpacked = Path(archive.file).stem
    folder, own = _found_or_fetched(f"imagenette-{edition}", archive, root, unpacked)
    with _reading(own):
        training, test = (
            Imagenette(folder, split, edition, transform=pil_to_tensor)
            for split in ("train", "val")
        )
    return Official(training, test, tuple(names[0] for names in training.classes))


def _voc(kind: str, pair: Callable, root: Path, _size: int) -> Official:
    from torchvision import datasets

    known = datasets.voc.DATASET_YEAR_DICT["2012"]
    archive = Archive(known["url"], known["md5"])
    folder, own = _found_or_fetched("voc", archive, root, known["base_dir"])
    with _reading(own):
        training, test = (
            getattr(datasets, kind)(folder, "2012", part, transforms=pair)
            for part in ("train", "val")
        )
    return Official(training, test, VOC_CLASSES)


def _voc_mask(image, mask) -> tuple[Tensor, Tensor]:
    from torchvision.transforms.v2.functional import pil_to_tensor

    return pil_to_tensor(image), pil_to_tensor(mask)[0]


def _voc_boxes(image, annotation: dict) -> tuple[Tensor, dict[str, Tensor]]:
    from torchvision.transforms.v2.functional import pil_to_tensor

    objects = [
        thing for thing in annotation["annotation"]["object"] if thing.get("difficult") != "1"
    ]
    # VOC counts pixels from 1 and includes the last one; here from 0, and the last is excluded.
    boxes = [
        [float(thing["bndbox"][side]) - shift for side, shift in _VOC_SIDES.items()]
        for thing in objects
    ]
    labels = [VOC_CLASSES.index(thing["name"]) for thing in objects]
    return pil_to_tensor(image), {
        "boxes": torch.tensor(boxes).view(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
    }


_VOC_SIDES = {"xmin": 1, "ymin": 1, "xmax": 0, "ymax": 0}


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Files that were unpacked whole, and damaged or deleted since."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        raise FetchError(
            f"the files in {folder} cannot be read ({error}); delete this folder and load again."
        ) from error


def permutation(length: int) -> np.ndarray:
    """An order that is the same everywhere: NumPy promises never to change this generator."""
    return np.random.RandomState(0).permutation(length)


# Mean and standard deviation of all pixels of all official training images, of each channel, in
# [0, 1]; as published, for the sets cannot be downloaded where the book is tested. The popular
# (0.2023, 0.1994, 0.2010) for CIFAR-10 is another number: the mean of the standard deviations of
# single images. ImageNet's are those that the pretrained networks of torchvision expect.

REAL = {
    "digits": RealSet(8, {"classification": _digits}),
    "mnist": RealSet(
        28, {"classification": partial(_mnist, "mnist", "MNIST")}, ((0.1307,), (0.3081,))
    ),
    "fashion-mnist": RealSet(
        28,
        {"classification": partial(_mnist, "fashion-mnist", "FashionMNIST")},
        ((0.2860,), (0.3530,)),
    ),
    "cifar10": RealSet(
        32,
        {"classification": partial(_cifar, "cifar10", "CIFAR10")},
        ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    ),
    "cifar100": RealSet(
        32,
        {"classification": partial(_cifar, "cifar100", "CIFAR100")},
        ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    ),
    "imagenette": RealSet(160, {"classification": _imagenette}, IMAGENET),
    "voc": RealSet(
        256,
        {
            "segmentation": partial(_voc, "VOCSegmentation", _voc_mask),
            "detection": partial(_voc, "VOCDetection", _voc_boxes),
        },
        IMAGENET,
    ),
}
