"""Every classification network is the same function as torchvision's: outputs, gradients, statistics, in float64."""

import pytest

from tests.models.parity import assert_parity
from tests.models.references import PAIRS

# A size tries pools that round and maps with odd sides, a mode the statistics, dropout and auxiliary heads.
CASES = {"train": (65, True), "eval": ((40, 96), False)}


@pytest.fixture(scope="module", params=PAIRS)
def pair(request):
    return request.param, PAIRS[request.param].ours(), PAIRS[request.param].reference()


@pytest.mark.parametrize(("size", "train"), CASES.values(), ids=CASES)
def test_same_function(pair, size, train, record_property):
    name, ours, reference = pair
    parity = assert_parity(ours, reference, size, train=train)
    record_property("parity", (name, parity.worst))
