"""A feature pyramid drawn as in its paper: the encoder's maps in one column, what the decoder makes of them beside."""

from torch import nn

from ..analysis.trace import Layer, Step, trace
from .facts import close
from .sketch import Sketch, Slab, slab_depth, slab_size

COLUMNS = {"encoder": 90.0, "lateral": 190.0, "sum": 290.0, "refined": 390.0}
"""Where the middle of each column lies."""
ABOVE, BELOW = 18.0, 38.0
"""Room for the channels above a slab, and for the size and an arrow below."""


def pyramid(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 96, 128)) -> Sketch:
    """A `FeaturePyramid`: a row for each map of its encoder, the coarsest on top, where the decoder begins.

    The encoder can be trained as a classifier first; the decoder can't.
    """
    way = trace(network, shape)
    sketch = Sketch(
        "Feature pyramid: the encoder's maps, summed from coarse to fine",
        "The encoder hands on its maps; a 1×1 convolution gives each the decoder's width. The coarsest is enlarged, a "
        "finer one is added, the sum is refined, and so on; the last map is scored.",
    )
    for name, middle in COLUMNS.items():
        sketch.text((middle, -ABOVE - 16), name, "small strong")
    logits = way.find("bilinear upsampling", "")[-1]

    def place(column: str, source: Step | Layer, kind: str, *, size: bool = False) -> Slab:
        left = COLUMNS[column] - (slab_size(source)[0] + slab_depth(source)) / 2
        return sketch.slab(left, axis, source, kind, size=size)

    axis = slab_size(way["top"])[1] / 2
    finer = place("encoder", way["top"].main.before, "convolution", size=True)
    last = place("refined", way["top"], "convolution")
    sketch.arrow(finer.right, last.left)
    for number, total in enumerate(way.find("sum", "")):
        coarser, lateral = finer, way[f"laterals.{number}"].main
        axis += slab_size(coarser.source)[1] / 2 + BELOW + ABOVE + slab_size(total)[1] / 2
        finer = place("encoder", lateral.before, "convolution", size=True)
        sketch.arrow((coarser.bottom[0], _over(finer)[1]), (coarser.bottom[0], coarser.bottom[1] + 19))
        passed, joined = place("lateral", lateral, "convolution"), place("sum", total, "sum")
        sketch.arrow(finer.right, passed.left)
        sketch.arrow(passed.right, joined.left)
        turn = _over(joined)[1] - 12
        sketch.arrow(
            (last.bottom[0], last.bottom[1] + 2), _over(joined), (last.bottom[0], turn), (joined.roof[0], turn),
            kind="upsampling",
        )  # fmt: skip
        last = place("refined", way[f"refinements.{number}"], "convolution")
        sketch.arrow(joined.right, last.left)
    source = way.steps[0].before
    image = sketch.slab(0, axis, source, "data", name="image")
    sketch.arrow(image.right, finer.left)
    score = sketch.slab(last.end + 30, axis, way["score"], "score", size=False)
    sketch.arrow(last.right, score.left)
    sketch.arrow(score.right, sketch.slab(score.end + 30, axis, logits, "upsampling", name="logits").left)
    close(sketch, network, shape)
    return sketch


def _over(slab: Slab) -> tuple[float, float]:
    """Where an arrow ends or begins above a slab's number."""
    return slab.roof[0], slab.roof[1] - slab.depth / 2 - 17
