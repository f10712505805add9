"""Controls that need a kernel: sliders where one runs, one picture and a sentence where none does."""

import re
import sys

import pytest

from pixelwise import figures
from pixelwise.explorables.controls import Controls


@pytest.fixture
def drawn():
    return []


@pytest.fixture
def controls(drawn):
    def line(slope=2, pole_width=1.5, shared=False, kind="a"):
        drawn.append((slope, pole_width, shared, kind))
        card, axes = figures.panels(height=2)
        axes.plot([0, slope])
        return card

    return Controls(
        line,
        alt="A line of the chosen slope.",
        slope=(-5, 5, 1),
        pole_width=(0.5, 8, 0.5),
        shared=True,
        kind=["b", "a"],
    )


@pytest.fixture
def shown(monkeypatch):
    monkeypatch.delenv("PIXELWISE_RECORDING", raising=False)
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    return shown


def test_with_a_kernel_each_argument_has_a_control_that_redraws(controls, drawn, shown):
    controls._ipython_display_()
    assert shown == [controls.widget]
    assert drawn == [(2, 1.5, False, "a")]
    *knobs, picture = controls.widget.children
    assert [knob.description for knob in knobs] == ["slope", "pole width", "shared", "kind"]
    before = picture.value
    controls.knobs["slope"].set_state({"value": -3})  # what a message from the browser does
    controls.knobs["shared"].value = True
    controls.knobs["kind"].value = "b"
    assert drawn[-1] == (-3, 1.5, True, "b")
    assert picture.value != before
    assert 'alt="A line of the chosen slope."' in picture.value


def test_a_record_holds_one_picture_and_says_how_to_run_it(controls, drawn, shown, monkeypatch):
    monkeypatch.setenv("PIXELWISE_RECORDING", "1")
    controls._ipython_display_()
    (element,) = shown
    assert "widget" not in vars(controls)
    assert "knobs" not in vars(controls)
    assert drawn == [(2, 1.5, False, "a")]
    caption = re.search("<figcaption>(.*)</figcaption>", element.data)[1]
    assert "slope 2, pole width 1.5, shared False, kind a" in caption
    assert "run this chapter in Jupyter or Colab" in caption
    assert element.data.count("<img") == 1


def test_without_ipywidgets_it_says_how_to_get_them(controls, shown, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    controls._ipython_display_()
    assert "pip install ipywidgets" in shown[0].data


def test_wrong_controls_are_answered_in_one_line():
    def draw(rate, fog=0.5): ...

    with pytest.raises(ValueError, match="draw takes no night; it takes rate, fog"):
        Controls(draw, alt="x", night=(0, 1))
    with pytest.raises(ValueError, match="give draw a default for rate"):
        Controls(draw, alt="x", rate=(0, 1))
