import json
import os
import pickle
import re

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from pixelwise import sealed
from pixelwise.data import CLASSES
from pixelwise.figures.pixels import class_colours
from pixelwise.zoo import weights
from pixelwise.zoo.registry import BACKBONES, NETWORKS, NetworkSpec
from pixelwise.zoo.weights import Metadata, WeightsError


def metadata(network=None, **changes):
    parts = {"classes": CLASSES, "dataset": "streets", "size": (48, 64), "metrics": {"val": {"mean_iou": 0.5}}}
    return Metadata(network=network or NetworkSpec("unet", 11, width=2), **(parts | changes))


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "weights.safetensors"
    model = metadata().network.build().eval()
    weights.save(path, model, metadata())
    return path, model


def test_colours_are_there_only_where_a_data_set_has_its_own(tmp_path, saved):
    path, model = saved
    assert weights.load(path)[1].colours is None
    assert "colours" not in safe_open(path, "pt").metadata()  # as in files that were written before there were any
    colours = tuple((i, 2 * i, 255 - i) for i in range(11))
    weights.save(tmp_path / "own.safetensors", model, metadata(colours=colours))
    assert weights.load(tmp_path / "own.safetensors")[1] == metadata(colours=colours)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_built_by_its_name(name):
    with torch.device("meta"):
        model = NetworkSpec(name, 11).build().eval()
        assert model(torch.empty(2, 3, 70, 90)).shape == (2, 11, 70, 90)
    assert NETWORKS[name].summary
    assert json.loads(json.dumps(NetworkSpec(name, 11).to_dict())) == NetworkSpec(name, 11).to_dict()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_carries_a_unet(backbone):
    with torch.device("meta"):
        assert NetworkSpec("unet", 11, backbone).build().eval()(torch.empty(1, 3, 64, 96)).shape == (1, 11, 64, 96)


def test_options_reach_the_network():
    sizes = {}
    for width in (8, 16):
        with torch.device("meta"):
            model = NetworkSpec("fcn8", 11, "resnet18", width=width, output_stride=16).build()
        assert model.backbone.strides[-1] == 16
        sizes[width] = sum(p.numel() for p in model.parameters())
    assert 3 < sizes[16] / sizes[8] < 4.2
    with torch.device("meta"):
        paper = NetworkSpec("fcn32", 21, "vgg16").build()
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
        NetworkSpec(model, 11, *rest).build()


def test_saved_weights_come_back_with_what_they_are(saved):
    path, model = saved
    again, told = weights.load(path)
    assert told == metadata()
    assert not again.training
    x = torch.randn(1, 3, 48, 64)
    assert torch.equal(again(x), model(x))
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_the_bytes_come_back_as_float32(saved, tmp_path, dtype):
    path, model = saved
    half = tmp_path / "half.safetensors"
    weights.save(half, model, metadata(), dtype)
    assert half.stat().st_size < 0.75 * path.stat().st_size
    again, told = weights.load(half)
    assert told == metadata()
    state = model.state_dict()
    for key, value in again.state_dict().items():
        expected = state[key].to(dtype).float() if state[key].is_floating_point() else state[key]
        assert torch.equal(value, expected)


def test_what_half_precision_can_not_hold_is_not_saved(tmp_path):
    model = metadata().network.build()
    key = next(name for name in model.state_dict() if name.endswith("running_var"))
    model.state_dict()[key].fill_(1e6)
    weights.save(tmp_path / "whole.safetensors", model, metadata())
    with pytest.raises(WeightsError, match=f"{key} holds NaN or infinity"):
        weights.save(tmp_path / "half.safetensors", model, metadata(), torch.float16)
    with pytest.raises(ValueError, match=r"dtype is torch.int8, expected one of torch.float32"):
        weights.save(tmp_path / "half.safetensors", model, metadata(), torch.int8)
    assert [path.name for path in tmp_path.iterdir()] == ["whole.safetensors"]


def test_neighbours_of_the_file_are_left_alone(tmp_path):
    hidden = tmp_path / ".profile"
    hidden.write_text("mine")
    os.utime(hidden, (0, 0))
    weights.save(tmp_path / "w.safetensors", metadata().network.build(), metadata())
    assert hidden.read_text() == "mine"


def rewrite(path, change, seal=True):
    """Store the file anew with its metadata and tensors changed, by somebody who knows the checksum or does not."""
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    change(metadata, tensors)
    if seal and "sha256" in metadata:
        metadata["sha256"] = sealed.checksum(metadata, tensors)
    save_file(tensors, path, metadata)


def refusal(path):
    with pytest.raises(WeightsError) as raised:
        weights.load(path)
    said = str(raised.value)
    assert said.isprintable(), "one line, nothing that a terminal obeys"
    assert len(said) < 1000
    return said


def says(**parts):
    return lambda metadata, tensors: metadata.update({name: json.dumps(part) for name, part in parts.items()})


def describes(**lies):
    def change(metadata, tensors):
        metadata["network"] = json.dumps(json.loads(metadata["network"]) | lies)

    return change


