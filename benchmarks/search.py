"""What the search costs and how well it ranks: bytes of script and index, milliseconds a query, right places first.

The queries are those that tests/book/queries.py holds the search to. Each is answered twenty times in Chromium over the
site that `make book` made, and the median counts. With the path of lunr.js (2.3.9 comes with the package mkdocs) the
same sections, with the same other names, are indexed by it and answered beside ours.

    python benchmarks/search.py [lunr.js]
"""

import json
import sys
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from book import search_index  # noqa: E402
from tests.book.queries import FIRST  # noqa: E402

SITE = ROOT / "_build/html"
MEASURE = """([queries, find]) => {
  const times = [];
  const first = queries.map((query) => find(query)[0]);
  for (let round = 0; round < 20; round++)
    for (const query of queries) {
      const start = performance.now();
      find(query);
      times.push(performance.now() - start);
    }
  times.sort((a, b) => a - b);
  return [first, times[times.length >> 1]];
}"""
OURS = """(query) => Search.find(query).map((place) => {
  const [page, anchor] = made.sections[place];
  return `${made.pages[page][0]}#${anchor}`;
})"""
LUNR = """(sections) => {
  globalThis.built = lunr(function () {
    this.ref("place");
    this.field("title", { boost: 10 });
    this.field("names", { boost: 10 });
    this.field("text");
    for (const section of sections) this.add(section);
  });
  return JSON.stringify(built).length;
}"""
THEIRS = "(query) => built.search(query.replace(/[-:~^+*]/g, ' ')).map((hit) => hit.ref)"


def report(name: str, script: int, index: int, found: list[list[str]], milliseconds: float) -> None:
    right = sum(one == place for one, place in zip(found, FIRST.values(), strict=True))
    print(f"{name:<6}{script / 1000:>8.1f}{index / 1000:>9.1f}{milliseconds:>10.2f}{right:>7} of {len(FIRST)}")


def main(arguments: list[str]) -> None:
    script, index = ((SITE / "_static" / name).read_text("utf-8") for name in ("search.js", "search-index.js"))
    pages = [page for page, _ in json.loads(index.removeprefix("Search.load(").rstrip(");\n"))["pages"]]
    print("        script    index  ms/query   first   (sizes in kB)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page()
        tab.evaluate(script + index.replace("Search.load(", "globalThis.made = (").rstrip() + "\nSearch.load(made);")
        measure = f"(queries) => ({MEASURE})([queries, %s])"
        report("ours", len(script.encode()), len(index.encode()), *tab.evaluate(measure % OURS, list(FIRST)))
        if arguments:
            synonyms = search_index.Synonyms(yaml.safe_load(search_index.SYNONYMS.read_text("utf-8")))
            sections = [
                {
                    "place": f"{page}#{one.anchor}",
                    "title": one.title,
                    "names": " ".join([*one.names, *synonyms.of(one.title)]),
                    "text": one.text,
                }
                for page in pages
                for one in search_index.sections(page, (SITE / f"{page}.html").read_text("utf-8"))
            ]
            lunr = Path(arguments[0]).read_text("utf-8")
            tab.evaluate(lunr.replace("}(this, function", "}(globalThis, function"))
            size = tab.evaluate(LUNR, sections)
            report("lunr", len(lunr.encode()), size, *tab.evaluate(measure % THEIRS, list(FIRST)))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
