"""The shapes written in the segmentation networks' sources are the shapes that arise."""

import sys

import pytest
import torch

from pixelwise.models import (
    UNet,
    ValidUNet,
    compact,
    deeplab,
    efficientnet_lite,
    fcn,
    hypercolumn,
    mix_transformer,
    pyramid,
    resnet,
    segformer,
    vgg,
)
from tests.models.shapes import check_shape_comments, stated_shapes


def segment(build, size=224, channels=3):
    """Run the network in train mode with no numbers: shapes only."""
    with torch.device("meta"):
        build()(torch.empty(2, channels, size, size))


def backbone():
    return resnet.resnet18(num_classes=None)


def lite():
    return efficientnet_lite.efficientnet_lite0(num_classes=None)


NETWORKS = [
    (fcn, lambda: segment(lambda: fcn.FCN(fcn.Convolutionalized(vgg.vgg16(num_classes=None)), 21))),
    (hypercolumn, lambda: segment(lambda: hypercolumn.Hypercolumn(backbone(), 21))),
    (compact, lambda: segment(lambda: compact.CompactDeepLab(11))),
    (pyramid, lambda: segment(lambda: pyramid.FeaturePyramid(lite(), 11))),
    (mix_transformer, lambda: segment(mix_transformer.mit_b0)),
    (segformer, lambda: segment(lambda: segformer.segformer_b0(11))),
    (deeplab, lambda: segment(lambda: deeplab.DeepLabV3Plus(backbone(), 21))),
]


@pytest.mark.parametrize(("module", "run"), NETWORKS, ids=lambda x: getattr(x, "__name__", "").rpartition(".")[2])
def test_comments_are_true(module, run):
    met = check_shape_comments(module, run)
    assert met == len(stated_shapes(module)), "a line with a shape comment was not reached"


def test_both_u_nets_together_reach_every_comment():
    def run():
        segment(ValidUNet, 572, channels=1)
        segment(lambda: UNet(backbone(), 21))

    module = sys.modules[UNet.__module__]
    assert check_shape_comments(module, run) == len(stated_shapes(module))
