"""One look for every figure: dark ink on a light card, which reads the same on a light page and on a dark one.

A notebook stores a figure once, as a PNG, so it can't follow the reader's theme. No single grey has enough contrast on
both white and near-black, hence the card. The PNG says where in it photographs and masks lie, so that the site can give
all else the colours of a dark page. Sizes are chosen for a phone: a figure is at most 6.25 inches (600 CSS pixels)
wide, so that its text still has about 8 pixels when a narrow screen halves it.

The typeface comes along: IBM Plex Sans with the letters and signs that figures use, under a name of its own, as its
licence asks of whoever changes it. A sign that it lacks is taken from DejaVu Sans.
"""

import base64
import io
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.patches import Rectangle
from matplotlib.rcsetup import cycler
from matplotlib.transforms import Bbox
from PIL import Image, PngImagePlugin

TYPEFACE = "Pixelwise Sans"
for file in sorted((Path(__file__).parent / "fonts").glob("*.ttf")):
    fontManager.addfont(file)

PAPER = "#f8f6f1"
INK = "#23232b"
FAINT = "#e0dcd2"
#: Colours of the first six series.
SERIES = ("#0b62a8", "#c24a00", "#0b7a5c", "#8a3a9c", "#7d6200", "#4a4a55")
#: Markers of the first six series.
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (7, 1.5, 1.5, 1.5)), (0, (3, 3)), (0, (9, 2)))
"""Colours, markers and dashes of the first six series; a series differs from another in all three."""

DENSITY = 2
"""Stored pixels per CSS pixel."""
CSS_DPI = 96
KEPT = "Kept"
"""The entry of a stored PNG that lists what keeps its colours on a dark page, as JSON: [left, top, right, bottom]s."""

RC = {
    "figure.dpi": CSS_DPI * DENSITY,
    "savefig.dpi": CSS_DPI * DENSITY,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": "#8a867d",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.family": [TYPEFACE, "DejaVu Sans"],
    "mathtext.fontset": "custom",
    "mathtext.rm": TYPEFACE,
    "mathtext.it": f"{TYPEFACE}:italic",
    "mathtext.bf": f"{TYPEFACE}:bold",
    "mathtext.cal": f"{TYPEFACE}:italic",
    "mathtext.fallback": "stix",
    "font.size": 11.5,
    "axes.titlesize": 12.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 11.5,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "xtick.major.pad": 5,
    "ytick.major.pad": 5,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
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
        out, notes = io.BytesIO(), PngImagePlugin.PngInfo()
        notes.add_text(KEPT, json.dumps(self.kept()))
        # pyrefly: ignore[missing-attribute]  # the canvas is Agg's
        picture = reduce_colours(np.asarray(self.canvas.buffer_rgba())[..., :3])
        picture.save(out, format="PNG", optimize=True, pnginfo=notes)
        return out.getvalue()

    def kept(self) -> list[list[int]]:
        """What keeps its colours on a dark page, once drawn: [left, top, right, bottom] in stored pixels, from the top.

        These are photographs, masks and maps, and the colours by which a legend beside them names classes. A map whose
        least value has nearly the paper's colour is a chart and changes with it.
        """
        images = [image for axes in self.axes for image in axes.images if not _is_chart(image)]
        boxes = [Bbox.intersection(image.get_window_extent(), image.axes.bbox) for image in images]
        keys: list[Artist] = [artist for artist in self.artists if isinstance(artist, Rectangle)]
        for legend in self.findobj(Legend) if images else ():
            keys += legend.findobj(Rectangle)
        boxes += [key.get_window_extent() for key in keys]
        height = self.bbox.height
        return [[round(x) for x in (box.x0, height - box.y1, box.x1, height - box.y0)] for box in boxes if box]

    @property
    def css_width(self) -> int:
        """The width at which it shows, in CSS pixels."""
        return round(self.get_size_inches()[0] * CSS_DPI)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
        data = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": repr(self)}
        return data, {"image/png": {"width": self.css_width}}


def _is_chart(image: AxesImage) -> bool:
    """Whether a picture is a map of numbers that begins near the colour of the paper, or is not seen."""
    return not image.get_visible() or (np.ndim(image.get_array()) == 2 and min(image.get_cmap()(0.0)[:3]) > 0.85)


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
