"""What the pages need to read well: question boxes, pictures that load late and keep their colours, and the styles."""

import re
from pathlib import Path

from docutils import nodes
from PIL import Image

STATIC = Path(__file__).resolve().parents[1] / "static"
QUESTION = "🙌"
IMAGE = re.compile(r"<img\b[^>]*>")


def mark_questions(app, doctree):
    """Give the class `pw-question` to each block quote that opens with 🙌."""
    for quote in doctree.findall(nodes.block_quote):
        if quote.astext().lstrip().startswith(QUESTION):
            quote["classes"].append("pw-question")


def finish_images(app, pagename, templatename, context, doctree):
    """Let pictures load when they come into view, at a known size, and stay as they are in dark mode."""
    if "body" not in context:
        return
    sources = {name: path for path, name in app.builder.images.items()}
    context["body"] = IMAGE.sub(lambda match: finish(match.group(), sources, Path(app.srcdir)), context["body"])


def finish(tag: str, sources: dict[str, str], folder: Path) -> str:
    """An img tag with the attributes that the author need not write."""
    added = {"loading": "lazy", "decoding": "async"}
    source = re.search(r'\bsrc="([^"]*)"', tag)
    file = folder / sources.get(Path(source.group(1)).name, "") if source else folder
    if file.is_file() and file.suffix != ".svg" and not re.search(r"\b(width|height|style)=", tag):
        with Image.open(file) as picture:
            added["width"], added["height"] = picture.size
    attributes = "".join(f' {name}="{value}"' for name, value in added.items() if f" {name}=" not in tag)
    if 'class="' not in tag:
        attributes += ' class="dark-light"'
    elif "dark-light" not in tag:
        tag = tag.replace('class="', 'class="dark-light ', 1)
    return tag.replace("<img", f"<img{attributes}", 1)


def add_styles(app):
    app.config.html_static_path.append(str(STATIC))
    app.add_css_file("pixelwise.css")


def read_in_parallel(app, config):
    """Vouch for a collector that only forgot to say so: it extends Sphinx's own, which merges what workers read."""
    if extension := app.extensions.get("sphinx_multitoc_numbering"):
        extension.parallel_read_safe = True


def setup(app):
    app.connect("config-inited", read_in_parallel)
    app.connect("builder-inited", add_styles)
    app.connect("doctree-read", mark_questions)
    app.connect("html-page-context", finish_images)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
