"""The recorded hashes of generated scenes, and how to record them anew.

`python -m tests.data.golden_streets` writes tests/data/streets_golden.json. It refuses to while the hashes differ
from those recorded and `streets.VERSION` does not: caches of the old scenes would be taken for the new ones.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from pixelwise.data import streets

PATH = Path(__file__).with_name("streets_golden.json")


def read() -> dict[str, Any]:
    """`version`, and `settings`: for each its name, indices, seed, size, knobs and sha256."""
    return json.loads(PATH.read_text())


def digest(setting: dict[str, Any]) -> str:
    """SHA-256 over the images and the masks of a setting, as they are generated now."""
    options: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in setting["knobs"].items()
    }
    images, masks = streets.generate_many(
        setting["indices"], seed=setting["seed"], size=tuple(setting["size"]), knobs=streets.Knobs(**options)
    )
    return hashlib.sha256(images.tobytes() + masks.tobytes()).hexdigest()


def record() -> None:
    """Write the hashes of today's scenes under today's version; SystemExit where the version must rise first."""
    golden = read()
    settings = [{**setting, "sha256": digest(setting)} for setting in golden["settings"]]
    if settings != golden["settings"] and golden["version"] >= streets.VERSION:
        raise SystemExit(f"the scenes have changed: raise streets.VERSION above {golden['version']} first")
    lines = ",\n    ".join(json.dumps(setting) for setting in settings)
    PATH.write_text(f'{{\n  "version": {streets.VERSION},\n  "settings": [\n    {lines}\n  ]\n}}\n')


if __name__ == "__main__":
    record()
