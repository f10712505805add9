"""What every stored chapter must be: `python -m tools.check [NOTEBOOK ...]`.

Each check returns the faults it finds as sentences that say where and what to do. `faults` runs all of them on one
notebook; `alike` compares the chapters with one another. The command also says how much each chapter asks of its reader
(tools/reading.py), and where that is too much; that is a warning, and no fault.
"""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

from tools import bootstrap, folds, questions, reading, stamp

LIMIT = 1_000_000
MACHINE_PATH = re.compile(
    r"(?<![\w.~+/=-])/(?:home|root|Users|work|tmp|private|var/folders|workspace)/[\w.-]+|[A-Za-z]:\\+(?:Users|home)\b"
)
OBJECT_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
PROGRESS = re.compile(r"\d+%\|.*\||\d(?:it/s|s/it)\b|\r(?!\n)|\bHBox\(children|\bFloatProgress\(")
WIDGET_TYPES = {"application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json"}
IMAGE_TYPES = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"}
FOREIGN = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^\s\"'>]+"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//[^\s\"'>]+"
    r"|(?:@import|url\()\s*[\"']?(?:https?:)?//[^\s\"')]+"
    r"|\b(?:import\s*\(|from\s|fetch\()\s*[\"']https?://[^\s\"']+"
    r"|!\[[^\]]*\]\(\s*(?:https?:)?//[^\s)]+",
    re.I,
)
NO_DESCRIPTION = re.compile(r"(image|figure|picture|plot|photo|img|fig)?[\s\d._-]*|.*\.(png|jpe?g|svg|gif|webp)", re.I)
DIRECTIVES = {
    "a directive": re.compile(r"^[ >]*(?:`{3,}|~{3,}|:{3,})\{[\w:-]+\}", re.M),
    "a role": re.compile(r"\{[a-z][\w:-]*\}`[^`]+`"),
    "a target": re.compile(r"^\([\w-]+\)=\s*$", re.M),
    "an equation label": re.compile(r"\$\$\s*\([\w:-]+\)\s*$", re.M),
}


def faults(path: Path) -> list[str]:
    """Everything that is wrong with the notebook at `path`; an empty list when nothing is."""
    text = Path(path).read_text(encoding="utf-8")
    notebook = json.loads(text)
    problems: list[str] = (
        [] if len(text.encode()) <= LIMIT else [f"the file has {len(text.encode()):,} bytes, more than {LIMIT:,}"]
    )
    for check in (
        drifted,
        unexecuted,
        unstorable,
        without_alternative,
        not_portable,
        foreign,
        folds.faults,
        questions.faults,
    ):
        problems += check(notebook)
    return problems


def drifted(notebook: stamp.Json) -> list[str]:
    """Code cells that are no longer those that made the outputs, and outputs that are no longer what they made."""
    recording = notebook["metadata"].get("pixelwise")
    if not recording:
        return ["there is no stamp; record the chapter with `make record`"]
    problems: list[str] = []
    for what, now in (("cells", stamp.hash_cells(notebook)), ("outputs", stamp.hash_outputs(notebook))):
        if what not in recording:
            problems.append(f"the stamp holds no hash of the {what}; record the chapter again with `make record`")
        elif recording[what] != now:
            problems.append(
                f"{what} have changed since the recording of {recording.get('date')}; record the chapter again"
            )
    return problems


def unexecuted(notebook: stamp.Json) -> list[str]:
    """Code cells that did not run, or not from top to bottom in a fresh kernel."""
    counts = [cell.get("execution_count") for cell in stamp.code_cells(notebook)]
    if counts == list(range(1, len(counts) + 1)):
        return []
    missing = [number for number, count in enumerate(counts, 1) if count is None]
    if missing:
        return [f"code cell {', '.join(map(str, missing))} has not been executed; record the chapter"]
    return [f"code cells ran in the order {counts}, not from top to bottom; record the chapter"]


def unstorable(notebook: stamp.Json) -> list[str]:
    """Outputs that must not be stored: errors, widget state, progress bars, paths and addresses of one machine."""
    problems: list[str] = []
    if notebook["metadata"].get("widgets"):
        problems.append(
            "the metadata holds widget state; show a static picture when course.begin(...).recording is true"
        )
    for number, cell in enumerate(stamp.code_cells(notebook), 1):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                problems.append(f"code cell {number} ended in {output['ename']}: {output['evalue']}")
                continue
            if "data" in output and not any(kind.startswith("text/") or kind in IMAGE_TYPES for kind in output["data"]):
                problems.append(f"code cell {number} shows only {', '.join(output['data'])}, which pages cannot show")
            if WIDGET_TYPES & set(output.get("data", {})):
                problems.append(f"code cell {number} shows a widget, which is dead without a kernel")
            for text in texts(output):
                for what, pattern in (
                    ("a path of one machine", MACHINE_PATH),
                    ("the address of an object", OBJECT_ADDRESS),
                    ("the debris of a progress bar", PROGRESS),
                ):
                    if match := pattern.search(text):
                        problems.append(
                            f"the output of code cell {number} holds {what}: {match.group().strip()[:60]!r}"
                        )
    return problems


