"""The engine of the photo page beside onnxruntime-web: milliseconds a picture in one browser, and bytes to load.

Both run the same two networks on the same picture in one page of Chromium, by turns, and the shortest time of each
counts: the processor's, for a busy machine stretches the clock's. Chromium tells it in steps of ten milliseconds, so
that a turn is several pictures, as many as make a step one in a hundred. onnxruntime-web runs single-threaded
WebAssembly, with the SIMD instructions that it has. It is fetched by npm (its wasm is no part of this project), or
taken from the folder of its package that is named. Without either, only the engine is timed.

    python benchmarks/browser_engine.py [node_modules/onnxruntime-web]
"""

import base64
import functools
import gzip
import http.server
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from book import browser as chromium
from pixelwise import browser
from pixelwise.data import streets
from pixelwise.zoo import export, weights

PACKAGE = "onnxruntime-web@1.22.0"
FILES = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
ROUNDS = 5
PICTURES = {"ours": 3, "theirs": 15}
"""In a turn."""
SIZE = (180, 240)
PREPARE = """async ([name, pixels, height, width, withTheirs]) => {
  const engine = await import("./engine.mjs");
  const picture = Uint8ClampedArray.from(atob(pixels), (sign) => sign.charCodeAt(0));
  const network = engine.load(await (await fetch(`${name}.json`)).json());
  const ours = () => {
    const work = engine.run(network, picture, height, width);
    let step = work.next();
    while (!step.done) step = work.next();
    return step.value.logits;
  };
  let theirs = () => null;
  if (withTheirs) {
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(`${name}.onnx`, { executionProviders: ["wasm"] });
    const input = new ort.Tensor("uint8", new Uint8Array(picture), [1, height, width, 4]);
    theirs = () => session.run({ image: input }, ["logits"]);
  }
  globalThis.ours = ours;
  globalThis.theirs = theirs;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def runtime(folder: Path) -> bool:
    """Put onnxruntime-web's files into the folder; False, and a line why, where there are none."""
    if len(sys.argv) > 1:
        for name in FILES:
            shutil.copy(Path(sys.argv[1], "dist", name), folder / name)
        return True
    try:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"npm did not bring {PACKAGE} ({error}): the engine alone is timed")
        return False
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as package:
        for name in FILES:
            (folder / name).write_bytes(package.extractfile(f"package/dist/{name}").read())
    return True


def size_of(*files: Path) -> str:
    """Bytes of files as a server sends them: as they are, and through gzip."""
    contents = [file.read_bytes() for file in files]
    small = sum(len(gzip.compress(content)) for content in contents)
    return f"{sum(map(len, contents)) / 1e6:.2f} MB, {small / 1e6:.2f} MB through gzip"


def milliseconds(protocol: CDPSession, tab: Page, run: str) -> float:
    """The processor's time that the page takes for a picture."""

    def spent() -> float:
        processes = protocol.send("SystemInfo.getProcessInfo")["processInfo"]
        return 1000 * sum(one["cpuTime"] for one in processes if one["type"] == "renderer")

    before = spent()
    tab.evaluate(f"async () => {{ for (let i = 0; i < {PICTURES[run]}; i++) await {run}(); }}")
    return (spent() - before) / PICTURES[run]


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        shutil.copy(Path(browser.__file__).with_name("engine.mjs"), folder)
        beside = runtime(folder)
        script = '<script src="ort.wasm.min.js"></script>' if beside else ""
        (folder / "index.html").write_text(f"<!doctype html><title>engines</title>{script}", encoding="utf-8")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=temporary))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        protocol, tab = started.new_browser_cdp_session(), started.new_page()
        tab.goto(f"http://127.0.0.1:{server.server_port}/")
        image, _ = streets.generate(0, seed=1, size=SIZE)
        opaque = [[[*image[:, y, x].tolist(), 255] for x in range(SIZE[1])] for y in range(SIZE[0])]
        pixels = base64.b64encode(bytes(value for row in opaque for pixel in row for value in pixel)).decode()
        print(f"the engine: {size_of(folder / 'engine.mjs')}")
        if beside:
            print(f"{PACKAGE}: {size_of(*(folder / name for name in FILES))}")
        for name, file in weights.SHIPPED.items():
            if not file.is_file():
                continue
            model, metadata = weights.load(file)
            (folder / f"{name}.json").write_text(browser.packed(browser.Graph.of(model), metadata), encoding="utf-8")
            sizes = f"{size_of(folder / f'{name}.json')}"
            if beside:
                export.export(folder / f"{name}.onnx", model, metadata)
                sizes += f"; as ONNX {size_of(folder / f'{name}.onnx')}"
            tab.evaluate(PREPARE, [name, pixels, *SIZE, beside])
            rounds = [[milliseconds(protocol, tab, run) for run in PICTURES] for _ in range(ROUNDS)]
            own, other = map(min, zip(*rounds, strict=True))
            ratio = f", onnxruntime-web {other:.0f} ms: {own / other:.1f} times as long" if beside else ""
            print(f"{name} ({metadata.network.model}) at {SIZE[0]}×{SIZE[1]}: engine {own:.0f} ms{ratio}; {sizes}")
        server.shutdown()


if __name__ == "__main__":
    main()
