import json
import os
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from pixelwise.data import CLASSES
from pixelwise.training import weights
from pixelwise.training.networks import BACKBONES, NETWORKS, Description
from pixelwise.training.weights import About, WeightsError


def about(network=None, **changes):
    parts = {"classes": CLASSES, "dataset": "streets", "size": (48, 64), "metrics": {"val": {"mean_iou": 0.5}}}
    return About(network=network or Description("unet", 11, width=2), **(parts | changes))


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "weights.safetensors"
    model = about().network.build().eval()
    weights.save(path, model, about())
    return path, model


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_built_by_its_name(name):
    with torch.device("meta"):
        model = Description(name, 11).build().eval()
        assert model(torch.empty(2, 3, 70, 90)).shape == (2, 11, 70, 90)
    assert NETWORKS[name].about
    assert json.loads(json.dumps(Description(name, 11).to_dict())) == Description(name, 11).to_dict()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_carries_a_unet(backbone):
    with torch.device("meta"):
        assert Description("unet", 11, backbone).build().eval()(torch.empty(1, 3, 64, 96)).shape == (1, 11, 64, 96)


def test_options_reach_the_network():
    sizes = {}
    for width in (8, 16):
        with torch.device("meta"):
            model = Description("fcn8", 11, "resnet18", width=width, output_stride=16).build()
        assert model.backbone.strides[-1] == 16
        sizes[width] = sum(p.numel() for p in model.parameters())
    assert 3 < sizes[16] / sizes[8] < 4.2
    with torch.device("meta"):
        paper = Description("fcn32", 21, "vgg16").build()
    assert sum(p.numel() for p in paper.parameters()) == pytest.approx(134.3e6, rel=0.01)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("unett",), "no model 'unett'; choose one of unet"),
        (("unet", "resnet19"), "no backbone 'resnet19'"),
        (("compact", None, 16), "compact has no width"),
        (("unet", "densenet121", 16), "width of densenet121"),
        (("deeplabv3", "efficientnet_b0", None, 16), "no output stride"),
        (("fcn32", "contracting"), "stride is 32, but"),
    ],
)
def test_what_does_not_go_together(wrong, message):
    model, *rest = wrong
    with pytest.raises(ValueError, match=message):
        Description(model, 11, *rest).build()


def test_saved_weights_come_back_with_what_they_are(saved):
    path, model = saved
    again, told = weights.load(path)
    assert told == about()
    assert not again.training
    x = torch.randn(1, 3, 48, 64)
    assert torch.equal(again(x), model(x))
    assert list(path.parent.iterdir()) == [path]


def test_neighbours_of_the_file_are_left_alone(tmp_path):
    hidden = tmp_path / ".profile"
    hidden.write_text("mine")
    os.utime(hidden, (0, 0))
    weights.save(tmp_path / "w.safetensors", about().network.build(), about())
    assert hidden.read_text() == "mine"


def rewrite(path, change):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    change(metadata, tensors)
    save_file(tensors, path, metadata)


def lie_about_the_network(**lies):
    def change(metadata, tensors):
        metadata["network"] = json.dumps(json.loads(metadata["network"]) | lies)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, t: m.update(format="x"), "holds no weights of this library"),
        (lambda m, t: m.clear(), "holds no weights of this library"),
        (lambda m, t: m.pop("classes"), "does not say what it is"),
        (lambda m, t: m.update(size="[1]"), "does not say what it is"),
        (lambda m, t: m.update(network="{"), "does not say what it is"),
        (lambda m, t: t.pop("segmentation_head.0.bias"), "segmentation_head.0.bias is absent"),
        (lambda m, t: t.update(extra=torch.zeros(3)), "extra is .3,. there, expected absent"),
        (lie_about_the_network(model="no"), "no model 'no'"),
        (lie_about_the_network(width=1_000_000), "do not fit"),  # and no memory is spent on a network of that width
        (lie_about_the_network(model="compact", width=None), "do not fit the compact"),
        (lie_about_the_network(num_classes=5), "does not say what it is"),
    ],
)
def test_files_that_lie(saved, change, message):
    path, _ = saved
    rewrite(path, change)
    with pytest.raises(WeightsError, match=message) as raised:
        weights.load(path)
    assert "\n" not in str(raised.value)


def test_files_that_are_no_weights(tmp_path, saved):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was opened",))

    path, _ = saved
    whole = path.read_bytes()
    for content in (pickle.dumps(Trap()), b"", whole[: len(whole) // 2], b"\xff" * 100):
        (tmp_path / "x.safetensors").write_bytes(content)
        with pytest.raises(WeightsError, match="cannot be read"):
            weights.load(tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match="there are no weights at"):
        weights.load(tmp_path / "nowhere.safetensors")
