"""The reference of the library: a page a room from its docstrings, and links there from source that chapters show."""

import ast
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from book import library
from tools import stamp

logger = logging.getLogger(__name__)

LONGEST_VALUE = 200
CODE = re.compile(r"(`+[^`]*`+)")
SHOWS = "show_source"
ROW = """<tr><th scope="row"><a href="{link}"><code>{name}</code></a></th>
<td>{summary}</td>
<td>{count}</td></tr>"""


def source_address(config: Config, entry: library.Entry) -> str:
    """Where the public repository shows the lines of an entry."""
    options = config.html_theme_options
    file = entry.file.relative_to(stamp.ROOT).as_posix()
    first, last = entry.lines
    return f"{options['repository_url']}/blob/{options['repository_branch']}/{file}#L{first}-L{last}"


def markdown(text: str) -> str:
    """A docstring as Markdown: what looks like a tag or a formula outside of code is meant as it stands."""
    return "\n".join(line if line.startswith("    ") else _escape(line) for line in text.splitlines())


def _escape(line: str) -> str:
    parts = CODE.split(line)
    return "".join(part if place % 2 else re.sub(r"([<$\\_])", r"\\\1", part) for place, part in enumerate(parts))


def describe(entry: library.Entry, fence: str = "::::") -> Iterator[str]:
    """An entry with its members as a directive of Sphinx's domain for Python, line by line."""
    is_value = entry.kind in ("data", "attribute", "property")
    yield f"{fence}{{py:{entry.kind}}} {entry.name.rpartition('.')[2]}{'' if is_value else entry.signature}"
    yield f":module: {entry.module}"
    yield ":no-index-entry:"
    if fence == ":::":
        yield ":no-contents-entry:"
    if is_value:
        kind, _, value = entry.signature.removeprefix(": ").partition(" = ")
        yield from [f":type: {kind}"] if kind else []
        yield from [f":value: {shorten(value)}"] if value else []
    yield ""
    yield markdown(entry.text)
    for member in entry.members:
        yield ""
        yield from describe(member, fence[1:])
    yield fence
    yield ""


def shorten(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE].rpartition(' ')[0]} …"


class Room(SphinxDirective):
    """`{room} models`: what a package of the library offers, then each of its modules that has more."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        if self.arguments[0] not in library.rooms():
            raise self.error(f"there is no room {self.arguments[0]!r}; there are {', '.join(library.rooms())}")
        package, *modules = library.room(self.arguments[0])
        content = nodes.section()
        self.fill(content, package)
        for module in modules:
            section = nodes.section(ids=[f"module-{module.name}"], names=[module.name])
            section += nodes.title("", "", nodes.literal("", module.name.removeprefix(f"{library.PACKAGE}.")))
            self.fill(section, module)
            content += section
        return content.children

    def fill(self, parent: nodes.Element, module: library.Module) -> None:
        """Put the docstring and the entries of a module into a section."""
        self.env.note_dependency(str(module.file))
        lines = [markdown(module.text), ""]
        if module.elsewhere:
            lines += [f"Listed above: {', '.join(f'`{name}`' for name in module.elsewhere)}.", ""]
        for entry in module.entries:
            lines += describe(entry)
        if options := library.options(module.name):
            lines += ["| Option | Meaning |", "|---|---|"]
            lines += [f"| `{flag}` | {markdown(text)} |" for flag, text in options]
        self.state.nested_parse(StringList("\n".join(lines).splitlines(), str(module.file)), 0, parent)
        for table in parent.findall(nodes.table):
            table["classes"].append("pw-options")
        entries = {one.path: one for entry in module.entries for one in (entry, *entry.members)}
        for path in library.undocumented(entries.values()):
            logger.warning("%s has no docstring", path, location=(str(entries[path].file), entries[path].lines[0]))
        for signature in parent.findall(addnodes.desc_signature):
            address = source_address(self.config, entries[f"{signature['module']}.{signature['fullname']}"])
            signature += nodes.reference("", "Source", refuri=address, internal=False, classes=["pw-source"])
        for literal in list(parent.findall(nodes.literal)):
            if path := find(literal.astext(), module.name, literal):
                literal.replace_self(cross_reference(path, literal.deepcopy()))


def find(name: str, module: str, place: nodes.Element) -> str:
    """The path of the public name that a docstring of `module` means; empty where it is another word, or itself."""
    name = name.partition("(")[0]
    parent = place.parent
    while parent is not None and not isinstance(parent, addnodes.desc):
        parent = parent.parent
    own = f"{module}.{next(parent.findall(addnodes.desc_signature))['fullname']}" if parent is not None else module
    package = ".".join(module.split(".")[:2])
    starts = (own, own.rpartition(".")[0], module, package, library.PACKAGE)
    path = next((f"{start}.{name}" for start in starts if f"{start}.{name}" in library.entries()), "")
    return "" if path == own else path


def cross_reference(path: str, inner: nodes.Node) -> addnodes.pending_xref:
    """A link to the entry of a public name; a warning, and so an error, where there is none."""
    given = {"refdomain": "py", "reftype": "obj", "reftarget": path, "refexplicit": True, "refwarn": True}
    return addnodes.pending_xref("", inner, **given)


class Rooms(SphinxDirective):
    """`{rooms}`: the packages of the library, what each is for, and how many names it has."""

    def run(self) -> list[nodes.Node]:
        rows = []
        for name in library.rooms():
            modules = library.room(name)
            summary = modules[0].text.partition("\n\n")[0]
            rows.append(
                ROW.format(
                    link=self.env.app.builder.get_relative_uri(self.env.docname, f"reference/{name}"),
                    name=f"{library.PACKAGE}.{name}",
                    summary=re.sub("`(.+?)`", r"<code>\1</code>", escape(summary)),
                    count=sum(len(module.entries) for module in modules),
                )
            )
        head = "".join(f'<th scope="col">{title}</th>' for title in ("Package", "What is in it", "Names"))
        body = "\n".join(rows)
        table = f'<table class="pw-rooms"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        return [nodes.raw("", table, format="html")]


def shown(code: str) -> list[str]:
    """The names that a cell hands to `show_source`, in order."""
    if SHOWS not in code:
        return []
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [ast.unparse(argument) for call in calls if ast.unparse(call.func).endswith(SHOWS) for argument in call.args]


def link_shown_source(app: Sphinx, doctree: nodes.document) -> None:
    """Below each piece of the library's source that a notebook shows, a link to its entry in the reference."""
    if Path(app.env.doc2path(app.env.docname)).suffix != ".ipynb":
        return
    cells = [node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"]
    sources = [next(cell.findall(nodes.literal_block)).astext() for cell in cells]
    imported = library.imports([text for text in sources if f"from {library.PACKAGE}" in text])
    for cell, code in zip(cells, sources, strict=True):
        names = shown(code)
        outputs = [one for one in cell.findall(nodes.container) if one.get("nb_element") == "mime_bundle"]
        if names and len(names) != len(outputs):
            logger.warning("%d names are shown, in %d outputs", len(names), len(outputs), location=cell)
        for name, output in zip(names, outputs, strict=False):
            path = library.resolve(name, imported)
            link = cross_reference(path, nodes.literal("", path))
            line = nodes.paragraph("", "In the reference: ", link, classes=["pw-entry"])
            output.parent.insert(output.parent.index(output) + 1, line)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("room", Room)
    app.add_directive("rooms", Rooms)
    app.connect("doctree-read", link_shown_source, priority=400)  # while all cells still hold their code
    return {"parallel_read_safe": True, "parallel_write_safe": True}
