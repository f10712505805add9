"""Exercises of the chapter on skip connections and hypercolumns."""

import torch
from torch import Tensor
from torch.nn import functional as F

from . import Hint, choice, exercise, number


@exercise("skip_connections.length")
def length(answer: object) -> str:
    """Length of the hypercolumn over VGG-16's pool3, pool4 and fc7."""
    value = number(answer)
    if value == 4864:
        return "256 + 512 + 4096 = 4864 numbers above every pixel, 84 % of them from the coarsest layer."
    if value == 4096:
        raise Hint("Concatenating keeps every layer: the widest one does not swallow the others.")
    if value == 4608:
        raise Hint("pool3 is missing, or pool4 counted for both: pool3 has 256 channels, pool4 has 512.")
    if value in (33, 63):
        raise Hint("Those are class scores. A hypercolumn stacks the features before anything is scored.")
    raise Hint("Concatenation adds up channels. How many does each of the three layers have?")


@exercise("skip_connections.biases")
def biases(answer: object) -> str:
    """By how many parameters FCN's three score layers exceed one linear head over the same maps, 21 classes."""
    value = number(answer)
    if value == 42:
        return "The weights are the same 21 · 4864 numbers; three biases do the work of one for each class: 2 · 21."
    if value == 0:
        raise Hint("The maps are the same, the numbers are not: every score layer has a bias of its own.")
    if value == 63:
        raise Hint("Those are all the biases of the FCN. The single head has some as well.")
    if value == 21:
        raise Hint("There are three score layers against one head: how many biases are left over for each class?")
    if value == 2:
        raise Hint("For one class, yes. There are 21.")
    raise Hint("Write the weights of the head as three blocks side by side. What is left to count?")


@exercise("skip_connections.score_first")
def score_first(answer: object) -> str:
    """A function (weight, bias, fine, coarse) that scores each map by itself and adds: a head over the stack."""
    if not callable(answer):
        raise Hint("A function is wanted: answer(weight, bias, fine, coarse) -> logits (N, K, H, W).")
    classes, few, many, height, width = (
        int(torch.randint(*span, ())) for span in ((2, 6), (2, 5), (6, 9), (3, 6), (3, 6))
    )
    fine, coarse = torch.randn(2, few, 4 * height, 4 * width), torch.randn(2, many, height, width)
    weight, bias = torch.randn(classes, few + many), torch.randn(classes) + 3
    parts = {
        name: map.clone() for name, map in (("weight", weight), ("bias", bias), ("fine", fine), ("coarse", coarse))
    }
    got = answer(*parts.values())
    if not isinstance(got, torch.Tensor):
        raise Hint(f"Your function returned {type(got).__name__}; a tensor of logits is wanted.")

    def score(weight: Tensor, map: Tensor) -> Tensor:
        return torch.einsum("nchw,kc->nkhw", map, weight)

    def up(map: Tensor, mode: str = "bilinear") -> Tensor:
        return F.interpolate(map, fine.shape[-2:], mode=mode)

    wanted = score(weight, torch.cat([fine, up(coarse)], 1))
    shift = bias[:, None, None]
    if got.shape != wanted.shape:
        raise Hint(
            f"Your logits are {tuple(got.shape)}, wanted are {tuple(wanted.shape)}: one score for each class and pixel."
        )
    slips = {
        "Right but for the bias: it is added once, at the end.": wanted,
        "The bias belongs to the sum, so it is added once; you added it to both scores.": wanted + 2 * shift,
        "Nearest interpolation gives steps. The stack was interpolated bilinearly.": shift
        + score(weight[:, :few], fine)
        + up(score(weight[:, few:], coarse), "nearest"),
        "That is the fine map's score alone; the coarse map has a share of the weights too.": shift
        + score(weight[:, :few], fine),
    }
    for hint, slip in slips.items():
        if torch.allclose(got, slip, atol=1e-4):
            raise Hint(hint)
    if not torch.allclose(got, wanted + shift, atol=1e-4):
        raise Hint(
            "Not the head's logits. The stack is (fine, coarse), so the first "
            f"{few} columns of the weight belong to the fine map."
        )
    return "Slicing the weight is all there is to it: a linear head over a stack is a sum of heads."


@exercise("skip_connections.first_gradient")
def first_gradient(answer: object) -> str:
    """Which gradient vanishes in the first step of a skip whose score layer starts at zero."""
    letter = choice(answer, "a", "b", "c", "all", "none")
    if letter == "c":
        return "What flows back through the layer is multiplied by its weights, which are zero until the first step."
    if letter == "a":
        raise Hint("The gradient of a weight is (error at the output) · (feature at the input). Neither is zero here.")
    if letter == "b":
        raise Hint(
            "The gradient of a bias is the error itself, summed over the pixels. The network is not perfect yet."
        )
    raise Hint("Each of the three has another factor in it. Which of these factors are zero weights?")


@exercise("skip_connections.band")
def band(answer: object) -> str:
    """Columns in the boundary band of width 3 around one straight vertical boundary."""
    value = number(answer)
    if value == 6:
        return (
            "Three on each side. On a scene of 128 columns one such edge is 5 % of the pixels, and a street has many."
        )
    if value == 3:
        raise Hint("A boundary has two sides, and both belong to the band.")
    if value == 7:
        raise Hint("The window has 2 · 3 + 1 columns, but a boundary runs between pixels: there is no column on it.")
    if value == 2:
        raise Hint("Those are the columns that touch the boundary: the band of width 1.")
    raise Hint("Number the columns away from the boundary, 1, 2, 3, …, on each side.")
