"""The index of the search: what it takes from a page, what else a thing is called, and how the script reads it."""

import json

import pytest

from book import search_index
from book.search_index import Section, Synonyms
from tools import stamp

SCRIPT = (stamp.ROOT / "book/theme/static/search.js").read_text(encoding="utf-8")
PAGE = """<html><body><nav>Menu</nav><article>
<section id="a-page"><h1>A page<a class="headerlink" href="#a-page">¶</a></h1>
<div class="pw-facts">50 min</div><details class="pw-five"><summary>In five lines</summary>Twice.</details>
<p>Of <em>stamps</em><br> &amp; maps<span role="tooltip">A note.</span>.</p>
<pre>code = 1</pre><section id="below"><h2>Below</h2><p>Shape <math><semantics><mi>H</mi><annotation>\\dots</annotation>
</semantics></math>.</p></section><p>After.</p>
<dl class="py function"><dt class="sig" id="pixelwise.ops.stamp">stamp(x)</dt>
<dd>Stamps <dl><dt>x</dt><dd>A map.</dd></dl></dd></dl>
<table><thead><tr><th>Head</th></tr></thead><tbody><tr><td>One</td><td><p>two</p></td></tr></tbody></table>
<figure><div class="pw-still"><details><summary>The answer</summary><p>Forty.</p></details></div></figure>
<p>Last.</p></section></article></body></html>"""


def test_sections_hold_what_a_page_shows():
    found = search_index.sections("chapters/a_page", PAGE)
    assert [(one.anchor, one.title, one.text) for one in found] == [
        ("a-page", "A page", "Of stamps & maps.\nAfter.\nOne · two\nLast."),
        ("below", "Below", "Shape H ."),
        ("pixelwise.ops.stamp", "stamp", "Stamps x: A map."),
    ]
    assert found[0].names == ["a page"]


def test_a_glossary_entry_is_called_by_its_korean_names_too():
    html = (
        '<section id="void"><h3>Void</h3><p>Pixels with no label. '
        '<em class="pw-korean"><span lang="ko">무시 영역</span>, <span>빈 곳</span> (void).</em></p></section>'
    )
    section = search_index.sections("chapters/glossary", html)[0]
    assert section.names[:3] == ["무시 영역", "빈 곳", "void"]
    assert section.text.endswith("무시 영역, 빈 곳 (void).")


def test_a_section_is_called_as_each_part_of_its_title():
    names = {"FCN-32s, FCN-16s", "FCN-32s", "FCN-16s"}
    assert search_index.called(Section("p", "a", "FCN-32s, FCN-16s"), Synonyms([])) == names
    assert "why a stamp" not in search_index.called(Section("p", "a", "On one page: why a stamp"), Synonyms([]))


def test_what_has_one_name_of_a_group_is_found_by_the_others():
    synonyms = Synonyms([["mean iou", "miou", "평균 iou"], ["iou", "jaccard"]])
    assert synonyms.of("The mean IoU of a scene") == {"miou", "평균 iou", "jaccard"}
    assert synonyms.of("Meaning of a radio union") == set()


def test_a_word_of_the_heading_counts_more_than_many_in_the_text():
    heading, text = Section("p", "a", "Stride", "Of maps."), Section("p", "b", "Maps", "Stride. " * 50)
    weights = [search_index.weigh(section, Synonyms([]), usual=10)["stride"] for section in (heading, text)]
    assert weights[0] > 2 * weights[1] > 0


def test_where_a_word_stands_is_spelt_by_distances():
    assert search_index.spell([(0, 1), (1, 25), (40, 0)]) == "1B1Z13A"
    assert [search_index.base36(number) for number in (0, 35, 36, 1295, 1296)] == ["0", "z", "10", "zz", "100"]


QUOTES = """([sections, query]) => {
  const understood = Search.understand(query);
  const quote = (place) => {
    const { text, spoken } = Search.excerpt(sections[place].join("\\n"), understood);
    return [text, spoken.map(({ start, end }) => text.slice(start, end))];
  };
  return Search.find(query).map(quote);
}"""
SECTIONS = [
    (
        "Stamps",
        ["What it is.", "A kernel is stamped once. Overlaps of the stamps add up, and where they do not", "End."],
    ),
    ("Upsampling", ["One way of doing it is the transposed convolution of a map. " + "Long. " * 60, "Other words."]),
    ("Normalisation", ["Scale the channels.", "Training normalises them by the batch."]),
]


@pytest.fixture(scope="module")
def quote(browser):
    """The quotes of all results for a query over a few sections, each with what is marked in it."""
    tab = browser.new_page()
    tab.evaluate(SCRIPT)
    found = [Section("page", title, title, "\n".join(lines)) for title, lines in SECTIONS]
    made = search_index.index(found, {"page": "A page"}, [["transposed convolution", "deconvolution"]])
    tab.evaluate("(made) => Search.load(made)", json.loads(json.dumps(made)))
    yield lambda query: tab.evaluate(QUOTES, [[lines for _, lines in SECTIONS], query])
    tab.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("overlaps", ["Overlaps"]),
        ("deconvolution", ["transposed convolution"]),  # the name that matched
        ("overlasp", ["Overlaps"]),  # misspelt
        ("stamping", ["stamped", "stamps"]),
        ("normalize batch", ["normalises", "batch"]),
    ],
)
def test_a_result_quotes_the_sentence_that_holds_what_was_asked(quote, query, marked):
    text, found = quote(query)[0]
    assert found == marked
    assert len(text) < 220


@pytest.mark.browser
def test_a_word_that_is_misspelt_beyond_recognition_is_not_replaced(quote):
    assert quote("zebra") == quote("qverlbpt") == []


TEXTS = [
    "Fully-convolutional networks (FCN-8s) see 3×3 pixels",
    "the bias of this class, its axis",
    "전치 합성곱, U-Net’s ﬁelds, A/B x_y",
    "ＦＣＮ ½ naïve don't re-use",
]


@pytest.mark.browser
@pytest.mark.parametrize("text", TEXTS)
def test_the_script_finds_every_word_that_the_index_has(browser, text):
    tab = browser.new_page()
    tab.evaluate(SCRIPT)
    made = search_index.index([Section("page", "place", text, "")], {"page": "A page"}, [])
    tab.evaluate("(made) => Search.load(made)", json.loads(json.dumps(made)))
    for word in [*text.split(), *search_index.words(text)]:
        if any(search_index.parted(word)):
            assert tab.evaluate("(word) => Search.find(word).length", word) == 1, word
    assert tab.evaluate("() => Search.find('zebra').length") == 0
    tab.close()


def test_the_answers_to_choose_from_do_not_run_into_each_other():
    asked = '<div class="pw-still"><p>Which?</p><ul><li>one</li><li>two</li></ul></div>'
    assert search_index.sections("a", f'<section id="a"><h1>A</h1>{asked}</section>')[0].text == "Which?\none · two"
