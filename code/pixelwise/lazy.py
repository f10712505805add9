"""Packages that import a name when it is first asked for, so that a chapter loads only the modules that it uses.

Such a package lists its imports under ``if TYPE_CHECKING:``, where editors and type checkers read them, and calls
`attach` (the idea is SPEC 1 of the Scientific Python projects).
"""

import ast
import importlib
import sys
from pathlib import Path
from types import ModuleType


def attach(package: str) -> None:
    """Let each ``from .module import name`` in the source of `package` happen when `package.name` is first used.

    A function that is called like its module, as `ops.pixel_shuffle`, stays the package's whatever was imported first.
    AttributeError, which lists what there is, for any other name.
    """
    tree = ast.parse(Path(sys.modules[package].__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    homes = {imported.name: node.module for node in imports for imported in node.names}

    class Lazy(ModuleType):
        def __getattr__(self, name: str):
            if name in homes:
                found = getattr(importlib.import_module(f".{homes[name]}", package), name)
            elif name in homes.values():
                found = importlib.import_module(f".{name}", package)
            else:
                raise AttributeError(f"{package} has no {name!r}; it has {', '.join(homes)}")
            self.__dict__[name] = found
            return found

        def __setattr__(self, name: str, value) -> None:
            if not (name in homes and isinstance(value, ModuleType)):  # what importing a submodule does
                super().__setattr__(name, value)

        def __dir__(self) -> list[str]:
            return sorted({*super().__dir__(), *homes})

    sys.modules[package].__class__ = Lazy
