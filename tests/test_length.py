"""A module is read in one sitting, or it is two modules."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST = 350


def test_no_module_has_more_lines_than_one_reads_in_a_sitting():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "code/*.py", "book/*.py", "tools/*.py"]
    files = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert len(files) > 100
    lengths = {file: len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in files}
    assert {file: length for file, length in lengths.items() if length > LONGEST} == {}
