"""Interactive figures: widgets where a kernel runs, alive without one in the built book.

lab = explorables.MetricTraps()
lab                      # shows it
lab.start = "no poles"   # sets what the browser shows; lab.prediction and lab.numbers() read it
"""

from .metric_traps import MetricTraps

__all__ = ["MetricTraps"]
