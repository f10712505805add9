"""A module is read in one sitting, or it is two modules."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST = 350


def test_no_module_has_more_lines_than_one_reads_in_a_sitting():
    modules = [path for folder in ("code", "book", "tools") for path in (ROOT / folder).rglob("*.py")]
    assert len(modules) > 100
    lengths = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in modules}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
