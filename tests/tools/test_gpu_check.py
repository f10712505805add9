"""The check of a real GPU, on a pretended one: what fails is told from what had no time."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.helpers.pretend_gpu import T4, pretend_gpu
from tools import gpu_check, rehearse
from tools.gpu_check import Outcome


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """The path of a chapter that holds these cells; kernels have a pretend GPU."""
    rehearse.give_gpu(tmp_path / "ipython", "t4")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")

    def write(*cells):
        nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), tmp_path / "chapter.ipynb")
        return tmp_path / "chapter.ipynb"

    return write


def test_without_a_gpu_it_says_so_in_one_line(capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert gpu_check.main([]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "PyTorch sees no GPU; `make rehearse DEVICE=gpu` runs the chapters on a pretended one.\n"


def test_the_table_says_what_held(capsys, monkeypatch):
    fails = Outcome(False, "no kernel image")
    monkeypatch.setattr(gpu_check, "commands", lambda folder: [("train", lambda seconds: fails)])
    monkeypatch.setattr(gpu_check, "chapter", lambda path, budget: lambda seconds: Outcome(True, budget))
    with pretend_gpu(T4):
        assert gpu_check.main(["--minutes", "10"]) == 1
    title, *rows, end = capsys.readouterr().out.splitlines()
    assert title.startswith("Tesla T4, compute capability 7.5, 15 GiB; PyTorch ")
    assert rows[0].split() == ["FAILED", "train", "0", "s", "no", "kernel", "image"]
    assert any(row.startswith("holds  upsampling, smoke") for row in rows)
    assert any(row.startswith("holds  upsampling, gpu") for row in rows)
    assert end == f"1 of {len(rows)} failed."


def test_no_time_is_a_failure_only_for_what_comes_first(capsys):
    tried = []

    def run(seconds):
        tried.append(seconds)
        return Outcome(True, "fine")

    assert gpu_check.check([("first", run)], [("then", run), ("last", run)], 3.0 * gpu_check.LEAST) == 0
    assert [round(part / gpu_check.LEAST, 1) for part in tried] == [3, 1.5, 3]  # what one leaves the next may use
    assert gpu_check.check([("first", run)], [("then", run)], 0) == 1
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[3:]] == ["FAILED", "holds"]


@pytest.mark.slow
class TestAChapter:
    def test_runs_to_its_end(self, chapter):
        cells = (
            "import os, torch",
            "assert torch.zeros(1, device='cuda').is_cuda and os.environ['PIXELWISE_BUDGET'] == 'gpu'",
        )
        assert gpu_check.chapter(chapter(*cells), "gpu")(300) == (True, "all of 2 cells")

    def test_stops_when_its_time_is_over(self, chapter):
        path = chapter("1", "import time; time.sleep(600)", "2")
        held, says = gpu_check.chapter(path, "smoke")(8)
        assert held
        assert says.startswith("until cell ")  # the second, if the kernel is there by then

    def test_fails_where_a_cell_does(self, chapter):
        path = chapter("import torch", "torch.zeros(2, device='cuda') + torch.zeros(2)")
        held, says = gpu_check.chapter(path, "smoke")(300)
        assert not held
        assert says.startswith("cell 2 of 2: RuntimeError: Expected all tensors to be on the same device")

    def test_a_command_that_fails_says_its_last_line(self, chapter):
        assert gpu_check.command("-c", "raise SystemExit('one\\ntwo')")(300) == (False, "two")
        assert gpu_check.command("-c", "print('fine')")(300) == (True, "fine")
        assert gpu_check.command("-c", "import time; time.sleep(60)")(1) == (False, "not done after 1 s")
