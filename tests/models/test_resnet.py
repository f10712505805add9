"""ResNet against the paper's numbers, and the switches that torchvision does not have. Parity: test_parity.py."""

import pytest
import torch
from torchvision import models as theirs

from pixelwise.models import resnet
from pixelwise.models.resnet import BasicBlock, Bottleneck, ResNet
from tests.models.counting import multiply_adds, parameters, skeleton
from tests.models.parity import blank, randomise

MILLIONS = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}
PAPER_GIGA = {18: 1.8, 34: 3.6, 50: 3.8, 101: 7.6, 152: 11.3}  # table 1


@pytest.mark.parametrize("depth", MILLIONS)
def test_parameters_are_torchvisions(depth):
    ours, reference = (skeleton(getattr(where, f"resnet{depth}")) for where in (resnet, theirs))
    assert parameters(ours) == parameters(reference) == MILLIONS[depth]
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in reference.state_dict().items()}


@pytest.mark.parametrize("depth", PAPER_GIGA)
def test_multiply_adds_are_the_papers(depth):
    build = getattr(resnet, f"resnet{depth}")
    network = skeleton(build, v1=True) if depth >= 50 else skeleton(build)
    assert multiply_adds(network) / 1e9 == pytest.approx(PAPER_GIGA[depth], rel=0.025)


def test_blocks_have_the_papers_weights():
    def convolutions(block):
        return sum(p.numel() for p in block.parameters() if p.ndim == 4)

    assert convolutions(BasicBlock(64, 64)) == 73_728
    assert convolutions(Bottleneck(256, 64)) == 69_632
    assert convolutions(Bottleneck(256, 64, stride=2)) == 135_168  # a projection doubles it


def test_v1_has_the_same_parameters_and_another_function():
    torch.manual_seed(0)
    default = resnet.resnet50().eval()
    paper = blank(resnet.resnet50, v1=True).eval()
    paper.load_state_dict(default.state_dict())
    images = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        expected, got = default(images), paper(images)
    assert 1e-3 < (got - expected).abs().max() / expected.abs().max() < 0.5


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
@pytest.mark.parametrize("output_stride", [8, 16])
def test_dilated_map_holds_the_strided_one(block, output_stride):
    """Dilation instead of stride computes the same map and the positions between; unless the first block dilates."""
    strided, dilated, smp_style = (
        blank(ResNet, block, (1, 2, 2, 2), width=8, num_classes=None, **options).double().eval()
        for options in (
            {},
            {"output_stride": output_stride},
            {"output_stride": output_stride, "dilate_first_block": True},
        )
    )
    randomise(strided)
    dilated.load_state_dict(strided.state_dict())
    smp_style.load_state_dict(strided.state_dict())
    images, step = torch.randn(1, 3, 75, 64, dtype=torch.float64), 32 // output_stride
    with torch.no_grad():
        coarse, fine, other = (network.features(images)[-1] for network in (strided, dilated, smp_style))
    assert fine.shape[-2:] == ((10, 8) if output_stride == 8 else (5, 4))
    torch.testing.assert_close(fine[:, :, ::step, ::step], coarse, rtol=1e-12, atol=1e-12)
    assert (other - fine).abs().max() > 1e-3 * fine.abs().max()


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_zero_initialised_block_is_the_identity(block):
    network = ResNet(block, (2, 2, 2, 2), width=8, zero_init_residual=True).eval()
    features = torch.rand(2, network.channels[1], 9, 9)  # after a ReLU, so not negative
    assert torch.equal(network.layer1[1](features), features)


def test_output_stride_is_checked():
    with pytest.raises(ValueError, match="output_stride is 4, but a ResNet offers 8, 16 and 32"):
        resnet.resnet18(output_stride=4)
