"""The library works alone: built as a source archive, from that as a wheel, installed where no checkout is in sight."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest
from PIL import Image

from pixelwise.zoo import weights
from tools import rehearse, stamp

pytestmark = pytest.mark.slow

# Python as it is with nothing installed (-I -S: no site-packages, whose .pth files would lead to the checkout, and no
# PYTHONPATH), the wheel's folder, and then the other packages. What it opens is written down at the end.
START = """
import atexit, json, os, sys
opened, paths = set(), json.loads(sys.argv.pop(1))
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.add(os.path.realpath(arguments[0]))
sys.addaudithook(note)
sys.path += paths
def tell():
    with open("opened.json", "w") as file:
        json.dump(sorted(opened), file)
atexit.register(tell)
"""
LIBRARY = """
import importlib, pkgutil
import pixelwise
from pixelwise import data
from pixelwise.explorables import sources
from pixelwise.notebook import course
from pixelwise.zoo import weights

for module in pkgutil.walk_packages(pixelwise.__path__, "pixelwise."):
    importlib.import_module(module.name)
images, masks = data.load("streets", "val", (48, 64), count=2)
print(tuple(images.shape), tuple(masks.shape))
print(min(len(sources.source(name)) for name in sources.names()) > 0)
print(weights.load(weights.DEFAULT)[1].dataset)
try:
    course.results("fcn", "streets")
except FileNotFoundError as error:
    print(error)
"""
SCRIPT = """
import runpy
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """What `python -m build` makes, in a copy of the tree, without its isolation: an archive, and a wheel from that."""
    tree, built = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("built")
    rehearse.copy_tree(tree)
    command = f"from setuptools import build_meta; print(build_meta.build_sdist({str(built)!r}))"
    subprocess.run([sys.executable, "-c", command], cwd=tree, check=True, capture_output=True)
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(built, filter="data")
    source = built / archive.name.removesuffix(".tar.gz")
    pip(["wheel", "--no-build-isolation", "--wheel-dir", built, source], cwd=built)
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """A folder that holds the wheel, installed, and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    pip(["install", "--target", folder, wheel], cwd=folder)
    return folder


def pip(arguments, cwd):
    command = [sys.executable, "-I", "-m", "pip", arguments[0], "--quiet", "--no-deps", "--no-index", *arguments[1:]]
    subprocess.run(command, cwd=cwd, check=True)


def run(site, folder, code, *arguments):
    """Run code in another folder, with the wheel's library; what it printed. It must open nothing of the checkout."""
    paths = json.dumps([str(site), *dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))])
    command = [sys.executable, "-I", "-S", "-c", START + code, paths, *map(str, arguments)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIXELWISE", "XDG"))}
    environment = clean | {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    opened = json.loads((folder / "opened.json").read_text())
    assert any(path.startswith(str(site.resolve() / "pixelwise")) for path in opened)
    outside = [name for name in os.listdir(stamp.ROOT) if name not in (".venv", "_build")]
    strange = tuple(str(stamp.ROOT / name) for name in outside)
    assert [path for path in opened if path.startswith(strange)] == []
    return done.stdout


def test_a_wheel_holds_the_whole_library_and_nothing_else(wheel):
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "pixelwise"],
        cwd=stamp.LIBRARY,
        check=True,
        capture_output=True,
        text=True,
    )
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    assert {name for name in names if ".dist-info/" not in name} == {
        name for name in tracked.stdout.split("\0") if name and (stamp.LIBRARY / name).is_file()
    }
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    for line in ("License-Expression: MIT", "Project-URL: Source, https://github.com/", "Requires-Dist: torch>="):
        assert f"\n{line}" in metadata


def test_it_is_imported_and_gives_data_without_a_checkout(site, tmp_path):
    shapes, alive, dataset, error = run(site, tmp_path, LIBRARY).splitlines()
    assert shapes == "(2, 3, 48, 64) (2, 48, 64)"
    assert (alive, dataset) == ("True", weights.load(weights.DEFAULT)[1].dataset)
    assert error.startswith("recorded results belong to the book, and this library was installed without it; clone")
    assert list(tmp_path.rglob("*.safetensors"))  # the cache, in the user's own folder


def test_its_command_labels_a_photograph(site, tmp_path):
    Image.effect_noise((120, 90), 60).convert("RGB").save(tmp_path / "photo.jpg")
    out = run(site, tmp_path, SCRIPT, site / "bin" / "pixelwise-predict", "photo.jpg")
    trained = weights.load(weights.DEFAULT)[1]
    assert f"{trained.network.model}, trained on {trained.dataset} at 180×240" in out
    with Image.open(tmp_path / "photo-mask.png") as mask:
        assert mask.size == (120, 90)
