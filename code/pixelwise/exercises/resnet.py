"""Exercises of the chapter on residual networks."""

import math
import random

import torch
from torch import Tensor
from torch.nn import functional as F

from . import Hint, close, exercise, number


@exercise("resnet.paths")
def paths(answer: object) -> str:
    """Share of the paths through n blocks that pass low to high branches: a function, or the number for (54, 5, 17)."""
    if callable(answer):
        for _ in range(5):
            blocks, low = random.randint(8, 25), random.randint(1, 3)
            high = random.randint(4, blocks - 2)
            _judge_share(number(answer(blocks, low, high)), blocks, low, high)
        answer = answer(54, 5, 17)
    return _judge_share(number(answer), 54, 5, 17)


def _judge_share(value: float, blocks: int, low: int, high: int) -> str:
    """Judge the share of the paths through `blocks` blocks that pass `low` to `high` branches."""
    counts = [math.comb(blocks, k) for k in range(blocks + 1)]
    few = sum(counts[low : high + 1])
    if close(value, few / 2**blocks):
        return "0.45 % for ResNet-110: most of its 2⁵⁴ paths pass about 27 blocks, and hardly any gradient takes them."
    if close(value, few, 1e-9):
        raise Hint("That is how many such paths there are. Divide by the number of all paths.")
    if close(value, (high - low + 1) / (blocks + 1)) or close(value, (high - low + 1) / blocks):
        raise Hint("That counts lengths. A length stands for many paths: choose k of the n blocks.")
    if close(value, (few - counts[high]) / 2**blocks, 1e-9):
        raise Hint("Your range ends one too early: `high` is included.")
    if close(value, sum(counts[: high + 1]) / 2**blocks, 1e-9):
        raise Hint("You counted the paths shorter than `low` as well.")
    if close(value, 100 * few / 2**blocks):
        raise Hint("That is a percentage; give the share.")
    raise Hint(
        f"For n = {blocks}, {low} to {high} branches: two choices at each block make 2ⁿ paths; of these, n over k pass "
        "exactly k branches."
    )


@exercise("resnet.block")
def block(answer: object) -> str:
    """A function (branch, x) that returns the output of a residual block."""
    if not callable(answer):
        raise Hint("A function is wanted: block(branch, x) -> output.")
    for _ in range(5):
        x = torch.randn(2, 3, 5, 5).relu()
        weight = torch.randn(3, 3)

        def branch(value: Tensor, weight: Tensor = weight) -> Tensor:
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
    """Convolution weights of a bottleneck 1024 → 256 → 256 → 1024 without projection."""
    value = number(answer)
    if close(value, 1_114_112, 1e-6):
        return "262,144 + 589,824 + 262,144 = 1,114,112, less than a basic block of 256 channels."
    if close(value, 589_824, 1e-6):
        raise Hint("That is the 3×3 alone. The two 1×1 convolutions have 1024 · 256 weights each.")
    if close(value, 851_968, 1e-6):
        raise Hint("One 1×1 is missing: the block squeezes to 256 and expands to 1024 again.")
    if close(value, 1_179_648, 1e-6):
        raise Hint("That is the basic block: two 3×3 convolutions at 256 channels.")
    if close(value, 2_162_688, 1e-6):
        raise Hint("You counted a projection as well; here the shortcut is the identity.")
    if close(value, 1_114_112 + 1536, 1e-6):
        raise Hint("You counted biases. Before a batch normalisation a bias would be subtracted again.")
    if close(value, 69_632, 1e-6):
        raise Hint("That is the first stage's, 256 → 64 → 256. Here all widths are four times as large.")
    raise Hint("A convolution has kernel height · kernel width · channels in · channels out weights. Add up three.")


@exercise("resnet.projection")
def projection(answer: object) -> str:
    """The factor by which a 1024 → 1024 projection enlarges that bottleneck."""
    value = number(answer)
    if close(value, 33 / 17):
        return "33 / 17 = 1.94 in every stage: the projection works on the wide side, where channels are dear."
    if close(value, 16 / 17):
        raise Hint("That compares the projection with the rest. The block keeps its three convolutions: add them.")
    if close(value, 17 / 33):
        raise Hint("Upside down: the block grows, so the factor is above 1.")
    if close(value, 2_162_688) or close(value, 1_048_576):
        raise Hint("That is a number of weights; divide by the 1,114,112 of the block without a projection.")
    if close(value, (17 + 4) / 17):
        raise Hint("The shortcut does not pass through the narrow part: it projects 1024 channels to 1024.")
    raise Hint("The projection is a 1×1 convolution from 1024 to 1024 channels. Add its weights, divide.")


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
