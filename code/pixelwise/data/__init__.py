"""Data: pictures with a class for every pixel, road scenes or your own, patches cut from them, and augmentation.

`load` is the door: `data.load("streets", "train", (96, 128))`, `data.load("camvid", "val", (180, 240))`, or
`data.load("path/to/folder", "train", (120, 160))` for a folder of pictures and masks; `survey` says what is in one.
"""

from .augment import Augment, normalise
from .labelled import LabelledImages, concat
from .own import FolderError, survey
from .palette import CAMVID_COLOURS, CLASSES, VOID
from .patches import Patches, cut
from .scenes import SPLITS, Scenes, load
from .storage import DataError, DataWarning
from .wrapped import wrap

__all__ = [
    "CAMVID_COLOURS",
    "CLASSES",
    "SPLITS",
    "VOID",
    "Augment",
    "DataError",
    "DataWarning",
    "FolderError",
    "LabelledImages",
    "Patches",
    "Scenes",
    "concat",
    "cut",
    "load",
    "normalise",
    "survey",
    "wrap",
]
