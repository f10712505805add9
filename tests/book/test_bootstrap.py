"""The chapters' first cell: it fetches the book of its own version, and leaves alone what is there."""

import json
import os
import subprocess
import sys

import pytest
from book import bootstrap, repository

import pixelwise

# Runs the cell as a notebook would, in a process whose Python cannot see this checkout, and whose pip only takes notes.
HOST = """
import importlib.util, json, os, sys
from IPython.core.interactiveshell import InteractiveShell
sys.path[:] = [path for path in sys.path if not os.path.exists(os.path.join(path, "pixelwise"))]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
assert importlib.util.find_spec("pixelwise") is None
sys.executable = os.environ["STAND_IN"]
shell = InteractiveShell.instance()
for cell in json.loads(sys.argv[1]):
    result = shell.run_cell(cell)
    result.raise_error()
"""
PUBLISHED, NEWEST = "published = True", "published = False"


def git(folder, *arguments):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A notebook's host: `run(cells…)` executes them in one kernel, and returns what they print."""
    origin = tmp_path / "origin"
    module = origin / "code/pixelwise/__init__.py"
    module.parent.mkdir(parents=True)
    git(origin, "init")
    for text in (PUBLISHED, NEWEST):
        module.write_text(text)
        git(origin, "add", ".")
        git(origin, "commit", "-m", text)
    pip = tmp_path / "python"
    pip.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/pip.log\n')
    pip.chmod(0o755)
    for folder in ("home", "elsewhere"):
        (tmp_path / folder).mkdir()
    monkeypatch.delenv("PYTHONPATH", raising=False)
    for name, value in {
        "HOME": str(tmp_path / "home"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "STAND_IN": str(pip),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{origin.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": repository.address(),
    }.items():
        monkeypatch.setenv(name, value)

    def run(*cells):
        command = [sys.executable, "-c", HOST, json.dumps(cells)]
        done = subprocess.run(command, cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert list((tmp_path / "elsewhere").iterdir()) == []
        return done.stdout

    run.origin, run.home, run.pip = origin, tmp_path / "home", tmp_path / "pip.log"
    return run


SHOW = "import pixelwise; print(pixelwise.published)"


def test_the_published_version_is_fetched(host):
    git(host.origin, "tag", f"v{pixelwise.__version__}", "HEAD~1")
    assert host(bootstrap.cell(), SHOW) == "True\n"


def test_before_it_is_published_the_newest_state_is(host):
    assert host(bootstrap.cell(), SHOW) == "False\n"


def test_another_version_has_a_folder_of_its_own(host):
    host(bootstrap.cell())
    git(host.origin, "tag", "v9.0", "HEAD~1")
    assert host(bootstrap.cell(version="9.0"), SHOW) == "True\n"
    assert len(list(host.home.iterdir())) == 2


def test_again_it_changes_nothing(host):
    host(bootstrap.cell())
    mine = next(host.home.iterdir()) / "mine.txt"
    mine.touch()
    away = "import os; os.chdir('/')"
    assert host(bootstrap.cell(), away, bootstrap.cell(), SHOW) == "False\n"  # a new kernel, then the cell twice
    assert mine.exists()


def test_only_small_packages_are_asked_for_and_nothing_is_upgraded(host):
    host(bootstrap.cell(), bootstrap.cell())
    assert host.pip.read_text() == "-m pip install --quiet anywidget pooch safetensors\n"


def test_where_the_library_is_nothing_happens(host):
    found = (
        "import sys, types, importlib.machinery as m; p = sys.modules['pixelwise'] = types.ModuleType('pixelwise'); "
    )
    found += "p.__spec__ = m.ModuleSpec('pixelwise', None)"
    host(found, bootstrap.cell())
    assert list(host.home.iterdir()) == []
    assert not host.pip.exists()


def test_no_network_says_so(host, tmp_path):
    os.rename(host.origin, tmp_path / "gone")
    with pytest.raises(AssertionError, match=r"(?s)fatal: .*ModuleNotFoundError: No module named 'pixelwise'"):
        host(bootstrap.cell(), SHOW)
