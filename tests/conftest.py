"""What the proof measured, printed after the tests: each network's parity, and how each seeded fault was caught."""

from tests.helpers.browser import browser, tabs  # noqa: F401 (the fixtures, one for all tests)


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            item.add_marker("slow")
    if hasattr(config, "workerinput"):  # several share the work: no long file begins when the others are done
        long = {scope(item) for item in items if item.path.suffix == ".ipynb" or item.get_closest_marker("slow")}
        items.sort(key=lambda item: scope(item) not in long)


def scope(item):
    """What one worker does as a whole."""
    return item.nodeid.rpartition("::")[0]


def pytest_terminal_summary(terminalreporter):
    measured = [
        item
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for item in getattr(report, "user_properties", [])
    ]
    worst: dict[str, float] = {}
    for kind, value in measured:
        if kind == "parity":
            worst[value[0]] = max(worst.get(value[0], 0.0), value[1])
    if worst:
        terminalreporter.section("parity: largest relative error over outputs, gradients, statistics")
        for name, error in worst.items():
            terminalreporter.line(f"{name:34} {error:.1e}")
    faults = [value for kind, value in measured if kind == "mutation"]
    if faults:
        caught = sum(how != "NOT CAUGHT" for _, how in faults)
        terminalreporter.section(f"mutations: {caught} of {len(faults)} seeded faults caught")
        for name, how in sorted(faults):
            terminalreporter.line(f"{name:58} {how}")
