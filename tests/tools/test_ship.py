"""What becomes of a run's weights before they are part of the book."""

import dataclasses

import pytest
import torch

from pixelwise.zoo import weights
from tests.tools.test_runs import TINY, small
from tools import runs, ship
from tools.runs import Run, complete

__all__ = ["small"]
SMALL = TINY | {"model": "compact", "crop": (32, 32)}

AVERAGED = ", averaged over three sizes"


@pytest.fixture
def table(small, tmp_path, monkeypatch):
    """A run on train, its twin without a drive, and a place to ship them to."""
    rows = (Run("all", **SMALL, split="train", judged=("val",)), Run("without", **SMALL))
    monkeypatch.setattr(runs, "RUNS", rows)
    monkeypatch.setattr(weights, "SHIPPED", {"camvid": tmp_path / "shipped" / "compact-camvid.safetensors"})
    return rows


def test_what_is_shipped_is_half_as_large_and_described(table, capsys):
    for run in table:
        complete(run)
    ship.main(["all"])
    path = weights.SHIPPED["camvid"]
    whole = runs.folder(table[0]) / "weights.safetensors"
    assert path.stat().st_size < 0.55 * whole.stat().st_size
    model, about = weights.load(path)
    before = weights.load(whole)[0].state_dict()
    assert all(
        torch.equal(value, before[key].half().float()) for key, value in model.state_dict().items() if "num" not in key
    )
    assert about.metrics.keys() == {"val", f"val{AVERAGED}", "unseen, by the same training without it"}
    assert about.metrics["unseen, by the same training without it"] == runs.kept_results(table[1])["values"]["unseen"]
    assert about.metrics["val"]["mean_iou"] == pytest.approx(
        runs.kept_results(table[0])["values"]["val"]["mean_iou"], abs=2e-3
    )
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "CamVid is for non-commercial use, and so are these weights" in card
    assert "**Stored**: as float16, of which the figures below are. Against float32 it costs on val 0." in card
    for figures in about.metrics.values():
        assert f"Mean IoU {100 * figures['mean_iou']:.1f} %" in card
    assert "compact-camvid.safetensors, " in capsys.readouterr().out


def test_unseen_is_judged_where_it_was_unseen(table):
    complete(table[1])
    assert weights.load(ship.ship(table[1]))[1].metrics.keys() == {
        "val",
        f"val{AVERAGED}",
        "unseen",
        f"unseen{AVERAGED}",
    }


def test_what_is_not_shipped(table, monkeypatch):
    with pytest.raises(SystemExit, match=r"all is not done: python -m tools.runs --only all"):
        ship.main(["all"])
    complete(table[0])
    for name, value, said in (("MOST_BYTES", 1000, r"takes \d"), ("MOST_COST", -1.0, r"changes too much")):
        with monkeypatch.context() as patch:
            patch.setattr(ship, name, value)
            with pytest.raises(ValueError, match=said):
                ship.ship(table[0])
    monkeypatch.setattr(runs, "RUNS", (dataclasses.replace(table[0], name="other", model="pyramid"),))
    complete(runs.RUNS[0])
    with pytest.raises(ValueError, match=r"the name of another network than pyramid"):
        ship.ship(runs.RUNS[0])
    assert not weights.SHIPPED["camvid"].parent.exists() or not list(weights.SHIPPED["camvid"].parent.iterdir())
