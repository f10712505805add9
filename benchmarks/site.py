"""The book's site beside a stock Jupyter Book of the same notebooks: bytes, time to read, time to build.

The stock book is a copy of the sources with a plain _config.yml: the theme, the scripts and the extensions that
`jupyter-book build` brings. Rounds alternate so that both meet the same machine, and the median of each counts. Pages
are loaded in fresh browser contexts from a local server. What the stock pages ask of other hosts (MathJax, require.js)
is counted but not answered, so their true weight and times are higher than shown.

    python benchmarks/site.py
"""

import functools
import http.server
import itertools
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
PLAIN = """title: Pixelwise
author: The Pixelwise authors
logo: book/theme/static/logo.svg
only_build_toc_files: true
exclude_patterns: [_build, book]
execute: {execute_notebooks: "off"}
repository: {url: https://github.com/pixelwise-book/pixelwise, branch: main}
launch_buttons: {colab_url: https://colab.research.google.com}
html: {use_repository_button: true, use_issues_button: true}
"""


def copy(target: Path, plain: bool) -> Path:
    """The book's sources in a folder of their own; plain: without our configuration and our directives."""
    target.mkdir()
    for name in ("_toc.yml", "_config.yml", "index.md"):
        shutil.copy(ROOT / name, target)
    shutil.copytree(ROOT / "chapters", target / "chapters")
    shutil.copytree(ROOT / "reference", target / "reference")
    if plain:
        (target / "book/theme/static").mkdir(parents=True)
        shutil.copy(ROOT / "book/theme/static/logo.svg", target / "book/theme/static")
        (target / "_config.yml").write_text(PLAIN, encoding="utf-8")
        for page in (target / "index.md", *target.glob("chapters/*.md")):
            page.write_text(re.sub(r"```\{.*?```\n", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))
    else:
        (target / "book").symlink_to(ROOT / "book")
    return target


def build(*command: str | Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - start


def build_ours(source: Path, output: Path) -> float:
    return build(sys.executable, "-m", "book.build", "--source", source, "--output", output / "html")


def build_stock(source: Path, output: Path) -> float:
    return build(Path(sys.executable).with_name("jupyter-book"), "build", source, "--path-output", output, "--quiet")


def load(browser, server: str, page: str, phone: bool = False) -> dict[str, float]:
    """Load a page into an empty cache; kB by kind, requests to other hosts, and times in milliseconds.

    A phone has a 4G line of 1.6 Mbit/s and 150 ms, and a quarter of this processor, as Lighthouse assumes.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.goto(f"{server}_sources/index.md")  # starts the process that shows pages of this host
    kinds, foreign = Counter(), []

    def answered(response):
        kinds[response.request.resource_type] += int(response.headers.get("content-length", 0)) / 1000

    tab.on("response", answered)
    tab.on("request", lambda asked: foreign.append(asked.url) if server not in asked.url else None)
    protocol = context.new_cdp_session(tab)
    protocol.send("Performance.enable")
    if phone:
        protocol.send("Network.enable")
        speed = {"downloadThroughput": 200_000, "uploadThroughput": 94_000, "latency": 150}  # bytes a second, ms
        protocol.send("Network.emulateNetworkConditions", {"offline": False} | speed)
        protocol.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    before = script_time(protocol)
    tab.goto(f"{server}{page}", wait_until="commit" if phone else "load")
    painted = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    paint = tab.wait_for_function(painted, timeout=60_000).json_value()
    if phone:
        context.close()
        return {"first contentful paint on a phone, ms": paint}
    tab.wait_for_timeout(300)
    weights = {
        "scripts, styles, fonts, kB": kinds["script"] + kinds["stylesheet"] + kinds["font"],
        "everything, kB": sum(kinds.values()),
        "requests to other hosts": len(foreign),
        "first contentful paint, ms": paint,
        "script time, ms": script_time(protocol) - before,
    }
    context.close()
    return weights


def script_time(protocol) -> float:
    """Milliseconds that scripts have run so far."""
    metrics = protocol.send("Performance.getMetrics")["metrics"]
    return 1000 * next(one["value"] for one in metrics if one["name"] == "ScriptDuration")


def serve(folder: Path) -> str:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            if not isinstance(sys.exception(), ConnectionError):  # a tab was closed before its last picture came
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def compare_builds(sources: dict[str, Path], folder: Path) -> dict[str, Path]:
    """Build both books from nothing, as each of our builds is; the folders of the sites."""
    builders = {"ours": build_ours, "stock": build_stock}
    times = {name: [] for name in builders}
    for number in range(ROUNDS):
        for name, builder in builders.items():
            times[name].append(builder(sources[name], folder / f"{name}-{number}"))
    report("build from nothing, s", {name: statistics.median(taken) for name, taken in times.items()})
    last = ROUNDS - 1
    return {"ours": folder / f"ours-{last}/html", "stock": folder / f"stock-{last}/_build/html"}


def compare_pages(sites: dict[str, Path]) -> None:
    """Load every chapter of both sites, in turns."""
    chapters = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
    chapters = [name for name in chapters if all((site / f"chapters/{name}.html").is_file() for site in sites.values())]
    servers = {name: serve(site) for name, site in sites.items()}
    (sites["ours"] / "empty.html").write_text("<!DOCTYPE html><title>Empty</title><p>A word.", encoding="utf-8")
    found, least = {name: [] for name in sites}, []
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for number, chapter in itertools.product(range(ROUNDS), chapters):
            for name, server in servers.items():
                page = f"chapters/{chapter}.html"
                phone = load(browser, server, page, phone=True) if number == 0 and chapter in chapters[:4] else {}
                found[name].append(load(browser, server, page) | phone)
            least.append(load(browser, servers["ours"], "empty.html")["first contentful paint, ms"])
        browser.close()
    print(f"a chapter's page: median over {len(chapters)} chapters, {ROUNDS} times each; on a phone of 4, once")
    for quantity in found["ours"][0]:
        values = {name: [one[quantity] for one in pages if quantity in one] for name, pages in found.items()}
        report(quantity, {name: statistics.median(measured) for name, measured in values.items()})
    print(f"{'empty page: first contentful paint, ms':42} {statistics.median(least):9.1f}")


def report(quantity: str, values: dict[str, float]) -> None:
    ratio = f"{values['ours'] / values['stock']:9.2f}" if values["stock"] else ""
    print(f"{quantity:42} {values['ours']:9.1f} {values['stock']:9.1f} {ratio}", flush=True)


def main() -> None:
    print(f"{'':42} {'ours':>9} {'stock':>9} {'ratio':>9}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sources = {name: copy(folder / f"{name}-source", plain=name == "stock") for name in ("ours", "stock")}
        compare_pages(compare_builds(sources, folder))


if __name__ == "__main__":
    main()
