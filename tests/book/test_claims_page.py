"""The page that lists every claim."""

from book import stamp
from book.extensions.claims import MIME, read_claims, tabulate


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


def test_the_title_is_the_first_heading():
    assert stamp.title(notebook()) == "Deeper"


def test_the_table_says_what_was_measured_and_over_how_many_seeds():
    table = tabulate([claim(), claim("chapter.two", kind="exact", measured=[1.0])])
    assert "a &lt; b" in table
    assert "0.1, 0.2, 0.3 (at least 0 for every seed)" in table
    assert "<td>3 seeds</td>" in table
    assert "<td>–</td>" in table
