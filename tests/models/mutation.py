"""Seeded faults: each is planted in a network that passes a check, and the same check must then fail."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial, reduce

from torch import Tensor, nn

from tests.models.parity import Expected, ParityError, blank, expect
from tests.models.references import Pair

Plant = Callable[[nn.Module], nn.Module | None]


@dataclass(frozen=True)
class Mutation:
    """A fault by name.

    `apply(network)` plants it in a built network, in place, or returns another network to be checked instead.
    `check(plant)` builds the network, calls `plant` on it (see `planted`) and compares it with what the reference
    answers, `expected`: it passes for `untouched` and must raise ParityError for `apply`. Faults share checks.
    """

    name: str
    apply: Plant
    check: Callable[[Plant], object]

    def caught(self) -> ParityError | None:
        """Return the error that the check raises with this fault planted, or None if the fault gets through."""
        try:
            self.check(self.apply)
        except ParityError as error:
            return error
        return None


@lru_cache(maxsize=2)  # the faults of one check follow each other
def expected(pair: Pair, size: int | tuple[int, int], train: bool = False) -> Expected:
    """What the pair's reference answers, which no fault changes."""
    return expect(pair.reference(), size, train=train)


def untouched(network: nn.Module) -> None:
    """Plant nothing."""


def planted(network: nn.Module, plant: Plant) -> nn.Module:
    """The network after `plant`: the one it returned, or the given one, which it changed."""
    replacement = plant(network)
    return network if replacement is None else replacement


def assign(path: str, value: object) -> Plant:
    """Plant a value for an attribute, such as 1e-3 for "layer1.0.bn1.eps"; numbers name children of a sequence."""

    def plant(network: nn.Module) -> None:
        *parents, name = path.split(".")
        setattr(reduce(getattr, parents, network), name, value)

    return plant


def after(path: str, change: Callable[[Tensor], Tensor]) -> Plant:
    """Plant `change` behind the submodule at `path`: what it returned becomes change(it)."""

    def plant(network: nn.Module) -> None:
        def hook(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
            return change(output)

        network.get_submodule(path).register_forward_hook(hook)

    return plant


def instead(path: str, compute: Callable[[nn.Module, Tensor], Tensor]) -> Plant:
    """Plant `compute(module, x)` for the forward of the submodule at `path`, which keeps its parameters."""

    def plant(network: nn.Module) -> None:
        module = network.get_submodule(path)
        module.forward = partial(compute, module)

    return plant


def rebuilt(build: Callable[..., nn.Module], *args: object, **options: object) -> Plant:
    """Plant another network altogether."""
    return lambda network: blank(build, *args, **options)
