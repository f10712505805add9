"""Exercises of the chapter that compares all networks."""

import random

from . import Hint, close, exercise, number


@exercise("comparison.scale")
def scale(answer: object) -> str:
    """Multiply-adds at twice the height and width, from 2.5 G."""
    value = number(answer)
    if close(value, 10):
        return "Four times the positions at the same cost each: 10 G."
    if close(value, 5):
        raise Hint("Height and width both double.")
    if close(value, 2.5):
        raise Hint("The parameters stay; the number of positions at which they are used does not.")
    if close(value, 40):
        raise Hint("Sixteen would be four times the height and four times the width.")
    raise Hint("How many times as many pixels does the larger picture have?")


@exercise("comparison.paired")
def paired(answer: object) -> str:
    """Paired t of (52, 55, 54) against (51, 53, 53)."""
    value = number(answer)
    if close(value, 4):
        return "Differences 1, 2, 1: t = 4. Short of 4.30, although every seed agrees."
    if close(value, -4):
        raise Hint("The right length in the wrong direction: first minus second.")
    if close(value, 4 / 3):
        raise Hint("That is the mean difference. Divide it by its standard error.")
    if close(value, 4 / 3 / 0.57735):
        raise Hint("That is the mean over the standard deviation. The mean of n is √n times as certain.")
    if close(value, 4.89898, 0.01):
        raise Hint("Divide the squared deviations by n − 1, not by n: three values leave two degrees of freedom.")
    raise Hint("Take the three differences; then mean · √3 / standard deviation (with n − 1).")


@exercise("comparison.front")
def front(answer: object) -> str:
    """A function from (cost, score) pairs to the indices that nobody dominates."""
    if not callable(answer):
        raise Hint("A function is wanted here: it takes a list of (cost, score) pairs.")
    for _ in range(60):
        points = [(random.randint(1, 9), random.randint(1, 9)) for _ in range(random.randint(3, 8))]
        expected = {i for i, point in enumerate(points) if not _beaten(point, points)}
        given = answer(list(points))
        if given is None:
            raise Hint("Your function returns None; it should return a set of indices.")
        if set(given) == expected:
            continue
        if set(given) == {i for i, point in enumerate(points) if _beaten(point, points)}:
            raise Hint("Those are the ones that are beaten. The front holds the others.")
        best = max(score for _, score in points)
        if set(given) <= {i for i, (_, score) in enumerate(points) if score == best}:
            raise Hint("That is the best score alone. A cheaper point with a lower score can be on the front too.")
        if not set(given) <= set(range(len(points))):
            raise Hint("Return the indices of the points, not the points.")
        raise Hint(f"For {points} the front is {sorted(expected)}; your function gave {sorted(given)}.")
    return "Right, on sixty random lists."


def _beaten(point: tuple[int, int], points: list[tuple[int, int]]) -> bool:
    cost, score = point
    return any(c <= cost and s >= score and (c, s) != point for c, s in points)


@exercise("comparison.calibration")
def calibration(answer: object) -> str:
    """Expected calibration error of three bins."""
    value = number(answer)
    if close(value, 0.065):
        return "0.5 · 0.05 + 0.3 · 0 + 0.2 · 0.2 = 0.065."
    if close(value, 0.25 / 3):
        raise Hint("That is the plain mean of the gaps. Weigh each bin by its share of the pixels.")
    if close(value, 0.25):
        raise Hint("That is the sum of the gaps. Weigh each bin by its share of the pixels.")
    if close(value, 0.2):
        raise Hint("That is the largest gap, called maximum calibration error. The expected one is a mean.")
    if close(value, 6.5):
        raise Hint("In per cent, yes. As a number between 0 and 1?")
    raise Hint("Gap times share, bin by bin; then the sum.")


@exercise("comparison.temperature")
def temperature(answer: object) -> str:
    """T for which softmax((2, 1, 0) / T) gives the first class twice the second's probability."""
    value = number(answer)
    if close(value, 1.442695):
        return "exp(1/T) = 2, so T = 1/ln 2 ≈ 1.44: a little less sure than at T = 1."
    if close(value, 0.693147):
        raise Hint("That is ln 2. The logits are divided by T, so it stands below.")
    if close(value, 0.5):
        raise Hint("At T = 0.5 the ratio is e². Set exp((2 − 1)/T) equal to 2.")
    if close(value, 2):
        raise Hint("Dividing by 2 does not halve the ratio: it is exp((2 − 1)/T), here √e.")
    raise Hint("The ratio of two softmax probabilities is exp(difference of the logits / T).")
