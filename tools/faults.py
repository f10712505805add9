"""The table of faults in docs/robustness.md, from the marks on the tests: `make faults` writes it.

A test that tries a fault is marked `@pytest.mark.survives("Disk full, read-only, over quota")`; what then happens is
said once, in tests/tools/faults.py. `--check` only compares, and exits with 1 when the table is another.
"""

import contextlib
import io
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest

from tests.tools.faults import OUTCOMES
from tools import stamp

DOCUMENT = stamp.ROOT / "docs/robustness.md"
HEAD = "| Fault | What happens | Cases | Tests |\n|---|---|--:|---|\n"


class Collector:
    """A pytest plugin that counts the cases of each fault once they are collected."""

    def __init__(self) -> None:
        self.cases: dict[str, Counter[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.cases = count(session.items)


def count(items: Iterable[pytest.Item]) -> dict[str, Counter[str]]:
    """How many cases each fault has in each test file."""
    cases: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        for fault in {mark.args[0] for mark in item.iter_markers("survives")}:
            cases[fault][item.path.relative_to(stamp.ROOT / "tests").as_posix()] += 1
    return cases


def collect() -> dict[str, Counter[str]]:
    """`count` over all tests. SystemExit where they can't be collected."""
    files = [path for path in (stamp.ROOT / "tests").rglob("test_*.py") if "mark.survives(" in path.read_text("utf-8")]
    collector, output = Collector(), io.StringIO()
    with contextlib.redirect_stdout(output):
        status = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *map(str, files)], [collector])
    if status != pytest.ExitCode.OK:
        raise SystemExit(output.getvalue())
    return collector.cases


def table(cases: dict[str, Counter[str]]) -> str:
    """The table in Markdown, a row for each fault of OUTCOMES. ValueError where marks and OUTCOMES differ."""
    if strays := set(cases) ^ set(OUTCOMES):
        raise ValueError(f"marked without an outcome in tests/tools/faults.py, or the reverse: {sorted(strays)}")
    rows = (
        f"| {fault} | {outcome} | {cases[fault].total()} | {', '.join(sorted(cases[fault]))} |"
        for fault, outcome in OUTCOMES.items()
    )
    return HEAD + "\n".join(rows) + "\n"


def renewed(text: str, rows: str) -> str:
    """The document's text with `rows` for its table."""
    before, head, rest = text.partition(HEAD)
    if not head:
        raise ValueError(f"{DOCUMENT.name} has no table that begins {HEAD.splitlines()[0]!r}")
    return before + rows + rest[rest.index("\n\n") + 1 :]


def main(arguments: list[str]) -> int:
    text = DOCUMENT.read_text(encoding="utf-8")
    new = renewed(text, table(collect()))
    if new == text:
        return 0
    if "--check" in arguments:
        print("docs/robustness.md is not what the tests hold; `make faults` writes it anew", file=sys.stderr)
        return 1
    DOCUMENT.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
