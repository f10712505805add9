"""The reference of the library is read from source: it says what the imported library would say."""

import ast
import importlib
import inspect
from dataclasses import replace
from operator import attrgetter

import pytest

from book import library, toc
from book.extensions import reference


def imported(entry: library.Entry):
    """The object behind an entry, with nothing wrapped around it."""
    return inspect.unwrap(attrgetter(entry.name)(importlib.import_module(entry.module)))


def test_each_room_has_its_page():
    assert toc.below()["reference/index"] == [f"reference/{name}" for name in library.rooms()]


@pytest.mark.parametrize("name", library.rooms())
def test_a_room_lists_what_its_package_exports(name):
    package = importlib.import_module(f"pixelwise.{name}")
    own, *modules = library.room(name)
    listed = {entry.name for entry in own.entries} | {module.name.rpartition(".")[2] for module in modules}
    assert set(getattr(package, "__all__", ())) <= listed
    assert all(hasattr(package, entry.name) for entry in own.entries)


def test_what_chapters_import_is_listed():
    modules = [module for room in library.rooms() for module in library.room(room)]
    listed = {f"{module.name}.{name}" for module in modules for name in module.elsewhere} | library.entries().keys()
    for module, name in library.chapter_imports():
        assert f"{module}.{name}" in listed if name else importlib.import_module(module)


def test_signatures_are_those_of_the_imported_library():
    compared = 0
    for entry in library.entries().values():
        if entry.kind in ("function", "method", "class") and entry.signature:
            seen = list(inspect.signature(imported(entry)).parameters)
            seen = seen[1:] if seen[:1] == ["self"] else seen
            assert parameters(entry) == seen, entry.path
            compared += 1
    assert compared > 200


def parameters(entry: library.Entry) -> list[str]:
    """The names in a signature, in order."""
    (function,) = ast.parse(f"def f{entry.signature}: ...").body
    given = function.args
    several = [[one] if one else [] for one in (given.vararg, given.kwarg)]
    ordered = [*given.posonlyargs, *given.args, *several[0], *given.kwonlyargs, *several[1]]
    return [one.arg for one in ordered]


def test_texts_and_lines_are_those_of_the_imported_library():
    for entry in library.entries().values():
        if entry.kind in ("function", "class", "exception"):
            found = imported(entry)
            assert entry.text == inspect.getdoc(found), entry.path
            lines, first = inspect.getsourcelines(found)
            assert (entry.lines, str(entry.file)) == ((first, first + len(lines) - 1), inspect.getsourcefile(found))


def test_every_public_name_says_what_it_is():
    assert library.undocumented(library.entries().values()) == []
    entry = library.entries()["pixelwise.ops.pixel_shuffle"]
    assert library.undocumented([replace(entry, text="")]) == ["pixelwise.ops.pixel_shuffle"]


def test_a_function_beside_a_module_of_its_name_is_the_function():
    assert library.entries()["pixelwise.analysis.receptive_field"].kind == "function"
    assert "pixelwise.models.deeplab" in [module.name for module in library.room("models")]


def test_options_are_those_of_the_commands():
    from pixelwise.cli import predict, training_options

    options = [option for group in training_options.OPTIONS.values() for option in group]
    assert [flag for flag, _ in library.options("pixelwise.cli.train")] == [option.flag for option in options]
    assert library.options("pixelwise.cli.predict") == [(option.flag, option.help) for option in predict.OPTIONS]


def test_markdown_means_what_the_docstring_says():
    text = "STEM-<role>.png costs $5, `a <b>` stays, __init__ too, *streets* not\n\n    code <here>"
    assert reference.markdown(text) == (
        "STEM-\\<role>.png costs \\$5, `a <b>` stays, \\_\\_init\\_\\_ too, *streets* not\n\n    code <here>"
    )


def test_a_cell_says_what_it_shows():
    code = "course.show_source(models.FCN, ops.bilinear)\nshow_source(stack)"
    names = library.imports(["from pixelwise import models, ops", "from pixelwise.models.hypercolumn import stack"])
    assert [library.resolve(name, names) for name in reference.shown(code)] == [
        "pixelwise.models.FCN",
        "pixelwise.ops.bilinear",
        "pixelwise.models.hypercolumn.stack",
    ]
