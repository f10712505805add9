"""The networks in lower case: each is what its docstring counts, and answers as its kind does."""

import inspect
import re

import pytest
import torch

from pixelwise import models
from tests.models.counting import parameters, skeleton

COUNT = re.compile(r"\d+(?:,\d{3})+")
SIZES = {"valid_unet": (188, 4), "patchnet": (32, None)}  # side of the images and of the logits, where not the same


def is_network(name):
    """A function that builds something without being given anything."""
    value = getattr(models, name)
    return inspect.isfunction(value) and all(
        p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in inspect.signature(value).parameters.values()
    )


NETWORKS = [name for name in models.__all__ if is_network(name)]
CLASSIFIERS = ("resnet", "se_resnet", "googlenet", "densenet", "efficientnet", "vgg", "patchnet", "mit")


def test_every_network_has_a_function():
    """Of each class that makes logits, there is a member."""
    families = {type(skeleton(getattr(models, name))).__name__ for name in NETWORKS}
    heads = {
        name
        for name in models.__all__
        if re.search("Net|FCN|VGG|DeepLab|Hypercolumn|^FeaturePyramid|^Mix.*former|^SegFormer", name)
    }
    assert families == heads - {"Convolutionalized"}


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_are_those_of_the_docstring(name):
    build = getattr(models, name)
    counted = [int(number.replace(",", "")) for number in COUNT.findall(build.__doc__)]
    alone, *heads = counted if name == "googlenet" else reversed(counted)
    assert parameters(skeleton(build)) == alone
    if name in ("fcn_resnet50", "deeplabv3_resnet50"):
        assert [parameters(skeleton(build, aux=True))] == heads
    if name == "googlenet":
        assert [parameters(skeleton(build, aux_logits=False))] == heads


@pytest.mark.parametrize("name", NETWORKS)
def test_logits(name):
    """For as many classes as asked for, of the image or of its pixels."""
    network = skeleton(getattr(models, name), num_classes=7).eval()
    side, out = SIZES.get(name, (65, 65))
    images = torch.empty(2, 1 if name == "valid_unet" else 3, side, side, device="meta")
    assert network(images).shape == ((2, 7) if name.startswith(CLASSIFIERS) else (2, 7, out, out))
