"""The colours of one scene."""

from collections.abc import Sequence
from dataclasses import dataclass

from .colours import ASPHALT, CLOTHES, FACADES, GRASS, LEAVES, PAINTS, Colour, mix
from .rng import RandomStream


@dataclass(frozen=True)
class SharedColours:
    """Colours that all classes have in common, and how far (0-1) each class's own are drawn towards them."""

    colours: Sequence[Colour]
    overlap: float

    def tone(self, rng: RandomStream, colours: Sequence[Colour]) -> Colour:
        """One of these colours, drawn towards one of the shared ones."""
        own = rng.choice(colours)
        return mix(own, rng.choice(self.colours), self.overlap)


@dataclass(frozen=True)
class ColourScheme:
    """What is coloured alike throughout a scene; `shared` gives everything else its tone."""

    shared: SharedColours
    asphalt: Colour
    leaves: Sequence[Colour]
    grass: Colour
    facades: Sequence[Colour]

    def tone(self, rng: RandomStream, colours: Sequence[Colour]) -> Colour:
        """One of these colours, drawn towards the colours that all classes share."""
        return self.shared.tone(rng, colours)


def choose_scheme(rng: RandomStream, overlap: float) -> ColourScheme:
    """The colours of a scene, drawn towards each other by `overlap`, 0-1."""
    shared = SharedColours([rng.choice(PAINTS + CLOTHES + ASPHALT) for _ in range(8)], overlap)
    return ColourScheme(
        shared=shared,
        asphalt=shared.tone(rng, ASPHALT),
        leaves=rng.choice(LEAVES),
        grass=shared.tone(rng, GRASS),
        facades=rng.choice(FACADES),
    )
