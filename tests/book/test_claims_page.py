"""The page that lists every claim."""

import re

from book.extensions.claims import MIME, held_elsewhere, read_claims, tabulate, whole
from tools import stamp


def claim(name="chapter.one", **changes):
    return {
        "name": name,
        "sentence": "a < b",
        "kind": "trained",
        "measured": [0.1, 0.2, 0.3],
        "bound": "at least 0 for every seed",
        "state": "holds",
        "where": "streets",
    } | changes


def notebook(*claims):
    outputs = [{"output_type": "display_data", "data": {"text/plain": "", MIME: one}} for one in claims]
    heading = {"cell_type": "markdown", "source": "# Deeper\n\nText"}
    return {"cells": [heading, {"cell_type": "code", "source": "claims.exact(...)", "outputs": outputs}]}


def test_claims_are_read_from_stored_outputs_and_the_last_of_a_name_counts():
    found = read_claims(notebook(claim(), claim("chapter.two"), claim(state="not checked at this budget")))
    assert [(one["name"], one["state"]) for one in found] == [
        ("chapter.one", "not checked at this budget"),
        ("chapter.two", "holds"),
    ]


def test_what_holds_on_camvid_is_counted_from_the_chapters_own_table():
    lines = (
        "✓ a < b [trained: measured 0.1; at least 0 for every seed; camvid]",
        "✗ c < d [trained: measured 0.1; at least 0.2 for every seed; camvid]",
        "– e < f [trained: not measured]",
        "✓ a < b [trained: measured 0.1; at least 0 for every seed; streets]",
    )
    table = [{"output_type": "display_data", "data": {"text/plain": text}} for text in ("\n".join(lines), lines[1])]
    chapter = {"cells": [{"cell_type": "code", "source": "claims.table(camvid)", "outputs": table}]}
    assert held_elsewhere(chapter) == {"✓": 1, "✗": 2}


def test_the_title_is_the_first_heading():
    assert stamp.title(notebook()) == "Deeper"


def test_the_table_says_what_was_measured_against_which_bound_and_over_how_many_seeds():
    elsewhere = claim("chapter.three", where="camvid, recorded 2026-11-25", state="does not hold")
    yes = claim("chapter.two", kind="exact", measured=[True], bound="equals true")
    table = tabulate([claim(), yes, elsewhere], "one.html", "streets")
    assert '<a href="one.html#claim-chapter.one">a &lt; b</a>' in table
    assert "<td>0.1, 0.2, 0.3</td>\n<td>at least 0</td>\n<td>trained, 3 seeds</td>" in table
    assert "<td>true</td>\n<td>equals true</td>\n<td>exact</td>" in table
    assert "<td>trained, 3 seeds, camvid, recorded 2026-11-25</td>" in table
    assert table.count('aria-label="holds"') == 2
    assert "<td>does not hold</td>" in table


def test_a_sentence_that_goes_on_from_another_stands_after_it():
    assert whole("And k4s2 has five times that", "k4s2 has half") == "k4s2 has half. And k4s2 has five times that"
    assert whole("but the probe finds more", "Both classify alike") == "Both classify alike, but the probe finds more"
    assert whole("… and is behind", "k4s2 has half") == "k4s2 has half, and is behind"
    assert whole("Andreas finds less", "k4s2 has half") == "Andreas finds less"


def test_each_row_of_the_table_can_be_read_alone():
    parts = ["With it a sinks", "Without it b gets a third", "but c is left", "d stays"]
    table = tabulate([claim(f"chapter.{part}", sentence=part) for part in parts], "one.html", "streets")
    alone = ["With it a sinks", "With it a sinks. Without it b gets a third"]
    alone += [f"{alone[1]}, but c is left", "d stays"]
    assert re.findall(r'<th scope="row"><a [^>]*>(.*?)</a>', table) == alone
