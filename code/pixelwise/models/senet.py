"""SENet: let a network weigh its channels by what the whole image shows.

Hu, Shen, Sun, Squeeze-and-Excitation Networks, 2018, figure 3. The gate (blocks.SqueezeExcitation) is no network of
its own but fits at the end of any residual branch, before the sum: SE-ResNet-50 is
`squeeze_and_excite(resnet50())`.
"""

from torch import nn

from .blocks import SqueezeExcitation
from .resnet import BasicBlock, Bottleneck


def squeeze_and_excite(network: nn.Module, reduction: int = 16) -> nn.Module:
    """Put a gate into every residual block of `network`, in place, and return it.

    Each gate squeezes its C channels to C/`reduction`. The gates of ResNet-50 with r = 16 have 2,514,944 weights, as
    the paper counts them (section 4), and 16,048 biases. Raises ValueError if there is no block with a free gate.
    """
    residual_blocks = [m for m in network.modules() if isinstance(m, BasicBlock | Bottleneck)]
    blocks = [block for block in residual_blocks if isinstance(block.gate, nn.Identity)]
    if not blocks:
        raise ValueError(f"{type(network).__name__} has no residual block without a gate: give resnet50() or the like")
    for block in blocks:
        block.gate = SqueezeExcitation(block.out_channels, block.out_channels // reduction)
    return network
