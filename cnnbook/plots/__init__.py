"""The book's figures, in one style.

Figures are transparent and drawn in a neutral ink, so that they read on a light page and on a dark
one; the colours are those of Okabe and Ito, which colour-blind readers can tell apart. Every
function draws into the `Axes` it is given, or into new ones, and returns them; those that draw a
grid of pictures return the `Figure`.
"""

from cnnbook.plots.charts import NetworkPoint, learning_curves, matrix, network_map
from cnnbook.plots.convolutions import convolution_shapes, convolution_step
from cnnbook.plots.diagrams import Block, blocks, profiles
from cnnbook.plots.pictures import feature_maps, field_frames, image, images
from cnnbook.plots.style import (
    BLUE,
    COLOURS,
    GREEN,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    STYLE,
    VERMILLION,
    show,
    use_style,
)

__all__ = [
    "BLUE",
    "COLOURS",
    "GREEN",
    "INK",
    "ORANGE",
    "PAPER",
    "PURPLE",
    "SKY",
    "STYLE",
    "VERMILLION",
    "Block",
    "NetworkPoint",
    "blocks",
    "convolution_shapes",
    "convolution_step",
    "feature_maps",
    "field_frames",
    "image",
    "images",
    "learning_curves",
    "matrix",
    "network_map",
    "profiles",
    "show",
    "use_style",
]
