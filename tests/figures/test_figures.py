"""What the figures show, and what they say to wrong input."""

import base64
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image

from pixelwise import figures
from pixelwise.figures.style import KEPT, TYPEFACE, reduce_colours

CAR, ROAD, VOID = 8, 3, 255


@pytest.fixture
def scenes():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 3, 24, 32), dtype=np.uint8)
    masks = np.full((4, 24, 32), ROAD, np.uint8)
    masks[:, 5:10, 5:10] = CAR
    masks[:, 0] = VOID
    return SimpleNamespace(images=torch.tensor(images), masks=torch.tensor(masks))


def words(card):
    return [text.get_text() for text in card.findobj(lambda artist: hasattr(artist, "get_text")) if text.get_text()]


def pixels(card):
    return np.array(Image.open(io.BytesIO(card.png())).convert("RGB"))


def test_labels_become_their_display_colours(scenes):
    painted = figures.colourise(scenes.masks)
    assert painted.shape == (4, 24, 32, 3)
    assert tuple(painted[0, 6, 6]) == figures.DISPLAY_COLOURS[CAR]
    assert tuple(painted[0, 0, 0]) == figures.VOID_COLOUR
    assert np.array_equal(painted, figures.colourise(scenes.masks.numpy()))


def test_blend_weighs_mask_against_image_and_leaves_void_clear(scenes):
    image = scenes.images.permute(0, 2, 3, 1).numpy()
    mixed = figures.blend(scenes.images, scenes.masks, 0.25)
    expected = np.rint(0.75 * image[0, 6, 6] + 0.25 * np.array(figures.DISPLAY_COLOURS[CAR]))
    assert np.array_equal(mixed[0, 6, 6], expected)
    assert np.array_equal(mixed[:, 0], image[:, 0])


def test_mistakes_are_marked_and_void_is_neither_right_nor_wrong(scenes):
    predicted = scenes.masks.clone()
    predicted[0, 6, 6] = ROAD
    predicted[:, 0] = CAR
    marked = figures.mark_mistakes(predicted, scenes.masks)
    wrong = (marked == marked[0, 6, 6]).all(-1)
    assert wrong.sum() == 1
    assert (marked[:, 0] == figures.VOID_COLOUR).all()


def test_sheet_names_the_classes_that_occur_and_no_other(scenes):
    card = figures.show_scenes(scenes, predictions={"FCN-8s": scenes.masks}, mistakes=True, title="Cars on a road")
    shown = words(card)
    assert {"Cars on a road", "car", "road", "void", "FCN-8s", "right", "wrong"} <= set(shown)
    assert "sky" not in shown


def test_every_label_pixel_is_a_square_of_the_exact_colour(scenes):
    picture = pixels(figures.show_scenes(scenes, columns=4))
    cars = (picture == figures.DISPLAY_COLOURS[CAR]).all(-1).sum()
    roads = (picture == figures.DISPLAY_COLOURS[ROAD]).all(-1).sum()
    zoomed = 16 * int((scenes.masks == CAR).sum()), 16 * int((scenes.masks == ROAD).sum())
    assert cars > zoomed[0]
    assert cars - zoomed[0] == roads - zoomed[1]  # what remains is a swatch each in the legend


def test_large_scenes_are_shrunk_to_the_page():
    big = np.zeros((2, 360, 480), np.uint8)
    card = figures.show_scenes(np.zeros((2, 3, 360, 480), np.uint8), big, columns=3)
    assert card.get_size_inches()[0] * 96 <= 601


def test_stored_picture_is_sharp_small_and_has_a_width(scenes):
    data, metadata = figures.show_scenes(scenes.images, scenes.masks, alpha=0.6)._repr_mimebundle_()
    stored = base64.b64decode(data["image/png"])
    assert Image.open(io.BytesIO(stored)).width == pytest.approx(2 * metadata["image/png"]["width"], abs=2)
    assert len(stored) < 150_000


