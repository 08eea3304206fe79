"""Shapes drawn in memory from a seed: labels, masks and boxes are known exactly."""

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

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


class Shapes(NamedTuple):
    """Drawn images and everything that is known about them."""

    images: Tensor  # (N, 3, size, size), float32 in [0, 1]
    labels: Tensor  # (N,), int64, an index into SHAPES
    masks: Tensor  # (N, size, size), bool: the pixels that belong to the shape
    boxes: Tensor  # (N, 4), float32: x0, y0, x1, y1 of the mask, in pixels


class Scenes(NamedTuple):
    """Drawn images of several objects each, and everything that is known about them.

    Class 0 is the background; class `k` is the shape `SHAPES[k - 1]`.
    """

    images: Tensor  # (N, 3, size, size), float32 in [0, 1]
    masks: Tensor  # (N, size, size), int64: the class of each pixel
    instances: Tensor  # (N, size, size), int64: 0 background, k for row k - 1 of boxes and labels
    boxes: list[Tensor]  # of each image (K, 4), float32: x0, y0, x1, y1 of what is seen, in pixels
    labels: list[Tensor]  # of each image (K,), int64: the class of each object, at least 1


def shapes(count: int, size: int = 32, *, hard: bool = False, seed: int = 0) -> Shapes:
    """Draw images of one shape each, of ten kinds, of random colour, size, place and turn.

    The same arguments give the same images, whatever the number of threads: the random numbers
    are drawn on the CPU, and the images are rounded to 8 bits as a camera's are. (Another kind of
    processor may give a few values in a million otherwise: it rounds its sines differently.)

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
    _check(count, size, least=12)
    generator = torch.Generator().manual_seed(seed)
    chunk = max(1, 2_000_000 // size**2)  # bounds the memory; the random numbers come chunk-wise
    parts = []
    with _one_thread():
        for start in range(0, count, chunk):
            numbers = _random_shapes(min(chunk, count - start), size, hard, generator)
            blocks = zip(*(tensor.split(64) for tensor in numbers))  # stay in the cache
            parts += [_draw(size, *block) for block in blocks]
    return Shapes(*(torch.cat(tensors) for tensors in zip(*parts)))


def scenes(
    count: int, size: int = 64, *, objects: int = 3, clutter: int = 4, seed: int = 0
) -> Scenes:
    """Draw images of several shapes that may overlap, among strokes that belong to no class.

    Each image holds 1 to `objects` shapes. An object of which less than a quarter would be seen
    behind the others is left out, so that every object has pixels, a box and a label. Boxes
    enclose what is seen of an object. The objects of an image are numbered from front to back.

    Args:
        count: number of images.
        size: height and width, in pixels.
        objects: the most objects in an image.
        clutter: strokes in each image, behind the objects.
        seed: seed of the random numbers; use another one for the validation images.

    Returns:
        Images, class masks, instance masks, and for each image boxes and labels.

    Raises:
        ValueError: `count`, `size` or `objects` is too small, or `clutter` negative.

    Examples:
        >>> drawn = scenes(5, seed=1)
        >>> drawn.images.shape, [SHAPES[k - 1] for k in drawn.labels[0]]
        (torch.Size([5, 3, 64, 64]), ['cross'])
    """
    _check(count, size, least=28)
    if objects < 1:
        raise ValueError(f"objects is {objects}; an image holds at least 1 object.")
    if clutter < 0:
        raise ValueError(f"clutter is {clutter}; it is a number of strokes, 0 or more.")
    generator = torch.Generator().manual_seed(seed)
    part = max(1, 200_000 // size**2)  # images that stay in the cache
    with _one_thread():
        parts = [
            _draw_scenes(min(part, count - start), size, objects, clutter, generator)
            for start in range(0, count, part)
        ]
    *dense, boxes, labels = zip(*parts)
    return Scenes(*map(torch.cat, dense), list(chain(*boxes)), list(chain(*labels)))


def _check(count: int, size: int, least: int) -> None:
    if count < 1:
        raise ValueError(f"count is {count}; at least 1 image can be drawn.")
    if size < least:
        raise ValueError(f"size is {size} pixels; a shape needs at least {least}.")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch rounds the last bit otherwise where it cuts a tensor among threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _uniform(count: int, generator: torch.Generator) -> Callable[..., Tensor]:
    def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return torch.rand(count, *shape, generator=generator) * (high - low) + low

    return uniform


def _random_shapes(
    count: int, size: int, hard: bool, generator: torch.Generator
) -> tuple[Tensor, ...]:
    """All random numbers of `count` images, in the order of `_draw`'s arguments."""
    uniform = _uniform(count, generator)
    labels = torch.randint(len(SHAPES), (count,), generator=generator)
    radius = uniform(1, 1, low=0.28, high=0.44) * size
    centre_x = radius + uniform(1, 1) * (size - 1 - 2 * radius)
    centre_y = radius + uniform(1, 1) * (size - 1 - 2 * radius)
    turn = uniform(1, 1, high=2 * math.pi)
    ground = uniform(3, 1, 1, low=0.15, high=0.85)
    shift = uniform(3, 1, 1, low=0.4, high=0.5)  # keeps every shape visible on its ground
    colour = torch.where(ground > 0.5, ground - shift, ground + shift)
    coarse = torch.randn(count, 3, 5, 5, generator=generator) * 0.05
    bars = []
    for _ in range(2 if hard else 0):
        bars.append(uniform(1, 1, high=math.pi))
        bars.append(uniform(1, 1, low=-0.3, high=0.3) * size)
        bars.append(uniform(1, 1, low=0.03, high=0.06) * size)
        bars.append(uniform(3, 1, 1))
    noise = torch.randn(count, 3, size, size, generator=generator)
    noise *= 0.08 if hard else 0.02
    return labels, radius, centre_x, centre_y, turn, ground, colour, coarse, noise, *bars


