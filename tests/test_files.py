"""A file that is being written is swept away by nobody, and a folder that is held belongs to one process."""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pixelwise import files

ROOT = Path(__file__).parents[1]

WRITE = """
import sys, time
from pathlib import Path
from pixelwise.files import atomic_write
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    sys.stdin.readline()
    temporary.write_text("all of it")
"""

HOLD = """
import sys, time
from pathlib import Path
from pixelwise.files import held
with held(Path(sys.argv[1])):
    print("holding", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def child():
    started = []

    def start(code, *arguments):
        environment = os.environ | {"PYTHONPATH": str(ROOT / "code")}
        command = [sys.executable, "-c", code, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        started.append(process)
        assert process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(params=["locks", "no locks"])
def locks(request, monkeypatch):
    """With the locks of the operating system, and as on a file system that has none."""
    if request.param == "no locks":
        monkeypatch.setattr(files, "_lock", lambda *_, **__: None)
    return request.param == "locks"


def set_clock(path, hours):
    now = path.stat().st_mtime
    os.utime(path, (now + 3600 * hours,) * 2)


class TestSweeping:
    @pytest.mark.survives("A clock that is ahead or behind")
    @pytest.mark.parametrize("hours", [-30, 0, 2])
    def test_a_file_that_is_being_written_stays_whatever_the_clocks_say(self, tmp_path, child, hours):
        path = tmp_path / "w"
        writer = child(WRITE, path)
        (temporary,) = tmp_path.iterdir()
        set_clock(temporary, hours)
        with files.atomic_write(path) as mine:
            mine.write_text("other")
        files.sweep(tmp_path, ".*")
        assert temporary.exists()
        writer.communicate("go on\n")
        assert path.read_text() == "all of it"
        assert [p.name for p in tmp_path.iterdir()] == ["w"]

    def test_what_a_killed_process_left_goes_at_once_however_new_it_is(self, tmp_path, child):
        writer = child(WRITE, tmp_path / "w")
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        (left,) = tmp_path.iterdir()
        set_clock(left, 2)
        with files.atomic_write(tmp_path / "w") as mine:
            mine.write_text("other")
        assert [p.name for p in tmp_path.iterdir()] == ["w"]

    @pytest.mark.survives("A clock that is ahead or behind")
    def test_without_locks_age_counts_by_the_clock_that_stamps_the_files(self, tmp_path, monkeypatch):
        monkeypatch.setattr(files, "_lock", lambda *_, **__: None)
        monkeypatch.setattr(time, "time", lambda: 4e9)  # this machine's clock is far ahead of the file server's
        old, young = tmp_path / ".old", tmp_path / ".young"
        for path in (old, young):
            path.write_text("half")
        set_clock(old, -2)
        files.sweep(tmp_path, ".*")
        assert [p.name for p in tmp_path.iterdir()] == [".young"]

    def test_folders_are_never_swept(self, tmp_path):
        (tmp_path / ".git").mkdir()
        files.sweep(tmp_path, ".*")
        assert (tmp_path / ".git").is_dir()


class TestHolding:
    @pytest.mark.survives("Two runs in one folder; a lock of a killed process")
    def test_the_second_is_told_who_holds_it(self, tmp_path, child, locks):
        holder = child(HOLD, tmp_path / "run")
        expected = f"is in use by process {holder.pid} on {socket.gethostname()}: wait for it, or choose another folder"
        with pytest.raises(files.Held, match=expected) as refused, files.held(tmp_path / "run"):
            pytest.fail("both hold it")
        assert "\n" not in str(refused.value)
        holder.communicate("done\n")
        with files.held(tmp_path / "run"):
            assert os.listdir(tmp_path / "run") == [files.LOCK]
        assert os.listdir(tmp_path / "run") == []

    @pytest.mark.survives("Two runs in one folder; a lock of a killed process")
    def test_a_killed_process_holds_nothing(self, tmp_path, child, locks):
        holder = child(HOLD, tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert (tmp_path / files.LOCK).read_text().startswith(str(holder.pid))
        with files.held(tmp_path):
            assert (tmp_path / files.LOCK).read_text().split() == [str(os.getpid()), socket.gethostname()]

    def test_a_lock_file_of_before_a_reboot_or_of_nobody_holds_nothing(self, tmp_path):
        for text in ("1 another-machine", "", "\xff nonsense"):
            (tmp_path / files.LOCK).write_text(text)
            with files.held(tmp_path):
                pass

    def test_without_locks_another_machine_is_believed_and_the_way_out_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setattr(files, "_lock", lambda *_, **__: None)
        (tmp_path / files.LOCK).write_text("1 another-machine")
        with pytest.raises(files.Held, match=r"process 1 on another-machine.*if it is not, delete .*\.lock"):
            files.held(tmp_path).__enter__()

    def test_it_is_let_go_after_a_failure(self, tmp_path):
        with pytest.raises(ZeroDivisionError), files.held(tmp_path):
            raise ZeroDivisionError
        with files.held(tmp_path):
            pass


class TestJson:
    @pytest.mark.survives("Undefined figures")
    def test_undefined_is_null(self, tmp_path):
        files.save_json(tmp_path / "r.json", {"a": math.nan, "b": [1.5, {"c": (math.nan,)}], "d": "NaN"})
        text = (tmp_path / "r.json").read_text()
        read = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert read == {"a": None, "b": [1.5, {"c": [None]}], "d": "NaN"}

    def test_infinite_is_refused_and_the_old_file_stays(self, tmp_path):
        files.save_json(tmp_path / "r.json", 1)
        with pytest.raises(ValueError, match="JSON"):
            files.save_json(tmp_path / "r.json", [math.inf])
        assert (tmp_path / "r.json").read_text() == "1\n"
