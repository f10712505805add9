"""Exercises of the GoogLeNet chapter: five questions that open part I, and five on the Inception module."""

import random

import torch
from torch.nn import functional as F

from . import Hint, close, exercise, matches, number


@exercise("googlenet.convolution")
def convolution(answer: object) -> str:
    """Parameters of a 3×3 convolution from 64 to 128 channels, with biases."""
    value = number(answer)
    if matches(value, 73_856):
        return "Each of 128 outputs has 3 · 3 · 64 weights and one bias."
    if matches(value, 73_728):
        raise Hint("Those are the weights. Each output channel also has a bias.")
    if matches(value, 3 * 3 * 128 + 128) or matches(value, 3 * 3 * 128):
        raise Hint("A kernel reaches through all input channels: 3 · 3 · 64 weights for one output channel.")
    if matches(value, 73_728 + 64):
        raise Hint("There is one bias for each output channel, not for each input channel.")
    raise Hint("One output channel: 3 · 3 · 64 weights and 1 bias. How many output channels are there?")


@exercise("googlenet.pooling")
def pooling(answer: object) -> str:
    """Side of AlexNet's first pooled map: 55×55 pooled by 3×3 windows at stride 2, without padding."""
    value = number(answer)
    if matches(value, 27):
        return "(55 - 3) / 2 + 1 = 27. The windows overlap by one pixel, as in AlexNet."
    if matches(value, 26):
        raise Hint("26 steps make 27 windows: the first window stands before the first step.")
    if matches(value, 28) or matches(value, 27.5):
        raise Hint("Half of 55 forgets that a window of 3 must fit inside: (side - window) / stride + 1.")
    if matches(value, 18):
        raise Hint("That is stride 3. The windows step by 2 and overlap.")
    raise Hint("(side - window) / stride + 1, with side 55, window 3, stride 2.")


@exercise("googlenet.two_small")
def two_small(answer: object) -> str:
    """Weights of two 3×3 convolutions as a share of one 5×5, all with C channels in and out."""
    value = number(answer)
    if close(value, 18 / 25):
        return "2 · 9 / 25 = 0.72, and a ReLU in between: VGG's argument for small kernels."
    if close(value, 9 / 25):
        raise Hint("That is one 3×3 layer. Two are needed to see 5×5 pixels.")
    if close(value, 25 / 18):
        raise Hint("You turned the fraction round: how much do the small ones need of what the large one needs?")
    if close(value, 72):
        raise Hint("That is a percentage; give the fraction.")
    raise Hint("Per pair of channels: two kernels of 9 weights against one of 25.")


@exercise("googlenet.fully_connected")
def fully_connected(answer: object) -> str:
    """Weights of VGG-16's first fully connected layer: a 7×7 map of 512 channels to 4096 outputs, without biases."""
    value = number(answer)
    if matches(value, 102_760_448):
        return "7 · 7 · 512 · 4096: more than a hundred million, three quarters of the network, in one layer."
    if matches(value, 102_764_544):
        raise Hint("That includes the 4096 biases; only weights are asked for.")
    if matches(value, 512 * 4096):
        raise Hint("Flattening keeps all 7 · 7 places: each of them has its own weights.")
    if matches(value, 7 * 7 * 512):
        raise Hint("That many numbers go in. Each of them has a weight to each of the 4096 outputs.")
    raise Hint("Flatten first: how many numbers go in? Each of them meets each of the 4096 outputs.")


@exercise("googlenet.batch_norm")
def batch_norm(answer: object) -> str:
    """How many learned parameters batch normalisation has on 64 channels."""
    value = number(answer)
    if matches(value, 128):
        return "A scale and a shift for each channel. The running mean and variance are counted, not learned."
    if matches(value, 256):
        raise Hint("Running mean and variance are buffers: they are counted along the way, no gradient reaches them.")
    if matches(value, 64):
        raise Hint("After the normalisation each channel is scaled *and* shifted.")
    if matches(value, 2):
        raise Hint("Each channel has its own pair.")
    raise Hint("Mean 0 and variance 1 for each channel first; then each channel gets a learned ... and a learned ...")


