"""The ground plan of a street, and what it means to stand on it."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from .canvas import Canvas
from .rng import RandomStream
from .shadows import Caster
from .view import View

Side: TypeAlias = Literal[-1, 1]
"""-1 for the left side of the street, 1 for the right."""

SIDES: tuple[Side, Side] = (-1, 1)


@dataclass(frozen=True)
class Road:
    """Metres from the road's middle to the kerb, the pavement's width, and the side on which traffic drives ahead."""

    traffic_side: Side
    kerb: float
    pavement: float

    @property
    def boundary(self) -> float:
        """Metres from the road's middle to where houses and gardens begin."""
        return self.kerb + self.pavement


class Thing(Protocol):
    """Something that stands in the street."""

    def draw(self, canvas: Canvas, view: View) -> None:
        """Paint it and its label."""
        ...


@dataclass(frozen=True)
class Placed:
    """A thing and its depth in metres, by which it is painted from far to near, and what of it casts a shadow."""

    depth: float
    thing: Thing
    caster: Caster | None = None


def choose_road(rng: RandomStream) -> Road:
    """A road of two lanes with room to park, between pavements."""
    return Road(traffic_side=rng.choice(SIDES), kerb=rng.uniform(3.1, 4.6), pavement=rng.uniform(1.4, 2.7))


def choose_depth(rng: RandomStream, scale_range: tuple[float, float]) -> float:
    """A depth within this range, nearer ones a little more often."""
    near, far = scale_range
    share = rng.uniform()
    return near + share * (0.35 + 0.65 * share) * (far - near)
