"""Build the site from `_config.yml` and `_toc.yml`, with warnings as errors: `make book`.

This is Jupyter Book's own build, called so that pages are read and written on every core.
"""

import argparse
import gc
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

from book import stamp

SITE = stamp.ROOT / "_build" / "html"
EPUB = stamp.ROOT / "_build" / "epub" / "Pixelwise.epub"

EXECUTION = {  # what would run notebooks, with its database and its sockets: chapters carry recorded outputs
    "myst_nb.core.execute.cache": "NotebookClientCache",
    "myst_nb.core.execute.direct": "NotebookClientDirect",
    "myst_nb.core.execute.inline": "NotebookClientInline",
    "jupyter_client.kernelspec": "find_kernel_specs",
}


def build(
    source: Path = stamp.ROOT,
    output: Path = SITE,
    quiet: bool = True,
    builder: str = "html",
    settings: Mapping[str, object] = MappingProxyType({}),
) -> int:
    """Build the book in `source` into the folder `output`; return 0, or 1 when Sphinx warned of anything.

    `builder` is one of Sphinx's, `settings` overrule _config.yml.
    """
    spare_imports()
    from jupyter_book.sphinx import build_sphinx

    source, output = Path(source).resolve(), Path(output).resolve()
    result = build_sphinx(
        source,
        output,
        noconfig=True,
        path_config=source / "_config.yml",
        confoverrides={"external_toc_path": str(source / "_toc.yml"), "latex_individualpages": False, **settings},
        builder=builder,
        jobs=os.cpu_count() if sys.platform != "win32" else 1,
        quiet=quiet,
        warningiserror=True,
        keep_going=True,
    )
    return 1 if isinstance(result, Exception) else result


def spare_imports() -> None:
    """Keep out modules that serve no page, and that take as long to load as half of the chapters take to read."""
    sys.modules.setdefault("rfc3987_syntax", None)  # jsonschema's grammars, for a check that no setting needs
    for module, name in EXECUTION.items():
        sys.modules.setdefault(module, SimpleNamespace(**{name: None}))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make book", description="Build the site, warnings as errors.")
    parser.add_argument("--source", type=Path, default=stamp.ROOT)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--epub", action="store_true", help="one file for e-readers instead of the site")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    gc.disable()  # a tenth of the time would go into looking for garbage, and a build leaves little
    output = options.output or (EPUB.parent if options.epub else SITE)
    if build(options.source, output, builder="epub" if options.epub else "html"):
        print("The book was not built: Sphinx warned (see above), and warnings are errors here.", file=sys.stderr)
        return 1
    page = output / (EPUB.name if options.epub else "index.html")
    print(f"The book is in {os.path.relpath(output)} ({time.perf_counter() - start:.0f} s).")
    print(f"Open {page.resolve().as_uri()}{'' if options.epub else ' or run `make serve`'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
