"""Are two networks the same function? In float64: outputs, every gradient and, in train mode, BN's statistics.

Default initialisation hides faults (activations fade with depth, all BN statistics are 0 and 1), so the weights are
drawn by He's rule and every affine parameter and running statistic is random.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

Tensors = dict[str, Tensor]
Outputs: TypeAlias = "Tensor | dict[str, Outputs] | tuple[Outputs, ...] | list[Outputs] | None"


class ParityError(AssertionError):
    """The networks differ; `error` is the relative error, infinite where they cannot be compared."""

    def __init__(self, message: str, error: float = math.inf) -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True)
class Parity:
    """The largest relative errors that were found."""

    outputs: float
    gradients: float
    statistics: float

    @property
    def worst(self) -> float:
        return max(self.outputs, self.gradients, self.statistics)


def blank(build: Callable[..., nn.Module], *args: object, **options: object) -> nn.Module:
    """Build a network without the initialisation that assert_parity overwrites: many times faster for large ones."""
    with torch.device("meta"):
        network = build(*args, **options)
    return network.to_empty(device="cpu")


def randomise(network: nn.Module, seed: int = 0) -> nn.Module:
    """Draw every parameter and every BN statistic of a float64 network anew, in place."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(tensor: Tensor, low: float, high: float) -> None:
        tensor.copy_(torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype) * (high - low) + low)

    def normal(tensor: Tensor, deviation: float) -> None:
        tensor.copy_(torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype) * deviation)

    norms = {name for name, module in network.named_modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)}
    with torch.no_grad():
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            owner, _, kind = name.rpartition(".")
            if not tensor.is_floating_point():
                continue
            if (owner in norms and kind == "weight") or kind == "running_var":
                uniform(tensor, 0.5, 1.5)
            elif tensor.ndim >= 2:
                normal(tensor, math.sqrt(2 / tensor[0].numel()))
            else:
                normal(tensor, 0.2)
    return network


@dataclass(frozen=True)
class Expected:
    """What a reference in a random state answers to random images; `expect` asks it, `compare` holds networks to it."""

    state: Tensors
    images: Tensor
    train: bool
    seed: int
    outputs: Tensors
    gradients: Tensors
    buffers: Tensors


def expect(
    reference: nn.Module,
    size: int | tuple[int, int],
    *,
    train: bool = False,
    channels: int = 3,
    batch: int = 2,
    seed: int = 0,
) -> Expected:
    """Draw a state for `reference` and images of `size`, and ask it. The network becomes float64, and is changed."""
    height, width = (size, size) if isinstance(size, int) else size
    state = {name: tensor.clone() for name, tensor in randomise(reference.double(), seed).state_dict().items()}
    images = torch.randn(batch, channels, height, width, dtype=torch.float64, generator=_generator(seed + 1))
    return Expected(state, images, train, seed, *_run(reference, images, train, seed))


def compare(ours: nn.Module, expected: Expected, *, tolerance: float = 1e-10) -> Parity:
    """Give a network the reference's state, which must fit with `strict=True`, and its images; see assert_parity."""
    try:
        ours.double().load_state_dict(expected.state, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).partition(":")[2].split())
        raise ParityError(f"the parameters do not fit: {reason[:300]}") from None
    steps = _run(ours, expected.images, expected.train, expected.seed)
    return Parity(
        _worst("output", next(steps), expected.outputs, tolerance),
        _worst("gradient of", next(steps), expected.gradients, tolerance),
        _worst("statistic", next(steps), expected.buffers, tolerance) if expected.train else 0.0,
    )


def assert_parity(
    ours: nn.Module,
    reference: nn.Module,
    size: int | tuple[int, int],
    *,
    train: bool = False,
    tolerance: float = 1e-10,
    channels: int = 3,
    batch: int = 2,
    seed: int = 0,
) -> Parity:
    """Give both networks the same random state and images of `size`; raise ParityError if anything differs.

    The networks are changed: they become float64 and the reference's state is loaded into ours with `strict=True`.
    Compared are all outputs (a tensor, or dicts and tuples of them), the gradients of one random projection of the
    outputs with respect to every parameter and the images, and in train mode every buffer after the step. Dropout
    draws from the same seed in both.
    """
    expected = expect(reference, size, train=train, channels=channels, batch=batch, seed=seed)
    return compare(ours, expected, tolerance=tolerance)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _run(network: nn.Module, images: Tensor, train: bool, seed: int) -> Iterator[Tensors]:
    """Yield the outputs, then the gradients, then the buffers: where the first differ nobody asks for the others."""
    network.train(train).zero_grad()
    images = images.clone().requires_grad_()
    torch.manual_seed(seed)
    outputs = dict(_flatten(network(images)))
    yield {name: output.detach() for name, output in outputs.items()}
    generator = _generator(seed + 2)
    losses = [(o * torch.randn(o.shape, dtype=o.dtype, generator=generator)).sum() for o in outputs.values()]
    torch.stack(losses).sum().backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    if images.grad is not None:
        gradients["images"] = images.grad
    yield gradients
    yield {name: b for name, b in network.named_buffers() if b.is_floating_point()}


def _flatten(output: Outputs, name: str = "logits") -> Iterator[tuple[str, Tensor]]:
    """Yield (name, tensor) of every tensor in nested dicts, tuples and lists; None is skipped."""
    if isinstance(output, Tensor):
        yield name, output
    elif isinstance(output, dict):
        for key in output:
            yield from _flatten(output[key], key)
    elif output is not None:
        for i, part in enumerate(output):
            yield from _flatten(part, f"{name}.{i}")


def _worst(what: str, ours: dict[str, Tensor], reference: dict[str, Tensor], tolerance: float) -> float:
    if ours.keys() != reference.keys():
        raise ParityError(f"not the same set of tensors ({what}): {sorted(ours.keys() ^ reference.keys())[:8]}")
    # a gradient that is zero by construction is rounding noise: nothing is measured finer than 1e-6 of the largest
    floor = 1e-6 * max((r.detach().abs().max().item() for r in reference.values()), default=1.0)
    worst, where = 0.0, ""
    for name, expected in reference.items():
        if ours[name].shape != expected.shape:
            raise ParityError(f"{what} {name} is {tuple(ours[name].shape)}, expected {tuple(expected.shape)}")
        scale = max(expected.detach().abs().max().item(), floor)
        error = (ours[name] - expected).detach().abs().max().item() / scale
        if not error <= worst:
            worst, where = error, name
    if not worst <= tolerance:
        raise ParityError(f"{what} {where} differs by a relative {worst:.1e} > {tolerance:.0e}", worst)
    return worst
