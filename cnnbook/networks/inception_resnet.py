"""Inception-v4 and Inception-ResNet.

Collected from notebooks/deeper/inception-resnet.ipynb
by `make export`: edit the chapter, not this file.
"""

from collections import OrderedDict
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from cnnbook.layers import initialise
from cnnbook.networks.inception import Branches, average_head, conv_norm

__all__ = [
    "ScaledResidual",
    "inception_module",
    "inception_resnet_v1",
    "inception_resnet_v2",
    "inception_v4",
    "residual_branch",
    "schema_network",
]


# -- Build it: A row for each branch
class BranchRow(NamedTuple):
    """A branch in a figure of Szegedy et al. (2016), from its input to its end."""

    channels: tuple[int, ...] = ()  # of its convolutions; none: a max pooling of 3×3
    kernels: tuple[int | tuple[int, int], ...] = ()
    average: bool = False  # an average of 3×3 comes first
    fork: int = 0  # channels of a row and a column of 3, side by side, at the end


MAX_POOL = BranchRow()
ROW_3 = (1, 3)  # height and width
ROW_7 = (1, 7)
COLUMN_3 = (3, 1)
COLUMN_7 = (7, 1)


FIGURE_4 = [  # Inception-A, 35×35
    BranchRow((96,), (1,)),
    BranchRow((64, 96), (1, 3)),
    BranchRow((64, 96, 96), (1, 3, 3)),
    BranchRow((96,), (1,), average=True),
]
FIGURE_5 = [  # Inception-B, 17×17
    BranchRow((384,), (1,)),
    BranchRow((192, 224, 256), (1, ROW_7, ROW_7)),
    BranchRow((192, 192, 224, 224, 256), (1, ROW_7, COLUMN_7, ROW_7, COLUMN_7)),
    BranchRow((128,), (1,), average=True),
]
FIGURE_6 = [  # Inception-C, 8×8
    BranchRow((256,), (1,)),
    BranchRow((384,), (1,), fork=256),
    BranchRow((384, 448, 512), (1, ROW_3, COLUMN_3), fork=256),
    BranchRow((256,), (1,), average=True),
]


def figure_7(k: int, l: int, m: int, n: int) -> list[BranchRow]:  # noqa: E741
    """Reduction-A, from 35×35 to 17×17, with the letters of Table 1."""
    return [BranchRow((n,), (3,)), BranchRow((k, l, m), (1, 3, 3)), MAX_POOL]


FIGURE_8 = [  # Reduction-B of Inception-v4, from 17×17 to 8×8
    BranchRow((192, 192), (1, 3)),
    BranchRow((256, 256, 320, 320), (1, ROW_7, COLUMN_7, 3)),
    MAX_POOL,
]


FIGURE_16 = [  # Inception-ResNet-A
    BranchRow((32,), (1,)),
    BranchRow((32, 32), (1, 3)),
    BranchRow((32, 48, 64), (1, 3, 3)),
]
FIGURE_17 = [  # Inception-ResNet-B
    BranchRow((192,), (1,)),
    BranchRow((128, 160, 192), (1, ROW_7, COLUMN_7)),
]
FIGURE_18 = [  # Reduction-B
    BranchRow((256, 384), (1, 3)),
    BranchRow((256, 288), (1, 3)),
    BranchRow((256, 288, 320), (1, 3, 3)),
    MAX_POOL,
]
FIGURE_19 = [  # Inception-ResNet-C
    BranchRow((192,), (1,)),
    BranchRow((192, 224, 256), (1, ROW_3, COLUMN_3)),
]


FIGURE_10 = [  # Inception-ResNet-A
    BranchRow((32,), (1,)),
    BranchRow((32, 32), (1, 3)),
    BranchRow((32, 32, 32), (1, 3, 3)),
]
FIGURE_11 = [  # Inception-ResNet-B
    BranchRow((128,), (1,)),
    BranchRow((128, 128, 128), (1, ROW_7, COLUMN_7)),
]
FIGURE_12 = [  # Reduction-B
    BranchRow((256, 384), (1, 3)),
    BranchRow((256, 256), (1, 3)),
    BranchRow((256, 256, 256), (1, 3, 3)),
    MAX_POOL,
]
FIGURE_13 = [  # Inception-ResNet-C
    BranchRow((192,), (1,)),
    BranchRow((192, 192, 192), (1, ROW_3, COLUMN_3)),
]


