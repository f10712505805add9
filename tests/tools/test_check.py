"""Every check of a stored notebook catches the fault that it is for, and nothing in a sound one."""

import pytest

from tests.helpers.notebooks import save, sound_notebook
from tools import check, stamp


def show(notebook, **data):
    """Let the second code cell show `data`, given with _ for / in the type's name."""
    data = {kind.replace("_", "/", 1): value for kind, value in data.items()}
    notebook["cells"][2]["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": data}]


def say(notebook, text, name="stdout"):
    notebook["cells"][2]["outputs"] = [{"output_type": "stream", "name": name, "text": text}]


def write(notebook, text):
    notebook["cells"][0]["source"] = text


def fail(notebook):
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}
    notebook["cells"][2]["outputs"] = [error]


PLANTED = {
    "no stamp": (lambda n: n["metadata"].pop("pixelwise"), "there is no stamp"),
    "a changed cell": (lambda n: n["cells"][2].update(source="print('mIoU', 0.9)"), "cells have changed"),
    "a stamp without a hash": (lambda n: n["metadata"]["pixelwise"].pop("outputs"), "no hash of the outputs"),
    "a number changed by hand": (lambda n: say(n, "mIoU 0.6\n"), "outputs have changed"),
    "a picture changed by hand": (
        lambda n: n["cells"][3]["outputs"][0]["data"].update({"image/png": "iVBO"}),
        "outputs have changed",
    ),
    "a foreign script": (lambda n: show(n, text_html="<script src='https://cdn.example.org/a.js'>"), "another host"),
    "a foreign module": (lambda n: show(n, text_html="<script>import('https://esm.sh/d3')</script>"), "another host"),
    "a foreign style": (lambda n: write(n, '<link rel="stylesheet" href="//fonts.example.org/a">'), "another host"),
    "a foreign picture": (lambda n: write(n, "![a road seen from a car](https://example.org/a.png)"), "another host"),
    "a removed cell": (lambda n: n["cells"].pop(), "cells have changed"),
    "a cell that did not run": (lambda n: n["cells"][3].update(execution_count=None), "has not been executed"),
    "a cell run twice": (lambda n: n["cells"][3].update(execution_count=7), "not from top to bottom"),
    "an error": (fail, "ended in ValueError"),
    "widget state": (lambda n: n["metadata"].update(widgets={"state": {"a": {}}}), "widget state"),
    "a widget": (
        lambda n: show(n, **{"application_vnd.jupyter.widget-view+json": {}, "text_plain": "IntSlider()"}),
        "shows a widget",
    ),
    "a type no page shows": (lambda n: show(n, **{"application_json": {}}), "pages cannot show"),
    "a progress bar": (lambda n: say(n, "100%|██████████| 16/16 [00:03<00:00, 5.1it/s]", "stderr"), "progress bar"),
    "a line drawn over": (lambda n: say(n, "epoch 1\repoch 2"), "progress bar"),
    "a home folder": (lambda n: say(n, "saved to /home/ada/run.pt"), "path of one machine"),
    "a path in a warning": (lambda n: say(n, "/home/reader/book/x.py:3: UserWarning", "stderr"), "path of one machine"),
    "a Windows folder": (lambda n: say(n, r"C:\Users\ada\run.pt"), "path of one machine"),
    "a path in HTML": (lambda n: show(n, text_html="<b>/tmp/x1</b>"), "path of one machine"),
    "an object's address": (lambda n: show(n, text_plain="<Foo at 0x7f1c2a3b4c5d>"), "address of an object"),
    "a megabyte": (lambda n: say(n, "x" * 1_000_000), "more than 1,000,000"),
    "an output without alt text": (lambda n: n["cells"][3].update(metadata={}), "no real alt text"),
    "a file name for alt text": (
        lambda n: n["cells"][3].update(metadata={"mystnb": {"image": {"alt": "curve_final.png"}}}),
        "no real alt text",
    ),
    "a word for alt text": (
        lambda n: n["cells"][3].update(metadata={"mystnb": {"image": {"alt": "figure 3"}}}),
        "no real alt text",
    ),
    "a Markdown picture": (lambda n: write(n, "![](a.png)"), "no real alt text"),
    "an HTML picture": (lambda n: write(n, '<img src="a.png">'), "no real alt text"),
    "an HTML picture in an output": (lambda n: show(n, text_html='<img src="a.png" alt="">'), "no real alt text"),
    "a directive": (lambda n: write(n, "```{note}\nNo.\n```"), "a directive"),
    "a colon fence": (lambda n: write(n, ":::{tip}\nNo.\n:::"), "a directive"),
    "a role": (lambda n: write(n, "See {ref}`metrics`."), "a role"),
    "a target": (lambda n: write(n, "(metrics)=\n## Metrics"), "a target"),
    "an equation label": (lambda n: write(n, "$$\nx\n$$ (eq:iou)"), "an equation label"),
    "a sign that begins a line": (lambda n: write(n, "It takes $P (3 C\n+ 2 P)$ steps."), "tears a formula"),
}

SOUND = {
    "nothing": lambda n: None,
    "a role in a code span": lambda n: write(n, "MyST would write `` {ref}`x` `` here."),
    "a picture in a code block": lambda n: write(n, "```markdown\n![](a.png)\n```"),
    "a described picture": lambda n: write(n, "![a road seen from a car](a.png)"),
    "a link that looks like a path": lambda n: say(n, "https://example.org/home/ada and data/tmp/x"),
    "a link to another host": lambda n: write(n, "[a paper](https://arxiv.org/abs/1409.4842)"),
    "a percentage": lambda n: say(n, "accuracy 85 % | mIoU 58 %"),
    "formulas in a list": lambda n: write(n, "Three of $P$:\n- $C$\n- $2 P$\n+ $P^2$"),
    "a set in braces": lambda n: write(n, "classes $\\{0, 10\\}$ and `a`"),
    "an empty cell": lambda n: n["cells"].append({"cell_type": "code", "source": "", "outputs": [], "metadata": {}}),
    "another bootstrap cell": lambda n: n["cells"][1].update(source="# elsewhere"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_fault_is_caught(name, tmp_path):
    plant, expected = PLANTED[name]
    notebook = sound_notebook()
    plant(notebook)
    faults = check.faults(save(notebook, tmp_path / "chapter.ipynb"))
    assert any(expected in fault for fault in faults), faults


@pytest.mark.parametrize("name", SOUND)
def test_sound_notebook_passes(name, tmp_path):
    notebook = sound_notebook()
    SOUND[name](notebook)
    notebook["metadata"]["pixelwise"]["outputs"] = stamp.hash_outputs(notebook)
    assert check.faults(save(notebook, tmp_path / "chapter.ipynb")) == []


def test_bootstrap_cell_that_differs_is_caught(tmp_path):
    paths = []
    for name in "ab":
        notebook = sound_notebook()
        if name == "b":
            notebook["cells"][1]["source"] += "\nimport this"
        paths.append(save(notebook, tmp_path / f"{name}.ipynb"))
    found = check.alike(paths)
    assert len(found) == 1
    assert found[0].startswith("b.ipynb: the first code cell is not that of `tools.bootstrap`")


def test_command_says_what_is_wrong(tmp_path, capsys):
    notebook = sound_notebook()
    fail(notebook)
    assert check.main([str(save(notebook, tmp_path / "broken.ipynb"))]) == 1
    assert "broken.ipynb: code cell 2 ended in ValueError: no" in capsys.readouterr().out
