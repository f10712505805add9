"""Seeded faults: each is planted in a network that passes a check, and the same check must then fail."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from tests.helpers.parity import ParityError

Plant = Callable[[nn.Module], nn.Module | None]


@dataclass(frozen=True)
class Mutation:
    """A fault by name.

    ``apply(network)`` plants it in a built network, in place, or returns another network to be checked instead.
    ``check(plant)`` builds the network, calls ``plant`` on it (see ``planted``) and compares it with the reference by
    ``assert_parity``: it passes for ``untouched`` and must raise ParityError for ``apply``. Faults share checks.
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


def untouched(network: nn.Module) -> None:
    """Plant nothing."""


def planted(network: nn.Module, plant: Plant) -> nn.Module:
    """The network after ``plant``: the one it returned, or the given one, which it changed."""
    replacement = plant(network)
    return network if replacement is None else replacement
