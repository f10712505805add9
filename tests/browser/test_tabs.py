"""A tab that a test borrows is as new, though another one had it before."""

PAGE = "<!doctype html><title>A page</title><style>html:hover { color: red }</style><html><body>words"
LEFT = """() => [
  localStorage.length, matchMedia("print").matches, document.documentElement.matches(":hover"), window.left,
]"""


def test_a_borrowed_tab_keeps_nothing_of_who_had_it_before(tabs, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(PAGE, encoding="utf-8")
    with tabs.lend() as tab:
        tab.goto(page.as_uri())
        tab.evaluate("localStorage.setItem('mode', 'dark'); window.left = 1")
        tab.emulate_media(media="print")
        tab.mouse.move(50, 50)
        assert tab.evaluate(LEFT) == [1, True, True, 1]
    with tabs.lend() as again, tabs.lend() as other:
        assert again is tab
        assert other is not tab, "one tab is lent to two"
        again.goto(page.as_uri())
        assert again.evaluate(LEFT) == [0, False, False, None]
    with tabs.lend(color_scheme="dark") as dark:
        assert dark not in (again, other)
