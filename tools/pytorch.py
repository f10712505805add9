"""Which PyTorch an environment gets, on Linux and x86-64: PyPI's, or the one for the CPU.

PyPI's brings 5 GB for NVIDIA's GPUs. Where nothing tells of a driver of theirs, PyTorch's own index of CPU wheels is
asked, once and for a few seconds; where it does not answer with the locked versions, all comes from PyPI.

    python -m tools.pytorch  # keep the hashes of the CPU wheels (`make lock`)

requirements.txt has no hashes of CPU wheels. They are those of requirements-cpu.txt, which the index must state too;
where that file is missing, those that the index states when the environment is first made, which are then kept with it.

Needs nothing but Python, and runs on older ones than the book, as environment.py does.
"""

import ctypes
import html.parser
import http.client
import os
import re
import shutil
import sys
import threading
import time
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCK, CPU_LOCK = (os.path.join(ROOT, name) for name in ("requirements.txt", "requirements-cpu.txt"))
INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE = 5  # seconds that it has to answer in
PACKAGES = ("torch", "torchvision")
PYTHONS = {"cp311", "cp312", "cp313"}
# What the CPU wheels replace, and what only PyPI's PyTorch needs.
NOT_FOR_CPU = re.compile(r"(torch|torchvision|triton|(nvidia|cuda)-[\w-]+)(\[.*\])?==")
DRIVER_FILE, DRIVER_COMMAND, DRIVER_LIBRARY = "/proc/driver/nvidia/version", "nvidia-smi", "libcuda.so.1"


def choose(asked: str, kept: "str | None") -> "tuple[str, str]":
    """(the lines that require PyTorch's CPU wheels, "" for PyPI's; a sentence that says which and why).

    asked: "cpu", "cuda" or ""; kept: those lines of an environment that is brought up to date, None for a new one.
    SystemExit where the CPU wheels are asked for and can't be had.
    """
    pypi, cpu = "PyTorch comes from PyPI, with CUDA", "PyTorch comes from its own index, for the CPU"
    if asked == "cuda":
        return "", f"{pypi}, as TORCH=cuda says"
    if not asked and kept == "":
        return "", f"{pypi}, as before"
    if kept and cpu_pins(kept) == pins():
        return kept, f"{cpu}, as before"
    sign = "" if asked or kept else driver()
    if sign:
        return "", f"{pypi}, for {sign} tells of an NVIDIA driver (TORCH=cpu takes the small one)"
    lines, why = cpu_wheels()
    if lines:
        alone = "for there is no NVIDIA driver (TORCH=cuda takes the other)"
        return lines, f"{cpu}, " + ("as TORCH=cpu says" if asked else "as before" if kept else alone)
    if asked or kept:
        sys.exit(f"PyTorch for the CPU can't be had: {why}. Try again later, or take the large one: make TORCH=cuda")
    return "", f"{pypi}, which does no harm without a GPU: {why}"


def driver() -> str:
    """What shows that this machine has an NVIDIA driver; "" where nothing does."""
    if os.path.exists(DRIVER_FILE):
        return DRIVER_FILE
    if shutil.which(DRIVER_COMMAND):
        return DRIVER_COMMAND
    try:
        ctypes.CDLL(DRIVER_LIBRARY)  # it comes with a driver, also into containers, and not with CUDA's own packages
    except OSError:
        return ""
    return DRIVER_LIBRARY


def requirements(cpu: str) -> str:
    """All that is required, with hashes: the lock, in it the given lines (see `choose`) in place of PyPI's PyTorch."""
    blocks = re.split(r"(?m)^(?=\w)", read(LOCK))
    return "".join(block for block in blocks if not (cpu and NOT_FOR_CPU.match(block))) + cpu


def pins() -> "list[tuple[str, str]]":
    """(package, locked version) of what has CPU wheels."""
    return [pin for pin in re.findall(r"(?m)^([\w-]+)==([\w.]+)", read(LOCK)) if pin[0] in PACKAGES]


