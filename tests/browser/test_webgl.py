"""WebGL2 against PyTorch, in Chromium, which draws by software where there is no graphics processor."""

import pytest
import torch

from pixelwise.browser import Graph, packed
from pixelwise.browser.pack import quantised
from pixelwise.data import streets
from pixelwise.zoo import weights
from tests.browser.conftest import WEBGL
from tests.browser.test_engine import METADATA, OPERATIONS, SIZES, case

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("op", OPERATIONS)
def test_an_operation_is_pytorchs(graphics, op):
    for seed in range(12):
        graph, picture = case(op, seed, multiple=4 if op == "concat" else 1)
        (maps,) = graphics(packed(graph, METADATA), [picture], range(len(graph.nodes)))
        expected = graph.run(picture)
        for i, (found, wanted) in enumerate(zip(maps, [*expected, expected[-1]], strict=True)):
            torch.testing.assert_close(
                found, wanted, rtol=1e-5, atol=2e-5, msg=lambda text, place=(seed, i): f"{place}: {text}"
            )


@pytest.mark.parametrize("name", weights.SHIPPED)
def test_a_whole_network_gives_pytorchs_labels(graphics, name):
    """Logits to float32's rounding, and the same label wherever two classes are not equally likely to that rounding."""
    file = weights.SHIPPED[name]
    if not file.is_file():
        pytest.skip(f"this copy of the book is without {file.name}")
    model, metadata = weights.load(file)
    graph = quantised(Graph.of(model))
    pictures = [torch.from_numpy(streets.generate(i, seed=1, size=size)[0])[None] for i, size in enumerate(SIZES)]
    for picture, maps in zip(pictures, graphics(packed(graph, metadata), pictures), strict=True):
        wanted = graph.run(picture)[-1]
        torch.testing.assert_close(maps[-1], wanted, rtol=1e-4, atol=1e-3)
        best, second = wanted.topk(2, 1).values.unbind(1)
        sure = best - second > 1e-3
        assert (maps[-1].argmax(1) == wanted.argmax(1))[sure].all(), tuple(picture.shape)
        assert sure.float().mean() > 0.99


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
