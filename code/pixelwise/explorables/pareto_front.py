"""Pareto front: what networks cost against what they bring, under a price, a score and a budget of one's choice."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from traitlets import Int, List, TraitError, Unicode, validate

from .. import figures
from .host import Explorable


class ParetoFront(Explorable):
    """Recorded networks with their prices and their scores of each seed."""

    name = "pareto-front"
    caption = "Pareto front: choose what you pay with, what you want and what you can spend, and see who is left."

    networks = List(help="of each network its name, prices by name and scores by name, a value a seed").tag(state=True)
    price = Unicode(help="name of the price").tag(state=True)
    score = Unicode(help="name of the score").tag(state=True)
    budget = Int(100, min=0, max=100, help="place on the logarithmic axis of prices, per cent").tag(state=True)

    def __init__(
        self,
        prices: Mapping[str, Mapping[str, float]],
        scores: Mapping[str, Mapping[str, Sequence[float]]],
        **state: Any,
    ) -> None:
        """Take prices {network: {price: number > 0}} and scores {network: {score: values in 0-1, one a seed}}."""
        if not prices or prices.keys() != scores.keys():
            raise ValueError(
                f"prices are of {list(prices)}, scores of {list(scores)}: expected the same networks, one or more"
            )
        kinds = [(set(prices[name]), set(scores[name])) for name in prices]
        if any(kind != kinds[0] for kind in kinds) or not all(kinds[0]):
            raise ValueError("every network needs the same prices and the same scores, at least one of each")
        if min(value for row in prices.values() for value in row.values()) <= 0:
            raise ValueError("a price is 0 or less, which has no place on a logarithmic axis")
        networks = [
            {
                "name": name,
                "prices": {key: float(f"{value:.4g}") for key, value in prices[name].items()},
                "scores": {key: [round(float(value), 4) for value in values] for key, values in scores[name].items()},
            }
            for name in prices
        ]
        first = {"price": next(iter(networks[0]["prices"])), "score": next(iter(networks[0]["scores"]))}
        super().__init__(**{"networks": networks} | first | state)

    @validate("price", "score")
    def _known(self, proposal: Mapping[str, Any]) -> str:
        known = list(self.networks[0]["prices" if proposal["trait"].name == "price" else "scores"])
        if proposal["value"] not in known:
            raise TraitError(f"{proposal['trait'].name} is {proposal['value']!r}, expected one of {', '.join(known)}")
        return proposal["value"]

    @property
    def points(self) -> dict[str, tuple[float, float]]:
        """Price and mean score in per cent of each network."""
        return {
            network["name"]: (network["prices"][self.price], 100 * statistics.fmean(network["scores"][self.score]))
            for network in self.networks
        }

    def numbers(self) -> dict[str, Any]:
        """The networks on the front, what the budget is, and the best network within it."""
        points = self.points
        costs = [cost for cost, _ in points.values()]
        limit = min(costs) * (max(costs) / min(costs)) ** (self.budget / 100) if self.budget < 100 else max(costs)
        open_to = [name for name, (cost, _) in points.items() if cost <= limit]
        front = [
            name
            for name, (cost, score) in points.items()
            if not any(c <= cost and s >= score and (c, s) != (cost, score) for c, s in points.values())
        ]
        return {"front": front, "limit": limit, "best": min(open_to, key=lambda n: (-points[n][1], points[n][0]))}

    def picture(self) -> figures.Card:
        scores = {network["name"]: network["scores"][self.score] for network in self.networks}
        return figures.pareto(
            {name: (cost, scores[name]) for name, (cost, _) in self.points.items()},
            x=self.price,
            y=self.score,
            log=True,
            percent=True,
        )

    def alt(self) -> str:
        numbers = self.numbers()
        return (
            f"{self.score} against {self.price} of {len(self.networks)} networks. On the Pareto front: "
            f"{', '.join(numbers['front'])}. Best of all: {numbers['best']}."
        )
