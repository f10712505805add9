"""Which PyTorch an environment gets, against an index on this machine; and that the lock without CUDA is whole."""

import _ctypes
import re
import socket

import pytest

from tests.helpers.wheel_index import wheel_index
from tools import environment, pytorch

MANYLINUX = "manylinux_2_28_x86_64"
TORCH = {f"torch-2.0.1+cpu-{tag}-{tag}-{MANYLINUX}.whl": f"{i:064x}" for i, tag in enumerate(sorted(pytorch.PYTHONS))}
VISION = {f"torchvision-0.5.0+cpu-py3-none-{MANYLINUX}.whl": "f" * 64}
OTHERS = {  # which never count
    "torch-2.0.1+cpu-cp311-cp311-win_amd64.whl": "a" * 64,
    "torch-2.0.1+cpu-cp311-cp311-manylinux_2_28_aarch64.whl": "b" * 64,
    f"torch-2.0.10+cpu-cp311-cp311-{MANYLINUX}.whl": "c" * 64,
    f"torch-2.0.1-cp311-cp311-{MANYLINUX}.whl": "d" * 64,
}
LINES = "".join(
    [
        "torch==2.0.1+cpu",
        *(f" \\\n    --hash=sha256:{digest}" for digest in TORCH.values()),
        "\ntorchvision==0.5.0+cpu",
        *(f" \\\n    --hash=sha256:{digest}" for digest in VISION.values()),
        "\n",
    ]
)
LOCK = "numpy==1.0 \\\n    --hash=sha256:00\ntorch==2.0.1 \\\n    --hash=sha256:01\ntorchvision==0.5.0\n"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index that lists the locked versions, and a machine without a driver."""
    with wheel_index() as stand_in:
        stand_in.offer("torch", TORCH | OTHERS)
        stand_in.offer("torchvision", VISION)
        monkeypatch.setattr(pytorch, "INDEX", stand_in.address)
        monkeypatch.setattr(pytorch, "LOCK", tmp_path / "requirements.txt")
        monkeypatch.setattr(pytorch, "CPU_LOCK", tmp_path / "requirements-cpu.txt")
        monkeypatch.setattr(pytorch, "DRIVER_FILE", tmp_path / "driver")
        monkeypatch.setattr(pytorch, "DRIVER_COMMAND", "no-such-command")
        monkeypatch.setattr(pytorch, "DRIVER_LIBRARY", "no-such-library.so")
        pytorch.LOCK.write_text(LOCK)
        yield stand_in


def test_without_a_driver_it_is_the_one_for_the_cpu_with_the_hashes_that_the_index_states(index):
    lines, said = pytorch.choose("", None)
    assert lines == LINES
    assert said == (
        "PyTorch comes from its own index, for the CPU, for there is no NVIDIA driver (TORCH=cuda takes the other)"
    )


@pytest.mark.parametrize("sign", ["file", "command", "library"])
def test_with_a_driver_the_index_is_not_even_asked(index, tmp_path, monkeypatch, sign):
    if sign == "file":
        (tmp_path / "driver").touch()
    elif sign == "command":
        monkeypatch.setattr(pytorch, "DRIVER_COMMAND", "sh")
    else:
        monkeypatch.setattr(pytorch, "DRIVER_LIBRARY", _ctypes.__file__)
    lines, said = pytorch.choose("", None)
    assert lines == ""
    assert said.startswith("PyTorch comes from PyPI, with CUDA, for ")
    assert index.asked == []


def test_what_is_asked_for_counts_more_than_the_driver(index, tmp_path):
    assert pytorch.choose("cuda", None) == ("", "PyTorch comes from PyPI, with CUDA, as TORCH=cuda says")
    assert index.asked == []
    (tmp_path / "driver").touch()
    assert pytorch.choose("cpu", None) == (LINES, "PyTorch comes from its own index, for the CPU, as TORCH=cpu says")


def refuses(index, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(pytorch, "INDEX", f"http://127.0.0.1:{free.getsockname()[1]}/cpu")


def has_no_page(index, monkeypatch):
    del index.folder["torchvision/"]


def hangs(index, monkeypatch):
    monkeypatch.setattr(pytorch, "PATIENCE", 0.2)
    index.manners = "hangs"


def drips(index, monkeypatch):
    monkeypatch.setattr(pytorch, "PATIENCE", 0.2)
    index.manners = "drips"


def speaks_no_http(index, monkeypatch):
    monkeypatch.setattr(pytorch, "INDEX", "nonsense")


@pytest.mark.survives("PyTorch's index of CPU wheels silent, hanging, without the locked versions, with other files")
@pytest.mark.parametrize("fault", [refuses, has_no_page, hangs, drips, speaks_no_http])
def test_an_index_that_does_not_answer_in_time_is_done_without(index, monkeypatch, fault):
    fault(index, monkeypatch)
    why = f"PyTorch's index of CPU wheels gave no answer within {pytorch.PATIENCE} s"
    said = f"PyTorch comes from PyPI, with CUDA, which does no harm without a GPU: {why}"
    assert pytorch.choose("", None) == ("", said)
    with pytest.raises(SystemExit, match=rf"^PyTorch for the CPU can't be had: {why}\. Try again later, or "):
        pytorch.choose("cpu", None)


@pytest.mark.survives("PyTorch's index of CPU wheels silent, hanging, without the locked versions, with other files")
@pytest.mark.parametrize(
    "wheels",
    [
        OTHERS,
        {},
        {name.replace("2.0.1", "2.1.0"): digest for name, digest in TORCH.items()},
        dict(list(TORCH.items())[1:]),
        dict.fromkeys(TORCH, ""),
        dict.fromkeys(TORCH, "12"),
        dict.fromkeys(TORCH, "f" * 63 + "\n"),
    ],
    ids=[
        "others",
        "nothing",
        "another version",
        "one Python less",
        "no hashes",
        "half a hash",
        "a hash and a new line",
    ],
)
def test_an_index_without_the_locked_versions_is_done_without(index, wheels):
    index.offer("torch", wheels)
    lines, said = pytorch.choose("", None)
    assert lines == ""
    assert said.endswith("PyTorch's index of CPU wheels lists no torch 2.0.1 with its hashes")


def test_an_environment_keeps_what_it_has(index, tmp_path):
    (tmp_path / "driver").touch()
    assert pytorch.choose("", "") == ("", "PyTorch comes from PyPI, with CUDA, as before")
    known = LINES.replace("f" * 64, "e" * 64)
    assert pytorch.choose("", known) == (known, "PyTorch comes from its own index, for the CPU, as before")
    assert pytorch.choose("cpu", known) == (known, "PyTorch comes from its own index, for the CPU, as before")
    assert index.asked == []


def test_for_other_versions_the_index_is_asked_again(index, monkeypatch):
    before = LINES.replace("torch==2.0.1", "torch==2.0.0")
    assert pytorch.choose("", before) == (LINES, "PyTorch comes from its own index, for the CPU, as before")
    refuses(index, monkeypatch)
    with pytest.raises(SystemExit, match=r"or take the large one: make TORCH=cuda$"):  # no mixture of the two
        pytorch.choose("", before)


@pytest.mark.survives("PyTorch's index of CPU wheels silent, hanging, without the locked versions, with other files")
def test_hashes_beside_the_lock_are_what_the_index_has_to_state(index):
    pytorch.CPU_LOCK.write_text("# by hand\n" + LINES)
    assert pytorch.choose("", None)[0] == LINES
    pytorch.CPU_LOCK.write_text(LINES.replace("f" * 64, "e" * 64))
    lines, said = pytorch.choose("", None)
    assert lines == ""
    assert said.endswith("PyTorch's index of CPU wheels states other hashes than requirements-cpu.txt")


def test_locking_keeps_the_hashes_where_the_index_answers(index, monkeypatch, capsys):
    for before in (None, LINES.replace("f" * 64, "e" * 64)):
        if before:
            pytorch.CPU_LOCK.write_text(before)
        pytorch.main()
        assert pytorch.CPU_LOCK.read_text().partition("\n")[2] == LINES
    assert capsys.readouterr().out == ""
    refuses(index, monkeypatch)
    pytorch.main()
    assert pytorch.CPU_LOCK.read_text().partition("\n")[2] == LINES
    pytorch.LOCK.write_text(LOCK.replace("torch==2.0.1", "torch==2.0.2"))
    pytorch.main()
    assert not pytorch.CPU_LOCK.exists()
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("There still are hashes of PyTorch's CPU wheels beside the lock: ")
    assert second.startswith("There are no hashes of PyTorch's CPU wheels beside the lock: ")


def blocks(text):
    """{package: what requires it} of a lock."""
    found = {}
    for block in re.split(r"(?m)^(?=\w)", text)[1:]:
        sources = re.findall(r"(?m)^ +# +(?:via )?(?:-r )?(?!via$)(\S+)$", block)
        found[re.match(r"[\w-]+", block).group()] = set(sources)
    return found


def test_the_lock_for_the_cpu_lacks_only_what_pypis_pytorch_alone_needs():
    whole, rest = (blocks(pytorch.requirements(lines)) for lines in ("", LINES))
    assert pytorch.requirements("") == pytorch.read(pytorch.LOCK)
    gone = whole.keys() - rest.keys()
    assert len(gone) > 15
    for package in gone:
        assert whole[package] <= gone | {"torch"}, f"{package} is needed by more than PyTorch for CUDA"
    for package in rest.keys() - {"torch", "torchvision"}:
        assert rest[package], package
        assert not rest[package] <= gone, f"{package} comes only with PyTorch for CUDA"
        assert not re.search("nvidia|cuda|triton", package)
    assert pytorch.requirements(LINES).endswith(LINES)
    assert len(re.findall("^torch(?:vision)?==", pytorch.requirements(LINES), re.M)) == 2


def test_what_the_book_locks_has_cpu_wheels_for_its_pythons():
    assert [package for package, _ in pytorch.pins()] == list(pytorch.PACKAGES)
    minors = range(environment.OLDEST[1], environment.NEWEST[1] + 1)
    assert {f"cp3{minor}" for minor in minors} == pytorch.PYTHONS
