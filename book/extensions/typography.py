"""How the text of a page is set: what a line must not part, and the signs of print where a program wrote plain ones.

Markdown gets its quotation marks from Sphinx. What a cell has computed, a claim or a verdict, comes as HTML with the
apostrophes and hyphens of a keyboard. Code, formulas and signatures stay as they are.
"""

import html
import json
import re
from typing import Any

TOKEN = re.compile(r"""(<(?:[^>"']|"[^"]*"|'[^']*')*>)""")
TAG = re.compile(r"<(/?)([a-z][\w-]*)")
VERBATIM = frozenset({"annotation", "code", "dt", "math", "pre", "script", "style", "svg", "textarea"})
SIGNS = (
    (re.compile(r"(?<=\d) (?=%)"), "\u00a0"),
    (re.compile(r"(?<![\w.)\]-])-(?=\d++(?:[.,]\d++)*+(?!\w| \d))"), "\N{MINUS SIGN}"),
    (re.compile(r"(?<=\w)(?:'|&#x27;|&#39;)(?=\w|\s|$)"), "\N{RIGHT SINGLE QUOTATION MARK}"),
    (re.compile(r'(?:"|&quot;)(?=\w)'), "\N{LEFT DOUBLE QUOTATION MARK}"),
    (re.compile(r'(?<=[\w.,!?])(?:"|&quot;)'), "\N{RIGHT DOUBLE QUOTATION MARK}"),
)
"""A number and its per cent stay together; a minus, an apostrophe and quotation marks are what they are in print."""
MATH = "<math>(?:(?!</math>).)*</math>"
FORMULA = re.compile(rf"[(\[“]?{MATH}[,.;:!?)\]”…]+|[(\[“]{MATH}", re.DOTALL)
"""A formula in a line of text, with the signs that belong to it: between them a line could end."""
STATE = re.compile(r'(?<= data-name="question-)([\w-]+" data-state=)"([^"]*)"')


def signs(text: str) -> str:
    """A text, plain or escaped as HTML, with the signs of print."""
    for sign, printed in SIGNS:
        text = sign.sub(printed, text)
    return text


def compose(body: str) -> str:
    """The HTML of a page, its text with the signs of print, also the sentences that a question will say."""
    parts, inside = list[str](), list[str]()
    for part in TOKEN.split(STATE.sub(say, body)):
        if tag := TAG.match(part):
            if tag[1] and inside and inside[-1] == tag[2]:
                inside.pop()
            elif not tag[1] and (inside[-1:] == [tag[2]] or (tag[2] in VERBATIM and not inside)):
                inside.append(tag[2])
            parts.append(part)
        else:
            parts.append(part if inside or part.isspace() else signs(part))
    return FORMULA.sub(r'<span class="pw-tied">\g<0></span>', "".join(parts))


def say(state: re.Match[str]) -> str:
    """The state of a question with its texts as they are printed."""
    printed = json.dumps(walk(json.loads(html.unescape(state[2]))))
    return f'{state[1]}"{html.escape(printed)}"'


def walk(value: Any) -> Any:
    """The same value with the texts in it as they are printed."""
    if isinstance(value, str):
        return signs(value)
    if isinstance(value, list):
        return [walk(one) for one in value]
    if isinstance(value, dict):
        return {key: walk(one) for key, one in value.items()}
    return value
