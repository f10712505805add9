"""Likely wrong answers of the chapter on residual networks."""

import math

from torch.nn import functional as F

WRONG = {
    "resnet.paths": [
        (sum(math.comb(54, k) for k in range(5, 18)), "Divide by the number of all paths"),
        (13 / 55, "counts lengths"),
        (lambda n, low, high: sum(math.comb(n, k) for k in range(low, high)) / 2**n, "one too early"),
        (0.45367, "percentage"),
    ],
    "resnet.block": [
        (lambda branch, x: branch(x) + x, "ReLU after the addition"),
        (lambda branch, x: F.relu(branch(x)) + x, "before the addition"),
        (lambda branch, x: F.relu(branch(x)), "where is x"),
        (lambda branch, x: x.add_(branch(x)).relu(), "changed x itself"),
    ],
    "resnet.bottleneck": [
        (589_824, "3×3 alone"),
        (851_968, "One 1×1 is missing"),
        (1_179_648, "basic block"),
        (69_632, "first stage's"),
        (1_114_112 + 1536, "counted biases"),
    ],
    "resnet.projection": [
        (16 / 17, "keeps its three convolutions"),
        (17 / 33, "Upside down"),
        (2_162_688, "divide by"),
    ],
    "resnet.growth": [(2**13.5, "amplitude"), (28, "grows with its input"), (54, "is a power"), (4**27, "needs F = x")],
}
