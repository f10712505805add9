"""Faults to plant in EfficientNet-Lite0, each a mistake that somebody has made or could make."""

from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from pixelwise.models.efficientnet_lite import DepthwiseSeparable, EfficientNetLite, InvertedResidual
from tests.models.mutation import Mutation, Plant, assign, expected, instead, planted, rebuilt
from tests.models.parity import compare
from tests.models.references import PAIRS


def check(name: str, size: int | tuple[int, int], plant: Plant) -> None:
    """The parity check of test_parity.py on the network called `name`, with `plant` done to ours."""
    pair = PAIRS[name]
    compare(planted(pair.ours(), plant), expected(pair, size))


def relu_after_projection(block: InvertedResidual, x: Tensor) -> Tensor:
    return F.relu6(InvertedResidual.forward(block, x))


def without_shortcut(block: InvertedResidual, x: Tensor) -> Tensor:
    return InvertedResidual.forward(block, x) - x


def unbounded(block: InvertedResidual, x: Tensor) -> Tensor:
    out = F.relu(block.bn2(block.conv_dw(F.relu(block.bn1(block.conv_pw(x))))))
    return block.bn3(block.conv_pwl(out)) + x


def swish(block: DepthwiseSeparable, x: Tensor) -> Tensor:
    return block.bn2(block.conv_pw(F.silu(block.bn1(block.conv_dw(x)))))


def far_end(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """The authors' padding: an even side is padded on its far end only."""
    return F.conv2d(F.pad(x, (0, 1, 0, 1)), conv.weight, None, 2, 0, 1, conv.groups)


def dilate_first_block(network: EfficientNetLite) -> None:
    conv = network.blocks[5][0].conv_dw
    conv.dilation, conv.padding = (2, 2), (4, 4)


def forget_dilation(network: EfficientNetLite) -> None:
    conv = network.blocks[5][1].conv_dw
    conv.dilation, conv.padding = (1, 1), (2, 2)


def keep_stride(network: EfficientNetLite) -> None:
    network.blocks[5][0].conv_dw.stride = (2, 2)


FAULTS = {
    ("efficientnet_lite0", 64): {
        "Lite: activation after the projection": instead("blocks.2.1", relu_after_projection),
        "Lite: no shortcut": instead("blocks.4.1", without_shortcut),
        "Lite: ReLU for ReLU6": instead("blocks.3.1", unbounded),
        "Lite: SiLU, as in B0": instead("blocks.0.0", swish),
        "Lite: timm's epsilon": assign("blocks.6.0.bn3.eps", 1e-5),
        "Lite: the stem padded on its far end": instead("conv_stem", far_end),
        "Lite: a depthwise convolution padded on its far end": instead("blocks.1.0.conv_dw", far_end),
        "Lite: input rescaled, though the reference is not": rebuilt(EfficientNetLite, transform_input=True),
        "Lite: last stage dilated": rebuilt(EfficientNetLite, output_stride=16),
    },
    ("efficientnet_lite0, output stride 16", 64): {
        "Lite, output stride 16: first block dilated too": dilate_first_block,
        "Lite, output stride 16: stride and dilation": keep_stride,
        "Lite, output stride 16: dilation forgotten": forget_dilation,
    },
}

MUTATIONS = [
    Mutation(name, plant, partial(check, *where)) for where, plants in FAULTS.items() for name, plant in plants.items()
]
