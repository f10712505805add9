"""Nothing from outside is ever run: no pickle is read, no text is evaluated, no archive is unpacked."""

import ast

import pytest

from tools import stamp

# Modules and calls that turn a file's bytes into code or into paths of the file's own choosing.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "tarfile", "zipfile", "imp"}
CALLS = {"eval", "exec", "compile", "__import__", "unpack_archive", "extractall", "extract_archive"}
LIBRARY = sorted((stamp.LIBRARY / "pixelwise").rglob("*.py"))


def dangers(text: str) -> list[str]:
    """What in a module's source could run or unpack what comes from outside."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found += [f"line {node.lineno} imports {name}" for name in names if name.split(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
        plain = isinstance(node.func, ast.Name) or name.split(".")[0] in ("builtins", "shutil", "torch", "np", "numpy")
        if plain and name.rpartition(".")[2] in CALLS and name != "torch.compile":
            found.append(f"line {node.lineno} calls {name}")
        if name in ("torch.load", "torch.hub.load_state_dict_from_url") and keywords.get("weights_only") != "True":
            found.append(f"line {node.lineno} calls {name} without weights_only=True")
        if name == "Image.open" and "formats" not in keywords:
            found.append(f"line {node.lineno} calls {name} without formats=")  # Pillow's EPS starts a program
        if name == "torch.hub.download_url_to_file" and keywords.get("hash_prefix", "None") == "None":
            found.append(f"line {node.lineno} calls {name} without a hash")
        if name in ("torch.hub.load", "torch.package.PackageImporter", "yaml.load", "yaml.unsafe_load"):
            found.append(f"line {node.lineno} calls {name}")
        if keywords.get("allow_pickle", "False") != "False" or keywords.get("shell", "False") != "False":
            found.append(f"line {node.lineno} calls {name} with {keywords}")
    return found


@pytest.mark.survives("Code in files from outside")
@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.relative_to(stamp.LIBRARY).as_posix())
def test_the_library_runs_nothing_from_outside(path):
    assert dangers(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted((stamp.ROOT / "book").rglob("*.py")), ids=lambda path: path.name)
def test_the_build_chooses_its_picture_formats(path):
    assert [line for line in dangers(path.read_text(encoding="utf-8")) if "formats=" in line] == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from zipfile import ZipFile",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "shutil.unpack_archive(path)",
        "torch.hub.load('a/b', 'c')",
        "torch.hub.download_url_to_file(url, path)",
        "eval(text)",
        "Image.open(path)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_a_danger_is_seen(line):
    assert len(dangers(line)) == 1


def test_what_is_safe_passes():
    assert dangers("torch.load(path, weights_only=True)\nmodel.eval()\nimport json\nre.compile('a')") == []
