"""Exercises of the chapter on the task, the data and the metrics."""

import math

import torch

from ..evaluation import metrics
from . import Hint, close, exercise, number


@exercise("segmentation.all_road")
def all_road(answer: object) -> str:
    """Mean IoU of the predictor that calls everything road, at a road share of 33 % (11 classes, all present)."""
    value = number(answer)
    if close(value, 0.03, 0.02):
        return "Road itself scores 0.33, the ten other classes score 0: the mean is 0.33 / 11 = 0.03."
    if close(value, 0.33, 0.02):
        raise Hint("0.33 is the pixel accuracy, and the IoU of road alone. The mean counts ten more classes.")
    if close(value, 0.33 / 12, 0.02):
        raise Hint("You divided by twelve: void is not a class, and nothing is scored on it.")
    if close(value, 3.0, 0.02):
        raise Hint("That is a percentage; give the fraction.")
    raise Hint("IoU of road first: intersection = road pixels, union = all pixels. Then the mean over 11.")


@exercise("segmentation.micro_iou")
def micro_iou(answer: object) -> str:
    """Micro IoU of a prediction whose pixel accuracy is 85 %."""
    value = number(answer)
    accuracy = 0.85
    if close(value, accuracy / (2 - accuracy)):
        return "0.85 / 1.15 = 0.739: a wrong pixel is a false positive of one class and a miss of another."
    if close(value, accuracy):
        raise Hint("0.85 is the accuracy. In the union each wrong pixel counts twice: once for each of two classes.")
    if close(value, 2 * accuracy / (1 + accuracy)):
        raise Hint("You turned the fraction round: 2a / (1 + a) makes a Dice score from an IoU.")
    if close(value, accuracy / 2):
        raise Hint("Target and prediction count 200 pixels together, but the 85 in common belong to the union once.")
    raise Hint("Take 100 pixels, 85 right. Add up TP, FP and FN over all classes: how many of each are there?")


@exercise("segmentation.dice")
def dice(answer: object) -> str:
    """A function that turns IoU into Dice."""
    if not callable(answer):
        raise Hint("A function is wanted: dice(iou) -> Dice score.")
    for _ in range(5):
        confusion = torch.randint(1, 50, (11, 11))
        iou, wanted = metrics.class_iou(confusion), metrics.dice(confusion)
        got = torch.as_tensor(answer(iou), dtype=torch.float64)
        if got.shape != wanted.shape:
            raise Hint(f"For {len(iou)} classes your function returned shape {tuple(got.shape)}: one Dice score each.")
        if torch.allclose(got, iou.double() / (2 - iou.double())):
            raise Hint("That is the way back, from Dice to IoU. Dice is never smaller than IoU.")
        if torch.allclose(got, 2 * iou.double()):
            raise Hint("2·IoU can exceed 1. The denominator changes too: Dice counts the intersection twice in it.")
        if not torch.allclose(got, wanted.double(), rtol=1e-5):
            raise Hint("With I and U: IoU = I / U, and Dice = 2I / (U + I). Divide the second by U.")
    return "Dice = 2·IoU / (1 + IoU): a growing function, so both rank two predictions of one class alike."


@exercise("segmentation.absent_class")
def absent_class(answer: object) -> str:
    """Mean IoU of [0.9, 0.6, absent from prediction and target]."""
    value = number(answer)
    if close(value, 0.75):
        return "The absent class is undefined (0 / 0) and left out: (0.9 + 0.6) / 2."
    if close(value, 0.5):
        raise Hint("You counted the absent class as 0: a punishment for something nobody could get wrong.")
    if close(value, 2.5 / 3):
        raise Hint("You counted the absent class as 1 (zero_division=1): a reward for something nobody had to find.")
    if close(value, 1.5):
        raise Hint("That is the sum. Divide it by the number of classes that have an IoU.")
    raise Hint("The third class has no pixel in the target and none in the prediction: its IoU is 0 / 0.")


@exercise("segmentation.pole_shift")
def pole_shift(answer: object) -> str:
    """IoU of a pole two pixels wide, predicted perfectly but one pixel to the right."""
    value = number(answer)
    if close(value, 1 / 3):
        return "One column in common, three in the union: 1/3. A wide road would hardly notice the shift."
    if close(value, 0.5):
        raise Hint("Half of the pole is found, but the union has grown as well: count its columns.")
    if math.isclose(value, 0.0):
        raise Hint("Two columns each, shifted by one: one column is still shared.")
    if close(value, 0.25):
        raise Hint("The union holds the shared column once: 2 + 2 counts it twice.")
    raise Hint("Draw four columns. Mark the target on 1-2 and the prediction on 2-3; count common and marked columns.")