def cpu_pins(lines: str) -> "list[tuple[str, str]]":
    """The same of lines that require CPU wheels."""
    return re.findall(r"(?m)^([\w-]+)==([\w.]+)\+cpu", lines)


def cpu_wheels() -> "tuple[str, str]":
    """(lines that require the locked versions for the CPU, with the hashes that the index states; "") or ("", why not).

    Only wheels for Linux on x86-64 count, and only where there is one for every Python of the book.
    """
    pages, lines = ask(), ""
    for package, version in pins():
        if package not in pages:
            return "", f"PyTorch's index of CPU wheels gave no answer within {PATIENCE} s"
        links = Links()
        links.feed(pages[package])
        name = re.compile(rf"{package}-{re.escape(version)}\+cpu-(\w+)-\w+-\w*linux\w*_x86_64\.whl")
        matches = [(name.fullmatch(file), digest) for file, digest in links.hashes.items()]
        found = {digest: match.group(1) for match, digest in matches if match}
        if "py3" not in found.values() and not set(found.values()) >= PYTHONS:
            return "", f"PyTorch's index of CPU wheels lists no {package} {version} with its hashes"
        hashes = [f" \\\n    --hash=sha256:{digest}" for digest in sorted(found)]
        lines += f"{package}=={version}+cpu{''.join(hashes)}\n"
    if not lines:
        return "", f"{os.path.basename(LOCK)} locks no PyTorch"
    known = re.sub("(?m)^#.*\n", "", read(CPU_LOCK))
    if known and known != lines:
        return "", f"PyTorch's index of CPU wheels states other hashes than {os.path.basename(CPU_LOCK)}"
    return lines, ""


def links() -> "list[str]":
    """How pip and uv find the CPU wheels."""
    return [f"--find-links={page(package)}" for package in PACKAGES]


def page(package: str) -> str:
    return f"{INDEX}/{package}/"


def ask() -> "dict[str, str]":
    """The index's pages by package, without those that do not come in time."""
    pages = {}

    def fetch(package: str) -> None:
        try:
            with urllib.request.urlopen(page(package), timeout=PATIENCE) as answer:
                pages[package] = answer.read().decode("utf-8", "replace")
        except (OSError, ValueError, http.client.HTTPException):
            pass  # that is no answer

    # In threads, which nobody waits for at the end: a socket's timeout bounds neither a look-up nor a whole answer.
    threads = [threading.Thread(target=fetch, args=(package,), daemon=True) for package in PACKAGES]
    for thread in threads:
        thread.start()
    end = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    return dict(pages)


class Links(html.parser.HTMLParser):
    """The files that a page of a package index lists: their names, and the SHA-256 that it states of each."""

    def __init__(self) -> None:
        super().__init__()
        self.hashes = {}  # type: dict[str, str]

    def handle_starttag(self, tag: str, attrs: "list[tuple[str, str | None]]") -> None:
        address, _, fragment = (dict(attrs).get("href") or "").partition("#")
        stated = re.fullmatch("sha256=([0-9a-f]{64})", fragment)
        if tag == "a" and stated:
            self.hashes[urllib.parse.unquote(address.rpartition("/")[2])] = stated.group(1)


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def main() -> int:
    """Write what the index states beside the lock; where it does not answer, what is there stays if it fits."""
    known = read(CPU_LOCK)
    if known:
        os.unlink(CPU_LOCK)
    lines, why = cpu_wheels()
    if lines:
        known = f"# PyTorch for the CPU, on Linux and x86-64, with the hashes that its index states\n{lines}"
    elif cpu_pins(known) != pins():
        known = ""
    if known:
        with open(CPU_LOCK, "w", encoding="utf-8") as file:
            file.write(known)
    if why:
        print(f"There {'still are' if known else 'are no'} hashes of PyTorch's CPU wheels beside the lock: {why}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
