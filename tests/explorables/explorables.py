"""Explorables as a chapter makes them; those that need recorded data get made-up scores and features of its shapes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anywidget
import numpy as np
from numpy.typing import NDArray

from pixelwise import explorables
from pixelwise.data import streets


def make(name: str, **state: object) -> anywidget.AnyWidget:
    """An explorable by the name of its class."""
    arguments = ARGUMENTS[name]() if name in ARGUMENTS else ()
    return getattr(explorables, name)(*arguments, **STATES.get(name, {}) | state)


def fcn_skips(seed: int = 0) -> tuple[NDArray[Any], ...]:
    """Scores as of an FCN-8s on a scene: the truth, blurred by each level's stride, and noise."""
    image, labels = streets.generate(seed, seed=3, size=(96, 128))
    rng = np.random.default_rng(seed)
    truth = np.stack([labels == label for label in range(11)]).astype(np.float32)
    levels: list[NDArray[np.float32]] = []
    previous = np.zeros((11, 12, 16), np.float32)
    for stride in (32, 16, 8):
        coarse = truth.reshape(11, 96 // stride, stride, 128 // stride, stride).mean((2, 4))
        carried = coarse.repeat(stride // 8, 1).repeat(stride // 8, 2)
        levels.append(9 * (carried - previous) + 0.4 * rng.standard_normal(previous.shape).astype(np.float32))
        previous = carried
    return np.stack(levels), labels, image


def hypercolumn_probe(seed: int = 0) -> tuple[NDArray[Any], list[tuple[str, int]], NDArray[Any], NDArray[Any]]:
    """Features at stride 4 as of five layers: colours in the fine ones, what the place is in the coarse ones."""
    image, labels = streets.generate(seed, seed=3, size=(96, 128))
    rng = np.random.default_rng(seed)
    colour = image.reshape(3, 24, 4, 32, 4).mean((2, 4)) / 255
    labels = labels[2::4, 2::4]
    kind = np.stack([labels == label for label in range(11)]).astype(float)
    layers: list[tuple[str, int]] = []
    features: list[NDArray[np.float64]] = []
    for i, stride in enumerate((2, 4, 8, 16, 32)):
        signal = np.concatenate([(4 - i) * colour, i * kind])
        mixed = np.tensordot(rng.standard_normal((8, len(signal))), signal, 1) + 0.5 * rng.standard_normal((8, 24, 32))
        mixed -= mixed.mean((1, 2), keepdims=True)
        features.append(mixed / np.sqrt(mixed.var((1, 2)).sum()))
        layers.append((f"stride {stride}", 8))
    return np.concatenate(features), layers, labels, image


def skip_or_not(
    seed: int = 0,
) -> tuple[dict[tuple[str, int, bool], list[list[float]]], dict[tuple[str, int], list[list[float]]]]:
    """Gradients and losses as of plain and residual networks of three depths, two of them trained."""
    rng = np.random.default_rng(seed)
    gradients: dict[tuple[str, int, bool], list[list[float]]] = {}
    losses: dict[tuple[str, int], list[list[float]]] = {}
    for kind, base in (("plain", 1.12), ("residual", 1.01)):
        for depth in (8, 32, 56):
            for normalised in (True, False):
                growth = base if normalised else 0.85
                norms = growth ** np.arange(depth - 1)[::-1]
                gradients[kind, depth, normalised] = (norms * rng.uniform(0.5, 2, (3, 1))).tolist()
            if depth < 56:
                end = 1.3 if (kind, depth) == ("plain", 32) else 0.6
                curve = end + (2.4 - end) * np.exp(-np.arange(172) / 30)
                losses[kind, depth] = (curve + 0.05 * rng.random((3, 172))).tolist()
    return gradients, losses


def pareto_front(seed: int = 0) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, list[float]]]]:
    """Prices over three orders of magnitude and scores of three seeds, of seven networks."""
    rng = np.random.default_rng(seed)
    names = [f"net {letter}" for letter in "ABCDEFG"]
    prices = {
        name: {"multiply-adds (G)": 10 ** rng.uniform(-1, 2), "memory (MB)": rng.uniform(5, 90)} for name in names
    }
    scores = {
        name: {key: (rng.uniform(0.3, 0.7) + rng.normal(0, 0.01, 3)).tolist() for key in ("mean IoU", "pole")}
        for name in names
    }
    return prices, scores


@dataclass(frozen=True)
class Claim:
    """A claim as a chapter has asserted it."""

    sentence: str = "Poles gain less than 12 points"
    state: str = "holds"
    name: str = "poles-gain-less-than-points"
    detail: str = "measured 8.5, 9.2, 7.9; at most 12 for every seed; streets"


QUESTION: dict[str, Any] = {
    "measured": [8.5, 9.2, 7.9],
    "unit": "points of pole IoU",
    "scale": (0, 60),
    "verdict": "Ten times as many poles bring less than twelve points.",
    "not_shown": "another network may gain more.",
    "claims": [Claim()],
}

CURVE: dict[str, Any] = QUESTION | {
    "over": ("layers", [8, 20, 32, 56]),
    "measured": {"seed 0": [0.8, 0.4, 0.1, 0.05], "seed 1": [0.9, 0.5, 0.2, 0.15]},
    "unit": "cosine",
    "scale": (0, 1),
    "verdict": "It falls.",
}

STATES: dict[str, dict[str, Any]] = {"Curve": CURVE, "Question": QUESTION}

ARGUMENTS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "Curve": lambda: ("agreement", "How does the agreement of two batches change with depth?"),
    "FcnSkips": fcn_skips,
    "HypercolumnProbe": hypercolumn_probe,
    "ParetoFront": pareto_front,
    "Question": lambda: ("poles-gain", "How much do poles gain when there are ten times as many?"),
    "SkipOrNot": skip_or_not,
}
