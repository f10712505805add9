"""What the chapters measure about networks: receptive fields, gridding, checkerboards, cost, memory, gradients."""

from typing import TYPE_CHECKING

from pixelwise import lazy

if TYPE_CHECKING:
    from .checkerboard import keeps_constants, overlap_counts, overlap_map, phase_sums, stride_energy
    from .cost import Cost, LayerCost, latency, profile
    from .field import ReceptiveField
    from .gradients import gradient_norms
    from .gridding import coverage, hdc_distance, valid_taps
    from .memory import peak_memory
    from .receptive_field import (
        effective_size,
        gradient_map,
        gradient_support,
        receptive_field,
        receptive_fields,
        stack_receptive_field,
    )

__all__ = [
    "Cost",
    "LayerCost",
    "ReceptiveField",
    "coverage",
    "effective_size",
    "gradient_map",
    "gradient_norms",
    "gradient_support",
    "hdc_distance",
    "keeps_constants",
    "latency",
    "overlap_counts",
    "overlap_map",
    "peak_memory",
    "phase_sums",
    "profile",
    "receptive_field",
    "receptive_fields",
    "stack_receptive_field",
    "stride_energy",
    "valid_taps",
]

lazy.attach(__name__)
