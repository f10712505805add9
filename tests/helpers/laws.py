"""What the property tests share: how many examples a law is tried on, random tensors, and how close is equal.

By default the examples are the same in every run. LAW_EXAMPLES=2000 searches that many new ones for each law.
"""

import os

import torch
from hypothesis import HealthCheck, settings

_search = int(os.environ.get("LAW_EXAMPLES", 0))
law = settings(
    max_examples=_search or 80,
    derandomize=not _search,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
heavy_law = settings(law, max_examples=_search or 30)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    """Standard normal float64 values, the same for the same seed."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def assert_equal(actual: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-12) -> None:
    """Same shape, and the largest difference at most `tolerance` of the largest expected value (or of one)."""
    assert actual.shape == expected.shape, f"{tuple(actual.shape)} instead of {tuple(expected.shape)}"
    if expected.numel():
        error = (actual - expected).abs().max() / expected.abs().max().clamp(min=1)
        assert error <= tolerance, f"relative error {error:.2e} exceeds {tolerance:.0e}"
