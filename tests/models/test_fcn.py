"""FCN: torchvision's form against torchvision, the paper's form against what the paper says of it."""

import pytest
import torch
from torch.nn import functional as F

from pixelwise.models import resnet
from pixelwise.models.fcn import FCN, BilinearUpsampling, Convolutionalized, DilatedFCN
from pixelwise.models.vgg import VGG, vgg16
from tests.models.dense_references import PAIRS
from tests.models.parity import assert_parity, randomise


@pytest.mark.parametrize(("size", "train"), [((33, 47), True), ((64, 24), False)], ids=["train", "eval"])
def test_parity_with_torchvision(size, train, record_property):
    pair = PAIRS["fcn_resnet50 with aux"]
    parity = assert_parity(pair.ours(), pair.reference(), size, train=train)
    record_property("parity", ("fcn_resnet50 with aux", parity.worst))


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_counts():
    with torch.device("meta"):
        library = DilatedFCN(resnet.resnet50(num_classes=None, output_stride=8), 21, aux=True)
        paper = {s: FCN(Convolutionalized(vgg16(num_classes=None)), 21, stride=s) for s in (32, 16, 8)}
    assert parameters(library) == 35_322_218
    # the paper's table 1 says 134 M; a skip adds its scores' weights and biases, and a 4×4 kernel between classes
    assert parameters(paper[32]) == 134_346_581
    assert parameters(paper[16]) - parameters(paper[32]) == 21 * 513 + 16 * 21**2
    assert parameters(paper[8]) - parameters(paper[16]) == 21 * 257 + 16 * 21**2


def small_fcn(stride, classes=3):
    return FCN(Convolutionalized(VGG((1, 1, 1, 1, 1), num_classes=None, width=4), width=8), classes, stride)


def test_score_layers_start_at_zero_and_upsampling_starts_bilinear():
    network = small_fcn(8)
    assert network(torch.randn(1, 3, 64, 64)).abs().max() == 0
    x = torch.randn(2, 3, 6, 5)
    for factor in (2, 3, 4):
        fresh = BilinearUpsampling(3, factor)(x, (6 * factor, 5 * factor))
        exact = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
        inside = (..., slice(factor, -factor), slice(factor, -factor))  # outside, a transposed convolution meets zeros
        torch.testing.assert_close(fresh[inside], exact[inside])


def test_a_zero_skip_changes_nothing():
    """FCN-16s starts as FCN-32s: with its new score layer at zero, only the upsampling is split in two."""
    torch.manual_seed(0)
    coarse = randomise(small_fcn(32).double().eval())
    fine = small_fcn(16).double().eval()
    fine.load_state_dict(coarse.state_dict(), strict=False)
    images = torch.randn(1, 3, 192, 192, dtype=torch.float64)
    once, twice = coarse(images), fine(images)
    by_hand = F.interpolate(coarse.scores[0](coarse.backbone.features(images)[-1]), scale_factor=2, mode="bilinear")
    by_hand = F.interpolate(by_hand, scale_factor=16, mode="bilinear")
    assert (once - twice).abs().max() > 1e-3  # two interpolations in a row are not one
    torch.testing.assert_close(twice[..., 48:-48, 48:-48], by_hand[..., 48:-48, 48:-48], rtol=0, atol=1e-12)


def test_skips_are_scores_that_are_summed():
    """FCN-8s adds the scores of pool3 and pool4, each from its own map."""
    network = randomise(small_fcn(8).double().eval())
    images = torch.randn(1, 3, 96, 64, dtype=torch.float64)
    maps = network.backbone.features(images)
    logits = network.scores[0](maps[4])
    for score, upsampling, skip in zip(network.scores[1:], network.upsamplings, (maps[3], maps[2]), strict=True):
        doubled = F.conv_transpose2d(logits, upsampling.weight, stride=2, padding=1)
        logits = doubled + F.conv2d(skip, score.weight, score.bias)
    expected = F.interpolate(logits, (96, 64), mode="bilinear")
    torch.testing.assert_close(network(images), expected, rtol=0, atol=1e-12)


def test_convolutionalized_classifier_is_the_classifier():
    """On the 224×224 image that the classifier takes, the middle of the 7×7 map of fc7 is the classifier's fc7."""
    torch.manual_seed(0)
    classifier = randomise(VGG((1, 1, 1, 1, 1), num_classes=10, width=2).double().eval())
    dense = Convolutionalized(VGG((1, 1, 1, 1, 1), num_classes=None, width=2), width=128).double().eval()
    dense.backbone.load_state_dict(classifier.state_dict(), strict=False)
    dense.load_classifier(classifier.classifier[0], classifier.classifier[3])
    image = torch.randn(1, 3, 224, 224, dtype=torch.float64)
    fc7 = classifier.classifier[:6](torch.flatten(classifier.features(image)[-1], 1))
    torch.testing.assert_close(dense.features(image)[-1][:, :, 3, 3], fc7, rtol=0, atol=1e-12)


def test_a_stride_that_the_backbone_lacks():
    with pytest.raises(ValueError, match="stride is 5, but this backbone's maps have strides 2, 4, 8, 16, 32"):
        small_fcn(5)


def test_the_deepest_map_of_a_stride_is_scored():
    network = FCN(resnet.resnet18(num_classes=None, output_stride=8), 3, stride=4)
    assert network.levels == [4, 1]
    assert network(torch.randn(1, 3, 33, 47)).shape == (1, 3, 33, 47)
