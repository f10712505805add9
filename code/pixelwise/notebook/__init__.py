"""What a notebook uses beside the subject: how it runs, what it asserts, and its results by network and seed."""

from . import claims, course

__all__ = ["claims", "course"]
