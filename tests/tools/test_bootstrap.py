"""The chapters' first cell: it fetches what it says and says what it fetched, and leaves alone what is there."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

import pixelwise
from tools import bootstrap, repository

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
MAIN, TAG = bootstrap.cell(version="main"), "v1.0"


def git(folder, *arguments):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


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
    home, elsewhere = tmp_path / 'a reader\'s "home"; $(exit)', tmp_path / "elsewhere"
    for folder in (home, elsewhere):
        folder.mkdir()
    monkeypatch.delenv("PYTHONPATH", raising=False)
    for name, value in {
        "HOME": str(home),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "STAND_IN": str(pip),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{origin.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": repository.address(),
    }.items():
        monkeypatch.setenv(name, value)

    def run(*cells):
        command = [sys.executable, "-c", HOST, json.dumps(cells)]
        done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert list(elsewhere.iterdir()) == []
        return done.stdout

    run.origin, run.home, run.pip = origin, home, tmp_path / "pip.log"
    run.kept = home / ".cache/pixelwise"
    return run


SHOW = "import pixelwise; print(pixelwise.published)"


def release(host):
    """Publish the older of the two states as a release, and return its cell."""
    git(host.origin, "tag", TAG, "HEAD~1")
    return bootstrap.cell(version=TAG, code=git(host.origin, "rev-parse", f"{TAG}:code"))


@pytest.mark.survives("In Colab: no network, a moved or missing tag, half a clone, blanks in HOME")
def test_a_release_is_fetched_and_named(host):
    said, shown = host(release(host), SHOW).splitlines()
    commit = git(host.origin, "log", "-1", "--format=%h of %cs", TAG)
    assert said == f"Pixelwise v1.0, commit {commit}, from {repository.address()} in {host.kept / TAG}"
    assert shown == "True"


@pytest.mark.survives("In Colab: no network, a moved or missing tag, half a clone, blanks in HOME")
def test_before_one_the_newest_state_is_and_the_reader_is_told(host):
    said, shown = host(MAIN, SHOW).splitlines()
    commit = git(host.origin, "log", "-1", "--format=%h of %cs")
    assert said.startswith(f"Pixelwise main (not a release), commit {commit}, from {repository.address()} in ")
    assert shown == "False"


def test_a_release_has_a_folder_of_its_own(host):
    host(MAIN)
    assert host(release(host), SHOW).endswith("\nTrue\n")
    assert {path.name for path in host.kept.iterdir()} == {"main", TAG}


def test_again_it_changes_nothing(host):
    host(MAIN)
    mine = host.kept / "main/mine.txt"
    mine.touch()
    away = "import os; os.chdir('/')"
    assert host(MAIN, away, MAIN, SHOW).endswith("\nFalse\n")  # a new kernel, then the cell twice
    assert mine.exists()


@pytest.mark.survives("In Colab: no network, a moved or missing tag, half a clone, blanks in HOME")
@pytest.mark.parametrize("left", [".git/config", "code/pixelwise/ops/__init__.py"])
def test_what_an_interrupted_clone_left_is_replaced(host, left):
    (host.kept / "main" / left).parent.mkdir(parents=True)
    (host.kept / "main" / left).touch()
    assert host(MAIN, SHOW).endswith("\nFalse\n")
    assert [path.name for path in host.kept.iterdir()] == ["main"]


def test_a_folder_of_that_name_elsewhere_is_left_alone(host):
    theirs = host.home / f"pixelwise-v{pixelwise.__version__}" / "notes.txt"
    theirs.parent.mkdir()
    theirs.write_text("mine")
    host(MAIN)
    assert theirs.read_text() == "mine"


def refused(host, cell):
    """What the cell says when it fails; it must then not have fetched anything that Python finds."""
    with pytest.raises(AssertionError) as failed:
        host(cell, SHOW)
    return re.search(r"RuntimeError: (.*)", re.sub(r"\x1b\[[\d;]*m", "", str(failed.value)))[1]


@pytest.mark.survives("In Colab: no network, a moved or missing tag, half a clone, blanks in HOME")
def test_a_tag_that_is_missing_is_no_reason_to_take_something_else(host):
    said = refused(host, bootstrap.cell(version=TAG, code="0" * 40))
    assert "fatal: Remote branch v1.0 not found in upstream origin" in said
    assert not host.pip.exists()
    assert list(host.kept.iterdir()) == []


@pytest.mark.survives("In Colab: no network, a moved or missing tag, half a clone, blanks in HOME")
def test_a_tag_that_was_moved_is_refused(host):
    cell = release(host)
    expected = git(host.origin, "rev-parse", f"{TAG}:code")
    git(host.origin, "tag", "--force", TAG, "HEAD")
    found = git(host.origin, "rev-parse", f"{TAG}:code")
    for _ in range(2):
        said = refused(host, cell)
        assert f" is not v1.0: code/ is {found}, not {expected}; delete it, try again" in said
    assert not host.pip.exists()
    git(host.origin, "tag", "--force", TAG, "HEAD~1")
    shutil.rmtree(host.kept / TAG)
    assert host(cell, SHOW).endswith("\nTrue\n")


@pytest.mark.survives("In Colab: no network, a moved or missing tag, half a clone, blanks in HOME")
def test_no_network_says_so(host, tmp_path):
    os.rename(host.origin, tmp_path / "gone")
    said = refused(host, MAIN)
    assert "fatal: " in said
    assert said.endswith("(Is there a network? In Kaggle, switch Internet on.)")


def test_only_small_packages_are_asked_for_and_nothing_is_upgraded(host):
    host(MAIN, MAIN)
    assert host.pip.read_text() == "-m pip install --quiet anywidget lazy_loader>=0.6 pooch safetensors\n"


@pytest.mark.survives("In Colab: no network, a moved or missing tag, half a clone, blanks in HOME")
def test_packages_that_cannot_be_had_are_named(host, tmp_path):
    (tmp_path / "python").write_text("#!/bin/sh\necho 'ERROR: No matching distribution found for pooch' >&2; exit 1\n")
    assert "ERROR: No matching distribution found for pooch (Is there a network?" in refused(host, MAIN)


def test_where_the_library_is_nothing_happens(host):
    found = (
        "import sys, types, importlib.machinery as m; p = sys.modules['pixelwise'] = types.ModuleType('pixelwise'); "
    )
    found += "p.__spec__ = m.ModuleSpec('pixelwise', None)"
    assert host(found, MAIN) == ""
    assert list(host.home.iterdir()) == []
    assert not host.pip.exists()


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A repository with a library in it, and what was noted of its last release."""
    (tmp_path / "code/pixelwise").mkdir(parents=True)
    (tmp_path / "code/pixelwise/__init__.py").write_text(PUBLISHED)
    (tmp_path / "tools").mkdir()
    noted = tmp_path / "tools/release.yml"
    noted.write_text('# What this is.\nversion: ""\ncode: ""\n')
    monkeypatch.setattr(bootstrap, "RELEASE", noted)
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "The book")
    return tmp_path


