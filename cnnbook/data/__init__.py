"""Data sets: those that a lesson has at once, and the real ones, by the same call.

Shapes are drawn in memory from a seed, with labels, masks and boxes, so that one set serves every
task of the book. Digits and photographs ship with scikit-learn. `load` gives these and the real
sets in the same splits and types.
"""

from cnnbook.data.archives import FetchError
from cnnbook.data.bundled import PHOTOGRAPHS, digits, photograph
from cnnbook.data.drawn import SHAPES, Scenes, Shapes, scenes, shapes
from cnnbook.data.real import VOC_CLASSES
from cnnbook.data.sets import TASKS, ImageSet, Splits, batches, load
from cnnbook.data.transforms import centred, channel_statistics, flip_and_crop

__all__ = [
    "PHOTOGRAPHS",
    "SHAPES",
    "TASKS",
    "VOC_CLASSES",
    "FetchError",
    "ImageSet",
    "Scenes",
    "Shapes",
    "Splits",
    "batches",
    "centred",
    "channel_statistics",
    "digits",
    "flip_and_crop",
    "load",
    "photograph",
    "scenes",
    "shapes",
]
