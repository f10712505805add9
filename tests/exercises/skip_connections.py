"""Likely mistakes in the exercises on skip connections and hypercolumns."""

from functools import partial

import torch
from torch.nn import functional as F


def score_first(weight, bias, fine, coarse, biases=1, mode="bilinear"):
    """The logits of a head over two maps, each scored by itself; with the slips that are made there."""
    few = fine.shape[1]
    scores = torch.einsum("nchw,kc->nkhw", coarse, weight[:, few:])
    scores = torch.einsum("nchw,kc->nkhw", fine, weight[:, :few]) + F.interpolate(scores, fine.shape[-2:], mode=mode)
    return scores + biases * bias[:, None, None]


def columns_off(weight, *others):
    """The same, with the weight's columns in another order."""
    return score_first(weight.roll(1, 1), *others)


WRONG = {
    "skip_connections.length": [(4096, "does not swallow"), (4608, "pool3 is missing"), (63, "class scores")],
    "skip_connections.biases": [(0, "bias of its own"), (63, "single head"), (21, "left over")],
    "skip_connections.score_first": [
        (partial(score_first, biases=0), "added once, at the end"),
        (partial(score_first, biases=2), "added it to both"),
        (partial(score_first, mode="nearest"), "gives steps"),
        (columns_off, "columns of the weight"),
    ],
    "skip_connections.first_gradient": [
        ("a", "feature at the input"),
        ("b", "error itself"),
        ("all", "Each of the three"),
    ],
    "skip_connections.band": [(3, "two sides"), (7, "no column on it"), (2, "width 1")],
}
