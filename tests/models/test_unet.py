"""U-Net: the padded form against smp.Unet, the valid form against the figure of the paper."""

import pytest
import torch

from pixelwise.models.unet import ContractingPath, UNet, ValidUNet, is_valid_size, nearest_valid_sizes
from tests.models.dense_references import PAIRS
from tests.models.parity import assert_parity

COUNTS = {"resnet18": 14_328_209, "resnet34": 24_436_369, "resnet50": 32_521_105}


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(("size", "train"), [((33, 47), True), ((96, 64), False)], ids=["train", "eval"])
@pytest.mark.parametrize("name", COUNTS)
def test_parity_with_smp(name, size, train, record_property):
    pair = PAIRS[f"smp.Unet {name}"]
    network = pair.ours()
    parity = assert_parity(network, pair.reference(), size, train=train)
    assert parameters(network) == COUNTS[name]
    record_property("parity", (f"smp.Unet {name}", parity.worst))


def test_the_paper_s_figure():
    """572 in, 388 out, 31.03 million parameters, 23 convolutions; on the meta device, which computes shapes alone."""
    with torch.device("meta"):
        network = ValidUNet()
        assert network(torch.empty(1, 1, 572, 572)).shape == (1, 2, 388, 388)
    assert parameters(network) == 31_030_658
    assert sum(isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d) for m in network.modules()) == 23


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_valid_sizes_are_those_that_pass_through(depth):
    """Run every size: exactly where is_valid_size says so, every pooled map is even and logits come out."""

    def passes(size):
        side = size
        for _ in range(depth):
            side -= 4
            if side < 2 or side % 2:
                return False
            side //= 2
        side -= 4
        for _ in range(depth):
            side = 2 * side - 4
        return side > 0 and size - side == 12 * 2**depth - 8

    sizes = range(12 * 2**depth + 3 * 2**depth)
    assert [s for s in sizes if is_valid_size(s, depth)] == [s for s in sizes if passes(s)]


def test_valid_sizes_of_the_paper_s_depth():
    assert [s for s in range(260) if is_valid_size(s)] == [188, 204, 220, 236, 252]
    assert is_valid_size(572)
    assert not is_valid_size(140)  # 12 mod 16, but nothing would be left of it
    assert nearest_valid_sizes(572) == [572]
    assert nearest_valid_sizes(512) == [508, 524]
    assert nearest_valid_sizes(100) == [188]


@pytest.mark.parametrize("sides", [(60, 44), (44, 60)])
def test_a_size_that_does_not_fit_names_the_nearest(sides):
    network = ValidUNet(3, 2, width=2, depth=2)
    assert network(torch.zeros(1, 3, *sides)).shape == (1, 2, sides[0] - 40, sides[1] - 40)
    with pytest.raises(ValueError, match=r"image side of 58 does not fit.*56 or 60"):
        network(torch.zeros(1, 3, 58, 60))
    with pytest.raises(ValueError, match=r"image side of 20 does not fit.*are 44$"):
        network(torch.zeros(1, 3, 60, 20))


def test_overlapping_tiles_make_the_whole_image():
    """Valid convolutions: tiles at offsets that are multiples of the pools' stride give the whole image's logits."""
    torch.manual_seed(0)
    network = ValidUNet(1, 2, width=4, depth=2).double().eval()
    image = torch.randn(1, 1, 76, 60, dtype=torch.float64)
    with torch.no_grad():
        whole = network(image)  # (1, 2, 36, 20)
        top, left = network(image[..., :60, :52]), network(image[..., 16:, 8:])
        askew = network(image[..., 2:62, :])
    torch.testing.assert_close(top, whole[..., :20, :12], rtol=0, atol=1e-12)
    torch.testing.assert_close(left, whole[..., 16:, 8:], rtol=0, atol=1e-12)
    assert (askew - whole[..., 2:22, :]).abs().max() > 1e-3  # not a multiple of 4: other pixels are pooled together


def test_odd_sizes_meet_their_skips():
    """7 → 3 → 6 is why sizes must match; ours interpolates to the skip's 7."""
    network = UNet(ContractingPath(width=4, depth=2), 3).eval()
    assert network(torch.randn(1, 3, 7, 9)).shape == (1, 3, 7, 9)


def test_widths_must_fit_the_backbone():
    with pytest.raises(ValueError, match="widths has 3 entries, but a U-Net on this backbone has 2 decoder blocks"):
        UNet(ContractingPath(width=4, depth=2), 3, widths=(32, 16, 8))
