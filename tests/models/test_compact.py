import math

import torch

from pixelwise.models.compact import CompactDeepLab, SeparableBlock


def test_less_than_a_million_parameters():
    assert sum(p.numel() for p in CompactDeepLab(11).parameters()) == 947_483


def test_a_block_starts_near_its_input_and_keeps_the_shape():
    block = SeparableBlock(4, dilation=5).eval()
    torch.nn.init.zeros_(block.norm2.weight)
    x = torch.rand(1, 4, 20, 30)
    assert torch.equal(block(x), x)


def test_dilations_leave_no_gap():
    """Ones in, ones as kernels: one pixel of the last map looks at every pixel of a square around it."""
    dilations = (1, 2, 5, 9)
    assert math.gcd(*dilations) == 1
    reach = torch.zeros(1, 1, 81, 81)
    reach[..., 40, 40] = 1
    for dilation in dilations:
        for _ in range(2):
            reach = torch.nn.functional.conv2d(reach, torch.ones(1, 1, 3, 3), padding=dilation, dilation=dilation)
    side = 2 * sum(2 * d for d in dilations) + 1
    seen = reach[0, 0] > 0
    assert int(seen.sum()) == side**2
