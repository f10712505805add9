"""The one browser of a test run: Playwright allows one at a time, so every test takes this fixture; and waiting."""

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


def until(page: "Page", condition: str, arg: Any = None, timeout: float = 20) -> None:
    """Wait until a condition of the page holds, at most `timeout` seconds.

    It is asked from without, again and again: Playwright's own `wait_for_function` asks a second time from within the
    page, where a strict policy forbids it.
    """
    end = time.monotonic() + timeout
    while not page.evaluate(condition, arg):
        assert time.monotonic() < end, f"after {timeout} s this does not hold: {condition}"
        page.wait_for_timeout(20)
