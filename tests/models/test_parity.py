"""Every classification network is the same function as torchvision's: outputs, gradients, statistics, in float64."""

import pytest

from tests.models.parity import assert_parity
from tests.models.references import PAIRS

SIZES = (64, 65, (40, 96))


@pytest.fixture(scope="module", params=PAIRS)
def pair(request):
    return request.param, PAIRS[request.param].ours(), PAIRS[request.param].reference()


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_same_function(pair, size, train, record_property):
    name, ours, reference = pair
    parity = assert_parity(ours, reference, size, train=train)
    record_property("parity", (name, parity.worst))
