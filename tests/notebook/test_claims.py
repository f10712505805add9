"""A claim holds, or the notebook stops; it is never said to hold where nothing was measured."""

import json

import pytest
import torch

from pixelwise.notebook import claims, course
from pixelwise.notebook.claim import MIME
from pixelwise.training import history

GAINS = [0.2, 0.1, 0.3]


@pytest.fixture
def begin(monkeypatch):
    """`begin(budget, dataset)` starts a chapter in which three networks have been trained."""
    monkeypatch.setattr(history, "_finished", 3)

    def start(budget="cpu", dataset="streets"):
        monkeypatch.setenv("PIXELWISE_BUDGET", budget)
        monkeypatch.delenv("PIXELWISE_DATASET", raising=False)
        return course.begin("chapter", dataset)

    return start


def test_a_true_claim_is_kept_with_its_value(begin):
    run = begin("smoke")
    claims.exact("The error is small", 1e-6, at_most=1e-3)
    claims.deterministic("The ratio is over two", [2.5, 2.25], at_least=2)
    assert [(claim.state, claim.measured) for claim in run.claims] == [("holds", (1e-6,)), ("holds", (2.5, 2.25))]


def test_values_read_as_a_person_writes_them(begin):
    run = begin("smoke")
    claims.exact("It is so", torch.tensor(True), equals=True)
    claims.exact("It has many", 387072, equals=387072)
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
        ([3, 0.5], {"at_least": 1}),
    ],
)
def test_a_false_claim_stops_the_notebook(begin, value, bound):
    begin("smoke")
    with pytest.raises(claims.ClaimError, match="The sentence"):
        claims.deterministic("The sentence", value, **bound)


def test_an_inequality_is_no_identity(begin):
    begin("smoke")
    with pytest.raises(ValueError, match=r"tolerance of at most 0\.001, not 0\.05; .*deterministic"):
        claims.exact("The mean square changes by less than 5 %", 0.01, at_most=0.05)


@pytest.mark.parametrize("bound", [{}, {"at_most": 1, "at_least": 0}])
def test_exactly_one_bound(begin, bound):
    begin("smoke")
    with pytest.raises(ValueError, match="exactly one bound"):
        claims.deterministic("Nothing", 1, **bound)


@pytest.mark.parametrize("limit", [float("inf"), float("nan")])
def test_a_bound_that_nothing_breaks_is_none(begin, limit):
    begin()
    with pytest.raises(ValueError, match="give a finite one"):
        claims.trained("It gains", GAINS, at_most=limit)


class TestTrained:
    def test_one_bad_seed_is_enough_to_refute(self, begin):
        begin()
        with pytest.raises(claims.ClaimError, match=r"-0\.1"):
            claims.trained("It gains", [0.2, -0.1, 0.3], at_least=0)

    def test_smoke_never_passes_one(self, begin):
        run = begin("smoke")
        claims.trained("It gains", [0.2], at_least=0)
        assert run.claims[0].state == "not checked at this budget"

    def test_it_needs_three_seeds(self, begin):
        begin()
        with pytest.raises(ValueError, match=">= 3 seeds"):
            claims.trained("It gains", [0.2, 0.3], at_least=0)

    def test_what_was_not_trained_is_refused(self, begin, monkeypatch):
        begin()
        monkeypatch.setattr(history, "_finished", 2)
        with pytest.raises(ValueError, match=r"has 3 values, but 2 networks were trained here; .*deterministic"):
            claims.trained("It is faster", GAINS, at_least=0)

    def test_elsewhere_it_is_reported_and_an_identity_still_raises(self, begin):
        run = begin(dataset="camvid")
        claims.trained("It gains", [0.2, -0.1, 0.3], at_least=0)
        assert run.claims[0].state == "does not hold"
        with pytest.raises(claims.ClaimError):
            claims.exact("Equal", 1, equals=2)

    def test_recorded_values_are_checked_at_every_budget(self, begin):
        run = begin("smoke")
        record = {"dataset": "camvid", "date": "2026-01-01"}
        claims.trained("It gains", GAINS, at_least=0, recorded=record)
        assert run.claims[0].state == "holds"
        with pytest.raises(claims.ClaimError):
            claims.trained("It gains much", GAINS, at_least=1, recorded=record)


