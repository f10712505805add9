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
from pixelwise.drawings import choices as live_choices
from pixelwise.drawings import deformable, live
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


def choosing() -> models.FCN:
    """A network with gates, and one deformable convolution whose offsets are not zero."""
    torch.manual_seed(0)
    backbone = models.squeeze_and_excite(models.resnet18(num_classes=None, width=16), 4)
    block = backbone.layer2[1]
    block.conv2 = models.DeformableConv2d.of(block.conv2)
    torch.nn.init.normal_(block.conv2.offset.weight, std=0.05)
    return models.FCN(backbone, 11, stride=8)


def numbers(sketch, what: str) -> list[tuple[str, str]]:
    texts = ElementTree.fromstring(sketch.svg()).iter(f"{SVG}text")
    return [(text.get("data-number"), text.text) for text in texts if (text.get("data-number") or "").startswith(what)]


def test_a_gates_numbers_and_maps_are_what_the_network_computes(picture):
    network, seen = choosing(), []
    gate = network.backbone.layer2[1].gate
    gate.register_forward_hook(lambda module, args, out: seen.append((args[0][0].clone(), out[0].clone())))
    sketch = drawings.gate_values(network, picture, "backbone.layer2.1.gate")
    x, y = seen[0]
    values = (y / x).nanmedian(-1)[0].nanmedian(-1)[0]
    order = values.argsort(descending=True).tolist()
    shown = numbers(sketch, "gate ")
    assert [int(what.split()[1]) for what, _ in shown] == [*order[:3], *order[-3:]]
    assert [text for _, text in shown] == [f"× {values[channel]:.2f}" for channel in (*order[:3], *order[-3:])]
    _, before, after, *_ = pictures(sketch)
    most = x[order[0]].abs().max()
    assert np.abs(before - live_choices.signed(x[order[0]] / most).astype(int)).mean() < 4  # of 64 colours
    assert np.abs(after - live_choices.signed(y[order[0]] / most).astype(int)).mean() < 4


def test_the_dots_lie_where_a_deformable_convolution_reads(picture):
    network = choosing()
    layer = network.backbone.layer2[1].conv2
    places = [(60, 20), (50, 110)]
    sketch = drawings.deformable_samples(network, picture, "backbone.layer2.1.conv2", places, width=128)
    seen = []
    layer.register_forward_hook(lambda module, args, out: seen.append((args[0], out)))
    with eval_mode(network), torch.no_grad():
        network(normalise(picture[None]))
        x, y = seen[0]
        offsets = layer.offset(x)[0]
    _, moved = deformable.positions(layer, offsets, (60 * 12 // 96, 20 * 16 // 128))
    read = models.deformable.sample_bilinear(x, moved[None, :, 0], moved[None, :, 1])[0]  # (C, K)
    mine = torch.einsum("ock,ck->o", layer.weight.flatten(2), read)
    assert torch.allclose(mine, y[0, :, 7, 2], atol=1e-4)  # the layer's own answer there
    circles = [
        (float(c.get("cx")), float(c.get("cy"))) for c in ElementTree.fromstring(sketch.svg()).iter(f"{SVG}circle")
    ]
    dots = [((column + 0.5) * 8, (row + 0.5) * 8) for row, column in moved.tolist()]
    assert np.allclose(circles[9:18], dots, atol=0.06)
    for first in range(0, 8, 4):
        weights = [float(text) for _, text in numbers(sketch, "weight")[first : first + 4]]
        assert sum(weights) == pytest.approx(1, abs=0.02)


def test_a_places_neighbours_are_weighed_by_nearness():
    near = deformable.neighbours(torch.tensor([2.25, -0.5]))
    assert near == {(2, -1): 0.375, (2, 0): 0.375, (3, -1): 0.125, (3, 0): 0.125}


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
