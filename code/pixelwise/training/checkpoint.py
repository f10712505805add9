"""Checkpoints that can be killed at any moment and resumed exactly: one safetensors file, replaced atomically.

The tensors of the model, its average and the optimizer are in the file; what describes the run (recipe, seed, data)
and its history are JSON in the file's metadata, and a checksum covers it all (see `sealed`). No pickle: reading a
checkpoint runs no code. Random states need no storing, for `fit` seeds every epoch from (seed, epoch) and checkpoints
between epochs.
"""

import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from .. import sealed
from .history import History

FORMAT = "pixelwise checkpoint 2"
PARTS = ("run", "history")
ADVICE = "give another checkpoint path, or delete the file to start again"
MOST_TEXT = 50_000_000
"""Characters of a history: a quarter of a million epochs."""
EXACT = 2**24
"""The optimizer counts its steps in float32, and no further than this."""


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, or that belongs to another run."""


def save(
    path: Path, run: Mapping[str, object], history: History, modules: dict[str, nn.Module], optimizer: Optimizer
) -> None:
    """Write a checkpoint to `path`: whole or not at all, whatever happens meanwhile. OSError where that can't be done.

    run is what `describe` made of the run; modules are the networks by name ("model", and "ema" if there is one).
    """
    tensors = {key: _plain(value) for key, value in _module_tensors(modules).items()}
    for i, parameter in enumerate(_parameters(optimizer)):
        for name, value in optimizer.state[parameter].items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{i}.{name}"] = _plain(value)
    sealed.write(path, FORMAT, {"run": run, "history": history.to_dict()}, tensors)


def load(path: Path, run: Mapping[str, object], modules: dict[str, nn.Module], optimizer: Optimizer) -> History:
    """Restore modules and optimizer from `path` in place, and return the history so far.

    CheckpointError, before anything was changed, if the file is broken, says what can't be, or belongs to another run,
    model or data set.
    """
    try:
        parts, tensors = sealed.read(path, FORMAT, PARTS, MOST_TEXT)
    except sealed.DamagedFile as error:
        raise CheckpointError(f"checkpoint {path} {error}; {ADVICE}") from None
    _check_run(path, parts["run"], run)
    targets = _module_tensors(modules)
    stored = {key: value for key, value in tensors.items() if not key.startswith("optimizer.")}
    _check_modules(path, stored, targets)
    for key, value in tensors.items():
        if value.is_floating_point() and value.isnan().any():
            raise CheckpointError(f"checkpoint {path} holds NaN in {sealed.short(key)}; {ADVICE}")
    history = _history(path, parts["history"], bool(run.get("validation")))
    states = _optimizer_states(path, tensors.keys() - stored.keys(), tensors, optimizer, history.step[-1])
    with torch.no_grad():
        for key, here in targets.items():
            here.copy_(stored[key])
    for parameter, state in states.items():
        optimizer.state[parameter].update(state)
    return history


def describe(value: object) -> Any:
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


def _check_run(path: Path, stored: object, run: Mapping[str, object]) -> None:
    if not isinstance(stored, dict):
        raise CheckpointError(f"checkpoint {path} does not say of which run it is; {ADVICE}")
    for name in [*run, *stored]:
        if name not in stored or name not in run or stored[name] != run[name]:
            in_file, here = (sealed.short(str(parts[name])) if name in parts else "absent" for parts in (stored, run))
            raise CheckpointError(
                f"checkpoint {path} belongs to another run: {sealed.short(name)} is {in_file} there and {here} "
                f"here; {ADVICE}"
            )


def _check_modules(path: Path, stored: dict[str, Tensor], targets: dict[str, Tensor]) -> None:
    for key in sorted(targets.keys() | stored.keys()):
        in_file, here = stored.get(key), targets.get(key)
        if in_file is None or here is None or in_file.shape != here.shape or in_file.dtype != here.dtype:
            raise CheckpointError(
                f"checkpoint {path} belongs to another model: {sealed.short(key)} is {_form(in_file)} there and "
                f"{_form(here)} here; {ADVICE}"
            )


def _history(path: Path, stored: Any, validated: bool) -> History:
    if fault := _history_fault(stored, validated):
        raise CheckpointError(f"checkpoint {path} has a history that can't be ({fault}); {ADVICE}")
    return History(**stored)


def _history_fault(stored: object, validated: bool) -> str | None:
    """What keeps it from being what `fit` left: epochs 1, 2, … of equally many steps, the last perhaps cut short."""
    names = [field.name for field in fields(History)]
    if not isinstance(stored, dict) or sorted(stored) != sorted(names):
        return f"expected the lists {', '.join(names)}"
    for name, values in stored.items():
        optional = name.startswith("val_")
        if not isinstance(values, list) or not all(_is_number(v, name in ("epoch", "step"), optional) for v in values):
            return f"{name} is no list of numbers from 0"
        expected = len(stored["epoch"]) if validated or not optional else 0
        if len(values) != expected:
            return f"{name} has {len(values)} entries, expected {expected}"
    epochs, steps = stored["epoch"], stored["step"]
    if not epochs or epochs != list(range(1, len(epochs) + 1)):
        return "its epochs are not 1, 2, …"
    even = [steps[0] * epoch for epoch in epochs]
    if steps[:-1] != even[:-1] or not (0, *even)[-2] < steps[-1] <= even[-1]:
        return f"its steps do not fit its {len(epochs)} epochs"
    return None


def _is_number(value: object, whole: bool, may_be_undefined: bool) -> bool:
    """Whether it is a count or a finite number from 0; a score may be NaN where no pixel is labelled."""
    if whole or type(value) is not float:
        return type(value) is int and value >= 0
    return (value >= 0 and math.isfinite(value)) or (may_be_undefined and math.isnan(value))


def _optimizer_states(
    path: Path, keys: Set[str], tensors: dict[str, Tensor], optimizer: Optimizer, step: int
) -> dict[Tensor, dict[str, Tensor]]:
    """The state of each parameter that has one, on its device and as the optimizer itself lays it out."""
    by_number: dict[int, dict[str, Tensor]] = {}
    parameters = _parameters(optimizer)
    for key in sorted(keys):
        _, _, rest = key.partition(".")
        i, _, name = rest.partition(".")
        if not i.isdecimal() or f"{int(i)}" != i or int(i) >= len(parameters):
            raise CheckpointError(f"checkpoint {path} holds {sealed.short(key)}, of no parameter here; {ADVICE}")
        by_number.setdefault(int(i), {})[name] = tensors[key]
    forms = _state_forms(optimizer)
    if any(forms) and not by_number:
        raise CheckpointError(f"checkpoint {path} holds no state of the optimizer; {ADVICE}")
    states: dict[Tensor, dict[str, Tensor]] = {}
    for i, state in by_number.items():
        parameter, form = parameters[i], forms[i]
        if state.keys() != form.keys():
            raise CheckpointError(
                f"checkpoint {path} holds {sealed.short(str(sorted(state)))} of optimizer.{i}, expected "
                f"{sorted(form)}; {ADVICE}"
            )
        for name, value in state.items():
            like = form[name]
            shape = parameter.shape if like.dim() else like.shape
            if value.shape != shape or value.dtype != like.dtype:
                raise CheckpointError(
                    f"checkpoint {path} belongs to another model: optimizer.{i}.{name} is {_form(value)} there, "
                    f"expected {like.dtype} {tuple(shape)}; {ADVICE}"
                )
            # as the optimizer itself lays it out: fused kernels walk weight and state side by side in memory
            empty = torch.empty_like(parameter, dtype=like.dtype) if like.dim() else torch.empty_like(like)
            states.setdefault(parameter, {})[name] = empty.copy_(value)
    counts = [float(state["step"]) for state in by_number.values() if "step" in state]
    if counts and not (min(counts) >= 1 and max(counts) == min(step, EXACT) and all(n.is_integer() for n in counts)):
        raise CheckpointError(
            f"checkpoint {path} counts other steps in the optimizer than the {step} of its history; {ADVICE}"
        )
    return states


def _state_forms(optimizer: Optimizer) -> list[dict[str, Tensor]]:
    """For each parameter what its state is made of: scalars as they are, and vectors for what has its shape.

    Learnt from a step of an optimizer of the same kind over stand-ins with two numbers each.
    """
    forms: list[dict[str, Tensor]] = []
    for group in optimizer.param_groups:
        twins = [nn.Parameter(torch.zeros(2, dtype=p.dtype, device=p.device)) for p in group["params"]]
        if not twins:
            continue
        build: Any = type(optimizer)  # each kind has settings of its own
        twin = build(twins, lr=0.0)
        twin.param_groups[0].update({name: value for name, value in group.items() if name != "params"})
        for parameter in twins:
            parameter.grad = torch.zeros_like(parameter)
        twin.step()
        forms += [
            {name: value for name, value in twin.state[parameter].items() if isinstance(value, Tensor)}
            for parameter in twins
        ]
    return forms


def _module_tensors(modules: dict[str, nn.Module]) -> dict[str, Tensor]:
    return {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}


def _parameters(optimizer: Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _plain(value: Tensor) -> Tensor:
    """A copy on the CPU that shares memory with nothing, in the plain layout that safetensors stores."""
    return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _form(value: Tensor | None) -> str:
    return "absent" if value is None else f"{value.dtype} {tuple(value.shape)}"
