"""A package index on this machine that a test fills, and whose manners it chooses."""

import contextlib
import hashlib
import http.server
import threading
from collections.abc import Iterator
from urllib.parse import quote


class WheelIndex:
    """`folder` maps "torch/" or a file's name to bytes, `asked` lists what was asked for.

    manners: "answers"; or "hangs" before or "drips" after the headers, until `let_go` is set or 30 s are over, and
    then answers well: whoever waits gets an answer, which a test can tell from none.
    """

    def __init__(self) -> None:
        self.folder: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.manners = "answers"
        self.let_go = threading.Event()
        self.address = ""

    def offer(self, package: str, wheels: dict[str, str]) -> None:
        """List wheels, {name: SHA-256, or "" for none}, as PyTorch's index does."""
        links = [
            f'<a href="/cpu/{quote(name)}{"#sha256=" * bool(digest)}{digest}">{name}</a><br/>'
            for name, digest in wheels.items()
        ]
        self.folder[f"{package}/"] = "\n".join(["<!DOCTYPE html><html><body>", *links, "</body></html>"]).encode()

    def serve(self, package: str, name: str, content: bytes) -> str:
        """Offer one wheel, and the file itself; its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        self.offer(package, {name: digest})
        self.folder[name] = content
        return digest


@contextlib.contextmanager
def wheel_index() -> Iterator[WheelIndex]:
    index = WheelIndex()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/cpu/").replace("%2B", "+")
            index.asked.append(name)
            if index.manners == "hangs":
                index.let_go.wait(30)
            content = index.folder.get(name)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Type", "text/html" if name.endswith("/") else "application/octet-stream")
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if self.command == "HEAD":
                return
            with contextlib.suppress(OSError):  # whoever asked has left
                for byte in content or b"" if index.manners == "drips" else b"":
                    self.wfile.write(bytes([byte]))
                    index.let_go.wait(0.05)
                if index.manners != "drips":
                    self.wfile.write(content or b"")

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.address = f"http://127.0.0.1:{server.server_port}/cpu"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield index
    finally:
        index.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