# -- Build it: From rows to modules
def _branch(in_channels: int, row: BranchRow, valid_stride: int | None) -> nn.Module:
    """Chain the layers of a branch."""
    if not row.channels:
        return nn.MaxPool2d(3, stride=valid_stride)
    average = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    layers = [average] if row.average else []
    for place, (out_channels, kernel) in enumerate(zip(row.channels, row.kernels), 1):
        is_valid = valid_stride and place == len(row.channels)
        end = {"stride": valid_stride, "padding": 0} if is_valid else {}
        layers.append(conv_norm(in_channels, out_channels, kernel, **end))
        in_channels = out_channels
    if row.fork:
        layers.append(Branches([conv_norm(in_channels, row.fork, k) for k in (ROW_3, COLUMN_3)]))
    return nn.Sequential(*layers)


def inception_module(
    in_channels: int, schema: list[BranchRow], valid_stride: int | None = None
) -> nn.Module:
    """Build the branches of a figure, stacked; a single one is a chain.

    Args:
        in_channels: channels of the input.
        schema: the branches.
        valid_stride: of the last window of each branch, if that is not padded.
    """
    branches = [_branch(in_channels, row, valid_stride) for row in schema]
    return Branches(branches) if len(branches) > 1 else branches[0]


def stacked_channels(in_channels: int, schema: list[BranchRow]) -> int:
    """Count the channels that leave a module: pooling keeps those that it gets."""
    ends = ((in_channels, *row.channels)[-1] for row in schema)
    return sum(2 * row.fork or end for row, end in zip(schema, ends))


def residual_branch(channels: int, schema: list[BranchRow]) -> nn.Sequential:
    """Build the branches of a figure and their linear 1×1 convolution back to `channels`."""
    expand = nn.Conv2d(stacked_channels(channels, schema), channels, 1)
    return nn.Sequential(inception_module(channels, schema), expand)


class ScaledResidual(nn.Module):
    """The input plus a scaled branch, then ReLU (Figure 20 of Szegedy et al., 2016)."""

    def __init__(self, branch: nn.Module, scale: float, relu: bool = True) -> None:
        super().__init__()
        self.branch, self.scale, self.relu = branch, scale, relu

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = x + self.scale * self.branch(x)  # (N, C, H, W)
        return F.relu(y, inplace=True) if self.relu else y


# -- Build it: The boxes of Figures 9 and 15
class Box(NamedTuple):
    """A box of Figure 9 or 15 of Szegedy et al. (2016)."""

    schema: list[BranchRow]
    depth: int = 1  # how often the module stands there
    scale: float | None = None  # β of a residual module; None: its maps go on as they are
    relu: bool = True  # behind the sum
    valid_stride: int | None = None  # of the last window of each branch, if not padded


FIGURE_3 = {  # the stem of Inception-v4 and Inception-ResNet-v2: 73×73, 71×71, 35×35
    "stem1": Box([MAX_POOL, BranchRow((96,), (3,))], valid_stride=2),
    "stem2": Box(
        [BranchRow((64, 96), (1, 3)), BranchRow((64, 64, 64, 96), (1, COLUMN_7, ROW_7, 3))],
        valid_stride=1,
    ),
    "stem3": Box([BranchRow((192,), (3,)), MAX_POOL], valid_stride=2),
}
INCEPTION_V4 = FIGURE_3 | {  # Figure 9
    "a": Box(FIGURE_4, 4),
    "reduction_a": Box(figure_7(192, 224, 256, 384), valid_stride=2),
    "b": Box(FIGURE_5, 7),
    "reduction_b": Box(FIGURE_8, valid_stride=2),
    "c": Box(FIGURE_6, 3),
}
INCEPTION_RESNET_V2 = FIGURE_3 | {  # Figure 15
    "a": Box(FIGURE_16, 5, scale=0.17),
    "reduction_a": Box(figure_7(256, 256, 384, 384), valid_stride=2),
    "b": Box(FIGURE_17, 10, scale=0.10),
    "reduction_b": Box(FIGURE_18, valid_stride=2),
    "c": Box(FIGURE_19, 5, scale=0.20),
}


FIGURE_14 = {  # the stem of Inception-ResNet-v1
    "stem1": Box([MAX_POOL], valid_stride=2),
    "stem2": Box([BranchRow((80, 192), (1, 3))], valid_stride=1),
    "stem3": Box([BranchRow((256,), (3,))], valid_stride=2),
}
INCEPTION_RESNET_V1 = FIGURE_14 | {  # Figure 15
    "a": Box(FIGURE_10, 5, scale=0.17),
    "reduction_a": Box(figure_7(192, 192, 256, 384), valid_stride=2),
    "b": Box(FIGURE_11, 10, scale=0.10),
    "reduction_b": Box(FIGURE_12, valid_stride=2),
    "c": Box(FIGURE_13, 5, scale=0.20),
}


