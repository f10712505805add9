"""Likely mistakes in the exercises on attention."""

import math

WRONG = {
    "attention.read": [(70 / 3, "plain mean"), (90, "divides them by their sum"), (10, "best alone")],
    "attention.crossing": [(1152, "leaves out"), (1536, "2PC together"), (192, "64 channels")],
    "attention.reduction": [
        (16384**2, "without sequence reduction"),
        (16384 * 2048, "height and its width"),
        (256**2, "all places ask"),
    ],
    "attention.attend": [
        (lambda q, k, v: (q @ k.T).softmax(1) @ v, "root of the queries' length before"),
        (lambda q, k, v: (q @ k.T / math.sqrt(q.shape[1])).softmax(0) @ v, "wrong axis"),
        (lambda q, k, v: (q @ k.T / q.shape[1]).softmax(1) @ v, "not by the length"),
    ],
    "attention.order": [("a", "Each head"), ("b", "behind another"), ("d", "No weights")],
}
