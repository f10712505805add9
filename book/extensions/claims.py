"""The page "What this book asserts": every claim of every recorded chapter, in one place.

The directive ``{claims}`` reads the claims that the chapters' stored outputs carry as data, so the page shows what was
measured in the recorded runs and nothing else.
"""

import json
from collections import Counter
from html import escape
from pathlib import Path

from book import stamp
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

MIME = "application/vnd.pixelwise.claim+json"
HEAD = "".join(f'<th scope="col">{title}</th>' for title in ("State", "Claim", "Kind", "Measured", "Seeds", "Data"))


def read_claims(notebook: dict) -> list[dict]:
    """The claims in a notebook's stored outputs, in order; of a claim made twice the last one counts."""
    claims = {}
    for cell in stamp.code_cells(notebook):
        for output in cell["outputs"]:
            if claim := output.get("data", {}).get(MIME):
                claims[claim["name"]] = claim
    return list(claims.values())


def spell(value: float) -> str:
    """Three digits, and whole numbers from a thousand on."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def tabulate(claims: list[dict]) -> str:
    """The claims of one chapter as an HTML table."""
    rows = []
    for claim in claims:
        seeds = f"{len(claim['measured'])} seeds" if claim["kind"] == "trained" else "–"
        measured = f"{', '.join(map(spell, claim['measured']))} ({claim['bound']})"
        cells = "".join(f"<td>{escape(text)}</td>" for text in (claim["kind"], measured, seeds, claim["where"]))
        rows.append(
            f'<tr><td>{escape(claim["state"])}</td><th scope="row">{escape(claim["sentence"])}</th>{cells}</tr>'
        )
    return f'<table class="pw-claims"><thead><tr>{HEAD}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


class Claims(SphinxDirective):
    """All claims, counted by state and kind, then chapter by chapter in the order of the table of contents."""

    def run(self):
        self.env.note_reread()
        listed = self.env.external_site_map if hasattr(self.env, "external_site_map") else {}
        order = {name: place for place, name in enumerate(listed)}
        chapters = sorted(stamp.notebooks(), key=lambda path: order.get(f"chapters/{path.stem}", len(order)))
        sections, states = [], Counter()
        for path in chapters:
            notebook = json.loads(Path(path).read_text(encoding="utf-8"))
            claims, made = read_claims(notebook), notebook["metadata"].get("pixelwise")
            if not claims or not made:
                continue
            states.update((claim["state"], claim["kind"]) for claim in claims)
            section = nodes.section(ids=[f"claims-{path.stem}"])
            section += nodes.title("", stamp.title(notebook))
            how = (made["date"], f"budget {made['budget']}", made["device"], f"torch {made['versions']['torch']}")
            note = f"Recorded {', '.join(how)}. "
            section += nodes.paragraph("", note, nodes.reference("", "Read the chapter", refuri=f"{path.stem}.html"))
            section += nodes.raw("", tabulate(claims), format="html")
            sections.append(section)
        counted = [f"{number} {kind} {state}" for (state, kind), number in sorted(states.items())]
        counts = ", ".join(counted).replace("holds", "hold")
        return [nodes.paragraph("", f"{sum(states.values())} claims in all: {counts}."), *sections]


def setup(app):
    app.add_directive("claims", Claims)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
