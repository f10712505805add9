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
<dd>Stamps <dl><dt>x</dt><dd>A map.</dd></dl></dd></dl><p>Last.</p></section></article></body></html>"""


def test_sections_hold_what_a_page_shows():
    found = search_index.sections("chapters/a_page", PAGE)
    assert [(one.anchor, one.title, one.text) for one in found] == [
        ("a-page", "A page", "Of stamps & maps. After. Last."),
        ("below", "Below", "Shape H ."),
        ("pixelwise.ops.stamp", "stamp", "Stamps x A map."),
    ]
    assert found[0].names == ["a page"]


def test_a_glossary_entry_is_called_by_its_korean_names_too():
    html = '<section id="void"><h3>Void</h3><p><em>무시 영역, 빈 곳.</em> Pixels without a label.</p></section>'
    assert search_index.sections("chapters/glossary", html)[0].names[:2] == ["무시 영역", "빈 곳"]
    assert search_index.sections("chapters/fcn", html)[0].names == ["fcn"]


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
