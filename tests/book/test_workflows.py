"""The workflows: every action is pinned by its hash, nobody may do more than needed, every make target exists."""

import re

import pytest
import yaml
from tools import stamp

WORKFLOWS = sorted((stamp.ROOT / ".github/workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def text(request):
    return request.param.read_text(encoding="utf-8")


def test_actions_are_pinned_by_hash_and_say_their_version(text):
    uses = re.findall(r"uses: *(.+)", text)
    assert uses
    assert [line for line in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_one_action_has_one_hash():
    pins = {}
    for path in WORKFLOWS:
        for name, pin in re.findall(r"uses: *([\w./-]+)@(.+)", path.read_text(encoding="utf-8")):
            pins.setdefault(name, set()).add(pin)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


def test_rights_are_few_and_jobs_end(text):
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 120
        for step in job["steps"]:
            if "actions/checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_commands_exist(text):
    targets = set(re.findall(r"^([\w-]+):", (stamp.ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:make|\.ci/run) ([a-z-]+)", text)) <= targets
