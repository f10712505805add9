"""Figures of the book, in one style for light and dark pages. Each function returns a `Card`, a matplotlib figure.

A cell shows the card that is its last value; `display(card)` shows one earlier. Nothing calls plt.show().
"""

from .charts import bars, confusion, curves, pareto, per_class_iou
from .pixels import DISPLAY_COLOURS, VOID_COLOUR, blend, colourise, mark_mistakes
from .sheets import show_scenes
from .style import MARKERS, SERIES, Card, panels, style
from .tables import Table, table

__all__ = [
    "DISPLAY_COLOURS",
    "MARKERS",
    "SERIES",
    "VOID_COLOUR",
    "Card",
    "Table",
    "bars",
    "blend",
    "colourise",
    "confusion",
    "curves",
    "mark_mistakes",
    "panels",
    "pareto",
    "per_class_iou",
    "show_scenes",
    "style",
    "table",
]
