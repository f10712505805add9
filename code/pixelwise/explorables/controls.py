"""Sliders around a function that needs a kernel: what only Python can compute can't come alive on the book's page.

While a chapter is recorded (PIXELWISE_RECORDING=1) no widget is made: the notebook stores the picture of the starting
values and a sentence on how to run it. What works without a kernel is an explorable instead, see host.py.
"""

import base64
import functools
import html
import importlib.util
import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..figures import Card

if TYPE_CHECKING:
    from ipywidgets import VBox

CELL = "This is a still picture: run this chapter in Jupyter or Colab, and the controls {} redraw it."
INSTALL = "This is a still picture: run `pip install ipywidgets`, restart the kernel, and the controls {} redraw it."


class Controls:
    """A picture with a control for each argument of the function that draws it.

    `Controls(draw, alt="…", fog=(0, 1, 0.1), night=[0, 0.8], shared=True)`: draw(fog=…, night=…, shared=…) returns a
    `Card`. A control is a slider for (low, high, step), whole numbers if all three are; a list offers its entries; a
    boolean is a box to tick. It starts at draw's default for that argument. `alt` says what the picture shows,
    whatever the values. ValueError for an argument of draw's without default, or a control that it does not take.
    """

    def __init__(self, draw: Callable[..., Card], *, alt: str, **ranges: Any) -> None:
        parameters = inspect.signature(draw).parameters
        if unknown := sorted(ranges.keys() - parameters.keys()):
            raise ValueError(f"{draw.__name__} takes no {', '.join(unknown)}; it takes {', '.join(parameters)}")
        if missing := [name for name in ranges if parameters[name].default is inspect.Parameter.empty]:
            raise ValueError(f"give {draw.__name__} a default for {', '.join(missing)}: the control starts there")
        self.draw, self.alt, self.ranges = draw, alt, ranges
        self.defaults = {name: parameters[name].default for name in ranges}

    @functools.cached_property
    def knobs(self) -> dict[str, Any]:
        """The ipywidgets control of each argument, by name; set one's `value` and the picture follows."""
        import ipywidgets

        knobs: dict[str, Any] = {}
        for name, values in self.ranges.items():
            knobs[name] = ipywidgets.interactive.widget_from_abbrev(values, self.defaults[name])
            knobs[name].value = self.defaults[name]
            knobs[name].description = name.replace("_", " ")
            knobs[name].style.description_width = "9em"
            if hasattr(knobs[name], "continuous_update"):
                knobs[name].continuous_update = False  # the picture is drawn when the hand rests
        return knobs

    @functools.cached_property
    def widget(self) -> "VBox":
        """The controls with the picture below; ImportError without ipywidgets."""
        import ipywidgets

        picture = ipywidgets.HTML()

        def redraw(_: object = None) -> None:
            picture.value = self._picture({name: knob.value for name, knob in self.knobs.items()})

        for knob in self.knobs.values():
            knob.observe(redraw, "value")
        redraw()
        return ipywidgets.VBox([*self.knobs.values(), picture])

    def still(self, hint: str) -> str:
        """The picture of the starting values as HTML, with alt text and a caption that names them and gives a hint."""
        values = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.defaults.items())
        caption = html.escape(f"Drawn with {values}. {hint}")
        return f'<figure class="pw-controls">{self._picture(self.defaults)}<figcaption>{caption}</figcaption></figure>'

    def _picture(self, values: dict[str, Any]) -> str:
        card = self.draw(**values)
        source = f"data:image/png;base64,{base64.b64encode(card.png()).decode()}"
        return f'<img class="dark-light" width="{card.css_width}" alt="{html.escape(self.alt)}" src="{source}">'

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display  # with _repr_mimebundle_, widgets of Colab's ipywidgets 7 don't show

        names = [f"“{name.replace('_', ' ')}”" for name in self.ranges]
        named = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        if os.environ.get("PIXELWISE_RECORDING") == "1":
            display(HTML(self.still(CELL.format(named))))
        elif importlib.util.find_spec("ipywidgets") is None:
            display(HTML(self.still(INSTALL.format(named))))
        else:
            display(self.widget)
