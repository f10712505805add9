"""The engine in the one browser of the run: graphs go in as `packed` writes them, maps come back as arrays."""

import base64
from pathlib import Path

import numpy as np
import pytest
import torch

import pixelwise.browser

ENGINE = Path(pixelwise.browser.__file__).with_name("engine.mjs")
RUN = """async ([packed, pictures, taps]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const network = engine.load(JSON.parse(packed));
  return pictures.map(({ height, width, data }) => {
    const work = engine.run(network, bytes(data), height, width, taps);
    let [step, shares] = [work.next(), [0]];
    for (; !step.done; step = work.next()) shares.push(step.value);
    const rises = shares.every((share, i) => !i || share > shares[i - 1]) && Math.abs(shares.at(-1) - 1) < 1e-9;
    return [...step.value.maps, step.value.logits].map((map) => {
      let text = "";
      for (const byte of new Uint8Array(map.data.buffer)) text += String.fromCharCode(byte);
      return { ...map, data: btoa(text), rises };
    });
  });
}"""


@pytest.fixture(scope="session")
def engine(browser):
    """Return run(packed, pictures, taps), which gives for each picture (1, 3, H, W) the maps (1, channels, h, w)."""
    tab = browser.new_page()
    data = "data:text/javascript;base64," + base64.b64encode(ENGINE.read_bytes()).decode()
    tab.evaluate("async (data) => { globalThis.engine = await import(data); }", data)

    def run(packed, pictures, taps=()):
        given = []
        for picture in pictures:
            pixels = torch.cat([picture, torch.full_like(picture[:, :1], 255)], 1)[0].permute(1, 2, 0).contiguous()
            height, width = picture.shape[-2:]
            given.append(
                {"height": height, "width": width, "data": base64.b64encode(pixels.numpy().tobytes()).decode()}
            )
        results = tab.evaluate(RUN, [packed, given, list(taps)])
        assert all(one["rises"] for maps in results for one in maps), "the progress does not rise to 1"
        return [[_tensor(one) for one in maps] for maps in results]

    yield run
    tab.close()


def _tensor(one):
    data = np.frombuffer(base64.b64decode(one["data"]), "<f4").reshape(one["height"], one["width"], one["channels"])
    return torch.from_numpy(data.copy()).permute(2, 0, 1)[None]
