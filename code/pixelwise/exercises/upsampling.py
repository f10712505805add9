"""Exercises of the chapter on upsampling."""

import random

import torch
from torch.nn import functional as F

from . import Hint, close, exercise, number, numbers


@exercise("upsampling.overlaps")
def overlaps(answer: object) -> str:
    """Overlap counts of kernel 5 at stride 2, phase 0 first."""
    counts = numbers(answer, "two counts, phase 0 first")
    if counts == [3, 2]:
        return "⌈5/2⌉ = 3 and ⌈4/2⌉ = 2. In two dimensions the counts multiply: 9, 6, 6 and 4."
    if counts == [2, 3]:
        raise Hint("The right numbers in the wrong order: phase 0 is reached by the taps 0, 2 and 4.")
    if counts == [9, 6, 6, 4]:
        raise Hint("Those are the products in two dimensions. Along one axis there are two phases.")
    if counts == [2.5, 2]:
        raise Hint("No pixel is reached by half a tap: round up.")
    if len(counts) != 2:
        raise Hint(f"Stride 2 has two phases; you gave {len(counts)} numbers.")
    raise Hint("Number the taps 0 to 4. Which of them are even, and which odd?")


@exercise("upsampling.size")
def size(answer: object) -> str:
    """Output size of a transposed convolution of 7 pixels: kernel 3, stride 2, padding 1, output_padding 1."""
    value = number(answer)
    if close(value, 14):
        return "(7 − 1)·2 − 2·1 + 3 + 1 = 14. Without output_padding it would be 13: both shrink to 7 again."
    if close(value, 13):
        raise Hint("That is the size without output_padding, which adds one row and one column.")
    if close(value, 16):
        raise Hint("Padding takes away in a transposed convolution: it cuts the edge of the canvas off.")
    if close(value, 4):
        raise Hint("That is the size after an ordinary convolution. Here the map grows.")
    raise Hint("The stamps start (7 − 1)·2 pixels apart from first to last. Add the kernel, cut padding off twice.")


@exercise("upsampling.phase_sums")
def phase_sums(answer: object) -> str:
    """Phase sums of the kernel [1, 2, 3, 4] at stride 2, phase 0 first."""
    sums = numbers(answer, "two sums, phase 0 first")
    if sums == [4, 6]:
        return "1 + 3 and 2 + 4: a constant 1 comes out as 4, 6, 4, 6, … although two taps reach every pixel."
    if sums == [3, 7]:
        raise Hint("You cut the kernel in half. A phase takes every second tap.")
    if sums == [6, 4]:
        raise Hint("The right sums in the wrong order: tap 0 belongs to phase 0.")
    if sums == [2, 2]:
        raise Hint("Those are the counts. Add up the weights.")
    raise Hint("Phase p collects the taps p, p + 2, …")


@exercise("upsampling.flat_kernel")
def flat_kernel(answer: object) -> str:
    """A function (a, b) that returns a kernel [a, ?, b], flat at stride 2."""
    if not callable(answer):
        raise Hint("A function is wanted: flat(a, b) -> three weights.")
    for _ in range(5):
        a, b = random.uniform(0.2, 1), random.uniform(1.2, 2)
        weights = numbers(answer(a, b), "three weights")
        if len(weights) != 3:
            raise Hint(f"Three weights are wanted, [a, ?, b]; you returned {len(weights)}.")
        if not (close(weights[0], a, 1e-4) and close(weights[2], b, 1e-4)):
            raise Hint("The outer weights must be a and b as given; only the middle one is free.")
        line = F.conv_transpose1d(torch.ones(1, 1, 6), torch.tensor(weights)[None, None], stride=2)[0, 0, 2:-2]
        if close(weights[1], (a + b) / 2, 1e-4):
            raise Hint("The mean draws a smooth kernel, but phase 0 gets a and b together: twice that.")
        if not torch.allclose(line, line[:1].expand_as(line), atol=1e-4):
            raise Hint(f"With a = {a:.2f}, b = {b:.2f} ones come out as {line[0]:.2f}, {line[1]:.2f}, …: not flat.")
    return "[a, a + b, b]: phase 0 sums to a + b, phase 1 holds the middle alone."


@exercise("upsampling.strides")
def strides(answer: object) -> str:
    """The strides from 1 to 6 at which a kernel of size 6 overlaps evenly."""
    values = sorted(set(numbers(answer, "a list of strides")))
    if values == [1, 2, 3, 6]:
        return "The divisors of 6. At stride 6 the stamps do not overlap at all: one tap a pixel, evenly."
    if values == [2, 3]:
        raise Hint("Strides 1 and 6 count as well: all pixels are reached by the same number of taps, 6 and 1.")
    if values in ([2, 3, 6], [1, 2, 3]):
        raise Hint("One is missing. Look at both ends of the range.")
    if values == [2, 4, 6]:
        raise Hint("At stride 4 phases 0 and 1 get two taps, phases 2 and 3 one. It takes more than being even.")
    raise Hint("The counts are ⌈(6 − p)/s⌉ for p = 0 … s − 1. When are they all the same?")
