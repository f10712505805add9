"""Where an explorable shows: as a widget with a kernel behind it, or as an element that the book's page brings to life.

An explorable is one ES module without dependencies, `export default { render({ model, el }), linked }`, the front-end
form of anywidget, and a Python class with its state. In Jupyter and Colab the two are kept in sync. While a chapter is
recorded (PIXELWISE_RECORDING=1) no widget is made: the notebook stores a still picture in an element with the state.
"""

import base64
import functools
import html
import importlib.util
import json
import os
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Any as AnyTrait
from traitlets import HasTraits, link

from ..figures import Card
from .sources import source

if TYPE_CHECKING:
    from anywidget import AnyWidget

WIDTH = 600
"""Greatest width of a still picture, in CSS pixels."""


class Explorable(HasTraits):
    """An interactive figure; its traits tagged `state=True` are its state, which the browser shares."""

    name: ClassVar[str]
    """In addresses and in the page, such as "metric-traps"; its module is metric_traps.mjs beside this file."""
    caption: ClassVar[str]

    def __init__(self, **state: Any) -> None:
        unknown = sorted(set(state) - set(self.trait_names(state=True)))
        if unknown:
            expected = ", ".join(self.trait_names(state=True))
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}; its state is {expected}")
        super().__init__(**state)

    def picture(self) -> Card:
        """Draw the state as a still figure."""
        raise NotImplementedError

    def alt(self) -> str:
        """Say what the still figure shows, for those who can't see it."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """What identifies it in a page and in an address, its front end's name unless many of its kind exist."""
        return self.name

    @property
    def state(self) -> dict[str, Any]:
        """The state as plain values, ready for JSON."""
        return {name: getattr(self, name) for name in self.trait_names(state=True)}

    @functools.cached_property
    def widget(self) -> "AnyWidget":
        """The anywidget that shows this explorable and follows its state; ImportError without anywidget."""
        import anywidget

        traits = {name: AnyTrait().tag(sync=True) for name in self.state}
        widget = type(type(self).__name__, (anywidget.AnyWidget,), {"_esm": source(self.name), **traits})(**self.state)
        for name in traits:
            link((self, name), (widget, name))
        return widget

    def content(self) -> str:
        """What the page shows until it comes alive, as HTML: the still picture with alt text."""
        card = self.picture()
        width = min(card.css_width, WIDTH)
        picture = base64.b64encode(card.png()).decode()
        return (
            f'<img class="dark-light" width="{width}" alt="{html.escape(self.alt())}" '
            f'src="data:image/png;base64,{picture}">'
        )

    def still(self, hint: str) -> str:
        """The host element as HTML: its content, the caption, a hint, and the state as JSON."""
        named = "" if self.address == self.name else f' data-name="{self.address}"'
        return (
            f'<div class="pw-explorable" data-explorable="{self.name}"{named} '
            f'data-state="{html.escape(json.dumps(self.state))}">'
            f"<figure>{self.content()}"
            f'<figcaption>{html.escape(self.caption)} <span class="pw-still">{html.escape(hint)}</span></figcaption>'
            "</figure></div>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        if os.environ.get("PIXELWISE_RECORDING") == "1":
            hint = (
                "This is a still picture: it comes alive on the book's page with JavaScript, and in a running notebook."
            )
        elif importlib.util.find_spec("anywidget") is None:
            hint = "This is a still picture: run `pip install anywidget`, restart the kernel, and it comes alive."
        else:
            return self.widget._repr_mimebundle_()
        return {"text/html": self.still(hint), "text/plain": f"{self.caption} {self.alt()}"}
