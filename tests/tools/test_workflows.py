"""The workflows can't be abused, their jobs end, their commands exist, and nothing is published that is not tested."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from tools import stamp

WORKFLOWS = sorted((stamp.ROOT / ".github/workflows").glob("*.yml"))
TESTS = "./.github/workflows/tests.yml"


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def text(request):
    return request.param.read_text(encoding="utf-8")


def weaknesses(folder: Path) -> str:
    """What zizmor says against the workflows of a folder; nothing when it finds nothing."""
    command = [Path(sysconfig.get_path("scripts"), "zizmor"), "--offline", "--quiet", "--color=never"]
    done = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
    assert done.returncode in (0, *range(10, 15)), done.stderr  # from 10 on it says how bad the worst finding is
    return done.stdout if done.returncode else ""


def test_nothing_can_be_abused():
    assert weaknesses(stamp.ROOT / ".github") == ""


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (r"checkout@[0-9a-f]{40} # v[\d.]+", "checkout@v5", "unpinned-uses"),
        (r" +with:\n +persist-credentials: false\n", "", "artipacked"),
        ("permissions:\n  contents: read", "permissions: write-all", "excessive-permissions"),
        ("make links", "echo ${{ github.head_ref }}", "template-injection"),
    ],
)
def test_a_planted_weakness_is_seen(tmp_path, old, new, finding):
    shutil.copytree(stamp.ROOT / ".github", tmp_path / ".github")
    path = tmp_path / ".github/workflows/weekly.yml"
    workflow = path.read_text(encoding="utf-8")
    changed = re.sub(old, new, workflow, count=1)
    assert changed != workflow
    path.write_text(changed, encoding="utf-8")
    assert f"[{finding}]" in weaknesses(tmp_path)


def test_one_action_has_one_hash():
    pins = {}
    for path in WORKFLOWS:
        for name, pin in re.findall(r"uses: *([\w./-]+)@(.+)", path.read_text(encoding="utf-8")):
            pins.setdefault(name, set()).add(pin)
    assert {name: pinned for name, pinned in pins.items() if len(pinned) > 1} == {}


def test_jobs_end(text):
    jobs = yaml.safe_load(text)["jobs"].values()
    assert all(job.get("uses") == TESTS or job["timeout-minutes"] <= 120 for job in jobs)


def test_commands_exist(text):
    targets = set(re.findall(r"^([\w-]+):", (stamp.ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"(?:make|\.ci/run) ([a-z-]+)", text)) <= targets


def test_nothing_is_published_that_is_not_tested(text):
    """A job that may write anything but issues waits, by way of others perhaps, for the tests."""
    jobs = yaml.safe_load(text)["jobs"]

    def waits_for_tests(job: dict) -> bool:
        needed = job.get("needs", [])
        needed = [jobs[name] for name in ([needed] if isinstance(needed, str) else needed)]
        return any(other.get("uses") == TESTS or waits_for_tests(other) for other in needed)

    for name, job in jobs.items():
        rights = {right for right, degree in job.get("permissions", {}).items() if degree == "write"}
        assert rights <= {"issues"} or waits_for_tests(job), f"{name} publishes before the tests have passed"
    assert set(yaml.safe_load(Path(stamp.ROOT, TESTS).read_text(encoding="utf-8"))["jobs"]) >= {"linux", "rehearse"}
