"""What an interactive figure costs: to answer a control, against redrawing it in a kernel; on a page, against none.

A control's answer is the script from the event to the last line drawn, the shortest of twenty, and the slowest control
of a figure counts. Beside it stands what a stock widget (ipywidgets.interact) has to do in Python before the browser
hears of it: draw the same figure's picture and encode it. The last columns are the page: scripts that run until the
figure is alive, and the same page with the still picture alone.

    python benchmarks/explorables.py
"""

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from pixelwise import explorables
from pixelwise.explorables import bundle
from tests.explorables.explorables import make

ROUNDS = 5
FRAME = 1000 / 60  # ms
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>A figure</title>{script}<main>{figure}</main></html>'
)
SCRIPT = '<script defer src="explorables.js"></script>'
ANSWER = """() => {
  window.requestAnimationFrame = (draw) => draw(); // at once, so that the time holds the drawing
  const slowest = [];
  for (const control of document.querySelectorAll(".pw-live input[type=range], .pw-live [tabindex='0']")) {
    const times = [];
    for (let i = 0; i < 21; i++) {
      const start = performance.now();
      if (control.type === "range") {
        control[i % 2 ? "stepDown" : "stepUp"]();
        control.dispatchEvent(new Event("input"));
      } else {
        const key = i % 2 ? "ArrowLeft" : "ArrowRight";
        control.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true })); // a stroke, where one can paint
      }
      if (i > 0) times.push(performance.now() - start); // the first may be a step beyond the end
    }
    slowest.push(Math.min(...times));
  }
  return Math.max(...slowest);
}"""


def in_a_kernel(name: str) -> float:
    """Milliseconds to draw and encode the figure's picture in Python, the shortest of all rounds."""
    figure, times = make(name), []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        figure.picture().png()
        times.append(1000 * (time.perf_counter() - start))
    return min(times)


def in_a_page(browser, folder: Path, name: str, alive: bool) -> tuple[float, float]:
    """Milliseconds of script until the page stands, and those of the slowest control's answer (0 for a picture)."""
    page = folder / f"{name}-{alive}.html"
    page.write_text(PAGE.format(script=SCRIPT if alive else "", figure=make(name).still("")), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1000, "height": 1400})
    tab = context.new_page()
    protocol = context.new_cdp_session(tab)
    protocol.send("Performance.enable")
    tab.goto(page.as_uri())
    if alive:
        tab.locator(".pw-live").wait_for()
    metrics = {one["name"]: one["value"] for one in protocol.send("Performance.getMetrics")["metrics"]}
    answer = tab.evaluate(ANSWER) if alive else 0.0
    context.close()
    return 1000 * metrics["ScriptDuration"], answer


def main() -> None:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    print(f"{'':24} {'answer, ms':>10} {'frames':>7} {'kernel, ms':>10} {'ratio':>7} {'page, ms':>9} {'still, ms':>9}")
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        Path(temporary, "explorables.js").write_text(bundle.bundle(), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for name in explorables.__all__:
            rounds = [
                [in_a_page(browser, Path(temporary), name, alive) for alive in (True, False)] for _ in range(ROUNDS)
            ]
            answer = min(alive[1] for alive, _ in rounds)
            loaded, still = (statistics.median(one[kind][0] for one in rounds) for kind in (0, 1))
            kernel = in_a_kernel(name)
            numbers = f"{answer:10.2f} {answer / FRAME:7.2f} {kernel:10.1f} {answer / kernel:7.3f}"
            print(f"{name:24} {numbers} {loaded:9.1f} {still:9.1f}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
