"""Exercises of the chapter on U-Net."""

import torch

from ..models.unet import is_valid_size
from . import Hint, close, exercise, number, numbers


@exercise("unet.output")
def output(answer: object) -> str:
    """Output side of the paper's U-Net for an input side of 1020 pixels."""
    value = number(answer)
    if close(value, 836, 1e-6):
        return "1020 − 184 = 836, whatever the size: the border that is eaten does not depend on it."
    if close(value, 1020, 1e-6):
        raise Hint("That would be a padded U-Net. The paper's pads nothing, and each 3×3 convolution eats a border.")
    if close(value, 928, 1e-6):
        raise Hint("92 pixels are lost on each side, so twice that along an axis.")
    if close(value, 984, 1e-6):
        raise Hint("18 convolutions take 2 pixels each, but of their own map: the deepest take 16 times as much.")
    raise Hint("572 becomes 388. The difference is the same for every size that fits.")


@exercise("unet.nearest")
def nearest(answer: object) -> str:
    """The two sides nearest to 360 that four poolings halve without a remainder: 352 and 368."""
    sides = sorted(numbers(answer, "two sides"))
    if sides == [352, 368]:
        return "Both are multiples of 16. 360 / 8 = 45 is odd, and its half has no double."
    if sides in ([358, 362], [356, 364]):
        raise Hint("Halve them four times: the third half is odd again, or none. Four poolings need a multiple of …")
    if sides == [352, 384] or 384 in sides or 320 in sides:
        raise Hint("You took multiples of 32. Four poolings make a stride of 16.")
    if sides == [364, 380] or sides == [348, 364]:
        raise Hint("12 mod 16 is the rule for the U-Net that pads nothing. This one pads, so only poolings count.")
    if len(sides) != 2:
        raise Hint("Two sides are wanted: the nearest below and the nearest above 360.")
    raise Hint("Follow 360 down: 360, 180, 90, 45. Which numbers stay whole four times?")


@exercise("unet.channels")
def channels(answer: object) -> str:
    """Input channels of the first convolution after the concatenation where 512 from below meet 512 skipped: 1024."""
    value = number(answer)
    if close(value, 1024, 1e-6):
        return "The up-convolution halves 1024 to 512, the skip brings 512, and side by side they are 1024."
    if close(value, 1536, 1e-6):
        raise Hint("The up-convolution comes before the concatenation, and it halves the channels: 1024 to 512.")
    if close(value, 512, 1e-6):
        raise Hint("512 would be a *sum* of both maps. Concatenated, they lie side by side.")
    if close(value, 256, 1e-6):
        raise Hint("That is what the level above ends in. Count what the first convolution of this level reads.")
    raise Hint("Two maps lie side by side: what the up-convolution puts out, and what the skip brings.")


@exercise("unet.step")
def step(answer: object) -> str:
    """The largest step of windows of 572 at which overlap-tile is exact: 384."""
    value = number(answer)
    if close(value, 384, 1e-6):
        return "24 · 16 = 384, so 4 of the 388 rows and columns of every window are computed for nothing."
    if close(value, 388, 1e-6):
        raise Hint("At 388 the windows lie edge to edge, but 388 = 24 · 16 + 4: they pool other pixels together.")
    if close(value, 572, 1e-6):
        raise Hint("Only the inner 388 pixels of a window are predicted.")
    if value % 16 == 0 and 0 < value < 384:
        raise Hint("Exact, but there is a larger one.")
    raise Hint("Two conditions: at most the output's side, and a multiple of what four poolings make.")


@exercise("unet.valid_size")
def valid_size(answer: object) -> str:
    """A function side -> bool: whether a U-Net with three poolings that pads nothing takes this side."""
    if not callable(answer):
        raise Hint("A function is wanted: answer(side) -> True or False.")
    for side in [96, *range(89, 140), *torch.randint(140, 2000, (40,)).tolist(), *range(60, 89)]:
        given, truth = bool(answer(side)), is_valid_size(side, depth=3)
        if given and not truth and side <= 88:
            raise Hint(f"{side} shrinks to nothing: with three poolings the borders take 88 pixels.")
        if given and not truth and side % 8 == 0:
            raise Hint(f"{side} is a multiple of 8, but 4 pixels go before the first pooling: {side - 4} is halved.")
        if given != truth:
            way = "does" if truth else "does not"
            raise Hint(f"{side} {way} fit. On the way down a side loses 4, is halved, loses 4, is halved, loses 4, …")
    return "4 mod 8 and more than 88: subtract 4, halve; the losses add up to the side being −4 mod 8."
