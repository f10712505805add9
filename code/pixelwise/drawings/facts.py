"""What stands below a drawing: how large the network is, what it costs, how deep it is, and how far it sees."""

import math

from torch import nn

from ..analysis import profile, receptive_field
from ..analysis.trace import trace


class Facts(str):
    """A line of facts, which a page shows as a paragraph."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f'<p class="pw-facts">{self}</p>'


def facts(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Facts:
    """One line: parameters, multiply-adds on an input of this shape, layers with weights in a row, receptive field.

    The field is that of the last map that still has one; what pools globally sees the whole picture.
    """
    cost = profile(network, shape)
    depth = max(step.depth for step in trace(network, shape))
    high, wide = receptive_field(network, input_shape=shape).size
    field = "the whole picture" if math.inf in (high, wide) else f"{high:.0f} × {wide:.0f} pixels"
    return Facts(
        f"{cost.parameters / 1e6:.2f} M parameters · {cost.multiply_adds / 1e9:.2f} G multiply-adds on "
        f"{shape[2]} × {shape[3]} pixels · {depth} layers deep · sees {field}"
    )
