"""The audit counts a fault as caught only when tests fail for the reason that it names."""

import json

import pytest

from book.extensions.claims import MIME
from tests.helpers.notebooks import save, sound_notebook
from tools import audit, planting, stamp

pytestmark = pytest.mark.slow

QUICK = ("tests/tools/test_repository.py",)
SPOIL = planting.replace("README.md", "github.com/pixelwise-book/", "github.com/somebody/")


@pytest.mark.parametrize(
    ("plant", "says", "outcome"),
    [
        (SPOIL, "run `make set-repository", "caught"),
        (SPOIL, "something else", "NOT CAUGHT: the tests fail, but do not say 'something else'"),
        (lambda root: None, "run `make set-repository", "NOT CAUGHT"),
        (
            planting.replace("README.md", "no such text", ""),
            "",
            "NOT PLANTED: README.md no longer holds 'no such text'",
        ),
    ],
    ids=["caught", "another failure", "no failure", "nowhere to plant"],
)
def test_outcome_of_a_fault(plant, says, outcome):
    assert audit.trial(audit.Fault("a foreign address", plant, QUICK, says))[0].startswith(outcome)


def test_a_fault_that_gets_through_fails_the_audit(capsys, monkeypatch):
    monkeypatch.setattr(audit, "unfit", list)
    assert audit.main((audit.Fault("nothing at all", lambda root: None, QUICK, ""),)) == 1
    assert "0 of 1 planted faults caught" in capsys.readouterr().out
    assert audit.main((audit.Fault("a foreign address", SPOIL, QUICK, "run `make set-repository"),)) == 0
    assert "1 of 1 planted faults caught" in capsys.readouterr().out


CLAIM = {"name": "chapter.gain", "kind": "trained", "sentence": "It gains", "state": "holds"}


class TestRelease:
    @pytest.fixture
    def chapter(self, tmp_path):
        """A chapter fit for a release; `chapter(change)` changes it, and returns what then keeps it from one."""
        (tmp_path / "chapters").mkdir()
        (tmp_path / "data/results").mkdir(parents=True)
        (tmp_path / "code/pixelwise").mkdir(parents=True)
        (tmp_path / "code/pixelwise/__init__.py").write_text("x = 1\n")

        def judge(change=lambda notebook: None):
            notebook = sound_notebook()
            claim = {"output_type": "display_data", "metadata": {}, "data": {MIME: dict(CLAIM)}}
            notebook["cells"][2]["outputs"].append(claim)
            library = {"pixelwise": stamp.hash_module("pixelwise", tmp_path / "code")}
            notebook["metadata"]["pixelwise"].update(budget="cpu", library=library)
            change(notebook)
            save(notebook, tmp_path / "chapters/chapter.ipynb")
            return audit.unfit(tmp_path / "chapters", tmp_path / "code")

        return judge

    def test_a_sound_chapter_is_fit(self, chapter):
        assert chapter() == []

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda n: n["metadata"]["pixelwise"].update(budget="smoke"), "recorded at the budget smoke"),
            (lambda n: n["metadata"]["pixelwise"].pop("outputs"), "no hash of the outputs"),
            (lambda n: n["metadata"]["pixelwise"].update(library={"pixelwise": "0"}), "before changes in pixelwise"),
            (
                lambda n: n["cells"][2]["outputs"][-1]["data"][MIME].update(state="not checked at this budget"),
                "the claim chapter.gain not checked at this budget",
            ),
        ],
    )
    def test_what_is_not_recorded_in_earnest_is_named(self, chapter, change, says):
        assert [says in fault for fault in chapter(change)] == [True]

    def test_results_of_one_seed_are_named(self, chapter, tmp_path):
        kept = {"budget": "cpu", "seeds": [0]}
        (tmp_path / "data/results/chapter-camvid.json").write_text(json.dumps(kept))
        assert chapter() == ["chapter-camvid.json: recorded at the budget cpu with 1 seeds"]
