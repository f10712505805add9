"""When, where and with what outputs were recorded: the line under a chapter's title, and the page "How it ran"."""

import datetime
import html
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from book import toc
from tools import stamp

BEGINNING = re.compile(r"budget \w+ · device \w+ · data [\w-]+ · seeds [\d, ]+")
"""What `course.begin` prints."""


def describe(recording: stamp.Json, changed: list[str]) -> str:
    """The stamp of a chapter as HTML; `changed` names the modules that are no longer what it imported."""
    date = datetime.date.fromisoformat(recording["date"])
    versions = recording["versions"]
    parts = [
        f'Outputs recorded on <time datetime="{recording["date"]}">{date.day} {date:%B %Y}</time>',
        f"budget {html.escape(recording['budget'])}",
        html.escape(recording["device"]),
        f"torch {html.escape(versions.get('torch', '?'))}",
    ]
    rows = {
        "Data": recording["dataset"],
        "Seeds": ", ".join(map(str, recording["seeds"])),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "Slowest cell": spell_seconds(max(recording["cell_seconds"], default=0)),
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


def recorded(app: Sphinx) -> stamp.Json | None:
    """The stamp of the page that is read, if it is a recorded notebook."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb":
        return None
    return json.loads(path.read_text(encoding="utf-8"))["metadata"].get("pixelwise")


def add_stamp(app: Sphinx, doctree: nodes.document) -> None:
    recording = recorded(app)
    title = next(doctree.findall(nodes.title), None)
    if not recording or title is None:
        return
    line = nodes.raw("", describe(recording, stamp.changed_modules(recording)), format="html")
    title.parent.insert(title.parent.index(title) + 1, line)


def leave_out_beginning(app: Sphinx, doctree: nodes.document) -> None:
    """Take out the line in which a run says what the stamp says: its budget, device, data and seeds."""
    if not recorded(app):
        return
    for output in list(doctree.findall(nodes.literal_block)):
        if BEGINNING.fullmatch(output.astext().strip()):
            around = output.parent
            around.remove(output)
            if not around.children:
                around.parent.remove(around)


HEAD = ("Chapter", "Data", "Budget", "Device", "Time", "Slowest cell", "Python", "torch", "Date")


def tabulate(runs: list[tuple[str, str, stamp.Json]]) -> str:
    """Runs as an HTML table; each is the chapter's title, its page's address, and the stamp of the run."""
    rows = []
    for title, page, recording in runs:
        versions = [recording["versions"].get(name, "?") for name in ("python", "torch")]
        slowest = spell_seconds(max(recording["cell_seconds"])) if recording.get("cell_seconds") else "–"
        took = (spell_seconds(recording["seconds"]), slowest)
        cells = (recording["dataset"], recording["budget"], recording["device"], *took, *versions, recording["date"])
        columns = "\n".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        link = f'<a href="{html.escape(page)}">{html.escape(title.partition(":")[0])}</a>'
        rows.append(f'<tr><th scope="row">{link}</th>\n{columns}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in HEAD)
    body = "\n".join(rows)  # line ends keep the words of two cells apart in the excerpts of the search
    return f'<table class="pw-runs"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


class Runs(SphinxDirective):
    """`{runs}`: every chapter's run as it stands on its page, and its runs on other data."""

    def run(self) -> list[nodes.Node]:
        runs: list[tuple[str, str, stamp.Json]] = []
        seconds: list[float] = []
        for page in (page for _, pages in toc.parts(self.config.external_toc_path) for page in pages):
            if not (path := Path(self.env.srcdir, f"{page}.ipynb")).is_file():
                continue
            results = sorted((stamp.ROOT / "data/results").glob(f"{path.stem}-*.json"))
            notebook = json.loads(path.read_text(encoding="utf-8"))
            if not (recording := notebook["metadata"].get("pixelwise")):
                continue
            seconds.append(recording["seconds"])
            others = [json.loads(file.read_text(encoding="utf-8")) for file in results]
            address = self.env.app.builder.get_relative_uri(self.env.docname, page)
            stamps = [recording, *(other for other in others if other["dataset"] != recording["dataset"])]
            runs += [(stamp.title(notebook), address, recording) for recording in stamps]
        total = f"{len(seconds)} recorded pages, {spell_seconds(sum(seconds))} in all."
        return [nodes.paragraph("", total), nodes.raw("", tabulate(runs), format="html")]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("runs", Runs)
    app.connect("doctree-read", leave_out_beginning, priority=400)  # before folds look whether a cell shows anything
    app.connect("doctree-read", add_stamp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
