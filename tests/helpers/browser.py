"""The one browser of a test run: Playwright allows one at a time, so every test takes this fixture; and waiting."""

import contextlib
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from book import browser as chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A headless Chromium that reaches this machine only; without one a test is skipped, in CI it fails."""
    executable = chromium.find()
    if executable is None:
        pytest.fail(chromium.ADVICE) if os.environ.get("CI") else pytest.skip(chromium.ADVICE)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=chromium.FLAGS)
        yield browser
        browser.close()


class Tabs:
    """Tabs that tests have one after the other: to open one takes a browser longer than to show a page in it.

    Whoever has one next finds it as if it were new: the page is gone and with it what its scripts left, nothing is
    stored, the mouse is outside, and no medium is asked for. What else a test changes (scripts that run before a
    page's own, routes, permissions) would stay: such a test opens a tab of its own.
    """

    MOST = 4  # that wait for a test

    def __init__(self, browser: "Browser") -> None:
        self._browser = browser
        self._waiting: list[tuple[str, Page]] = []

    @contextlib.contextmanager
    def lend(self, **options: Any) -> "Iterator[Page]":
        """Give a tab of a context with these options, the only one in it."""
        kind = repr(sorted(options.items()))
        same = next((one for one in self._waiting if one[0] == kind), None)
        if same:
            self._waiting.remove(same)
        tab = same[1] if same else self._browser.new_context(**options).new_page()
        try:
            yield tab
            self._clear(tab)
        except BaseException:  # who knows what it is like
            tab.context.close()
            raise
        self._waiting.append((kind, tab))
        if len(self._waiting) > self.MOST:
            self._waiting.pop(0)[1].context.close()

    def _clear(self, tab: "Page") -> None:
        tab.goto("about:blank")
        tab.mouse.move(-1, -1)
        tab.emulate_media(media="null")
        session = tab.context.new_cdp_session(tab)
        session.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        session.detach()


@pytest.fixture(scope="session")
def tabs(browser: "Browser") -> Tabs:
    """Tabs that may be borrowed."""
    return Tabs(browser)


def until(page: "Page", condition: str, arg: Any = None, timeout: float = 20) -> None:
    """Wait until a condition of the page holds, at most `timeout` seconds.

    It is asked from without, again and again: Playwright's own `wait_for_function` asks a second time from within the
    page, where a strict policy forbids it.
    """
    end = time.monotonic() + timeout
    while not page.evaluate(condition, arg):
        assert time.monotonic() < end, f"after {timeout} s this does not hold: {condition}"
        page.wait_for_timeout(20)