def test_the_name_comes_from_the_sentence_without_its_numbers(begin):
    run = begin("smoke")
    claims.deterministic("FCN-8s' error is ≥ 12.5 points, i.e. a × larger", 13, at_least=12.5)
    assert run.claims[0].name == "fcn-8s-error-is-points-i-e-a-larger"
    claims.deterministic("FCN-8s' error is ≥ 10 points, i.e. a × larger", 13, at_least=10)
    assert [claim.limit for claim in run.claims] == [10], "another bound is the same claim, made again"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FCN-8s beats FCN-16s by 0.02", "FCN-16s beats FCN-32s by 0.03"),
        ("ResNet-18 gains", "ResNet-34 gains"),
        ("a resnet18, 1 class", "a resnet34, 1 class"),
        ("k3s2 ripples", "k4s2 ripples"),
    ],
)
def test_digits_inside_a_word_tell_claims_apart(one, other):
    assert claims.claim_name(one) != claims.claim_name(other)


def test_numbers_that_stand_alone_leave_no_trace():
    sentence = "A 3×3 kernel on {0} scenes costs {1} times less, 10⁶ px, 1-2 %"
    assert claims.claim_name(sentence.format("120×160", 4.5)) == "a-kernel-on-scenes-costs-times-less-px"
    assert claims.claim_name(sentence.format("360x480", "40px")) == "a-kernel-on-scenes-costs-times-less-px"


def test_a_claim_shows_as_text_markup_and_data(begin):
    run = begin("smoke")
    claims.deterministic("a < b", 1, at_most=2)
    bundle = run.claims[0]._repr_mimebundle_()
    assert "a &lt; b" in bundle["text/html"]
    data = json.loads(json.dumps(bundle[MIME]))
    assert (data["name"], data["bound"], data["limit"]) == ("a-b", "at most 2", 2)
    assert "a &lt; b" in claims.table()._repr_html_()


class TestRecordedTable:
    """Values of another data set, beside the bounds of today."""

    def record(self, *made):
        return {
            "dataset": "camvid",
            "date": "2026-01-01",
            "claims": [{"sentence": s, "kind": kind, "measured": values} for s, kind, values in made],
        }

    def test_they_are_held_against_the_bounds_of_today(self, begin):
        begin()
        claims.exact("An identity", 1, equals=1)
        claims.trained("It gains", GAINS, at_least=0.1)
        claims.trained("It gains 5 points more", GAINS, at_least=0.05)
        there = self.record(
            ("An identity", "exact", [1]),
            ("It gains", "trained", [0.05, 0.2, 0.2]),
            ("It gains 2 points more", "trained", [0.06, 0.2, 0.2]),
        )
        shown = str(claims.table(there)).splitlines()
        assert [line[0] for line in shown] == ["✗", "✓"]
        assert "measured 0.05, 0.2, 0.2; at least 0.1 for every seed; camvid" in shown[0]
        assert "on camvid</caption>" in claims.table(there)._repr_html_()

    def test_a_claim_that_was_not_measured_there_says_so(self, begin):
        begin()
        claims.trained("It gains", GAINS, at_least=0.1)
        (row,) = str(claims.table(self.record())).splitlines()
        assert row == "– It gains [trained: not measured]"

    def test_what_today_claims_of_that_data_set_itself_is_not_repeated(self, begin):
        begin()
        claims.trained("It gains there", GAINS, at_least=0, recorded=self.record())
        assert claims.table(self.record()).claims == ()


def test_a_question_finds_the_claims_that_settle_it(begin):
    begin("smoke")
    claims.trained("FCN-8s has ≥ 12 points more", GAINS, at_least=12)
    claims.deterministic("The ratio is over two", 2.5, at_least=2)
    found = claims.asserted("the-ratio-is-over-two", "FCN-8s has ≥ 15 points more")
    assert [(claim.sentence, claim.state) for claim in found] == [
        ("The ratio is over two", "holds"),
        ("FCN-8s has ≥ 12 points more", claims.UNCHECKED),
    ]


def test_a_claim_that_is_not_made_yet_settles_nothing(begin):
    begin("smoke")
    claims.deterministic("The ratio is over two", 2.5, at_least=2)
    with pytest.raises(ValueError, match="nothing before this cell claims 'The ratio is over'; near it: the-ratio-is-"):
        claims.asserted("The ratio is over")
