"""No network of the book needs more memory for a forward pass than the library's: tensors alive, counted, not timed."""

import pytest
import torch

from pixelwise.analysis import peak_memory
from pixelwise.models import densenet, efficientnet, efficientnet_lite, resnet, resnet_cifar, vgg
from pixelwise.models.googlenet import GoogLeNet
from pixelwise.models.unet import ContractingPath
from tests.models import dense_references, references
from tests.models.parity import blank

NAMES = ["resnet18", "resnet50", "googlenet", "densenet121", "efficientnet_b0", "efficientnet_lite0", "vgg16"]
NAMES += ["fcn_resnet50 with aux", "deeplabv3_resnet50 with aux", "smp.Unet resnet18"]
NAMES += ["smp.DeepLabV3Plus resnet50, output stride 16"]
BACKBONES = {
    "ResNet": lambda: resnet.ResNet(resnet.BasicBlock, (1, 1, 1, 1), width=8, num_classes=None),
    "CIFAR ResNet": lambda: resnet_cifar.CifarResNet(8, width=8, preactivation=True),
    "GoogLeNet": lambda: GoogLeNet(width=0.125, num_classes=None),
    "DenseNet": lambda: densenet.DenseNet((2, 2, 2), growth=4, initial=8),
    "EfficientNet": lambda: efficientnet.EfficientNet(width=0.25, depth=0.3),
    "EfficientNet-Lite": lambda: efficientnet_lite.EfficientNetLite(num_classes=None),
    "VGG": lambda: vgg.VGG((1, 1, 1, 1, 1), width=4),
    "contracting path": lambda: ContractingPath(width=4, depth=3),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_forward_pass_needs_no_more_than_the_library_s(name):
    pair = (references.PAIRS | dense_references.PAIRS)[name]
    with torch.device("meta"):  # shapes are all that counts
        networks = [pair.build_ours().eval(), pair.build_reference().eval()]
        images = torch.empty(2, 3, 160, 160)
    ours, theirs = (peak_memory(network, images)[0] for network in networks)
    assert ours <= 1.03 * theirs


@pytest.mark.parametrize("build", BACKBONES.values(), ids=BACKBONES)
def test_the_maps_from_a_number_on_are_those_of_all(build):
    network = blank(build).eval()
    for parameter in network.state_dict().values():
        parameter.fill_(0.1 if parameter.is_floating_point() else 0)
    images = torch.randn(1, 3, 40, 48)
    maps = network.features(images)
    for first in range(len(maps)):
        for part, whole in zip(network.features(images, first), maps[first:], strict=True):
            assert torch.equal(part, whole)