def test_a_release_is_noted_by_what_its_commit_will_hold(book, monkeypatch):
    assert bootstrap.release() == ("main", "")
    assert bootstrap.write_release(book) == pixelwise.__version__
    assert bootstrap.RELEASE.read_text().startswith("# What this is.\nversion: ")
    tag, code = bootstrap.release()
    git(book, "commit", "--all", "-m", "Release")
    git(book, "tag", tag)
    assert git(book, "rev-parse", f"{tag}:code") == code
    assert f'version = "v{pixelwise.__version__}"\n    code = "{code}"' in bootstrap.cell()
    monkeypatch.setattr(pixelwise, "__version__", "99.0")  # work on the next one has begun
    assert bootstrap.release() == ("main", "")


def test_only_what_is_committed_can_be_released(book):
    (book / "code/pixelwise/new.py").touch()
    with pytest.raises(SystemExit, match=r"(?s)commit code/ first.*new\.py"):
        bootstrap.write_release(book)


def test_a_version_is_released_once(book):
    git(book, "tag", f"v{pixelwise.__version__}")
    bootstrap.write_release(book)  # the same library once more is the same release
    (book / "code/pixelwise/__init__.py").write_text(NEWEST)
    git(book, "commit", "--all", "-m", "More")
    with pytest.raises(SystemExit, match="published with another code/; raise the version"):
        bootstrap.write_release(book)
