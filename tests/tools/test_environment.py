"""`make` sets up its environment by itself, notices whatever may happen to one, and clears nothing that is not its own.

A small tree stands in for this one: its Makefile and tools/environment.py, an empty library, one requirement in a wheel
beside it, and a build backend that needs nothing. No test asks the network for anything.
"""

import ast
import base64
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import pytest
from uv import find_uv_bin

from tests.helpers.wheel_index import wheel_index
from tools import environment as environment_tool
from tools import stamp

# What setuptools does for the real tree, in a few lines.
BACKEND = """
import os, zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "pixelwise-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("pixelwise.pth", os.path.abspath("code"))
        for file, text in {
            "METADATA": "Metadata-Version: 2.1\\nName: pixelwise\\nVersion: 0.1.0\\n",
            "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
            "RECORD": "",
        }.items():
            wheel.writestr("pixelwise-0.1.0.dist-info/" + file, text)
    return name
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
PROJECT += '[project]\nname = "pixelwise"\nversion = "0.1.0"\n'
SHOW = "import pixelwise, tiny; print(pixelwise.__file__)"  # stands for every command: where is the library?

# Stand-ins, for `python -m venv` and pip take seconds: this module (which the tree's folder puts before Python's) makes
# an environment that holds the pip below, and that installs "tiny" by writing it.
VENV = """
import os, pathlib, sys

folder = pathlib.Path(sys.argv[1])
site = folder / "lib" / "python{0.major}.{0.minor}".format(sys.version_info) / "site-packages"
(site / "pip").mkdir(parents=True)
(site / "pip" / "__init__.py").touch()
(site / "pip" / "__main__.py").write_text(pathlib.Path("pip_stand_in.txt").read_text())
home = os.path.dirname(sys.executable)
(folder / "pyvenv.cfg").write_text("include-system-site-packages = false\\nhome = " + home)
(folder / "bin").mkdir()
(folder / "bin" / "python").symlink_to(sys.executable)
(folder / "bin" / "pip").write_text("#!" + str(folder / "bin" / "python"))
"""
PIP = """
import pathlib, sys, time

site = pathlib.Path(__file__).parents[1]
if "--editable" in sys.argv:
    (site / "pixelwise.pth").write_text(sys.argv[-1] + "/code")
else:
    assert "--require-hashes" in sys.argv
    if pathlib.Path("hang").exists():
        pathlib.Path("hanging").touch()
    while pathlib.Path("hang").exists():
        time.sleep(0.05)
    text = pathlib.Path(sys.argv[-1]).read_text()
    if "hash" not in text:
        sys.exit("Hashes are required")
    (site / "tiny.py").write_text("version = " + repr(text.split("-")[1]))
    (site / "installed.txt").write_text(" ".join(sys.argv[1:]) + "\\n" + text)
