"""Data that a lesson can have at once: real digits, real photographs, and drawn shapes.

The digits and photographs ship with scikit-learn. The shapes are drawn in memory from a seed, with
a label, a mask and a box for each image, so that one set serves every task of the book.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

SHAPES = (
    "circle",
    "square",
    "triangle",
    "pentagon",
    "star",
    "cross",
    "ring",
    "half-disc",
    "flower",
    "crescent",
)
PHOTOGRAPHS = ("china", "flower")


class Shapes(NamedTuple):
    """Drawn images and everything that is known about them."""

    images: Tensor  # (N, 3, size, size), float32 in [0, 1]
    labels: Tensor  # (N,), int64, an index into SHAPES
    masks: Tensor  # (N, size, size), bool: the pixels that belong to the shape
    boxes: Tensor  # (N, 4), float32: x0, y0, x1, y1 of the mask, in pixels


def shapes(count: int, size: int = 32, *, hard: bool = False, seed: int = 0) -> Shapes:
    """Draw images of ten kinds of shapes, of random colour, size, place and turn.

    The same arguments give the same images: the random numbers are drawn on the CPU, and the
    images are rounded to 8 bits as a camera's are.

    Args:
        count: number of images.
        size: height and width, in pixels.
        hard: add more noise and two bars that may hide parts of the shape.
        seed: seed of the random numbers; use another one for the validation images.

    Returns:
        Images, labels, masks and boxes.

    Raises:
        ValueError: `count` or `size` is too small.

    Examples:
        >>> drawn = shapes(5, seed=1)
        >>> drawn.images.shape, [SHAPES[k] for k in drawn.labels[:2]]
        (torch.Size([5, 3, 32, 32]), ['cross', 'crescent'])
    """
    if count < 1:
        raise ValueError(f"count is {count}; at least 1 image can be drawn.")
    if size < 12:
        raise ValueError(f"size is {size} pixels; a shape needs at least 12.")
    generator = torch.Generator().manual_seed(seed)
    chunk = max(1, 2_000_000 // size**2)  # bounds the memory of the intermediate tensors
    parts = [
        _draw(min(chunk, count - start), size, hard, generator) for start in range(0, count, chunk)
    ]
    return Shapes(*(torch.cat(tensors) for tensors in zip(*parts)))


def _draw(count: int, size: int, hard: bool, generator: torch.Generator) -> Shapes:
    def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return torch.rand(count, *shape, generator=generator) * (high - low) + low

    labels = torch.randint(len(SHAPES), (count,), generator=generator)
    radius = uniform(1, 1, low=0.28, high=0.44) * size
    reach = radius.expand(count, 1, 1)
    centre_x = reach + uniform(1, 1) * (size - 1 - 2 * reach)
    centre_y = reach + uniform(1, 1) * (size - 1 - 2 * reach)
    turn = uniform(1, 1, high=2 * math.pi)

    axis = torch.arange(size, dtype=torch.float32)
    x = axis.view(1, 1, size) - centre_x  # (N, 1, W)
    y = axis.view(1, size, 1) - centre_y  # (N, H, 1)
    distance = torch.sqrt(x**2 + y**2)  # (N, H, W)
    angle = torch.atan2(y, x) - turn
    table = _outlines()[labels]  # (N, angles)
    steps = table.shape[1]
    place = (angle / (2 * math.pi) % 1 * steps).long().clamp(max=steps - 1)
    outline = table.gather(1, place.flatten(1)).view_as(distance) * radius
    inside = outline - distance  # pixels to the edge, positive inside

    hole_radius, hole_shift = _HOLES[labels].view(count, 2, 1, 1).unbind(1)
    hole_x = x - hole_shift * radius * torch.cos(turn)
    hole_y = y - hole_shift * radius * torch.sin(turn)
    in_hole = hole_radius * radius - torch.sqrt(hole_x**2 + hole_y**2)
    inside = torch.minimum(inside, torch.where(hole_radius > 0, -in_hole, inside))
    opacity = torch.sigmoid(3 * inside).unsqueeze(1)  # soft edges, (N, 1, H, W)

    ground = uniform(3, 1, 1, low=0.15, high=0.85)
    shift = uniform(3, 1, 1, low=0.4, high=0.5)  # keeps every shape visible on its ground
    colour = torch.where(ground > 0.5, ground - shift, ground + shift)
    coarse = torch.randn(count, 3, 5, 5, generator=generator) * 0.05
    texture = F.interpolate(coarse, (size, size), mode="bilinear", align_corners=True)
    images = torch.lerp(ground + texture, colour + 0.3 * texture, opacity)
    if hard:
        for _ in range(2):
            images = _bar(images, uniform, size)
    noise = 0.08 if hard else 0.02
    images = images + noise * torch.randn(images.shape, generator=generator)
    images = (images.clamp(0, 1) * 255).round() / 255

    masks = inside > 0
    return Shapes(images, labels, masks, _boxes(masks))


def _outlines(steps: int = 720) -> Tensor:
    """Radius of each shape's outline at `steps` angles, as a fraction of its largest radius."""
    angle = (torch.arange(steps, dtype=torch.float64) + 0.5) / steps * 2 * math.pi

    def polygon(corners: int) -> Tensor:
        sector = 2 * math.pi / corners
        return math.cos(sector / 2) / torch.cos(angle % sector - sector / 2)

    one = torch.ones_like(angle)
    fold = (angle / (2 * math.pi) * 5 % 1 - 0.5).abs() * 2  # 1 at a star's tip, 0 between
    inner = 0.42
    tip = 2 * math.pi / 10
    # the straight edge between a tip at radius 1 and a notch at radius `inner`
    from_tip = (1 - fold) * tip
    star = inner * math.sin(tip) / (inner * torch.sin(tip - from_tip) + torch.sin(from_tip))
    arm = torch.maximum(torch.cos(angle).abs(), torch.sin(angle).abs())
    across = torch.minimum(torch.cos(angle).abs(), torch.sin(angle).abs())
    cross = torch.minimum(0.95 / arm, 0.32 / across.clamp(min=1e-9))
    # a half-disc of radius 1 seen from a point 0.4 above its straight side
    up = torch.sin(angle)
    to_arc = -0.4 * up + torch.sqrt((0.4 * up) ** 2 + 1 - 0.16)
    to_side = torch.where(up < 0, 0.4 / (-up).clamp(min=1e-9), torch.full_like(up, 9.0))
    half_disc = torch.minimum(to_arc, to_side)
    flower = 0.72 + 0.28 * torch.cos(6 * angle)
    rows = [one, polygon(4), polygon(3), polygon(5), star, cross, one, half_disc, flower, one]
    return torch.stack(rows).float()


