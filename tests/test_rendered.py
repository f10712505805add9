"""The chapters as GitHub and Colab show them: rendered by nbconvert, which knows none of the book's extensions."""

import ast
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.helpers.notebooks import sound_notebook
from tools import stamp

pytestmark = pytest.mark.slow

NOTEBOOKS = stamp.notebooks()
RAW = {
    "a directive": re.compile(r"(?:`{3,}|~{3,}|:{3,})\{[\w:-]+\}"),
    "a role": re.compile(r"\{[a-z][\w:-]*\}`"),
    "a fence": re.compile(r"```"),
    "a link": re.compile(r"\]\([\w./#:-]+\)"),
    "a heading": re.compile(r"^#{1,6} ", re.M),
    "a tag": re.compile(r"</?(?:details|summary|img|a|div|br)\b"),
}


class Rendered(HTMLParser):
    """What a reader sees of a rendered notebook: its prose (code left out), pictures and links."""

    def __init__(self, html: str):
        super().__init__()
        self.prose, self.pictures, self.links, self.hidden = "", [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("pre", "code", "script", "style", "svg"):
            self.hidden.append(tag)
            self.prose += "`" if tag == "code" else ""
        elif tag == "img":
            self.pictures.append(attributes.get("src") or "")
        elif tag == "a":
            self.links.append(attributes.get("href") or "")

    def handle_endtag(self, tag):
        if self.hidden and tag == self.hidden[-1]:
            self.hidden.pop()

    def handle_data(self, data):
        self.prose += "" if self.hidden else data


def is_there(address: str, folder: Path) -> bool:
    """Whether an address leads to a file of the repository, into the page itself, or elsewhere."""
    target = urlsplit(address)
    if target.scheme:
        return target.scheme in ("https", "data")
    return bool(address) and (not target.path or (folder / unquote(target.path)).exists())


def faults(notebook: dict, folder: Path = stamp.CHAPTERS) -> list[str]:
    """What a reader would stumble over in the rendered notebook, whose file lies in `folder`."""
    node = nbformat.reads(json.dumps(notebook), as_version=4)
    html = HTMLExporter(template_name="basic").from_notebook_node(node)[0]
    page = Rendered(html)
    found = [f"shows {what} raw: {match.group()!r}" for what, form in RAW.items() if (match := form.search(page.prose))]
    found += [f"shows a broken picture: {source!r}" for source in page.pictures if not is_there(source, folder)]
    found += [f"links to {link!r}, which is not there" for link in page.links if not is_there(link, folder)]
    shown = json.dumps([cell.get("outputs", []) for cell in node["cells"]])
    if "ModuleNotFoundError" in shown or "ImportError" in shown:
        found.append("shows that a module was missing")
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapter_is_whole_where_the_book_did_not_build_it(path):
    found = faults(json.loads(path.read_text(encoding="utf-8")))
    assert not found, "\n".join(found)


def prose(text):
    return lambda notebook: notebook["cells"][0].update(source=text)


def output(kind, value):
    output = {"output_type": "display_data", "metadata": {}, "data": {kind: value}}
    return lambda notebook: notebook["cells"][2].update(outputs=[output])


@pytest.mark.parametrize(
    ("plant", "caught"),
    [
        (prose("```{note}\nRead this.\n```\n\n:::{tip}\nAnd this.\n:::"), "a directive"),
        (prose("See {ref}`metrics`."), "a role"),
        (prose("<details>\n<summary>Answer</summary>\n```python\nx\n```\n</details>"), "a fence"),
        (prose("<div>\nSee [the next](resnet.ipynb).\n</div>"), "a link"),
        (prose("![a road seen from a car](missing.png)"), "broken picture: 'missing.png'"),
        (prose("[next](nowhere.ipynb)"), "links to 'nowhere.ipynb'"),
        (output("text/html", '<img src="/nowhere/a.png" alt="a road">'), "broken picture"),
        (output("text/plain", "ModuleNotFoundError: No module named 'skimage'"), "a module was missing"),
    ],
)
def test_a_planted_fault_is_seen(plant, caught):
    notebook = sound_notebook()
    assert faults(notebook) == []
    plant(notebook)
    assert any(caught in fault for fault in faults(notebook)), faults(notebook)


def test_chapters_import_nothing_that_colab_lacks():
    """What a chapter imports is Python's own, in the stack of the rehearsal, or comes with the library."""
    listed = (stamp.ROOT / "tests/rehearsal/oldest.txt").read_text()
    allowed = {name.lower() for name in re.findall(r"^([\w-]+)==", listed, re.M)} | sys.stdlib_module_names
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in stamp.code_cells(notebook)[1:]:
            for node in ast.walk(ast.parse(stamp.source(cell))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) else []
                for name in names:
                    top = name.partition(".")[0]
                    package = {"PIL": "pillow", "skimage": "scikit-image"}.get(top, top.lower())
                    assert top == "pixelwise" or package in allowed, f"{path.name} imports {name}"


def test_the_oldest_stack_is_what_the_library_promises():
    listed = dict(re.findall(r"^([\w-]+)==(.+)$", (stamp.ROOT / "tests/rehearsal/oldest.txt").read_text(), re.M))
    promised = dict(re.findall(r'^ +"([\w-]+)>=([\d.]+)",$', (stamp.ROOT / "pyproject.toml").read_text(), re.M))
    for name in promised.keys() & listed.keys():
        assert f"{listed[name]}.".startswith(f"{promised[name]}."), f"{name}: {listed[name]}, promised {promised[name]}"
    assert {"torch", "torchvision", "numpy", "matplotlib"} <= promised.keys() & listed.keys()
