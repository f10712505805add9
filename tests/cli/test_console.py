"""What a command says reaches any terminal, file or pipe, and whatever ends it is one line and a status."""

import errno
import io
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from pixelwise.cli import prepare
from pixelwise.cli.console import command_line, printable, say
from pixelwise.cli.options import Parser
from pixelwise.environment import is_out_of_memory
from tests.helpers import warm

NAMES = ["fenêtre 한 → 2×3 ≥ ½.jpg", "\udcff\udce9.jpg", "two\nlines\r.jpg", "\x1b[31mred\x07.jpg", "gpj.\u202egnp"]


@pytest.mark.survives("Unprintable names, closed pipes, full or closed output")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ü, 한글, 🚗, → × ≥\u202f·", "plain, ü, 한글, 🚗, → × ≥\u202f·"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("\udcff", "\\udcff"),
        ("a\u2028b\u202ec\u2066", "a\\u2028b\\u202ec\\u2066"),
    ],
)
def test_control_characters_are_spelt_out_and_nothing_else(text, shown):
    assert printable(text) == shown


@pytest.mark.survives("Unprintable names, closed pipes, full or closed output")
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "ascii", "cp949"])
@pytest.mark.parametrize("name", NAMES)
def test_any_name_prints_on_any_stream_as_one_line(monkeypatch, encoding, name):
    kept = {"stdout": io.BytesIO(), "stderr": io.BytesIO()}
    for stream, held in kept.items():
        monkeypatch.setattr(sys, stream, io.TextIOWrapper(held, encoding=encoding, errors="strict", newline="\n"))
    with command_line("test"):
        say(f"{name} → ×")
        say(f"{name} → ×", error=True)
        print("→ × ≥ \udcff")  # a part of the library that knows nothing of this
        sys.stderr.flush()
    for held in kept.values():
        line = held.getvalue().split(b"\n")[0]
        assert line.strip()
        assert line.decode(encoding).isprintable()
    assert len(kept["stderr"].getvalue().splitlines()) == 1


@pytest.mark.survives("Unprintable names, closed pipes, full or closed output")
def test_what_is_said_when_a_command_ends_is_one_safe_line():
    with pytest.raises(SystemExit) as ended, command_line("test"):
        sys.exit("test: there is no \x1b[2J\nfile")
    assert ended.value.code == "test: there is no \\x1b[2J\\nfile"


@pytest.mark.survives("Unprintable names, closed pipes, full or closed output")
def test_what_the_parser_says_is_safe(capsys):
    with pytest.raises(SystemExit) as ended:
        Parser(prog="test").parse_args(["--\x1b[2J.jpg"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("unrecognized arguments: --\\x1b[2J.jpg\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyboardInterrupt(), "test: stopped at once"),
        (MemoryError(), "test: out of memory; make it small"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), "test: out of memory; make it small"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "test: stopped, as nothing reads its output any more"),
    ],
)
def test_an_end_is_one_line_and_a_status(error, said):
    with pytest.raises(SystemExit) as ended, command_line("test", stopped="stopped at once", memory="make it small"):
        raise error
    assert ended.value.code == said


@pytest.mark.parametrize("error", [ValueError("a mistake of ours"), RuntimeError("shape"), KeyError("out of memory")])
def test_a_mistake_of_the_program_keeps_its_traceback(error):
    with pytest.raises(type(error)), command_line("test"):
        raise error


def test_a_status_is_kept():
    with pytest.raises(SystemExit) as ended, command_line("test"):
        sys.exit(3)
    assert ended.value.code == 3


