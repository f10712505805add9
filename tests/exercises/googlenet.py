"""Likely wrong answers of the GoogLeNet chapter."""

import math

import torch

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
        (163_328 / 387_072, "turned the fraction round"),
        (387_072 / (163_328 - 192 * 32), "behind its pool"),
        (387_072 / (163_328 - 192 * 96 - 192 * 16), "reductions have weights"),
        (163_328, "one of the two counts"),
    ],
    "googlenet.naive_channels": [(256, "reduced module"), (224, "left out the pool"), (192, "pool branch alone")],
    "googlenet.five_by_five": [
        (12, "5×5 convolution only"),
        (15_872 / 153_600, "turned the fraction round"),
        (15_872, "one of the two counts"),
    ],
    "googlenet.merge": [
        (lambda reduce, kernel: kernel, "Sum over the reduced"),
        (lambda reduce, kernel: torch.einsum("orij,rc->coij", kernel, reduce[:, :, 0, 0]), "must be"),
        (lambda reduce, kernel: kernel.sum(1, keepdim=True) * reduce.sum(0)[None], "the sum over r"),
    ],
}
