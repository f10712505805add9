"""What the Sphinx extensions make of formulas, stamps, folds, questions and pictures, on a book of two pages."""

import html
import json
import re
import zipfile
from types import SimpleNamespace
from xml.etree import ElementTree

import nbformat
import pytest
from axe_playwright_python import sync_playwright as axe
from docutils import nodes
from math_core import LatexError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from PIL import Image
from sphinx.errors import ExtensionError

from book.extensions import colours, drawings, maths, provenance, reading, scripts, tables, terms, typography
from book.extensions.folds import fold_cells
from tests.helpers.notebooks import ALT, PIXEL, build_small_book, save, sound_notebook, write_book
from tools import check, folds

MADE = {
    "date": "2026-11-03",
    "budget": "cpu",
    "dataset": "streets",
    "device": "NVIDIA <H200>",
    "versions": {"python": "3.11.7", "torch": "2.14.1"},
    "seeds": [0, 1, 2],
    "seconds": 250.0,
    "cell_seconds": [1.0, 3.25],
    "library": {},
}


ALIVE = (
    '<div class="pw-explorable" data-explorable="play" data-state="{}"><figure>'
    "<figcaption>Dots. <span class='pw-still'>This is a still picture.</span></figcaption></figure></div>"
)


def folded_cells():
    """A helper and a figure with its caption, what was checked, a prompt, a figure that is alive; code is folded."""

    def cell(label, code, *outputs, by="hide-input"):
        return new_code_cell(code, metadata={"tags": [by, label]}, outputs=list(outputs))

    picture = new_output("display_data", {"image/png": PIXEL})
    cells = [
        cell("experiment", "dots = 3"),
        cell("figure", "draw(dots)", picture),
        new_markdown_cell("*Three dots.*"),
        cell("check", "count(dots)", new_output("stream", text="It holds.\n")),
        new_markdown_cell("*And that is so.*"),
        cell("check", "count(twice)", new_output("stream", text="Twice, too.\n")),
        new_markdown_cell("*Predict first: how many?*"),
        cell("check", "claim(dots)", new_output("stream", text="Four dots.\n"), by="hide-cell"),
        cell("question", "ask(dots)", new_output("stream", text="How many?\n")),
        cell("check", "claim(twice)", new_output("stream", text="Five dots.\n"), by="hide-cell"),
        cell("table", "draw(twice)", picture),
        new_code_cell("Play(dots)", outputs=[new_output("display_data", {"text/html": ALIVE})]),
    ]
    for one in cells:
        if one.cell_type == "code":
            one.metadata["mystnb"] = {"image": {"alt": "three dots in a row"}}
            folds.mark(one)
    return [dict(one) for one in cells]


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    """The sources of a book of two pages, with the book's own settings."""
    folder = tmp_path_factory.mktemp("book")
    write_book(
        folder,
        "format: jb-book\nroot: index\nchapters:\n  - file: chapter\n",
        "# Contents\n\n> A plain quote.\n\n<a href='chapter.html#maths'>Maths</a>\n",
    )
    notebook = sound_notebook()
    notebook["cells"] += folded_cells()
    notebook["metadata"]["pixelwise"] |= MADE | {"library": {"pixelwise.notebook.course": "an earlier hash"}}
    save(notebook, folder / "chapter.ipynb")
    return folder


@pytest.fixture(scope="module")
def page(small_book):
    """The HTML of the page built from a notebook."""
    build_small_book(small_book, small_book / "html")
    return (small_book / "html/chapter.html").read_text(encoding="utf-8")


def test_page_shows_its_stamp_below_the_title(page):
    heading, line = page.index("</h1>"), page.index('<details class="pw-stamp">')
    assert heading < line < page.index("Prose with")
    assert "recorded with an earlier library" in page
    assert "changed since in pixelwise.notebook.course" in page


def test_page_holds_mathml_and_no_formula_script(page):
    assert '<annotation encoding="application/x-tex">x^2</annotation>' in page
    assert not [script for script in re.findall(r"<script[^>]*>", page) if "math" in script.lower()]


