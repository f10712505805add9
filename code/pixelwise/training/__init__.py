"""Training: one loop, its recipe, and its losses. What judges the result is `pixelwise.evaluation`."""

from . import losses
from .checkpoint import CheckpointError
from .history import History, note_finished
from .loop import fit
from .recipe import Recipe

__all__ = ["CheckpointError", "History", "Recipe", "fit", "losses", "note_finished"]
