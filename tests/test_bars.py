"""Progress bars are for people: a terminal and a notebook show them, a log, a pipe and a recording get nothing."""

import io
import os
import subprocess
import sys
import types

import IPython
import pytest

from pixelwise import environment
from tools import stamp

# Preparing data and training, with what notebooks import, outside of any.
WORK = """
import ipykernel.ipkernel, ipywidgets
from pixelwise import data
from pixelwise.training import Recipe, fit
from tests.helpers import tiny
data.load("streets", "val", (48, 64), count=2)
fit(tiny.segmenter(), tiny.scenes(2), Recipe(epochs=1, batch_size=2))
"""


def test_nothing_is_written_into_a_pipe(tmp_path):
    clean = {name: value for name, value in os.environ.items() if name != "PIXELWISE_RECORDING"}
    done = subprocess.run(
        [sys.executable, "-c", WORK],
        cwd=stamp.ROOT,
        env=clean | {"PIXELWISE_DATA": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
@pytest.mark.parametrize("kernel", [False, True])
@pytest.mark.parametrize("recording", ["", "1"])
def test_a_terminal_and_a_notebook_show_them_unless_it_is_recorded(monkeypatch, stream, kernel, recording):
    shell = types.SimpleNamespace(**({"kernel": object()} if kernel else {}))
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setenv("PIXELWISE_RECORDING", recording)
    with environment.progress_bar(3, "generating", "scene") as bar:
        bar.update()
        assert bar.disable == (recording == "1" or not (kernel or stream is Terminal))
