"""The one door to the data: scenes by name or folder, split and size, in memory as uint8 tensors."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, SupportsInt

import torch
from torch import Tensor

from ..checks import Range
from . import own, storage
from .labelled import ImageSet, check_tensor
from .palette import CLASSES
from .storage import DataError

if TYPE_CHECKING:
    from .streets import Knobs

NAMES = ("streets", "camvid")
"""The data sets that are loaded by name."""

SPLITS = ("train", "val", "test", "fit", "tune", "seen", "unseen")
"""fit and tune are the two parts of train: choose anything you tune on *tune*, and leave val for the report. seen and
unseen are train divided once more: train on *seen*, where everything is decided, and judge on *unseen*, a drive of its
own. CamVid's val is a clip of a drive that train has frames of too, and flatters whoever has learned that drive."""

SIDE = Range(1, 8192, whole=True)
"""A height or a width in pixels."""

COUNT = Range(1, 1_000_000, whole=True)
"""How many of a split's scenes to load."""

STREETS_SPLITS = {
    "train": range(512),
    "val": range(512, 640),
    "test": range(640, 768),
    "fit": range(448),
    "tune": range(448, 512),
    "seen": range(64, 512),
    "unseen": range(64),
}
STREETS_SEED = 0
CAMVID_PARTS = {
    "fit": ("0006R0", False),
    "tune": ("0006R0", True),
    "seen": ("0001TP", False),
    "unseen": ("0001TP", True),
}
"""Parts of CamVid's train: the sequence that each leaves out, or consists of. Neighbouring frames of a film look alike,
so scenes are divided by sequence and never by frame."""


