"""What the pages need to read well: boxes for questions and predictions, captions, a chapter's end at its beginning.

Pictures load late, at a known size. A figure of ours has a second rendering for dark pages (renderings.py).
"""

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

from book.extensions import renderings, tables, typography
from book.extensions.folds import is_caption, neighbours

QUESTION, PREDICT = "🙌", "Predict"
FIVE = "In five lines"
IMAGE = re.compile(r"<img\b[^>]*>")
LINKED = re.compile(r'<a class="[^"]*\bimage-reference" href="[^"]*">\s*(<img\b[^>]*>)\s*</a>')
"""A picture that a cell shows; Sphinx links it to its file."""
LARGER = """<div class="pw-pane">{tags}</div>
<button type="button" class="pw-larger" popovertarget="{name}">Larger</button>
<div class="pw-large" id="{name}" popover role="dialog" aria-label="The figure in the width of the window">
<button type="button" autofocus popovertarget="{name}" popovertargetaction="hide">Close</button>{tags}</div>"""
HANGUL = re.compile(r"[\uac00-\ud7a3]+(?:[ /·]+[\uac00-\ud7a3]+)*")
HEADERLINK = re.compile(r'(?<=<a class="headerlink") (href="[^"]*") title="Link to this (?:heading|(\w+))"')
NOTE = re.compile(r'<span role="tooltip".*?</span>', re.DOTALL)


Visitor = Callable[[HTML5Translator, nodes.Element], None]


class Captioned(nodes.General, nodes.Element):
    """What a cell shows, with its caption."""


class Caption(nodes.General, nodes.Element):
    """The text of a caption."""


class Five(nodes.General, nodes.Element):
    """A chapter's five lines, folded, at its top."""


def mark_questions(app: Sphinx, doctree: nodes.document) -> None:
    """Give the class `pw-question` to each block quote that opens with 🙌, in the place of that sign."""
    for quote in doctree.findall(nodes.block_quote):
        first = next(quote.findall(nodes.Text), None)
        if first and first.lstrip().startswith(QUESTION):
            quote["classes"].append("pw-question")
            first.parent.replace(first, nodes.Text(first.lstrip().removeprefix(QUESTION).lstrip()))


def mark_predictions(app: Sphinx, doctree: nodes.document) -> None:
    """Set what asks for a prediction, in italics in the source, upright in a box of its own, out of its paragraph."""
    for paragraph in list(doctree.findall(nodes.paragraph)):
        parts = paragraph.children
        for place, part in enumerate(parts):
            if isinstance(part, nodes.emphasis) and part.astext().startswith(PREDICT):
                box = nodes.paragraph("", "", *part.children, classes=["pw-predict"])
                around = trimmed(parts[:place]), box, trimmed(parts[place + 1 :])
                paragraph.replace_self([one for one in around if one.children])
                break


def trimmed(parts: list[nodes.Node]) -> nodes.paragraph:
    """A paragraph of these parts, with no blanks at its ends."""
    cut = list(parts)
    if cut and isinstance(cut[0], nodes.Text):
        cut[0] = nodes.Text(cut[0].lstrip())
    if cut and isinstance(cut[-1], nodes.Text):
        cut[-1] = nodes.Text(cut[-1].rstrip())
    return nodes.paragraph("", "", *(part for part in cut if part.astext()))


