"""What the pages need to read well: question boxes, and pictures that load late and keep their colours."""

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

QUESTION = "🙌"
IMAGE = re.compile(r"<img\b[^>]*>")
HANGUL = re.compile(r"[\uac00-\ud7a3]+(?:[ /·]+[\uac00-\ud7a3]+)*")
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)


def mark_questions(app: Sphinx, doctree: nodes.document) -> None:
    """Give the class `pw-question` to each block quote that opens with 🙌."""
    for quote in doctree.findall(nodes.block_quote):
        if quote.astext().lstrip().startswith(QUESTION):
            quote["classes"].append("pw-question")


def finish_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Let pictures load when they come into view, at a known size, wide tables scroll, and Korean be read as Korean."""
    if "body" not in context:
        return
    sources = {name: path for path, name in app.builder.images.items()}
    body = IMAGE.sub(lambda match: finish(match.group(), sources, Path(app.srcdir)), context["body"])
    context["body"] = mark_korean(TABLE.sub(scroll, body))


def scroll(table: re.Match[str]) -> str:
    """A table in a frame that scrolls, so that the page need not; a value and its spread stay on one line."""
    text = table[0].replace(" ± ", "\u00a0±\u00a0")
    return f'<div class="pw-scroll">{text}</div>'


def mark_korean(body: str) -> str:
    """Tell browsers and screen readers which words are Korean."""

    def mark(words: re.Match[str]) -> str:
        in_a_tag = body.rfind("<", 0, words.start()) > body.rfind(">", 0, words.start())
        return words[0] if in_a_tag else f'<span lang="ko">{words[0]}</span>'

    return HANGUL.sub(mark, body)


def finish(tag: str, sources: dict[str, str], folder: Path) -> str:
    """An img tag with the attributes that the author need not write: late loading, and its size on the page."""
    added = {"loading": "lazy", "decoding": "async"}
    source = re.search(r'\bsrc="([^"]*)"', tag)
    file = folder / sources.get(Path(source.group(1)).name, "") if source else folder
    if file.is_file() and file.suffix != ".svg" and not re.search(r"\b(width|height)=", tag):
        with Image.open(file, formats=["PNG", "JPEG", "GIF", "WEBP"]) as picture:
            width, height = picture.size
        if style := re.search(r' style="width: (\d+)px;"', tag):
            tag = tag.replace(style[0], "")
            width, height = int(style[1]), round(height * int(style[1]) / width)
        added |= {"width": width, "height": height}
    attributes = "".join(f' {name}="{value}"' for name, value in added.items() if f" {name}=" not in tag)
    return tag.replace("<img", f"<img{attributes}", 1)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-read", mark_questions)
    app.connect("html-page-context", finish_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
