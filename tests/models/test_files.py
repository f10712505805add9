"""A model file is short, and stands on blocks and operations alone."""

import ast
from pathlib import Path

import pytest

from pixelwise import models

FOLDER = Path(models.__file__).parent
SHARED = ("__init__", "blocks", "papers", "pretrained")
OTHERS = {
    "compact": "deeplab",
    "deeplab_vgg": "vgg",
    "mix_transformer": "efficientnet",
    "pyramid": "deeplab",
    "segformer": "mix_transformer",
    "senet": "resnet",
}
"""Files that are made of another's parts, or change another's network, and say so."""
FILES = [path for path in sorted(FOLDER.glob("*.py")) if path.stem not in SHARED]


def lines_of_code(source: str) -> int:
    """Lines that are neither blank nor comment nor docstring."""
    prose = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose.update(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(source.splitlines(), start=1)
    return sum(bool(line.strip()) and not line.strip().startswith("#") for n, line in lines if n not in prose)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_file_has_at_most_150_lines_of_code(path):
    assert lines_of_code(path.read_text(encoding="utf-8")) <= 150


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_file_imports_only_blocks_and_operations(path):
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    imported = {(node.level, node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    allowed = {(1, "blocks"), (2, "ops")}
    if path.stem in OTHERS:
        allowed.add((1, OTHERS[path.stem]))
    assert {(level, module) for level, module in imported if level} <= allowed
    assert not any(module.startswith("pixelwise") for level, module in imported if not level)
