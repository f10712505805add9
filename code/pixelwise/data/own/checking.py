"""Look through a folder and check every file of it, so that all that is wrong is said at once."""

import hashlib
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import photos
from ..palette import VOID
from ..storage import DataError, DataWarning, each
from . import masks
from .folder import Folder, dataset_name, expanded
from .layout import Layout, Pair, find
from .problems import Problems
from .splits import divide
from .tables import UNKNOWN, Classes, ClassTable, make_table, numbered

VERSION = 1
"""Of how pictures and masks are read, which caches depend on."""


class _Look(NamedTuple):
    """What one pair holds: the picture's (height, width), and pixels of each class and of void (classes + 1,)."""

    size: tuple[int, int]
    pixels: np.ndarray


_understood: dict[str, Folder] = {}
"""By digest, so that a folder that has not changed is checked once in a process."""


def survey(root: str | Path, classes: Classes | None = None) -> Folder:
    """Look through a folder of pictures and masks, and check every file.

    `classes` is a class table, or the path of one, where the folder holds none or not the right one (see `own.tables`).
    Warns (DataWarning) of classes that no mask, or none of train, holds. FolderError, a DataError, with all that is
    wrong: a line each, which names the file and the cure.
    """
    root = expanded(root)
    if not root.is_dir():
        kind = "is a file, not a folder" if root.exists() else "is not there"
        raise DataError(f"{root} {kind}; give the folder that holds images/ and masks/")
    problems = Problems()
    layout = find(root, problems)
    table = _table(layout, classes, problems)
    splits, how = divide(root, layout, problems)
    chosen = [pair for pairs in splits.values() for pair in pairs]
    _note_lone(root, layout, chosen, problems)
    digests = dict(each(_digest, sorted({path for pair in chosen for path in (pair.picture, pair.mask)})))
    digest = _sum_up(root, table, splits, digests)
    if not len(problems) and digest in _understood:
        return _understood[digest]
    if table is None and classes is None and not layout.tables and chosen:
        table = _inferred(chosen, problems)
    looks: list[_Look] = []
    for look, wrong in each(lambda pair: _look(root, pair, table), chosen):
        looks += [] if look is None else [look]
        problems.extend(wrong)
    _check_copies(root, splits, digests, problems)
    if not chosen and not len(problems):
        problems.add("empty splits", f"{root} has no picture with a mask in any split: mend its lists or folders")
    problems.raise_any(str(root))
    assert table is not None  # else there was a problem
    notes = ([f"divided {how}"] if how else []) + layout.notes
    folder = Folder(
        root,
        dataset_name(root),
        table,
        {split: tuple(pairs) for split, pairs in splits.items()},
        tuple(notes),
        np.sum([look.pixels for look in looks], 0),
        np.sum([look.pixels[:-1] > 0 for look in looks], 0),
        (min(look.size for look in looks), max(look.size for look in looks)),
        digest,
    )
    trained = np.sum([look.pixels[:-1] for look in looks[: len(splits["train"])]], 0)
    _warn_of_missing(folder, trained)
    _understood[digest] = folder
    return folder


def count_labels(labels: np.ndarray, table: ClassTable) -> np.ndarray:
    """How many pixels of labels (H, W) are of each class and of void, (classes + 1,) int64."""
    counts = np.bincount(labels.ravel(), minlength=UNKNOWN + 1)
    return np.append(counts[: len(table.names)], counts[VOID])


def _table(layout: Layout, classes: Classes | None, problems: Problems) -> ClassTable | None:
    if classes is None and len(layout.tables) > 1:
        names = " and ".join(path.name for path in layout.tables[:3])
        problems.add("class tables", f"{names} are both class tables: keep one, or name one as classes (--classes)")
        return None
    if classes is None and not layout.tables:
        return None
    try:
        return make_table(layout.tables[0] if classes is None else classes)
    except DataError as error:
        problems.add("class tables", str(error))
        return None


def _inferred(pairs: list[Pair], problems: Problems) -> ClassTable | None:
    """A table for label images without one; a problem where they hold colours, or gaps that tell of something else."""

    def numbers(pair: Pair) -> np.ndarray | None:
        try:
            return np.unique(masks.read_codes(pair.mask, None).values)
        except masks.ColouredError:
            return None
        except DataError:
            return np.empty(0, np.int64)  # the check of each mask says why

    found = each(numbers, pairs)
    cure = "no class table says what for: write classes.json into the folder, or name one (--classes), such as"
    if coloured := [pair.mask for pair, part in zip(pairs, found, strict=True) if part is None]:
        codes, counts = np.unique(masks.codes_of(masks.open_mask(coloured[0])[0], True).values, return_counts=True)
        example = masks.suggest(codes[counts.argsort()[::-1]][:6].tolist(), True)
        problems.add("class tables", f"masks are coloured, {coloured[0].name} for one, and {cure} {example}")
        return None
    values = sorted({int(value) for part in found if part is not None for value in part})
    known = [value for value in values if value != VOID]
    if known != list(range(len(known))) or len(known) < 2:
        labels = ", ".join(map(str, values[:8])) + (" …" if len(values) > 8 else "")
        problems.add(
            "class tables", f"masks hold the labels {labels}, and {cure} {masks.suggest(values[:8] or [0, 1], False)}"
        )
        return None
    return numbered(len(known))


