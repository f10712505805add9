"""Ask every address that the book names whether it still answers: `make links`. Needs the network, and some minutes.

Sphinx's own link checker visits the links of the pages; the addresses of data and published weights, and the links of
the files that are no pages, are asked for here.
"""

import concurrent.futures
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import requests

from book import build
from tools import stamp

OUTSIDE = re.compile(r"https?://[^\s<>()\"'`\]]+[\w/]")
NO_PAGES = ("README.md", "data/README.md", "CITATION.cff")
TIMEOUT, TRIES = 20, 3


def of_pages(source: Path = stamp.ROOT) -> list[str]:
    """The dead links of the book's pages, each with its place."""
    settings = {
        "linkcheck_ignore": [r"^(?!https?://)"],
        "linkcheck_timeout": TIMEOUT,
        "linkcheck_retries": TRIES,
        "linkcheck_report_timeouts_as_broken": True,
    }
    with tempfile.TemporaryDirectory() as output:
        build.build(source, Path(output, "pages"), builder="linkcheck", settings=settings)
        lines = Path(output, "pages/output.json").read_text(encoding="utf-8").splitlines()
    links = [json.loads(line) for line in lines]
    return [f"{link['filename']}: {link['uri']} ({link['info']})" for link in links if link["status"] == "broken"]


def of_data() -> list[str]:
    """The addresses from which the library fetches: CamVid (its first and last file) and each network's weights."""
    from pixelwise.data import camvid
    from pixelwise.zoo.pretrained import PUBLISHED, published_url

    files = list(json.loads(camvid.MANIFEST.read_text(encoding="utf-8")))
    return [
        *(camvid.URL + file for file in (files[0], files[-1])),
        *(published_url(network.__name__) for network in PUBLISHED),
    ]


def of_files(root: Path = stamp.ROOT) -> list[str]:
    """The addresses in files that are not pages of the book."""
    return [address for name in NO_PAGES for address in OUTSIDE.findall((root / name).read_text(encoding="utf-8"))]


def dead(addresses: Iterable[str]) -> list[str]:
    """Those of the addresses that do not answer, or with an error, and what they say."""

    def ask(address: str) -> str:
        failure = ""
        for _ in range(TRIES):
            try:
                with requests.get(address, timeout=TIMEOUT, stream=True) as answer:  # the head alone is read
                    if answer.ok:
                        return ""
                    failure = f"{answer.status_code} {answer.reason}"
            except requests.RequestException as error:
                failure = str(error)
        return f"{address} ({failure})"

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return [failure for failure in pool.map(ask, dict.fromkeys(addresses)) if failure]


def main() -> int:
    failures = [*of_pages(), *dead([*of_data(), *of_files()])]
    print(*failures, f"{len(failures)} dead links", sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
