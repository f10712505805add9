"""The shapes written in the networks' sources are the shapes that arise from 224×224 images (32×32 for CIFAR's)."""

import importlib.util
import sys

import pytest
import torch

from pixelwise.models import (
    blocks,
    deformable,
    densenet,
    efficientnet,
    efficientnet_lite,
    googlenet,
    resnet,
    resnet_cifar,
    senet,
    vgg,
)
from tests.models.shapes import check_shape_comments, stated_shapes


def classify(build, size=224):
    """Run the network in train mode, so that auxiliary heads run too, with no numbers: shapes only."""
    with torch.device("meta"):
        build()(torch.empty(2, 3, size, size))


def deform():
    deformable.DeformableConv2d(3, 5, 3, padding=1)(torch.randn(2, 3, 9, 11))


NETWORKS = [
    (resnet, lambda: classify(resnet.resnet18)),
    (resnet, lambda: classify(resnet.resnet50)),
    (resnet_cifar, lambda: classify(lambda: resnet_cifar.CifarResNet(8), 32)),
    (sys.modules[googlenet.__module__], lambda: classify(googlenet)),
    (densenet, lambda: classify(densenet.densenet121)),
    (efficientnet, lambda: classify(efficientnet.efficientnet_b0)),
    (efficientnet_lite, lambda: classify(efficientnet_lite.efficientnet_lite0)),
    (vgg, lambda: classify(vgg.vgg16)),
    (deformable, deform),
    (blocks, lambda: classify(lambda: senet.squeeze_and_excite(resnet.resnet18()))),
]


@pytest.mark.parametrize(("module", "run"), NETWORKS, ids=lambda x: getattr(x, "__name__", "").rpartition(".")[2])
def test_comments_are_true(module, run):
    met = check_shape_comments(module, run)
    assert met == len(stated_shapes(module)), "a line with a shape comment was not reached"


def test_a_false_comment_is_found(tmp_path):
    path = tmp_path / "false_comment.py"
    path.write_text("def forward(x):\n    y = x[:, :1]  # (N, 2, 8, 8)\n    return y\n")
    spec = importlib.util.spec_from_file_location("false_comment", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(AssertionError, match=r"line 2: stated \(N, 2, 8, 8\), found \(4, 1, 8, 8\)"):
        check_shape_comments(module, lambda: module.forward(torch.empty(4, 3, 8, 8)))
