"""What every network of the library must stand: the same battery for classifiers, decoders and backbones."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from pixelwise.models import (
    compact,
    deeplab,
    deeplab_vgg,
    densenet,
    efficientnet,
    fcn,
    hypercolumn,
    mix_transformer,
    pyramid,
    resnet,
    resnet_cifar,
    segformer,
    senet,
    vgg,
)
from pixelwise.models.googlenet import GoogLeNet
from pixelwise.models.patchnet import PatchNet
from pixelwise.models.unet import ContractingPath, UNet, ValidUNet
from tests.helpers import tiny
from tests.models.parity import randomise

pytestmark = pytest.mark.slow

CLASSES = 5

# Small members of every family: what is tested does not depend on the width.
BACKBONES = {
    "ResNet, basic": partial(resnet.ResNet, resnet.BasicBlock, (1, 1, 1, 1), width=8),
    "ResNet, bottleneck, output stride 8": partial(
        resnet.ResNet, resnet.Bottleneck, (1, 1, 1, 1), width=8, output_stride=8
    ),
    "SE-ResNet": lambda **options: senet.squeeze_and_excite(
        resnet.ResNet(resnet.BasicBlock, (1, 1, 1, 1), width=16, **options), reduction=4
    ),
    "CIFAR ResNet-8": partial(resnet_cifar.CifarResNet, 8, width=8),
    "CIFAR pre-activation": partial(resnet_cifar.CifarResNet, 8, width=8, preactivation=True, shortcuts="B"),
    "GoogLeNet": partial(GoogLeNet, width=0.125),
    "DenseNet": partial(densenet.DenseNet, (2, 2, 2), growth=4, initial=8),
    "EfficientNet": partial(efficientnet.EfficientNet, width=0.25, depth=0.3),
    "EfficientNet-Lite": tiny.lite0,
    "VGG": partial(vgg.VGG, (1, 1, 1, 1, 1), width=4, batch_norm=True),
    "Mix Transformer": partial(
        mix_transformer.MixTransformer, (4, 8, 12, 16), (1, 1, 1, 1), heads=(1, 2, 2, 4), reductions=(4, 2, 2, 1)
    ),
    "contracting path": lambda num_classes=None, **options: ContractingPath(width=4, depth=3, **options),
}
DECODERS = {
    "FCN": lambda backbone, classes: fcn.FCN(backbone, classes, stride=backbone.strides[1]),
    "FCN on fc7": lambda backbone, classes: fcn.FCN(
        fcn.Convolutionalized(backbone, width=8), classes, stride=backbone.strides[0]
    ),
    "dilated FCN": partial(fcn.DilatedFCN, aux=True),
    "hypercolumn": partial(hypercolumn.Hypercolumn, hidden=8),
    "U-Net": UNet,
    "feature pyramid": pyramid.FeaturePyramid,
    "SegFormer": partial(segformer.SegFormer, width=8),
    "DeepLab v1": partial(deeplab_vgg.DeepLabV1, width=8),
    "DeepLab v2": partial(deeplab_vgg.DeepLabV2, width=8, rates=(1, 2)),
    "DeepLab v3": partial(deeplab.DeepLabV3, width=8, aux=True),
    "DeepLab v3+": partial(deeplab.DeepLabV3Plus, width=8),
}


@dataclass(frozen=True)
class Network:
    """How to build a network (keyword arguments in_channels and num_classes) and what it may be asked."""

    build: Callable[..., nn.Module]
    dense: bool  # logits for every pixel, not one for the image
    sizes: tuple[tuple[int, int], ...] = ((35, 50), (64, 33))
    margin: int = 0  # how much smaller than the image the logits are
    any_channels: bool = True


def decoder_on_small_resnet(decoder, *, in_channels=3, num_classes=CLASSES):
    return decoder(BACKBONES["ResNet, basic"](num_classes=None, in_channels=in_channels), num_classes)


NETWORKS = {name: Network(build, False) for name, build in BACKBONES.items() if name != "contracting path"}
NETWORKS |= {name: Network(partial(decoder_on_small_resnet, d), True) for name, d in DECODERS.items()}
NETWORKS["valid U-Net"] = Network(partial(ValidUNet, width=4, depth=2), True, ((44, 60), (52, 48)), margin=40)
NETWORKS["compact DeepLab"] = Network(
    partial(compact.CompactDeepLab, widths=(4, 8, 16), dilations=(1, 2), rates=(1, 2), aspp_width=8), True
)
NETWORKS["SegFormer on Mix Transformer"] = Network(
    lambda in_channels, num_classes: segformer.SegFormer(
        BACKBONES["Mix Transformer"](num_classes=None, in_channels=in_channels), num_classes, width=8
    ),
    True,
)
NETWORKS["PatchNet"] = Network(
    lambda num_classes, in_channels=3: PatchNet(num_classes), False, ((32, 32),), any_channels=False
)


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@cache
def built(name):
    """The network in eval mode with random weights and statistics, and images for it; not to be changed."""
    torch.manual_seed(0)
    network = NETWORKS[name].build(in_channels=3, num_classes=CLASSES)
    return randomise(network).eval(), torch.randn(2, 3, *NETWORKS[name].sizes[0])


def logits_shape(name, images):
    height, width = (side - NETWORKS[name].margin for side in images.shape[-2:])
    return (len(images), CLASSES, height, width) if NETWORKS[name].dense else (len(images), CLASSES)


def tensors(output):
    """All logits of a network: a tensor, or those of a dict or tuple with auxiliary ones."""
    if isinstance(output, torch.Tensor):
        return [output]
    return [t for t in (output.values() if isinstance(output, dict) else output) if t is not None]


@pytest.mark.survives("Odd, oblong, tiny and huge pictures")
@torch.no_grad()
def test_odd_and_oblong_images(name):
    network, _ = built(name)
    for size in NETWORKS[name].sizes:
        images = torch.randn(1, 3, *size)
        logits = network(images)
        assert logits.shape == logits_shape(name, images)
        assert logits.isfinite().all()


def test_every_parameter_learns(name):
    """A training step reaches every parameter with a finite gradient that is not zero."""
    network, images = built(name)
    network = copy.deepcopy(network).train()
    output = tensors(network(images))
    assert output[0].shape == logits_shape(name, images)
    sum((logits * torch.randn_like(logits)).sum() for logits in output).backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, f"{key} takes no part"
        assert parameter.grad.isfinite().all(), key
    moved = sum(bool(p.grad.any()) for p in network.parameters())
    assert moved >= 0.9 * len(list(network.parameters()))  # ReLUs may silence a few narrow layers


@pytest.mark.survives("Batch of one")
def test_batch_of_one_in_train_mode(name):
    """It works, or it says what to do."""
    network, images = built(name)
    network = copy.deepcopy(network).train()
    try:
        logits = tensors(network(images[:1]))[0]
    except ValueError as error:
        assert name in ("DeepLab v3", "DeepLab v3+", "compact DeepLab")
        assert "a batch of one in train mode" in str(error)  # noqa: PT017
        assert "model.eval()" in str(error)  # noqa: PT017
    else:
        assert logits.shape == logits_shape(name, images[:1])


@pytest.mark.parametrize("name", [name for name, network in NETWORKS.items() if network.any_channels])
def test_one_channel(name):
    network = NETWORKS[name].build(in_channels=1, num_classes=CLASSES).eval()
    images = torch.randn(1, 1, *NETWORKS[name].sizes[0])
    assert network(images).shape == logits_shape(name, images)


@torch.no_grad()
def test_saved_weights_come_back_bit_for_bit(name):
    network, images = built(name)
    other = NETWORKS[name].build(in_channels=3, num_classes=CLASSES).eval()
    other.load_state_dict(load(save(network.state_dict())))
    assert torch.equal(other(images), network(images))


@torch.no_grad()
def test_pickle(name):
    """As a DataLoader's workers and torch.multiprocessing hand objects over."""
    network, images = built(name)
    assert torch.equal(pickle.loads(pickle.dumps(network))(images), network(images))