def test_question_is_marked(page):
    assert re.search(r'<blockquote class="pw-question">\s*<div><p>A question', page), "its sign is there, and a box"


def test_output_picture_is_described_lazy_and_sized(page):
    tag = next(tag for tag in re.findall(r"<img[^>]*>", page) if ALT in tag)
    for attribute in ('loading="lazy"', 'width="1"', 'height="1"'):
        assert attribute in tag


def test_code_is_coloured_sparingly(page):
    line = next(line for line in page.splitlines() if "mIoU" in line and "print" in line)
    assert '<span class="nb">print</span>(' in line
    assert {"k", "s1", "nf", "c1"} <= colours.COLOURED
    assert not {"n", "p", "w"} & colours.COLOURED


def test_code_is_folded_below_what_it_made(page):
    """A helper's code joins the figure's; the caption stays with its picture, and nothing says `@title`."""
    order = [
        "three dots in a row",
        "<figcaption>\nThree dots.</figcaption>",
        '<details class="pw-fold"><summary>Code of this figure</summary>',
        "dots = ",
        "draw(dots)",
        "</details>",
        "It holds.",
        '<details class="pw-fold"><summary>How this was checked</summary>',
        "count(dots)",
        "</details>",
        "<em>And that is so.</em>",
        "Twice, too.",
        '<details class="pw-fold"><summary>How this was checked</summary>',
        "count(twice)",
        "</details>",
        '<p class="pw-predict">Predict first: how many?</p>',
        "How many?",
        '<details class="pw-fold"><summary>How this was checked</summary>',
        "claim(dots)",
        "Four dots.",
        "ask(dots)",
        "</details>",
        '<details class="pw-fold"><summary>How this was checked</summary>',
        "Five dots.",
        "</details>",
        "three dots in a row",
        '<details class="pw-fold"><summary>Code of this table</summary>',
        "draw(twice)",
        'data-explorable="play"',
        '<details class="pw-fold"><summary>Code of this figure</summary>',
        "Play(dots)",
    ]
    text = re.sub(r"</?span[^>]*>", "", page)
    place = text.index("mIoU 0.5")
    for piece in order:
        place = text.index(piece, place)
    assert page.count('<details class="pw-fold">') == 7
    assert "@title" not in page


def test_a_fold_that_says_not_what_it_is_stops_the_build():
    metadata = {"tags": ["hide-input"]}
    cell = nodes.container("", nb_element="cell_code", hide_mode="input", cell_index=6, cell_metadata=metadata)
    app = SimpleNamespace(env=SimpleNamespace(docname="chapter"))
    with pytest.raises(ExtensionError, match="chapter, cell 7 is folded by `hide-input` and needs one tag more"):
        fold_cells(app, nodes.section("", cell))


