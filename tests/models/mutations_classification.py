"""Faults to plant in the classification networks, each a mistake that somebody has made or could make."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixelwise.models import blocks, deformable, densenet, efficientnet, resnet, resnet_cifar, senet
from pixelwise.models.googlenet import GoogLeNet, Inception, InceptionAux, googlenet
from tests.models.mutation import Mutation, Plant, after, assign, expected, instead, planted, rebuilt
from tests.models.parity import compare
from tests.models.references import PAIRS


def check(name: str, size: int | tuple[int, int], train: bool, plant: Plant) -> None:
    """The parity check of test_parity.py on the network called ``name``, with ``plant`` done to ours."""
    pair = PAIRS[name]
    compare(planted(pair.ours(), plant), expected(pair, size, train))


class Zero(nn.Module):
    """Nothing of the input."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


# ResNet


def branch(block: resnet.Bottleneck, x: Tensor) -> Tensor:
    out = F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))))
    return block.bn3(block.conv3(out))


def without_last_relu(block: resnet.Bottleneck, x: Tensor) -> Tensor:
    return branch(block, x) + x


def relu_before_sum(block: resnet.Bottleneck, x: Tensor) -> Tensor:
    return F.relu(branch(block, x)) + x


def skip_from_middle(block: resnet.Bottleneck, x: Tensor) -> Tensor:
    middle = F.relu(block.bn1(block.conv1(x)))
    return F.relu(branch(block, x) + middle.repeat(1, 4, 1, 1))


def pool_then_project(projection: nn.Sequential, x: Tensor) -> Tensor:
    return projection[1](F.conv2d(F.avg_pool2d(x, 2), projection[0].weight))


def halve_last_dilation(network: resnet.ResNet) -> None:
    conv = network.layer4[1].conv2
    conv.dilation = conv.padding = (2, 2)


# GoogLeNet


def swapped_branches(module: Inception, x: Tensor) -> Tensor:
    return torch.cat([module.branch1(x), module.branch3(x), module.branch2(x), module.branch4(x)], 1)


class FirstHeadOn4b(GoogLeNet):
    """The first auxiliary head stands one module late; 4b has 4a's 512 channels, so that everything fits."""

    def maps(self, x: Tensor, auxiliary: list[Tensor] | None = None):
        head = self.aux1.forward
        self.aux1.forward = lambda x: head(self.inception4b(x))
        try:
            yield from super().maps(x, auxiliary)
        finally:
            del self.aux1.forward


class SwappedHeads(GoogLeNet):
    """The heads' logits are returned in the order in which they are computed."""

    def forward(self, x: Tensor):
        main, aux2, aux1 = super().forward(x)
        return main, aux1, aux2


class HeadsInEval(GoogLeNet):
    """The heads speak when nobody trains."""

    def forward(self, x: Tensor):
        mode, self.training = self.training, True
        try:
            return super().forward(x)
        finally:
            self.training = mode


def dropout_last(network: GoogLeNet) -> None:
    network.dropout = nn.Identity()
    network.fc.register_forward_hook(lambda module, inputs, output: F.dropout(output, 0.2))


def dropout_before_fc1(head: InceptionAux, x: Tensor) -> Tensor:
    x = head.conv(F.adaptive_avg_pool2d(x, (4, 4))).flatten(1)
    return head.fc2(F.relu(head.fc1(head.dropout(x))))


# DenseNet


def new_channels_first(layer: densenet.DenseLayer, x: Tensor) -> Tensor:
    new = layer.conv2(layer.relu(layer.norm2(layer.conv1(layer.relu(layer.norm1(x))))))
    return torch.cat([new, x], 1)


def without_second_relu(layer: densenet.DenseLayer, x: Tensor) -> Tensor:
    return torch.cat([x, layer.conv2(layer.norm2(layer.conv1(layer.relu(layer.norm1(x)))))], 1)


def small_densenet(**options) -> Plant:
    return rebuilt(densenet.DenseNet, (2, 2, 2, 2), **{"growth": 12, "initial": 24} | options)


# EfficientNet


