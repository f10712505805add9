"""Likely wrong answers of the chapter on DenseNet, SENet, EfficientNet and deformable convolution."""


def halving(initial, growth, depths, last):
    """Channels after the last block, halved after every block (`last`) or after all but the last, rounded nowhere."""
    value = initial
    for i, depth in enumerate(depths):
        value += growth * depth
        if last or i < len(depths) - 1:
            value //= 2
    return value


WRONG = {
    "beyond_resnet.channels": [
        (lambda initial, growth, depths: initial + growth * sum(depths), "forgot the transitions"),
        (lambda initial, growth, depths: halving(initial, growth, depths, last=True), "once too often"),
        (lambda initial, growth, depths: halving(initial, growth, [1] * len(depths), last=False), "Each layer appends"),
    ],
    "beyond_resnet.bottleneck": [(4, "width of the bottleneck"), (36 / 13, "Check the signs"), (1.8, "not 9 · k · k")],
    "beyond_resnet.se_weights": [
        (2.514944, "That is ResNet-50"),
        (4.743168 / 2, "one fully connected layer"),
        (4.743168 / 16, "four times as many"),
        (4.743168 * 16, "Divide by r"),
    ],
    "beyond_resnet.compound": [
        ((1.2 * 1.1 * 1.15) ** 3, "counted width and resolution once"),
        (1.2 * 1.1**2 * 1.15**2, "one step"),
        (3 * 1.2 * 1.1**2 * 1.15**2, "do not add"),
        (8, "paper's round figure"),
    ],
    "beyond_resnet.offsets": [
        (25 * 600, "two, down and right"),
        (2 * 25, "Every position"),
        (2 * 9 * 600, "3×3 kernel"),
    ],
}
