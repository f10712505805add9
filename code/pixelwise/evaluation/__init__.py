"""Evaluation: what a trained network says, and what it is worth."""

from . import metrics
from .inference import evaluate, heads, predict

__all__ = ["evaluate", "heads", "metrics", "predict"]