@dataclass(frozen=True, eq=False, repr=False)
class Scenes(ImageSet):
    """Pictures and the class of each of their pixels: `images, masks = scenes`, `scenes[:16]`, `len(scenes)`.

    images (N, 3, H, W) uint8, sRGB 0-255; masks (N, H, W) uint8, places in `classes` and 255 (void); names: one a
    scene; colours: sRGB 0-255, one a class, where the data set has its own. DataError where these don't fit each other.
    """

    per_image = ("images", "masks", "names")

    masks: Tensor
    dataset: str
    split: str
    names: tuple[str, ...]
    classes: tuple[str, ...] = CLASSES
    colours: tuple[own.Colour, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_tensor("masks", self.masks, torch.uint8, (len(self), *self.size))
        if len(self.names) != len(self):
            raise DataError(f"there are {len(self.names)} names for {len(self)} scenes; expected one a scene")
        if self.colours is not None and len(self.colours) != len(self.classes):
            raise DataError(
                f"there are {len(self.colours)} colours for {len(self.classes)} classes; expected one a class"
            )

    @property
    def targets(self) -> Tensor:
        """The masks, under the name that training uses for scenes and patches alike."""
        return self.masks

    @property
    def origin(self) -> str:
        return f"{self.dataset} {self.split}"


def load(
    name: str | Path,
    split: str,
    size: tuple[int, int],
    *,
    count: int | None = None,
    source: str | Path | None = None,
    knobs: "Knobs | None" = None,
    classes: own.Classes | None = None,
    keep: bool = False,
) -> Scenes:
    """Scenes of a split, of *streets* (generated), *camvid* (fetched once) or a folder of yours, resized to (H, W).

    `name` is "streets", "camvid", or the path of a folder of pictures and masks ("./streets" for one that is called
    so); `split` one of SPLITS, of a folder train, val or test; `size` (height, width) in pixels. `count` asks for the
    first scenes of the split only, which saves generating the rest.

    `source` is a folder with a copy of CamVid, else PIXELWISE_CAMVID names one, else it is downloaded (see
    `camvid.load`). `knobs` is a `streets.Knobs`. `classes` says what a folder's masks hold, where no table in it does.
    A folder is checked as a whole, then its pictures are resized whole and padded to `size` (`own.survey`, `own.read`).

    All are cached under `storage.folder()`; what can be made again goes on without a cache, with a DataWarning, or with
    `keep` it is a DataError. Raises DataError for anything that cannot be used, FolderError with all that is wrong in a
    folder.
    """
    if split not in SPLITS:
        raise DataError(f"unknown split {split!r}; choose one of {', '.join(SPLITS)}")
    if count is not None:
        COUNT.check("count", count, DataError, " of scenes, or None for the whole split")
    size = check_size(size)
    for argument, value, owner in (("source was", source, "camvid"), ("knobs were", knobs, "streets")):
        if value is not None and name != owner:
            raise DataError(f'{argument} given for "{name}", to which none belongs; it is for "{owner}"')
    if name not in NAMES:
        return _load_folder(name, split, size, classes, keep)[:count]
    if classes is not None:
        raise DataError(f'classes were given for "{name}", which has its own; they belong to a folder')
    if name == "camvid":
        return _load_camvid(split, size, source)[:count]
    return _load_streets(split, size, knobs, count, keep)


def check_size(size: Iterable[SupportsInt]) -> tuple[int, int]:
    """(height, width) as two ints, or DataError."""
    try:
        height, width = size
    except (TypeError, ValueError):
        height, width = 0, 0
    if height not in SIDE or width not in SIDE:
        raise DataError(f"size is {size!r}; expected (height, width) in pixels, such as (120, 160), each a {SIDE}")
    return int(height), int(width)


def overlapping(one: str, other: str) -> bool:
    """Whether two splits share scenes, by their names alone: both data sets are divided alike."""
    first, second = STREETS_SPLITS[one], STREETS_SPLITS[other]
    return max(first.start, second.start) < min(first.stop, second.stop)


def _load_folder(root: object, split: str, size: tuple[int, int], classes: own.Classes | None, keep: bool) -> Scenes:
    if not isinstance(root, (str, Path)) or not str(root) or not os.path.exists(own.expanded(root)):
        raise DataError(f'unknown data set {root!r}; choose "streets" or "camvid", or a folder that is there')
    folder = own.survey(root, classes)
    if split not in folder.splits:
        raise DataError(
            f"{root} has no split {split!r}; it has {', '.join(folder.splits)}: add a folder or {split}.txt"
        )
    images, masks, names = own.read(folder, split, size, keep=keep)
    return Scenes(images, masks, folder.name, split, names, folder.table.names, folder.table.colours)


def _load_camvid(split: str, size: tuple[int, int], source: str | Path | None) -> Scenes:
    from . import camvid

    images, masks, names = camvid.load("train" if split in CAMVID_PARTS else split, size, source=source)
    scenes = Scenes(images, masks, "camvid", split, names)
    if split not in CAMVID_PARTS:
        return scenes
    sequence, inside = CAMVID_PARTS[split]
    chosen = [i for i, name in enumerate(names) if name.startswith(sequence) == inside]
    if not chosen:
        raise DataError(f'no frame for the split "{split}": it is told by the sequence {sequence} in the names')
    return scenes[chosen]


def _load_streets(split: str, size: tuple[int, int], knobs: "Knobs | None", count: int | None, keep: bool) -> Scenes:
    from . import streets

    knobs = streets.Knobs() if knobs is None else knobs
    if not isinstance(knobs, streets.Knobs):
        raise DataError(f"knobs are {knobs!r}; expected streets.Knobs(...), or None for the usual ones")
    try:
        streets.check_size(size)
    except ValueError as error:
        raise DataError(str(error)) from None
    key = hashlib.sha256(f"{STREETS_SEED} {knobs!r} {streets.VERSION}".encode()).hexdigest()[:12]
    source_split = "train" if split in CAMVID_PARTS else split
    indices, stored = STREETS_SPLITS[split][:count], STREETS_SPLITS[source_split]

    def path(part: str) -> Path:
        return storage.folder() / "cache" / "streets" / f"{part}-{size[0]}x{size[1]}-{key}.safetensors"

    part = source_split
    if count is not None and not path(source_split).exists():
        part, stored = f"{split}-first-{len(indices)}", indices

    def build() -> tuple[Tensor, Tensor, tuple[str, ...]]:
        with storage.progress_bar(len(stored), f"streets {part}", "scene") as bar:
            images, masks = streets.generate_many(
                stored, seed=STREETS_SEED, size=size, knobs=knobs, progress=lambda *_: bar.update()
            )
        return torch.from_numpy(images), torch.from_numpy(masks), tuple(f"streets-{i:05d}" for i in stored)

    images, masks, names = storage.cached(path(part), build, optional=not keep)
    start = stored.index(indices[0])
    return Scenes(images, masks, "streets", split, names)[start : start + len(indices)]
