"""What README.md says of the tests and commands is so."""

import ast
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


def test_dependencies_point_one_way():
    """Each part of the library imports only parts that stand right of it, or beside it, in README.md's line."""
    (line,) = re.findall(r"^chapters  →  (.*)$", TEXT, re.M)
    layers = [re.findall(r"\w+", layer) for layer in line.split("→")]
    height = {part: -i for i, layer in enumerate(layers) for part in layer}
    library = stamp.LIBRARY / "pixelwise"
    parts = {path.stem for path in library.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    below = parts - set(height) - {"__init__", "predict"}
    height |= {part: -len(layers) for part in below}
    checked = 0
    for path in library.rglob("*.py"):
        part, *inner = path.relative_to(library).with_suffix("").parts
        if part not in height or (part, inner) == ("training", ["command"]):
            continue
        for imported in imports(path, depth=len(inner)):
            checked += 1
            assert height[imported] <= height[part], f"{part} imports {imported} ({path})"
    assert checked > 50


def imports(path, depth):
    """The parts of the library that a file `depth` folders below it imports: "models" for pixelwise.models.unet."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        own, _, module = (node.module or "").partition(".")
        if node.level == 0 and own == "pixelwise":
            yield from [module.partition(".")[0]] if module else [name.name for name in node.names]
        elif node.level == depth + 1:
            yield from [own] if own else [name.name for name in node.names]
