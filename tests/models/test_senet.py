"""Squeeze-and-excitation. Parity of an SE-ResNet: test_parity.py."""

import pytest
import torch

from pixelwise.models.blocks import SqueezeExcitation
from pixelwise.models.resnet import resnet50
from pixelwise.models.senet import squeeze_and_excite
from pixelwise.models.vgg import vgg16
from tests.models.counting import multiply_adds, parameters, skeleton


def test_parameters_are_the_papers():
    plain, gated = skeleton(resnet50), squeeze_and_excite(skeleton(resnet50))
    added = {k: v for k, v in gated.named_parameters() if ".gate." in k}
    assert sum(v.numel() for v in added.values() if v.ndim == 4) == 2_514_944  # without biases, as the paper counts
    assert parameters(gated) - parameters(plain) == 2_514_944 + 16_048


def test_multiply_adds_grow_by_a_hundredth_of_a_giga():
    plain = multiply_adds(skeleton(resnet50, v1=True))
    with torch.device("meta"):
        gated = multiply_adds(squeeze_and_excite(resnet50(v1=True)))
    assert plain / 1e9 == pytest.approx(3.86, rel=0.01)
    assert 0 < (gated - plain) / 1e9 < 0.01


def test_saturated_gate_is_the_identity():
    gate = SqueezeExcitation(8, 2)
    torch.nn.init.zeros_(gate.fc2.weight)
    torch.nn.init.constant_(gate.fc2.bias, 100.0)
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(gate(x), x)


def test_gate_is_the_papers_formula():
    """s = σ(W₂ δ(W₁ z)) with z the channel means, by plain matrix products."""
    gate, x = SqueezeExcitation(8, 2).double(), torch.randn(2, 8, 5, 5, dtype=torch.float64)
    hidden = (x.mean((2, 3)) @ gate.fc1.weight[:, :, 0, 0].T + gate.fc1.bias).clamp(min=0)
    s = torch.sigmoid(hidden @ gate.fc2.weight[:, :, 0, 0].T + gate.fc2.bias)
    torch.testing.assert_close(gate(x), x * s[:, :, None, None])


def test_networks_without_a_free_gate_are_refused():
    with pytest.raises(ValueError, match="VGG has no residual block"):
        squeeze_and_excite(vgg16(width=4, num_classes=2))
    gated = squeeze_and_excite(skeleton(resnet50))
    with pytest.raises(ValueError, match="without a gate"):
        squeeze_and_excite(gated)
