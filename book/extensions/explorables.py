"""The script that brings the interactive figures of a page to life, on the pages that have one."""

from pathlib import Path

from pixelwise.explorables.bundle import bundle

SCRIPT = "explorables.js"


def write(app):
    if app.builder.format == "html":
        folder = Path(app.outdir, "_static")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SCRIPT).write_text(bundle(), encoding="utf-8")


def load(app, pagename, templatename, context, doctree):
    if 'class="pw-explorable"' in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app):
    app.connect("builder-inited", write)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
