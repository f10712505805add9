"""The eleven classes of CamVid, their order and their colours.

*streets* uses the same classes in the same order, so that a model or a metric never asks which of the two it is given.
Source: Brostow et al., "Semantic object classes in video" (2009), in the 11-class grouping of SegNet
(Badrinarayanan et al., 2017).
"""

from numbers import Integral

VOID = 255
"""The label of pixels that belong to no class; every loss and metric leaves them out."""

MOST_CLASSES = VOID
"""Labels are stored in a byte, 0-254 for classes."""

CLASSES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "signsymbol",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)
"""Class names; the position in the tuple is the label in a mask."""

CAMVID_COLOURS = (
    (128, 128, 128),
    (128, 0, 0),
    (192, 192, 128),
    (128, 64, 128),
    (60, 40, 222),
    (128, 128, 0),
    (192, 128, 128),
    (64, 64, 128),
    (64, 0, 128),
    (64, 64, 0),
    (0, 128, 192),
)
"""CamVid's published colours, sRGB 0-255, in the order of CLASSES."""


def check_class_count(count: int) -> None:
    """Raise ValueError unless `count` classes have a label each beside void: class 255 would vanish as void."""
    if isinstance(count, bool) or not isinstance(count, Integral):
        raise ValueError(f"the number of classes is {count!r}, expected an integer from 1 to {MOST_CLASSES}")
    if not 1 <= count <= MOST_CLASSES:
        raise ValueError(
            f"there are {count} classes, expected 1 to {MOST_CLASSES}: labels are bytes, and {VOID} is void, so a "
            "class of that number would never be counted; merge some"
        )