def test_same_seed_same_network(name):
    outputs = []
    for _ in range(2):
        torch.manual_seed(3)
        network = NETWORKS[name].build(in_channels=3, num_classes=CLASSES).train()
        outputs.append(tensors(network(torch.randn(2, 3, *NETWORKS[name].sizes[0]))))
    for first, second in zip(*outputs, strict=True):
        assert torch.equal(first, second)


@torch.no_grad()
def test_channels_last(name):
    network, images = built(name)
    there = copy.deepcopy(network).to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        there(images.to(memory_format=torch.channels_last)), network(images), rtol=1e-4, atol=1e-4
    )


@torch.no_grad()
def test_autocast(name):
    network, images = built(name)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(images)
    exact = network(images)
    assert logits.isfinite().all()
    assert (logits.float() - exact).abs().max() < 0.25 * exact.abs().max()


@torch.no_grad()
def test_export(name):
    network, images = built(name)
    exported = torch.export.export(network, (images,)).module()
    torch.testing.assert_close(exported(images), network(images))


@torch.no_grad()
def test_compile_without_graph_breaks(name):
    network, images = built(name)
    torch.compiler.reset()
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(images), network(images))


def test_wrong_channels(name):
    network, images = built(name)
    with pytest.raises(ValueError, match=r"images have shape \(2, 4, .*takes \(N, 3, H, W\)"):
        network(images[:, [0, 1, 2, 2]])
    with pytest.raises(ValueError, match="images have shape"):
        network(images[0])