# Radius and shift of the round hole in each shape, in fractions of the shape's radius.
_HOLES = torch.zeros(len(SHAPES), 2)
_HOLES[SHAPES.index("ring")] = torch.tensor([0.55, 0.0])
_HOLES[SHAPES.index("crescent")] = torch.tensor([0.8, 0.55])


def _bar(images: Tensor, uniform, size: int) -> Tensor:
    """Lay a bar of random colour, place and turn over each image."""
    turn = uniform(1, 1, high=math.pi)
    axis = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    across = axis.view(1, 1, size) * torch.cos(turn) + axis.view(1, size, 1) * torch.sin(turn)
    place = uniform(1, 1, low=-0.3, high=0.3) * size
    width = uniform(1, 1, low=0.03, high=0.06) * size
    opacity = torch.sigmoid(3 * (width - (across - place).abs())).unsqueeze(1)
    return torch.lerp(images, uniform(3, 1, 1).expand_as(images), opacity)


def _boxes(masks: Tensor) -> Tensor:
    """Smallest boxes around masks `(N, H, W)`: x0, y0, x1, y1, the last two exclusive."""
    sides = []
    for dim in (1, 2):  # over rows gives columns, that is x; over columns gives rows, that is y
        line = masks.any(dim).byte()
        first = line.argmax(1)
        last = line.shape[1] - line.flip(1).argmax(1)
        sides.append((first, last))
    (x0, x1), (y0, y1) = sides
    return torch.stack([x0, y0, x1, y1], 1).float()


def digits() -> tuple[Tensor, Tensor]:
    """Real handwritten digits, 8×8 pixels, that ship with scikit-learn.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.

    Returns:
        Images `(1797, 1, 8, 8)`, float32 in [0, 1], and labels `(1797,)`, int64.

    Examples:
        >>> images, labels = digits()
        >>> images.shape, labels[:5].tolist()
        (torch.Size([1797, 1, 8, 8]), [0, 1, 2, 3, 4])
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(bunch.images).float().unsqueeze(1) / 16
    return images, torch.from_numpy(bunch.target).long()


def photograph(name: str = "china", *, height: int | None = None) -> Tensor:
    """A real photograph that ships with scikit-learn.

    Args:
        name: `"china"` (a temple) or `"flower"` (a dahlia).
        height: height to reduce the photograph to, in pixels; the aspect ratio stays. The
            original is 427 pixels high and 640 wide.

    Returns:
        The photograph, `(3, H, W)`, float32 in [0, 1].

    Raises:
        ValueError: there is no photograph of that name.

    Examples:
        >>> photograph("china").shape
        torch.Size([3, 427, 640])
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"there is no photograph {name!r}; choose from {', '.join(PHOTOGRAPHS)}.")
    from sklearn.datasets import load_sample_image

    picture = torch.tensor(load_sample_image(f"{name}.jpg")).permute(2, 0, 1).float() / 255
    if height is None:
        return picture
    width = round(picture.shape[2] * height / picture.shape[1])
    reduced = F.interpolate(
        picture.unsqueeze(0), (height, width), mode="bilinear", antialias=True, align_corners=False
    )
    return reduced.squeeze(0).clamp(0, 1)


def batches(
    images: Tensor, labels: Tensor, *, batch_size: int = 64, seed: int | None = None
) -> DataLoader:
    """Cut images and labels into batches.

    Args:
        images: `(N, C, H, W)`.
        labels: `(N,)`.
        batch_size: images in a batch; the last one may be smaller.
        seed: shuffle anew in each epoch, from this seed; `None` keeps the order.

    Examples:
        >>> [len(x) for x, y in batches(torch.zeros(5, 1, 8, 8), torch.zeros(5), batch_size=2)]
        [2, 2, 1]
    """
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return DataLoader(
        TensorDataset(images, labels),
        batch_size=batch_size,
        shuffle=seed is not None,
        generator=generator,
    )
