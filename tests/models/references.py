"""Our classification networks beside those that they must equal: torchvision's, or networks built of its parts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck

from pixelwise.models import (
    deformable,
    densenet,
    efficientnet,
    efficientnet_lite,
    googlenet,
    resnet,
    resnet_cifar,
    senet,
    vgg,
)
from tests.models.parity import blank


@dataclass(frozen=True)
class Pair:
    """Two functions that build the same network."""

    build_ours: Callable[[], nn.Module]
    build_reference: Callable[[], nn.Module]

    def ours(self) -> nn.Module:
        return blank(self.build_ours)

    def reference(self) -> nn.Module:
        return blank(self.build_reference)


class GatedBottleneck(Bottleneck):
    """torchvision's bottleneck with torchvision's squeeze-and-excitation before the sum."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        channels = self.conv3.out_channels
        self.gate = torchvision.ops.SqueezeExcitation(channels, channels // 16)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        return self.relu(self.gate(self.bn3(self.conv3(out))) + (self.downsample(x) if self.downsample else x))


class PadChannels(nn.Module):
    """Shortcut A: every second pixel, zero channels behind."""

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, x.shape[1]))


class CifarReference(nn.Module):
    """ResNet-14 of the CIFAR family from torchvision's BasicBlock."""

    def __init__(self, shortcuts: str) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)

        def projection(channels: int) -> nn.Module:
            if shortcuts == "A":
                return PadChannels()
            conv = nn.Conv2d(channels, 2 * channels, 1, stride=2, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(2 * channels))

        self.layer1 = nn.Sequential(BasicBlock(16, 16), BasicBlock(16, 16))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2, projection(16)), BasicBlock(32, 32))
        self.layer3 = nn.Sequential(BasicBlock(32, 64, 2, projection(32)), BasicBlock(64, 64))
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


class DeformableReference(nn.Module):
    """A deformable 3×3 convolution of stride 2 and dilation 2 by torchvision's operation."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = (
            nn.Parameter(nn.Conv2d(3, 5, 3).weight.detach()),
            nn.Parameter(nn.Linear(1, 5).bias.detach()),
        )
        self.offset = nn.Conv2d(3, 18, 3, 2, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torchvision.ops.deform_conv2d(x, self.offset(x), self.weight, self.bias, (2, 2), (1, 1), (2, 2))


def short_classifier(build: Callable[[], nn.Module]) -> nn.Module:
    """A VGG whose fully connected layers are narrow, for 120 of its 138 million parameters compute nothing new."""
    network = build()
    for place, (incoming, outgoing) in {0: (25088, 32), 3: (32, 32), 6: (32, 1000)}.items():
        network.set_submodule(f"classifier.{place}", nn.Linear(incoming, outgoing))
    return network


def timm_lite0(**options: Any) -> nn.Module:
    """timm's network, with the authors' epsilon and dropout instead of timm's own."""
    import timm  # here, since importing it takes seconds

    return timm.create_model("efficientnet_lite0", bn_eps=1e-3, drop_rate=0.2, **options)


theirs = torchvision.models
PAIRS = {
    "resnet18": Pair(resnet.resnet18, theirs.resnet18),
    "resnet34": Pair(resnet.resnet34, theirs.resnet34),
    "resnet50": Pair(resnet.resnet50, theirs.resnet50),
    "googlenet": Pair(googlenet, partial(theirs.googlenet, init_weights=False)),
    "googlenet, no auxiliary heads": Pair(
        partial(googlenet, aux_logits=False, transform_input=True),
        partial(theirs.googlenet, init_weights=False, aux_logits=False, transform_input=True),
    ),
    "densenet121": Pair(densenet.densenet121, theirs.densenet121),
    "efficientnet_b0": Pair(efficientnet.efficientnet_b0, theirs.efficientnet_b0),
    "efficientnet_lite0": Pair(efficientnet_lite.efficientnet_lite0, timm_lite0),
    "efficientnet_lite0, output stride 16": Pair(
        partial(efficientnet_lite.efficientnet_lite0, output_stride=16), partial(timm_lite0, output_stride=16)
    ),
    "efficientnet_lite0, output stride 8": Pair(
        partial(efficientnet_lite.efficientnet_lite0, output_stride=8), partial(timm_lite0, output_stride=8)
    ),
    "vgg16": Pair(partial(short_classifier, vgg.vgg16), partial(short_classifier, theirs.vgg16)),
    "SE-ResNet, one block a stage": Pair(
        lambda: senet.squeeze_and_excite(resnet.ResNet(resnet.Bottleneck, (1, 1, 1, 1))),
        lambda: theirs.ResNet(GatedBottleneck, [1, 1, 1, 1]),
    ),
    "CIFAR ResNet-14 A": Pair(partial(resnet_cifar.CifarResNet, 14), partial(CifarReference, "A")),
    "CIFAR ResNet-14 B": Pair(partial(resnet_cifar.CifarResNet, 14, shortcuts="B"), partial(CifarReference, "B")),
    "deformable convolution": Pair(
        partial(deformable.DeformableConv2d, 3, 5, 3, stride=2, padding=1, dilation=2), DeformableReference
    ),
    # small enough to plant many faults in
    "ResNet, output stride 8": Pair(
        partial(resnet.ResNet, resnet.Bottleneck, (1, 1, 2, 2), output_stride=8),
        partial(theirs.ResNet, Bottleneck, [1, 1, 2, 2], replace_stride_with_dilation=[False, True, True]),
    ),
    "ResNet, two blocks a stage": Pair(
        partial(resnet.ResNet, resnet.Bottleneck, (2, 2, 2, 2)), partial(theirs.ResNet, Bottleneck, [2, 2, 2, 2])
    ),
    "DenseNet, two layers a block": Pair(
        partial(densenet.DenseNet, (2, 2, 2, 2), growth=12, initial=24),
        partial(theirs.DenseNet, growth_rate=12, block_config=(2, 2, 2, 2), num_init_features=24),
    ),
}
