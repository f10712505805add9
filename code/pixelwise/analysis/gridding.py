"""What dilation rates do to coverage: holes inside the receptive field, and taps that fall outside the map."""

import torch
from torch import Tensor


def coverage(dilations: list[int], kernel: int = 3) -> float:
    """The share of the pixels in the receptive field of stacked dilated convolutions that any path really reads.

    One dilation a layer, odd square kernels; between 0 and 1, where less than 1 is gridding: [2, 2, 2] reads 29 %,
    [2, 4, 8] 27 %, [1, 2, 9] 71 %, [1, 2, 5] all. Source: Wang et al. 2018, arXiv:1702.08502, section 3.2.
    """
    if not dilations:
        raise ValueError("no dilations were given; coverage needs one for each layer, such as [1, 2, 5]")
    reached = {0}
    for dilation in dilations:
        reached = {position + dilation * tap for position in reached for tap in range(kernel)}
    return (len(reached) / (max(reached) + 1)) ** 2


def hdc_distance(dilations: list[int]) -> int:
    """M₂ of "hybrid dilated convolution": the largest gap between pixels read at the second layer, by their formula.

    The test M₂ <= kernel is meant to tell gridding, but [2, 2, 2] passes it too: it is not sufficient. Rates in the
    order of the layers, at least two. Source: Wang et al. 2018, arXiv:1702.08502, equation 2.
    """
    if len(dilations) < 2:
        raise ValueError(f"the distance is defined from two layers up, but {dilations} has {len(dilations)}")
    distance = dilations[-1]
    for dilation in reversed(dilations[1:-1]):
        distance = max(distance - 2 * dilation, 2 * dilation - distance, dilation)
    return distance


def valid_taps(height: int, width: int, dilation: int, kernel: int = 3) -> Tensor:
    """How many of the kernel² taps of a "same" dilated convolution lie inside the map, at each of its pixels.

    Returns (height, width) int64. As the dilation nears the size of the map only the middle tap is left: the mean of
    nine on 33 × 33 is 6.95 at rate 6, 3.64 at 18 and 1 at 36. Source: Chen et al. 2017, arXiv:1706.05587, section 3.3.
    """
    offsets = dilation * (torch.arange(kernel) - kernel // 2)

    def inside(length: int) -> Tensor:
        positions = torch.arange(length)[:, None] + offsets
        return ((positions >= 0) & (positions < length)).sum(1)

    return torch.outer(inside(height), inside(width))
