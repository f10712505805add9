"""What the table of contents holds, and what each chapter is for."""

from functools import cache
from pathlib import Path

import yaml

from tools import stamp

PURPOSES = stamp.ROOT / "book" / "chapters.yml"


@cache
def parts(toc: Path = stamp.ROOT / "_toc.yml") -> list[tuple[str, list[str]]]:
    """The parts of the book: caption and names of the pages, such as "chapters/fcn"; pages of no part come under ""."""
    contents = yaml.safe_load(Path(toc).read_text(encoding="utf-8"))
    groups = contents.get("parts") or [contents]
    return [(group.get("caption", ""), [_name(entry["file"]) for entry in group["chapters"]]) for group in groups]


def root(toc: Path = stamp.ROOT / "_toc.yml") -> str:
    """The first page."""
    return _name(yaml.safe_load(Path(toc).read_text(encoding="utf-8"))["root"])


@cache
def below(toc: Path = stamp.ROOT / "_toc.yml") -> dict[str, list[str]]:
    """The pages below each page that has some, such as those of the library's rooms below "reference/index"."""
    contents = yaml.safe_load(Path(toc).read_text(encoding="utf-8"))
    entries = [entry for group in contents.get("parts") or [contents] for entry in group["chapters"]]
    return {_name(entry["file"]): [_name(one["file"]) for one in entry.get("sections", ())] for entry in entries}


def _name(file: str) -> str:
    return file.removesuffix(".md").removesuffix(".ipynb")


@cache
def purposes() -> dict[str, dict[str, str]]:
    """The failure that each chapter starts from, its question and its keywords, by the chapter's name."""
    return yaml.safe_load(PURPOSES.read_text(encoding="utf-8"))


def purpose(page: str) -> dict[str, str]:
    """Of a page such as "chapters/fcn"; empty where it is no chapter."""
    return purposes().get(page.rpartition("/")[2], {})


@cache
def numbers(toc: Path = stamp.ROOT / "_toc.yml") -> dict[str, int]:
    """The number of each chapter, by the name of its page, in the order of the contents."""
    pages = [page for _, names in parts(toc) for page in names if purpose(page)]
    return {page: number for number, page in enumerate(pages, 1)}