def _look(root: Path, pair: Pair, table: ClassTable | None) -> tuple[_Look | None, Problems]:
    """What a pair holds, where nothing is wrong with it, and what is."""
    problems = Problems()
    size: tuple[int, int] | None = None
    at = pair.mask.relative_to(root).as_posix()
    try:
        _, height, width = photos.read(pair.picture).shape
        size = (height, width)
    except DataError as error:
        problems.add("unreadable pictures", str(error))
    try:
        codes = masks.read_codes(pair.mask, table)
    except masks.ColouredError as error:
        if table is not None:  # else the lack of one was said
            problems.add("masks that can't be used", str(error))
        return None, problems
    except DataError as error:
        problems.add("masks that can't be used", str(error))
        return None, problems
    shape = codes.values.shape
    if size and shape != size:
        turned = "; the camera turned the picture (EXIF): save it turned" if shape == size[::-1] else ""
        problems.add(
            "masks of another size",
            f"{at} is {shape[0]}×{shape[1]}, and its picture {size[0]}×{size[1]}: draw it on the picture{turned}",
        )
    if table is None:
        return None, problems
    labels = table.labels(codes.values)
    if wrong := masks.fault(labels, codes, table):
        problems.add("masks with wrong labels", f"{at} {wrong}")
    return (_Look(size, count_labels(labels, table)) if size else None), problems


def _note_lone(root: Path, layout: Layout, chosen: list[Pair], problems: Problems) -> None:
    """Pictures and masks without their other half: problems, but where lists or a test folder leave them out."""
    pictures, lone_masks = layout.lone_pictures, layout.lone_masks
    if layout.lists:
        if pictures or lone_masks:
            layout.notes.append(f"{len(pictures)} pictures and {len(lone_masks)} masks are alone and left out")
        return
    if not any(pair.split == "test" for pair in chosen):
        pictures = [(path, split) for path, split in pictures if split != "test"]
    for path, _ in pictures:
        at = path.relative_to(root).as_posix()
        problems.add("pictures without a mask", f"{at} has no mask: add one of its name, or take the picture out")
    for path in lone_masks:
        at = path.relative_to(root).as_posix()
        problems.add("masks without a picture", f"{at} has no picture: add the one of its name, or take the mask out")


def _check_copies(
    root: Path, splits: dict[str, list[Pair]], digests: dict[Path, str | None], problems: Problems
) -> None:
    """A picture that is in two splits under two names flatters as much as under one."""
    seen: dict[str, tuple[Pair, str]] = {}
    for split, pairs in splits.items():
        for pair in pairs:
            if (digest := digests[pair.picture]) is None:
                continue
            other, where = seen.setdefault(digest, (pair, split))
            if where != split and other.name != pair.name:
                one, two = (p.picture.relative_to(root).as_posix() for p in (other, pair))
                problems.add(
                    "pictures in two splits",
                    f"{two} ({split}) is the same picture as {one} ({where}): keep one of them",
                )


def _warn_of_missing(folder: Folder, trained: np.ndarray) -> None:
    """Classes that can't be learned, because no mask or none of train holds them."""
    for counts, which in ((folder.pictures, "no mask"), (np.where(folder.pictures, trained, 1), "no mask of train")):
        missing = [name for name, count in zip(folder.table.names, counts.tolist(), strict=True) if not count]
        if missing:
            names = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
            warnings.warn(f"{which} in {folder.name} holds {names}: it can't be learned", DataWarning, stacklevel=4)


def _digest(path: Path) -> tuple[Path, str | None]:
    try:
        return path, hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:  # reading it says why
        return path, None


def _sum_up(
    root: Path, table: ClassTable | None, splits: dict[str, list[Pair]], digests: dict[Path, str | None]
) -> str:
    parts = [
        (split, pair.name, digests[pair.picture], digests[pair.mask]) for split in splits for pair in splits[split]
    ]
    content = repr((VERSION, str(root.resolve()), table, parts))
    return hashlib.sha256(content.encode(errors="surrogateescape")).hexdigest()
