"""A page for any explorable, and its module's own functions, in the one browser of the run."""

import base64
import contextlib
import itertools
from functools import cache

import pytest

from pixelwise.explorables import bundle, sources

POLICY = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src data:"
STYLE = "body{margin:0 1rem;font-family:sans-serif} .gap{height:3000px} img{max-width:100%}"
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>A chapter</title>
<meta name="viewport" content="width=device-width">{policy}
<link rel="stylesheet" href="page.css"><script defer src="{script}"></script></head>
<body><main><h1>A chapter</h1><div class="gap"></div>{element}</main></body></html>"""
STRICT = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'


class Drawn:
    """A still picture that is drawn once, for drawing takes as long as the page it lies in."""

    def __init__(self, card):
        self.css_width, self.bytes = card.css_width, card.png()

    def png(self):
        return self.bytes


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Write a static page that holds an explorable far down, and return its file:// address."""
    folder = tmp_path_factory.mktemp("explorables")
    (folder / "explorables.js").write_text(bundle.bundle(), encoding="utf-8")
    for name in bundle.OWN:
        (folder / f"{name}.js").write_text(bundle.bundle(name), encoding="utf-8")
    (folder / "page.css").write_text(STYLE, encoding="utf-8")
    count, drawn = itertools.count(), {}

    def address(explorable, policy=STRICT):
        file = folder / f"{explorable.name}-{next(count)}.html"
        script = f"{explorable.name}.js" if explorable.name in bundle.OWN else "explorables.js"
        kind = type(explorable)
        if kind not in drawn:
            drawn[kind] = Drawn(explorable.picture())
        explorable.picture = lambda: drawn[kind]  # whatever its state: here it is what comes alive that is looked at
        page = PAGE.format(policy=policy, script=script, element=explorable.still("A still picture."))
        file.write_text(page, encoding="utf-8")
        return file.as_uri()

    return address


@contextlib.contextmanager
def opening(browser, address):
    """Give open_page(explorable, …), and close what it has opened."""
    contexts = []

    def open_page(explorable, hash="", policy=STRICT, **options):
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 1400}} | options)
        contexts.append(context)
        tab = context.new_page()
        tab.troubles = []
        tab.on("console", lambda message: tab.troubles.append(message.text))
        tab.on("pageerror", lambda error: tab.troubles.append(str(error)))
        tab.goto(address(explorable, policy) + hash)
        return tab

    yield open_page
    for context in contexts:
        context.close()


def started(tab):
    """The page once its explorable has been scrolled to, so that it starts."""
    tab.locator(".pw-explorable").scroll_into_view_if_needed()
    tab.locator(".pw-live").wait_for(timeout=20_000)
    return tab


@pytest.fixture
def open_page(browser, address):
    """Open the page of an explorable; whatever goes wrong in it is in tab.troubles."""
    with opening(browser, address) as open_page:
        yield open_page


@pytest.fixture
def open_live(open_page):
    """Open the page of an explorable and scroll to it, so that it starts."""
    return lambda explorable, **options: started(open_page(explorable, **options))


@pytest.fixture(scope="module")
def keep_live(browser, address):
    """open_live for a page that several tests look at, whatever state the one before has left."""
    with opening(browser, address) as open_page:
        yield lambda explorable, **options: started(open_page(explorable, **options))


@pytest.fixture(scope="module")
def functions(browser):
    """Return call(function, *values) for a module's functions, loaded from the source that anywidget gets.

    Without a function's name it returns the keys of the state that an address may hold.
    """
    tabs = []

    @cache
    def functions(name, *exports):
        tab = browser.new_page()
        tabs.append(tab)
        source = sources.source(name) + f"\nexport {{ {', '.join(exports)} }};"
        data = "data:text/javascript;base64," + base64.b64encode(source.encode()).decode()
        tab.evaluate("async (data) => { globalThis.module = await import(data); }", data)
        call = "([name, values]) => (name ? module[name](...values) : module.default.linked)"
        return lambda name="", *values: tab.evaluate(call, [name, values])

    yield functions
    for tab in tabs:
        tab.close()
