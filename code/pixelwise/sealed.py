"""Tensors and what they are, in one safetensors file with a checksum: nothing that was altered by accident is read.

The SHA-256 covers names, kinds, shapes and bytes of all tensors and every entry of the metadata. It tells an accident,
not a forger, who can compute it too: whoever reads such a file still has to check what it says.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .files import atomic_write

KINDS = frozenset({"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"})
"""Number formats, as safetensors names them, that every supported PyTorch reads."""

DEEPEST = 16
"""Levels of lists and dictionaries in one part."""

LONGEST_QUOTE = 200


class DamagedFile(ValueError):
    """A file that is not what was once written into it; the message is the half of a sentence that says why."""


def write(path: Path, kind: str, parts: Mapping[str, object], tensors: dict[str, Tensor]) -> None:
    """Write tensors (on the CPU, contiguous) and `parts`, whatever JSON can hold, as a file of that kind.

    kind names format and version, such as "pixelwise weights 2". Whole or not at all; OSError where that can't be done.
    """
    metadata = {"format": kind} | {name: json.dumps(part) for name, part in parts.items()}
    metadata["sha256"] = checksum(metadata, tensors)
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, metadata)


def read(
    path: Path, kind: str, names: tuple[str, ...], most: int, optional: tuple[str, ...] = ()
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The parts called `names`, each of at most `most` characters, and the tensors that `write` stored, verified.

    Those that are `optional` may be there too.
    DamagedFile for anything else: a file that can't be read, one of another kind, altered, or with other parts.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != kind:
                raise DamagedFile(
                    f"holds no {kind} (its format is {short(repr(metadata.get('format')))}): it is another file, or of "
                    "another version"
                )
            if "sha256" not in metadata:
                raise DamagedFile("carries no checksum, which every file of its kind does")
            keys = list(file.keys())
            kinds = {key: file.get_slice(key).get_dtype() for key in keys}
            if strange := sorted(key for key in keys if kinds[key] not in KINDS):
                raise DamagedFile(f"holds {short(strange[0])} as {kinds[strange[0]]}, a number format not read here")
            tensors = {key: file.get_tensor(key) for key in keys}
    except (SafetensorError, OSError) as error:
        raise DamagedFile(f"cannot be read ({short(str(error))}): it is truncated, or no safetensors file") from None
    if checksum(metadata, tensors) != metadata.pop("sha256"):
        raise DamagedFile("does not match its checksum: it was altered after it was written")
    if metadata.keys() - {*optional} != {"format", *names}:
        raise DamagedFile(f"holds {short(str(sorted(metadata)))}, expected {['format', *names]}")
    return {name: parsed(name, metadata[name], most) for name in (*names, *optional) if name in metadata}, tensors


def checksum(metadata: dict[str, str], tensors: dict[str, Tensor]) -> str:
    """SHA-256 of everything in such a file but the checksum itself, in whatever order it is stored."""
    entries = sorted((key, value) for key, value in metadata.items() if key != "sha256")
    forms = [(key, str(tensors[key].dtype), list(tensors[key].shape)) for key in sorted(tensors)]
    digest = hashlib.sha256(json.dumps([entries, forms]).encode())
    for key in sorted(tensors):
        digest.update(tensors[key].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def parsed(name: str, text: str, most: int) -> object:
    """The part that `text` holds as JSON of bounded length and depth; DamagedFile for what is none."""
    if len(text) > most:
        raise DamagedFile(f"has {len(text)} characters in {name}, expected at most {most}")
    try:
        part = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"holds no JSON in {name} ({short(str(error))})") from None
    level: list[object] = [part]
    depth = 0
    while level := [
        inner
        for value in level
        if isinstance(value, (dict, list))
        for inner in (value.values() if isinstance(value, dict) else value)
    ]:
        depth += 1
        if depth > DEEPEST:
            raise DamagedFile(f"nests {name} more than {DEEPEST} deep")
    return part


def first_not_finite(tensors: dict[str, Tensor]) -> str | None:
    """The name of a tensor that holds NaN or infinity, or None."""
    return next(
        (key for key, value in tensors.items() if value.is_floating_point() and not value.isfinite().all()), None
    )


def short(text: str) -> str:
    """A stranger's text as printable characters of one line, and not too many, fit for a message."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text)
    return printable if len(printable) <= LONGEST_QUOTE else f"{printable[: LONGEST_QUOTE - 1]}…"
