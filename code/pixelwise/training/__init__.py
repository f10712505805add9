"""Training: one loop, its recipe, its losses, and the metrics that judge the result."""

from . import losses
from ..evaluation import metrics
from .checkpoint import CheckpointError
from .history import History
from ..evaluation.inference import evaluate, predict
from .loop import fit
from .recipe import Recipe

__all__ = ["CheckpointError", "History", "Recipe", "evaluate", "fit", "losses", "metrics", "predict"]