def kept(card):
    """The boxes that a stored figure lists, and its pixels."""
    with Image.open(io.BytesIO(card.png())) as stored:
        return json.loads(stored.info[KEPT]), np.array(stored.convert("RGB"))


def test_stored_figure_says_where_pictures_and_colours_of_classes_are(scenes):
    boxes, picture = kept(figures.show_scenes(scenes, columns=4))
    outside = np.ones(picture.shape[:2], bool)
    for left, top, right, bottom in boxes:
        outside[top:bottom, left:right] = False
    for colour in (figures.DISPLAY_COLOURS[CAR], figures.DISPLAY_COLOURS[ROAD]):
        assert (picture == colour).all(-1).any()
        assert not (picture == colour).all(-1)[outside].any()
    assert outside.mean() > 0.1


def test_a_map_keeps_its_colours_and_a_chart_changes_with_the_page():
    with figures.style():
        card, (left, right) = figures.panels(1, 2)
        left.imshow(np.eye(4))
        right.imshow(np.eye(4), cmap="Blues")
    (box,), _ = kept(card)
    assert box[2] < card.bbox.width / 2
    assert box[2] - box[0] == pytest.approx(left.bbox.width, abs=1)
    assert box[3] - box[1] == pytest.approx(left.bbox.height, abs=1)
    assert kept(figures.confusion(np.eye(11, dtype=int)))[0] == []
    assert kept(figures.bars({"net": [1, 2]}))[0] == []


@pytest.mark.filterwarnings("error")
def test_figures_bring_their_typeface_along(caplog):
    with figures.style():
        card, axes = figures.panels()
        axes.set_xlabel("right ✓, wrong ✗, ● first, ▲ second")
        axes.set_title(r"4.2 ± 0.1 × √2 ≤ σ → $\sqrt{n}\,\frac{x^2}{\hat{y}} \mathcal{L}$")
        card.png()
        family = Path(findfont(FontProperties(family=TYPEFACE), fallback_to_default=False))
    assert family.parent.parent == Path(figures.__file__).parent
    assert axes.title.get_fontfamily()[0] == TYPEFACE
    assert caplog.messages == []


def test_few_colours_survive_storing_exactly():
    rng = np.random.default_rng(0)
    few = rng.integers(0, 256, (200, 3), dtype=np.uint8)[rng.integers(0, 200, (40, 50))]
    assert np.array_equal(np.array(reduce_colours(few).convert("RGB")), few)
    noise = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    noise[:20] = (1, 2, 3)
    assert (np.array(reduce_colours(noise).convert("RGB"))[:20] == (1, 2, 3)).all()


def test_curves_draw_mean_and_band_of_the_seeds():
    runs = [{"epoch": [2, 4], "loss": [1.0, 0.5]}, {"epoch": [2, 4], "loss": [3.0, 0.7]}]
    axes = figures.curves({"plain": runs, "skip": [0.3, 0.2]}).axes[0]
    assert np.allclose(axes.lines[0].get_xydata(), [[2, 2.0], [4, 0.6]])
    assert np.allclose(axes.lines[1].get_xydata(), [[1, 0.3], [2, 0.2]])
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 0.5
    assert band[:, 1].max() == 3.0


def test_curves_read_a_training_history_and_write_per_cent():
    history = SimpleNamespace(epoch=[1, 2], val_mean_iou=[0.2, 0.4])
    axes = figures.curves({"net": history}, quantity="val_mean_iou").axes[0]
    assert axes.get_ylabel() == "validation mean IoU (%)"
    assert float(axes.yaxis.get_major_formatter()(0.4)) == 40


def test_curves_write_what_they_are_told_at_the_positions():
    axes = figures.curves({"net": [0.2, 0.4]}, ticks=(1.5, "as filmed")).axes[0]
    assert axes.get_xticks().tolist() == [1, 2]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1.5", "as filmed"]


