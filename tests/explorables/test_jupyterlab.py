"""Explorables and controls in JupyterLab, with a kernel behind them: state goes both ways, and keys stay inside."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import TimeoutError

CELLS = """from pixelwise import explorables, figures
from pixelwise.explorables.controls import Controls
sizes = explorables.UnetSizes(size=556)
sizes
#
print("Python reads", sizes.size)
sizes.size = 570
#
def line(slope=2):
    return figures.panels(height=1.5)[0]
controls = Controls(line, alt="An empty frame, whatever the slope.", slope=(-5, 5, 1))
controls
#
print("the control says", controls.knobs["slope"].value)
#
photo = explorables.Photo(chosen="streets")
photo
#
print("Python reads", photo.chosen, photo.view, len(photo.network) > 1_000_000)"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab with one notebook; its address."""
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    cells = [new_code_cell(source) for source in CELLS.split("\n#\n")]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "probe.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    code = str(Path(__file__).parents[2] / "code")
    environment = os.environ | own | {"PYTHONPATH": code, "PIXELWISE_RECORDING": ""}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--IdentityProvider.token=", "--LabApp.news_url=None", f"--ServerApp.root_dir={folder}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=5)
            break
        except OSError:
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.5)
    yield address
    server.terminate()
    server.wait(20)


def test_state_goes_both_ways_and_keys_stay_inside(browser, lab):
    context = browser.new_context(viewport={"width": 1300, "height": 1800})
    tab = context.new_page()
    tab.goto(f"{lab}/lab/tree/probe.ipynb")
    cell = lambda number: tab.locator(".jp-Notebook .jp-CodeCell").nth(number)  # noqa: E731

    def run(number):
        cell(number).locator(".cm-content").click(timeout=60_000)
        tab.keyboard.press("Shift+Enter")

    # The explorable: arrow keys move its slider, and not the notebook's cursor; then Python reads and sets the state.
    finding = cell(0).locator(".pw-finding")
    for _ in range(3):  # a key that is pressed before the page listens to it is lost
        run(0)
        with contextlib.suppress(TimeoutError):
            finding.filter(has_text="556 in, 372 out").wait_for(timeout=25_000)
            break
    finding.filter(has_text="556 in, 372 out").wait_for(timeout=25_000)
    cell(0).get_by_role("slider", name="lowest map").focus()
    tab.keyboard.press("ArrowRight")
    finding.filter(has_text="572 in, 388 out").wait_for(timeout=10_000)
    run(1)
    cell(1).locator(".jp-OutputArea-output", has_text="Python reads 572").wait_for(timeout=30_000)
    finding.filter(has_text=re.compile("570 does not fit")).wait_for(timeout=10_000)

    # The controls: a slider of ipywidgets, drawn anew by the kernel.
    run(2)
    picture = cell(2).locator("img[alt='An empty frame, whatever the slope.']")
    picture.wait_for(timeout=60_000)
    cell(2).locator("[role=slider]").focus()
    tab.keyboard.press("ArrowRight")
    run(3)
    cell(3).locator(".jp-OutputArea-output", has_text="the control says 3").wait_for(timeout=30_000)

    # The desk for photos: the kernel sends the network when a scene is chosen, and the page computes.
    run(4)
    desk = cell(4).locator(".pw-photo")
    desk.locator(".scenes button").first.click(timeout=60_000)
    desk.locator(".pw-finding", has_text=re.compile("Mostly .* s in plain JavaScript, the picture")).wait_for(
        timeout=180_000
    )
    assert not desk.get_by_role("group", name="Computed by").is_visible()
    desk.get_by_role("button", name="where it is unsure").click()
    with tab.expect_download() as saved:
        desk.get_by_role("button", name="mask").click()
    assert saved.value.suggested_filename == "scene-1-mask.png"
    run(5)
    cell(5).locator(".jp-OutputArea-output", has_text="Python reads streets unsure True").wait_for(timeout=30_000)
    context.close()
