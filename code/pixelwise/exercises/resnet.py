"""Exercises of the chapter on residual networks."""

import random

import torch
from torch.nn import functional as F

from pixelwise.exercises import Hint, close, exercise, number


@exercise("resnet.paths")
def paths(answer: object) -> str:
    """Paths through n residual blocks: a function of n, or the number for n = 15."""
    cases = [random.randint(5, 25) for _ in range(5)] if callable(answer) else [15]
    for blocks in cases:
        value = number(answer(blocks) if callable(answer) else answer)
        if close(value, 2**blocks, 1e-9):
            continue
        if close(value, 2 * blocks) or close(value, blocks + 1):
            raise Hint(f"{value:.0f} grows by a step a block. Each block doubles the ways that there were before it.")
        if close(value, blocks**2):
            raise Hint("Two choices at each of n blocks: is that n² or 2ⁿ? Write out n = 3.")
        if close(value, 2**blocks - 1, 1e-9):
            raise Hint("You left out the path that takes every shortcut and no branch. It counts too.")
        if close(value, 4**blocks, 1e-9):
            raise Hint("You gave every layer a choice of its own. The shortcut goes round two layers at once.")
        raise Hint(f"For {blocks} blocks you get {value:.6g}. Start with one block: through the branch, or round it.")
    return "Two choices at each block: 2ⁿ paths, 32,768 for 15 blocks."


@exercise("resnet.block")
def block(answer: object) -> str:
    """A function (branch, x) that returns the output of a residual block."""
    if not callable(answer):
        raise Hint("A function is wanted: block(branch, x) -> output.")
    for _ in range(5):
        x = torch.randn(2, 3, 5, 5).relu()
        weight = torch.randn(3, 3)

        def branch(value, weight=weight):
            return torch.einsum("oc,nchw->nohw", weight, value)

        before, change = x.clone(), branch(x)
        got = answer(branch, x)
        if not torch.equal(x, before):
            raise Hint("Your function changed x itself. An in-place operation (+=, relu_) must not touch the input.")
        if not isinstance(got, torch.Tensor) or got.shape != x.shape:
            raise Hint(f"A tensor of x's shape {tuple(x.shape)} is wanted.")
        if torch.allclose(got, F.relu(change + x), atol=1e-5):
            continue  # right, also where the sum happens to be non-negative and other answers agree
        if torch.allclose(got, change + x, atol=1e-5):
            raise Hint("The sum is right, but the paper's block ends with a ReLU after the addition.")
        if torch.allclose(got, F.relu(change) + x, atol=1e-5):
            raise Hint("Your ReLU comes before the addition, so the block can only add. A difference may be negative.")
        if torch.allclose(got, F.relu(change), atol=1e-5):
            raise Hint("That is a plain block: where is x?")
        raise Hint("Apply the branch to x, add x itself, then rectify the sum.")
    return "ReLU(F(x) + x): with F = 0 and a non-negative x the block copies its input."


@exercise("resnet.bottleneck")
def bottleneck(answer: object) -> str:
    """Convolution weights of a bottleneck 256 → 64 → 64 → 256 without projection."""
    value = number(answer)
    if close(value, 69_632, 1e-6):
        return "16,384 + 36,864 + 16,384 = 69,632: fewer than a basic block of 64 channels, at four times the width."
    if close(value, 36_864, 1e-6):
        raise Hint("That is the 3×3 alone. The two 1×1 convolutions have 256 · 64 weights each.")
    if close(value, 53_248, 1e-6):
        raise Hint("One 1×1 is missing: the block squeezes to 64 and expands to 256 again.")
    if close(value, 73_728, 1e-6):
        raise Hint("That is the basic block: two 3×3 convolutions at 64 channels.")
    if close(value, 135_168, 1e-6):
        raise Hint("You counted a projection as well; here the shortcut is the identity.")
    if close(value, 69_632 + 384, 1e-6):
        raise Hint("You counted biases. Before a batch normalisation a bias would be subtracted again.")
    raise Hint("A convolution has kernel height · kernel width · channels in · channels out weights. Add up three.")


@exercise("resnet.projection")
def projection(answer: object) -> str:
    """The factor by which a 256 → 256 projection enlarges that bottleneck."""
    value = number(answer)
    if close(value, 135_168 / 69_632):
        return "135,168 / 69,632 = 1.94: the projection works on the wide side, where channels are dear."
    if close(value, 65_536 / 69_632):
        raise Hint("That compares the projection with the rest. The block keeps its three convolutions: add them.")
    if close(value, 69_632 / 135_168):
        raise Hint("Upside down: the block grows, so the factor is above 1.")
    if close(value, 135_168) or close(value, 65_536):
        raise Hint("That is a number of weights; divide by the block's 69,632.")
    if close(value, (69_632 + 256 * 64) / 69_632):
        raise Hint("The shortcut does not pass through the narrow part: it projects 256 channels to 256.")
    raise Hint("The projection is a 1×1 convolution from 256 to 256 channels. Count its weights, add 69,632, divide.")


@exercise("resnet.growth")
def growth(answer: object) -> str:
    """Factor of the mean square after 27 blocks x + F(x), F as large as x and independent of it."""
    value = number(answer)
    if close(value, 2**27, 1e-6):
        return "Doubled 27 times: 134,217,728. No wonder that the first loss explodes."
    if close(value, 2**13.5, 1e-3):
        raise Hint("That is the amplitude, the square root. The mean square is asked for.")
    if close(value, 28, 1e-6) or close(value, 27, 1e-6):
        raise Hint("That would hold if each branch put out what the first block got. Each branch grows with its input.")
    if close(value, 2 * 27, 1e-6) or close(value, 27**2, 1e-6):
        raise Hint("Doubling 27 times is a power.")
    if close(value, 4**27, 1e-6):
        raise Hint("Twice the amplitude a block needs F = x. Independent parts add their mean squares: a factor of 2.")
    if close(value, 2**54, 1e-6) or close(value, 2**56, 1e-6):
        raise Hint("Count the additions, not the layers: 27 blocks.")
    raise Hint("Mean square of x + F: that of x plus that of F, for the two are independent. Then 27 times over.")
