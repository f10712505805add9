"""Likely wrong answers of the GoogLeNet chapter."""

import math

import torch


def naive(inputs, one, reduce3, three, reduce5, five, project):
    """Weights of the module without reductions."""
    return inputs * (one + 9 * three + 25 * five)


def reduced(inputs, one, reduce3, three, reduce5, five, project):
    """Weights of the module with reductions."""
    return inputs * (one + reduce3 + reduce5 + project) + 9 * reduce3 * three + 25 * reduce5 * five


WRONG = {
    "googlenet.convolution": [
        (3 * 3 * 64 * 128, "also has a bias"),
        (3 * 3 * 128 + 128, "through all input channels"),
        (3 * 3 * 64 * 128 + 64, "not for each input channel"),
    ],
    "googlenet.pooling": [(26, "26 steps make 27"), (28, "must fit inside"), (18, "That is stride 3")],
    "googlenet.two_small": [(9 / 25, "Two are needed"), (25 / 18, "turned the fraction round"), (72, "percentage")],
    "googlenet.fully_connected": [
        (7 * 7 * 512 * 4096 + 4096, "includes the 4096 biases"),
        (512 * 4096, "keeps all 7 · 7 places"),
        (7 * 7 * 512, "That many numbers go in"),
    ],
    "googlenet.batch_norm": [(256, "are buffers"), (64, "scaled *and* shifted"), (2, "own pair")],
    "googlenet.output_size": [
        (lambda side: math.ceil(((side - 1) // 2 - 2) / 2) + 1, "behind the first pool"),
        (lambda side: ((((side - 1) // 2 + 1) - 3) // 2 + 1 - 3) // 2 + 1, "round up (ceil mode)"),
        (lambda side: math.ceil(side / 8), "pools have no padding"),
    ],
    "googlenet.saving": [
        (lambda *row: reduced(*row) / naive(*row), "turned the fraction round"),
        (lambda *row: naive(*row) / (reduced(*row) - row[0] * row[6]), "behind its pool"),
        (lambda *row: naive(*row) / (reduced(*row) - row[0] * (row[2] + row[4])), "reductions have weights"),
        (lambda *row: naive(*row), "one of the two counts"),
    ],
    "googlenet.naive_channels": [(416, "leaves the first module"), (672, "left out the pool"), (1248, "in a row")],
    "googlenet.five_by_five": [
        (192, "Break-even comes earlier"),
        (800, "1×1 alone"),
        (154, "still fewer"),
        (32, "far below"),
    ],
    "googlenet.merge": [
        (lambda reduce, kernel: kernel, "Sum over the reduced"),
        (lambda reduce, kernel: torch.einsum("orij,rc->coij", kernel, reduce[:, :, 0, 0]), "must be"),
        (lambda reduce, kernel: kernel.sum(1, keepdim=True) * reduce.sum(0)[None], "the sum over r"),
    ],
}
