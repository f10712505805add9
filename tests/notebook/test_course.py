import json
from dataclasses import asdict

import pytest
import torch

from pixelwise.notebook import claims, course


@pytest.fixture
def results_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    return tmp_path / "data" / "results"


@pytest.fixture
def budget(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("PIXELWISE_DATASET", raising=False)
    monkeypatch.delenv("PIXELWISE_RECORDING", raising=False)
    return lambda name: monkeypatch.setenv("PIXELWISE_BUDGET", name)


def test_the_budget_decides_how_much_is_done(budget):
    budget("smoke")
    run = course.begin("chapter")
    assert (run.budget, run.seeds, run.device.type) == ("smoke", (0,), "cpu")
    assert run.pick(smoke=1, cpu=2, gpu=3) == 1
    budget("cpu")
    assert len(course.begin("chapter").seeds) >= 3


def test_without_a_setting_the_machine_decides(budget):
    budget("")
    assert course.begin("chapter").budget == "cpu"


@pytest.mark.survives("No GPU where one was asked for")
@pytest.mark.parametrize(("name", "error"), [("huge", ValueError), ("gpu", RuntimeError)])
def test_an_impossible_budget_says_what_to_do(budget, name, error):
    budget(name)
    with pytest.raises(error, match=f"PIXELWISE_BUDGET is '{name}'"):
        course.begin("chapter")


def test_the_environment_overrules_the_data_set(budget, monkeypatch):
    budget("smoke")
    assert course.begin("chapter", dataset="streets").dataset == "streets"
    monkeypatch.setenv("PIXELWISE_DATASET", "camvid")
    assert course.begin("chapter", dataset="streets").dataset == "camvid"


def test_begin_seeds_every_generator(budget):
    budget("smoke")
    course.begin("chapter")
    first = torch.rand(3)
    course.begin("chapter")
    assert torch.equal(first, torch.rand(3))


def test_a_kept_training_run_is_found_by_its_name(results_folder):
    (results_folder / "runs").mkdir(parents=True)
    (results_folder / "runs" / "a-run.json").write_text('{"seconds": 3}')
    assert course.training_run("a-run") == {"seconds": 3}
    with pytest.raises(FileNotFoundError, match=r"no training run 'b-run'.*there are: a-run"):
        course.training_run("b-run")


def test_only_a_recorded_run_leaves_results(budget, monkeypatch, results_folder):
    budget("cpu")
    course.begin("chapter").save({"mean_iou": 0.5})
    assert not results_folder.exists()
    monkeypatch.setenv("PIXELWISE_RECORDING", "1")
    budget("smoke")
    course.begin("chapter").save({"mean_iou": 0.5})
    assert not results_folder.exists()

    budget("cpu")
    run = course.begin("chapter")
    claims.exact("chapter.one", "One is one", 1, equals=1)
    run.save({"mean_iou": 0.5})
    kept = course.results("chapter", "streets")
    assert kept["values"] == {"mean_iou": 0.5}
    assert kept["claims"][0]["state"] == "holds"
    assert {"budget", "device", "date", "seconds", "seeds", "versions"} <= kept.keys()
    assert "3 seeds" in course.provenance(kept)
    assert [path.name for path in results_folder.iterdir()] == ["chapter-streets.json"]


@pytest.mark.survives("Undefined figures")
def test_what_is_undefined_is_null_and_can_be_shown_again(budget, monkeypatch, results_folder):
    monkeypatch.setenv("PIXELWISE_RECORDING", "1")
    budget("cpu")
    run = course.begin("chapter", dataset="camvid")
    claims.trained("chapter.none", "A class occurs", [0.1, float("nan"), 0.3], at_least=0)
    run.save({"iou": float("nan")})
    assert "NaN" not in (results_folder / "chapter-camvid.json").read_text()
    kept = course.results("chapter", "camvid")
    assert kept["values"] == {"iou": None}
    assert "measured 0.1, nan, 0.3" in str(claims.table(kept))
    with pytest.raises(ValueError, match="JSON"):
        run.save({"iou": float("inf")})


def test_missing_results_name_the_command_that_makes_them(results_folder):
    with pytest.raises(FileNotFoundError, match="make record CHAPTERS=resnet DATASET=camvid"):
        course.results("resnet", "camvid")


class TestClaims:
    def test_a_true_claim_is_kept_with_its_value(self, budget):
        budget("smoke")
        run = course.begin("chapter")
        claims.exact("chapter.small", "The error is small", 0.001, at_most=0.01)
        assert (run.claims[0].state, run.claims[0].measured) == ("holds", (0.001,))

    def test_values_read_as_a_person_writes_them(self, budget):
        budget("smoke")
        run = course.begin("chapter")
        claims.exact("chapter.yes", "It is so", torch.tensor(True), equals=True)
        claims.exact("chapter.count", "It has many", 387072, equals=387072)
        shown = [claim.detail for claim in run.claims]
        assert shown == ["measured true; equals true; streets", "measured 387,072; equals 387,072; streets"]
        assert json.loads(json.dumps(run.claims[0].measured)) == [True]

    @pytest.mark.parametrize(
        ("value", "bound"),
        [
            (2, {"equals": 1}),
            (False, {"equals": True}),
            (0.5, {"equals": True}),
            (2, {"at_most": 1}),
            (0, {"at_least": 1}),
            (float("nan"), {"at_least": 0}),
        ],
    )
    def test_a_false_claim_stops_the_notebook(self, budget, value, bound):
        budget("smoke")
        course.begin("chapter")
        with pytest.raises(claims.ClaimError, match="The sentence"):
            claims.exact("chapter.false", "The sentence", value, **bound)

    def test_one_bad_seed_is_enough_to_refute(self, budget):
        budget("cpu")
        course.begin("chapter")
        with pytest.raises(claims.ClaimError, match=r"-0\.1"):
            claims.trained("chapter.gain", "It gains", [0.2, -0.1, 0.3], at_least=0)

    def test_smoke_never_passes_a_trained_claim(self, budget):
        budget("smoke")
        run = course.begin("chapter")
        claims.trained("chapter.gain", "It gains", [0.2], at_least=0)
        assert run.claims[0].state == "not checked at this budget"

    def test_a_trained_claim_needs_three_seeds(self, budget):
        budget("cpu")
        course.begin("chapter")
        with pytest.raises(ValueError, match=">= 3 seeds"):
            claims.trained("chapter.gain", "It gains", [0.2, 0.3], at_least=0)

    def test_elsewhere_a_trained_claim_is_reported_and_an_identity_still_raises(self, budget):
        budget("cpu")
        run = course.begin("chapter", dataset="camvid")
        claims.trained("chapter.gain", "It gains", [0.2, -0.1, 0.3], at_least=0)
        assert run.claims[0].state == "does not hold"
        with pytest.raises(claims.ClaimError):
            claims.exact("chapter.identity", "Equal", 1, equals=2)

    def test_recorded_values_are_checked_at_every_budget(self, budget):
        budget("smoke")
        course.begin("chapter")
        record = {"dataset": "camvid", "date": "2026-01-01"}
        claims.trained("chapter.kept", "It gains", [0.2, 0.1, 0.3], at_least=0, recorded=record)
        assert course.current().claims[0].state == "holds"
        with pytest.raises(claims.ClaimError):
            claims.trained("chapter.lost", "It gains", [0.2, 0.1, 0.3], at_least=1, recorded=record)

    def test_exactly_one_bound(self, budget):
        budget("smoke")
        course.begin("chapter")
        with pytest.raises(ValueError, match="exactly one bound"):
            claims.exact("chapter.none", "Nothing", 1)

    @pytest.mark.parametrize("bound", [float("inf"), float("-inf"), float("nan")])
    @pytest.mark.parametrize("kind", ["at_most", "at_least", "equals"])
    def test_a_bound_that_says_nothing_is_refused(self, budget, kind, bound):
        budget("smoke")
        course.begin("chapter")
        with pytest.raises(ValueError, match="expected a finite number"):
            claims.exact("chapter.none", "Nothing", 1, **{kind: bound})

    def test_running_a_cell_twice_keeps_one_claim(self, budget):
        budget("smoke")
        run = course.begin("chapter")
        claims.exact("chapter.one", "One", 1, equals=1)
        claims.exact("chapter.one", "One", 1, equals=1)
        assert len(run.claims) == 1

    def test_a_claim_shows_as_text_markup_and_data(self, budget):
        budget("smoke")
        run = course.begin("chapter")
        claims.exact("chapter.less", "a < b", 1, at_most=2)
        bundle = run.claims[0]._repr_mimebundle_()
        assert "a &lt; b" in bundle["text/html"]
        assert json.loads(json.dumps(bundle[claims.MIME]))["name"] == "chapter.less"
        assert "a &lt; b" in claims.table()._repr_html_()

    def test_a_recorded_run_shows_its_trained_claims_the_false_ones_too(self, budget):
        budget("cpu")
        run = course.begin("chapter", dataset="camvid")
        claims.exact("chapter.exact", "An identity", 1, equals=1)
        claims.trained("chapter.true", "True", [0.1, 0.2, 0.3], at_least=0)
        claims.trained("chapter.false", "Too good", [0.1, 0.2, 0.3], at_least=0.2)
        recorded = json.loads(json.dumps({"dataset": "camvid", "claims": [asdict(claim) for claim in run.claims]}))
        shown = str(claims.table(recorded)).splitlines()
        assert [line[0] for line in shown] == ["✓", "✗"]
        assert "on camvid</caption>" in claims.table(recorded)._repr_html_()