def squeeze_expanded(network: efficientnet.EfficientNet) -> None:
    block = network.features[2][0].block
    channels = block[1][0].out_channels
    block[2] = blocks.SqueezeExcitation(channels, channels // 4, activation=nn.SiLU)


def stochastic_depths(change) -> Plant:
    def plant(network: nn.Module) -> None:
        for module in network.modules():
            if isinstance(module, efficientnet.StochasticDepth) and module.p > 0:
                change(module)

    return plant


def double(drop: efficientnet.StochasticDepth) -> None:
    drop.p = 2 * drop.p


def whole_batch(drop: efficientnet.StochasticDepth) -> None:
    drop.forward = lambda x: x * torch.empty((1, 1, 1, 1), dtype=x.dtype).bernoulli_(1 - drop.p) / (1 - drop.p)


def unscaled(drop: efficientnet.StochasticDepth) -> None:
    drop.forward = lambda x: x * torch.empty((len(x), 1, 1, 1), dtype=x.dtype).bernoulli_(1 - drop.p)


# SE-ResNet, the CIFAR family, deformable convolution


def gate_after_sum(block: resnet.Bottleneck, x: Tensor) -> Tensor:
    return F.relu(block.gate(branch(block, x) + block.downsample(x)))


def zeros_in_front(module: resnet_cifar.ZeroPaddedShortcut, x: Tensor) -> Tensor:
    return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, module.new_channels, 0))


def swap_directions(offsets: Tensor) -> Tensor:
    return offsets.unflatten(1, (-1, 2)).flip(2).flatten(1, 2)


def directions_apart(offsets: Tensor) -> Tensor:
    return offsets.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)


def edge_repeated(layer: deformable.DeformableConv2d, x: Tensor) -> Tensor:
    wide = F.pad(x, (9, 9, 9, 9), mode="replicate")
    return deformable.deformable_convolution(
        wide, layer.offset(x), layer.weight, layer.bias, stride=2, padding=1 - 9, dilation=2
    )