def _draw(
    size: int,
    labels: Tensor,
    radius: Tensor,
    centre_x: Tensor,
    centre_y: Tensor,
    turn: Tensor,
    ground: Tensor,
    colour: Tensor,
    coarse: Tensor,
    noise: Tensor,
    *bars: Tensor,
) -> Shapes:
    inside = _inside(size, labels, radius, centre_x, centre_y, turn)
    texture = _texture(coarse, size)
    images = torch.lerp(ground + texture, colour + 0.3 * texture, _opacity(inside))
    for bar in zip(*[iter(bars)] * 4):
        images = _lay_bar(images, size, *bar)
    masks = inside > 0
    return Shapes(_as_photographed(images, noise), labels, masks, _boxes(masks))


def _inside(
    size: int, labels: Tensor, radius: Tensor, centre_x: Tensor, centre_y: Tensor, turn: Tensor
) -> Tensor:
    """Distance of each pixel `(N, H, W)` to the outline, along the ray from the centre.

    It is positive inside. `labels` are `(N,)`; radius and centre in pixels and turn in radians are
    `(N, 1, 1)`.
    """
    axis = torch.arange(size, dtype=torch.float32)
    x = axis.view(1, 1, size) - centre_x  # (N, 1, W)
    y = axis.view(1, size, 1) - centre_y  # (N, H, 1)
    table = _outlines()[labels]  # (N, angles)
    steps = table.shape[1]
    angle = torch.atan2(y, x).sub_(turn)
    place = angle.div_(2 * math.pi).remainder_(1).mul_(steps).long().clamp_(max=steps - 1)
    outline = table.gather(1, place.flatten(1)).view_as(angle).mul_(radius)
    inside = outline.sub_(torch.sqrt(x**2 + y**2))

    holes = _HOLES[labels].view(-1, 2, 1, 1)
    holed = holes[:, 0].flatten().nonzero().flatten()
    hole_radius, hole_shift = holes[holed].unbind(1)
    radius, turn = radius[holed], turn[holed]
    hole_x = x[holed] - hole_shift * radius * torch.cos(turn)
    hole_y = y[holed] - hole_shift * radius * torch.sin(turn)
    in_hole = hole_radius * radius - torch.sqrt(hole_x**2 + hole_y**2)
    inside[holed] = torch.minimum(inside[holed], -in_hole)
    return inside


def _opacity(inside: Tensor) -> Tensor:
    """Soft edges: from `(N, H, W)` to `(N, 1, H, W)`."""
    return torch.sigmoid(3 * inside).unsqueeze(1)


def _texture(coarse: Tensor, size: int) -> Tensor:
    return F.interpolate(coarse, (size, size), mode="bilinear", align_corners=True)


def _as_photographed(images: Tensor, noise: Tensor) -> Tensor:
    """Add noise, and round to 8 bits; changes `images`."""
    return images.add_(noise).clamp_(0, 1).mul_(255).round_().div_(255)


@functools.cache
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


def _lay_bar(
    images: Tensor, size: int, turn: Tensor, place: Tensor, width: Tensor, colour: Tensor
) -> Tensor:
    """Lay a bar over each whole image."""
    axis = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    across = axis.view(1, 1, size) * torch.cos(turn) + axis.view(1, size, 1) * torch.sin(turn)
    return torch.lerp(images, colour.expand_as(images), _opacity(width - (across - place).abs()))


