"""One measure of several networks over several seeds, so that a chapter can ask who leads whom."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Results:
    """One value for each seed of each network: `Results({"FCN-8s": [0.52, 0.53, 0.51], "FCN-32s": [0.39, 0.4, 0.37]})`.

    A network is called by its name, or by a tuple such as ("DeepLab v3", 16). The seeds stand in the same order for
    all, so that `lead` and `ratio` compare like with like. ValueError where one network has another number of values
    than the rest, or there are none.
    """

    values: Mapping[Hashable, Sequence[float]]

    def __post_init__(self) -> None:
        counts = {len(values) for values in self.values.values()}
        if len(counts) != 1 or counts == {0}:
            given = ", ".join(f"{name} {len(values)}" for name, values in self.values.items()) or "nothing"
            raise ValueError(f"every network needs the same number of values, at least one; there are: {given}")

    @classmethod
    def of(cls, runs: Mapping[Hashable, Sequence[T]], measure: Callable[[T], float]) -> "Results":
        """Measure every run: `runs` holds what each network left, one for each seed."""
        return cls({name: [float(measure(run)) for run in seeds] for name, seeds in runs.items()})

    def __getitem__(self, name: Hashable) -> list[float]:
        """The values of one network, seed by seed; KeyError that lists the networks for an unknown name."""
        if name not in self.values:
            raise KeyError(f"no network {name!r}; there are {', '.join(map(str, self.values))}")
        return list(self.values[name])

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.values)

    def by_seed(self) -> list[dict[Hashable, float]]:
        """One dictionary a seed, with the value of each network: who wins with this seed, and by how much."""
        return [dict(zip(self.values, seed, strict=True)) for seed in zip(*self.values.values(), strict=True)]

    def lead(self, better: Hashable, worse: Hashable, *more: Hashable) -> list[float]:
        """By how much one is ahead of another, or of the best of several, seed by seed; below zero where it is behind.

        Which of several is the best may differ from seed to seed.
        """
        rivals = zip(*(self[name] for name in (worse, *more)), strict=True)
        return [b - max(values) for b, values in zip(self[better], rivals, strict=True)]

    def ratio(self, one: Hashable, other: Hashable) -> list[float]:
        """How many times the other's value one has, seed by seed."""
        return [a / b for a, b in zip(self[one], self[other], strict=True)]

    def mean(self, name: Hashable) -> float:
        """The mean over the seeds."""
        return fmean(self[name])

    def sd(self, name: Hashable) -> float:
        """The sample standard deviation over the seeds; 0 for a single one."""
        return stdev(self[name]) if len(self[name]) > 1 else 0.0

    def spell(self, name: Hashable, scale: float = 100, digits: int = 1) -> str:
        """Mean ± standard deviation, in per cent unless another `scale` is given: "52.6 ± 0.4"."""
        return f"{scale * self.mean(name):.{digits}f} ± {scale * self.sd(name):.{digits}f}"

    def ranking(self) -> list[Hashable]:
        """The networks by their mean, the highest first."""
        return sorted(self.values, key=self.mean, reverse=True)

    @property
    def best(self) -> Hashable:
        """The network with the highest mean."""
        return self.ranking()[0]
