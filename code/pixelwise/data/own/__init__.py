"""Pictures of your own, with masks beside them, as a data set: found, understood, checked in one pass, and read.

`layout` finds what belongs together, `tables` reads which number or colour is which class, `splits` divides, `masks`
reads one mask, and `folder` puts it together.
"""

from .checking import count_labels, survey
from .folder import Folder, dataset_name, expanded, fit_into, read
from .masks import labels_of
from .problems import FolderError, Problems
from .splits import NAMES as SPLITS
from .tables import Classes, ClassTable, Colour, make_table

__all__ = [
    "SPLITS",
    "ClassTable",
    "Classes",
    "Colour",
    "Folder",
    "FolderError",
    "Problems",
    "count_labels",
    "dataset_name",
    "expanded",
    "fit_into",
    "labels_of",
    "make_table",
    "read",
    "survey",
]