@exercise("googlenet.output_size")
def output_size(answer: object) -> str:
    """A function from the side of the picture to the side of the map that reaches module 3a."""
    if not callable(answer):
        raise Hint("A function is wanted: side(n) -> side of the map behind the second pool.")
    for side in (224, *random.sample(range(20, 400), 8)):
        picture = torch.empty(1, 1, side, side, device="meta")
        first = F.conv2d(picture, torch.empty(1, 1, 7, 7, device="meta"), stride=2, padding=3)
        once = F.max_pool2d(first, 3, 2, ceil_mode=True)
        pooled = F.max_pool2d(once, 3, 2, ceil_mode=True)
        floored = F.max_pool2d(F.max_pool2d(first, 3, 2), 3, 2)
        wanted, got = pooled.shape[-1], number(answer(side))
        if got == wanted:
            continue
        if got == floored.shape[-1]:
            raise Hint(f"For {side} you give {got:g}: the pools of GoogLeNet round up (ceil mode), to {wanted}.")
        if got == once.shape[-1]:
            raise Hint(f"For {side} you give {got:g}, the side behind the first pool. A second one follows: {wanted}.")
        if got == -(-side // 8):
            raise Hint(
                f"For {side} you give {got:g}. Three halvings are close, but the pools have no padding: {wanted}."
            )
        raise Hint(f"For side {side} your function gives {got:g}; the layers give {wanted}. Go one layer at a time.")
    return "Convolution (7, stride 2, padding 3), then twice ⌈(n - 3) / 2⌉ + 1: 224 → 112 → 56 → 28."


@exercise("googlenet.saving")
def saving(answer: object) -> str:
    """A function from a row of the table, inputs first, to naive weights over reduced ones."""
    if not callable(answer):
        raise Hint("A function is wanted: ratio(inputs, one, reduce3, three, reduce5, five, project) -> number.")
    rows = [tuple(random.sample(range(16, 400), 7)) for _ in range(5)]
    for inputs, one, reduce3, three, reduce5, five, project in rows:
        row = (inputs, one, reduce3, three, reduce5, five, project)
        value = number(answer(*row))
        naive = inputs * (one + 9 * three + 25 * five)
        reductions, projection = inputs * (reduce3 + reduce5), inputs * project
        reduced = inputs * one + reductions + projection + 9 * reduce3 * three + 25 * reduce5 * five
        if close(value, naive / reduced, 1e-6):
            continue
        if close(value, reduced / naive, 1e-6):
            raise Hint("You turned the fraction round: how many times *more* does the naive module have?")
        if close(value, naive) or close(value, reduced):
            raise Hint("That is one of the two counts, and it is right. Now the other, and their ratio.")
        if close(value, naive / (reduced - projection), 1e-6):
            raise Hint("The reduced module has one more 1×1 convolution: behind its pool, from all of the inputs.")
        if close(value, naive / (reduced - reductions), 1e-6):
            raise Hint("The reductions have weights of their own: inputs · reduce3 and inputs · reduce5.")
        raise Hint(
            f"For {row} the naive module has {naive:,} weights, the reduced one {reduced:,}; your ratio is {value:g}. "
            "Naive: three convolutions that read all inputs. Reduced: four 1×1 convolutions, a 3×3 and a 5×5."
        )
    return "For 3a that is 387,072 / 163,328 = 2.37."


@exercise("googlenet.naive_channels")
def naive_channels(answer: object) -> str:
    """Output channels of three naive modules in a row, each with the widths of 3a, on 192 channels."""
    value = number(answer)
    if matches(value, 864):
        return "192, 416, 640, 864: the pool returns all of its input's channels, so every module only adds."
    if matches(value, 416):
        raise Hint("That leaves the first module. The second reads 416 channels, and its pool returns them all.")
    if matches(value, 256):
        raise Hint("256 is the reduced module, whose pool branch is projected to 32 channels. Naive has no projection.")
    if matches(value, 224) or matches(value, 672):
        raise Hint("You left out the pool branches. How many channels does a pool put out?")
    if matches(value, 3 * 416):
        raise Hint("The modules stand in a row, not side by side: each reads what the one before put out.")
    raise Hint("One module puts out 64 + 128 + 32 channels and those of its input. Go through three of them.")


@exercise("googlenet.five_by_five")
def five_by_five(answer: object) -> str:
    """From which width of its reduction on the 5×5 branch of 3a has more weights than without one."""
    value = number(answer)
    if 154.8 <= value <= 155:
        return "192 r + 25 · r · 32 = 25 · 192 · 32 at r = 154.8. The paper's 16 save a factor of 9.7."
    if matches(value, 192):
        raise Hint(
            "At 192 the 5×5 saves nothing, and the 1×1 costs 192 · 192 weights on top. Break-even comes earlier."
        )
    if matches(value, 154):
        raise Hint("Close: at 154 the branch has 152,768 weights, still fewer than 153,600.")
    if matches(value, 32):
        raise Hint("32 come out of the branch. At width 32 it has 192 · 32 + 25 · 32 · 32 weights, far below 153,600.")
    if matches(value, 800):
        raise Hint("That counts the 1×1 alone. The 5×5 behind it still has 25 · r · 32 weights.")
    raise Hint(
        "Without: 25 · 192 · 32 weights. With width r: 192 · r for the 1×1, and 25 · r · 32 for the 5×5. Set equal."
    )


@exercise("googlenet.merge")
def merge(answer: object) -> str:
    """A function that merges a 1×1 and a k×k convolution, with no ReLU between them, into one k×k kernel."""
    if not callable(answer):
        raise Hint("A function is wanted: merge(reduce, kernel) -> one kernel.")
    for _ in range(4):
        inputs, reduced, outputs = random.sample(range(2, 9), 3)
        size = random.choice((1, 3, 5))
        reduce = torch.randn(reduced, inputs, 1, 1, dtype=torch.float64)
        kernel = torch.randn(outputs, reduced, size, size, dtype=torch.float64)
        x = torch.randn(2, inputs, 9, 9, dtype=torch.float64)
        merged = torch.as_tensor(answer(reduce, kernel))
        if merged.shape != (outputs, inputs, size, size):
            raise Hint(
                f"For shapes {tuple(reduce.shape)} and {tuple(kernel.shape)} the merged kernel must be "
                f"{(outputs, inputs, size, size)}; yours is {tuple(merged.shape)}. Sum over the reduced channels."
            )
        wanted = F.conv2d(F.conv2d(x, reduce), kernel, padding=size // 2)
        if not torch.allclose(F.conv2d(x, merged.to(x.dtype), padding=size // 2), wanted, rtol=1e-4, atol=1e-4):
            raise Hint(
                "The shape is right, the values are not: entry (o, c) is the sum over r of kernel[o, r] · reduce[r, c]."
            )
    return "So without a ReLU the two layers are one: a plain k×k convolution of low rank, and no deeper."