def test_a_fold_opens_by_a_key_without_scripts_and_paper_shows_of_it_what_was_found(browser, small_book, page):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((small_book / "html/chapter.html").as_uri())
    code, found, still = (tab.get_by_text(text) for text in ("draw(dots)", "Four dots.", "still picture"))
    assert not code.is_visible()
    assert not found.is_visible()
    assert still.is_visible()
    tab.emulate_media(media="print")
    assert not code.is_visible()
    assert found.is_visible()
    assert not still.is_visible()
    tab.emulate_media(media="screen")
    assert not code.is_visible()
    tab.get_by_text("Code of this figure").first.focus()
    tab.keyboard.press("Enter")
    assert code.is_visible()
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_a_fold_shuts_nobody_out(browser, small_book, page, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab = context.new_page()
    tab.goto((small_book / "html/chapter.html").as_uri())
    for summary in tab.get_by_text("How this was checked").all():
        assert summary.bounding_box()["height"] >= 24, "too small to be touched"
        summary.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.Axe().run(tab, context=".pw-article").response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    context.close()


@pytest.mark.parametrize(
    "latex",
    [
        r"\begin{aligned} a &= b \\ &= c \end{aligned}",
        r"\operatorname*{arg\,max}_c z_c",
        r"\left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1",
        r"\mathbb{R}^{N \times C}, \mathcal{L}, \hat{y}, \mathbf{W}",
    ],
)
def test_formulas_of_the_book_are_rendered_whole(latex):
    mathml = maths.convert(latex, display=True).split("<annotation")[0]
    assert mathml.startswith('<math display="block">')
    assert "\\" not in mathml


def test_mistaken_formula_is_an_error():
    with pytest.raises(LatexError, match="fracc"):
        maths.convert(r"\fracc{1}{2}")


REFERENCES = """# References

- K. He, X. Zhang. [Deep residual
  learning](https://arxiv.org/abs/1512.03385). CVPR 2016. *ResNet.*
- K. He, X. Zhang. [Identity mappings](https://arxiv.org/abs/1603.05027). ECCV 2016.
"""


def test_a_source_is_explained_where_its_address_is_first_linked():
    """Two sources of one author and year are two; a chapter's own list of sources needs no note."""
    sources = terms.sources(REFERENCES)
    links = [nodes.reference("", "it", refuri=address) for address in (*sources, *sources, "https://example.org")]
    listed = nodes.list_item("", nodes.paragraph("", "", nodes.reference("", "it", refuri=next(iter(sources)))))
    page = nodes.section("", listed, *(nodes.paragraph("", "He et al. (2016) show ", link) for link in links))
    terms.note_sources(page, sources)
    notes = [node.astext() for node in page.findall(nodes.raw)]
    assert len(notes) == 2
    assert '<a class="reference external" href="https://arxiv.org/abs/1512.03385"' in notes[0]
    assert ">K. He, X. Zhang. Deep residual learning. CVPR 2016. ResNet.</span>" in notes[0]
    assert "Identity mappings" in notes[1]
    assert not list(listed.findall(nodes.raw))


def test_a_prediction_stands_in_a_box_of_its_own_wherever_it_is_asked():
    asked = nodes.emphasis("", "Predict: how many?")
    page = nodes.section("", nodes.paragraph("", "", nodes.Text("Three dots. "), asked, nodes.Text("\nThen count.")))
    reading.mark_predictions(None, page)
    shown = [(part["classes"], part.astext()) for part in page.findall(nodes.paragraph)]
    assert shown == [([], "Three dots."), (["pw-predict"], "Predict: how many?"), ([], "Then count.")]


def test_what_the_stamp_says_is_not_printed_again(tmp_path):
    path = save(sound_notebook(), tmp_path / "chapter.ipynb")
    app = SimpleNamespace(env=SimpleNamespace(docname="chapter", doc2path=lambda _: path))
    printed = ("budget cpu · device cpu · data streets · seeds 0, 1, 2\n", "mIoU 0.5\n")
    page = nodes.section("", *(nodes.container("", nodes.literal_block("", text)) for text in printed))
    provenance.leave_out_beginning(app, page)
    assert [part.astext() for part in page.children] == ["mIoU 0.5\n"]


def test_stamp_in_words():
    html = provenance.describe(MADE, changed=[])
    assert '<time datetime="2026-11-03">3 November 2026</time>' in html
    assert "NVIDIA &lt;H200&gt;" in html
    assert "earlier library" not in html
    assert [provenance.spell_seconds(seconds) for seconds in (3.25, 42.4, 250)] == ["3.2 s", "42 s", "4 min"]


def test_finished_picture_keeps_what_the_author_wrote(tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "road.png")
    sources = {"road.png": "road.png"}
    finished = reading.finish('<img class="wide" alt="a road" src="../_images/road.png"/>', sources, tmp_path)
    assert 'class="wide"' in finished
    assert 'width="8" height="6"' in finished
    styled = reading.finish('<img src="road.png" style="width: 4px;">', sources, tmp_path)
    assert 'width="4" height="3"' in styled
    assert "style" not in styled
    eager = reading.finish('<img loading="eager" width="4" src="road.png">', sources, tmp_path)
    assert 'loading="eager"' in eager
    assert "lazy" not in eager
    assert "height" not in eager


def test_e_book_is_well_formed(small_book, page):
    build_small_book(small_book, small_book / "epub", "--epub")
    with zipfile.ZipFile(small_book / "epub/Pixelwise.epub") as book:
        assert book.testzip() is None
        names = set(book.namelist())
        texts = {name: book.read(name).decode() for name in names if name.endswith(".xhtml")}
    assert {"index.xhtml", "chapter.xhtml", "nav.xhtml"} <= set(texts)
    for text in texts.values():
        links = [element.get("href", "") for element in ElementTree.fromstring(text).iter()]
        assert {link.partition("#")[0] for link in links if ":" not in link} <= {"", *names}
    assert 'href="chapter.xhtml#maths"' in texts["index.xhtml"]
    assert "<math" in texts["chapter.xhtml"]
    assert "Prose with" in texts["chapter.xhtml"]
    assert '<details class="pw-fold"><summary>Code of this figure</summary>' in texts["chapter.xhtml"]


def test_a_value_in_a_table_stays_with_its_spread():
    page = "<p>1 ± 2</p><table><tr><td>58.0 ± 0.4</td></tr></table>"
    assert tables.TABLE.sub(tables.finish, page) == (
        '<p>1 ± 2</p><div class="pw-scroll"><table><tr><td>58.0\u00a0±\u00a00.4</td></tr></table></div>'
    )


WIDE = (
    '<table class="docutils align-default">\n<thead>\n<tr class="row-odd"><th class="head"><p>If …</p></th>\n'
    '<th class="head"><p>take <math><mi>x</mi><annotation>\\x</annotation></math></p></th>\n</tr>\n</thead>\n<tbody>\n'
    '<tr class="row-even"><td><p>thin things decide most</p></td>\n<td class="text-right"><p>a path from the finest map'
    "</p></td>\n</tr>\n</tbody>\n</table>"
)


def test_a_wide_table_of_texts_names_the_column_at_each_value_and_stays_a_table():
    shown = tables.TABLE.sub(tables.finish, WIDE)
    assert '<table role="table" class="pw-cards docutils align-default">' in shown
    assert '<th role="rowheader" scope="row"><p>thin things decide most</p></th>' in shown
    assert '<td role="cell" data-head="take x" class="text-right"><p>a path from the finest map</p></td>' in shown
    assert shown.count('role="columnheader"') == shown.count('role="row"') == shown.count('role="rowgroup"') == 2
    for other in (WIDE.replace("docutils", "pw-table"), WIDE.replace("a path from the finest map", "skips")):
        assert tables.TABLE.sub(tables.finish, other) == f'<div class="pw-scroll">{other}</div>'


def test_a_computed_table_with_sentences_is_dealt_as_well():
    computed = WIDE.replace("docutils align-default", "pw-table")
    sentence = "56.5 against 51.3: ahead in every seed, not told apart"
    shown = tables.TABLE.sub(tables.finish, computed.replace("a path from the finest map", sentence))
    assert '<table role="table" class="pw-cards pw-table">' in shown
    assert f'<td role="cell" data-head="take x" class="text-right"><p>{sentence}</p></td>' in shown


def test_text_is_set_with_the_signs_of_print_and_code_is_not():
    page = (
        "<p class=\"5 % > it's\">it&#x27;s 5 % of the classes' -0.3, FCN-16s, -8s, ResNet-34 has 21, -50 25</p>"
        "<pre>it's <b>5 %</b> -3</pre><code>it's -3</code>it's"
    )
    assert typography.compose(page) == (
        '<p class="5 % > it\'s">it’s 5\u00a0% of the classes’ −0.3, FCN-16s, -8s, ResNet-34 has 21, -50 25</p>'
        "<pre>it's <b>5 %</b> -3</pre><code>it's -3</code>it’s"
    )


def test_a_formula_keeps_the_signs_around_it_on_its_line():
    page = '<p>Of (<math><mi>x</mi></math>), <math><mi>y</mi></math> and <math display="block"></math>.</p>'
    tied = '<p>Of <span class="pw-tied">(<math><mi>x</mi></math>),</span> <math><mi>y</mi></math> and'
    assert typography.compose(page) == f'{tied} <math display="block"></math>.</p>'


def test_what_a_question_will_say_is_set_as_its_page_is():
    state = '{"key": "a-b", "verdict": "ResNet-8\'s: -3 %", "scale": [-1, 2]}'
    page = f'<div data-explorable="question" data-name="question-a-b" data-state="{html.escape(state)}">'
    said = html.unescape(typography.compose(page)).partition('data-state="')[2][:-2]
    assert json.loads(said) == {"key": "a-b", "verdict": "ResNet-8’s: −3\u00a0%", "scale": [-1, 2]}


def test_scripts_are_served_without_comments():
    script = '// What it does\n  const a = 1; // why\n\n  /** @type {A} */ (b)("https://a");  // so\n'
    assert scripts.bare(script) == 'const a = 1;\n(b)("https://a");\n'


def test_korean_is_marked_in_text_and_not_in_attributes():
    marked = reading.mark_korean('<p title="분할">패치 크기, patch</p>')
    assert marked == '<p title="분할"><span lang="ko">패치 크기</span>, patch</p>'


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="60" role="img"><title>A net</title>'
    "<desc>A net. What to see. From first to last: image: 3 channels; score: 11 channels.</desc>"
    '<rect width="120" height="60"/></svg>'
)


