"""Packages whose modules are imported on first use, by the stub that lists their names."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from pixelwise import analysis, models, ops
from tools import stamp

PACKAGES = (analysis, models, ops)
# Too short for the package, the name of a module there, or a part that no other network has.
OWN_MODULE_ONLY = {"TABLE", "efficientnet", "stack", "crop", "PreactivationBlock"}
LOADED = """
import json, sys
for code in sys.argv[1:]:
    exec(code, {})
    library = sorted(name for name in sys.modules if name.partition(".")[0] == "pixelwise")
    print(json.dumps(library[1:]))
    for name in library:
        del sys.modules[name]
"""


def loaded(*codes):
    """The modules of the library that each code imports, one after another in a fresh interpreter.

    Between them it forgets the library, and not PyTorch, which takes seconds.
    """
    ran = subprocess.run([sys.executable, "-c", LOADED, *codes], capture_output=True, text=True, check=True)
    return [set(json.loads(line)) for line in ran.stdout.splitlines()]


def stub(package):
    """What a package's stub lists: the module of each name, and the modules that are names themselves."""
    tree = ast.parse(Path(package.__file__).with_suffix(".pyi").read_text(encoding="ascii"))
    imports = [(node.module, alias) for node in tree.body for alias in node.names]
    assert all(alias.name == alias.asname for _, alias in imports), "without `as` type checkers take a name for private"
    return {alias.name: module for module, alias in imports if module}, {a.name for module, a in imports if not module}


def test_a_network_brings_only_its_own_file_and_the_blocks():
    unet = {f"pixelwise.models{part}" for part in ("", ".unet", ".blocks")}
    expected = {
        "from pixelwise import models": {"pixelwise.models"},
        "from pixelwise.models import UNet": unet,
        "from pixelwise import models; models.UNet; models.unet; dir(models)": unet,
        "from pixelwise import models; models.fcn8s": {"pixelwise.models", "pixelwise.models.papers"},
    }
    assert loaded(*expected) == list(expected.values())


def test_torch_comes_with_the_first_network():
    code = "import sys; from pixelwise import analysis, explorables, models, ops; assert 'torch' not in sys.modules"
    assert loaded(f"{code}; models.UNet; assert 'torch' in sys.modules")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_stub_and_modules_agree(package):
    names, modules = stub(package)
    assert set(package.__all__) == set(dir(package)) == set(names) | modules
    for name, module in names.items():
        listed = getattr(package, name)
        assert listed.__name__ == name
        assert listed.__module__ == f"{package.__name__}.{module}"
    for name in modules:
        assert getattr(package, name) is importlib.import_module(f"{package.__name__}.{name}")


def test_a_function_is_not_hidden_by_the_module_of_its_name():
    names = [
        *[("ops", "convolutionalize"), ("ops", "pixel_shuffle"), ("analysis", "receptive_field")],
        *[("models", "googlenet"), ("models", "patchnet"), ("zoo", "pretrained"), ("models", "unet")],
    ]
    codes = [
        f"import pixelwise.{package}.{name}\nfrom pixelwise import {package}\nassert {package}.{name}.__code__"
        for package, name in names
    ]
    for (package, name), modules in zip(names, loaded(*codes), strict=True):
        assert f"pixelwise.{package}.{name}" in modules


@pytest.mark.parametrize("path", stamp.notebooks(), ids=lambda path: path.stem)
def test_what_a_chapter_imports_from_a_module_its_package_has_too(path):
    cells = [stamp.source(cell) for cell in stamp.code_cells(nbformat.read(path, as_version=4))[1:]]
    nodes = [node for cell in cells if "pixelwise." in cell for node in ast.walk(ast.parse(cell))]
    public = {package.__name__: set(package.__all__) for package in PACKAGES}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (package := (node.module or "").rpartition(".")[0]) in public:
            assert {alias.name for alias in node.names} <= public[package] | OWN_MODULE_ONLY
