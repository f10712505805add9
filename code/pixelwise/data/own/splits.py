"""Which pairs a network is trained on, and by which it is judged: by folders, by lists, or divided here.

Without a list or a folder for it, VAL_SHARE of the pairs become val. They are drawn by a hash of their names, so that
the division is the same everywhere and hardly changes when pictures are added. Names such as `clip3_0001` tell
sequences, whose frames look alike: these are never divided between train and val.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from .layout import Layout, Pair
from .problems import Problems

VAL_SHARE = 0.2
NAMES = ("train", "val", "test")
SEQUENCE = re.compile(r"^(.*[^\d_\-. /].*)[_\-. /]f?\d+$|^(\d+)[_\-/]\d+$")
"""A name that ends with the number of a frame, after that of its sequence."""


def divide(root: Path, layout: Layout, problems: Problems) -> tuple[dict[str, list[Pair]], str]:
    """The pairs of train, val and perhaps test, by name, and a line that says how they were divided."""
    if layout.lists:
        splits = {split: _listed(root, path, layout, problems) for split, path in layout.lists.items()}
        _check_apart(splits, problems)
        taken = {pair.name for pairs in splits.values() for pair in pairs}
        rest = [pair for pair in layout.pairs if pair.name not in taken]
        how = "by " + ", ".join(path.relative_to(root).as_posix() for path in layout.lists.values())
    else:
        splits = {split: [pair for pair in layout.pairs if pair.split == split] for split in NAMES}
        splits = {split: pairs for split, pairs in splits.items() if pairs or split in layout.split_folders}
        rest = [pair for pair in layout.pairs if pair.split is None]
        how = "by folders" if splits else ""
    if "test" in splits and not splits["test"] and not layout.lists.get("test"):
        del splits["test"]
        layout.notes.append("the folder of test holds no masks and is left out")
    if "train" in splits and "val" in splits:
        if rest:
            layout.notes.append(f"{len(rest)} pairs are in no split and are left out")
    elif "val" in splits:
        splits["train"] = rest
    elif "train" in splits and rest:
        splits["val"] = rest
    elif whole := splits.get("train", rest):
        splits["train"], splits["val"], drawn = _drawn(whole)
        how = f"{how}; {drawn}" if how else drawn
    else:
        splits.setdefault("train", rest)
    empty = [split for split in NAMES if split in splits and not splits[split]]
    if empty and layout.pairs:
        where = layout.lists.get(empty[0])
        place = where.relative_to(root).as_posix() if where else f"its folder or a list {empty[0]}.txt"
        problems.add(
            "empty splits",
            f"the split {empty[0]} is empty ({len(layout.pairs)} pairs in all): name pictures for it in {place}",
        )
    return {split: sorted(splits[split], key=lambda pair: pair.name) for split in NAMES if split in splits}, how


def _listed(root: Path, path: Path, layout: Layout, problems: Problems) -> list[Pair]:
    """The pairs that a list names, by name, file name or path, one a line."""
    known: dict[str, list[Pair]] = {}
    for pair in layout.pairs:
        relative = PurePosixPath(pair.picture.relative_to(root).as_posix())
        names = {pair.name, str(relative), str(relative.with_suffix("")), relative.name, relative.stem}
        for name in names:
            known.setdefault(name, []).append(pair)
    lone = {name for picture, _ in layout.lone_pictures for name in (picture.name, picture.stem)}
    at = path.relative_to(root).as_posix()
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        problems.add("unreadable lists", f"{at} can't be read as UTF-8 text ({type(error).__name__}): save it again")
        return []
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        ways = [known[name] for name in _tails(line) if name in known]
        if not ways:
            why = "has no mask" if any(name in lone for name in _tails(line)) else "is not there"
            problems.add(
                "wrong names in lists", f'line {number} of {at} names "{line[:80]}", which {why}: mend the list'
            )
        elif len(ways[0]) > 1:
            problems.add(
                "wrong names in lists",
                f'line {number} of {at} names "{line[:80]}", which {len(ways[0])} pictures have: write the folder',
            )
        else:
            pairs.append(ways[0][0])
    for name, count in Counter(pair.name for pair in pairs).items():
        if count > 1:
            problems.add("doubled names in lists", f"{at} names {name} {count} times: leave one line")
    return list({pair.name: pair for pair in pairs}.values())


def _tails(line: str) -> list[str]:
    """What a line may mean: all of it, or its first word, whole or without some of the folders it begins with."""
    tails: list[str] = []
    for text in dict.fromkeys([line, line.split()[0]]):
        parts = PurePosixPath(text).parts
        tails += ["/".join(parts[start:]) for start in range(len(parts))]
    return [tail for name in tails for tail in (name, str(PurePosixPath(name).with_suffix("")) if name else name)]


def _check_apart(splits: dict[str, list[Pair]], problems: Problems) -> None:
    seen: dict[str, str] = {}
    for split, pairs in splits.items():
        for pair in pairs:
            if (other := seen.setdefault(pair.name, split)) != split:
                problems.add(
                    "pictures in two splits",
                    f"{pair.name} is in the lists of {other} and of {split}: leave it in one, or its figures flatter",
                )


def _drawn(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair], str]:
    """train, val, and a line about them."""
    sequences: dict[str, list[Pair]] = {}
    for pair in pairs:
        found = SEQUENCE.match(pair.name)
        sequences.setdefault((found[1] or found[2]) if found else pair.name, []).append(pair)
    divided = 1 < len(sequences) < len(pairs)
    groups = list(sequences.values()) if divided else [[pair] for pair in pairs]
    groups.sort(key=lambda group: hashlib.sha256(group[0].name.encode(errors="surrogateescape")).digest())
    wanted = max(1, round(VAL_SHARE * len(pairs)))
    val: list[Pair] = []
    for group in groups:
        if len(val) + len(group) <= wanted:
            val += group
    left = [group for group in groups if group[0] not in val]
    if 2 * len(val) < wanted and left and 2 * (len(val) + len(smallest := min(left, key=len))) <= len(pairs):
        val += smallest  # too much is better than hardly anything
    names = {pair.name for pair in val}
    train = [pair for pair in pairs if pair.name not in names]
    unit = f"of {len(sequences)} sequences, none of which is divided" if divided else "drawn by a hash of their names"
    return (
        train,
        val,
        f"{len(train)} pairs for train and {len(val)} for val, {unit}; lists train.txt, val.txt divide otherwise",
    )
