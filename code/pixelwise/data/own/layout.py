"""Which files of a folder are pictures, which are masks, and which belong together.

What a folder or the end of a name says decides: `images/` and `masks/`, `JPEGImages/` and `SegmentationClass/`,
`train/images/`, `images/train/`, `train/` and `trainannot/`, or `cat.jpg` beside `cat_mask.png`.
"""

import re
import stat
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..photos import SUFFIXES
from .problems import Problems
from .tables import TABLE_NAMES

PICTURES = frozenset(
    ("images", "image", "img", "imgs", "jpegimages", "pictures", "picture", "photos", "rgb", "leftimg8bit", "inputs")
)
MASKS = frozenset(
    {
        *("masks", "mask", "labels", "label", "annotations", "annotation", "annots", "annot", "ann", "seg"),
        *("segmentation", "segmentations", "segmentationclass", "segmentationclassaug", "gt", "gtfine", "groundtruth"),
        *("targets", "trimaps"),
    }
)
SPLITS = {
    **{"train": "train", "training": "train"},
    **{"val": "val", "valid": "val", "validation": "val"},
    **{"test": "test", "testing": "test"},
}
LEFT_OUT = frozenset(("segmentationobject", "instances", "depth", "__macosx"))
"""Folders whose pictures are neither."""

MASK_ENDS = re.compile(
    r"[_\-. ](?:masks?|labels?|seg|segmentation|gt|groundtruth|annotation|trimap|gtFine_label(?:Train)?Ids)$"
    r"|_(?-i:L)$",
    re.IGNORECASE,
)
MASK_BEGINS = re.compile(r"^(?:mask|label|seg|gt)[_\-](?=.)", re.IGNORECASE)
PICTURE_ENDS = re.compile(r"[_\-. ](?:image|img|rgb|sat|leftImg8bit)$", re.IGNORECASE)
PICTURE_BEGINS = re.compile(r"^(?:image|img)[_\-](?=.)", re.IGNORECASE)
ALSO_THERE = re.compile(r"_gtFine_(?:color|instanceIds)$")
"""Further forms of a mask, as Cityscapes brings them."""

UNREAD = frozenset({".heic", ".heif", ".cr2", ".nef", ".dng", ".arw", ".psd", ".exr"})
LIST_FOLDERS = ("", "imagesets/segmentation", "splits", "lists")
"""Where lists such as train.txt are looked for, in upper or lower case."""

DEEPEST = 8


@dataclass(frozen=True)
class Pair:
    """A picture and its mask. split: "train", "val" or "test" where folders say so; name: unique in the data set."""

    name: str
    picture: Path
    mask: Path
    split: str | None


@dataclass
class Layout:
    """What was found in a folder: pairs, lists by split, class tables, lone pictures and masks, and remarks."""

    pairs: list[Pair] = field(default_factory=list)
    lists: dict[str, Path] = field(default_factory=dict)
    tables: list[Path] = field(default_factory=list)
    lone_pictures: list[tuple[Path, str | None]] = field(default_factory=list)
    lone_masks: list[Path] = field(default_factory=list)
    split_folders: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    path: Path
    role: str | None
    """"picture" or "mask" where a folder says so."""
    split: str | None
    inside: str
    """The folders between, without those that say role or split."""

    def keys(self, *ends: re.Pattern[str]) -> list[tuple[str | None, str]]:
        """What it is known by, the whole name first, then without what matches one of `ends`."""
        stem = _normal(self.path.stem)
        return [
            (self.split, self.inside + name) for name in dict.fromkeys([stem, *(end.sub("", stem) for end in ends)])
        ]


def find(root: Path, problems: Problems) -> Layout:
    """Look through a folder. What can't be paired is noted among the lone ones; other faults go to `problems`."""
    walk = _Walk(root, problems)
    walk.into(root, frozenset())
    layout, files = walk.layout, walk.files
    named = {file.role for file in files}
    if named >= {"picture", "mask"}:
        if loose := [file for file in files if file.role is None]:
            layout.notes.append(f"{len(loose)} pictures lie outside the folders of pictures and masks and are left out")
        files = [file for file in files if file.role]
    masks: list[_File] = []
    pictures: list[_File] = []
    for file in files:
        stem = file.path.stem
        by_name = file.role is None or "mask" not in named
        if file.role == "mask" or (by_name and (MASK_ENDS.search(stem) or MASK_BEGINS.match(stem))):
            if not ALSO_THERE.search(stem):
                masks.append(file)
        else:
            pictures.append(file)
    if not files:
        problems.add("empty folders", f"{root} holds no pictures: give the folder that holds images/ and masks/")
    elif not masks:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in walk.others.most_common(3))
        problems.add(
            "missing masks",
            f"{root} holds {len(pictures)} pictures and no masks: put them into masks/ beside images/, or call them "
            "NAME_mask.png" + (f"; it also holds {kinds} files: export those as PNG masks" if kinds else ""),
        )
    elif not pictures:
        problems.add("missing pictures", f"{root} holds {len(masks)} masks and no pictures: put them into images/")
    else:
        _pair(root, layout, pictures, masks, problems)
    return layout


