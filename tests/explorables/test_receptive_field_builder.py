"""Receptive field builder: its numbers against the library's and gradients', and the figure in a real browser."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from traitlets import TraitError

from pixelwise import analysis, explorables, models
from pixelwise.explorables.receptive_field_builder import NETWORKS


@pytest.fixture(scope="module")
def call(functions):
    return functions(
        *("receptive-field-builder", "parse", "written", "walk", "paths", "coverage", "finding", "tasks", "networks")
    )


def random_labs(count, seed=0):
    rng = np.random.default_rng(seed)
    while count:
        layers = [
            tuple(map(int, (rng.integers(1, 6), rng.choice([1, 1, 2, 3]), rng.choice([1, 1, 2, 5]))))
            for _ in range(rng.integers(0, 7))
        ]
        lab = explorables.ReceptiveFieldBuilder(unit=int(rng.integers(0, 7)))
        try:
            lab.stack = layers
        except TraitError:
            continue  # too large to draw
        count -= 1
        yield lab


def test_numbers_equal_the_library_and_pytorch_on_random_stacks(call):
    for lab in random_labs(60):
        expected, layers = lab.numbers(), call("parse", lab.layers)
        assert [(one["kernel"], one["stride"], one["dilation"]) for one in layers] == lab.stack
        assert call("parse", call("written", layers)) == layers
        steps = call("walk", layers)
        assert (steps[-1]["size"], steps[-1]["jump"]) == (expected["size"], expected["jump"])
        counts = call("paths", layers)
        assert counts == lab.paths.tolist()
        measured = call("coverage", counts, steps[-1]["jump"])
        assert measured["share"] == pytest.approx(expected["coverage"], abs=1e-12)
        assert measured["shared"] == pytest.approx(expected["shared"], abs=1e-12)


def test_the_pixels_that_are_read_are_those_with_a_gradient():
    for lab in random_labs(15, seed=1):
        unit, size = lab.unit, lab.numbers()["size"]
        if size > 400:
            continue
        layers = [nn.Conv1d(1, 1, k, s, dilation=d, bias=False) for k, s, d in lab.stack]
        for layer in layers:
            nn.init.ones_(layer.weight)
        x = torch.ones(1, 1, size + unit * lab.numbers()["jump"], dtype=torch.float, requires_grad=True)
        nn.Sequential(*layers)(x)[0, 0, unit].backward()
        first, last = lab.numbers()["window"]
        read = x.grad[0, 0, first : last + 1]
        torch.testing.assert_close(read.double(), lab.paths)
        assert x.grad.sum() == read.sum()


@pytest.mark.parametrize("rates", [[2, 2, 2], [2, 4, 8], [1, 2, 9], [1, 2, 5]])
def test_coverage_of_dilation_lists_is_the_library_s(rates):
    lab = explorables.ReceptiveFieldBuilder()
    lab.stack = [(3, 1, rate) for rate in rates]
    assert lab.numbers()["coverage"] == pytest.approx(analysis.coverage(rates))


def test_the_networks_are_those_of_the_book(call):
    size = {}
    for name, layers in NETWORKS.items():
        size[name] = explorables.ReceptiveFieldBuilder(layers=layers).numbers()["size"]
    assert [size[f"FCN-{name}"] for name in ("AlexNet", "VGG-16", "GoogLeNet")] == [355, 404, 907]
    for name, build in {
        "ResNet-18": models.resnet18,
        "ResNet-50": models.resnet50,
        "ResNet-50 at stride 8": lambda: models.resnet50(output_stride=8),
    }.items():
        with torch.device("meta"):
            field = analysis.receptive_field(build(), "layer4")
        numbers = explorables.ReceptiveFieldBuilder(layers=NETWORKS[name]).numbers()
        assert (numbers["size"], numbers["jump"]) == (field.size[0], field.jump[0])
    assert call("networks") == [list(pair) for pair in NETWORKS.items()]


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ("", "Add a layer"),
        ("3 3 3", "A unit sees 7 × 7 pixels, and its neighbour lies 1 pixel on. Some path reads each of them."),
        ("3d2 3d2 3d2", "only 29.0\u00a0% of them are read: gridding. It shares not one pixel with its neighbour."),
        ("3 3d2 3d9", "only 70.6\u00a0% of them are read: gridding."),
        ("3s4 3s4", "the stride skips pixels"),
        (NETWORKS["ResNet-50"], "sees 427 × 427 pixels, and its neighbour lies 32 pixels on"),
        ("9s4 9s4 9s4 9s4 9s4 9s4", "too large to draw"),
    ],
)
def test_finding(call, layers, words):
    assert words in call("finding", call("parse", layers))


def test_each_task_can_be_done_and_no_preset_does_it(call):
    for i, layers in enumerate(("3 3d3 3d9", "3 3d2 3d2 3d2", "3s3 3s3 3s3 3s3 3s3")):
        assert [met for _, met in call("tasks", call("parse", layers))][i]
        assert explorables.ReceptiveFieldBuilder(layers=layers).numbers()["coverage"] == 1
    for layers in (*NETWORKS.values(), "", "3 3 3", "3d2 3d2 3d2", "3 3d2 3d9", "3 3d2 3d5"):
        assert not any(met for _, met in call("tasks", call("parse", layers)))


def test_layers_can_be_read_and_set():
    lab = explorables.ReceptiveFieldBuilder(layers="7s2  3d4")
    assert lab.stack == [(7, 2, 1), (3, 1, 4)]
    lab.stack = [3, (3, 2), (3, 1, 5)]
    assert lab.stack == [(3, 1, 1), (3, 2, 1), (3, 1, 5)]
    assert lab.layers == "3 3s2 3d5"


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("3x3", "'3x3', expected kernel, stride and dilation such as"),
        ("3s9", "'3s9' has stride 9, expected 1 to 4"),
        ("0", "'0' has kernel 0, expected 1 to 15"),
        ("1 " * 41, "41 layers, expected 40 at most"),
        ("9s4 " * 9, "pixels, expected 4096 at most"),
    ],
)
def test_wrong_layers_are_answered_in_one_line(layers, message):
    with pytest.raises(TraitError, match=re.escape(message)):
        explorables.ReceptiveFieldBuilder(layers=layers)


@pytest.mark.parametrize("layers", ["", "3 3d2 3d9", *NETWORKS.values()])
def test_every_stack_has_a_light_picture_and_words(layers):
    lab = explorables.ReceptiveFieldBuilder(layers=layers)
    assert len(lab.picture().png()) <= 60_000
    assert f"see {lab.numbers()['size']} by" in lab.alt()


def says(tab, words):
    tab.locator("[role=status]", has_text=words).first.wait_for(timeout=20_000, state="attached")


def test_holes_are_closed_by_keyboard(open_live):
    tab = open_live(explorables.ReceptiveFieldBuilder())
    says(tab, "only 70.6 % of them are read: gridding")
    tab.locator("summary", has_text="Change the layers").click()
    rate = tab.get_by_label("dilation of layer 2")
    rate.focus()
    tab.keyboard.press("ArrowUp")
    says(tab, "A unit sees 27 × 27 pixels")
    tab.locator(".pw-met", has_text="27 × 27").wait_for(timeout=20_000)
    assert rate.input_value() == "3"
    add = tab.get_by_role("button", name="Add a layer")
    add.focus()
    tab.keyboard.press("Enter")
    says(tab, "A unit sees 45 × 45 pixels")
    tab.get_by_role("button", name="Move layer 4 up").press("Enter")
    tab.get_by_role("button", name="Remove layer 1").press("Enter")
    says(tab, "A unit sees 43 × 43 pixels")
    unit = tab.get_by_role("slider", name="Unit")
    unit.focus()
    tab.keyboard.press("ArrowRight")
    tab.get_by_text("Input pixels 1 to 43").wait_for(timeout=20_000)
    says(tab, "Unit 1: pixels 1 to 43.")
    assert tab.troubles == []


def test_networks_and_units_by_pointer(open_live):
    tab = open_live(explorables.ReceptiveFieldBuilder())
    for name, size in {"FCN-AlexNet": 355, "FCN-VGG-16": 404, "FCN-GoogLeNet": 907, "ResNet-18": 435}.items():
        tab.get_by_role("button", name=name).click()
        says(tab, f"A unit sees {size} × {size} pixels")
    assert tab.locator(".layers tbody tr").count() == 18
    pyramid = tab.locator(".pyramid")
    pyramid.scroll_into_view_if_needed()
    box = pyramid.bounding_box()
    middle = 435 / 2 + 4 * 32
    tab.mouse.click(box["x"] + box["width"] * middle / (435 + 6 * 32), box["y"] + 40)
    tab.get_by_text("Input pixels 128 to 562").wait_for(timeout=20_000)
    tab.get_by_role("button", name="2, 2, 2").click()
    says(tab, "shares not one pixel with its neighbour")
    assert tab.locator(".layers tbody tr").count() == 3
    assert tab.troubles == []


def test_an_address_brings_its_state_and_nonsense_does_no_harm(open_page):
    state = "#receptive-field-builder.layers=7s2+3d4&receptive-field-builder.unit=2"
    tab = open_page(explorables.ReceptiveFieldBuilder(), hash=state)
    tab.locator(".pw-live").wait_for(timeout=20_000)
    says(tab, "A unit sees 23 × 23 pixels")
    tab.evaluate("location.hash = '#receptive-field-builder.layers=99s99d99+<b>+x+15s4+15s4+15s4+15s4'")
    says(tab, "too large to draw")
    tab.evaluate("location.hash = '#receptive-field-builder.layers=nothing&receptive-field-builder.unit=99'")
    says(tab, "A unit sees 1 × 1 pixels")
    assert tab.troubles == []