def test_a_drawing_gets_its_caption_its_parts_in_words_and_its_file():
    shown = drawings.figure("../_images/net.svg", SVG)
    assert '<img src="../_images/net.svg" alt="A net. What to see." width="120" height="60"' in shown
    assert '<figure class="pw-drawing" style="--natural: 7.5rem">' in shown  # the width of its larger form
    assert "<figcaption><strong>A net</strong>. What to see.</figcaption>" in shown
    assert "<li>image: 3 channels</li><li>score: 11 channels</li>" in shown
    assert 'href="../_images/net.svg" download' in shown


def test_a_drawing_with_a_row_for_each_network_gives_its_numbers_as_a_table_too():
    row = '<text data-layer="{0}" data-number="year">2012</text><text>{0}</text><text data-layer="{0}">{1} M</text>'
    texts = '<text x="55">parameters</text>' + row.format("A", 61) + row.format("B", 9) + "<text>legend</text>"
    shown = drawings.figure(
        "net.svg", SVG.replace("<rect", f"{texts}<rect").replace("<svg", '<svg viewBox="-14 0 120 60"')
    )
    assert '<th scope="col">network</th><th scope="col">parameters</th>' in shown
    assert '<tr><th scope="row">A</th><td>61 M</td></tr><tr><th scope="row">B</th><td>9 M</td></tr>' in shown
    assert "--cut: 59 / 60" in shown  # which is all that a phone shows of the drawing itself
    assert "pw-numbers" not in drawings.figure("net.svg", SVG)


def test_a_picture_that_is_no_drawing_stays_one():
    assert drawings.figure("logo.svg", '<svg xmlns="http://www.w3.org/2000/svg"><title>Logo</title></svg>') == ""


def test_an_svg_that_describes_itself_needs_no_other_text():
    cell = nbformat.v4.new_code_cell("plot()", outputs=[nbformat.v4.new_output("display_data", {"image/svg+xml": SVG})])
    assert not check.without_alternative({"cells": [cell]})
    cell["outputs"][0]["data"]["image/svg+xml"] = SVG.replace("desc>", "g>")
    assert check.without_alternative({"cells": [cell]})
