"""Exercises of the chapter on transfer."""

import torch
from torch import Tensor

from . import Hint, choice, close, exercise, matches, number

DECODER = 126_011
CLASS = 49
"""Parameters of the decoder for eleven classes, and of the score of one class."""


@exercise("transfer.learning")
def learning(answer: object) -> str:
    """How many parameters of a feature pyramid for two classes learn while its encoder is frozen."""
    value = number(answer)
    if matches(value, DECODER - 9 * CLASS):
        return "126,011 − 9 · 49 = 125,570: a class costs 48 weights and a bias, and nothing else depends on it."
    if matches(value, DECODER):
        raise Hint("That is for eleven classes. Which layer's size depends on their number?")
    if matches(value, DECODER - 9 * (CLASS - 1)):
        raise Hint("A score has a bias, too.")
    if matches(value, DECODER - 2 * CLASS):
        raise Hint("Two classes are left, so nine scores go.")
    if matches(value, 9 * CLASS):
        raise Hint("So many are saved. How many still learn?")
    raise Hint("The last level has 48 channels, and a 1×1 convolution scores each class from them.")


@exercise("transfer.alignment")
def alignment(answer: object) -> str:
    """A function (k, l): linear CKA from the Gram matrices (P, P) of two maps."""
    if not callable(answer):
        raise Hint("A function is wanted: answer(k, l) -> a number from 0 to 1.")
    x, y = torch.randn(40, 5) + 3, torch.randn(40, 7)
    y[:, :3] += x[:, :3]
    k, m = x @ x.T, y @ y.T
    got = answer(k.clone(), m.clone())
    if not isinstance(got, (int, float, Tensor)):
        raise Hint(f"Your function returned {type(got).__name__}; a number is wanted.")
    got = number(got)
    if close(got, _cka(_centred(k), _centred(m)), 1e-3):
        return "The same number from P×P matrices: cheaper where a map has more channels than there are places."
    if close(got, _cka(k, m), 1e-3):
        raise Hint("Right but for the means: take those of the rows and then those of the columns away first.")
    if close(got, _cka(k - k.mean(0), m - m.mean(0)), 1e-3):
        raise Hint("Half centred: rows and columns both have means to take away.")
    if close(got, float((_centred(k) * _centred(m)).sum()), 1e-3):
        raise Hint("That is the numerator. Divide it by both norms.")
    raise Hint("‖yᵀx‖² is the sum of k · l, place by place, and ‖xᵀx‖ is the norm of k; centre both matrices first.")


def _cka(k: Tensor, m: Tensor) -> float:
    return ((k * m).sum() / (k.norm() * m.norm())).item()


def _centred(k: Tensor) -> Tensor:
    k = k - k.mean(0)
    return k - k.mean(1, keepdim=True)


@exercise("transfer.running")
def running(answer: object) -> str:
    """A running mean from 0 with momentum 0.1 after twenty batches whose mean is 1."""
    value = number(answer)
    if close(value, 1 - 0.9**20):
        return "1 − 0.9²⁰ = 0.878. Twenty batches of another world replace seven eighths of what it knew."
    if close(value, 0.9**20):
        raise Hint("That is what is left of the beginning. How much has come in its place?")
    if close(value, 2):
        raise Hint("20 · 0.1 counts as if nothing were forgotten; each batch also takes a tenth away.")
    if close(value, 1 - 0.1**20):
        raise Hint("PyTorch's momentum is the weight of the *new* batch: the old mean keeps 0.9.")
    raise Hint("Each batch: 0.9 times what was, and 0.1 times the batch's mean, 1. How far from 1 after each?")


@exercise("transfer.control")
def control(answer: object) -> str:
    """Which comparison says what the pre-training of a frozen encoder is worth."""
    letter = choice(answer, "a", "b", "c", "d")
    if letter == "c":
        return "The same encoder before it learnt anything, frozen likewise: 25 points are the pre-training's."
    if letter == "a":
        raise Hint("That one was pre-trained too; it says what tuning adds.")
    if letter == "d":
        raise Hint("That says what the score is worth by itself, not where the rest of it comes from.")
    raise Hint("There the encoder learns as well, so two things differ. Which control changes the start alone?")
