"""Likely wrong answers of the chapter on dilated convolution and DeepLab."""

import torch


def spread(weight, rate, side):
    """The taps, `rate` apart, in the corner of a square of zeros."""
    kernel = weight.new_zeros(*weight.shape[:2], side, side)
    kernel[..., ::rate, ::rate][..., :3, :3] = weight
    return kernel


def enlarged(weight, rate):
    """The kernel interpolated to the extent of a dilated one: no zeros between the taps."""
    return torch.nn.functional.interpolate(weight, (2 * rate + 1, 2 * rate + 1))


def transposed(weight, rate):
    """The right kernel, mirrored as a transposed convolution would use it."""
    return spread(weight, rate, 2 * rate + 1).flip(-1, -2)


WRONG = {
    "deeplab.receptive_field": [
        (30, "in the middle"),
        (9**4, "counts multiplications"),
        (46, "2 gaps"),
        (63, "i = 0"),
        (17, "largest rate only"),
    ],
    "deeplab.no_hole": [
        ([2, 2, 4], "All rates are even"),
        ([1, 1, 6], "jumps over"),
        ([1, 2, 4], "must sum to 8"),
    ],
    "deeplab.rates": [
        ((24, 48, 72), "wrong way"),
        ((12, 24, 36), "Unchanged"),
        ((3, 6, 9), "not four times"),
    ],
    "deeplab.separable": [
        (1 / 9, "1×1 part alone"),
        (1 / 256, "depthwise part alone"),
        (1 / (1 / 256 + 1 / 9), "upside down"),
    ],
    "deeplab.with_zeros": [
        (lambda weight, rate: spread(weight, rate, 3 * rate), "no zeros follow the last tap"),
        (enlarged, "more numbers than nine"),
        (transposed, "the places are not"),
        (lambda weight, rate: weight, "span"),
    ],
}
