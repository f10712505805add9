"""Data: road scenes with a class for every pixel, patches cut from them, and augmentation.

`load` is the door: `data.load("streets", "train", (96, 128))` or `data.load("camvid", "val", (180, 240))`.
"""

from .augment import Augment, normalise
from .labelled import LabelledImages, concat
from .palette import CAMVID_COLOURS, CLASSES, VOID
from .patches import Patches, cut
from .scenes import SPLITS, Scenes, load
from .storage import DataError, DataWarning

__all__ = [
    "CAMVID_COLOURS",
    "CLASSES",
    "SPLITS",
    "VOID",
    "Augment",
    "DataError",
    "DataWarning",
    "LabelledImages",
    "Patches",
    "Scenes",
    "concat",
    "cut",
    "load",
    "normalise",
]
