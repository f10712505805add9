"""The picture on the landing page: a street that a network labels level by level, from what a chapter has recorded.

The best level is pressed, and runs once over the photograph, by CSS alone; each can be chosen: no script, no kernel,
and stillness for who asks for it.
"""

import base64
import html
import io
import json
import re
from typing import Any

import numpy as np
from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from book.extensions.gallery import FromNotebooks
from book.extensions.tables import CLASS, SAID

SOURCE = "fcn-skips"
State = dict[str, Any]  # of an explorable, as its stored output holds it
STATE = re.compile(r"data-state=(['\"])(.*?)\1", re.DOTALL)
VOID = 255
FIGURE = """<figure class="pw-levels" role="group" aria-label="A street, labelled level by level">
<div class="pw-stack">{pictures}</div>
<div class="pw-steps">{choices}</div>
<ul class="pw-key" aria-label="What the colours name">{key}</ul>
<figcaption>{caption}</figcaption></figure>"""
CAPTION = (
    "A generated street, and what a trained network makes of it. It names each pixel by its coarsest map, then adds a "
    'finer one, and one finer still: {shares} of the pixels are right. <a href="{link}">Switch its levels yourself</a>'
)
CHOICES = ("photograph", "coarse", "+ finer", "+ finest", "truth")
FIRST, CHECKED = CHOICES.index("+ finest"), " checked"
"""The level that is pressed at first: what the network makes of the street with all of its maps."""

NOWHERE = "void: no label, not counted"


class Levels(FromNotebooks):
    """`{levels}`: the scene of the recorded figure `fcn-skips` and what its network makes of it with each level."""

    def run(self) -> list[nodes.Node]:
        figure = self.figures().get(SOURCE)
        if figure is None:
            raise self.error(f"no recorded chapter shows the explorable {SOURCE!r}, from which this picture is made")
        state = json.loads(html.unescape(STATE.findall(figure.host)[0][1]))
        frames = segment(state)
        labels = label_map(state)
        known = labels != VOID
        shares = [f"{(frame == labels)[known].mean():.0%}".replace("%", "\u00a0%") for frame in frames]
        colours = palette(state)
        pictures = [
            f"data:image/jpeg;base64,{state['image']}",
            *(address(colours[frame]) for frame in [*frames, labels]),
        ]
        alternatives = [
            "A generated street, as a photograph",
            *(
                f"What the network labels by maps down to stride {stride}: {share} right"
                for stride, share in zip(state["strides"], shares, strict=True)
            ),
            "The true labels of the street",
        ]
        height, width = labels.shape
        images = "".join(
            f'<img src="{picture}" alt="{alt}" width="{width}" height="{height}" loading="eager">'
            for picture, alt in zip(pictures, alternatives, strict=True)
        )
        notes = ["", *shares, ""]
        choices = "".join(
            f'<label><input type="radio" name="level" value="{i}"{CHECKED * (i == FIRST)}> {name} <b>{note}</b></label>'
            for i, (name, note) in enumerate(zip(CHOICES, notes, strict=True))
        )
        occur = {*np.unique(np.stack([*frames, labels]))}
        key = "".join(
            f'<li><i style="background:{colour}"></i>{html.escape(SAID if name == CLASS else name)}</li>'
            for label, name, colour, _ in state["classes"]
            if label in occur
        )
        if VOID in occur:
            key += f'<li><i style="background:#000"></i>{NOWHERE}</li>'
        link = "../" * self.env.docname.count("/") + f"{figure.page}.html#{figure.name}"
        said = CAPTION.format(shares=f"{', then '.join(shares)}", link=link)
        return [nodes.raw("", FIGURE.format(pictures=images, choices=choices, key=key, caption=said), format="html")]


def segment(state: State) -> list[np.ndarray]:
    """The labels (H, W) that the first level gives, the first two, and so on: bilinear scores, the highest wins."""
    count, (height, width), finest = len(state["strides"]), state["grid"], state["strides"][-1]
    scores = np.frombuffer(base64.b64decode(state["scores"]), "<i2").reshape(count, -1, height, width) * state["step"]
    sums = scores.cumsum(0)
    fine = np.einsum("yh,lchw,xw->lcyx", weights(height, finest), sums, weights(width, finest))
    return list(fine.argmax(1))


def weights(coarse: int, stride: int) -> np.ndarray:
    """What each of `coarse` points weighs at each point of a grid `stride` times as fine: bilinear, corners apart."""
    place = np.maximum((np.arange(coarse * stride) + 0.5) / stride - 0.5, 0)
    distance = np.abs(np.minimum(place, coarse - 1)[:, None] - np.arange(coarse))
    return np.maximum(1 - distance, 0)


def label_map(state: State) -> np.ndarray:
    """The true labels (H, W)."""
    height, width = (side * state["strides"][-1] for side in state["grid"])
    return np.frombuffer(base64.b64decode(state["labels"]), np.uint8).reshape(height, width)


def palette(state: State) -> np.ndarray:
    """The colour of each label (256, 3); void is black."""
    colours = np.zeros((256, 3), np.uint8)
    for label, _, colour, _ in state["classes"]:
        colours[label] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return colours


def address(pixels: np.ndarray) -> str:
    """Pixels (H, W, 3) as a data address, exactly; a kilobyte or two, so that the page has them from the start."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", lossless=True)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("levels", Levels)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
