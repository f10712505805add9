"""Trained weights as one safetensors file that says what it is: enough to build the network again, and to judge it.

The tensors are the network's state; the metadata are JSON: the network's description, its classes, the data and the
size that it was trained on, the recipe, the measured figures and their provenance. Nothing is unpickled: reading such
a file runs no code, and a file from a stranger can do no more than be refused. A checksum over all of it (see
`sealed`) is verified at every reading.
"""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import sealed
from .registry import NetworkSpec

TRAINED = Path(__file__).with_name("trained")
"""The folder of the small weights that come with the library, each beside its card; a wheel holds it too."""

SHIPPED = {"camvid": TRAINED / "pyramid-camvid.safetensors", "streets": TRAINED / "compact-streets.safetensors"}
"""The small weights that come with the book, by the data that they learned from, the better ones on photographs first.
Those of CamVid are for non-commercial use, so a copy of the book may be without them."""

DEFAULT = next((path for path in SHIPPED.values() if path.is_file()), SHIPPED["streets"])
"""What `pixelwise-predict` takes unless it is told otherwise."""

FORMAT = "pixelwise weights 2"

LONGEST_SIDE, MOST_PIXELS = 16384, 2048 * 2048
"""Bounds on the size of the training pictures, at which a network will be shown others: twice those of Cityscapes."""

LONGEST_NAME, MOST_TEXT = 80, 1_000_000
"""In characters: of a name, and of a dictionary as JSON."""

FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


class WeightsError(ValueError):
    """A file that holds no weights of this library, or damaged ones; the message says what to do."""


@dataclass(frozen=True)
class Metadata:
    """What a file of weights says of itself.

    classes: names, one for each output; size: (height, width) of the training pictures; dataset: its name; train_split
    and val_split: names of the splits that were trained and validated on, None where that was not recorded; colours:
    sRGB 0-255, one a class, where the data set has its own; the dictionaries hold what JSON can. Text is printable and
    names are short, for they are shown. ValueError otherwise.
    """

    network: NetworkSpec
    classes: tuple[str, ...]
    dataset: str
    size: tuple[int, int]
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    train_split: str | None = None
    val_split: str | None = None
    colours: tuple[tuple[int, int, int], ...] | None = None

    def __post_init__(self) -> None:
        classes = self.classes
        if not isinstance(classes, tuple) or len(classes) != self.network.num_classes:
            count = len(classes) if isinstance(classes, tuple) else sealed.short(repr(classes))
            raise ValueError(f"classes are {count}, expected {self.network.num_classes} names, one for each output")
        for name in classes:
            _check_name("a class", name)
        if len(set(classes)) < len(classes):
            raise ValueError("two classes have the same name")
        _check_name("dataset", self.dataset)
        for name in ("train_split", "val_split"):
            if getattr(self, name) is not None:
                _check_name(name, getattr(self, name))
        check_size(self.size)
        _check_colours(self.colours, len(classes))
        for name in ("recipe", "metrics", "provenance"):
            if not isinstance(getattr(self, name), dict):
                raise ValueError(f"{name} is {sealed.short(repr(getattr(self, name)))}, expected a dictionary")
            _check_plain(name, getattr(self, name))


OPTIONAL = ("colours",)
"""Parts that a file has only where there is something to say: older files have none of them."""

PARTS = tuple(part.name for part in fields(Metadata) if part.name not in OPTIONAL)


def check_size(size: object) -> None:
    """Raise ValueError unless it is a (height, width) of training pictures that weights can tell."""
    sides = isinstance(size, tuple) and len(size) == 2 and all(type(side) is int for side in size)
    if not sides or min(size) < 1 or max(size) > LONGEST_SIDE or size[0] * size[1] > MOST_PIXELS:
        raise ValueError(
            f"size is {sealed.short(repr(size))}, expected (height, width) of 1 to {LONGEST_SIDE}, together at most "
            f"{MOST_PIXELS} pixels"
        )


def file_of(name: str | Path) -> Path:
    """The file of the weights called `name` in SHIPPED; any other name is a path. A file called so is ./name."""
    return SHIPPED.get(str(name), Path(name))


def save(path: Path, model: nn.Module, metadata: Metadata, dtype: torch.dtype | None = None) -> None:
    """Write the model's state and `metadata` to `path`, whole or not at all. OSError where that can't be done.

    Floats are stored as `dtype`, one of FLOATS, or as they are; `tools.ship` measures what half of the bytes cost. A
    figure that is no finite number is written as null, for JSON has no other. WeightsError, and nothing is written,
    where the state itself holds NaN or infinity, or would in that dtype.
    """
    if dtype is not None and dtype not in FLOATS:
        raise ValueError(f"dtype is {dtype}, expected one of {', '.join(map(str, FLOATS))}, or None")
    state = {key: _stored(value, dtype) for key, value in model.state_dict().items()}
    if (key := sealed.first_not_finite(state)) is not None:
        raise WeightsError(f"the weights are not saved to {path}: {key} holds NaN or infinity; train it again")
    parts = {name: _finite(getattr(metadata, name)) for name in PARTS} | {"network": metadata.network.to_dict()}
    parts |= {name: value for name in OPTIONAL if (value := getattr(metadata, name)) is not None}
    sealed.write(Path(path), FORMAT, parts, state)


