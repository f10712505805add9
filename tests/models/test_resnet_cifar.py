"""The CIFAR family against the paper's numbers. Parity of ResNet-14 A and B: test_parity.py."""

import pytest
import torch
from torch.nn import functional as F

from pixelwise.models.resnet_cifar import CifarResNet
from tests.models.counting import parameters, skeleton

PAPER_MILLIONS = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7, 1202: 19.4}  # table 6


@pytest.mark.parametrize("depth", PAPER_MILLIONS)
def test_parameters_are_the_papers(depth):
    count = parameters(skeleton(CifarResNet, depth))
    assert count / 1e6 == pytest.approx(PAPER_MILLIONS[depth], abs=0.005 if depth < 100 else 0.05)


@pytest.mark.parametrize("depth", [20, 56])
def test_plain_and_residual_have_the_same_parameters(depth):
    plain, residual = skeleton(CifarResNet, depth, residual=False), skeleton(CifarResNet, depth)
    assert {k: v.shape for k, v in plain.state_dict().items()} == {k: v.shape for k, v in residual.state_dict().items()}
    projections = parameters(skeleton(CifarResNet, depth, shortcuts="B")) - parameters(residual)
    assert projections == 16 * 32 + 32 * 64 + 2 * (32 + 64)


def test_depth_counts_the_layers_with_weights():
    network = skeleton(CifarResNet, 56)
    assert sum(p.ndim >= 2 for p in network.parameters()) == 56


@pytest.mark.parametrize("options", [{}, {"batch_norm": False}, {"preactivation": True}], ids=str)
def test_zero_initialised_block_is_its_shortcut(options):
    network, x = CifarResNet(14, zero_init_residual=True, width=4, **options).eval(), torch.rand(2, 4, 8, 8)
    assert torch.equal(network.layer1[1](x), x)
    halved = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 4))
    torch.testing.assert_close(network.layer2[0](x), halved, rtol=1e-4, atol=0)  # BN divides by √(1 + eps)


def test_preactivation_by_hand():
    """Figure 4e: norm, ReLU, weight, norm, ReLU, weight, sum, and nothing after it."""
    torch.manual_seed(0)
    block = CifarResNet(8, width=4, preactivation=True).layer1[0]
    x = torch.randn(3, 4, 6, 6)
    first = F.conv2d(F.relu(F.batch_norm(x, None, None, training=True)), block.conv1.weight, padding=1)
    second = F.conv2d(F.relu(F.batch_norm(first, None, None, training=True)), block.conv2.weight, padding=1)
    torch.testing.assert_close(block.train()(x), x + second)


def test_without_batch_norm_there_are_biases_and_no_statistics():
    network = CifarResNet(8, batch_norm=False)
    assert network.conv1.bias is not None
    assert not list(network.buffers())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((21,), r"depth is 21.*6n \+ 2.*20"), ((2,), "depth is 2"), ((20, "C"), "shortcuts are 'C'")],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CifarResNet(arguments[0], shortcuts=arguments[1] if len(arguments) > 1 else "A")
