"""Exercises of the chapter on hypercolumns."""

import torch
from torch import Tensor

from . import Hint, choice, exercise, number


@exercise("hypercolumns.between")
def between(answer: object) -> str:
    """Where row 57 of 96 lies in a map of six rows, counted from the middle of the first."""
    value = number(answer)
    if abs(value - 3.09375) < 0.005:
        return "(57 + ½) / 16 − ½ = 3.094: nine tenths of row 3 and one of row 4."
    if abs(value - 3.5625) < 0.005:
        raise Hint("That is 57 / 16, as if places were counted from the edges. A place is the middle of its cell.")
    if abs(value - 3.59375) < 0.005:
        raise Hint("Its middle is 3.594 cells below the map's edge. How far below the middle of the first row?")
    if abs(value - 3) < 0.005:
        raise Hint("That stretches the first and the last middle onto each other: align_corners=True. Here edges meet.")
    raise Hint("A cell of the map is 96 / 6 pixels high, and row 57 has its middle at 57.5.")


@exercise("hypercolumns.grid")
def grid(answer: object) -> str:
    """How many numbers 5×5 classifiers of one class learn on columns of 4,736."""
    value = number(answer)
    if value == 118425:
        return "25 · (4,736 + 1) = 118,425 for a class, however large the box: mixing them has nothing to learn."
    if value == 118400:
        raise Hint("Each of them has a bias as well.")
    if value == 4737:
        raise Hint("That is one classifier. How many does the grid hold?")
    if value == 2500 * 4737:
        raise Hint("A classifier for each of the 50×50 places would learn that much; theirs are mixed from 5×5.")
    raise Hint("How many classifiers are there, and what does one of them learn for a column of 4,736?")


@exercise("hypercolumns.parts")
def parts(answer: object) -> str:
    """A function (weight, column, lengths): what each layer adds to the scores, (layers, K)."""
    if not callable(answer):
        raise Hint("A function is wanted: answer(weight, column, lengths) -> what each layer adds, (layers, K).")
    classes, *lengths = (int(torch.randint(low, low + 3, ())) for low in (2, 3, 7, 11))
    weight, column = torch.randn(classes, sum(lengths)), torch.randn(sum(lengths))
    got = answer(weight.clone(), column.clone(), list(lengths))
    if not isinstance(got, Tensor):
        raise Hint(f"Your function returned {type(got).__name__}; a tensor is wanted.")
    pieces = zip(weight.split(lengths, 1), column.split(lengths), strict=True)
    wanted = torch.stack([part @ values for part, values in pieces])
    if got.shape == wanted.T.shape != wanted.shape and torch.allclose(got, wanted.T, atol=1e-4):
        raise Hint("Right, but the other way round: a row for each layer, a column for each class.")
    if got.shape == (classes,) and torch.allclose(got, wanted.sum(0), atol=1e-4):
        raise Hint("That is the sum. What does each layer add to it?")
    if got.shape != wanted.shape:
        raise Hint(f"Yours is {tuple(got.shape)}, wanted is {tuple(wanted.shape)}: a row for each layer.")
    if not torch.allclose(got, wanted, atol=1e-4):
        raise Hint("Not what the layers add: cut the columns of the weight and the column itself at the same places.")
    return "The rows add up to weight @ column: a linear classifier of a column is a sum of as many smaller ones."


@exercise("hypercolumns.control")
def control(answer: object) -> str:
    """Which comparison says what an encoder's training is worth to a linear probe."""
    letter = choice(answer, "a", "b", "c", "d")
    if letter == "c":
        return "The same network before training: the same channels, the same places, the same pictures. 14 points."
    if letter == "a":
        raise Hint("Guessing one class tells what the score is worth by itself, not where the rest of it comes from.")
    if letter == "b":
        raise Hint("That one has another number of channels too, and no convolutions: more differs than training.")
    raise Hint("Another trained encoder is a rival. What would this one have scored before it was trained?")
