"""Code that is folded: a box below what the cell shows and its caption; a click, a key, a search in the page open it.

Folded cells that show nothing join the next one where nothing stands between them: one box holds all that made a
figure. A cell can be folded with what it shows: so are the claims that settle a question, and they join the box below
it. The call of an interactive figure, which a notebook needs in sight, is folded here by itself. The box is HTML's own,
so it needs no script; an e-reader that does not know it shows what is in it, and paper shows of it what is no code.
"""

from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

from tools import folds

CHECK = folds.LABELS["check"]
ALIVE = 'data-explorable="'
"""In an output that is an interactive figure."""


class Fold(nodes.General, nodes.Element):
    """The code of one or more cells, below `label`; whether the last of them `shows` something."""


def fold_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Put the code of each folded cell into a box; MyST-NB, which would make one of its own, sees none any more."""
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("nb_element") != "cell_code":
            continue
        mode = cell.get("hide_mode")
        if mode in ("input", "all"):
            del cell["hide_mode"]
            try:
                label = folds.label({"metadata": cell["cell_metadata"]})
            except ValueError as error:
                raise ExtensionError(f"{app.env.docname}, cell {cell['cell_index'] + 1} {error}") from error
        elif any(ALIVE in output.astext() for output in cell.findall(nodes.raw)):
            label = folds.LABELS["figure"]  # in the page the figure is alive without the line that calls it
        else:
            continue
        away = mode == "all"
        code, *outputs = cell.children
        for block in code.findall(nodes.literal_block):
            block.rawsource = folds.untitled(block.astext())
            block.children = [nodes.Text(block.rawsource)]
        before, after = neighbours(cell)
        box = Fold(label=label, shows=bool(outputs) and not away)
        if isinstance(before, Fold) and not before["shows"] and joins(before, box):
            box.extend(before.children)
            box["label"] = CHECK if before["label"] == CHECK else label
            before.parent.remove(before)
        box.append(code)
        if away:
            box.extend(outputs)
            cell.replace_self(box)
        elif outputs:
            cell.children = []
            cell.extend(outputs)
            captioned = label != CHECK and is_caption(after)
            cell.parent.insert(cell.parent.index(cell) + 1 + captioned, box)
        else:
            cell.replace_self(box)


def joins(before: Fold, box: Fold) -> bool:
    """Whether a box goes on with the one before it: checks with more checks and with a question that they settle."""
    return before["label"] != CHECK or box["label"] in (CHECK, folds.LABELS["question"])


def neighbours(node: nodes.Element) -> tuple[nodes.Node | None, nodes.Node | None]:
    """What stands directly before and after a node in the same section."""
    around = node.parent.children
    place = around.index(node)
    return around[place - 1] if place else None, around[place + 1] if place + 1 < len(around) else None


def is_caption(node: nodes.Node | None) -> bool:
    """Whether a node is a paragraph all in italics, which is how chapters write captions, and asks nothing."""
    if not isinstance(node, nodes.paragraph) or [type(part) for part in node.children] != [nodes.emphasis]:
        return False
    return not node.astext().startswith("Predict") and not node.astext().endswith("?")


def open_box(self: HTML5Translator, node: Fold) -> None:
    self.body.append(f'<details class="pw-fold"><summary>{escape(node["label"])}</summary>\n')


def close_box(self: HTML5Translator, node: Fold) -> None:
    self.body.append("</details>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(Fold, html=(open_box, close_box))  # in e-books too
    app.connect("doctree-read", fold_cells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
