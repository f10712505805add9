"""DeepLab: v3 against torchvision and smp, v3+ against smp, v1 and v2 against the numbers of their papers."""

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

from pixelwise.models import resnet
from pixelwise.models.deeplab import DeepLabV3, DeepLabV3Plus, SeparableConv
from pixelwise.models.deeplab_vgg import DeepLabV1, DeepLabV2, dilate_vgg
from pixelwise.models.vgg import VGG, vgg16
from tests.models.dense_references import PAIRS, SmpNames
from tests.models.parity import assert_parity, randomise

# The image for train mode, and that for eval mode, where the running statistics stand and nothing else is different.
# smp takes multiples of the output stride only: there an odd size is a map with an odd number of rows or columns.
CASES = [
    ("deeplabv3_resnet50 with aux", (33, 47), (40, 24)),
    ("smp.DeepLabV3 resnet18, output stride 8", (40, 56), 64),
    ("smp.DeepLabV3 resnet18, output stride 16", (48, 80), 64),
    ("smp.DeepLabV3 resnet50, output stride 8", (40, 24), 32),
    ("smp.DeepLabV3Plus resnet18, output stride 8", 64, (40, 72)),
    ("smp.DeepLabV3Plus resnet18, output stride 16", (48, 80), 64),
    ("smp.DeepLabV3Plus resnet50, output stride 16", 64, (48, 32)),
    # a map of 37 columns, in which the largest rate, 36, joins the first and the last
    ("smp.DeepLabV3Plus resnet18, output stride 8", (24, 296), (296, 24)),
    # and of 37 rows and columns
    ("DeepLabV3, five bottlenecks, rates 12, 24, 36", 296, (24, 296)),
]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(("name", "trained", "evaluated"), CASES, ids=str)
def test_parity(name, trained, evaluated, train, record_property):
    size = trained if train else evaluated
    parity = assert_parity(PAIRS[name].ours(), PAIRS[name].reference(), size, train=train)
    record_property("parity", (name, parity.worst))


@pytest.mark.parametrize("name", [name for name in PAIRS if "DeepLab" in name or "deeplab" in name])
def test_every_convolution_strides_pads_and_dilates_as_the_reference(name):
    """On small maps a rate of 36 meets nothing but padding, and so would another."""

    def settings(build):
        with torch.device("meta"):
            layers = dict(build().named_modules())
        convolutions = {name: layer for name, layer in layers.items() if isinstance(layer, nn.Conv2d)}
        return {
            name: (c.kernel_size, c.stride, c.padding, c.groups, c.kernel_size == (1, 1) or c.dilation)
            for name, c in convolutions.items()
        }

    ours = settings(PAIRS[name].build_ours)
    assert ours == settings(PAIRS[name].build_reference)
    assert len(ours) > 10


def test_separable_branches_are_smps():
    reference = smp.DeepLabV3("resnet18", encoder_weights=None, classes=3, decoder_aspp_separable=True)
    backbone = resnet.resnet18(num_classes=None, output_stride=8, dilate_first_block=True)
    network = DeepLabV3(backbone, 3, align_corners=True, separable=True)
    SmpNames(network).load_state_dict(randomise(reference).state_dict())
    images = torch.randn(1, 3, 40, 48)
    torch.testing.assert_close(network.eval()(images), reference.eval()(images))


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_counts():
    with torch.device("meta"):
        assert parameters(DeepLabV3(resnet.resnet50(num_classes=None), 21)) == 39_638_869
        assert parameters(DeepLabV3(resnet.resnet50(num_classes=None), 21, aux=True)) == 42_004_074
        assert parameters(DeepLabV3Plus(resnet.resnet50(num_classes=None), 1)) == parameters(
            smp.DeepLabV3Plus("resnet50", encoder_weights=None)
        )
        vgg = dilate_vgg(vgg16(num_classes=None))
        assert round(parameters(DeepLabV1(vgg, 21)) / 1e6, 1) == 20.5  # the paper's section 4.3
        branches = DeepLabV2(vgg, 21, rates=(2, 4, 8, 12))
        assert parameters(branches) - parameters(vgg) == 4 * (parameters(DeepLabV1(vgg, 21)) - parameters(vgg))


def test_dilated_vgg_sees_what_vgg_sees_but_more_densely():
    """The same parameters, at output stride 8."""
    plain = VGG((1, 1, 1, 1, 1), num_classes=None, width=2)
    dilated = dilate_vgg(VGG((1, 1, 1, 1, 1), num_classes=None, width=2))
    dilated.load_state_dict(plain.state_dict())
    assert dilated.strides == (2, 4, 8, 8, 8)
    shapes = [tuple(x.shape[-2:]) for x in dilated.features(torch.randn(1, 3, 64, 96))]
    assert shapes == [(32, 48), (16, 24), (8, 12), (8, 12), (8, 12)]
    convolutions = [layer for layer in dilated.features if isinstance(layer, nn.Conv2d)]
    assert [c.dilation[0] for c in convolutions] == [1, 1, 1, 1, 2]


def test_v2_adds_the_scores_of_its_branches():
    torch.manual_seed(0)
    network = DeepLabV2(resnet.resnet18(num_classes=None, output_stride=8), 3, rates=(2, 4), width=8).eval()
    images = torch.randn(1, 3, 40, 48)
    single = DeepLabV1(network.backbone, 3, rate=2, width=8).eval()
    total = 0
    for branch, rate in zip(network.classifier, (2, 4), strict=True):
        single.classifier = branch
        assert branch[0].dilation == branch[0].padding == (rate, rate)
        total = total + single(images)
    torch.testing.assert_close(network(images), total)


def test_separable_convolution_costs_one_nth_plus_one_ninth():
    for n in (64, 256):
        ratio = parameters(SeparableConv(n, n)) / parameters(nn.Conv2d(n, n, 3, bias=False))
        assert ratio == pytest.approx(1 / n + 1 / 9)


@pytest.mark.parametrize("network", [DeepLabV3, DeepLabV3Plus])
def test_a_batch_of_one_in_train_mode_is_explained(network):
    model = network(resnet.resnet18(num_classes=None), 3)
    with pytest.raises(ValueError, match=r"a batch of one in train mode: .*at least 2 images.*model\.eval\(\)"):
        model(torch.randn(1, 3, 64, 64))
    for module in model.modules():  # frozen normalisation needs no batch
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    assert model(torch.randn(1, 3, 64, 64)).shape == (1, 3, 64, 64)


def test_odd_sizes_and_other_low_levels():
    for low_level in range(4):
        network = DeepLabV3Plus(resnet.resnet18(num_classes=None), 3, low_level=low_level).eval()
        assert network(torch.randn(1, 3, 45, 61)).shape == (1, 3, 45, 61)
    with pytest.raises(ValueError, match="low_level is 4, but the maps before the last are 0 to 3"):
        DeepLabV3Plus(resnet.resnet18(num_classes=None), 3, low_level=4)
