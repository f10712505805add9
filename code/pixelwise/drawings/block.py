"""A residual block drawn: what is learned down the middle, what passes it on the right, and their sum."""

from torch import nn

from ..analysis.trace import Step, Trace, trace
from ..models.blocks import SqueezeExcitation
from .canvas import Box, Point
from .column import GAP, Column
from .facts import close
from .sketch import Sketch

Shape = tuple[int, int, int, int]

ENDS = {"sum": "{} + x", "concatenation": "x ‖ {}"}
"""What a block may end with, and how its output is written."""


def residual_block(network: nn.Module, shape: Shape = (1, 64, 56, 56)) -> Sketch:
    """A block of `models.resnet` or `models.resnet_cifar`, with its projection and its gate where it has them."""
    way = trace(network, shape)
    sketch = Sketch(
        f"{way.name}: F(x) is learned, x passes it, and both are added",
        "The block need only learn by how much its output is to differ from what came in."
        if way.find("sum")[0].inputs[0] == way.steps[0].inputs[0]
        else "Where the shape changes, a projection brings x to the new one before the sum.",
    )
    draw_block(sketch, way, gate_of(network))
    close(sketch, network, shape)
    return sketch


def gate_of(network: nn.Module) -> str:
    """The name of the squeeze-and-excitation gate in a block; "" where there is none."""
    return next((name for name, part in network.named_modules() if isinstance(part, SqueezeExcitation)), "")


def draw_block(sketch: Sketch, way: Trace, gate: str = "", *, name: str = "F(x)") -> None:
    """Draw a block that is a chain of operations, at most with a gate, a shortcut (`downsample`), and a sum or a
    concatenation of what the chain has made with what came in.
    """
    chain = [step for step in way if not step.layer.startswith("downsample")]
    add = next((step for step in chain if step.kind in ENDS), None)
    cut = chain.index(add) if add else len(chain)
    least = min(step.channels for step in chain if not _inside(step, gate))
    column = Column(sketch, 0, least=least, preactivated=chain[0].kind == "batch normalisation")
    top = column.data(chain[0].before, "x")
    boxes = _learned(column, chain[:cut], gate)
    if add:
        joint = column.joint(add.kind)
        fork = 0, top.bottom[1] + GAP / 2
        x = max(box.x + box.width for box in boxes) + 34
        if projection := [step for step in way if step.layer.startswith("downsample")]:
            side = Column(sketch, x + 60, column.boxes[1].y, start=fork)
            side.steps(projection)
            side.into(joint, add.kind)
        else:
            pass_by(sketch, fork, joint, x, add.kind)
        left = min(box.x for box in boxes) - 14
        sketch.side_brace(column.boxes[1].y, joint.y - GAP, left, name)
    column.steps(chain[cut + 1 :])
    column.data(way[""], ENDS[add.kind].format(name) if add and cut + 1 == len(chain) else "y")


def pass_by(sketch: Sketch, fork: Point, joint: Box, x: float, kind: str = "sum") -> None:
    """The shortcut of a block, out to x: what came in goes into the joint as it is."""
    sketch.arrow(fork, joint.right, (x, fork[1]), (x, joint.right[1]), kind=kind)
    sketch.text((x + 8, (fork[1] + joint.y) / 2), "identity", "soft", "start")


def _learned(column: Column, steps: list[Step], gate: str) -> list[Box]:
    """The operations of the branch, its gate on the right of them; all boxes that have been drawn."""
    side: Column | None = None
    boxes: list[Box] = []
    for step in steps:
        if not _inside(step, gate):
            boxes.append(column.add(step))
        elif step.kind == "product" and side is not None:
            joint = column.joint("attention", side.y + GAP)
            side.into(joint, "attention")
        else:
            if side is None:
                start = column.middle, column.y + GAP / 2
                side = Column(column.sketch, max(box.x + box.width for box in boxes) + 24, column.y + GAP, start=start)
            boxes.append(side.add(step))
    return boxes


def _inside(step: Step, layer: str) -> bool:
    return bool(layer) and f"{step.layer}.".startswith(f"{layer}.")
