"""The weights that come with the library: small, described, and as good as their cards say."""

from pathlib import Path

import pytest

from pixelwise import data
from pixelwise.evaluation import evaluate, metrics
from pixelwise.zoo import weights

FILES = sorted(weights.TRAINED.glob("*.safetensors"))


def test_there_are_some_and_they_are_small():
    assert weights.DEFAULT in FILES
    assert set(FILES) <= set(weights.SHIPPED.values())
    assert weights.SHIPPED["streets"] in FILES  # those without a condition, for whoever needs them
    assert sum(path.stat().st_size for path in FILES) <= 12_000_000


def test_a_name_stands_for_a_file_and_a_path_for_itself():
    assert weights.file_of("streets") == weights.file_of(Path("streets")) == weights.SHIPPED["streets"]
    assert weights.file_of("./streets/x") == Path("streets/x")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_has_a_card_that_agrees_with_it(path: Path):
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    _, about = weights.load(path)
    assert weights.SHIPPED[about.dataset] == path
    assert ("non-commercial use, and so are these weights" in card) == (about.dataset == "camvid")
    assert f"| {about.dataset} | {path.stem} |" in (weights.TRAINED / "README.md").read_text(encoding="utf-8")
    for word in ("Data", "Recipe", "Metrics", "Licence", "Limits", about.network.model, about.provenance["date"]):
        assert word in card
    for figures in about.metrics.values():
        assert f"Mean IoU {100 * figures['mean_iou']:.1f} %" in card
        for name, iou in figures["class_iou"].items():
            assert f"| {name} | {100 * iou:.1f} |" in card


def test_they_reach_what_the_card_says():
    """On 24 of the validation scenes, within what so few scenes allow; those of CamVid are not here to be judged on."""
    path = weights.SHIPPED["streets"]
    model, about = weights.load(path)
    matrix = evaluate(model, data.load(about.dataset, "val", about.size, count=24))
    assert metrics.mean_iou(matrix) == pytest.approx(about.metrics["val"]["mean_iou"], abs=0.08)
