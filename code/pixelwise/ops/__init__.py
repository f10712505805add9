"""The operations that the chapters take apart, written to be read: plain tensor code, differentiable, not fast.

`__init__.pyi` lists the names and the file of each. A file is imported when one of its names is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
