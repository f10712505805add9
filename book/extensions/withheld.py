"""What a chapter says below a question, marked so that the site can withhold it until the reader commits to a guess.

It reaches from the question to the next heading or question, to code that stands open, or to a prediction that the
reader is asked for; the paragraph that leads up to one of these stays out of it. Of questions that
follow each other directly the text below the last is withheld until all of them have a guess.

The mark is an element without a look of its own, so the text is plain wherever the script (withheld.js) does not run:
without scripts, on paper, in an e-book, for a search engine.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

from book.extensions.explorables import HOST
from book.extensions.folds import Fold

ELEMENT = "pw-withheld"
PREFIX = "question-"


class Withheld(nodes.General, nodes.Element):
    """What the site withholds until each question of `asked` has a guess."""


def withhold(app: Sphinx, doctree: nodes.document) -> None:
    """Wrap what follows each question."""
    waiting: list[str] = []
    for cell in list(doctree.findall(nodes.container)):
        if not (name := asked(cell)):
            continue
        waiting.append(name)
        if found := below(cell):
            place = cell.parent.index(found[0])
            cell.parent.children[place : place + len(found)] = [box := Withheld("", *found, asked=waiting)]
            box.parent = cell.parent
        if found or not leads_to_question(cell):
            waiting = []


def below(cell: nodes.Element) -> list[nodes.Node]:
    """What is withheld below the cell of a question; nothing where another question follows at once."""
    found: list[nodes.Node] = []
    for node in following(cell):
        if isinstance(node, nodes.section):
            return found
        if asked(node) or predicts(node) or (found and stands_open(node)):
            return without_lead(found)
        if found or not (isinstance(node, Fold) or stands_open(node)):
            found.append(node)
    return found


def without_lead(found: list[nodes.Node]) -> list[nodes.Node]:
    """All but what leads up to the thing that ended it: boxes of code, and a paragraph that is not alone."""
    kept = list(found)
    while kept and isinstance(kept[-1], Fold):
        kept.pop()
    return kept[:-1] if len(kept) > 1 and isinstance(kept[-1], nodes.paragraph) else kept


def following(cell: nodes.Element) -> list[nodes.Node]:
    """What stands below a node in the same section."""
    return cell.parent.children[cell.parent.index(cell) + 1 :]


def leads_to_question(cell: nodes.Element) -> bool:
    """Whether nothing but code stands between a question and the next one."""
    return bool(asked(next((node for node in following(cell) if not isinstance(node, Fold)), None)))


def asked(node: nodes.Node | None) -> str:
    """The name of the question that a cell asks, or nothing."""
    if not isinstance(node, nodes.container) or node.get("nb_element") != "cell_code":
        return ""
    hosts = (host for raw in node.findall(nodes.raw) for host in HOST.finditer(raw.astext()))
    return next((host["own"].removeprefix(PREFIX) for host in hosts if host["own"]), "")


def predicts(node: nodes.Node) -> bool:
    """Whether a paragraph asks the reader for a prediction."""
    return isinstance(node, nodes.paragraph) and "pw-predict" in node["classes"]


def stands_open(node: nodes.Node) -> bool:
    """Whether a cell shows its code, or a figure to be tried."""
    if not isinstance(node, nodes.container) or node.get("nb_element") != "cell_code":
        return False
    shows = any(
        part.get("nb_element") == "cell_code_source" for part in node.children if isinstance(part, nodes.Element)
    )
    return shows or any(HOST.search(raw.astext()) for raw in node.findall(nodes.raw))


def open_element(self: HTML5Translator, node: Withheld) -> None:
    if self.builder.name == "html":
        self.body.append(f'<{ELEMENT} data-of="{" ".join(node["asked"])}">\n')


def close_element(self: HTML5Translator, node: Withheld) -> None:
    if self.builder.name == "html":
        self.body.append(f"</{ELEMENT}>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(Withheld, html=(open_element, close_element))
    app.add_js_file("withheld.js")
    app.connect("doctree-read", withhold, priority=950)  # when the text has its folds, captions and notes
    return {"parallel_read_safe": True, "parallel_write_safe": True}