def caption_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Make a figure of what a cell shows and of the caption below it."""
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("nb_element") != "cell_code" or not is_caption(after := neighbours(cell)[1]):
            continue
        shown = [part for part in cell.children if isinstance(part, nodes.Element) and shows_picture(part)]
        if not shown or not isinstance(after, nodes.paragraph):
            continue
        after.parent.remove(after)
        place = cell.index(shown[0])
        figure = Captioned("", *(part for part in shown), Caption("", *after[0].children))
        for part in shown:
            cell.remove(part)
        cell.insert(place, figure)


def shows_picture(output: nodes.Element) -> bool:
    """Whether an output of a cell is a picture or a table."""
    tables = ("<table" in raw.astext() for raw in output.findall(nodes.raw))
    return output.get("nb_element") == "cell_code_output" and (any(output.findall(nodes.image)) or any(tables))


def repeat_five_lines(app: Sphinx, doctree: nodes.document) -> None:
    """Put the list of the section "In five lines", folded, below the title."""
    for section in doctree.findall(nodes.section):
        lines = next(iter(section.findall(nodes.enumerated_list)), None)
        if section[0].astext() != FIVE or lines is None:
            continue
        copied = lines.deepcopy()
        for raw in copied.findall(nodes.raw):
            raw.children = [nodes.Text(NOTE.sub("", raw.astext()))]  # a note stands where its term is first in the text
        for element in copied.findall(nodes.Element):
            element["ids"] = []
        title = next(iter(doctree.findall(nodes.title)))
        stamped = isinstance(neighbours(title)[1], nodes.raw)
        title.parent.insert(title.parent.index(title) + 1 + stamped, Five("", copied))
        return


def finish_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Let pictures load when they come into view, at a known size, wide tables scroll, and Korean be read as Korean."""
    if "body" not in context:
        return
    sources = {name: path for path, name in app.builder.images.items()}
    images = Path(app.outdir, "_images") if app.builder.name == "html" else None
    names = (f"large-{number}" for number in count(1))

    def enlarge(link: re.Match[str]) -> str:
        tags = finish(link[1], sources, Path(app.srcdir), images)
        return LARGER.format(tags=tags, name=next(names)) if images else tags

    body = LINKED.sub(enlarge, context["body"])
    body = IMAGE.sub(lambda match: finish(match[0], sources, Path(app.srcdir), images), body)
    body = HEADERLINK.sub(name_link, typography.compose(body))
    context["body"] = mark_korean(tables.TABLE.sub(tables.finish, body))


def name_link(link: re.Match[str]) -> str:
    """A heading's link is for the hand: by keys the list of sections leads there, and a heading is read without it."""
    said = f"Link to this {link[2] or 'section'}"
    return f' {link[1]} title="{said}" aria-hidden="true" tabindex="-1"'


def mark_korean(body: str) -> str:
    """Tell browsers and screen readers which words are Korean."""

    def mark(words: re.Match[str]) -> str:
        in_a_tag = body.rfind("<", 0, words.start()) > body.rfind(">", 0, words.start())
        return words[0] if in_a_tag else f'<span lang="ko">{words[0]}</span>'

    return HANGUL.sub(mark, body)


def finish(tag: str, sources: dict[str, str], folder: Path, images: Path | None = None) -> str:
    """An img tag with the attributes that the author need not write: late loading, and its size on the page.

    Of a figure that says what in it keeps its colours there are two, for light and for dark pages, in `images`.
    """
    added = {"loading": "lazy", "decoding": "async"}
    source = re.search(r'\bsrc="([^"]*)"', tag)
    file = folder / sources.get(Path(source[1]).name, "") if source else folder
    found = file.is_file() and file.suffix != ".svg"
    if found and not re.search(r"\b(width|height)=", tag):
        with Image.open(file, formats=["PNG", "JPEG", "GIF", "WEBP"]) as picture:
            width, height = picture.size
        if style := re.search(r' style="width: (\d+)px;"', tag):
            tag = tag.replace(style[0], "")
            width, height = int(style[1]), round(height * int(style[1]) / width)
        added |= {"width": width, "height": height}
    attributes = "".join(f' {name}="{value}"' for name, value in added.items() if f" {name}=" not in tag)
    tag = tag.replace("<img", f"<img{attributes}", 1)
    return renderings.pair(tag, file, images) if images and found else tag


def element(start: str, end: str) -> tuple[Visitor, Visitor]:
    """How a node becomes HTML: what opens it and what closes it."""
    return lambda self, node: self.body.append(f"{start}\n"), lambda self, node: self.body.append(f"{end}\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(Captioned, html=element('<figure class="pw-figure">', "</figure>"))
    app.add_node(Caption, html=element("<figcaption>", "</figcaption>"))
    app.add_node(Five, html=element(f'<details class="pw-five"><summary>{FIVE}</summary>', "</details>"))
    app.connect("doctree-read", mark_questions)
    app.connect("doctree-read", mark_predictions, priority=600)  # when folds know what is no caption
    app.connect("doctree-read", caption_figures, priority=600)
    app.connect("doctree-read", repeat_five_lines, priority=900)  # when the text has its notes
    app.connect("html-page-context", finish_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
