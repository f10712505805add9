"""A build is whole or absent: interrupted, on a full disk, beside another one, after any change of its sources."""

import contextlib
import functools
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from book import build
from tests.helpers import warm
from tests.helpers.notebooks import save, sound_notebook, write_book
from tools import stamp

pytestmark = pytest.mark.slow
TOC = "format: jb-book\nroot: index\nchapters:\n  - file: chapter\n  - file: other\n"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


def start(source: Path, output: Path, environment=None) -> subprocess.Popen:
    """A build in a fresh process, as `make book` begins one."""
    command = [sys.executable, "-m", "book.build", "--source", str(source), "--output", str(output)]
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=stamp.ROOT, env=os.environ | (environment or {}), **given)


def finish(process: subprocess.Popen | warm.Process) -> tuple[int, str]:
    """The status of a build, and what it said of its failure."""
    said = process.communicate()[1]
    return process.returncode, said


def files(folder: Path) -> dict[str, bytes]:
    """Every file in a folder, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def differences(folder: Path, expected: dict[str, bytes]) -> list[str]:
    """The files of a folder that are missing, too many or other than expected."""
    found = files(folder)
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A book of three pages with the book's own settings."""
    folder = tmp_path_factory.mktemp("sources")
    write_book(folder, TOC, "# Contents\n\nTo the [chapter](chapter.ipynb).\n")
    (folder / "other.md").write_text("# Another page\n\nNothing else.\n")
    notebook = sound_notebook()
    del notebook["metadata"]["pixelwise"]
    save(notebook, folder / "chapter.ipynb")
    return folder


@pytest.fixture(scope="module")
def whole(sources, tmp_path_factory):
    """Whole sites of these sources and of a copy with another title, each built from nothing: folder, bytes."""
    sites = []
    for number in range(2):
        folder = tmp_path_factory.mktemp(f"book-{number}")
        source = shutil.copytree(sources, folder / "source", symlinks=True)
        if number:
            (source / "other.md").write_text("# A page of another title\n\nNothing else.\n")
        assert finish(warm.build(source, folder / "html")) == (0, "")
        sites.append((folder, files(folder / "html")))
    return sites


@pytest.fixture
def book(whole, tmp_path):
    """A site as it was built, and its sources with a title changed since, which is on every page."""
    (folder, _), (changed, _) = whole
    shutil.copytree(folder / "html", tmp_path / "html")
    shutil.copytree(changed / "source", tmp_path / "source", symlinks=True)
    return tmp_path


def test_a_build_depends_on_its_sources_alone(whole, sources, tmp_path):
    (_, expected), _ = whole
    elsewhere = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}
    assert finish(start(sources, tmp_path / "other/folder", environment=elsewhere)) == (0, "")
    assert differences(tmp_path / "other/folder", expected) == []


@pytest.mark.survives("A build interrupted, two at once, a full disk, a warning")
@pytest.mark.parametrize("number", SIGNALS)
def test_interrupted_it_leaves_the_last_whole_site_and_the_next_one_is_complete(book, whole, number):
    (_, before), (_, after) = whole
    last = before
    for begin, longest in ((start, 2), (warm.build, 0.5)):  # it mostly imports, it has imported
        process = begin(book / "source", book / "html")
        with contextlib.suppress(StopIteration):
            next(folder for folder in watch(book, process) if folder)  # it has begun
            time.sleep(random.Random(f"{longest} {number}").uniform(0, longest))
        process.send_signal(number)
        status, _ = finish(process)
        if differences(book / "html", after) == []:  # the signal came when the new site was in place
            last = after
        assert status != 0 or last is after
        assert differences(book / "html", last) == []
    assert finish(warm.build(book / "source", book / "html")) == (0, "")
    assert differences(book / "html", after) == []
    assert sorted(path.name for path in book.iterdir()) == ["html", "source"]


def watch(folder: Path, process: subprocess.Popen | warm.Process):
    """What a build has in its own folder beside the site, looked at again and again until it ends."""
    while process.poll() is None:
        yield list(folder.glob(f"{build.LOCKED}*"))
        time.sleep(0.01)


@pytest.mark.survives("A build interrupted, two at once, a full disk, a warning")
def test_killed_while_it_is_put_into_place_a_site_is_there(tmp_path):
    """Folders are swapped at once: whoever looks sees one or the other, and never none."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    missing, over = [], threading.Event()

    def look():
        while not over.is_set():
            if not (tmp_path / "one/index.html").is_file():
                missing.append(True)

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(3001):
        build.exchange(tmp_path / "two", tmp_path / "one")
    over.set()
    reader.join()
    assert (tmp_path / "one/index.html").read_text() == "two"
    assert missing == []


@pytest.mark.survives("A build interrupted, two at once, a full disk, a warning")
def test_where_folders_cannot_be_swapped_at_once_they_are_in_two_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(build.sys, "platform", "another")
    for name in ("new", "site"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    build.exchange(tmp_path / "new", tmp_path / "site")
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["new"]
    shutil.rmtree(tmp_path / "old")
    with pytest.raises(FileNotFoundError):
        build.exchange(tmp_path / "new", tmp_path / "site")
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["new"], "a failure took the site away"


@pytest.mark.survives("A build interrupted, two at once, a full disk, a warning")
@pytest.mark.parametrize("limit", [200, 5_000, 50_000])
def test_a_full_disk_leaves_the_last_site_and_says_one_line(book, whole, limit):
    (_, before), _ = whole
    fill_up = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
    status, said = finish(warm.build(book / "source", book / "html", first=fill_up))
    assert status == 1
    assert len(said.splitlines()) == 1, said
    assert "[Errno" in said
    assert differences(book / "html", before) == []
    assert sorted(path.name for path in book.iterdir()) == ["html", "source"]


@pytest.mark.survives("A build interrupted, two at once, a full disk, a warning")
def test_a_warning_is_told_and_leaves_the_last_site(book, whole):
    (_, before), _ = whole
    (book / "source/other.md").write_text("# Another page\n\nTo [nowhere](nowhere.md).\n")
    status, said = finish(warm.build(book / "source", book / "html"))
    assert status == 1
    assert "nowhere.md" in said
    assert differences(book / "html", before) == []


@pytest.mark.survives("Contents changed between builds")
def test_after_a_change_of_the_contents_it_is_what_a_build_from_nothing_gives(book, tmp_path):
    (book / "source/_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: chapter\n")
    (book / "source/other.md").unlink()
    for output in (book / "html", tmp_path / "clean"):
        assert finish(warm.build(book / "source", output)) == (0, "")
    assert "other.html" not in files(book / "html")
    assert differences(book / "html", files(tmp_path / "clean")) == []


@pytest.mark.survives("A build interrupted, two at once, a full disk, a warning")
def test_two_builds_at_once_do_not_harm_each_other(book, whole):
    _, (_, after) = whole
    both = [warm.build(book / "source", book / "html") for _ in range(2)]
    assert [finish(process) for process in both] == [(0, ""), (0, "")]
    assert differences(book / "html", after) == []
    assert sorted(path.name for path in book.iterdir()) == ["html", "source"]


@pytest.mark.survives("An output folder that no build made")
def test_a_folder_that_no_build_made_is_left_alone(sources, tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    status, said = finish(start(sources, tmp_path))
    assert status == 1
    assert said == (
        f"The book was not built: {tmp_path} is no earlier build, and a build replaces its folder; "
        "name another or remove it\n"
    )
    assert files(tmp_path) == {"thesis.tex": b"years"}
