"""Random numbers that are the same on every machine: raw Philox words, whose stream the algorithm fixes.

Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import TypeVar

import numpy as np

from .arrays import ByteArray, FloatArray

T = TypeVar("T")


class Stream(IntEnum):
    """The parts of a scene, each with random numbers of its own."""

    LOOK = 0
    PLAN = 1
    SURFACE = 2
    SKYLINE = 3
    TREES = 4
    TRAFFIC = 5
    POSTS = 6
    PEOPLE = 7
    BINS = 8
    TOUCHING = 9
    NOISE = 10
    HOUSES_LEFT = 20
    HOUSES_RIGHT = 22


class RandomStream:
    """Random numbers of one `stream` of scene `index`.

    Streams are independent, so a knob that draws more or fewer numbers from one of them leaves the rest of the scene as
    it was. The order of the draws within a stream is part of what a scene looks like.
    """

    def __init__(self, seed: int, index: int, stream: Stream) -> None:
        key = np.array([seed, index], dtype=np.uint64)
        self._bits = np.random.Philox(key=key, counter=np.array([0, 0, 0, stream], dtype=np.uint64))
        self._ready: list[float] = []

    def array(self, *shape: int) -> FloatArray:
        """Uniform numbers in [0, 1)."""
        raw = self._bits.random_raw(int(np.prod(shape)))
        return ((raw >> np.uint64(11)).astype(np.float64) / 9007199254740992.0).reshape(shape)

    def bytes(self, *shape: int) -> ByteArray:
        """Uniform integers 0-255."""
        count = int(np.prod(shape))
        return self._bits.random_raw((count + 7) // 8).astype("<u8").view(np.uint8)[:count].reshape(shape)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number in [low, high)."""
        if not self._ready:
            self._ready.extend(self.array(64).tolist())
        return low + (high - low) * self._ready.pop()

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform() < probability

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def choice(self, options: Sequence[T]) -> T:
        """One of the options; one that stands there twice is chosen twice as often."""
        return options[self.integer(0, len(options) - 1)]
