"""What README.md, CONTRIBUTING.md and docs/robustness.md say of commands, tests and rooms is so."""

import re
import subprocess
import sys
from collections import Counter

import pytest
import yaml

import pixelwise
from tests.tools.faults import OUTCOMES
from tools import faults, stamp

pytestmark = pytest.mark.slow

README = (stamp.ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (stamp.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_table_of_faults_is_what_the_tests_hold(request: pytest.FixtureRequest) -> None:
    """By the tests of this run where these are all; to collect them once more takes as long as to import them all."""
    config = request.config
    if "tests" in config.args and not (config.option.keyword or config.option.markexpr):
        text = faults.DOCUMENT.read_text(encoding="utf-8")
        assert faults.renewed(text, faults.table(faults.count(request.session.items))) == text, "run `make faults`"
        return
    command = [sys.executable, "-m", "tools.faults", "--check"]
    done = subprocess.run(command, cwd=stamp.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_a_fault_without_an_outcome_is_named() -> None:
    cases = {fault: Counter({"test_a.py": 2}) for fault in OUTCOMES}
    assert "| 2 | test_a.py |" in faults.table(cases)
    with pytest.raises(ValueError, match="Fire in the disk"):
        faults.table(cases | {"Fire in the disk": Counter({"test_a.py": 1})})


def test_commands_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (stamp.ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"(?:`|^)make ([a-z][\w-]*)", README + CONTRIBUTING, re.M))
    assert named <= targets
    assert {"book", "test", "rehearse", "audit"} <= named


def test_the_version_is_said_once_more_and_alike() -> None:
    citation = yaml.safe_load((stamp.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == pixelwise.__version__, "CITATION.cff repeats pixelwise.__version__"


def test_each_room_of_the_library_has_its_line() -> None:
    rooms = {path.parent.name for path in (stamp.LIBRARY / "pixelwise").glob("*/__init__.py")}
    (arrows,) = re.findall(r"^(.*→.*)$", README, re.M)
    assert set(re.findall(r"\w+", arrows)) == rooms
    assert set(re.findall(r"^\| `(\w+)` \|", README, re.M)) == rooms
