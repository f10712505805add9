"""The engine, and WebGL2 in its place, in the one browser of the run: graphs go in as `packed` writes them, maps come
back as arrays."""

import base64
import functools
from pathlib import Path

import numpy as np
import pytest
import torch

import pixelwise.browser

ENGINE = Path(pixelwise.browser.__file__).with_name("engine.mjs")
WEBGL = ENGINE.with_name("webgl.mjs")
RUN = """async ([packed, pictures, taps, way]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const network = engine.load(JSON.parse(packed));
  const ways = {
    engine(pixels, height, width, kept, tell) {
      const work = engine.run(network, pixels, height, width, taps);
      let step = work.next();
      for (; !step.done; step = work.next()) tell(step.value);
      return [...step.value.maps, step.value.logits];
    },
    webgl(pixels, height, width, kept, tell) {
      const alive = (share) => new Promise((go) => setTimeout(go)).then(() => tell(share) || true);
      globalThis.compute ??= webgl.default();
      return compute(network, pixels, engine.shapes(network.nodes, height, width), kept, alive);
    },
  };
  const results = [];
  for (const { height, width, data } of pictures) {
    const shares = [0];
    const kept = [...taps, network.nodes.length - 1];
    const maps = await ways[way](bytes(data), height, width, kept, (share) => void shares.push(share));
    const rises = shares.every((share, i) => !i || share >= shares[i - 1]) && Math.abs(shares.at(-1) - 1) < 1e-9;
    results.push(maps.map((map) => {
      let text = "";
      for (const byte of new Uint8Array(map.data.buffer)) text += String.fromCharCode(byte);
      return { ...map, data: btoa(text), rises };
    }));
  }
  return results;
}"""


@pytest.fixture(scope="session")
def engine(browser):
    """Return run(packed, pictures, taps), which gives for each picture (1, 3, H, W) the maps (1, channels, h, w)."""
    tab = browser.new_page()
    for path in (ENGINE, WEBGL):
        data = "data:text/javascript;base64," + base64.b64encode(path.read_bytes()).decode()
        tab.evaluate("async ([name, data]) => { globalThis[name] = await import(data); }", [path.stem, data])

    def run(packed, pictures, taps=(), way="engine"):
        given = []
        for picture in pictures:
            pixels = torch.cat([picture, torch.full_like(picture[:, :1], 255)], 1)[0].permute(1, 2, 0).contiguous()
            height, width = picture.shape[-2:]
            given.append(
                {"height": height, "width": width, "data": base64.b64encode(pixels.numpy().tobytes()).decode()}
            )
        results = tab.evaluate(RUN, [packed, given, list(taps), way])
        assert all(one["rises"] for maps in results for one in maps), "the progress does not rise to 1"
        return [[_tensor(one) for one in maps] for maps in results]

    yield run
    tab.close()


@pytest.fixture
def graphics(engine):
    """`run` by WebGL2."""
    return functools.partial(engine, way="webgl")


def _tensor(one):
    data = np.frombuffer(base64.b64decode(one["data"]), "<f4").reshape(one["height"], one["width"], one["channels"])
    return torch.from_numpy(data.copy()).permute(2, 0, 1)[None]
