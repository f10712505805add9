"""Likely mistakes in the exercises on hypercolumns."""

import torch


def parts(weight, column, lengths):
    """What each layer adds to the scores: a row for each."""
    pieces = zip(weight.split(lengths, 1), column.split(lengths), strict=True)
    return torch.stack([part @ values for part, values in pieces])


WRONG = {
    "hypercolumns.between": [(57 / 16, "counted from the edges"), (57.5 / 16, "the first row"), (3, "align_corners")],
    "hypercolumns.grid": [(118400, "a bias as well"), (4737, "one classifier"), (2500 * 4737, "mixed from 5×5")],
    "hypercolumns.parts": [
        (lambda *given: parts(*given).T, "other way round"),
        (lambda *given: parts(*given).sum(0), "each layer add"),
        (lambda weight, column, lengths: parts(weight, column.flip(0), lengths), "at the same places"),
    ],
    "hypercolumns.control": [("a", "Guessing one class"), ("b", "no convolutions"), ("d", "a rival")],
}
