"""Calibration against cases that are known: a coin that is what it says, and logits that were scaled."""

import pytest
import torch

from pixelwise.evaluation.calibration import fit_temperature, reliability


def honest_logits(count=200_000, scale=1.0):
    """Logits of three classes whose softmax is the very distribution from which the targets are drawn; then scaled."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(count, 3, generator=generator)
    targets = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    return logits * scale, targets


def test_an_honest_network_has_no_calibration_error():
    assert reliability(*honest_logits()).error < 0.005


def test_a_loud_network_is_less_right_than_sure_and_its_temperature_is_found():
    logits, targets = honest_logits(scale=2.5)
    table = reliability(logits, targets)
    assert table.error > 0.05
    assert (table.accuracy[4:] < table.confidence[4:]).all()
    temperature = fit_temperature(logits, targets)
    assert temperature == pytest.approx(2.5, rel=0.02)
    assert reliability(logits / temperature, targets).error < 0.005


def test_by_hand():
    """Four pixels, one of them void: confidences 0.9 (right), 0.6 (wrong), 0.9 (right)."""
    logits = torch.tensor([[0.9, 0.6, 0.9, 0.5], [0.1, 0.4, 0.1, 0.5]]).log()[None]
    table = reliability(logits, torch.tensor([[0, 1, 0, 255]]), bins=5)
    assert table.share.tolist() == pytest.approx([0, 0, 0, 1 / 3, 2 / 3])
    assert table.accuracy[3:].tolist() == [0, 1]
    assert table.error == pytest.approx((0.6 + 2 * 0.1) / 3)


def test_all_void_is_refused():
    with pytest.raises(ValueError, match="all are void"):
        reliability(torch.zeros(1, 2, 4), torch.full((1, 4), 255))
