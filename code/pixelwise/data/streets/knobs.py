"""What makes a scene hard."""

from dataclasses import dataclass
from numbers import Integral, Real

RANGES = {
    "pole_width": (0.5, 8), "kerb": (0, 1), "colour_overlap": (0, 1), "clutter": (0, 4), "touching": (0, 12),
    "texture": (0, 2), "noise": (0, 64), "blur": (0, 4), "fog": (0, 1), "night": (0, 1), "void_border": (0, 1),
}  # fmt: skip


@dataclass(frozen=True)
class Knobs:
    """What makes a scene hard, one knob for each difficulty; turning one leaves the rest of the scene as it was.

    - pole_width: pixels at 96 rows, 0.5-8: farthest posts get 3/4 of it, nearest 5/4.
    - scale_range: depths in metres, from 3 to 80, at which cars, people, posts and signs stand; apparent size is
      1/depth.
    - context_only: the classes that look like another and are told apart by place alone: "pavement" (textured as
      the road), "fence" (a wall coloured as the houses), both, or ().
    - kerb: contrast of the line between road and pavement, 0-1.
    - colour_overlap: how far the colours of all classes are drawn to one common palette, 0-1.
    - clutter: how many cars, people, posts, signs and bins, as a multiple of the usual, 0-4.
    - touching: a row of so many bushes in front, each touching the next, 0-12; their labels are parted by a void line.
    - texture: strength of the surfaces' texture, 0-2.
    - noise: standard deviation of the sensor noise, grey levels, 0-64.
    - blur: about the radius of the blur in pixels at 96 rows, 0-4.
    - fog, night: 0-1.
    - void_border: share of the objects with a void outline, 0-1.

    Raises ValueError when a value is out of its range.
    """

    pole_width: float = 1.5
    scale_range: tuple[float, float] = (5.0, 45.0)
    context_only: tuple[str, ...] = ("pavement",)
    kerb: float = 0.6
    colour_overlap: float = 0.2
    clutter: float = 1.0
    touching: int = 0
    texture: float = 1.0
    noise: float = 3.0
    blur: float = 0.4
    fog: float = 0.0
    night: float = 0.0
    void_border: float = 0.5

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not isinstance(value, Real) or not low <= float(value) <= high:
                raise ValueError(f"Knobs({name}={value!r}): expected a number from {low} to {high}")
        if not is_whole(self.touching):
            raise ValueError(f"Knobs(touching={self.touching!r}): expected a whole number from 0 to 12")
        if not is_pair(self.scale_range) or not 3 <= self.scale_range[0] <= self.scale_range[1] <= 80:
            raise ValueError(
                f"Knobs(scale_range={self.scale_range!r}): expected (near, far) with 3 <= near <= far <= 80 m"
            )
        if isinstance(self.context_only, str) or not set(self.context_only) <= {"pavement", "fence"}:
            raise ValueError(
                f'Knobs(context_only={self.context_only!r}): expected a tuple such as ("pavement", "fence") or ()'
            )


def is_pair(value: object) -> bool:
    """Whether this is a tuple or list of two."""
    return isinstance(value, (tuple, list)) and len(value) == 2


def is_whole(value: object) -> bool:
    """Whether this is a whole number, of Python or numpy; a bool is none."""
    return isinstance(value, Integral) and not isinstance(value, bool)
