"""Exercises of the chapter on transfer."""

import torch
from torch import Tensor

from . import Hint, choice, close, exercise, matches, number

DECODER = 126_011


@exercise("transfer.learning")
def learning(answer: object) -> str:
    """How many parameters of the feature pyramid learn while its encoder is frozen."""
    value = number(answer)
    if matches(value, DECODER):
        return "3,084,859 − 2,958,848 = 126,011: four per cent of the network."
    if matches(value, 3_084_859 - DECODER):
        raise Hint("That is the encoder. What is left of the pyramid without it?")
    if matches(value, 4_652_008 - 3_084_859):
        raise Hint("Lite0 stands there with its head and its classifier, of which the pyramid has neither.")
    if matches(value, DECODER - 2560):
        raise Hint("A batch normalisation has two parameters a channel, a scale and a shift; the head's counts too.")
    raise Hint(
        "Take the head and the classifier off Lite0: what stays is the encoder, and the rest of the pyramid learns."
    )


@exercise("transfer.alignment")
def alignment(answer: object) -> str:
    """A function (x, y): linear CKA of tensors (P, C) and (P, D)."""
    if not callable(answer):
        raise Hint("A function is wanted: answer(x, y) -> a number from 0 to 1.")
    x, y = torch.randn(40, 5) + 3, torch.randn(40, 7)
    y[:, :3] += x[:, :3]
    got = answer(x.clone(), y.clone())
    if not isinstance(got, (int, float, Tensor)):
        raise Hint(f"Your function returned {type(got).__name__}; a number is wanted.")
    got = number(got)
    if close(got, _cka(x - x.mean(0), y - y.mean(0)), 1e-3):
        return "1 for maps that differ by a turn and a scale; the places decide, not the channels."
    if close(got, _cka(x, y), 1e-3):
        raise Hint(
            "Right but for the means: take each channel's mean away first, or a common offset looks like agreement."
        )
    if close(got, _cka(x - x.mean(0), y - y.mean(0)) ** 0.5, 1e-3):
        raise Hint("The numerator is the norm of the product squared; yours is its root.")
    if close(got, float(((y - y.mean(0)).T @ (x - x.mean(0))).norm() ** 2), 1e-3):
        raise Hint("That is the numerator. Divide it by the same of x with itself and of y with itself, as norms.")
    raise Hint("‖yᵀx‖² / (‖xᵀx‖ · ‖yᵀy‖), Frobenius norms, with the mean of each channel taken away first.")


def _cka(x: Tensor, y: Tensor) -> float:
    return ((y.T @ x).norm() ** 2 / ((x.T @ x).norm() * (y.T @ y).norm())).item()


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
