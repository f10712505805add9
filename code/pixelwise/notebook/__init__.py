"""What a notebook uses beside the subject: how it runs, what it asserts, and its results by network and seed."""

from . import claims, course
from .results import Results

__all__ = ["Results", "claims", "course"]
