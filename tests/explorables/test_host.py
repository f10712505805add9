"""How an explorable shows: as a widget, as a still picture."""

import base64
import html
import io
import json
import re
import sys

import numpy as np
import pytest
from PIL import Image
from traitlets import TraitError

from pixelwise import explorables
from pixelwise.explorables import metric_traps

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def traps():
    return explorables.MetricTraps(start="no poles")


def shown(explorable):
    bundle = explorable._repr_mimebundle_()
    return bundle[0] if isinstance(bundle, tuple) else bundle


def test_state_is_the_same_on_both_sides(traps, monkeypatch):
    monkeypatch.delenv("PIXELWISE_RECORDING", raising=False)
    assert WIDGET_VIEW in shown(traps)
    traps.start = "majority"
    assert traps.widget.start == "majority"
    traps.widget.set_state({"brush": 8, "edits": "a3"})  # what a message from the browser does
    assert traps.brush == 8
    assert (traps.prediction[0, :3] == 0).all()
    assert traps.prediction[0, 3] == 1


def test_a_record_holds_a_still_picture_and_no_widget(traps, monkeypatch):
    monkeypatch.setenv("PIXELWISE_RECORDING", "1")
    data = shown(traps)
    assert set(data) == {"text/html", "text/plain"}
    assert "widget" not in vars(traps)
    element = data["text/html"]
    assert json.loads(html.unescape(re.search(r'data-state="([^"]*)"', element)[1])) == traps.state
    assert "mIoU (macro) 82.3 %" in re.search(r'alt="([^"]*)"', element)[1]
    picture = base64.b64decode(re.search(r"base64,([^\"]*)", element)[1])
    assert len(picture) <= 60_000
    assert Image.open(io.BytesIO(picture)).width > 600
    assert "<script" not in element
    assert not re.search(r"\son\w+=", element)


def test_without_anywidget_the_still_picture_says_how_to_get_it(traps, monkeypatch):
    monkeypatch.delenv("PIXELWISE_RECORDING", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    assert "pip install anywidget" in shown(traps)["text/html"]


def test_prediction_can_be_read_painted_and_set(traps):
    painted = traps.prediction
    painted[0, :5] = metric_traps.CAR
    traps.prediction = painted
    assert np.array_equal(traps.prediction, painted)
    assert traps.edits == "i5.763"
    traps.prediction = start = metric_traps.decode(traps.starts["no poles"]).reshape(24, 32)
    assert traps.edits == ""
    assert np.array_equal(traps.prediction, start)


def test_any_scene_will_do():
    target = np.full((9, 7), 255, np.uint8)
    target[2:, 1:] = 5
    target[4, 3] = 10
    lab = explorables.MetricTraps(target, start="perfect")
    assert [name for _, name, _ in lab.classes] == ["tree", "bicyclist"]
    assert lab.numbers()["mIoU (macro)"] == 1
    assert lab.picture().png()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda lab: setattr(lab, "start", "poles"), "expected one of perfect, majority"),
        (lambda lab: setattr(lab, "prediction", np.zeros((2, 2), int)), "expected (24, 32)"),
        (lambda lab: setattr(lab, "prediction", np.full((24, 32), 5)), "expected those of the scene"),
    ],
)
def test_wrong_state_is_answered_in_one_line(traps, act, message):
    with pytest.raises((ValueError, TraitError)) as caught:
        act(traps)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(TypeError, match="OverlapLab has no kernal; its state is dimensions, kernel"):
        explorables.OverlapLab(kernal=4)


def test_encoding_and_decoding_agree():
    rng = np.random.default_rng(0)
    for _ in range(20):
        labels = rng.choice([0, 3, 10, 254, 255], size=rng.integers(1, 200))
        assert np.array_equal(metric_traps.decode(metric_traps.encode(labels)), labels)
