"""Formulas as MathML, made while the book is built: the browser draws them without any script."""

import html
from typing import NoReturn

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)
converter = LatexToMathML(annotation=True, fancy_error=False)


def convert(latex: str, display: bool = False) -> str:
    """The MathML of a formula, which carries its LaTeX as an annotation; LatexError when it has a mistake."""
    return converter.convert_with_local_state(latex, displaystyle=display)


def _formula(node: nodes.Element, display: bool) -> str:
    try:
        return convert(node.astext(), display)
    except LatexError as error:
        logger.warning("formula %r cannot be rendered: %s", node.astext(), error, location=node)
        return f"<code>{html.escape(node.astext())}</code>"


def inline(translator: HTML5Translator, node: nodes.math) -> NoReturn:
    translator.body.append(_formula(node, display=False))
    raise nodes.SkipNode


def block(translator: HTML5Translator, node: nodes.math_block) -> NoReturn:
    identifier = f' id="{node["ids"][0]}"' if node["ids"] else ""
    formula = _formula(node, display=True)
    translator.body.append(f'<div class="pw-math"{identifier}>{formula}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