def _draw(weight: Tensor) -> Tensor:
    """Draw first weights with the variance 1 / fan-in; the paper does not say how."""
    return nn.init.kaiming_uniform_(weight, nonlinearity="linear")


def schema_network(
    stem: nn.Module, in_channels: int, boxes: dict[str, Box], num_classes: int
) -> nn.Sequential:
    """Chain a stem that gives `in_channels`, the boxes, and a head.

    Raises:
        ValueError: a residual box changes height and width.
    """
    children = OrderedDict(stem=stem)
    for name, box in boxes.items():
        if box.scale is not None and box.valid_stride:
            raise ValueError(f"{name} has a scale, so its sum must keep height and width: no V.")
        modules = []
        for _ in range(box.depth):
            if box.scale is None:
                modules.append(inception_module(in_channels, box.schema, box.valid_stride))
                in_channels = stacked_channels(in_channels, box.schema)
            else:
                branch = residual_branch(in_channels, box.schema)
                modules.append(ScaledResidual(branch, box.scale, box.relu))
        children[name] = nn.Sequential(*modules)
    children["head"] = average_head(in_channels, num_classes, dropout=0.2)
    return initialise(nn.Sequential(children), _draw)


# -- Build it: As the paper has it, and as it was released
INCEPTION_RESNET_V2_RELEASED = FIGURE_14 | {
    "stem3": Box([MAX_POOL], valid_stride=2),
    "mixed": Box(
        [
            BranchRow((96,), (1,)),
            BranchRow((48, 64), (1, 5)),
            BranchRow((64, 96, 96), (1, 3, 3)),
            BranchRow((64,), (1,), average=True),
        ]
    ),
    "a": Box(FIGURE_16, 10, scale=0.17),
    "reduction_a": Box(figure_7(256, 256, 384, 384), valid_stride=2),
    "b": Box(FIGURE_17, 20, scale=0.10),
    "reduction_b": Box(FIGURE_18, valid_stride=2),
    "c": Box(FIGURE_19, 9, scale=0.20),
    "last": Box(FIGURE_19, scale=1.0, relu=False),
    "top": Box([BranchRow((1536,), (1,))]),
}


def _turned(schema: list[BranchRow]) -> list[BranchRow]:
    """Turn rows into columns and columns into rows."""
    turn = lambda kernel: kernel[::-1] if isinstance(kernel, tuple) else kernel  # noqa: E731
    return [row._replace(kernels=tuple(map(turn, row.kernels))) for row in schema]


INCEPTION_V4_RELEASED = INCEPTION_V4 | {
    "stem2": Box(_turned(FIGURE_3["stem2"].schema), valid_stride=1),
    "b": Box(
        [FIGURE_5[0], BranchRow((192, 224, 256), (1, ROW_7, COLUMN_7)), *_turned(FIGURE_5[2:])], 7
    ),
    "c": Box(_turned(FIGURE_6), 3),
}


def _network(boxes: dict[str, Box], num_classes: int) -> nn.Sequential:
    """Put boxes behind the convolutions with which Figures 3 and 14 begin."""
    first = conv_norm(3, 32, 3, stride=2, padding=0), conv_norm(32, 32, 3, padding=0)
    return schema_network(nn.Sequential(*first, conv_norm(32, 64, 3)), 64, boxes, num_classes)


def inception_resnet_v2(
    num_classes: int = 1000, boxes: dict[str, Box] = INCEPTION_RESNET_V2_RELEASED
) -> nn.Sequential:
    """Inception-ResNet-v2 of Szegedy et al. (2016), as released: `(N, 3, 299, 299)` to logits.

    With `boxes=INCEPTION_RESNET_V2` it is the smaller network of the paper's figures.
    """
    return _network(boxes, num_classes)


def inception_v4(
    num_classes: int = 1000, boxes: dict[str, Box] = INCEPTION_V4_RELEASED
) -> nn.Sequential:
    """Inception-v4 of Szegedy et al. (2016), as released: images `(N, 3, 299, 299)` to logits.

    With `boxes=INCEPTION_V4` its rows and columns of 7 and 3 stand as in the paper's figures.
    """
    return _network(boxes, num_classes)


def inception_resnet_v1(
    num_classes: int = 1000, boxes: dict[str, Box] = INCEPTION_RESNET_V1
) -> nn.Sequential:
    """Inception-ResNet-v1 of Szegedy et al. (2016): images `(N, 3, 299, 299)` to logits."""
    return _network(boxes, num_classes)
