"""The link check finds dead links, on pages and elsewhere, and is content with living ones."""

import http.server
import threading

import pytest

from pixelwise.zoo.pretrained import PUBLISHED
from tests.helpers.notebooks import write_book
from tools import links, repository


@pytest.fixture(scope="module")
def host():
    """The address of a server that knows /good and nothing else, and fails once at /moody before it answers."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            there = self.path == "/good" or (self.path == "/moody" and asked.count("/moody") > 1)
            self.send_response(200 if there else 404)
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_dead_addresses_are_named_with_their_answer(host):
    assert links.dead([f"{host}/good", f"{host}/moody", f"{host}/gone"]) == [f"{host}/gone (404 Not Found)"]


def test_a_host_that_is_away_is_named():
    (said,) = links.dead(["http://127.0.0.1:9/"])
    assert said.startswith("http://127.0.0.1:9/ (")


def test_dead_links_of_pages_are_named_with_their_place(host, tmp_path):
    write_book(tmp_path, "format: jb-book\nroot: index\n", f"# Book\n\n[here]({host}/good), [there]({host}/gone)\n")
    (said,) = links.of_pages(tmp_path)
    assert said.startswith(f"index.md: {host}/gone (404")


def test_the_addresses_of_data_and_files_are_found():
    data = links.of_data()
    assert any(address.endswith("/CamVid/train.txt") for address in data)
    assert sum(address.endswith(".pth") for address in data) == len(PUBLISHED)
    assert repository.address() in links.of_files()
