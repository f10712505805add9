"""PNG files that tell which program wrote them, and whether anybody has changed them since.

The last chunk but one is a text, `Software: pixelwise-predict mask` and a SHA-256 of all that stands before it. A
file whose seal is broken was edited by someone, who may want to keep it.
"""

import hashlib
import re
import struct
import zlib
from pathlib import Path

_END = b"\0\0\0\0IEND\xaeB`\x82"
"""A PNG's last chunk: length 0, kind, checksum."""

_SEALED = re.compile(rb".{4}tEXtSoftware\0([\w.-]+) (\w+), SHA-256 [0-9a-f]{64}.{8}IEND.{4}\Z", re.S)
_LONGEST = 256
"""Bytes at the end of a file in which a seal lies, if there is one."""


def seal(png: bytes, program: str, role: str) -> bytes:
    """A PNG file's bytes with the seal of a program; `role` says in a word which of its pictures this is."""
    body = png.removesuffix(_END)
    return body + _ending(program, role, hashlib.sha256(body).hexdigest())


def is_sealed(path: Path, program: str) -> bool:
    """Whether a file was sealed by `program` and is still as it was; False also for what is no file, or unreadable.

    Of a file without a seal only the last bytes are read, and nothing is decoded.
    """
    try:
        if not path.is_file():
            return False
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LONGEST))
            match = _SEALED.search(file.read())
            if not match or match[1] != program.encode("ascii"):
                return False
            file.seek(0)
            digest, left = hashlib.sha256(), size - len(match[0])
            while left and (block := file.read(min(left, 1 << 20))):
                digest.update(block)
                left -= len(block)
    except OSError:
        return False
    return match[0] == _ending(program, match[2].decode("ascii"), digest.hexdigest())


def _ending(program: str, role: str, digest: str) -> bytes:
    text = f"tEXtSoftware\0{program} {role}, SHA-256 {digest}".encode("ascii")
    return struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text)) + _END
