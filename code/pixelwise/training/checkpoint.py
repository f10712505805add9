"""Checkpoints that can be killed at any moment and resumed exactly: one safetensors file, replaced atomically.

The tensors of the model, its average and the optimizer are in the file; what describes the run (recipe, seed, data)
and its history are JSON in the file's metadata. No pickle: reading a checkpoint runs no code. Random states need no
storing, for `fit` seeds every epoch from (seed, epoch) and checkpoints between epochs.
"""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..files import whole
from .history import History

FORMAT = "pixelwise checkpoint 1"


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, or that belongs to another run."""


def save(path: Path, run: dict, history: History, modules: dict[str, nn.Module], optimizer) -> None:
    """Write a checkpoint to `path`: whole or not at all, whatever happens meanwhile. OSError where that can't be done.

    run is what `describe` made of the run; modules are the networks by name ("model", and "ema" if there is one).
    """
    tensors = {key: _plain(value) for key, value in _module_tensors(modules).items()}
    for i, parameter in enumerate(_parameters(optimizer)):
        for name, value in optimizer.state[parameter].items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{i}.{name}"] = _plain(value)
    metadata = {"format": FORMAT, "run": json.dumps(run), "history": json.dumps(history.to_dict())}
    with whole(path) as temporary:
        save_file(tensors, temporary, metadata)


def load(path: Path, run: dict, modules: dict[str, nn.Module], optimizer) -> History:
    """Restore modules and optimizer from `path` in place, and return the history so far.

    CheckpointError, before anything was changed, if the file is broken or belongs to another run, model or data set.
    """
    metadata, tensors = _read(path)
    stored = json.loads(metadata["run"])
    for name in [*run, *stored]:
        if stored.get(name) != run.get(name):
            raise CheckpointError(
                f"checkpoint {path} belongs to another run: {name} is {stored.get(name)} there and {run.get(name)} "
                "here; give another checkpoint path, or delete the file to start again"
            )
    targets = _module_tensors(modules)
    for key in sorted(targets.keys() | {key for key in tensors if not key.startswith("optimizer.")}):
        there, here = tensors.get(key), targets.get(key)
        if there is None or here is None or there.shape != here.shape or there.dtype != here.dtype:
            raise CheckpointError(
                f"checkpoint {path} belongs to another model: {key} is {_form(there)} there and {_form(here)} here; "
                "give another checkpoint path, or delete the file to start again"
            )
    with torch.no_grad():
        for key, here in targets.items():
            here.copy_(tensors[key])
        states = {}
        parameters = _parameters(optimizer)
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, i, name = key.split(".")
                parameter = parameters[int(i)]
                # as the optimizer itself lays it out: fused kernels walk weight and state side by side in memory
                like = torch.empty_like(parameter) if value.shape == parameter.shape else value.to(parameter.device)
                states.setdefault(int(i), {})[name] = like.copy_(value)
    for i, state in states.items():
        optimizer.state[parameters[i]].update(state)
    return History(**json.loads(metadata["history"]))


def describe(value) -> object:
    """A JSON form of a recipe, a callable or a tensor that is equal for equal runs, also in another process."""
    if isinstance(value, Tensor):
        return value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: describe(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__qualname__, **parts}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return getattr(value, "__qualname__", type(value).__qualname__)


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata, tensors = file.metadata() or {}, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"checkpoint {path} cannot be read ({error}): it is truncated or no checkpoint; delete it to start again"
        ) from None
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a safetensors file but no checkpoint of this version (format {metadata.get('format')!r}, "
            f"expected {FORMAT!r}): give another checkpoint path, or delete the file to start again"
        )
    return metadata, tensors


def _module_tensors(modules: dict[str, nn.Module]) -> dict[str, Tensor]:
    return {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}


def _parameters(optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _plain(value: Tensor) -> Tensor:
    """A copy on the CPU that shares memory with nothing, in the plain layout that safetensors stores."""
    return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _form(value: Tensor | None) -> str:
    return "absent" if value is None else f"{value.dtype} {tuple(value.shape)}"
