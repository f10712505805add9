"""Interactive figures: widgets where a kernel runs, alive without one in the built book.

lab = explorables.MetricTraps()
lab                      # shows it
lab.start = "no poles"   # sets what the browser shows; lab.prediction and lab.numbers() read it
"""

import importlib

__all__ = ["MetricTraps"]

_HOMES = {"MetricTraps": "metric_traps"}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"pixelwise.explorables has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)  # only now: the bundle needs no torch
