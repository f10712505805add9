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
def borrowing(tabs):
    """Give open_address(address, …), and give back the tabs that it has borrowed."""
    with contextlib.ExitStack() as borrowed:

        def open_address(address, **options):
            tab = borrowed.enter_context(tabs.lend(**{"viewport": {"width": 1000, "height": 1400}} | options))
            if not hasattr(tab, "troubles"):  # it is new
                tab.on("console", lambda message: tab.troubles.append(message.text))
                tab.on("pageerror", lambda error: tab.troubles.append(str(error)))
            tab.troubles = []
            tab.goto(address)
            return tab

        yield open_address


def started(tab):
    """The page once its explorable has been scrolled to, so that it starts."""
    tab.locator(".pw-explorable").scroll_into_view_if_needed()
    tab.locator(".pw-live").wait_for(timeout=20_000)
    return tab


@pytest.fixture
def open_address(tabs):
    """Open an address; whatever goes wrong in its page is in tab.troubles."""
    with borrowing(tabs) as open_address:
        yield open_address


@pytest.fixture
def open_page(open_address, address):
    """Open the page of an explorable."""
    return lambda explorable, hash="", policy=STRICT, **options: open_address(
        address(explorable, policy) + hash, **options
    )


@pytest.fixture
def open_live(open_page):
    """Open the page of an explorable and scroll to it, so that it starts."""
    return lambda explorable, **options: started(open_page(explorable, **options))


@pytest.fixture(scope="session")
def keep_live(tabs, address):
    """open_live for a page that several tests look at, whatever state the one before has left; theirs by `with`."""

    @contextlib.contextmanager
    def keep_live(explorable, **options):
        with borrowing(tabs) as open_address:
            yield started(open_address(address(explorable), **options))

    return keep_live


@pytest.fixture(scope="session")
def functions(browser):
    """Return call(function, *values) for a module's functions, loaded from the source that anywidget gets.

    Without a function's name it returns the keys of the state that an address may hold.
    """
    tab = browser.new_page()

    @cache
    def functions(name, *exports):
        source = sources.source(name) + f"\nexport {{ {', '.join(exports)} }};"
        data = "data:text/javascript;base64," + base64.b64encode(source.encode()).decode()
        module = tab.evaluate_handle("(data) => import(data)", data)
        call = "(module, [name, values]) => (name ? module[name](...values) : module.default.linked)"
        return lambda name="", *values: module.evaluate(call, [name, values])

    yield functions
    tab.close()
