"""The one browser of a test run: Playwright allows one at a time, so every test takes this fixture."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from book import browser as chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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
