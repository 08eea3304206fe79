"""Digits and photographs that ship with scikit-learn."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnbook.numbers import integer

PHOTOGRAPHS = ("china", "flower")


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
        ValueError: there is no photograph of that name, or none of that height.

    Examples:
        >>> photograph("china").shape
        torch.Size([3, 427, 640])
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"there is no photograph {name!r}; choose from {', '.join(PHOTOGRAPHS)}.")
    if height is not None:
        height = integer("height", height, least=1)
    from sklearn.datasets import load_sample_image

    picture = torch.tensor(load_sample_image(f"{name}.jpg")).permute(2, 0, 1).float() / 255
    if height is None:
        return picture
    width = max(1, round(picture.shape[2] * height / picture.shape[1]))
    reduced = F.interpolate(
        picture.unsqueeze(0), (height, width), mode="bilinear", antialias=True, align_corners=False
    )
    return reduced.squeeze(0).clamp(0, 1)
