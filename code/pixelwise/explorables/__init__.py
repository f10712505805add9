"""Interactive figures: widgets where a kernel runs, alive without one in the built book.

lab = explorables.MetricTraps()
lab                      # shows it
lab.start = "no poles"   # sets what the browser shows; lab.prediction and lab.numbers() read it

Each is a front end, metric_traps.mjs, and a class in metric_traps.py; those in this folder are all there are.
"""

import importlib

from .modules import names

_MODULES = {name.title().replace("-", ""): name.replace("-", "_") for name in names()}
__all__ = sorted(_MODULES)


def __getattr__(name: str):
    if name not in _MODULES:
        raise AttributeError(f"pixelwise.explorables has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)  # only now: the bundle needs no torch


def __dir__() -> list[str]:
    return [*globals(), *__all__]
