"""Questions in the chapters' stored outputs, and whether the claims that settle them stand in their chapter.

A question is an interactive figure (`explorables.Question`) whose stored output carries its whole state. Its verdict is
worth what its claims are: each has to be asserted in a cell above, to hold, and to be the one that the page shows.
"""

import html
import json
import re
from collections import Counter
from pathlib import Path

from tools import stamp
from tools.reading import CLAIM, QUESTION

STATE = re.compile(rf'{QUESTION} data-name="question-[\w-]+" data-state="([^"]*)"')


def asked(output: stamp.Json) -> list[stamp.Json]:
    """The questions of one stored output, each as its state."""
    text = output.get("data", {}).get("text/html", "")
    return [json.loads(html.unescape(state)) for state in STATE.findall("".join(text))]


def stored(notebook: stamp.Json) -> list[stamp.Json]:
    """The questions of a notebook, in order, each as its state."""
    return [one for cell in stamp.code_cells(notebook) for output in cell["outputs"] for one in asked(output)]


def faults(notebook: stamp.Json) -> list[str]:
    """Questions whose verdict rests on no claim that the chapter has asserted before, or on one that does not hold."""
    problems: list[str] = []
    claims: dict[str, stamp.Json] = {}
    for number, cell in enumerate(stamp.code_cells(notebook), 1):
        for output in cell["outputs"]:
            if claim := output.get("data", {}).get(CLAIM):
                claims[claim["name"]] = claim
            for question in asked(output):
                where = f"code cell {number} asks {question['key']!r}"
                if not question["verdict"] or not question["claims"]:
                    problems.append(f"{where} without a verdict that rests on a claim")
                problems += [f"{where}, {fault}" for one in question["claims"] if (fault := unsettled(one, claims))]
    keys = Counter(question["key"] for question in stored(notebook))
    return problems + [
        f"{key!r} is asked {count} times; name each question" for key, count in keys.items() if count > 1
    ]


def unsettled(claim: stamp.Json, claims: dict[str, stamp.Json]) -> str:
    """Why a question's claim settles nothing, given the claims that stand above it; empty if it does."""
    there = claims.get(claim["name"])
    if there is None:
        return f"but no cell above it claims {claim['sentence']!r}"
    if broken := next((state for state in (there["state"], claim["state"]) if state != "holds"), None):
        return f"but {claim['sentence']!r} {broken}"
    if there["sentence"] != claim["sentence"]:
        return f"but its claim now reads {there['sentence']!r}; record the chapter again"
    return ""


def alike(paths: list[Path]) -> list[str]:
    """Questions of different chapters that have one name, so that a guess at one would count for the other."""
    names = [(one["key"], path.name) for path in paths for one in stored(stamp.read(path))]
    where = {key: sorted({name for other, name in names if other == key}) for key, _ in names}
    return [f"{', '.join(files)}: {key!r} names a question in each" for key, files in where.items() if len(files) > 1]
