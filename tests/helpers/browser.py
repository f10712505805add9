"""The one browser of a test run: Playwright allows one at a time, so every test takes this fixture."""

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A headless Chromium that reaches this machine only; without one a test is skipped, in CI it fails."""
    executable = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if executable is None:
        advice = f"no browser found ({', '.join(BROWSERS)}); on Debian or Ubuntu: apt-get install chromium"
        pytest.fail(advice) if os.environ.get("CI") else pytest.skip(advice)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()
