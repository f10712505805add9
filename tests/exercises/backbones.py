"""Likely wrong answers of the chapter on choosing a backbone."""


def field(layers, own_stride=False, strides=True, dilations=True, spread=False, start=1):
    """The size of a receptive field, with the usual mistakes on demand."""
    size, jump = start, 1
    for kernel, stride, dilation in layers:
        stride, dilation = stride if strides else 1, dilation if dilations else 1
        jump *= stride if own_stride else 1
        size += (kernel - 1) * dilation * jump
        jump *= (1 if own_stride else stride) * (dilation if spread else 1)
    return size


def stage(channels_in, channels, blocks, side, *, taps=9, projection=True, first=None):
    """Multiply-adds of a stage, with the usual mistakes on demand."""
    positions = (side // 2) ** 2
    convolutions = taps * channels * ((first or channels_in) + (2 * blocks - 1) * channels)
    return positions * (convolutions + projection * channels_in * channels)


WRONG = {
    "backbones.receptive_field": [
        (lambda layers: field(layers, own_stride=True), "own stride widen"),
        (lambda layers: field(layers, strides=False), "left the strides out"),
        (lambda layers: field(layers, dilations=False), "left the dilation out"),
        (lambda layers: field(layers, spread=True), "multiplied the jump by the dilation"),
        (lambda layers: field(layers, start=0), "One too few"),
    ],
    "backbones.area": [
        ((67.2, 10.8), "Does a kernel know"),
        ((11.2, 1.8), "Every position"),
        ((11.2, 5.4), "Both sides grow"),
    ],
    "backbones.object": [("A", "hardly anything around"), ("C", "less than four"), ("D", "less than one position")],
    "backbones.stage": [
        (lambda *sizes: stage(*sizes, projection=False), "projection"),
        (lambda c, d, b, side: stage(c, d, b, 2 * side), "before the stride"),
        (lambda c, d, b, side: stage(c, d, b, side, first=d), "still reads the old channels"),
        (lambda *sizes: stage(*sizes, taps=1, projection=False), "nine taps"),
        (lambda *sizes: 2 * stage(*sizes), "two operations"),
    ],
}
