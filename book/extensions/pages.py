"""The book's own HTML theme: layout, navigation, the facts about a chapter, and the files around the pages."""

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config
from sphinx.errors import ConfigError
from sphinx.util.typing import ExtensionMetadata

from book import toc
from book.extensions import cards, questions, typography
from book.extensions import map as chapters
from book.extensions.provenance import spell_seconds
from tools import reading, stamp

THEME = Path(__file__).resolve().parents[1] / "theme"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "  # widths, alignments
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
)
FACTS = """<div class="pw-facts">
<p><strong>{reading} min</strong> to read · <strong>{running}</strong> to run on {device}</p>
<ul aria-label="Run this chapter"><li><a href="{colab}">Colab</a></li>
<li><a href="https://kaggle.com/kernels/welcome?src=https://github.com/{place}">Kaggle</a></li>
<li><a href="{notebook}" download>Download .ipynb</a></li></ul></div>
"""


def site_address(config: Config) -> str:
    """Where the book is published, with a slash at the end: html_baseurl, else the repository's GitHub Pages."""
    if config.html_baseurl:
        return config.html_baseurl.rstrip("/") + "/"
    parts = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)", config.html_theme_options.get("repository_url", ""))
    if not parts:
        raise ConfigError("_config.yml needs html.baseurl, or a repository.url like https://github.com/NAME/REPOSITORY")
    return f"https://{parts[1]}.github.io/{parts[2]}/"


def place(options: dict[str, Any], page: str) -> str:
    """Where a chapter lies on GitHub, after the host's name."""
    repository = options["repository_url"].removeprefix("https://github.com/")
    return f"{repository}/blob/{options['repository_branch']}/{page}.ipynb"


def colab(options: dict[str, Any], page: str) -> str:
    """Where a chapter can be run without installing anything."""
    return f"https://colab.research.google.com/github/{place(options, page)}"


def facts(notebook: stamp.Json, options: dict[str, Any], page: str, link: str) -> str:
    """Minutes to read and to run, and where to run it, as HTML; empty for a notebook without a stamp."""
    recording = notebook["metadata"].get("pixelwise")
    if not recording or "seconds" not in recording:
        return ""
    return FACTS.format(
        reading=reading.measure(notebook).minutes,
        running=spell_seconds(recording["seconds"]),
        device="a CPU" if recording["device"] == "CPU" else recording["device"],
        place=place(options, page),
        colab=colab(options, page),
        notebook=link,
    )


def describe(app: Sphinx, page: str) -> str:
    """A page in one sentence."""
    return toc.purpose(page).get("question") or app.config.html_theme_options["tagline"]


def card(page: str) -> str:
    """Where the picture of a page lies."""
    return f"_static/cards/{page.replace('/', '-')}.png"


def name_page(app: Sphinx, page: str, below: list[str]) -> dict[str, Any]:
    """A page as the navigation lists it: a chapter by its number and what its title says before and after a colon."""
    title = app.env.titles[page].astext()
    called, _, about = title.partition(": ")
    return {
        "name": page,
        "title": title,
        "called": called,
        "about": about,
        "number": toc.numbers(Path(app.srcdir, app.config.external_toc_path)).get(page, ""),
        "below": [name_page(app, one, []) for one in below],
    }


def lay_out(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Hand the layout what it shows around a page."""
    if not isinstance(app.builder, StandaloneHTMLBuilder) or app.builder.name != "html":
        return
    contents = Path(app.srcdir, app.config.external_toc_path)
    parts, below = toc.parts(contents), toc.below(contents)
    titles, names = app.env.titles, {app.config.root_doc, *(name for _, names in parts for name in names)}
    _, before, after = app.builder.relations.get(pagename, (None, None, None))
    context["pw"] = {
        "policy": POLICY,
        "site": site_address(app.config),
        "description": describe(app, pagename) if doctree else context.get("description", ""),
        "card": card(pagename),
        "names": names,
        "parts": [
            {"caption": caption, "pages": [name_page(app, name, below[name]) for name in pages]}
            for caption, pages in parts
        ],
        "number": toc.numbers(contents).get(pagename, ""),
        "before": typography.signs(toc.purpose(before or "").get("question", "")),
        "after": typography.signs(toc.purpose(after or "").get("question", "")),
    }
    if "toc" in context:  # a formula is read in its signs, not in TeX as well
        context["toc"] = re.sub("<annotation.*?</annotation>", "", context["toc"], flags=re.DOTALL)
    source = Path(app.env.doc2path(pagename) if doctree else "")
    notebook = json.loads(source.read_text(encoding="utf-8")) if source.suffix == ".ipynb" else None
    if doctree:
        figure = notebook and chapters.thumbnail(pagename, notebook)
        cards.draw(titles[pagename].astext(), describe(app, pagename), Path(app.outdir, card(pagename)), figure)
    elif asked := context.get("asked"):
        cards.ask(asked.state["question"], asked.choices, Path(app.outdir, card(pagename)))
    if notebook and "</h1>" in context["body"]:
        link = context["pathto"](f"_sources/{pagename}.ipynb", 1)
        line = facts(notebook, app.config.html_theme_options, pagename, link)
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)


def write_files(app: Sphinx, error: Exception | None) -> None:
    """The sitemap, the page for wrong addresses, and the pictures that stand for the pages elsewhere."""
    if error or app.builder.name != "html":
        return
    asked = [f"{questions.FOLDER}/{path.stem}" for path in Path(app.outdir, questions.FOLDER).glob("*.html")]
    site, pages = site_address(app.config), sorted([*app.env.found_docs, *asked])
    urls = "".join(f"<url><loc>{site}{page}.html</loc></url>\n" for page in pages)
    namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{namespace}">\n{urls}</urlset>\n'
    Path(app.outdir, "sitemap.xml").write_text(text, encoding="utf-8")
    page = (THEME / "404.html").read_text(encoding="utf-8").replace("SITE", site)
    Path(app.outdir, "404.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it for sphinx_comments, which is not loaded
    app.add_html_theme("pixelwise", str(THEME))
    app.add_js_file("site.js")
    app.add_js_file("code.js", loading_method="defer")
    app.connect("html-page-context", lay_out)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