def _stored(value: Tensor, dtype: torch.dtype | None) -> Tensor:
    value = value.detach().cpu()
    return (value.to(dtype) if dtype and value.is_floating_point() else value).contiguous()


def load(path: str | Path) -> tuple[nn.Module, Metadata]:
    """The network, on the CPU, in float32 and in eval mode, and what its file says of it.

    Files in half, bfloat16 or double precision are converted. WeightsError, in one line, for a file that is missing,
    damaged, of another kind, that says what can't be, or whose tensors do not fit the network it describes.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"there are no weights at {path}: check the path, or train some (pixelwise-train)")
    try:
        parts, tensors = sealed.read(path, FORMAT, PARTS, MOST_TEXT, OPTIONAL)
    except sealed.DamagedFile as error:
        raise WeightsError(
            f"{path} {error}; fetch it again, or train it again (pixelwise-train writes a weights.safetensors)"
        ) from None
    metadata = _read(path, parts)
    model = _fitting(path, metadata, tensors)
    return model.eval(), metadata


def _read(path: Path, parts: dict[str, Any]) -> Metadata:
    try:
        if _finite(parts) != parts:
            raise ValueError("it holds a number that is not finite")
        if not isinstance(parts["network"], dict):
            raise ValueError(f"network is {sealed.short(repr(parts['network']))}, expected a dictionary")
        tuples = {name: tuple(parts[name]) for name in ("classes", "size") if isinstance(parts[name], list)}
        if isinstance(colours := parts.get("colours"), list):
            tuples["colours"] = tuple(tuple(part) if isinstance(part, list) else part for part in colours)
        values: dict[str, Any] = parts | tuples | {"network": NetworkSpec(**parts["network"])}
        return Metadata(**values)
    except (ValueError, TypeError) as error:
        raise WeightsError(
            f"{path} does not say what it is ({sealed.short(str(error))}): it is forged, or of a later version; train "
            "it again"
        ) from None


def _fitting(path: Path, metadata: Metadata, tensors: dict[str, Tensor]) -> nn.Module:
    """The described network with these tensors, if they are its; no memory is spent on others."""
    try:
        with torch.device("meta"):
            model = metadata.network.build()
    except (ValueError, RuntimeError) as error:
        raise WeightsError(f"{path} describes a network that can't be built: {sealed.short(str(error))}") from None
    expected = model.state_dict()
    for key in sorted(expected.keys() | tensors.keys()):
        wanted, stored = expected.get(key), tensors.get(key)
        if wanted is None or stored is None or wanted.shape != stored.shape:
            shapes = ["absent" if value is None else tuple(value.shape) for value in (stored, wanted)]
            raise WeightsError(
                f"the weights in {path} do not fit the {metadata.network.model} that it describes: {sealed.short(key)} "
                f"is {shapes[0]} there, expected {shapes[1]}; train it again"
            )
        if stored.dtype != wanted.dtype and not (wanted.dtype in FLOATS and stored.dtype in FLOATS):
            raise WeightsError(
                f"the weights in {path} are of a kind that can't be used: {key} is {stored.dtype}, expected "
                f"{wanted.dtype}, or half, bfloat16 or double; convert it, or train it again"
            )
    converted = {key: value.to(expected[key].dtype) for key, value in tensors.items()}
    if (key := sealed.first_not_finite(converted)) is not None:
        raise WeightsError(f"the weights in {path} are no numbers: {key} holds NaN or infinity; train it again")
    model.load_state_dict(converted, assign=True)
    return model


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueError(f"{what} is {sealed.short(repr(name))}, expected 1 to {LONGEST_NAME} printable characters")


def _check_colours(colours: object, count: int) -> None:
    if colours is None:
        return
    if not isinstance(colours, tuple) or len(colours) != count:
        raise ValueError(f"colours are {sealed.short(repr(colours))}, expected {count}, one a class, or None")
    for colour in colours:
        parts = isinstance(colour, tuple) and len(colour) == 3 and all(type(part) is int for part in colour)
        if not parts or not 0 <= min(colour) <= max(colour) <= 255:
            raise ValueError(f"a colour is {sealed.short(repr(colour))}, expected (red, green, blue) of 0 to 255")


def _check_plain(what: str, value: object, depth: int = 0) -> None:
    """Raise ValueError unless the value is what JSON can hold, not too deep, its text printable."""
    if depth > sealed.DEEPEST:
        raise ValueError(f"{what} is nested more than {sealed.DEEPEST} deep")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError(f"{what} has a key that is no text")
        for part in (*value, *value.values()):
            _check_plain(what, part, depth + 1)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _check_plain(what, part, depth + 1)
    elif isinstance(value, str):
        if not value.isprintable():
            raise ValueError(f"{what} holds {sealed.short(repr(value))}, expected printable text")
    elif value is not None and not isinstance(value, bool | int | float):
        raise ValueError(f"{what} holds {sealed.short(repr(value))}, expected what JSON can hold")


def _finite(value: object) -> object:
    """The same with None for every float that is NaN or infinite."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
