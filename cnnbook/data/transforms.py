"""What is done to images and their targets on the way to a network, and its constants."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

# Mean and standard deviation of the channels of ImageNet's training images, as torchvision and
# most trained weights take them.
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def centred(images: Tensor) -> Tensor:
    """Bring pixels from [0, 1] to about zero mean and unit spread, as the book's experiments do.

    Args:
        images: `(N, C, H, W)` in [0, 1].

    Returns:
        4 · (images − ½), the channels last in memory, which is faster on a CPU.

    Examples:
        >>> centred(torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 3)).flatten()
        tensor([-2.,  0.,  2.])
    """
    return (4 * (images - 0.5)).contiguous(memory_format=torch.channels_last)


def transform_of(task: str, size: int | None, augment: Callable | None) -> Callable | None:
    """What is done to each pair of image and target; None where nothing is."""
    if size is None and augment is None:
        return None
    from torchvision.transforms import v2

    steps = []
    if size is not None and task == "classification":
        steps += [v2.Resize(size), v2.CenterCrop(size)]
    elif size is not None:
        steps.append(v2.Resize((size, size)))
    if augment is not None and _is_old(augment):
        if task != "classification":
            raise ValueError(
                f"{type(augment).__name__} of torchvision.transforms changes the image and leaves "
                f"the {task} target where it is; take it from torchvision.transforms.v2."
            )
        steps.append(lambda image, target: (augment(image), target))
    elif augment is not None:
        steps.append(augment)
        if task == "detection":  # objects may have left the image
            steps += [v2.ClampBoundingBoxes(), v2.SanitizeBoundingBoxes()]
    return v2.Compose(steps)


def _is_old(augment: Callable) -> bool:
    """Whether a transform knows images only, as those of torchvision before v2."""
    return type(augment).__module__ == "torchvision.transforms.transforms"


def transformed(transform: Callable, image: Tensor, target) -> tuple[Tensor, object]:
    """Tell the transform what is a mask and what are boxes, so that they follow the image."""
    from torchvision import tv_tensors

    image = tv_tensors.Image(image)
    if isinstance(target, dict):
        boxes = tv_tensors.BoundingBoxes(
            target["boxes"], format="XYXY", canvas_size=image.shape[-2:]
        )
        target = {**target, "boxes": boxes}
    elif torch.is_tensor(target) and target.ndim == 2:
        target = tv_tensors.Mask(target)
    image, target = transform(image, target)
    return image.as_subclass(Tensor), target


def as_float(images: Tensor) -> Tensor:
    """Pixels in [0, 1], whether they come as such or in 8 bits."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


def as_target(target):
    """A target as an `ImageSet` gives it: plain tensors, labels as int64."""
    if isinstance(target, dict):
        return {key: value.as_subclass(Tensor) for key, value in target.items()}
    return torch.as_tensor(target).as_subclass(Tensor).long()


def flip_and_crop(size: int, padding: int = 4) -> Callable:
    """The augmentation of He et al. for CIFAR-10: pad, cut out at random, and flip half of them.

    Source: He et al., Deep Residual Learning for Image Recognition, 2015, section 4.2 (`size` 32,
    `padding` 4).

    Args:
        size: height and width of what is cut out, in pixels.
        padding: black pixels that are put on each side before; void (255) in a mask.

    Returns:
        A transform for `load(…, augment=…)`. A mirrored digit is no digit: not for those.

    Examples:
        >>> flip_and_crop(32)(torch.zeros(3, 32, 32)).shape
        torch.Size([3, 32, 32])
    """
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    fill = {tv_tensors.Mask: 255, "others": 0}
    return v2.Compose([v2.RandomCrop(size, padding=padding, fill=fill), v2.RandomHorizontalFlip()])


def channel_statistics(images: Tensor | Dataset | Sequence) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, over all pixels of all images.

    The standard deviation is that of the pixels. The mean of the standard deviations of single
    images is smaller, for images differ in brightness.

    Args:
        images: `(N, C, H, W)`, in [0, 1] or uint8; or pairs of an image and a target, the images
            of one size.

    Returns:
        Mean `(C,)` and standard deviation `(C,)`, float32, in [0, 1].

    Raises:
        ValueError: there is no image.

    Examples:
        >>> black_and_white = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
        >>> channel_statistics(black_and_white)
        (tensor([0.5000]), tensor([0.5000]))
    """
    if not len(images):
        raise ValueError("there is no image to take the statistics of.")
    count, total, squares = 0, 0.0, 0.0
    for start in range(0, len(images), 256):
        chunk = (
            images[start : start + 256]
            if torch.is_tensor(images)
            else torch.stack([images[k][0] for k in range(start, min(start + 256, len(images)))])
        )
        values = as_float(chunk).double().transpose(0, 1).flatten(1)  # (C, pixels)
        count += values.shape[1]
        total = total + values.sum(1)
        squares = squares + values.square().sum(1)
    mean = total / count
    return mean.float(), (squares / count - mean**2).clamp(min=0).sqrt().float()
