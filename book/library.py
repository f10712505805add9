"""What the library offers, read from its source without importing it: names, signatures, docstrings, places.

A room is a package of the library. Its names are those that it exports, by `__all__` or by the stub of a lazy package.
A module that it exports, that a chapter imports from, or that is a command adds its own. Importing torch alone would
take longer than all of this; and where a file and a function share a name, tools for any source see the file only.
"""

import ast
import copy
import importlib
import inspect
import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools import stamp

PACKAGE = "pixelwise"
Callable = ast.FunctionDef | ast.AsyncFunctionDef
VALUE = ast.Assign | ast.AnnAssign
Definition = Callable | ast.ClassDef | VALUE


@dataclass(frozen=True)
class Entry:
    """A public name: what it is, how it is written, what its docstring says, and where it stands."""

    module: str
    """The module that offers it, such as `pixelwise.models`."""
    name: str
    """In that module, such as `FCN` or `FCN.forward`."""
    kind: str
    """In the words of Sphinx: function, class, exception, method, property, attribute, data."""
    signature: str
    """What follows the name of a callable: parameters and result; of a value: its type and the value."""
    text: str
    file: Path
    lines: tuple[int, int]
    members: tuple["Entry", ...] = ()

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Module:
    """A module with public names."""

    name: str
    text: str
    file: Path
    entries: tuple[Entry, ...]
    elsewhere: tuple[str, ...] = ()
    """Names that it defines and the room lists as its own."""


@cache
def rooms() -> tuple[str, ...]:
    """The packages of the library, in the order of the alphabet."""
    return tuple(sorted(path.parent.name for path in (stamp.LIBRARY / PACKAGE).glob("*/__init__.py")))


@cache
def room(name: str) -> tuple[Module, ...]:
    """The modules of a room: first the package with what it exports, then those that add names of their own."""
    package = f"{PACKAGE}.{name}"
    tree = _tree(_file(package))
    homes = _imports(package) | dict.fromkeys(_definitions(tree), package)
    listed = _exports(package)
    modules = {one: f"{package}.{one}" for one in listed if one not in homes and _is_module(f"{package}.{one}")}
    for one in set(listed) - set(homes) - set(modules):  # exported by a rule that only the running package knows
        homes[one] = next(home for home in _modules(package) if one in _public(home))
    entries = [_entry(package, homes[one], one) for one in listed if one not in modules]
    taken = {(homes[entry.name], entry.name) for entry in entries}
    own = Module(package, _docstring(tree), _file(package), tuple(sorted(entries, key=_order)))
    asked = {module for module, _ in chapter_imports() if module.startswith(f"{package}.")}
    commands = {module for module in _scripts() if module.startswith(f"{package}.")}
    return own, *(_module(module, taken) for module in sorted({*modules.values(), *asked, *commands}))


@cache
def entries() -> dict[str, Entry]:
    """Every public name of the library with its members, by its path, such as `pixelwise.models.FCN.forward`."""
    found: dict[str, Entry] = {}
    for name in rooms():
        for module in room(name):
            for entry in module.entries:
                found |= {one.path: one for one in (entry, *entry.members)}
    return found


def undocumented(found: Iterable[Entry]) -> list[str]:
    """The paths of those without a docstring. A network's `forward` needs none: its class says what it computes."""
    return [entry.path for entry in found if not entry.text and not entry.name.endswith(".forward")]


def options(command: str) -> list[tuple[str, str]]:
    """The options of a command and what each means, from the tables that make its parser; nothing for other modules."""
    if command not in _scripts():
        return []
    homes = [command, *(home for home in _imports(command).values() if home.count(".") == command.count("."))]
    tables = [_definitions(_tree(_file(home))).get("OPTIONS") for home in dict.fromkeys(homes)]
    calls = [node for table in tables if table for node in ast.walk(table) if isinstance(node, ast.Call)]
    found = [call for call in calls if ast.unparse(call.func) == "Option"]
    return [(_spell_text(call.args[0]), _spell_text(call.args[2])) for call in sorted(found, key=lambda c: c.lineno)]


def resolve(name: str, imports: dict[str, str]) -> str:
    """The path of a name as a notebook writes it: `models.FCN` after `from pixelwise import models`."""
    first, _, rest = name.partition(".")
    return f"{imports.get(first, first)}{'.' if rest else ''}{rest}"


def imports(sources: list[str]) -> dict[str, str]:
    """What the code of a notebook's cells imports by `from … import`: the path behind each name."""
    nodes = [node for text in sources for node in ast.parse(text).body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in nodes for alias in node.names}


