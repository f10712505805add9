"""GoogLeNet drawn: the whole network as a strip, and one Inception module, naive and reduced."""

from torch import nn

from ..analysis.trace import Step, Trace, trace
from .sketch import Sketch
from .strip import Strip

STAGES = (
    ("conv1", "convolution"), ("maxpool1", "pooling"), ("conv2", "convolution"), ("conv3", "convolution"),
    ("maxpool2", "pooling"), ("inception3a", "concatenation"), ("inception3b", "concatenation"),
    ("maxpool3", "pooling"), ("inception4a", "concatenation"), ("inception4b", "concatenation"),
    ("inception4c", "concatenation"), ("inception4d", "concatenation"), ("inception4e", "concatenation"),
    ("maxpool4", "pooling"), ("inception5a", "concatenation"), ("inception5b", "concatenation"),
)  # fmt: skip


def googlenet(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Sketch:
    """GoogLeNet from the image to the classes: the stem, nine Inception modules, and where they halve the map."""
    way = trace(network, shape)
    sketch = Sketch(
        "GoogLeNet: a convolutional stem, nine Inception modules, one global average",
        "Five halvings in all. Between them the maps keep their size, and each module only widens them.",
    )
    strip = Strip(sketch, way)
    strip.image()
    for name, kind in STAGES:
        strip.add(name, kind, name=name.removeprefix("inception") if "inception" in name else "")
    strip.step(way.find("global pooling")[0], "pooling")
    strip.step(way.find("fully connected")[0], "score", name="classes")
    sketch.legend()
    return sketch


def inception(network: nn.Module, shape: tuple[int, int, int, int], title: str = "Inception module") -> Sketch:
    """One Inception module as a graph: what comes in goes through four branches, which are laid side by side."""
    way = trace(network, shape)
    sketch = Sketch(
        f"{title}: four branches over one map, concatenated",
        "Each branch keeps the map's height and width, so that their outputs can be laid side by side.",
    )
    branches = [_steps(way, f"branch{number}") for number in range(1, 5)]
    rows = max(len(branch) for branch in branches)
    pitch, drop = 150.0, 74.0
    middle = pitch * 1.5 + 52
    source = sketch.box(middle - 52, 0, branches[0][0].before, "data", "map before")
    sketch.number((source.right[0] + 8, source.right[1] + 4), branches[0][0].before, "map", "soft", "start")
    join = sketch.joint(middle, (rows + 1) * drop + 17, "concatenation")
    for column, branch in enumerate(branches):
        x, above = column * pitch, source
        for row, step in enumerate(branch, start=1 + rows - len(branch)):
            box = sketch.box(x, row * drop, step, "pooling" if "pool" in step.kind else "convolution")
            if above is source:
                turn = source.bottom[1] + 20
                sketch.arrow(source.bottom, box.top, (middle, turn), (x + 52, turn))
            else:
                sketch.arrow(above.bottom, box.top)
            sketch.number((x + 58, box.y + box.height + 14), step, "channels", anchor="start")
            above = box
        turn = join.y - 14
        sketch.line(above.bottom, (x + 52, turn), (middle, turn))
    sketch.arrow((middle, join.y - 14), join.top)
    whole = way[""]
    out = sketch.box(middle - 52, join.y + 46, whole, "data", "map after")
    sketch.arrow(join.bottom, out.top)
    sketch.number((out.right[0] + 8, out.right[1] + 4), whole, "map", "soft", "start")
    sketch.legend()
    return sketch


def _steps(way: Trace, branch: str) -> list[Step]:
    return [step for step in way[branch].steps if "convolution" in step.kind or "pooling" in step.kind]
