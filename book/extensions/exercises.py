"""Exercises in the pages: a field or a choice where a page can check the answer, the notebook where it takes code.

A notebook asks in a cell of `exercises.check("chapter.name", ...)`. In a page stands what exercises.js makes a form of;
without a script, in print and in e-books there remain the question, the solution and a link to the notebook.
"""

import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

from book import checkers
from book.extensions.pages import colab

SCRIPT = "exercises.js"
CHECK = re.compile(r'exercises\.check\("([\w.]+)", \.\.\.\)')
NUMBER = re.compile(r"(\d+)\.")
ASKED = re.compile(r'data-exercise="([\w.]+)"')
END = re.compile(r"[ ,;.?]*(?:\bor)?$")
"""What ends a choice in a sentence that lists them."""
IN_THE_NOTEBOOK = "Put your answer in place of the dots and run the cell. A wrong answer gets a hint."
IN_A_PAGE = "Numbers and choices are checked on the site, code in the notebook. A wrong answer gets a hint."


def host(names: list[str], notebook: str, number: str = "", text: str = "") -> str:
    """The HTML in the place of a cell that checks `names` of exercise `number`; `notebook` is where it can be run.

    Of the exercise's `text` each choice is labelled with its part.
    """
    link = f'<a href="{escape(notebook)}">in the notebook</a>'
    parts = []
    for place, name in enumerate(names, start=1):
        if checkers.asked(name):
            label = f"Answer {place}" if len(names) > 1 else "Your answer"
            label += f" to exercise {number}" if number else ""
            labels = label_choices(checkers.options(name), text)
            told = "".join(f' data-{i}="{escape(words)}"' for i, words in enumerate(labels))
            parts.append(f'<div data-exercise="{name}" data-label="{label}"{told}></div>')
        else:
            parts.append(f"<p>This one asks for code: solve it {link}.</p>")
    if any(map(checkers.asked, names)):
        parts.append(f'<p class="pw-unscripted">Check your answer {link}.</p>')
    return f'<div class="pw-exercise">{"".join(parts)}</div>'


def put_fields(app: Sphinx, doctree: nodes.document) -> None:
    """Put what a page shows in the place of the cells that check, and of the sentence that tells to run them."""
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("nb_element") != "cell_code":
            continue
        code = next((block.astext() for block in cell.findall(nodes.literal_block)), "")
        if names := CHECK.findall(code):
            notebook = colab(app.config.html_theme_options, app.env.docname)
            cell.replace_self(nodes.raw("", host(names, notebook, *exercise_above(cell)), format="html"))
    for paragraph in list(doctree.findall(nodes.paragraph)):
        if " ".join(paragraph.astext().split()) == IN_THE_NOTEBOOK:
            paragraph.replace_self(nodes.paragraph("", IN_A_PAGE))


def exercise_above(cell: nodes.Element) -> tuple[str, str]:
    """The number in bold at the head of the exercise that a cell checks, and its text; or nothing."""
    above = cell.parent.children[: cell.parent.index(cell)]
    for place, node in reversed(list(enumerate(above))):
        strong = next(iter(node.findall(nodes.strong)), None) if isinstance(node, nodes.paragraph) else None
        if strong and node.astext().startswith(strong.astext()) and (found := NUMBER.fullmatch(strong.astext())):
            return found[1], " ".join("\n".join(part.astext() for part in above[place:]).split())
    return "", ""


def label_choices(options: list[str], text: str) -> list[str]:
    """Each option with what the text of its exercise says of it, as in "(a) more heads; (b) …", "A: …" or '"a": …'."""
    found = {option: re.search(rf'(?<!\w)["“(]?{option}(?:\)|["”]?:)\s', text) for option in options}
    ends = [mark.start() for mark in found.values() if mark] + [len(text)]

    def label(option: str, mark: re.Match[str] | None) -> str:
        if mark is None:
            return option
        told = text[mark.end() : min(end for end in ends if end >= mark.end())]
        return f"{option}: {END.sub('', told.strip())}"

    return [label(option, mark) for option, mark in found.items()]


def write_checkers(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Compile the checkers of a page into a file, and let the page load it."""
    names = list(dict.fromkeys(ASKED.findall(context.get("body", ""))))
    if not names or app.builder.format != "html" or app.builder.name == "epub":
        return
    try:
        script = checkers.script(names)
    except checkers.NotForAPageError as error:
        raise ExtensionError(str(error)) from error
    file = f"exercises/{pagename.rpartition('/')[2]}.js"
    path = Path(app.outdir, "_static", file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script, encoding="utf-8")
    app.add_js_file(SCRIPT, loading_method="defer", priority=600)
    app.add_js_file(file, loading_method="defer", priority=601)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-read", put_fields)
    app.connect("html-page-context", write_checkers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
