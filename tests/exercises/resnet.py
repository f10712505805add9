"""Likely wrong answers of the chapter on residual networks."""

from torch.nn import functional as F

WRONG = {
    "resnet.paths": [
        (30, "grows by a step"),
        (225, "n² or 2ⁿ"),
        (2**15 - 1, "every shortcut"),
        (lambda blocks: 4**blocks, "two layers at once"),
    ],
    "resnet.block": [
        (lambda branch, x: branch(x) + x, "ReLU after the addition"),
        (lambda branch, x: F.relu(branch(x)) + x, "before the addition"),
        (lambda branch, x: F.relu(branch(x)), "where is x"),
        (lambda branch, x: x.add_(branch(x)).relu(), "changed x itself"),
    ],
    "resnet.bottleneck": [
        (36_864, "3×3 alone"),
        (53_248, "One 1×1 is missing"),
        (73_728, "basic block"),
        (69_632 + 384, "counted biases"),
    ],
    "resnet.projection": [
        (65_536 / 69_632, "keeps its three convolutions"),
        (69_632 / 135_168, "Upside down"),
        (135_168, "divide by"),
    ],
    "resnet.growth": [(2**13.5, "amplitude"), (28, "grows with its input"), (54, "is a power"), (4**27, "needs F = x")],
}
