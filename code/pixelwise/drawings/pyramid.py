"""A feature pyramid drawn: what the encoder hands on, and what the decoder makes of it on the way back."""

from torch import nn

from ..analysis.trace import trace
from .facts import close
from .sketch import Sketch
from .strip import Strip


def pyramid(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 96, 128)) -> Sketch:
    """A `FeaturePyramid`: the maps of its encoder, then the coarsest one enlarged and joined by the finer ones.

    The encoder can be trained as a classifier first; the decoder can't.
    """
    way = trace(network, shape)
    sums = way.find("sum", "")
    sketch = Sketch(
        "Feature pyramid: the encoder's maps, summed from coarse to fine",
        "The encoder hands on its maps; a 1×1 convolution gives each the decoder's width. The coarsest is enlarged, a "
        "finer one is added, the sum is refined, and so on; the last map is scored.",
    )
    strip = Strip(sketch, way)
    strip.image()
    laterals = [way[f"laterals.{number}"].main for number in range(len(sums))]
    handed = [*(lateral.before for lateral in reversed(laterals)), way["top"].main.before]
    skips = [
        strip.step(source, "convolution", name=name)
        for source, name in zip(handed, names("encoder", len(handed)), strict=True)
    ]
    strip.add("top", "sum")
    for number, (total, name) in enumerate(zip(sums, names("decoder", len(sums)), strict=True)):
        strip.join(total, "sum", skips[-2 - number], through=laterals[number], through_kind="sum")
        strip.add(f"refinements.{number}", "sum", name=name)
    strip.add("score", "score")
    strip.step(way.find("bilinear upsampling", "")[-1], "upsampling", name="logits")
    close(sketch, network, shape)
    return sketch


def names(name: str, count: int) -> list[str]:
    """A name for the middle one of so many slabs, and none for the others."""
    return [name if number == count // 2 else "" for number in range(count)]