def spoil(value):
    def change(metadata, tensors):
        tensors["segmentation_head.0.bias"][3] = value

    return change


def swap(metadata, tensors):
    """Exchange two tensors of one shape."""
    mean = next(key for key in tensors if key.endswith("running_mean"))
    variance = mean.replace("mean", "var")
    tensors[mean], tensors[variance] = tensors[variance], tensors[mean]


NAMES = list(CLASSES)
ESCAPE = "\x1b[31mred"


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, t: m.update(format="x"), "holds no pixelwise weights 2 .its format is 'x'"),
        (lambda m, t: m.update(format="pixelwise weights 1"), "of another version; fetch it again, or train it again"),
        (lambda m, t: m.clear(), "holds no pixelwise weights 2 .its format is None"),
        (lambda m, t: m.pop("sha256"), "carries no checksum"),
        (lambda m, t: m.pop("classes"), "expected .'format', 'network', 'classes'"),
        (lambda m, t: m.update(more="1"), "expected .'format', 'network', 'classes'"),
        (lambda m, t: m.update(network="{"), "holds no JSON in network"),
        (lambda m, t: m.update(recipe="[" * 200_000 + "]" * 200_000), "holds no JSON in recipe|nests recipe"),
        (lambda m, t: m.update(recipe='{"a":' * 40 + "1" + "}" * 40), "nests recipe more than 16 deep"),
        (lambda m, t: m.update(recipe=json.dumps({"a": "x" * 5_000_000})), "characters in recipe, expected at most"),
        (lambda m, t: m.update(size="[" + "1" * 5000 + ", 2]"), "holds no JSON in size"),
        (lambda m, t: m.update(metrics='{"a": NaN}'), "a number that is not finite"),
        (lambda m, t: m.update(metrics='{"a": [1e999]}'), "a number that is not finite"),
        (says(size=[1]), "size is .1,., expected .height, width"),
        (says(size=[1e9, 1e9]), "size is .*, expected .height, width. of 1 to 16384"),
        (says(size=[10**9, 10**9]), "size is .*, expected .height, width. of 1 to 16384"),
        (says(size=[16384, 16384]), "together at most 4194304 pixels"),
        (says(size=[48, True]), "size is"),
        (says(size=[0, 48]), "size is"),
        (says(size=[48.0, 64.0]), "size is"),
        (says(size=["48", "64"]), "size is"),
        (says(size={"48": 64}), "size is"),
        (lambda m, t: m.update(size="[Infinity, 5]"), "a number that is not finite"),
        (says(classes=NAMES[:-1]), "classes are 10, expected 11 names"),
        (says(classes="abcdefghijk"), "classes are 'abcdefghijk', expected 11 names"),
        (says(classes=[*NAMES[:-1], "sky"]), "two classes have the same name"),
        (says(colours=[[0, 0, 0]] * 10), "colours are .*, expected 11, one a class, or None"),
        (says(colours="red"), "colours are 'red', expected 11"),
        (says(colours={"a": 1}), "colours are .*, expected 11"),
        (
            says(colours=[*[[0, 0, 0]] * 10, [0, 0, 256]]),
            "a colour is .0, 0, 256., expected .red, green, blue. of 0 to",
        ),
        (says(colours=[*[[0, 0, 0]] * 10, [0, 0, 1.0]]), "a colour is"),
        (says(colours=[*[[0, 0, 0]] * 10, [True, 0, 0]]), "a colour is"),
        (says(colours=[*[[0, 0, 0]] * 10, 7]), "a colour is 7"),
        (says(classes=[*NAMES[:-1], " "]), "a class is ' ', expected 1 to 80 printable"),
        (says(classes=[*NAMES[:-1], 7]), "a class is 7"),
        (says(classes=[*NAMES[:-1], "a\nb"]), "a class is"),
        (says(classes=[*NAMES[:-1], "x" * 81]), "a class is"),
        (says(dataset=ESCAPE), "dataset is"),
        (says(dataset=None), "dataset is None"),
        (says(train_split=""), "train_split is ''"),
        (says(val_split=ESCAPE), "val_split is"),
        (says(recipe=[]), "recipe is .., expected a dictionary"),
        (says(provenance={"device": ESCAPE}), "provenance holds"),
        (says(provenance={ESCAPE: 1}), "provenance holds"),
        (says(network=None), "network is None, expected a dictionary"),
        (describes(model="no"), "no model 'no'"),
        (describes(model=["unet"]), "no model .'unet'."),
        (describes(model=ESCAPE), "no model"),
        (describes(backbone={}), "no backbone"),
        (describes(num_classes=5), "classes are 11, expected 5 names"),
        (describes(num_classes=300), "there are 300 classes, expected 1 to 255"),
        (describes(num_classes=0), "there are 0 classes"),
        (describes(num_classes=11.0), "the number of classes is 11.0"),
        (describes(num_classes=True), "the number of classes is True"),
        (describes(width=1_000_000), "width is 1000000, expected an integer from 1 to 4096"),
        (describes(width=4096), "do not fit"),  # and no memory is spent on a network of that width
        (describes(width=0), "width is 0"),
        (describes(width="2"), "width is '2'"),
        (describes(output_stride=-8), "output_stride is -8"),
        (describes(output_stride=8), "can't be built: contracting has no output stride"),
        (describes(more=1), "unexpected keyword argument 'more'"),
        (describes(model="compact", width=None), "do not fit the compact"),
        (lambda m, t: t.pop("segmentation_head.0.bias"), "segmentation_head.0.bias is absent"),
        (lambda m, t: t.update(extra=torch.zeros(3)), "extra is .3,. there, expected absent"),
        (lambda m, t: t.update({ESCAPE: torch.zeros(3)}), "31mred is .3,. there, expected absent"),
        (lambda m, t: t.clear(), "is absent there"),
        (spoil(float("nan")), "segmentation_head.0.bias holds NaN or infinity"),
        (spoil(float("-inf")), "segmentation_head.0.bias holds NaN or infinity"),
    ],
)
def test_files_that_lie(saved, change, message):
    """Forged by somebody who computes the checksum as well."""
    path, _ = saved
    rewrite(path, change)
    assert re.search(message, refusal(path))


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
@pytest.mark.parametrize(
    "change",
    [
        spoil(0.25),
        spoil(float("nan")),
        swap,
        says(dataset="camvid"),
        says(classes=NAMES[::-1]),
        says(size=[64, 48]),
        says(metrics={"val": {"mean_iou": 0.9}}),
        describes(width=2.0),
        lambda m, t: t.update(extra=torch.zeros(3)),
        lambda m, t: m.update(sha256="0" * 64),
    ],
)
def test_files_that_were_altered(saved, change):
    path, _ = saved
    rewrite(path, change, seal=False)
    assert "does not match its checksum: it was altered after it was written; fetch it again" in refusal(path)


