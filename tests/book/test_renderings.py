"""Figures on light and on dark pages, and the picture on the landing page."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from book.extensions import landing, renderings

PAPER, INK, BLUE, PHOTO = (248, 246, 241), (35, 35, 43), (11, 98, 168), (120, 30, 200)


@pytest.fixture
def figure(tmp_path):
    """A card with a line of ink, a blue bar, and a photograph that happens to hold the colours of both and of paper."""
    pixels = np.full((20, 30, 3), PAPER, np.uint8)
    pixels[2], pixels[4] = INK, BLUE
    pixels[10:18, 10:20] = PHOTO
    pixels[12, 12], pixels[12, 13], pixels[12, 14] = PAPER, INK, BLUE
    notes = PngImagePlugin.PngInfo()
    notes.add_text(renderings.KEPT, json.dumps([[10, 10, 20, 18]]))
    Image.fromarray(pixels).quantize(256).save(tmp_path / "1figure.png", pnginfo=notes)
    return tmp_path / "1figure.png"


def test_two_renderings_share_the_photograph_and_neither_has_a_card(figure, tmp_path):
    tags = renderings.pair('<img alt="a bar" src="../_images/1figure.png">', figure, tmp_path / "_images")
    assert tags.count('alt="a bar"') == 2
    shown = {}
    for page in ("light", "dark"):
        assert f'class="pw-on-{page}" src="../_images/1figure-{page}.png"' in tags
        shown[page] = np.asarray(Image.open(tmp_path / f"_images/1figure-{page}.png").convert("RGBA")).astype(int)
        assert shown[page][0, 0, 3] == 0, "paper is not clear"
        assert (shown[page][10:18, 10:20, 3] == 255).all()
        assert [tuple(shown[page][12, x, :3]) for x in (11, 12, 13, 14)] == [PHOTO, PAPER, INK, BLUE]
    assert tuple(shown["light"][2, 0, :3]) == INK
    ink, blue = shown["dark"][2, 0, :3], shown["dark"][4, 0, :3]
    assert ink.min() > 200, "ink is dark on a dark page"
    assert np.ptp(ink) < 12, "ink has a tint"
    assert blue.argmax() == 2, "blue is not blue any more"
    assert blue.mean() > 110


def test_what_has_the_colour_of_a_class_keeps_it_on_dark_pages(tmp_path):
    tree, sky, pedestrian = ((33, 92, 70), (190, 228, 245), (122, 8, 22))
    pixels = np.full((120, 100, 3), PAPER, np.uint8)
    pixels[5:50, 5:70], pixels[60:110, 5:70] = tree, sky
    pixels[24:32, 20:23], pixels[80:90, 20:23] = 255, INK  # letters
    pixels[10:110, 80:83] = pedestrian
    notes = PngImagePlugin.PngInfo()
    notes.add_text(renderings.KEPT, "[]")
    Image.fromarray(pixels).save(tmp_path / "bars.png", pnginfo=notes)
    renderings.pair('<img src="bars.png">', tmp_path / "bars.png", tmp_path / "_images")
    dark = np.asarray(Image.open(tmp_path / "_images/bars-dark.png").convert("RGBA")).astype(int)
    assert (dark[5:50, 5:70, :3] == pixels[5:50, 5:70]).all()
    assert (dark[60:110, 5:70, :3] == pixels[60:110, 5:70]).all()
    assert (dark[50:60, :, 3] == 0)[:, :70].all(), "paper between two bars is not clear"
    line = dark[60, 81, :3]
    assert line.argmax() == 0
    assert line.sum() > 1.5 * sum(pedestrian), "a dark line is swallowed"
    assert line.sum() < 500, "a dark line is turned over"


def test_what_is_drawn_begins_where_the_text_does(tmp_path):
    pixels = np.full((20, 100, 3), PAPER, np.uint8)
    pixels[4, 3:90] = INK
    notes = PngImagePlugin.PngInfo()
    notes.add_text(renderings.KEPT, "[]")
    Image.fromarray(pixels).save(tmp_path / "line.png", pnginfo=notes)
    tags = renderings.pair('<img src="line.png">', tmp_path / "line.png", tmp_path / "_images")
    assert tags.count('style="--inset: 0.0300"') == 2


def test_a_small_picture_of_a_figure_lies_on_a_dark_card_on_a_dark_page(figure):
    with Image.open(figure) as picture:
        shown = np.asarray(renderings.darken(picture)).astype(int)
    assert shown[0, 0].max() < 60, "the card stays as light as paper"
    assert shown[2, 0].min() > 200, "ink is dark on a dark card"
    assert [tuple(shown[12, x]) for x in (11, 12, 13, 14)] == [PHOTO, PAPER, INK, BLUE]


def test_a_picture_that_says_nothing_stays_as_it_is(tmp_path):
    Image.new("RGB", (4, 4), PAPER).save(tmp_path / "old.png")
    with Image.open(tmp_path / "old.png") as picture:
        assert renderings.darken(picture).getpixel((0, 0)) == PAPER
    tag = '<img src="old.png">'
    assert renderings.pair(tag, tmp_path / "old.png", tmp_path) == tag


def test_more_colours_than_a_palette_holds_cost_the_photograph_none(tmp_path):
    rng = np.random.default_rng(0)
    photo, chart = rng.integers(0, 256, (2, 200, 3))
    pixels = np.concatenate([photo, chart]).reshape(20, 20, 3)
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    kept = np.arange(400).reshape(20, 20) < 200
    colours = np.unique(np.where(kept, packed, packed + (1 << 24)), return_inverse=True, return_counts=True)
    shown = np.asarray(Image.open(io.BytesIO(renderings.render(*colours, dark=True))).convert("RGB"))
    assert np.array_equal(shown[kept], pixels[kept])


def test_levels_add_up_as_the_figure_adds_them():
    """Against the figure's own prediction, which torch interpolates."""
    from pixelwise import explorables

    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(3, 11, 3, 4)), rng.integers(0, 11, (24, 32), np.uint8)
    figure = explorables.FcnSkips(scores, labels, np.zeros((3, 24, 32), np.uint8))
    state = {key: getattr(figure, key) for key in ("scores", "step", "grid", "strides", "labels", "classes")}
    for frame, on in zip(landing.segment(state), ("32", "32 16", "32 16 8"), strict=True):
        assert (frame == figure.prediction(on).numpy()).mean() > 0.999
    assert np.array_equal(landing.label_map(state), labels)
    address = landing.address(landing.palette(state)[labels])
    shown = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")
    assert np.array_equal(np.asarray(shown), landing.palette(state)[labels])
