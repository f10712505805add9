"""What README.md says of the tests and commands is so."""

import re
import subprocess
import sys

import pytest
from tools import stamp

TEXT = (stamp.ROOT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([^|]+) \| [^|]+ \| (\d+) \| ((?:[\w/]+\.py: [\w, ]+(?:; )?)+) \|$", re.M)
FAULTS = ROW.findall(TEXT)


def parts(tests):
    """(file, words) of a cell such as ``a.py: one, two; b.py: three``."""
    for part in tests.split("; "):
        file, _, words = part.partition(": ")
        yield f"tests/{file}::", words.split(", ")


@pytest.fixture(scope="module")
def collected():
    files = {start.removesuffix("::") for _, _, tests in FAULTS for start, _ in parts(tests)}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *sorted(files)]
    listed = subprocess.run(command, cwd=stamp.ROOT, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stdout[-2000:]
    return listed.stdout.splitlines()


def test_every_fault_of_the_table_has_its_cases(collected):
    assert len(FAULTS) >= 17
    for fault, cases, tests in FAULTS:
        found = 0
        for start, words in parts(tests):
            names = [line.removeprefix(start) for line in collected if line.startswith(start)]
            for word in words:
                assert any(word in name for name in names), f"{fault}: no test in {start} holds {word!r}"
            found += sum(any(word in name for word in words) for name in names)
        assert found >= int(cases), f"{fault}: README.md says {cases} cases, there are {found}"


def test_commands_exist():
    targets = set(re.findall(r"^([\w-]+):", (stamp.ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"(?:`|^)make ([a-z][\w-]*)", TEXT, re.M))
    assert named <= targets
    assert {"book", "test", "rehearse", "audit"} <= named
