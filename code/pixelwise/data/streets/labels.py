"""The labels of the classes: their positions in CLASSES."""

from ..palette import CLASSES, VOID

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(len(CLASSES))

__all__ = [
    "BICYCLIST",
    "BUILDING",
    "CAR",
    "FENCE",
    "PAVEMENT",
    "PEDESTRIAN",
    "POLE",
    "ROAD",
    "SIGN",
    "SKY",
    "TREE",
    "VOID",
]
