"""Exercises of the chapter on dilated convolution and DeepLab."""

import itertools

import torch
from torch.nn import functional as F

from ..analysis import coverage
from . import Hint, close, exercise, number, whole_numbers


@exercise("deeplab.receptive_field")
def receptive_field(answer: object) -> str:
    """Side of the receptive field of four 3×3 layers with rates 1, 2, 4, 8."""
    value = number(answer)
    if value == 31:
        return "1 + 2·(1 + 2 + 4 + 8) = 31, and 2^(3 + 2) − 1 = 31: doubling rates, so the field doubles too."
    if value == 30:
        raise Hint("The steps are right. The pixel in the middle counts as well.")
    if value == 9**4 or value == 36:
        raise Hint("That counts multiplications. A receptive field is an extent, in pixels of the input.")
    if value == 46:
        raise Hint("A kernel of 3 taps has 2 gaps, not 3: each layer adds (3 − 1)·rate.")
    if value == 63:
        raise Hint("In 2^(i + 2) − 1 the first layer is i = 0, so the fourth is i = 3.")
    if value == 17:
        raise Hint("You count the largest rate only. What each layer adds is summed.")
    raise Hint("Start with 1 pixel. Each layer adds (3 − 1) times its rate.")


WITHOUT_HOLE = [
    rates for rates in itertools.product(range(1, 7), repeat=3) if sum(rates) == 8 and coverage(list(rates)) == 1
]


@exercise("deeplab.no_hole")
def no_hole(answer: object) -> str:
    """Three rates whose 3×3 layers have a field of 17 pixels and read every pixel of it."""
    rates = whole_numbers(answer, 3, "three rates, from 1, such as [1, 2, 3]")
    if min(rates) < 1:
        raise Hint("A rate is how far apart the taps stand: 1 or more.")
    if sum(rates) != 8:
        raise Hint(
            f"Their field is {1 + 2 * sum(rates)} pixels: 1 + 2·{sum(rates)}. For 17 pixels the rates must sum to 8."
        )
    if rates in WITHOUT_HOLE:
        return "17 pixels, and every one of them is read."
    if sorted(rates) == [2, 2, 4]:
        raise Hint(
            f"All rates are even, so no path ever reaches an odd pixel: only {coverage([2, 2, 4]):.0%} of the field "
            "is read."
        )
    raise Hint("The sum is right, but not all of the field is read: the largest rate jumps over pixels.")


@exercise("deeplab.rates")
def rates(answer: object) -> str:
    """Rates at output stride 16 that reach as far in the picture as 12, 24, 36 at output stride 8."""
    values = whole_numbers(answer, 3, "three rates, such as (12, 24, 36)")
    if values == (6, 12, 18):
        return "12·8 = 6·16 = 96 pixels, and so on. These are the paper's rates for output stride 16."
    if values == (24, 48, 72):
        raise Hint("The wrong way: a step on the coarser map is longer, so fewer steps reach as far.")
    if values == (12, 24, 36):
        raise Hint("Unchanged, the taps would stand 12·16 = 192 pixels apart instead of 96.")
    if values == (3, 6, 9):
        raise Hint("Stride 16 is twice stride 8, not four times.")
    raise Hint("A rate r at output stride s puts the taps r·s pixels of the picture apart. Keep that product.")


@exercise("deeplab.separable")
def separable(answer: object) -> str:
    """Cost of a separable 3×3 convolution with 256 outputs, as a share of the ordinary one."""
    value = number(answer)
    if close(value, 1 / 256 + 1 / 9):
        return "1/256 + 1/9 = 0.115. The 1×1 part is 28 times the depthwise part, and decides."
    if close(value, 1 / 9):
        raise Hint("That is the 1×1 part alone. The depthwise 3×3 costs 1/N more.")
    if close(value, 1 / 256):
        raise Hint("That is the depthwise part alone. The 1×1 across the channels comes after it.")
    if close(value, 1 / (1 / 256 + 1 / 9)):
        raise Hint("The fraction is upside down: which share of the cost is left?")
    if close(value, 100 * (1 / 256 + 1 / 9)):
        raise Hint("As a share from 0 to 1, please, not in per cent.")
    raise Hint("Divide (9·M + M·N) by (9·M·N), for M inputs and N = 256 outputs.")


@exercise("deeplab.with_zeros")
def with_zeros(answer: object) -> str:
    """A function of weight (C_out, C_in, 3, 3) and rate: the ordinary kernel that does the same as dilation."""
    if not callable(answer):
        raise Hint("A function is wanted: it takes a weight (outputs, inputs, 3, 3) and a rate.")
    generator = torch.Generator().manual_seed(0)
    for rate in (1, 2, 3, 5):
        weight = torch.randn(4, 3, 3, 3, generator=generator)
        picture = torch.randn(1, 3, 17, 19, generator=generator)
        kernel = answer(weight.clone(), rate)
        if not isinstance(kernel, torch.Tensor) or kernel.dim() != 4 or kernel.shape[:2] != weight.shape[:2]:
            raise Hint("Your function must return a weight again: (outputs, inputs, side, side).")
        side = 2 * rate + 1
        if rate > 1 and kernel.shape[2:] == (3 * rate, 3 * rate):
            raise Hint(f"At rate {rate} your kernel has {3 * rate} rows: no zeros follow the last tap, so {side} do.")
        if kernel.shape[2:] != (side, side):
            raise Hint(f"At rate {rate} the taps span 2·{rate} + 1 = {side} pixels; your kernel has {kernel.shape[2]}.")
        if not torch.allclose(F.conv2d(picture, kernel), F.conv2d(picture, weight, dilation=rate), atol=1e-4):
            if (kernel != 0).sum() > (weight != 0).sum():
                raise Hint("There are more numbers than nine in your kernel: between the taps there must be zeros.")
            raise Hint(f"The size is right, the places are not: tap (i, j) belongs at row {rate}·i, column {rate}·j.")
    return "The same nine numbers, with zeros between them. What grows is the extent, not the work that is needed."
