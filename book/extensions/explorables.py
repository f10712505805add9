"""Interactive figures in the pages: still pictures as files, an anchor for each, the scripts that mount them."""

import base64
import hashlib
import io
import re
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from book.extensions.tables import CLASS, SAID
from pixelwise.explorables.bundle import OWN, bundle

APARTS = {kind: f"explorables-{kind}.js" for kind in OWN}
WALL = "questions-wall.js"
SCRIPTS = {
    "explorables.js": bundle,
    "questions.js": partial(bundle, "question"),
    WALL: partial(bundle, "question", "curve", wall=True),
    **{script: partial(bundle, kind) for kind, script in APARTS.items()},
}
"""What brings figures to life, and what questions alone need: the first page weighs a sixth of a chapter."""
HOST = re.compile(
    r'<div class="pw-explorable" data-explorable="(?P<kind>[\w-]+)"(?: data-name="(?P<own>[\w-]+)")? data-state='
    r".*?</figure></div>",
    re.DOTALL,
)
"""The element of an interactive figure; one of many of its kind, as a question is, has a name of its own."""
PICTURE = re.compile(r'<img\b[^>]*\bsrc="data:image/png;base64,([^"]+)"[^>]*>')


def write_script(app: Sphinx) -> None:
    if app.builder.format == "html":
        folder = Path(app.outdir, "_static")
        folder.mkdir(parents=True, exist_ok=True)
        for name, make in SCRIPTS.items():
            (folder / name).write_text(make(), encoding="utf-8")


def scripts(kinds: set[str], wall: bool = False) -> list[str]:
    """The scripts that bring figures of these kinds to life, and keep the score on the page of all questions."""
    if wall:
        return [WALL]
    apart = [script for kind, script in APARTS.items() if kind in kinds]
    others = kinds - APARTS.keys()
    if not others:
        return apart
    return ["questions.js" if others == {"question"} else "explorables.js", *apart]


def finish(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Store still pictures as files that load late, and give the first figure of a name its anchor."""
    seen: set[str] = set()
    kinds: set[str] = set()

    def store(tag: re.Match[str]) -> str:
        data = base64.b64decode(tag[1])
        name = f"_images/{hashlib.sha256(data).hexdigest()[:16]}.png"
        Path(app.outdir, "_images").mkdir(exist_ok=True)
        Path(app.outdir, name).write_bytes(data)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            (width,) = map(int, re.findall(r'\bwidth="(\d+)"', tag[0]))
            size = f'height="{round(picture.height * width / picture.width)}" loading="lazy" decoding="async"'
        return re.sub(r'src="[^"]*"', f'{size} src="{context["pathto"](name, 1)}"', tag[0])

    def anchor(host: re.Match[str]) -> str:
        name = host["own"] or host["kind"]
        text = host[0].replace(f"&quot;{CLASS}&quot;", f"&quot;{SAID}&quot;")
        kinds.add(host["kind"])
        if name in seen:
            return text
        seen.add(name)
        return text.replace("<div", f'<div id="{name}"', 1)

    context["body"] = HOST.sub(anchor, PICTURE.sub(store, context.get("body", "")))
    for script in scripts(kinds, wall='class="pw-wall"' in context["body"]):
        app.add_js_file(script, loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("builder-inited", write_script)
    app.connect("html-page-context", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