def _boxes(masks: Tensor) -> Tensor:
    """Smallest boxes around masks `(N, H, W)`: x0, y0, x1, y1, the last two exclusive."""
    sides = []
    for dim in (1, 2):  # over rows gives columns, that is x; over columns gives rows, that is y
        line = masks.view(torch.uint8).amax(dim)  # any, but faster
        first = line.argmax(1)
        last = line.shape[1] - line.flip(1).argmax(1)
        sides.append((first, last))
    (x0, x1), (y0, y1) = sides
    return torch.stack([x0, y0, x1, y1], 1).float()


def _draw_scenes(
    count: int, size: int, objects: int, clutter: int, generator: torch.Generator
) -> Scenes:
    uniform = _uniform(count, generator)
    hue = uniform(1)
    images = uniform(1, 1, 1, low=0.3, high=0.7) + 0.05 * _texture(
        torch.randn(count, 3, 5, 5, generator=generator), size
    )  # a grey ground: no object has its colour
    for _ in range(clutter):
        images = _lay_stroke(images, size, uniform)

    wanted = torch.randint(1, objects + 1, (count, 1), generator=generator)
    labels = torch.randint(len(SHAPES), (count, objects), generator=generator)
    radius = uniform(objects, low=0.13, high=0.26) * size
    centre_x = radius + uniform(objects) * (size - 1 - 2 * radius)
    centre_y = radius + uniform(objects) * (size - 1 - 2 * radius)
    turn = uniform(objects, high=2 * math.pi)
    places = (number.view(-1, 1, 1) for number in (radius, centre_x, centre_y, turn))
    inside = _inside(size, labels.flatten(), *places).unflatten(0, (count, objects))

    covers = inside > 0
    covered = torch.zeros(count, size, size, dtype=torch.bool)
    seen = torch.zeros_like(covers)  # what is seen of each object, (N, objects, H, W)
    for k in range(objects):  # from front to back
        free = covers[:, k] & ~covered
        share = free.sum((1, 2)) / covers[:, k].sum((1, 2))
        kept = (share >= 0.25) & (wanted[:, 0] > k)
        seen[:, k] = free & kept.view(-1, 1, 1)
        covered |= seen[:, k]
    kept = seen.any(-1).any(-1)  # (N, objects)

    # Hues at about equal distances: no two objects of an image have the same colour.
    hues = hue + (torch.arange(objects) + uniform(objects, low=-0.2, high=0.2)) / objects
    for k in reversed(range(objects)):
        opacity = _opacity(inside[:, k]) * kept[:, k].view(-1, 1, 1, 1)
        images = torch.lerp(images, _colour(hues[:, k]).expand_as(images), opacity)
    images = _as_photographed(images, 0.02 * torch.randn(images.shape, generator=generator))

    numbers = kept.cumsum(1) * kept  # 1, 2, … from front to back, of those that were kept
    classes = labels + 1
    boxes = _boxes(seen.flatten(0, 1)).view(count, objects, 4)
    return Scenes(
        images,
        (seen * classes.byte().view(count, objects, 1, 1)).sum(1),
        (seen * numbers.byte().view(count, objects, 1, 1)).sum(1),
        [box[here] for box, here in zip(boxes, kept)],
        [label[here] for label, here in zip(classes, kept)],
    )


def _lay_stroke(images: Tensor, size: int, uniform: Callable[..., Tensor]) -> Tensor:
    """Lay a short stroke with round ends over each image: too long and thin for any shape."""
    x = torch.arange(size).view(1, 1, size) - uniform(1, 1) * size
    y = torch.arange(size).view(1, size, 1) - uniform(1, 1) * size
    turn = uniform(1, 1, high=math.pi)
    length = uniform(1, 1, low=0.05, high=0.1) * size
    width = uniform(1, 1, low=0.015, high=0.03) * size
    along = x * torch.cos(turn) + y * torch.sin(turn)
    across = y * torch.cos(turn) - x * torch.sin(turn)
    beyond = (along.abs() - length).clamp(min=0)
    inside = width - torch.sqrt(beyond**2 + across**2)
    return torch.lerp(images, _colour(uniform()).expand_as(images), _opacity(inside))


def _colour(hue: Tensor) -> Tensor:
    """Saturated colours `(N, 3, 1, 1)` of hues `(N,)`, in turns."""
    thirds = torch.arange(3).view(3, 1, 1) / 3
    return 0.5 + 0.35 * torch.cos(2 * math.pi * (hue.view(-1, 1, 1, 1) + thirds))
