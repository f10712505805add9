"""One look for every figure: dark ink on a light card, which reads the same on a light page and on a dark one.

A notebook stores a figure once, as a PNG, so it can't follow the reader's theme. No single grey has enough contrast on
both white and near-black, hence the card. Sizes are chosen for a phone: a figure is at most 6.25 inches (600 CSS
pixels) wide, so that its text still has about 8 pixels when a narrow screen halves it.
"""

import base64
import io
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from PIL import Image

PAPER = "#f8f6f1"
INK = "#23232b"
FAINT = "#d8d4ca"
#: Colours of the first six series.
SERIES = ("#0b62a8", "#c24a00", "#0b7a5c", "#8a3a9c", "#7d6200", "#4a4a55")
#: Markers of the first six series.
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (7, 1.5, 1.5, 1.5)), (0, (3, 3)), (0, (9, 2)))
"""Colours, markers and dashes of the first six series; a series differs from another in all three."""

DENSITY = 2
"""Stored pixels per CSS pixel."""
CSS_DPI = 96

RC = {
    "figure.dpi": CSS_DPI * DENSITY,
    "savefig.dpi": CSS_DPI * DENSITY,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": "#6d6a64",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 11,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "lines.linewidth": 2,
    "lines.markersize": 6.5,
    "axes.prop_cycle": cycler(color=SERIES),
    "image.interpolation": "nearest",
    "image.cmap": "cividis",
}


@contextmanager
def style() -> Generator[None, None, None]:
    """A context, or a decorator, in which any drawing takes the book's look: `with figures.style(): ...`."""
    with matplotlib.rc_context(RC):
        yield


class Card(Figure):
    """The book's figure: a matplotlib `Figure` in the book's style that displays itself as a small, sharp PNG.

    It belongs to no pyplot state: it shows when it is the value of a cell or is handed to `display`, and only then.
    The name is that of the light card which it draws on. (The card of a *model*, which says where its weights come
    from, is `zoo.card`'s.)
    """

    def __init__(self, width: float = 6, height: float = 3.6, **options: Any) -> None:
        """Make an empty card of width x height inches; options as for matplotlib.figure.Figure."""
        with style():
            super().__init__(figsize=(width, height), **options)
            FigureCanvasAgg(self)

    def draw(self, renderer: RendererBase) -> None:
        with style():  # ticks are made at drawing time, and take their sizes from then
            super().draw(renderer)

    def png(self) -> bytes:
        """Return the figure as PNG bytes, 192 pixels per inch, in at most 256 colours to keep notebooks small."""
        self.canvas.draw()
        out = io.BytesIO()
        # pyrefly: ignore[missing-attribute]  # the canvas is Agg's
        reduce_colours(np.asarray(self.canvas.buffer_rgba())[..., :3]).save(out, format="PNG", optimize=True)
        return out.getvalue()

    @property
    def css_width(self) -> int:
        """The width at which it shows, in CSS pixels."""
        return round(self.get_size_inches()[0] * CSS_DPI)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
        data = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": repr(self)}
        return data, {"image/png": {"width": self.css_width}}


def panels(
    rows: int = 1, columns: int = 1, *, width: float = 6, height: float = 3.6, **options: Any
) -> tuple[Card, Any]:
    """Return a `Card` and its axes, like plt.subplots, for a chapter's own drawing inside `with figures.style():`."""
    card = Card(width, height, layout="constrained")
    with style():
        return card, card.subplots(rows, columns, **options)


def reduce_colours(pixels: np.ndarray, exact: int = 64) -> Image.Image:
    """Turn pixels (H, W, 3) uint8 into a picture of at most 256 colours.

    The `exact` most frequent colours (paper, ink, the classes of a mask) are kept as they are; photographs and soft
    edges share the rest of the palette, found by median cut.
    """
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colours, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[: 256 if len(colours) <= 256 else exact]
    index_of = np.full(len(colours), -1, np.int32)
    index_of[frequent] = np.arange(len(frequent))
    indices = index_of[inverse].reshape(packed.shape)
    exact_colours = colours[frequent]
    palette = np.stack([exact_colours >> 16, exact_colours >> 8 & 255, exact_colours & 255], 1).astype(np.uint8)
    rest = indices < 0
    if rest.any():
        strip = Image.fromarray(pixels[rest][None]).quantize(256 - len(frequent), method=Image.Quantize.MEDIANCUT)
        indices[rest] = np.asarray(strip)[0].astype(np.int32) + len(frequent)
        palette = np.concatenate([palette, np.array(strip.getpalette(), np.uint8).reshape(-1, 3)])
    picture = Image.fromarray(indices.astype(np.uint8))
    picture.putpalette(palette.tobytes())  # turns grey values into indices
    return picture
