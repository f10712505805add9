"""The line under a chapter's title that says when, where and with what its outputs were recorded."""

import datetime
import html
import json

from book import stamp
from docutils import nodes


def describe(made: dict, changed: list[str]) -> str:
    """The stamp `made` of a chapter as HTML; `changed` names the modules that are no longer what it imported."""
    date = datetime.date.fromisoformat(made["date"])
    versions = made["versions"]
    parts = [
        f'Outputs recorded on <time datetime="{made["date"]}">{date.day} {date:%B %Y}</time>',
        f"budget {html.escape(made['budget'])}",
        html.escape(made["device"]),
        f"torch {html.escape(versions.get('torch', '?'))}",
        spell_seconds(made["seconds"]),
    ]
    rows = {
        "Data": made["dataset"],
        "Seeds": ", ".join(map(str, made["seeds"])),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "Slowest cell": spell_seconds(max(made["cell_seconds"], default=0)),
        "Library": f"changed since in {', '.join(changed)}" if changed else "unchanged since",
    }
    details = "".join(f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in rows.items())
    stale = '<span class="pw-stale">recorded with an earlier library</span>' if changed else ""
    return (
        f'<details class="pw-stamp"><summary>{"<span aria-hidden=true> · </span>".join(parts)}{stale}</summary>'
        f"<dl>{details}</dl></details>"
    )


def spell_seconds(seconds: float) -> str:
    """Seconds in the unit that a person would choose."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def add_stamp(app, doctree):
    path = app.env.doc2path(app.env.docname)
    if not path.endswith(".ipynb"):
        return
    with open(path, encoding="utf-8") as file:
        made = json.load(file)["metadata"].get("pixelwise")
    title = next(doctree.findall(nodes.title), None)
    if not made or title is None:
        return
    for module in made["library"]:
        if file := stamp.module_file(module):
            app.env.note_dependency(str(file))  # the page is made anew when the library changes
    line = nodes.raw("", describe(made, stamp.changed_modules(made)), format="html")
    title.parent.insert(title.parent.index(title) + 1, line)


def setup(app):
    app.connect("doctree-read", add_stamp)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