def _module(name: str, taken: set[tuple[str, str]]) -> Module:
    """A module with the names that the room does not list as its own, and the names that it does."""
    tree = _tree(_file(name))
    asked = {imported for module, imported in chapter_imports() if module == name and imported}
    public = {"main"} if name in _scripts() else {*_exports(name), *asked}
    homes = _imports(name) | dict.fromkeys(_definitions(tree), name)
    elsewhere = sorted(one for one in public if (homes[one], one) in taken)
    entries = sorted((_entry(name, homes[one], one) for one in public.difference(elsewhere)), key=_order)
    return Module(name, _docstring(tree), _file(name), tuple(entries), tuple(elsewhere))


def _order(entry: Entry) -> tuple[bool, str]:
    """By name, constants last."""
    return entry.kind == "data", entry.name.lower()


def _exports(module: str) -> list[str]:
    """The names that a module offers: those of its stub or its `__all__`, or else whatever is public in it."""
    stub = _file(module).with_suffix(".pyi")
    if stub.is_file():
        return [alias.name for node in _tree(stub).body if isinstance(node, ast.ImportFrom) for alias in node.names]
    for node in _tree(_file(module)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return _public(module) or sorted(getattr(importlib.import_module(module), "__all__", ()))


@cache
def _public(module: str) -> list[str]:
    """What a module defines without an underscore; of its values those that it says something of."""
    file = _file(module)
    tree = _tree(file)
    named = {name: node for name, node in _definitions(tree).items() if not name.startswith("_")}
    return [name for name, node in named.items() if not isinstance(node, VALUE) or _note(node, tree, file)]


def _imports(module: str, levels: int = 1) -> dict[str, str]:
    """The module of the library that each name comes from which a module, or its stub, imports; `levels` up at most."""
    stub = _file(module).with_suffix(".pyi")
    homes = {}
    for node in _tree(stub if stub.is_file() else _file(module)).body:
        if isinstance(node, ast.ImportFrom) and 0 < node.level <= levels and node.module:
            folder = _file(module).parents[node.level - 1].relative_to(stamp.LIBRARY)
            homes |= {alias.name: ".".join((*folder.parts, node.module)) for alias in node.names}
    return homes


def _modules(package: str) -> list[str]:
    names = (path.stem for path in _file(package).parent.glob("*.py"))
    return [f"{package}.{name}" for name in sorted(names) if name != "__init__"]


@cache
def chapter_imports() -> frozenset[tuple[str, str]]:
    """(module, name) for what chapters import from modules of a room; the name is empty where it is the module."""
    found = set()
    for path in stamp.notebooks():
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = map(stamp.source, stamp.code_cells(notebook))
        for place in imports([text for text in cells if f"from {PACKAGE}." in text]).values():
            home, _, name = place.rpartition(".")
            if home.startswith(f"{PACKAGE}."):
                is_module = _is_module(place) and name not in _imports(home)
                found.add((place, "") if is_module else (home, name))
    return frozenset((module, name) for module, name in found if module.count(".") > 1)


def _is_module(path: str) -> bool:
    return stamp.module_file(path) is not None


@cache
def _scripts() -> tuple[str, ...]:
    """The modules that are commands by the project's settings."""
    project = tomllib.loads((stamp.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return tuple(place.partition(":")[0] for place in project["scripts"].values())


@cache
def _file(module: str) -> Path:
    path = stamp.module_file(module)
    if path is None:
        raise ModuleNotFoundError(f"there is no module {module} in {stamp.LIBRARY}")
    return path


@cache
def _source(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(_source(file))


def _docstring(node: ast.Module | ast.ClassDef | Callable) -> str:
    return ast.get_docstring(node) or ""


def _definitions(tree: ast.Module | ast.ClassDef) -> dict[str, Definition]:
    """What a module or a class defines: functions, classes, and values that are given one name."""
    found: dict[str, Definition] = {}
    for node in tree.body:
        if isinstance(node, Callable | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


def _entry(module: str, home: str, name: str) -> Entry:
    """The name that `module` offers and `home` defines, or hands on from one of its own modules."""
    while name not in _definitions(_tree(_file(home))) and name in _imports(home):
        home = _imports(home)[name]  # a package hands on what one of its modules defines
    file = _file(home)
    tree = _tree(file)
    return _describe(module, name, _definitions(tree)[name], tree, home)


def _describe(module: str, name: str, node: Definition, parent: ast.Module | ast.ClassDef, home: str) -> Entry:
    in_class = isinstance(parent, ast.ClassDef)
    members: tuple[Entry, ...] = ()
    if isinstance(node, ast.ClassDef):
        raised = any(ast.unparse(base).endswith(("Error", "Warning", "Exception")) for base in node.bases)
        kind = "exception" if raised else "class"
        signature, text = _constructor(node, home), _docstring(node)
        inner = [(one, inside) for one, inside in _definitions(node).items() if not one.startswith("_")]
        made = [_describe(module, f"{name}.{one}", inside, node, home) for one, inside in inner]
        members = tuple(one for one in made if one.text or one.name.endswith(".forward"))
    elif isinstance(node, Callable):
        decorators = {ast.unparse(one).rpartition(".")[2] for one in node.decorator_list}
        is_property = bool(decorators & {"property", "cached_property"})
        kind = ("property" if is_property else "method") if in_class else "function"
        bound = in_class and "staticmethod" not in decorators
        signature = _spell_type(node.returns) if is_property else _parameters(node, bound)
        text = _docstring(node)
    else:
        kind, text = "attribute" if in_class else "data", _note(node, parent, _file(home))
        signature = _spell_value(node)
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    return Entry(module, name, kind, signature, text, _file(home), (first, node.end_lineno or first), members)


def _note(node: ast.stmt, parent: ast.Module | ast.ClassDef, file: Path) -> str:
    """What is said of a value: a string below it, or a comment above it that opens with `#:`."""
    place = parent.body.index(node)
    match parent.body[place + 1 : place + 2]:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return inspect.cleandoc(text)
    above = _source(file).splitlines()[: node.lineno - 1]
    return above[-1].strip().removeprefix("#:").strip() if above and above[-1].strip().startswith("#:") else ""


def _constructor(node: ast.ClassDef, home: str) -> str:
    """The parameters that make an object of a class; nothing where a class of another library says them."""
    inside = _definitions(node).get("__init__")
    if isinstance(inside, Callable):
        return _parameters(inside, bound=True).partition(" -> ")[0]
    if fields := list(_fields(node, home)):
        named = [text for text, by_name in fields if by_name]
        return f"({', '.join([text for text, by_name in fields if not by_name] + ['*', *named] * bool(named))})"
    return next((signature for base, place in _bases(node, home) if (signature := _constructor(base, place))), "")


def _fields(node: ast.ClassDef, home: str) -> Iterator[tuple[str, bool]]:
    """The fields of a dataclass or a named tuple, those of its bases first: as a parameter, and if by name only."""
    decorators = {ast.unparse(one).partition("(")[0].rpartition(".")[2] for one in node.decorator_list}
    if "dataclass" not in decorators and "NamedTuple" not in {ast.unparse(base) for base in node.bases}:
        return
    for base, place in _bases(node, home):
        yield from _fields(base, place)
    for name, field in _definitions(node).items():
        if isinstance(field, ast.AnnAssign) and not ast.unparse(field.annotation).startswith("ClassVar"):
            given = ast.unparse(field.value) if field.value else ""
            default = f" = {'...' if given.startswith('field(') else given}" if given else ""
            yield f"{name}: {_spell_type(field.annotation)}{default}", "kw_only=True" in given


def _bases(node: ast.ClassDef, home: str) -> Iterator[tuple[ast.ClassDef, str]]:
    """The classes that a class is made of, as far as they are the library's."""
    places = _imports(home, levels=3) | dict.fromkeys(_definitions(_tree(_file(home))), home)
    for base in map(ast.unparse, node.bases):
        if base in places and stamp.module_file(places[base]):
            found = _definitions(_tree(_file(places[base]))).get(base)
            if isinstance(found, ast.ClassDef):
                yield found, places[base]


def _parameters(node: Callable, bound: bool) -> str:
    """Parameters and result of a function; without self or cls where it is bound."""
    given = copy.deepcopy(node.args)
    for one in ast.walk(given):
        if isinstance(one, ast.arg) and isinstance(one.annotation, ast.Constant):
            one.annotation = ast.parse(_spell_type(one.annotation), mode="eval").body
    if bound:
        del (given.posonlyargs or given.args)[0]
    result = f" -> {_spell_type(node.returns)}" if node.returns else ""
    return f"({ast.unparse(given)}){result}"


def _spell_text(node: ast.expr) -> str:
    """A text as it stands in the source, with … for what is filled in."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)


def _spell_type(node: ast.expr | None) -> str:
    """A type without the quotes that put off its evaluation."""
    if node is None:
        return ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)


def _spell_value(node: ast.Assign | ast.AnnAssign) -> str:
    given = ast.unparse(node.value) if node.value else ""
    value = f" = {given}" if given and not given.startswith("field(") else ""
    kind = f": {_spell_type(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
    return f"{kind}{value}"
