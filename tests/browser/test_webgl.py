"""WebGL2 against PyTorch, in Chromium, which draws by software where there is no graphics processor."""

import pytest
import torch

from pixelwise.browser import packed
from pixelwise.zoo import weights
from tests.browser.conftest import WEBGL
from tests.browser.test_engine import METADATA, OPERATIONS, case, check_network, check_operation

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("op", OPERATIONS)
def test_an_operation_is_pytorchs(graphics, op):
    check_operation(graphics, op, multiple=4 if op == "concat" else 1)


@pytest.mark.parametrize("name", weights.SHIPPED)
def test_a_whole_network_gives_pytorchs_labels(graphics, name):
    check_network(graphics, name)


def test_what_does_not_fit_is_refused_in_words(graphics):
    graph, _ = case("affine", 0)
    with pytest.raises(Exception, match="a map is too large for it"):
        graphics(packed(graph, METADATA), [torch.zeros(1, 3, 1, 40_000, dtype=torch.uint8)])
    graph, picture = case("concat", 0)
    assert graph.nodes[2].channels % 4
    with pytest.raises(Exception, match="beside each other by fours of channels only"):
        graphics(packed(graph, METADATA), [picture])


def test_it_is_small_and_needs_nothing():
    source = WEBGL.read_text(encoding="utf-8")
    assert len(source.encode()) <= 12_000
    assert "import " not in source.replace("import(", "")
