"""Packages whose modules are imported on first use: `pixelwise.lazy`."""

import json
import subprocess
import sys

import pytest

from pixelwise import analysis, models, ops

PACKAGES = (analysis, models, ops)
LOADED = "import sys, json; print(json.dumps(sorted(name for name in sys.modules if name.startswith('pixelwise.'))))"


def loaded(code):
    """The modules of the library that a fresh interpreter has imported after `code`."""
    ran = subprocess.run([sys.executable, "-c", f"{code}\n{LOADED}"], capture_output=True, text=True, check=True)
    return set(json.loads(ran.stdout))


def test_a_network_brings_only_its_own_file_and_the_blocks():
    base = {"pixelwise.lazy", "pixelwise.models"}
    assert loaded("from pixelwise import models") == base
    unet = base | {"pixelwise.models.unet", "pixelwise.models.blocks"}
    assert loaded("from pixelwise.models import UNet") == unet
    assert loaded("from pixelwise import models; models.UNet; models.unet.ValidUNet; dir(models)") == unet


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_all_names_are_there(package):
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        found = getattr(package, name)
        assert found.__name__ == name
        assert found.__module__.startswith(package.__name__)


@pytest.mark.parametrize(
    ("package", "name"),
    [("ops", "convolutionalize"), ("ops", "pixel_shuffle"), ("analysis", "receptive_field"), ("models", "pretrained")],
)
def test_a_function_is_not_hidden_by_the_module_of_its_name(package, name):
    code = f"import pixelwise.{package}.{name}\nfrom pixelwise import {package}\nassert {package}.{name}.__code__"
    assert f"pixelwise.{package}.{name}" in loaded(code)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_an_unknown_name_says_what_there_is(package):
    with pytest.raises(AttributeError, match=f"{package.__name__} has no 'unett'; it has .*{package.__all__[-1]}"):
        package.unett  # noqa: B018