def test_images_that_were_not_normalised(name):
    network, images = built(name)
    with pytest.raises(ValueError, match=r"uint8.*normalise"):
        network(images.to(torch.uint8))


@pytest.mark.survives("Odd, oblong, tiny and huge pictures")
def test_too_small(name):
    """Down to the smallest size that it names, a network works; below, it says so."""
    network, _ = built(name)
    for side in (1, 4, 8, 16, 32):
        try:
            logits = network(torch.randn(1, 3, side, side))
        except ValueError as error:
            assert any(word in str(error) for word in ("needs at least", "nearest that do", "reads 32×32"))  # noqa: PT017
        else:
            assert logits.shape == logits_shape(name, torch.empty(1, 3, side, side))


@pytest.mark.parametrize("classes", [0, -1, 2.5], ids=str)
def test_wrong_class_count(name, classes):
    with pytest.raises(ValueError, match=f"num_classes is {classes}"):
        NETWORKS[name].build(in_channels=3, num_classes=classes)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_feature_contract(backbone):
    """Maps from fine to coarse, with the channels that it declares, at the sizes that it declares or one off."""
    network = BACKBONES[backbone](num_classes=None).eval()
    assert not any(key.startswith(("fc.", "aux")) for key in network.state_dict())
    assert len(network.channels) == len(network.strides)
    assert list(network.strides) == sorted(network.strides)
    for size in ((64, 64), (49, 70)):
        maps = network.features(torch.randn(1, 3, *size))
        assert [x.shape[1] for x in maps] == list(network.channels)
        for x, stride in zip(maps, network.strides, strict=True):
            for side, whole in zip(x.shape[-2:], size, strict=True):
                assert abs(side - whole / stride) <= 1


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_any_decoder_takes_any_backbone(backbone, decoder):
    network = DECODERS[decoder](BACKBONES[backbone](num_classes=None), CLASSES)
    images = torch.randn(2, 3, 49, 38)
    logits = tensors(network(images))
    assert all(x.shape == (2, CLASSES, 49, 38) for x in logits)
    assert len(logits) == (2 if decoder in ("dilated FCN", "DeepLab v3") else 1)
    sum(x.sum() for x in logits).backward()
