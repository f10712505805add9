"""Questions in the chapters' stored outputs, and whether the claims that settle them stand in their chapter.

A question is an interactive figure (`explorables.Question`) whose stored output carries its whole state. Its verdict is
worth what its claims are: each has to be asserted in a cell above, to hold, and to be the one that the page shows. Nor
may the verdict say more than they do: a number in it is one of theirs, or of the question.
"""

import html
import json
import math
import re
from collections import Counter
from pathlib import Path

from tools import stamp
from tools.reading import CLAIM, QUESTION

NUMBER = re.compile(r"(?<![\w.,])(?<!\w-)(?:\d{1,3}(?:,\d{3})+|\d*\.?\d+)(?:e[+-]?\d+)?(?![\w-])")
WORDS = {
    "half": 0.5, "third": 3, "three": 3, "quarter": 4, "four": 4, "fifth": 5, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "tenth": 10, "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20,
}  # fmt: skip
"""Two is none of them: it counts, as in "the two networks"."""
STATE = re.compile(rf'{QUESTION}[\w-]+" data-state="([^"]*)"')


def asked(output: stamp.Json) -> list[stamp.Json]:
    """The questions of one stored output, each as its state."""
    return states("".join(output.get("data", {}).get("text/html", "")))


def states(text: str) -> list[stamp.Json]:
    """The states of the questions in HTML."""
    return [json.loads(html.unescape(state)) for state in STATE.findall(text)]


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
                if more := unclaimed(question):
                    problems.append(f"{where} and says {', '.join(more)}, which none of its claims does")
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


def unclaimed(question: stamp.Json) -> list[str]:
    """The numbers of a verdict that stand in no claim that it rests on, nor in the question, its answer and its unit.

    A number is the same as a share, in hundredths and in thousandths, and as a word.
    """
    claims = [f"{claim['sentence']} {claim['detail']}" for claim in question["claims"]]
    asked = [question.get(part, "") for part in ("question", "right", "unit")]
    known = [value for text in (*claims, *asked) for value in numbers(text)]
    units = (1, 100, 1000)
    return [
        f"{value:g}"
        for value in numbers(question["verdict"])
        if not any(
            math.isclose(value, unit * one) or math.isclose(unit * value, one) for one in known for unit in units
        )
    ]


def numbers(text: str) -> list[float]:
    """The numbers in a text, in digits or in words; not those in names, such as FCN-8s or ResNet-18."""
    digits = [float(one.replace(",", "")) for one in NUMBER.findall(text)]
    words = re.findall(r"[a-z]+", text.lower())
    return digits + [float(WORDS[word]) for word in words if word in WORDS]


def alike(paths: list[Path]) -> list[str]:
    """Questions of different chapters that have one name, so that a guess at one would count for the other."""
    names = [(one["key"], path.name) for path in paths for one in stored(stamp.read(path))]
    where = {key: sorted({name for other, name in names if other == key}) for key, _ in names}
    return [f"{', '.join(files)}: {key!r} names a question in each" for key, files in where.items() if len(files) > 1]
