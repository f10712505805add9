"""Likely wrong answers of the chapter on upsampling."""

WRONG = {
    "upsampling.overlaps": [([2, 3], "wrong order"), ([9, 6, 6, 4], "one axis"), ([2.5, 2], "half a tap")],
    "upsampling.size": [(13, "output_padding"), (16, "cuts the edge"), (4, "ordinary convolution")],
    "upsampling.phase_sums": [([3, 7], "in half"), ([2, 2], "counts"), ([6, 4], "wrong order")],
    "upsampling.flat_kernel": [
        (lambda a, b: [a, (a + b) / 2, b], "twice that"),
        (lambda a, b: [1, 2, 1], "as given"),
        (lambda a, b: [a, a + b], "Three weights"),
        (lambda a, b: [a, 1, b], "not flat"),
    ],
    "upsampling.strides": [([2, 3], "1 and 6"), ([2, 4, 6], "stride 4"), ([1, 2, 3], "One is missing")],
}
