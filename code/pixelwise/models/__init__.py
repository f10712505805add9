"""Every network of the book, one readable file each; a network's file imports only `blocks` and `pixelwise.ops`.

A class is a family, which takes a backbone or numbers; a function in lower case is one network of a paper, ready to
use: `models.fcn8s()`, `models.resnet50(num_classes=11)`. `__init__.pyi` lists the names and the file of each. A file is
imported when one of its names is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
