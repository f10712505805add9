"""Segment a photo: a picture of the reader's own, labelled in their browser by a network of the book."""

import functools
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from traitlets import Bunch, Int, List, Unicode, observe

from .. import browser, figures
from ..data import streets
from ..data.palette import CLASSES, VOID
from ..figures.pixels import class_colours
from ..zoo import weights
from ..zoo.model_card import DATA, LIMITS, licence
from .host import Explorable
from .packing import jpeg
from .sources import statements

WEBGL = Path(browser.__file__).with_name("webgl.mjs")

TITLES = {"camvid": "for photographs of streets", "streets": "for generated scenes"}
"""The networks in a word or two, by the names of `weights.SHIPPED`."""

SCENES = ((7, 3), (12, 3), (21, 3))
"""Index and seed of the generated scenes that a reader may try."""

SIZE = (180, 240)

SUITS = "streets"
"""The network that has learned from such scenes."""


class Photo(Explorable):
    """A picture of the reader's own under the classes that a network sees in it, and what the network thought.

    Its state holds the networks that come with the library, and of their weights none: those come when a reader has
    chosen a picture, on a page as a script in `folder`, in a notebook from the kernel.
    """

    name = "photo"
    caption = "Segment a photo: a picture of yours, labelled in your browser by a network of this book."

    networks = List(help="name, title, what is said of it, size of training pictures, classes").tag(state=True)
    scenes = List(Unicode(), help="generated scenes, JPEGs in base64").tag(state=True)
    suits = Unicode(SUITS, help="the network for those").tag(state=True)
    folder = Unicode(help="where a page has the networks' scripts; empty in a notebook").tag(state=True)
    wanted = Unicode(help="the network that the browser asks for").tag(state=True)
    network = Unicode(help="its name, a new line, and the text that `browser.packed` wrote").tag(state=True)
    chosen = Unicode(help="the network in use; the first, if none is called so").tag(state=True)
    view = Unicode("classes", help='what lies over the picture: "classes" or "unsure"').tag(state=True)
    opacity = Int(60, min=0, max=100, help="of what lies over it, in per cent").tag(state=True)
    by = Unicode("plain", help='what computes: "plain" JavaScript, or on a page "graphics", by WebGL2').tag(state=True)

    def __init__(self, **state: Any) -> None:
        """Take the state, such as chosen="streets", view="unsure", opacity=40."""
        known = {
            "networks": [describe(name) for name in available()],
            "scenes": [jpeg(streets.generate(index, seed=seed, size=SIZE)[0]) for index, seed in SCENES],
        }
        super().__init__(**known | state)

    @observe("wanted")
    def _send(self, change: Bunch) -> None:
        if change.new in available():
            self.network = f"{change.new}\n{text_of(change.new)}"

    def picture(self) -> figures.Card:
        image, labels = _example()
        half = labels.copy()
        half[:, : SIZE[1] // 2] = VOID  # which is left as it is
        card, axis = figures.panels(width=2, height=1.5)
        axis.imshow(figures.blend(image, half, 0.8)[0])
        axis.set_axis_off()
        return card

    def alt(self) -> str:
        _, labels = _example()
        shares = np.bincount(labels.ravel(), minlength=len(CLASSES)) / labels.size
        most = ", ".join(f"{CLASSES[label]} {shares[label]:.0%}" for label in np.argsort(-shares)[:4])
        return f"A generated street scene, its right half under the classes that a network sees: in all {most}."


def available() -> list[str]:
    """The names of the networks whose weights are there, as in `weights.SHIPPED`."""
    return [name for name, file in weights.SHIPPED.items() if file.is_file()]


@functools.cache
def text_of(name: str) -> str:
    """One of the networks that come with the library, as the engine reads it."""
    model, metadata = weights.load(weights.SHIPPED[name])
    return browser.packed(browser.Graph.of(model), metadata)


def write_scripts(folder: Path, names: Iterable[str]) -> None:
    """Write each network as NAME.js, and as webgl.js what runs them on a graphics processor.

    They are classic scripts, which a page may load from a folder as well as from a server.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: json.dumps(text_of(name)) for name in names}
    values["webgl"] = f"(() => {{\n{statements(WEBGL)}}})()"
    for name, value in values.items():
        text = f"(globalThis.pixelwiseNetworks ??= {{}}).{name} = {value};\n"
        (folder / f"{name}.js").write_text(text, encoding="utf-8")


@functools.cache
def describe(name: str) -> dict[str, Any]:
    """What is said of a network, from its file of weights: its card in the words of the figure."""
    model, metadata = weights.load(weights.SHIPPED[name])
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    split = metadata.val_split or "val"
    judged = metadata.metrics[split]
    colours = metadata.colours or class_colours(len(metadata.classes))
    learned, right = DATA[metadata.dataset].partition(";")[0], 100 * judged["pixel_accuracy"]
    about = (
        f"The network: {metadata.network.model}, {millions:.1f} million weights, learned from {learned}. On the "
        f"{judged['images']} pictures of {split}, by which it did not learn, its mean IoU is "
        f"{100 * judged['mean_iou']:.1f} % and {right:.1f} % of the pixels are right. "
        f"{LIMITS[metadata.dataset]} {licence(metadata)}"
    )
    return {
        "name": name,
        "title": TITLES[name],
        "about": re.sub("[*`]", "", about),
        "size": list(metadata.size),
        "classes": [
            [one, "#{:02x}{:02x}{:02x}".format(*colour)] for one, colour in zip(metadata.classes, colours, strict=True)
        ],
    }


@functools.cache
def _example() -> tuple[np.ndarray, np.ndarray]:
    """The first of the scenes, (3, H, W) uint8, and the labels (H, W) uint8 that the network for scenes gives it."""
    (index, seed), *_ = SCENES
    image, _ = streets.generate(index, seed=seed, size=SIZE)
    model, _ = weights.load(weights.SHIPPED[SUITS])
    logits = browser.Graph.of(model).run(torch.from_numpy(image)[None])[-1]
    return image, logits[0].argmax(0).to(torch.uint8).numpy()
