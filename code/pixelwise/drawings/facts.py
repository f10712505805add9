"""What stands below a drawing: how large the network is, what it costs, how deep it is, and how far it sees."""

import math

from torch import nn

from ..analysis import receptive_field
from ..analysis.trace import Trace, trace
from .sketch import Sketch

COLOURS = 4
"""An input of so many channels or fewer is a picture, and not a map."""


MIXING = {"global pooling", "softmax", "attention"}
"""What lets every place see every other."""


class Facts(str):
    """A line of facts, which a page shows as a paragraph."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f'<p class="pw-facts">{self}</p>'


def facts(network: nn.Module, shape: tuple[int, ...] = (1, 3, 224, 224)) -> Facts:
    """One line: parameters, multiply-adds on an input of this shape, layers with weights in a row, receptive field.

    The field is that of the last map that still has one; what pools globally sees the whole picture.
    """
    return Facts(" · ".join(collect(network, shape)))


def close(sketch: Sketch, network: nn.Module, shape: tuple[int, ...], name: str = "") -> None:
    """End a drawing of a network, or of one of several: what its colours mean, and its facts."""
    if not name:
        sketch.legend()
    first, *others = collect(network, shape)
    sketch.foot([f"{name}: {first}" if name else first, *others])


def collect(network: nn.Module, shape: tuple[int, ...]) -> list[str]:
    """The facts one by one."""
    way, places = trace(network, shape), shape[1:-1] if len(shape) == 3 else shape[2:]
    depth = max(step.depth for step in way)
    multiply_adds = sum(step.multiply_adds for step in way)
    what = "tokens" if len(shape) == 3 else "pixels" if shape[1] <= COLOURS else "places"
    field = _field(way, network, shape, what)
    return [
        f"{_spell(_parameters(way, network))} parameters",
        f"{_spell(multiply_adds)} multiply-adds on {' × '.join(map(str, places))} {what}",
        f"{depth} layer{'s' if depth != 1 else ''} deep",
        *([f"sees {field}"] if field else []),
    ]


def _parameters(way: Trace, network: nn.Module) -> int:
    """Of what ran: a head that only training has does not count. What a module uses of its parts without running them
    does.
    """
    # pyrefly: ignore[implicit-any-empty-container]  # identity to count
    modules, counted = dict(network.named_modules()), {}
    for name in way.layers:
        inside = any(other.startswith(f"{name}.".lstrip(".")) for other in way.layers if other != name)
        counted |= {id(p): p.numel() for p in modules[name].parameters(recurse=not inside)}
    return sum(counted.values())


def _field(way: Trace, network: nn.Module, shape: tuple[int, ...], what: str) -> str:
    """How far it sees; "" where that is not known: where nothing mixes all places, and no formula holds either."""
    everything = {"pixels": "the whole picture", "places": "the whole map", "tokens": "all tokens"}[what]
    if len(shape) == 4:
        high, wide = receptive_field(network, input_shape=(shape[0], shape[1], shape[2], shape[3])).size
        if math.inf not in (high, wide):
            return f"{high:.0f} × {wide:.0f} {what}"
    mixes = any(step.kind in MIXING or (step.kind == "fully connected" and len(step.output) == 2) for step in way)
    return everything if mixes else ""


def _spell(count: int) -> str:
    """With two digits behind the point, or one of thousands: 25.56 M, 0.23 G, 8.5 k."""
    scale, unit = next((pair for pair in ((10**9, "G"), (10**6, "M")) if count >= pair[0] / 10), (1000, "k"))
    return f"{count / scale:.{2 if scale > 1000 else 1}f} {unit}"