@pytest.mark.survives("Weights in half, bfloat16 or double precision")
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_files_in_other_precisions_are_read(saved, kind):
    path, model = saved
    rewrite(path, lambda m, t: t.update({k: v.to(kind) for k, v in t.items() if v.is_floating_point()}))
    again, _ = weights.load(path)
    for key, value in again.state_dict().items():
        expected = model.state_dict()[key]
        assert value.dtype == expected.dtype
        assert torch.equal(value, expected.to(kind).to(value.dtype) if value.is_floating_point() else expected)
    assert again(torch.randn(1, 3, 48, 64)).shape == (1, 11, 48, 64)


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
@pytest.mark.parametrize("kind", ["int8", "uint8", "bool", "int64", "complex64", "float8_e4m3fn"])
def test_files_of_other_kinds_are_refused(saved, kind):
    path, _ = saved
    name = "segmentation_head.0.bias"
    rewrite(path, lambda m, t: t.update({name: t[name].to(getattr(torch, kind))}))
    assert re.search(f"{name} is torch.{kind}, expected torch.float32|{name} as .*, a number format", refusal(path))


@pytest.mark.survives("Weights in half, bfloat16 or double precision")
def test_double_that_is_too_large_for_single_is_refused(saved):
    path, _ = saved
    huge = torch.full((11,), 1e300, dtype=torch.float64)
    rewrite(path, lambda m, t: t.update({"segmentation_head.0.bias": huge}))
    assert "NaN or infinity" in refusal(path)


@pytest.mark.survives("More classes than a byte has labels")
@pytest.mark.parametrize("count", [1, 12, 255])
def test_any_number_of_classes_that_fits_a_byte(tmp_path, count):
    path = tmp_path / "w.safetensors"
    told = metadata(NetworkSpec("unet", count, width=2), classes=tuple(f"class {i}" for i in range(count)))
    weights.save(path, told.network.build(), told)
    model, again = weights.load(path)
    assert again == told
    assert model(torch.zeros(1, 3, 32, 32)).shape[1] == len(class_colours(count)) == count


def test_splits_are_told_or_known_to_be_unrecorded(tmp_path):
    assert (metadata().train_split, metadata().val_split) == (None, None)
    told = metadata(train_split="fit", val_split="tune")
    weights.save(tmp_path / "w.safetensors", told.network.build(), told)
    assert weights.load(tmp_path / "w.safetensors")[1] == told


def test_a_figure_that_is_undefined_is_saved_as_none(tmp_path):
    told = metadata(metrics={"val": {"mean_iou": float("nan"), "class_iou": [0.5, float("inf")]}})
    weights.save(tmp_path / "w.safetensors", told.network.build(), told)
    assert weights.load(tmp_path / "w.safetensors")[1].metrics == {"val": {"mean_iou": None, "class_iou": [0.5, None]}}


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    model = metadata().network.build()
    model.segmentation_head[0].bias.data[0] = float("nan")
    with pytest.raises(WeightsError, match="bias holds NaN"):
        weights.save(tmp_path / "w.safetensors", model, metadata())
    assert not list(tmp_path.iterdir())


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
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
