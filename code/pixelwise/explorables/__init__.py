"""Interactive figures: widgets where a kernel runs, alive without one in the built book.

    lab = explorables.MetricTraps()
    lab                      # shows it
    lab.start = "no poles"   # sets what the browser shows; lab.prediction and lab.numbers() read it

Each is a front end, metric_traps.mjs, and a class in metric_traps.py; those in this folder are all there are. What
front ends share stands in shared/, a module for each purpose.
"""

import lazy_loader

from .sources import names

_CLASSES = {name.replace("-", "_"): [name.title().replace("-", "")] for name in names()}
# on first use: the bundle of the front ends needs no torch
__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs=_CLASSES)
