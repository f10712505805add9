"""The one door to the data: scenes by name, split and size, in memory as uint8 tensors."""

import hashlib
import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from . import storage
from .storage import DataError

SPLITS = ("train", "val", "test", "fit", "tune", "seen", "unseen")
"""fit and tune are the two parts of train: choose anything you tune on *tune*, and leave val for the report. seen and
unseen are train divided once more: train on *seen*, where everything is decided, and judge on *unseen*, a drive of its
own. CamVid's val is a clip of a drive that train has frames of too, and flatters whoever has learned that drive."""

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
class Scenes:
    """Pictures and the class of each of their pixels: ``images, masks = scenes``, ``scenes[:16]``, ``len(scenes)``.

    images (N, 3, H, W) uint8, sRGB 0-255; masks (N, H, W) uint8, the classes 0-10 and 255 (void); names: one a scene.
    Raises DataError when shapes or types do not fit each other.
    """

    images: Tensor
    masks: Tensor
    dataset: str
    split: str
    names: tuple[str, ...]

    def __post_init__(self):
        shape = tuple(self.images.shape)
        if len(shape) != 4 or shape[1] != 3 or self.images.dtype != torch.uint8:
            raise DataError(f"images are {self.images.dtype} {shape}; expected uint8 (N, 3, H, W)")
        fitting = (shape[0], *shape[2:])
        if tuple(self.masks.shape) != fitting or self.masks.dtype != torch.uint8:
            raise DataError(f"masks are {self.masks.dtype} {tuple(self.masks.shape)}; expected uint8 {fitting}")
        if len(self.names) != shape[0]:
            raise DataError(f"there are {len(self.names)} names for {shape[0]} scenes; expected one a scene")

    @property
    def targets(self) -> Tensor:
        """The masks, under the name that training uses for scenes and patches alike."""
        return self.masks

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return tuple(self.images.shape[-2:])

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Tensor]:
        yield from (self.images, self.masks)

    def __getitem__(self, which: slice | list[int]) -> "Scenes":
        """The scenes of a slice or of a list of positions."""
        if isinstance(which, slice):
            names = self.names[which]
        elif isinstance(which, list):
            names = tuple(self.names[i] for i in which)
        else:
            raise TypeError(f"scenes[{which!r}]: give a slice or a list, such as scenes[3:4] or scenes[[3]]")
        return replace(self, images=self.images[which], masks=self.masks[which], names=names)

    def to(self, device: torch.device | str) -> "Scenes":
        """The same scenes with their tensors on `device`, where batches are then cut without copying."""
        return replace(self, images=self.images.to(device), masks=self.masks.to(device))

    def __repr__(self) -> str:
        return f"Scenes({self.dataset} {self.split}: {len(self)} of {self.size[0]}×{self.size[1]})"


def load(
    name: str,
    split: str,
    size: tuple[int, int],
    *,
    count: int | None = None,
    source: str | Path | None = None,
    knobs=None,
) -> Scenes:
    """Scenes of a split, of *streets* (generated, needs no network) or *camvid* (fetched once), resized to (H, W).

    `name` is "streets" or "camvid"; `split` one of SPLITS; `size` (height, width) in pixels. `count` asks for the first
    scenes of the split only, which saves generating the rest. `source` is a folder with a copy of CamVid, else
    PIXELWISE_CAMVID names one, else it is downloaded (see `camvid.load`). `knobs` is a `streets.Knobs`. Both kinds are
    cached under `storage.folder()`. Raises DataError for anything that cannot be used.
    """
    if name not in ("streets", "camvid"):
        raise DataError(f'unknown data set {name!r}; choose "streets" or "camvid"')
    if split not in SPLITS:
        raise DataError(f"unknown split {split!r}; choose one of {', '.join(SPLITS)}")
    if count is not None and count < 1:
        raise DataError(f"count is {count}; expected at least 1 scene, or None for the whole split")
    size = check_size(size)
    if name == "camvid":
        if knobs is not None:
            raise DataError('knobs were given for "camvid", which has none; they belong to "streets"')
        return _load_camvid(split, size, source)[:count]
    if source is not None:
        raise DataError('source was given for "streets", which is generated; it belongs to "camvid"')
    return _load_streets(split, size, knobs, count)


def check_size(size) -> tuple[int, int]:
    """(height, width) as two positive ints, or DataError."""
    try:
        height, width = map(operator.index, size)
    except (TypeError, ValueError):
        height = width = 0
    if min(height, width) < 1:
        raise DataError(f"size is {size!r}; expected (height, width) in pixels, such as (120, 160)")
    return height, width


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


def _load_streets(split: str, size: tuple[int, int], knobs, count: int | None) -> Scenes:
    from . import streets

    knobs = streets.Knobs() if knobs is None else knobs
    if not isinstance(knobs, streets.Knobs):
        raise DataError(f"knobs are {knobs!r}; expected streets.Knobs(...), or None for the usual ones")
    try:
        streets.check_size(size)
    except ValueError as error:
        raise DataError(str(error)) from None
    key = hashlib.sha256(f"{STREETS_SEED} {knobs!r} {_generator_version()}".encode()).hexdigest()[:12]
    whole = "train" if split in CAMVID_PARTS else split
    wanted, stored = STREETS_SPLITS[split][:count], STREETS_SPLITS[whole]

    def path(part: str) -> Path:
        return storage.folder() / "cache" / "streets" / f"{part}-{size[0]}x{size[1]}-{key}.safetensors"

    part = whole
    if count is not None and not path(whole).exists():
        part, stored = f"{split}-first-{len(wanted)}", wanted

    def build():
        with storage.progress_bar(len(stored), f"streets {part}", "scene") as bar:
            images, masks = streets.generate_many(
                stored, seed=STREETS_SEED, size=size, knobs=knobs, progress=lambda *_: bar.update()
            )
        return torch.from_numpy(images), torch.from_numpy(masks), tuple(f"streets-{i:05d}" for i in stored)

    images, masks, names = storage.cached(path(part), build, optional=True)
    start = stored.index(wanted[0])
    return Scenes(images, masks, "streets", split, names)[start : start + len(wanted)]


def _generator_version() -> str:
    """A hash over the generator's source, so that a changed generator never serves yesterday's scenes."""
    from . import palette, streets

    digest = hashlib.sha256()
    for source in [*sorted(Path(streets.__file__).parent.rglob("*.py")), Path(palette.__file__)]:
        digest.update(source.read_bytes())
    return digest.hexdigest()
