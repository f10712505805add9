"""A small CamVid that anyone can make: its folder, its manifest, and a server that delivers it well or badly."""

import hashlib
import http.server
import json
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

FRAMES = {
    "train": ("0001TP_1", "0001TP_2", "0006R0_1", "0006R0_2", "0016E5_1", "0016E5_2"),
    "val": ("0016E5_3", "0016E5_4"),
}
SIZE = (24, 32)
Delivery = bytes | tuple[bytes, int] | None


def make(root: Path, splits: Mapping[str, Sequence[str]] = FRAMES) -> Path:
    """Write the folder; the frames of one name look the same in every copy."""
    for split, names in splits.items():
        for part in (split, f"{split}annot"):
            (root / part).mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(names):
            dice = np.random.default_rng([number, len(split)])
            mask = np.kron(dice.integers(0, 12, (6, 8)), np.ones((4, 4))).astype(np.uint8)
            image = np.clip(mask[..., None] * 20 + dice.integers(0, 30, (*SIZE, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(image).save(root / split / f"{name}.png")
            Image.fromarray(mask).save(root / f"{split}annot" / f"{name}.png")
        lines = [f"/SegNet/CamVid/{split}/{name}.png /SegNet/CamVid/{split}annot/{name}.png\n" for name in names]
        (root / f"{split}.txt").write_text("".join(lines))
    return root


def manifest(root: Path, target: Path, splits: Iterable[str] = ("train", "val")) -> Path:
    """The SHA-256 of all files of `splits`, as pixelwise keeps them for the real CamVid."""
    files = [path for split in splits for path in (root / f"{split}.txt", *root.glob(f"{split}*/*.png"))]
    digests = {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    target.write_text(json.dumps(digests))
    return target


@contextmanager
def served(
    root: Path, *, delay: float = 0.0, tamper: Callable[[str, bytes], Delivery] = lambda name, data: data
) -> Generator[tuple[str, list[str]]]:
    """Serve a folder; yields the address and the list of paths asked for.

    tamper(name, data) may return other bytes, None for "404 not found", or less than was announced as
    (bytes, announced length).
    """
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            requests.append(name)
            time.sleep(delay)
            data = tamper(name, (root / name).read_bytes()) if (root / name).is_file() else None
            if data is None:
                self.send_error(404)
                return
            data, announced = data if isinstance(data, tuple) else (data, len(data))
            self.send_response(200)
            self.send_header("Content-Length", str(announced))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 64

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # the other side was killed, on purpose

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def prepare(settings: dict[str, Any], arguments: list[str], die_at_rename: bool = False) -> None:
    """What a child process of the kill tests runs: the command line, against a small CamVid.

    die_at_rename kills the process when a cache is written in full but does not have its name yet.
    """
    import os

    from pixelwise.cli import prepare
    from pixelwise.data import camvid, storage

    os.environ["PIXELWISE_DATA"] = settings["data"]
    camvid.URL, camvid.MANIFEST = settings["url"], Path(settings["manifest"])
    camvid.COUNTS = settings["counts"]
    camvid.PUBLISHED_SIZE = SIZE  # pyrefly: ignore[bad-assignment]  # typed as the real one's numbers
    if die_at_rename:

        def die(*_: object, **__: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        storage.os.replace = die
    prepare.main(arguments)