FAULTS: dict[tuple, dict[str, Plant]] = {
    ("ResNet, two blocks a stage", 64, False): {
        "ResNet: batch norm eps 1e-3 in one layer": assign("layer2.0.bn2.eps", 1e-3),
        "ResNet: stride in the 1×1 (v1)": rebuilt(resnet.ResNet, resnet.BottleneckV1, (2, 2, 2, 2)),
        "ResNet: one block too few": rebuilt(resnet.ResNet, resnet.Bottleneck, (2, 2, 1, 2)),
        "ResNet: stem pool 2×2": assign("maxpool", nn.MaxPool2d(2, 2)),
        "ResNet: stem pool averages": assign("maxpool", nn.AvgPool2d(3, 2, 1)),
        "ResNet: stem padding 2": assign("conv1.padding", (2, 2)),
        "ResNet: one padding reflects": instead(
            "layer1.0.conv2", lambda conv, x: F.conv2d(F.pad(x, (1, 1, 1, 1), "reflect"), conv.weight)
        ),
        "ResNet: no ReLU after the stem": assign("relu", nn.Identity()),
        "ResNet: no ReLU after a sum": instead("layer3.1", without_last_relu),
        "ResNet: ReLU before a sum": instead("layer3.1", relu_before_sum),
        "ResNet: skip from the middle of a block": instead("layer3.1", skip_from_middle),
        "ResNet: one skip forgotten": assign("layer3.1.downsample", Zero()),
        "ResNet: a projection pools first (ResNet-D)": instead("layer2.0.downsample", pool_then_project),
        "ResNet: last layer without its bias": instead("fc", lambda fc, x: F.linear(x, fc.weight)),
        "ResNet: global maximum instead of mean": assign("avgpool", nn.AdaptiveMaxPool2d(1)),
    },
    ("ResNet, two blocks a stage", 64, True): {
        "ResNet: batch norm momentum 0.01 in one layer": assign("layer2.0.bn2.momentum", 0.01),
        "ResNet: one batch norm frozen": assign("layer2.0.bn2.forward", lambda x: x),
    },
    ("ResNet, output stride 8", 64, False): {
        "ResNet: first block of a dilated stage dilated": rebuilt(
            resnet.ResNet, resnet.Bottleneck, (1, 1, 2, 2), output_stride=8, dilate_first_block=True
        ),
        "ResNet: dilation 2 instead of 4 at the end": halve_last_dilation,
    },
    ("googlenet", 64, False): {
        "GoogLeNet: first pool rounds down": assign("maxpool1.ceil_mode", False),
        "GoogLeNet: fourth pool 3×3, as in the paper": assign("maxpool4.kernel_size", 3),
        "GoogLeNet: batch norm eps 1e-5 in one layer": assign("inception4c.branch3.1.bn.eps", 1e-5),
        "GoogLeNet: true 5×5 kernels": rebuilt(googlenet, true_5x5=True),
        "GoogLeNet: branches 2 and 3 swapped": instead("inception4a", swapped_branches),
        "GoogLeNet: pool branch averages": assign("inception3a.branch4.0", nn.AvgPool2d(3, 1, 1)),
        "GoogLeNet: auxiliary heads in eval mode too": assign("__class__", HeadsInEval),
    },
    ("googlenet", 64, True): {
        "GoogLeNet: first head on 4b": assign("__class__", FirstHeadOn4b),
        "GoogLeNet: heads in the wrong order": assign("__class__", SwappedHeads),
        "GoogLeNet: a head's dropout 0.5": assign("aux1.dropout.p", 0.5),
        "GoogLeNet: a head's dropout before its first layer": instead("aux1", dropout_before_fc1),
        "GoogLeNet: dropout 0.4, as in the paper": assign("dropout.p", 0.4),
        "GoogLeNet: dropout after the last layer": dropout_last,
    },
    ("DenseNet, two layers a block", 65, False): {
        "DenseNet: growth 8": small_densenet(growth=8),
        "DenseNet: compression 1": small_densenet(compression=1.0),
        "DenseNet: new channels in front": instead("features.denseblock2.denselayer2", new_channels_first),
        "DenseNet: no ReLU before one 3×3": instead("features.denseblock2.denselayer2", without_second_relu),
        "DenseNet: a transition takes maxima": assign("features.transition1.pool", nn.MaxPool2d(2)),
        "DenseNet: a transition rounds up": assign("features.transition1.pool.ceil_mode", True),
        "DenseNet: a transition pads, and counts the padding": assign(
            "features.transition1.pool", nn.AvgPool2d(2, ceil_mode=False, padding=1)
        ),
        "DenseNet: no ReLU at the end": assign("features.relu5", nn.Identity()),
    },
    ("efficientnet_b0", 64, False): {
        "EfficientNet: one ReLU for SiLU": assign("features.4.1.block.1.2", nn.ReLU()),
        "EfficientNet: ReLU in one gate": assign("features.4.1.block.2.activation", nn.ReLU()),
        "EfficientNet: one gate a hard sigmoid": assign("features.4.1.block.2.scale_activation", nn.Hardsigmoid()),
        "EfficientNet: a gate squeezed from the expanded width": squeeze_expanded,
        "EfficientNet: one projection activated": after("features.4.1.block.3", F.silu),
        "EfficientNet: one residual forgotten": assign("features.4.1.residual", False),
    },
    ("efficientnet_b0", 64, True): {
        "EfficientNet: blocks dropped twice as often": stochastic_depths(double),
        "EfficientNet: blocks dropped for the whole batch": stochastic_depths(whole_batch),
        "EfficientNet: kept branches not scaled up": stochastic_depths(unscaled),
    },
    ("vgg16", 65, False): {
        "VGG: first pool rounds up": assign("features.4.ceil_mode", True),
        "VGG: no ReLU between two layers": assign("classifier.1", nn.Identity()),
    },
    ("SE-ResNet, one block a stage", 64, False): {
        "SENet: reduction 8": lambda network: senet.squeeze_and_excite(
            resnet.ResNet(resnet.Bottleneck, (1, 1, 1, 1)), reduction=8
        ),
        "SENet: gate after the sum": instead("layer2.0", gate_after_sum),
        "SENet: no sigmoid": assign("layer2.0.gate.scale_activation", nn.Identity()),
    },
    ("CIFAR ResNet-14 A", 64, False): {
        "CIFAR: shortcut B for A": rebuilt(resnet_cifar.CifarResNet, 14, shortcuts="B"),
        "CIFAR: plain network": rebuilt(resnet_cifar.CifarResNet, 14, residual=False),
        "CIFAR: zero channels in front": instead("layer2.0.downsample", zeros_in_front),
        "CIFAR: pre-activation": rebuilt(resnet_cifar.CifarResNet, 14, preactivation=True),
    },
    ("deformable convolution", 64, False): {
        "Deformable: directions swapped": after("offset", swap_directions),
        "Deformable: all rows first, then all columns": after("offset", directions_apart),
        "Deformable: nearest pixel": after("offset", torch.round),
        "Deformable: half a pixel off": after("offset", lambda offsets: offsets + 0.5),
        "Deformable: edge repeated instead of zeros": instead("", edge_repeated),
        "Deformable: dilation forgotten where it samples": instead(
            "",
            lambda layer, x: deformable.deformable_convolution(
                x, layer.offset(x)[:, :, :1, :1].expand(-1, -1, 32, 32), layer.weight, layer.bias, stride=2, padding=1
            ),
        ),
    },
}

MUTATIONS = [
    Mutation(name, plant, partial(check, *where)) for where, plants in FAULTS.items() for name, plant in plants.items()
]
