"""The browser of this machine, which prints the book and in which the tests visit it; it reaches this machine only."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
ADVICE = f"no browser found ({', '.join(NAMES)}); on Debian or Ubuntu: apt-get install chromium"
FEATURES = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "MediaRouter",
    "OptimizationHints",
)  # fmt: skip
"""What the browser goes without: the first two are pages for the address bar, which nobody sees and which take most of
the time that it takes to open a window; the others Playwright leaves out, whose list this one replaces."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(FEATURES)}",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


def find() -> str | None:
    """The command of the first Chromium that there is."""
    return next((path for path in map(shutil.which, NAMES) if path), None)
