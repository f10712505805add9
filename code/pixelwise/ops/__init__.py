"""The operations that the chapters take apart, written to be read: plain tensor code, differentiable, not fast."""

from typing import TYPE_CHECKING

from pixelwise import lazy

if TYPE_CHECKING:
    from .convolutionalize import convolutionalize, linear_to_conv
    from .crf import dense_crf
    from .dilated_conv import dilated_conv_taps, dilated_conv_zeros, insert_zeros
    from .every_pixel import atrous, label_positions, output_stride, shift_and_stitch
    from .interpolate import bilinear, bilinear_kernel, bilinear_matrix, nearest, source_position
    from .pixel_shuffle import icnr_, pixel_shuffle, pixel_unshuffle
    from .transposed_conv import (
        conv_matrix,
        transposed_conv_matrix,
        transposed_conv_scatter,
        transposed_conv_zero_insertion,
        transposed_size,
    )
    from .unpool import max_pool_with_indices, max_unpool

__all__ = [
    "atrous",
    "bilinear",
    "bilinear_kernel",
    "bilinear_matrix",
    "conv_matrix",
    "convolutionalize",
    "dense_crf",
    "dilated_conv_taps",
    "dilated_conv_zeros",
    "icnr_",
    "insert_zeros",
    "label_positions",
    "linear_to_conv",
    "max_pool_with_indices",
    "max_unpool",
    "nearest",
    "output_stride",
    "pixel_shuffle",
    "pixel_unshuffle",
    "shift_and_stitch",
    "source_position",
    "transposed_conv_matrix",
    "transposed_conv_scatter",
    "transposed_conv_zero_insertion",
    "transposed_size",
]

lazy.attach(__name__)