def without_alternative(notebook: stamp.Json) -> list[str]:
    """Pictures without a text that says what they show."""
    problems: list[str] = []
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] == "markdown":
            text = without_code(stamp.source(cell))
            alternatives = re.findall(r"!\[((?:[^\]\\]|\\.)*)\]\(", text) + html_alternatives(text)
            where = f"a picture in cell {number}"
        elif cell["cell_type"] == "code":
            outputs = [output.get("data", {}) for output in cell.get("outputs", [])]
            alternative = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt")
            alternatives = [
                alternative or described(joined(data.get("image/svg+xml", "")))
                for data in outputs
                if IMAGE_TYPES & set(data)
            ]
            alternatives += [alt for data in outputs for alt in html_alternatives(joined(data.get("text/html", "")))]
            where = f'the output of cell {number} (set its metadata {{"mystnb": {{"image": {{"alt": …}}}}}})'
        else:
            continue
        problems += [f"{where} has no real alt text: {alt!r}" for alt in alternatives if not describes(alt)]
    return problems


def described(svg: str) -> str | None:
    """What an SVG says of itself, which can stand for it."""
    return ElementTree.fromstring(svg).findtext("{http://www.w3.org/2000/svg}desc") if svg else None


def describes(alternative: str | None) -> bool:
    """Whether an alt text can stand for a picture: a phrase, not a file name or the word “figure”."""
    return bool(alternative) and len(alternative.split()) >= 3 and not NO_DESCRIPTION.fullmatch(alternative.strip())


def not_portable(notebook: stamp.Json) -> list[str]:
    """Syntax that Colab and GitHub show raw."""
    problems: list[str] = []
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] != "markdown":
            continue
        text = stamp.source(cell)
        prose = re.sub(r"(`{2,}).+?\1", "", without_fences(text))
        for what, pattern in DIRECTIVES.items():
            if match := pattern.search(text if what == "a directive" else prose):
                syntax = match.group().strip()
                problems.append(f"cell {number} holds {what} that only this book's builder knows: {syntax!r}")
        problems += [f"cell {number} tears a formula into a list: {line!r}" for line in torn(without_code(text))]
    return problems


def torn(text: str) -> list[str]:
    """Lines that begin with a sign inside a formula: Markdown takes it for the mark of a list."""
    found: list[str] = []
    for paragraph in re.split(r"\n[ >]*\n", text):
        before, *lines = re.sub(r"\\\$", "", paragraph).split("\n")
        for line in lines:
            if re.match(r"[ >]*[-+*] ", line) and before.count("$") % 2:
                found.append(line)
            before += line
    return found


def foreign(notebook: stamp.Json) -> list[str]:
    """Scripts, styles, fonts and pictures that a reader's browser would ask another host for."""
    problems: list[str] = []
    for number, cell in enumerate(notebook["cells"], 1):
        bundles = [output.get("data", {}) for output in cell.get("outputs", [])]
        pieces = [joined(data.get(kind, "")) for data in bundles for kind in ("text/html", "image/svg+xml")]
        pieces += [without_code(stamp.source(cell))] if cell["cell_type"] == "markdown" else []
        matches = filter(None, map(FOREIGN.search, pieces))
        problems += [f"cell {number} asks another host for something: {match.group()[:80]!r}" for match in matches]
    return problems


def alike(paths: list[Path]) -> list[str]:
    """Chapters whose first code cell, which prepares Colab, is not the one for this release and address."""
    cells = {path.name: stamp.bootstrap_cell(json.loads(path.read_text(encoding="utf-8"))) for path in paths}
    return [
        f"{name}: the first code cell is not that of `tools.bootstrap`; `make bootstrap` mends it"
        for name, cell in cells.items()
        if cell != bootstrap.cell()
    ]


def texts(output: stamp.Json) -> list[str]:
    """The texts of an output, as a person sees them; encoded pictures are left out."""
    if output["output_type"] == "stream":
        return [joined(output["text"])]
    data = output.get("data", {})
    return [joined(value) for kind, value in data.items() if kind.startswith("text/") or kind == "image/svg+xml"]


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def without_fences(text: str) -> str:
    return re.sub(r"^([ >]*)(`{3,}|~{3,}).*?^\1\2[ \t]*$", "", text, flags=re.M | re.S)


def without_code(text: str) -> str:
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", without_fences(text))


def html_alternatives(html: str) -> list[str | None]:
    """The alt texts of the img elements in `html`, None where one has none; `alt=""` with aria-hidden is decoration."""
    alternatives: list[str | None] = []

    class Images(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            attributes = dict(attrs)
            if tag == "img" and attributes.get("aria-hidden") != "true":
                alternatives.append(attributes.get("alt"))

    Images().feed(html)
    return alternatives


def main(arguments: list[str]) -> int:
    paths = [Path(argument) for argument in arguments] or stamp.notebooks()
    problems = [f"{path.name}: {fault}" for path in paths for fault in faults(path)]
    problems += alike(stamp.notebooks()) + questions.alike(stamp.notebooks())
    for path in paths:
        print("\n".join(reading.describe(path.stem, stamp.read(path))))
    for fault in problems:
        print(fault)
    print(f"{len(paths)} notebooks checked, {len(problems)} faults")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
