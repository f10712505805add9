"""Self-attention by hand: six tokens of a street, who reads whom, and what their order does to the answers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from traitlets import Enum, Int, TraitError, Unicode, validate

from .. import figures
from .host import Explorable

NAMES = ("sky a", "sky b", "tree c", "car d", "road e", "road f")
LIKE, OPPOSITE = ASKS_FOR = ("its like", "its opposite")
NONE, ADDED = POSITIONS = ("not told", "added")
ORDERS = {"as they stand": (0, 1, 2, 3, 4, 5), "shifted by one": (5, 0, 1, 2, 3, 4), "shuffled": (3, 0, 5, 2, 4, 1)}
"""The token at each place."""
RADIUS = 2.5
"""Of the circle on which the positions lie."""
COLOURS = {"sky": "#9fd3ee", "tree": "#2f7d5b", "car": "#4866ff", "road": "#8c8798"}
"""Of the tokens, as in the front end."""


class SelfAttention(Explorable):
    """Six tokens that hold two numbers each, in a row of places: a layer of attention beside a convolution."""

    name = "self-attention"
    caption = "Self-attention by hand: move a token, see what it reads, then shuffle the places."

    tokens = Unicode("9 2 8 3 2 9 6 7 3 1 1 3", help="brightness and roughness of each, 0 to 10").tag(state=True)
    asks = Int(4, min=0, max=5, help="the token whose weights are shown").tag(state=True)
    sharpness = Int(2, min=0, max=10, help="of the queries, in tenths").tag(state=True)
    wants = Enum(ASKS_FOR, LIKE, help="what a query looks for").tag(state=True)
    positions = Enum(POSITIONS, NONE, help="whether they are added to the tokens").tag(state=True)
    order = Enum(tuple(ORDERS), "as they stand", help="of the places").tag(state=True)

    @validate("tokens")
    def _twelve_numbers(self, proposal: Mapping[str, Any]) -> str:
        words = proposal["value"].split(" ")
        if len(words) != 12 or not all(word.isdecimal() and int(word) <= 10 for word in words):
            raise TraitError(f"tokens is {proposal['value']!r}, expected twelve whole numbers from 0 to 10")
        return proposal["value"]

    def layers(self, order: str) -> dict[str, torch.Tensor]:
        """What PyTorch makes of the tokens with their places in an order, token by token.

        "held" (6, 2) is what attention is given, "weights" (6, 6) are its own, "attention" and "convolution" (6, 2) the
        answers.
        """
        held = torch.tensor([float(word) for word in self.tokens.split(" ")], dtype=torch.float64).view(6, 2) - 5
        tokens, places = held, torch.tensor(ORDERS[order]).argsort()
        if self.positions == ADDED:
            angles = 2 * torch.pi * places.double() / 6
            held = tokens + RADIUS * torch.stack([angles.cos(), angles.sin()], 1)
        queries = (1 if self.wants == LIKE else -1) * self.sharpness / 10 * held
        row = F.pad(tokens[list(ORDERS[order])].T[:, None], (1, 1), mode="circular")
        taps = torch.tensor([[[0.25, 0.5, 0.25]]], dtype=torch.float64)
        return {
            "held": held,
            "weights": F.scaled_dot_product_attention(queries[None], held[None], torch.eye(6).double()[None])[0],
            "attention": F.scaled_dot_product_attention(queries[None], held[None], held[None])[0],
            "convolution": F.conv1d(row, taps)[:, 0].T[places],
        }

    def numbers(self) -> dict[str, Any]:
        """The weights of the token that asks, and how much the order changes all answers, as a part of their length."""
        before, now = self.layers("as they stand"), self.layers(self.order)
        changed = {
            kind: ((now[kind] - before[kind]).norm() / before[kind].norm().clamp_min(1e-12)).item()
            for kind in ("attention", "convolution")
        }
        return {"weights": now["weights"][self.asks].tolist(), **changed}

    def stands(self) -> str:
        """Where the token that asks stands: at which place of the row, and what it holds."""
        place, held = ORDERS[self.order].index(self.asks) + 1, self.layers(self.order)["held"][self.asks]
        above = 1e-9  # a half is rounded up, here as in the front end
        brightness, roughness = (f"{v + above:.1f}".removesuffix(".0").replace("-", "−") for v in held.tolist())
        return f"{NAMES[self.asks]}: place {place}, bright {brightness}, rough {roughness}"

    @figures.style()
    def picture(self) -> figures.Card:
        card, (plane, row) = figures.panels(1, 2, width=6.4, height=3.1, width_ratios=(2, 3))
        layers, weights = self.layers(self.order), self.numbers()["weights"]
        held, answer = layers["held"].numpy(), layers["attention"][self.asks]
        for token, (x, y) in enumerate(held):
            plane.plot(
                [held[self.asks][0], x], [held[self.asks][1], y], color=figures.SERIES[0], lw=10 * weights[token]
            )
            plane.plot(x, y, "o", mfc=COLOURS[NAMES[token][:-2]], mec="#1d1f24", ms=9)
            plane.annotate("abcdef"[token], (x, y), (0, 7), textcoords="offset points", ha="center")
        plane.plot(*held[self.asks], "o", mfc="none", mec="#1d1f24", ms=15, mew=2)
        plane.plot(*answer, "D", color=figures.SERIES[0], ms=9)
        limits = (-8, 8) if self.positions == ADDED else (-6, 6)
        plane.set(xlim=limits, ylim=limits, xticks=[-5, 0, 5], yticks=[-5, 0, 5], xlabel="bright", ylabel="rough")
        plane.set_title(self.stands().replace(": ", ":\n"), fontweight="normal")
        tokens = ORDERS[self.order]
        row.bar(np.arange(6), [100 * weights[token] for token in tokens], 0.5, color=figures.SERIES[0])
        row.set_xticks(range(6), [NAMES[token].replace(" ", "\n") for token in tokens])
        row.set_ylabel("weight (%)")
        row.set_title(f"by which weights\n{NAMES[self.asks]} reads the six", fontweight="normal")
        return card

    def alt(self) -> str:
        numbers = self.numbers()
        read = ", ".join(f"{100 * w:.0f} % of {name}" for name, w in zip(NAMES, numbers["weights"], strict=True))
        return (
            f"Six tokens of a street, places {self.order}, positions {self.positions}. "
            f"The one that asks is {self.stands()}. It reads {read}. "
            f"Against the first order attention's answers change by {numbers['attention']:.0%}, those of a convolution "
            f"of three taps by {numbers['convolution']:.0%}."
        )