@pytest.mark.survives("Unprintable names, closed pipes, full or closed output")
class TestStreamsThatFail:
    def test_a_reader_that_left_ends_nothing(self, monkeypatch, capfd):
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "w") as pipe:
            monkeypatch.setattr(sys, "stdout", pipe)
            with command_line("test"):
                say("one")
                say("two")
                print("three")
        assert capfd.readouterr().err == ""

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
    @pytest.mark.parametrize("speak", [say, print])
    def test_a_full_disk_ends_nothing_and_is_said_once(self, monkeypatch, capfd, speak):
        done = []

        @command_line("test")
        def work():
            for i in range(3):
                speak(str(i))
                done.append(i)

        with open("/dev/full", "w") as full:
            monkeypatch.setattr(sys, "stdout", full)
            with pytest.raises(SystemExit) as ended:
                work()
        assert done == [0, 1, 2]
        assert ended.value.code == 1
        assert capfd.readouterr().err == (
            "test: standard output could not be written (No space left on device); the rest was done\n"
        )

    def test_streams_that_were_closed_before(self, monkeypatch):
        monkeypatch.setattr(sys, "stdout", None)
        monkeypatch.setattr(sys, "stderr", None)
        with command_line("test"):
            say("one")
            say("two", error=True)

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
    def test_preparing_goes_on(self, tmp_path):
        """The whole command, as Python ends it: a second failure there would be a traceback and status 120."""
        arguments = ["streets", "--size", "32", "32", "32", "40", "--split", "val"]
        environment = os.environ | {"PIXELWISE_DATA": str(tmp_path), "PIXELWISE_RECORDING": "1"}
        code = (
            "from pixelwise.cli import prepare\nfrom pixelwise.data import scenes\n"
            "scenes.STREETS_SPLITS['val'] = scenes.STREETS_SPLITS['val'][:1]\n"
            f"prepare.main({arguments!r})"
        )
        with open("/dev/full", "w") as full:
            ended = subprocess.run(
                [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, env=environment, check=False
            )
        assert ended.returncode == 1
        assert ended.stderr.decode().splitlines() == [
            "pixelwise-prepare: standard output could not be written (No space left on device); the rest was done"
        ]
        assert len(list(tmp_path.rglob("*.safetensors"))) == 2


@pytest.mark.survives("Out of memory")
class TestMemory:
    @pytest.mark.parametrize(
        "error",
        [
            MemoryError(),
            MemoryError("Unable to allocate 349. TiB for an array with shape (128, 3, 1000000, 1000000)"),
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you "
            ),
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: not enough memory: you tried to"
            ),
            RuntimeError("MPS backend out of memory (MPS allocated: 9.06 GB, other allocations: 1.34 MB"),
            RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
            RuntimeError("CUDA error: out of memory"),
            RuntimeError("std::bad_alloc"),
            OSError(errno.ENOMEM, "Cannot allocate memory"),
            OSError("out of memory error when reading image file"),
        ],
    )
    def test_is_recognised(self, error):
        assert is_out_of_memory(error)

    @pytest.mark.parametrize(
        "error",
        [
            RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
            FileNotFoundError(errno.ENOENT, "No such file or directory", "out of memory.jpg"),
            OSError("cannot write out of memory-mask.png: No space left on device"),
            ValueError("out of memory"),
            KeyboardInterrupt(),
        ],
    )
    def test_other_errors_are_not(self, error):
        assert not is_out_of_memory(error)

    @pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit on memory is not kept")
    def test_what_really_is_raised_is_recognised(self):
        """Each allocator in turn, in a process that may have 200 MB more than it has."""
        code = """
import resource, numpy as np, torch
from PIL import Image
from pixelwise.environment import is_out_of_memory
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + 200 * 2**20,) * 2)
for allocate in (
    lambda: bytearray(10**9),
    lambda: np.zeros(10**9),
    lambda: torch.empty(10**9),
    lambda: Image.new("RGB", (20000, 20000)),
    lambda: torch.nn.functional.conv2d(torch.zeros(1, 3, 1000, 1000), torch.zeros(64, 3, 3, 3)),
):
    try:
        allocate()
    except BaseException as error:
        print(is_out_of_memory(error), repr(error)[:150])
    else:
        print("no error")
"""
        ended = warm.python(code)
        assert ended.returncode == 0, ended.stderr
        said = ended.stdout.splitlines()
        assert len(said) == 5
        assert all(line.startswith("True") for line in said), ended.stdout

    def test_preparing_says_what_to_make_smaller(self, tmp_path, monkeypatch):
        def exhaust(*_, **__):
            np.empty((128, 3, 10**6, 10**6), np.uint8)

        monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path))
        monkeypatch.setattr(prepare.data, "load", exhaust)
        with pytest.raises(SystemExit, match=r"^pixelwise-prepare: out of memory; choose a smaller --size$"):
            prepare.main(["streets", "--size", "8192", "8192"])
