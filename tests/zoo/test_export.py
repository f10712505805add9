"""Networks as ONNX files: the same answer to the same bytes in another program, at every size, or no file at all."""

import json
from functools import partial

import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from pixelwise.cli import export as command
from pixelwise.data import CLASSES
from pixelwise.data.augment import normalise
from pixelwise.models import mix_transformer, resnet, vgg
from pixelwise.zoo import export, registry, weights
from pixelwise.zoo.registry import NetworkSpec
from tests.helpers import tiny

COMPACT = NetworkSpec("compact", 11)
HEADS = ("fcn8", "dilated-fcn", "unet", "deeplabv3", "hypercolumn")
NETWORKS = (
    *(NetworkSpec(name, 11, "vgg16", width=8) for name in HEADS),
    NetworkSpec("deeplabv3plus", 11, "resnet18", width=8),
    NetworkSpec("unet", 11),
    NetworkSpec("segformer", 11, "mit_b0"),
    NetworkSpec("pyramid", 11, "efficientnet_lite0"),
)


def about(spec: NetworkSpec) -> weights.Metadata:
    return weights.Metadata(spec, CLASSES, "camvid", (180, 240))


def fresh(spec: NetworkSpec, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return spec.build().eval()


@pytest.fixture(scope="module")
def program():
    """What PyTorch's exporter makes of the compact network, which takes it some seconds."""
    return export.traced(export.FromBytes(fresh(COMPACT)).eval())


@pytest.fixture
def known(program, monkeypatch):
    monkeypatch.setattr(export, "traced", lambda network: program)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in" / "weights.safetensors"
    weights.save(path, fresh(COMPACT), about(COMPACT))
    return path


def answers(path, image: Tensor) -> list[Tensor]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [torch.from_numpy(x) for x in session.run(["logits", "labels"], {"image": image.numpy()})]


def test_a_file_takes_bytes_of_any_size_and_answers_as_the_network(known, source, tmp_path, capsys):
    path = tmp_path / "out" / "network.onnx"
    command.main([str(source), str(path)])
    for shape in ((1, 61, 107, 3), (3, 90, 47, 4)):
        image = torch.randint(256, shape, dtype=torch.uint8)
        logits, labels = answers(path, image)
        with torch.no_grad():
            expected = fresh(COMPACT)(normalise(image.permute(0, 3, 1, 2)[:, :3]))
        torch.testing.assert_close(logits, expected, rtol=0, atol=1e-4)
        assert labels.dtype == torch.uint8
        assert torch.equal(labels, logits.argmax(1).to(torch.uint8))
    told = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(told["classes"]) == list(CLASSES)
    assert told["size"] == "180×240"
    assert "non-commercial" in told["licence"]
    said = capsys.readouterr().out
    assert "compact → " in said
    assert "onnxruntime gives the same labels" in said
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.survives("A network that can't be exported, or whose export answers otherwise")
def test_a_file_that_answers_otherwise_is_not_kept(known, source, tmp_path):
    weights.save(source, fresh(COMPACT, seed=1), about(COMPACT))
    with pytest.raises(SystemExit, match=r"^pixelwise-export: the ONNX file answers otherwise .* it is not kept$"):
        command.main([str(source), str(tmp_path / "out" / "network.onnx")])
    assert not list((tmp_path / "out").iterdir())


class Undecided(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


@pytest.mark.survives("A network that can't be exported, or whose export answers otherwise")
def test_what_can_not_be_exported_is_said_in_a_line(tmp_path):
    with pytest.raises(export.ExportError, match=r"can't be written as ONNX by PyTorch \d") as raised:
        export.export(tmp_path / "network.onnx", Undecided().eval(), about(COMPACT))
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_it_says_what_to_install(monkeypatch, source, tmp_path):
    monkeypatch.setattr(export, "find_spec", lambda name: None if name == "onnx" else name)
    with pytest.raises(SystemExit, match=r"exporting needs onnx: pip install onnx$"):
        command.main([str(source), str(tmp_path / "network.onnx")])
    assert not (tmp_path / "network.onnx").exists()


def test_no_file_is_replaced_unless_asked(known, source, tmp_path):
    path = tmp_path / "network.onnx"
    path.write_text("mine")
    with pytest.raises(SystemExit, match="is there already, and is kept"):
        command.main([str(source), str(path)])
    assert path.read_text() == "mine"
    command.main([str(source), str(path), "--overwrite"])
    assert answers(path, torch.zeros(1, 40, 50, 3, dtype=torch.uint8))[1].shape == (1, 40, 50)
    before = source.read_bytes()
    with pytest.raises(SystemExit, match="is read by this very call"):
        command.main([str(source), str(source), "--overwrite"])
    assert source.read_bytes() == before
    with pytest.raises(SystemExit, match="is a folder"):
        command.main([str(source), str(tmp_path), "--overwrite"])


@pytest.mark.slow
@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: f"{spec.model}-{spec.backbone}")
def test_every_head_is_the_same_there(spec, tmp_path, monkeypatch):
    """At two sizes, no side of which is a multiple of 32: see `export.compare`.

    The exporter takes its time by the layer, and each kind of layer the same way wherever it stands. So ResNet, VGG and
    the Mix Transformer have one block a stage, and EfficientNet-Lite nine blocks; most heads are on VGG, which so has
    the fewest layers.
    """
    monkeypatch.setitem(registry.BACKBONES, "resnet18", partial(resnet.ResNet, resnet.BasicBlock, (1, 1, 1, 1)))
    monkeypatch.setitem(registry.BACKBONES, "vgg16", partial(vgg.VGG, (1, 1, 1, 1, 1)))
    compact = partial(mix_transformer.MixTransformer, (16, 32, 64, 96), (1, 1, 1, 1), heads=(1, 2, 4, 6))
    monkeypatch.setitem(registry.BACKBONES, "mit_b0", compact)
    monkeypatch.setitem(registry.BACKBONES, "efficientnet_lite0", tiny.lite0)
    assert export.export(tmp_path / "network.onnx", fresh(spec), about(spec)) < export.TOLERANCE
