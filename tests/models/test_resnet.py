"""ResNet against torchvision and against the paper."""

import pytest
import torchvision
from pixelwise.models import resnet

from tests.helpers.parity import assert_parity


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("size", [64, 75, (96, 64)], ids=str)
@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_parity(name, size, train):
    assert_parity(getattr(resnet, name)(), getattr(torchvision.models, name)(), size, train=train)