def test_bars_write_mean_and_half_spread():
    shown = words(figures.bars({"net": [0.5, 0.6, 0.7], "majority": 0.08}, percent=True, x="mean IoU"))
    assert "60.0 ± 10.0" in shown
    assert "8.0" in shown
    assert "mean IoU (%)\nmean of the seeds ± half their range" in shown
    assert "mean IoU (%)" in words(figures.bars({"net": 0.6}, percent=True, x="mean IoU"))


def test_classes_in_order_of_score_with_the_absent_one_last():
    scores = np.linspace(0.1, 0.9, 11)
    scores[10] = np.nan
    card = figures.per_class_iou({"net": scores}, order="score")
    names = [tick.get_text() for tick in card.axes[0].get_yticklabels()]
    assert names[0] == "pedestrian"
    assert names[-1] == "bicyclist"
    assert "absent" in words(card)


def test_confusion_rows_are_shares_of_the_true_class():
    counts = np.zeros((11, 11), int)
    counts[2, 2], counts[2, 1] = 25, 75
    shown = words(figures.confusion(torch.tensor(counts)))
    assert shown.count("25") == 1
    assert shown.count("75") == 1
    assert shown.count("–") == 10


def test_pareto_frontier_and_labels_apart():
    rng = np.random.default_rng(1)
    points = {f"network {i}": (rng.uniform(1, 10), list(rng.uniform(55, 75, 3))) for i in range(9)}
    points |= {"small": (0.5, 80), "best": (20, 90)}
    card = figures.pareto(points, x="multiply-adds (G)", y="accuracy (%)", log=True)
    axes = card.axes[0]
    assert np.allclose(axes.lines[0].get_xydata(), [[0.5, 80], [20, 90]])
    boxes = [note.get_window_extent() for note in axes.texts]
    assert len(boxes) == 11
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_table_says_the_same_to_everyone():
    made = figures.table(
        {"A & B": [1234567, 0.5, None]}, ["net", "parameters", "mIoU", "other"], caption="Two", digits=3
    )
    assert str(made).splitlines()[-1].split() == ["A", "&", "B", "1,234,567", "0.500", "–"]
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes).get("scope")))
    parser.feed(made._repr_html_())
    assert tags.count(("th", "col")) == 4
    assert tags.count(("th", "row")) == 1
    assert ("caption", None) in tags
    assert "A &amp; B" in made._repr_html_()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: figures.colourise(np.full((2, 2), 31)), "label 31, expected 0-10"),
        (lambda s: figures.colourise(np.zeros((2, 2))), "expected integer labels"),
        (lambda s: figures.show_scenes(s.images.float(), s.masks), "before normalise"),
        (lambda s: figures.show_scenes(s.images, s.masks[:, 1:]), "must agree"),
        (lambda s: figures.show_scenes(s.images[:0], s.masks[:0]), "empty"),
        (lambda s: figures.show_scenes(s, titles=["one"]), "1 titles for 4 scenes"),
        (lambda s: figures.show_scenes(s.images, predictions=s.masks, mistakes=True), "needs masks"),
        (lambda s: figures.blend(s.images, s.masks, 2), "alpha is 2"),
        (lambda s: figures.curves({"net": {"accuracy": [1]}}), "no values of 'loss'; it has accuracy"),
        (lambda s: figures.curves({"net": [[1, 2], [1]]}), "expected equally many"),
        (lambda s: figures.curves({}), "nothing to draw"),
        (lambda s: figures.curves({"net": [1, 2]}, ticks=["near"]), "1 ticks for 2 positions"),
        (lambda s: figures.per_class_iou({"net": np.zeros(5)}), "expected \\(11,\\)"),
        (lambda s: figures.confusion(np.zeros((3, 3))), "rows target"),
        (lambda s: figures.table([["net", 1]], ["net"]), "2 cells, expected 1"),
    ],
)
def test_wrong_input_is_answered_in_one_line(scenes, call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call(scenes)
    assert "\n" not in str(caught.value)
