"""Networks, blocks and operations, drawn from a live model: each function takes a network and returns a drawing.

A cell shows the drawing that is its last value; `drawing.svg()` is the file. The author of a drawing names the parts
and their places; every number comes from a traced forward pass (`pixelwise.analysis.trace`). A colour stands for a
kind of operation, the same one everywhere (`ink`).

`__init__.pyi` lists the names and the file of each. A file is imported when one of its names is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
