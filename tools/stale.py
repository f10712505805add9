"""List the chapters whose outputs were recorded with an earlier library: `make stale`.

Exits with 0 even when some are stale: a refactoring need not cost a day of recording. `--strict`, for a release, exits
with 1 then.
"""

import sys

from tools import stamp


def main(arguments: list[str]) -> int:
    stale = 0
    for path in stamp.notebooks():
        recorded = stamp.read(path).metadata.get("pixelwise")
        if recorded is None:
            print(f"{path.stem}: never recorded")
        elif changed := stamp.changed_modules(recorded):
            print(f"{path.stem}: recorded on {recorded['date']}, before changes in {', '.join(changed)}")
        else:
            continue
        stale += 1
    total = len(stamp.notebooks())
    print(f"{total - stale} of {total} chapters were recorded with the library as it is.")
    return 1 if stale and "--strict" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