"""


def wheel(folder, version, package="tiny"):
    """Write a wheel of a package, and return the line that requires it."""
    path = folder / f"{package}-{version}-py3-none-any.whl"
    info = f"{package}-{version}.dist-info"
    files = {
        f"{package}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(text)}\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return f"./{path.name} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def change(path, pattern, replacement):
    text, count = re.subn(pattern, lambda _: replacement, path.read_text())
    assert count == 1, f"{path.name} does not have {pattern}"
    path.write_text(text)


def plant(root, real=False):
    """A small tree at `root`, without an environment; with `real`, Python's venv and pip would make one there."""
    for name in ("Makefile", "tools/__init__.py", "tools/environment.py", "tools/pytorch.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(stamp.ROOT / name, root / name)
    # This machine's uv and driver do not matter, and where no test stands in for an index, none answers.
    change(root / "tools/environment.py", 'UV = "uv"', f"UV = {str(root / 'uv')!r}")
    for name, value in {
        "INDEX": "http://127.0.0.1:9",
        "DRIVER_FILE, DRIVER_COMMAND, DRIVER_LIBRARY": (str(root / "driver"), "no-such-command", "no-such-library.so"),
    }.items():
        change(root / "tools/pytorch.py", rf"(?m)^{name} = .*", f"{name} = {value!r}")
    library = root / "code/pixelwise/__init__.py"
    library.parent.mkdir(parents=True)
    library.write_text("")
    for name, text in {
        "tools/stale.py": SHOW,
        "backend.py": BACKEND,
        "pyproject.toml": PROJECT,
        "requirements.txt": wheel(root, "1.0"),
    }.items():
        (root / name).write_text(text)
    if not real:
        (root / "venv.py").write_text(VENV)
        (root / "pip_stand_in.txt").write_text(PIP)
    return root


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two trees, each with the environment that `make` set up, and copies from which each test gets them back."""
    place = tmp_path_factory.mktemp("trees")
    for name in ("tree", "other"):
        done = make(plant(place / name))
        assert done.returncode == 0, done.stderr
        first, second, _ = done.stdout.splitlines()
        assert first == "Setting up .venv: the first time about 6 GB and some minutes."
        assert second.startswith("PyTorch comes from PyPI")
        shutil.copytree(place / name, place / "kept" / name, symlinks=True)
    return place


@pytest.fixture
def trees(made):
    for name in ("tree", "other"):
        for path in (made / name, made / "renamed"):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(made / "kept" / name, made / name, symlinks=True)
    return made


@pytest.fixture
def tree(trees):
    return trees / "tree"


def environment(**changes):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "PIP_"))}
    path = f"{os.path.dirname(sys._base_executable)}:{os.environ['PATH']}"
    return {**clean, "PATH": path, "PIP_NO_INDEX": "1", **changes}


def make(root, *arguments, **changes):
    command = ["make", "--no-print-directory", "stale", *arguments]
    return subprocess.run(command, cwd=root, env=environment(**changes), capture_output=True, text=True, check=False)


def library(root):
    return f"{root}/code/pixelwise/__init__.py"


def says(done, root, message):
    """The command succeeded with this tree's library, after a line that begins with `message`, and one that says which
    PyTorch there is (neither if empty)."""
    assert done.returncode == 0, done.stdout + done.stderr
    *before, last = done.stdout.splitlines()
    assert last == library(root)
    assert len(before) == (2 if message else 0), done.stdout
    assert not message or (before[0].startswith(message) and before[1].startswith("PyTorch comes from "))


def contents(folder):
    return {path: path.is_file() and path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix != ".pyc"}


def a_thesis(folder):
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")


def an_environment_made_by_hand(folder):
    a_thesis(folder)
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")


def a_folder_that_says_it_is_ready(folder):
    a_thesis(folder)
    (folder / ".ready").touch()


def a_file(folder):
    folder.write_text("years of work")


def a_link_to_nowhere(folder):
    folder.symlink_to(folder.parent / "nowhere")


FOREIGN = (a_thesis, an_environment_made_by_hand, a_folder_that_says_it_is_ready, a_file, a_link_to_nowhere)


@pytest.mark.survives("A folder that make did not set up, or another checkout's")
@pytest.mark.parametrize("lay", FOREIGN)
@pytest.mark.parametrize("name", ["papers", ".venv"])
def test_what_make_did_not_set_up_is_never_touched(tmp_path, lay, name):
    root = plant(tmp_path / "tree")
    lay(root / name)
    before = contents(root)
    done = make(root, f"VENV={name}")
    assert done.returncode == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()  # the second is make's own
    assert re.match(rf"{name} (is|can't)\b.*; move it away, or name another folder: make VENV=…$", first), first
    assert "Error 1" in second
    assert contents(root) == before


@pytest.mark.survives("A folder that make did not set up, or another checkout's")
def test_what_the_shell_exports_names_no_folder(tree):
    a_thesis(tree / "papers")
    settings = dict.fromkeys(("VENV", "BIN", "READY", "RUN"), str(tree / "papers"))
    says(make(tree, PYTHON="no-such-python", **settings), tree, "")
    assert (tree / "papers/thesis.tex").read_text() == "years of work"


def test_a_folder_may_be_named_with_blanks_and_quotes(tree):
    says(make(tree, "VENV=my 'own' env"), tree, "Setting up my 'own' env")
    says(make(tree, "VENV=my 'own' env"), tree, "")


@pytest.mark.survives("A folder that make did not set up, or another checkout's")
def test_a_tilde_that_no_shell_replaced_becomes_no_folder(tree):
    done = make(tree, "VENV=~/env")
    assert done.returncode == 2
    assert done.stderr.startswith("VENV=~/env: the shell did not replace the ~")
    assert not (tree / "~").exists()


def test_what_is_ready_stays_as_it_is(tree):
    before = contents(tree / ".venv")
    says(make(tree), tree, "")
    assert contents(tree / ".venv") == before


@pytest.mark.parametrize(
    "setting", [{"PYTHONHOME": "/nowhere"}, {"PYTHONSAFEPATH": "1"}, {"PYTHONPATH": "other/code"}], ids=str
)
def test_a_readers_python_settings_do_not_matter(trees, tree, setting):
    setting = {name: value.replace("other", f"{trees}/other") for name, value in setting.items()}
    says(make(tree, **setting), tree, "")
    (tree / ".venv/.unfinished").touch()
    says(make(tree, **setting), tree, "Making anew .venv: its setting up was interrupted")


@pytest.mark.survives("The environment moved, copied, broken, interrupted, out of date")
@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml", "tools/environment.py", "tools/pytorch.py"])
def test_changed_sources_are_installed(tree, name):
    with (tree / name).open("a") as file:
        file.write("\n# another\n")
    (tree / "requirements.txt").write_text(wheel(tree, "2.0"))
    says(make(tree), tree, "Bringing up to date .venv: requirements.txt or")
    says(make(tree), tree, "")
    show = [tree / ".venv/bin/python", "-c", "import tiny; print(tiny.version)"]
    assert subprocess.run(show, capture_output=True, text=True, check=True).stdout == "2.0\n"


@pytest.mark.survives("The environment moved, copied, broken, interrupted, out of date")
def test_an_environment_from_before_marks_said_anything_stays_in_use(tree):
    (tree / ".venv/.ready").write_text("")
    says(make(tree), tree, "Bringing up to date .venv: requirements.txt or")
    says(make(tree), tree, "")


def test_requirements_that_cannot_be_had_leave_what_was(tree):
    good = (tree / "requirements.txt").read_text()
    (tree / "requirements.txt").write_text("tiny==2.0")
    for _ in range(2):
        done = make(tree)
        assert done.returncode == 2
        assert done.stderr.startswith("Hashes are required\n.venv is not ready: see above.\n")
    (tree / "requirements.txt").write_text(good)
    says(make(tree), tree, "")


@pytest.mark.slow
def test_with_pythons_own_venv_and_pip(tmp_path):
    root = plant(tmp_path / "tree", real=True)
    says(make(root, PIP_TARGET="/nowhere", PIP_USER="1", PIP_REQUIRE_HASHES="1"), root, "Setting up .venv")
    says(make(root), root, "")
    good = wheel(root, "2.0")
    (root / "requirements.txt").write_text(re.sub("sha256:.*", f"sha256:{'0' * 64}", good))
    done = make(root)
    assert done.returncode == 2
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    (root / "requirements.txt").write_text(good)
    says(make(root), root, "Bringing up to date .venv")
    says(make(root), root, "")


@pytest.mark.survives("The environment moved, copied, broken, interrupted, out of date")
def test_a_moved_checkout_makes_its_environment_anew(trees, tree):
    moved = tree.rename(trees / "renamed")
    says(make(moved), moved, "Making anew .venv: it was moved here from elsewhere")
    says(make(moved), moved, "")


@pytest.mark.survives("The environment moved, copied, broken, interrupted, out of date")
def test_a_copied_checkout_leaves_the_first_one_alone(trees, tree):
    copied = shutil.copytree(tree, trees / "renamed", symlinks=True)
    before = contents(tree)
    says(make(copied), copied, "Making anew .venv: it was moved here from elsewhere")
    assert contents(tree) == before


def dangling(folder):
    (folder / "bin/python").unlink()
    (folder / "bin/python").symlink_to("/nowhere/python3.11")


def silent(folder):
    (folder / "bin/python").unlink()
    (folder / "bin/python").write_text("#!/bin/sh\nexit 127\n")
    (folder / "bin/python").chmod(0o755)


def without_pip(folder):
    for path in folder.glob("lib/python*/site-packages/pip"):
        shutil.rmtree(path)


def interrupted(folder):
    (folder / ".unfinished").write_text("")


@pytest.mark.survives("The environment moved, copied, broken, interrupted, out of date")
@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (dangling, "its Python is gone"),
        (silent, "its Python does not start"),
        (without_pip, "its pip is gone"),
        (interrupted, "its setting up was interrupted"),
    ],
)
def test_a_broken_environment_is_made_anew(tree, damage, why):
    damage(tree / ".venv")
    says(make(tree), tree, f"Making anew .venv: {why}.")
    says(make(tree), tree, "")


@pytest.mark.survives("The environment moved, copied, broken, interrupted, out of date")
def test_an_activated_environment_is_made_anew_too(tree):
    interrupted(tree / ".venv")
    path = f"{tree}/.venv/bin:{environment()['PATH']}"
    says(make(tree, PATH=path, VIRTUAL_ENV=f"{tree}/.venv"), tree, "Making anew .venv")


@pytest.mark.survives("The environment moved, copied, broken, interrupted, out of date")
def test_another_checkouts_library_is_replaced_by_this_ones(trees, tree):
    pip = [tree / ".venv/bin/python", "-m", "pip", "install", "--editable", trees / "other"]
    subprocess.run(pip, env=environment(), check=True)
    says(make(tree), tree, f"Bringing up to date .venv: its pixelwise is {library(trees / 'other')}, not this tree's")
    says(make(tree), tree, "")


@pytest.mark.survives("A folder that make did not set up, or another checkout's")
def test_another_checkouts_environment_is_not_used_and_not_touched(trees, tree):
    shutil.rmtree(tree / ".venv")
    (tree / ".venv").symlink_to(trees / "other/.venv")
    before = contents(trees / "other")
    for name in (".venv", "../other/.venv"):
        done = make(tree, f"VENV={name}")
        assert done.returncode == 2
        assert done.stdout == ""
        assert f"is the environment of another checkout, {trees}/other; move it away, or" in done.stderr
    assert contents(trees / "other") == before
    says(make(trees / "other"), trees / "other", "")


def started_and_hanging(tree):
    """`make` in a session of its own, as far as into pip."""
    (tree / "requirements.txt").write_text(wheel(tree, "2.0"))
    (tree / "hang").touch()
    command = ["make", "--no-print-directory", "stale"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    running = subprocess.Popen(command, cwd=tree, env=environment(), start_new_session=True, **pipes)
    while not (tree / "hanging").exists():
        assert running.poll() is None, running.stdout.read()
        time.sleep(0.05)
    return running


@pytest.mark.survives("The environment moved, copied, broken, interrupted, out of date")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_setting_up_begins_again(tree, how):
    running = started_and_hanging(tree)
    os.killpg(running.pid, how)
    running.communicate()
    assert running.returncode != 0
    (tree / "hang").unlink()
    says(make(tree), tree, "Making anew .venv: its setting up was interrupted.")


@pytest.mark.survives("The environment moved, copied, broken, interrupted, out of date")
def test_two_at_once_wait_for_one_another(tree):
    first = started_and_hanging(tree)
    command = ["make", "--no-print-directory", "stale"]
    second = subprocess.Popen(command, cwd=tree, env=environment(), stdout=subprocess.PIPE, text=True)
    assert second.stdout.readline() == "Another make is setting up the environment; waiting for it.\n"
    (tree / "hang").unlink()
    assert first.communicate()[0].splitlines()[-1] == library(tree)
    assert second.communicate()[0] == f"{library(tree)}\n"
    assert first.returncode == second.returncode == 0


TORCH = "torch==1.0 --hash=sha256:00\ntorchvision==2.0 --hash=sha256:00\nnvidia-cudnn==3.0 --hash=sha256:00\n"


@pytest.fixture
def index(tree):
    """PyTorch's index of CPU wheels, for a tree without environment whose lock names PyTorch."""
    shutil.rmtree(tree / ".venv")
    (tree / "requirements.txt").write_text(wheel(tree, "1.0") + TORCH)
    with wheel_index() as stand_in:
        for package, version in (("torch", "1.0"), ("torchvision", "2.0")):
            path = tree / wheel(tree, f"{version}+cpu", package).split()[0]
            stand_in.serve(package, path.name.replace("-any", "-manylinux_2_28_x86_64"), path.read_bytes())
            path.unlink()
        change(tree / "tools/pytorch.py", "(?m)^INDEX = .*", f"INDEX = {stand_in.address!r}")
        yield stand_in


def installed(root):
    (path,) = root.glob(".venv/lib/python*/site-packages/installed.txt")
    arguments, _, text = path.read_text().partition("\n")
    return arguments, re.findall(r"(?m)^([\w-]+)==(\S+)", text)


WITH_CUDA = [("torch", "1.0"), ("torchvision", "2.0"), ("nvidia-cudnn", "3.0")]
FOR_THE_CPU = [("torch", "1.0+cpu"), ("torchvision", "2.0+cpu")]
linux = pytest.mark.skipif(not environment_tool.CAN_CHOOSE, reason="PyPI has one PyTorch for this machine")


@linux
@pytest.mark.survives("PyTorch's index of CPU wheels silent, hanging, without the locked versions, with other files")
def test_without_a_driver_pytorch_comes_for_the_cpu_and_stays(tree, index):
    done = make(tree)
    says(done, tree, "Setting up .venv: the first time about 2 GB")
    assert "\nPyTorch comes from its own index, for the CPU, for there is no NVIDIA driver" in done.stdout
    assert "; pip installs it.\n" in done.stdout
    arguments, packages = installed(tree)
    assert packages == FOR_THE_CPU
    assert f"--find-links={index.address}/torch/ --find-links={index.address}/torchvision/" in arguments
    index.folder.clear()
    says(make(tree), tree, "")
    says(make(tree, "TORCH=cpu"), tree, "")
    with (tree / "pyproject.toml").open("a") as file:
        file.write("# another\n")
    says(make(tree), tree, "Bringing up to date .venv: requirements.txt or")  # without the index
    assert installed(tree)[1] == FOR_THE_CPU


@linux
@pytest.mark.survives("PyTorch's index of CPU wheels silent, hanging, without the locked versions, with other files")
@pytest.mark.parametrize("manners", ["silent", "hangs", "drips"])
def test_where_the_index_does_not_answer_all_comes_from_pypi(tree, index, manners):
    change(tree / "tools/pytorch.py", "(?m)^PATIENCE = .*", "PATIENCE = 0.2")
    index.manners = manners
    if manners == "silent":
        index.folder.clear()
    done = make(tree)
    says(done, tree, "Setting up .venv: the first time about 6 GB")
    assert "PyTorch's index of CPU wheels gave no answer within 0.2 s; pip installs it.\n" in done.stdout
    assert installed(tree)[1] == WITH_CUDA
    index.manners, asked = "answers", len(index.asked)
    says(make(tree), tree, "")
    assert len(index.asked) == asked


@linux
def test_the_other_pytorch_is_another_environment(tree, index):
    (tree / "driver").touch()
    for name, packages in (("", WITH_CUDA), ("cpu", FOR_THE_CPU), ("cuda", WITH_CUDA), ("cpu", FOR_THE_CPU)):
        new = not (tree / ".venv").exists()
        says(
            make(tree, f"TORCH={name}"),
            tree,
            "Setting up .venv" if new else f"Making anew .venv: its PyTorch is not that of TORCH={name}.",
        )
        assert installed(tree)[1] == packages
        says(make(tree, f"TORCH={name}"), tree, "")
        says(make(tree, TORCH="cuda"), tree, "")  # what the shell exports does not count


@linux
def test_a_pytorch_that_cannot_be_had_touches_nothing(tree, index):
    make(tree, "TORCH=cuda")
    before = contents(tree)
    index.folder.clear()
    for name, why in (("cpu", "PyTorch for the CPU can't be had: "), ("gpu", "TORCH=gpu is nothing that can be had")):
        done = make(tree, f"TORCH={name}")
        assert done.returncode == 2
        assert done.stderr.startswith(why)
        assert contents(tree) == before


def test_uv_is_used_where_there_is_one_and_pip_where_it_fails(tree):
    script = '#!/bin/sh\necho "$@" >> uv.txt\nif test -e fail; then exit 2; fi\nshift\nexec .venv/bin/python -m pip '
    (tree / "bin").mkdir()
    (tree / "bin/uv").write_text(script + '"$@"\n')
    (tree / "bin/uv").chmod(0o755)
    change(tree / "tools/environment.py", "(?m)^UV = .*", 'UV = "uv"')
    path = f"{tree}/bin:{environment()['PATH']}"
    done = make(tree, PATH=path)
    says(done, tree, "Bringing up to date .venv")
    assert done.stdout.splitlines()[1].endswith("; uv installs it.")
    wanted = f"pip install --quiet --python {tree}/.venv/bin/python --"
    first, second = (tree / "uv.txt").read_text().splitlines()
    assert first == wanted + "require-hashes -r requirements.txt"
    assert second == wanted + f"no-build-isolation --no-deps --force-reinstall --editable {tree}"
    shutil.rmtree(tree / ".venv")
    (tree / "fail").touch()
    done = make(tree, PATH=path)
    assert done.stdout.count("uv failed (see above); pip tries it.\n") == 2
    says(make(tree), tree, "")


def test_an_environments_own_uv_does_not_install_it(tree):
    change(tree / "tools/environment.py", "(?m)^UV = .*", 'UV = "own-uv"')
    shutil.copy(shutil.which("true"), tree / ".venv/bin/own-uv")
    done = make(tree, PATH=f"{tree}/.venv/bin:{environment()['PATH']}")
    assert done.stdout.splitlines()[1].endswith("; pip installs it."), done.stdout + done.stderr


@linux
@pytest.mark.slow
@pytest.mark.survives("PyTorch's index of CPU wheels silent, hanging, without the locked versions, with other files")
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_real_installers_take_the_cpu_wheels_and_no_others(trees, index, tool):
    root = plant(trees / "renamed", real=True)
    lines = wheel(root, "1.0") + TORCH
    (root / "requirements.txt").write_text(lines)
    change(root / "tools/pytorch.py", "(?m)^INDEX = .*", f"INDEX = {index.address!r}")
    settings = {
        "UV_DEFAULT_INDEX": f"{index.address}/simple",
        "UV_CACHE_DIR": f"{trees}/cache",
        "PIP_NO_CACHE_DIR": "1",
    }
    if tool == "uv":
        change(root / "tools/environment.py", "(?m)^UV = .*", f"UV = {find_uv_bin()!r}")
    done = make(root, **settings)
    says(done, root, "Setting up .venv")
    assert done.stderr == ""
    show = [root / ".venv/bin/python", "-c", "import torch, torchvision; print(torch.version, torchvision.version)"]
    assert subprocess.run(show, capture_output=True, text=True, check=True).stdout == "1.0+cpu 2.0+cpu\n"
    (root / "requirements.txt").write_text(lines.replace("torch==1.0", "torch==1.1"))
    path = root / wheel(root, "1.1+cpu", "torch").split()[0]
    name = path.name.replace("-any", "-manylinux_2_28_x86_64")
    index.serve("torch", name, path.read_bytes())
    index.offer("torch", {name: "0" * 64})
    done = make(root, **settings)
    assert done.returncode == 2
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert tool == "pip" or "Hash mismatch for `torch==1.1+cpu`" in done.stderr
    assert subprocess.run(show, capture_output=True, text=True, check=True).stdout == "1.0+cpu 2.0+cpu\n"


def test_an_old_python_is_named(tmp_path):
    root = plant(tmp_path / "tree")
    script = root / "tools/environment.py"
    script.write_text(
        script.read_text().replace("OLDEST, NEWEST = (3, 11), (3, 13)", "OLDEST, NEWEST = (2, 7), (3, 2)")
    )
    done = make(root)
    assert done.returncode == 2
    assert "Pixelwise needs Python 3.11, 3.12 or 3.13; this is 3." in done.stderr
    assert not (root / ".venv").exists()


@pytest.mark.parametrize("name", ["environment", "pytorch"])
def test_an_old_python_can_read_the_script(name):
    ast.parse((stamp.ROOT / f"tools/{name}.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def requirements(name):
    """{package: (version, hashes)} of a file of requirements."""
    text = (stamp.ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in filter(None, (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())):
        package, version, rest = re.fullmatch(r"([\w.-]+)(?:\[[\w, -]+\])?==([\w.]+)(.*)", line).groups()
        package = re.sub(r"[-_.]+", "-", package).lower()
        assert package not in found, f"{name} requires {package} twice"
        found[package] = version, re.findall(r"--hash=sha256:([0-9a-f]{64})\b", rest)
    return found


def test_every_requirement_has_its_hashes_and_no_host():
    locked = requirements("requirements.txt")
    assert len(locked) > 200
    assert {package for package, (_, hashes) in locked.items() if not hashes} == set()
    assert not re.search(r"://|^-|index", re.sub(r"#.*", "", (stamp.ROOT / "requirements.txt").read_text()), re.M)


def test_what_is_asked_for_is_what_is_locked():
    locked = requirements("requirements.txt")
    for package, (version, _) in requirements("requirements.in").items():
        assert locked[package][0] == version, f"{package}: run `make lock`"
