"""Exercises of the chapter on choosing a backbone."""

import random

import torch
from torch import nn

from ..analysis import profile, stack_receptive_field
from ..models.resnet import BasicBlock
from . import Hint, choice, close, exercise, number, numbers


@exercise("backbones.receptive_field")
def receptive_field(answer: object) -> str:
    """A function from layers (kernel, stride, dilation) to the size of their receptive field."""
    if not callable(answer):
        raise Hint("A function is wanted: answer(layers) -> size, with layers a list of (kernel, stride, dilation).")
    for _ in range(20):
        kernels, strides, rates = (1, 2, 3, 5, 7), (1, 1, 2, 3), (1, 1, 2, 4)
        pick = random.choice
        layers = [(pick(kernels), pick(strides), pick(rates)) for _ in range(random.randint(2, 6))]
        layers.append((3, 1, 2))
        wanted = stack_receptive_field(*((kernel, stride, 0, rate) for kernel, stride, rate in layers)).size[0]
        got = number(answer(layers))
        if got == wanted:
            continue
        if got == stack_receptive_field(*(layer[:2] for layer in layers)).size[0]:
            raise Hint("You left the dilation out: it sets the taps of its own kernel further apart.")
        if got == _each_stride_too_early(layers):
            raise Hint(
                "You let a layer's own stride widen its own window. It spreads the windows of later layers only."
            )
        if got == 1 + sum((kernel - 1) * rate for kernel, _, rate in layers):
            raise Hint("You left the strides out: behind a stride of 2 the taps of each kernel lie twice as far apart.")
        if got == _rate_as_stride(layers):
            raise Hint("You multiplied the jump by the dilation. It widens one window; the map keeps its positions.")
        if got == wanted - 1:
            raise Hint("One too few: with no layer at all an output sees one pixel.")
        raise Hint(f"For {layers} the field is {wanted}, yours is {got:g}. Keep two numbers: the size and the jump.")
    return "Each layer adds (kernel - 1) · dilation times the product of the strides before it."


def _each_stride_too_early(layers: list[tuple[int, int, int]]) -> int:
    """The size that comes out when a layer's own stride widens its own window, a usual mistake."""
    size = jump = 1
    for kernel, stride, rate in layers:
        jump *= stride
        size += (kernel - 1) * rate * jump
    return size


def _rate_as_stride(layers: list[tuple[int, int, int]]) -> int:
    """The size that comes out when a dilation spreads all later layers as a stride does, a usual mistake."""
    size = jump = 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate * jump
        jump *= stride * rate
    return size


@exercise("backbones.area")
def area(answer: object) -> str:
    """Millions of parameters and G multiply-adds of a convolutional net (11.2 M, 1.8 G at 224×224) at 448×672."""
    pair = numbers(answer, "parameters in millions, multiply-adds in thousand millions")
    if len(pair) != 2:
        raise Hint("Two numbers are wanted: the parameters in millions, the multiply-adds in thousand millions.")
    parameters, operations = pair
    if not close(parameters, 11.2):
        raise Hint("The parameters are the kernels. Does a kernel know the size of the picture it slides over?")
    if close(operations, 1.8):
        raise Hint("Every position of every map costs its products again, and now there are more positions.")
    if close(operations, 1.8 * 2) or close(operations, 1.8 * 3) or close(operations, 1.8 * 5):
        raise Hint("Both sides grow: count how many 224×224 pictures it takes to tile 448×672.")
    if close(operations, 1.8 * 6):
        return "Six times the area, six times the work, the same weights: 10.8 G and still 11.2 M."
    raise Hint("Divide the areas: 448 · 672 / (224 · 224). The work grows by that factor.")


@exercise("backbones.object")
def small_object(answer: object) -> str:
    """Which of maps A (stride 4, sees 43), B (4, 99), C (8, 211), D (32, 435) suits a 30-pixel object."""
    letter = choice(answer, "A", "B", "C", "D")
    if letter == "B":
        return "Seven positions across the object, and a window three times as wide as it: B."
    if letter == "A":
        raise Hint("The stride is fine, but A sees 43 pixels: the object and hardly anything around it.")
    if letter == "C":
        raise Hint("30 / 8 is less than four positions across the object, so the first condition fails.")
    raise Hint("At stride 32 the whole object is less than one position of the map.")


@exercise("backbones.stage")
def stage(answer: object) -> str:
    """A function (channels_in, channels, blocks, side) -> multiply-adds of a stage of basic blocks with stride 2."""
    if not callable(answer):
        raise Hint("A function is wanted: answer(channels_in, channels, blocks, side) -> multiply-adds.")
    for _ in range(5):
        before, channels, blocks = (random.randrange(8, 80, 8), random.randrange(88, 160, 8), random.randint(1, 4))
        side = random.randrange(8, 64, 2)
        with torch.device("meta"):
            layers = [BasicBlock(before, channels, stride=2)]
            layers += [BasicBlock(channels, channels) for _ in range(blocks - 1)]
            wanted = profile(nn.Sequential(*layers), (1, before, side, side)).multiply_adds
        positions = (side // 2) ** 2
        got = number(answer(before, channels, blocks, side))
        if got == wanted:
            continue
        if got == wanted - positions * before * channels:
            raise Hint("The projection on the first shortcut is missing: 1×1, from the old channels to the new.")
        if got == 4 * wanted:
            raise Hint("You counted positions before the stride: the stage's maps have side // 2 rows and columns.")
        if got == positions * channels * (before + (2 * blocks - 1) * channels):
            raise Hint("A 3×3 kernel has nine taps.")
        if got == 2 * wanted:
            raise Hint("One multiply-add is one product with its addition; you counted it as two operations.")
        if got == 9 * positions * 2 * blocks * channels * channels + positions * before * channels:
            raise Hint("The first convolution of the stage still reads the old channels.")
        raise Hint(f"For ({before}, {channels}, {blocks}, {side}) it is {wanted:,}: list the convolutions one by one.")
    return "Positions of the new map times taps times both channel counts, added up over 2 · blocks + 1 convolutions."
