"""The front ends' sources: what an author has to write, and what a reader's browser gets of it."""

import re
import subprocess
import sys

import pytest

from pixelwise.explorables import bundle, sources

MODULES = sorted(sources.FOLDER.rglob("*.mjs"))
EXPORT = re.compile(r"(?P<comment>^/\*\*(?:(?!\*/).)*\*/\n)?^export (?P<what>[^\n]*)", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"@(?:type|returns) \{")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_is_exported_says_its_types(path):
    """The lint wants them of every function that has a JSDoc comment; that it has one it can't ask."""
    exports = list(EXPORT.finditer(path.read_text(encoding="utf-8")))
    assert exports
    assert [one["what"] for one in exports if not TYPED.search(one["comment"] or "")] == []


@pytest.mark.parametrize("name", sources.names())
def test_a_module_depends_on_nothing_and_is_light(name):
    source = sources.source(name)
    assert not re.search(
        r"^\s*import\b|\bimport\(|fetch\(|XMLHttpRequest|\beval\(|new Function|innerHTML", source, re.M
    )
    assert source.count("export default") == 1
    assert len(sources.plain(name).encode()) <= (44 if name in sources.APART else 20) * 1024


@pytest.mark.parametrize("name", sources.names())
def test_what_is_for_authors_stays_with_them(name):
    """Comments that have a line to themselves, and indents; what stands within a line is the code's own."""
    source = sources.source(name)
    assert not re.search(r"^(?: |//|/\*|$)", source.rstrip("\n"), re.M)
    assert '"http://www.w3.org/2000/svg"' in source  # two strokes within a line begin no comment


def test_all_that_a_page_loads_is_light():
    assert len(bundle.bundle().encode()) <= 195_000


def test_a_script_holds_the_helpers_that_it_uses_and_no_others():
    declared = re.compile(r"^(?:function|const) (\w+)", re.MULTILINE)
    asked, every = (bundle.bundle(*kinds).partition("const explorables")[0] for kinds in (("question",), ()))
    assert {"slider", "button", "h", "made", "LOOK", "oncePerFrame"} <= set(declared.findall(asked))
    assert {"checklist", "choices", "onDrag", "gridLine"} <= set(declared.findall(every)) - set(declared.findall(asked))


def test_only_the_page_of_all_questions_has_their_wall():
    assert ["raiseWall(explorables)" in bundle.bundle("question", wall=wall) for wall in (True, False)] == [True, False]


def test_bundle_is_written_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bundle", str(tmp_path / "explorables.js")])
    bundle.main()
    text = (tmp_path / "explorables.js").read_text(encoding="utf-8")
    assert not re.search(r"^(import|export) ", text, re.M)
    held = {name for name in sources.names() if f'explorables["{name}"]' in text}
    assert held == {*sources.names()} - {*bundle.OWN}


def test_an_import_from_elsewhere_is_refused(tmp_path, monkeypatch):
    (tmp_path / "shared").mkdir()
    (tmp_path / "lab.mjs").write_text('import { h } from "https://cdn.example.org/h.mjs";\n', encoding="utf-8")
    monkeypatch.setattr(sources, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"lab\.mjs imports more than shared helpers"):
        sources.source("lab")


def test_the_build_needs_no_torch_for_the_bundle():
    code = "import sys, pixelwise.explorables.bundle as b; b.bundle(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
