"""The tiles of machines at work hold what the network computes."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from pixelwise import data, drawings, models
from pixelwise.data import normalise
from pixelwise.drawings import live
from pixelwise.figures import colourise
from pixelwise.modes import eval_mode

SVG = "{http://www.w3.org/2000/svg}"
SHAPE = (96, 128)


@pytest.fixture(scope="module")
def picture():
    return data.load("streets", "val", SHAPE)[:1].images[0]


def pictures(sketch) -> list[np.ndarray]:
    found = []
    for image in ElementTree.fromstring(sketch.svg()).iter(f"{SVG}image"):
        png = base64.b64decode(image.get("href").partition(",")[2])
        found.append(np.asarray(Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGB")))
    return found


def small_fcn(stride: int) -> models.FCN:
    torch.manual_seed(0)
    network = models.FCN(models.resnet18(num_classes=None, width=8), 11, stride=stride)
    for score in network.scores:
        torch.nn.init.normal_(score.weight)
    return network


@pytest.mark.parametrize(("stride", "tiles"), [(32, 3), (16, 6), (8, 9)])
def test_fcns_tiles_are_its_scores(picture, stride, tiles):
    network = small_fcn(stride)
    shown = pictures(drawings.fcn_scores(network, picture))
    with eval_mode(network), torch.no_grad():
        logits = network(normalise(picture[None]))
        coarsest = network.scores[0](network.backbone.features(normalise(picture[None]))[-1])
    assert len(shown) == tiles
    assert np.array_equal(shown[1], colourise(coarsest[0].argmax(0)))
    assert np.array_equal(shown[-1], colourise(logits[0].argmax(0)))


def test_unets_tiles_are_its_maps(picture):
    torch.manual_seed(0)
    network = models.UNet(models.ContractingPath(width=4), 11)
    sketch = drawings.unet_maps(network, picture)
    with eval_mode(network), torch.no_grad():
        maps = network.encoder.features(normalise(picture[None]))
        logits = network(normalise(picture[None]))
    shown = pictures(sketch)
    sizes = [tile.shape[:2] for tile in shown]
    down = [tuple(x.shape[2:]) for x in maps]
    assert sizes == [*down, *reversed(down[:-1]), SHAPE, SHAPE]
    assert np.array_equal(shown[-2], colourise(logits[0].argmax(0)))


def test_aspps_tiles_are_its_branches(picture):
    network = models.compact_deeplab(11)
    sketch = drawings.aspp_answers(network, picture, "pyramid")
    shown = pictures(sketch)
    texts = " ".join(text.text for text in ElementTree.fromstring(sketch.svg()).iter(f"{SVG}text"))
    assert [tile.shape[:2] for tile in shown] == [SHAPE, *[(12, 16)] * 5]
    assert re.findall(r"rate (\d+)", texts) == ["6", "12", "18"]
    assert len(np.unique(shown[-1].reshape(-1, 3), axis=0)) == 1  # the average is the same everywhere


def test_a_columns_parts_are_the_maps_it_stacks(picture):
    network = models.Hypercolumn(models.resnet18(num_classes=None, width=8), 11)
    sketch = drawings.hypercolumn_at(network, picture, (60, 40))
    numbers = [text.text for text in ElementTree.fromstring(sketch.svg()).iter(f"{SVG}text") if "channels" in text.text]
    assert numbers == [f"{count} channels" for count in network.backbone.channels]


def test_features_are_painted_the_same_whatever_their_sign_and_scale():
    torch.manual_seed(0)
    x = torch.randn(8, 6, 7)
    assert np.array_equal(live.features(x), live.features(3 * x))
    assert live.features(torch.zeros(8, 6, 7)).std() == 0
    assert live.features(x[:2]).shape == (6, 7, 3)  # fewer channels than colours


@pytest.mark.parametrize("draw", [drawings.fcn_scores, drawings.unet_maps])
def test_it_is_small_and_described(picture, draw):
    network = small_fcn(8) if draw is drawings.fcn_scores else models.UNet(models.ContractingPath(width=4), 11)
    sketch = draw(network, picture)
    assert len(sketch.svg().encode()) <= 60_000
    assert len(sketch.alternative.split()) >= 20
