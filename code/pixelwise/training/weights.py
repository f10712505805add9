"""Trained weights as one safetensors file that says what it is: enough to build the network again, and to judge it.

The tensors are the network's state; the metadata are JSON: the network's description, its classes, the data and the
size that it was trained on, the recipe, the measured figures and their provenance. Nothing is unpickled: reading such
a file runs no code, and a file from a stranger can do no more than be refused.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ..files import whole
from .networks import Description

FORMAT = "pixelwise weights 1"


class WeightsError(ValueError):
    """A file that holds no weights of this library, or damaged ones; the message says what to do."""


@dataclass(frozen=True)
class About:
    """What a file of weights says of itself.

    classes: names, one for each output; size: (height, width) of the training pictures; dataset: its name; the
    dictionaries hold what JSON can.
    """

    network: Description
    classes: tuple[str, ...]
    dataset: str
    size: tuple[int, int]
    recipe: dict = field(default_factory=dict)
    metrics: dict = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)


def save(path: Path, model: nn.Module, about: About) -> None:
    """Write the model's state and `about` to `path`, whole or not at all. OSError where that can't be done."""
    metadata = {
        "format": FORMAT,
        "network": about.network.to_dict(),
        "classes": about.classes,
        "dataset": about.dataset,
        "size": about.size,
        "recipe": about.recipe,
        "metrics": about.metrics,
        "provenance": about.provenance,
    }
    text = {key: value if key == "format" else json.dumps(value) for key, value in metadata.items()}
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    with whole(Path(path)) as temporary:
        save_file(state, temporary, text)


def load(path: str | Path) -> tuple[nn.Module, About]:
    """The network, on the CPU and in eval mode, and what its file says of it.

    WeightsError, in one line, for a file that is missing, damaged, of another kind, or whose tensors do not fit the
    network it describes. That is checked on shapes alone, before any memory is spent on the network.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(
            f"there are no weights at {path}: check the path, or train some (python -m pixelwise.training)"
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise WeightsError(
                    f"{path} is a safetensors file, but holds no weights of this library (format "
                    f"{metadata.get('format')!r}, expected {FORMAT!r}): give a weights.safetensors that "
                    "python -m pixelwise.training wrote"
                )
            about = _read(path, metadata)
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
            model = _fitting(path, about, shapes)
            model.load_state_dict({key: file.get_tensor(key) for key in shapes}, assign=True)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} cannot be read ({error}): it is truncated, or no safetensors file; fetch or train it again"
        ) from None
    return model.eval(), about


def _read(path: Path, metadata: dict[str, str]) -> About:
    try:
        parts = {key: json.loads(value) for key, value in metadata.items() if key != "format"}
        about = About(
            network=Description(**parts["network"]),
            classes=tuple(str(name) for name in parts["classes"]),
            dataset=str(parts["dataset"]),
            size=tuple(int(side) for side in parts["size"]),
            **{key: dict(parts[key]) for key in ("recipe", "metrics", "provenance")},
        )
        if len(about.size) != 2 or min(about.size) < 1 or len(about.classes) != about.network.num_classes:
            raise ValueError("its size or its classes make no sense")
    except (ValueError, TypeError, KeyError) as error:
        raise WeightsError(
            f"{path} does not say what it is ({error}): it is damaged or of a later version; train it again"
        ) from None
    return about


def _fitting(path: Path, about: About, shapes: dict[str, tuple[int, ...]]) -> nn.Module:
    """The described network without memory of its own, if the tensors in the file are its."""
    try:
        with torch.device("meta"):
            model = about.network.build()
    except (ValueError, RuntimeError) as error:
        raise WeightsError(f"{path} describes a network that can't be built: {error}") from None
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    for key in sorted(expected.keys() | shapes.keys()):
        if expected.get(key) != shapes.get(key):
            raise WeightsError(
                f"the weights in {path} do not fit the {about.network.model} that it describes: {key} is "
                f"{shapes.get(key, 'absent')} there, expected {expected.get(key, 'absent')}; train it again"
            )
    return model
