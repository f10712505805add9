"""Exercises of the chapter on attention."""

import torch
from torch import Tensor
from torch.nn import functional as F

from . import Hint, choice, close, exercise, number


@exercise("attention.read")
def read(answer: object) -> str:
    """What a place reads by scores of ln 3, 0 and 0 from 10, 40 and 20."""
    value = number(answer)
    if close(value, 18):
        return "Weights 0.6, 0.2 and 0.2: 6 + 8 + 4 = 18."
    if close(value, 70 / 3):
        raise Hint("That is the plain mean. The exponentials of the scores are 3, 1 and 1.")
    if close(value, 90):
        raise Hint("That is the sum with weights 3, 1 and 1. A softmax divides them by their sum.")
    if close(value, 10):
        raise Hint("That reads the best alone. A softmax leaves something to the others too.")
    raise Hint("Exponentials of the scores, divided by their sum, are the weights; then a weighted mean.")


@exercise("attention.crossing")
def crossing(answer: object) -> str:
    """Of how many places a map of 256 channels is, where attention costs what a 3×3 convolution does."""
    value = number(answer)
    if close(value, 768):
        return "3·256 = 768, a map of 24×32: below it attention is the cheaper of the two."
    if close(value, 1152):
        raise Hint("That leaves out the queries, keys and values: 3C² a place.")
    if close(value, 1536):
        raise Hint("Scores cost PC a place, and so does the mean by them: 2PC together.")
    if close(value, 192):
        raise Hint("That is the crossing for 64 channels.")
    raise Hint("Divide both costs by P·C: 3C + 2P against 9C.")


@exercise("attention.reduction")
def reduction(answer: object) -> str:
    """How many scores the first stage of SegFormer computes for 512×512 pixels."""
    value = number(answer)
    if close(value, 16384 * 256):
        return "16,384 places ask 256: 4,194,304 scores, and not 268,435,456."
    if close(value, 16384**2):
        raise Hint("That is without sequence reduction. Keys and values are read off a map 8 times smaller each way.")
    if close(value, 16384 * 2048):
        raise Hint("R = 8 shrinks the map's height and its width.")
    if close(value, 256**2):
        raise Hint("Only keys and values are reduced: all places ask.")
    raise Hint("How many places has the map at a quarter, and how many has it when both its sides are 8 times shorter?")


@exercise("attention.attend")
def attend(answer: object) -> str:
    """A function (q, k, v): what attention reads, where fewer may be asked than ask."""
    if not callable(answer):
        raise Hint("A function is wanted: answer(q, k, v) -> what each query reads, (P, c).")
    asking, asked, length, width = (int(torch.randint(low, low + 3, ())) for low in (12, 4, 7, 16))
    q, k, v = torch.randn(asking, length), torch.randn(asked, length), torch.randn(asked, width)
    got = answer(q.clone(), k.clone(), v.clone())
    if not isinstance(got, Tensor):
        raise Hint(f"Your function returned {type(got).__name__}; a tensor is wanted.")
    wanted = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
    if got.shape != wanted.shape:
        raise Hint(f"Yours is {tuple(got.shape)}, wanted is {tuple(wanted.shape)}: a row for each query.")
    if torch.allclose(got, wanted, atol=1e-4):
        return "Each row is a mean of the values, by weights of its own."
    scores = q @ k.T
    if torch.allclose(got, scores.softmax(1) @ v, atol=1e-4):
        raise Hint("Nearly: the scores are divided by the root of the queries' length before the softmax.")
    for scale in (1, length**-0.5):
        if torch.allclose(got, (scale * scores).softmax(0) @ v, atol=1e-4):
            raise Hint("The softmax runs along the wrong axis: for each query the weights have to add up to 1.")
    if torch.allclose(got, (scores / length).softmax(1) @ v, atol=1e-4):
        raise Hint("Divide by the root of the queries' length, not by the length.")
    raise Hint("Scores q @ k.T over the root of the queries' length, softmax along each row, then the values.")


@exercise("attention.order")
def order(answer: object) -> str:
    """What lets a transformer without positions notice that patches were rearranged."""
    letter = choice(answer, "a", "b", "c", "d")
    if letter == "c":
        return "A convolution knows neighbours, so the order of the patches matters to what follows."
    if letter == "a":
        raise Hint("Each head commutes with every reordering, and so do any number of them.")
    if letter == "b":
        raise Hint("A layer that commutes with every reordering, behind another that does, commutes with it too.")
    raise Hint("No weights that it could learn from them make a difference: the layers commute whatever they are.")