class _Walk:
    """What a folder and those in it hold: `files`, the picture files; `others`, suffixes of others beside masks."""

    def __init__(self, root: Path, problems: Problems) -> None:
        self.root, self.problems = root, problems
        self.layout = Layout()
        self.files: list[_File] = []
        self.others: Counter[str] = Counter()

    def into(self, folder: Path, above: frozenset[tuple[int, int]]) -> None:
        """Look into a folder; `above` are those that it lies in, by device and number, which links may lead back to."""
        try:
            status = folder.stat()
            paths = sorted(folder.iterdir())
        except OSError as error:
            self.problems.add(
                "unreadable folders", f"{folder} can't be looked into ({error.strerror}): check its permissions"
            )
            return
        if (status.st_dev, status.st_ino) in above:
            return
        inside = folder.relative_to(self.root).parts
        role, split, between = _said(inside)
        if split:
            self.layout.split_folders.add(split)
        for path in paths:
            if path.name.startswith("."):
                continue
            try:
                mode = path.stat().st_mode
            except OSError as error:
                if path.suffix.lower() in SUFFIXES:
                    reason = f"is a link to nothing ({error.strerror}): copy the file"
                    self.problems.add("dangling links", f"{_at(self.root, path)} {reason}")
                continue
            if not stat.S_ISDIR(mode):
                self._file(path, mode, _File(path, role, split, between), inside)
            elif len(inside) < DEEPEST and path.name.lower() not in LEFT_OUT:
                self.into(path, above | {(status.st_dev, status.st_ino)})

    def _file(self, path: Path, mode: int, file: _File, inside: tuple[str, ...]) -> None:
        at, suffix = _at(self.root, path), path.suffix.lower()
        if suffix in SUFFIXES and stat.S_ISREG(mode):
            self.files.append(file)
        elif suffix in SUFFIXES:
            self.problems.add("pipes and devices", f"{at} is a pipe, a socket or a device: save it to a file")
        elif suffix in UNREAD:
            self.problems.add("pictures of unread formats", f"{at} can't be read here: save it as JPEG or PNG")
        elif suffix == ".txt" and path.stem.lower() in SPLITS and _holds_lists(inside):
            self.layout.lists[SPLITS[path.stem.lower()]] = path
        elif not inside and path.name.lower() in TABLE_NAMES:
            self.layout.tables.append(path)
        elif file.role == "mask" and suffix:
            self.others[suffix] += 1


def _holds_lists(inside: tuple[str, ...]) -> bool:
    place = "/".join(inside).lower()
    return place in LIST_FOLDERS or any(place.endswith(f"/{folder}") for folder in LIST_FOLDERS[1:])


def _said(folders: tuple[str, ...]) -> tuple[str | None, str | None, str]:
    """Role and split that the names of these folders say, and the other names as the beginning of a key."""
    role, split, between = None, None, ""
    for folder in folders:
        words = re.split(r"[_\-. ]+", re.sub("^(train|val|test)(?=annot)", r"\1_", folder.lower()))
        words = ["".join(words)] if "".join(words) in MASKS else words  # ground truth
        if all(word in PICTURES or word in MASKS or word in SPLITS for word in words):
            role = "mask" if MASKS & {*words} else "picture" if PICTURES & {*words} else role
            split = next((SPLITS[word] for word in words if word in SPLITS), split)
        else:
            between += f"{_normal(folder)}/"
    return role, split, between


def _pair(root: Path, layout: Layout, pictures: list[_File], masks: list[_File], problems: Problems) -> None:
    """Give each picture the mask of its name."""
    known: dict[tuple[str | None, str], list[_File]] = {}
    short: dict[tuple[str | None, str], list[_File]] = {}
    for file in pictures:
        whole, *others = file.keys(PICTURE_ENDS, PICTURE_BEGINS)
        known.setdefault(whole, []).append(file)
        for key in others:
            short.setdefault(key, []).append(file)
    for key, files in known.items():
        if len(files) > 1:
            _say_double("pictures", root, [file.path for file in files], key[1], problems)
    mask_of: dict[Path, list[Path]] = {}
    for mask in masks:
        keys = mask.keys(MASK_ENDS, MASK_BEGINS)
        found = next((where[key] for where in (known, short) for key in keys if key in where), None)
        if found is None:
            layout.lone_masks.append(mask.path)
        else:
            mask_of.setdefault(found[0].path, []).append(mask.path)
    for key, (file, *_) in known.items():
        found_masks = mask_of.get(file.path, [])
        if not found_masks:
            layout.lone_pictures.append((file.path, file.split))
            continue
        if len(found_masks) > 1:
            _say_double("masks", root, found_masks, key[1], problems)
        name = f"{key[0]}/{key[1]}" if key[0] else key[1]
        layout.pairs.append(Pair(name, file.path, found_masks[0], key[0]))


def _say_double(what: str, root: Path, paths: list[Path], name: str, problems: Problems) -> None:
    both = " and ".join(_at(root, path) for path in paths[:3])
    problems.add(
        f"doubled {what}", f"{both} are both {what} for {name}: keep one, and move the other out of the folder"
    )


def _at(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _normal(name: str) -> str:
    """One form of names whose accents one system writes as a letter and another as two."""
    return unicodedata.normalize("NFC", name)
