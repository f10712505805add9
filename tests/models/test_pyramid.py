"""The feature pyramid: its size, its widths, and what the sum is a sum of. What every network must stand: battery."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixelwise.models.efficientnet_lite import efficientnet_lite0
from pixelwise.models.pyramid import FeaturePyramid
from tests.models.counting import parameters, skeleton
from tests.models.parity import randomise


class Maps(nn.Module):
    """A backbone of two maps: every second and every fourth pixel of the image."""

    channels, strides = (3, 3), (2, 4)

    def features(self, images: Tensor, first: int = 0) -> list[Tensor]:
        return [images[..., ::2, ::2], images[..., ::4, ::4]][first:]


def test_parameters_on_efficientnet_lite0():
    assert parameters(skeleton(lambda: FeaturePyramid(efficientnet_lite0(num_classes=None), 11))) == 3_084_859


def test_levels_are_upsampled_and_summed_and_then_refined():
    network = randomise(FeaturePyramid(Maps(), 5, widths=(8, 6)).double()).eval()
    images = torch.randn(2, 3, 16, 24, dtype=torch.float64)
    fine, coarse = network.backbone.features(images)

    def lateral(x: Tensor, layers: nn.Sequential) -> Tensor:
        norm = layers[1]
        x = torch.einsum("oi,nihw->nohw", layers[0].weight[:, :, 0, 0], x)
        x = (x - norm.running_mean[:, None, None]) / (norm.running_var[:, None, None] + norm.eps).sqrt()
        return x * norm.weight[:, None, None] + norm.bias[:, None, None]

    with torch.no_grad():
        top = F.interpolate(lateral(coarse, network.top).relu(), (8, 12), mode="bilinear")
        level = network.refinements[0](top + lateral(fine, network.laterals[0]))
        expected = F.interpolate(network.score(level), (16, 24), mode="bilinear")
        torch.testing.assert_close(network(images), expected, rtol=1e-10, atol=1e-10)
    assert level.shape == (2, 6, 8, 12)


def test_one_width_a_map():
    with pytest.raises(ValueError, match="widths has 3 entries, but this backbone has 2 maps: give one each"):
        FeaturePyramid(Maps(), 5, widths=(8, 8, 8))


def test_the_backbone_sees_enlarged_images_and_the_logits_have_the_size_that_came():
    class Watched(Maps):
        def features(self, images: Tensor, first: int = 0) -> list[Tensor]:
            self.seen = images
            return super().features(images, first)

    network = randomise(FeaturePyramid(Watched(), 5, widths=(8, 6), enlarge=1.5)).eval()
    images = torch.randn(2, 3, 17, 24)
    with torch.no_grad():
        assert network(images).shape == (2, 5, 17, 24)
    torch.testing.assert_close(network.backbone.seen, F.interpolate(images, scale_factor=1.5, mode="bilinear"))
    assert network.backbone.seen.shape == (2, 3, 25, 36)


@pytest.mark.parametrize("enlarge", [0, -1.5, float("nan")])
def test_a_factor_that_is_not_positive(enlarge):
    with pytest.raises(ValueError, match="expected a positive factor"):
        FeaturePyramid(Maps(), 5, widths=(8, 6), enlarge=enlarge)
