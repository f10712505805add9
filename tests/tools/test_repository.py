"""One setting holds the repository's address, and one command changes it wherever it is repeated."""

import re

import pytest

from tools import repository, stamp

NEW = "https://github.com/ada/pixelwise-2"


def test_every_file_agrees_with_the_setting():
    address = repository.address()
    name = address.removeprefix("https://github.com/")
    files = [path for pattern in repository.REPEATING for path in stamp.ROOT.glob(pattern)]
    for path in files:
        text = path.read_text(encoding="utf-8")
        for found in re.findall(r"github\.com/([\w.-]+/pixelwise)\b", text):
            assert found == name, f"{path.name} names {found}; run `make set-repository URL={address}`"
    for path in (*(stamp.ROOT / name for name in repository.FILES), *stamp.notebooks()):
        assert name in path.read_text(encoding="utf-8"), f"{path.name} does not name the repository"


def test_address_is_replaced_everywhere_and_back(tmp_path):
    (tmp_path / "chapters").mkdir()
    files = {
        "_config.yml": "repository:\n  url: https://github.com/old/book\n",
        "README.md": (
            "<https://github.com/old/book>, https://github.com/old/bookshelf, old/book.git, https://old.github.io/book/\n"
        ),
        "chapters/a.ipynb": '{"source": "pip install git+https://github.com/old/book@main"}',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert len(repository.replace(NEW, tmp_path)) == 3
    assert repository.address(tmp_path) == NEW
    assert (tmp_path / "README.md").read_text() == (
        f"<{NEW}>, https://github.com/old/bookshelf, ada/pixelwise-2.git, https://ada.github.io/pixelwise-2/\n"
    )
    assert f"git+{NEW}@main" in (tmp_path / "chapters/a.ipynb").read_text()
    repository.replace("https://github.com/old/book", tmp_path)
    assert {name: (tmp_path / name).read_text() for name in files} == files


@pytest.mark.parametrize("address", ["", "pixelwise", "https://github.com/ada", f"{NEW}.git", f"{NEW} x"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(SystemExit, match="make set-repository URL="):
        repository.replace(address)
