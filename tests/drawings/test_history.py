"""The timeline's numbers, against torchvision's own and the depths in the networks' names."""

from xml.etree import ElementTree

import pytest
from torchvision.models import get_model_weights

from pixelwise import drawings
from pixelwise.analysis import trace
from pixelwise.drawings import history

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def shown():
    """(network, what) -> the text that the drawing shows."""
    texts = ElementTree.fromstring(drawings.timeline().svg()).iter(f"{SVG}text")
    return {(text.get("data-layer"), text.get("data-number")): text.text for text in texts}


@pytest.mark.parametrize("entry", history.ENTRIES, ids=lambda entry: entry.key)
def test_numbers_are_torchvisions(shown, entry):
    meta = get_model_weights(entry.key).IMAGENET1K_V1.meta
    assert shown[entry.key, "error"] == f"{100 - meta['_metrics']['ImageNet-1K']['acc@1']:.1f} %"
    assert shown[entry.key, "parameters"] == f"{meta['num_params'] / 1e6:.1f} M"
    assert shown[entry.key, "multiply-adds"] == f"{meta['_ops']:.1f} G"
    assert shown[entry.key, "year"] == str(entry.year)


@pytest.mark.parametrize(
    ("key", "depth"), [("alexnet", 8), ("vgg16", 16), ("googlenet", 22), ("resnet50", 50), ("densenet121", 121)]
)
def test_depth_is_the_one_that_the_papers_count(key, depth):
    way = trace(history.build(key))
    assert max(step.depth for step in way) == depth
    assert sum(layers for _, layers in history.blocks(way)) == depth


def test_years_go_on():
    years = [entry.year for entry in history.ENTRIES]
    assert years == sorted(years)
    assert all(entry.source.startswith(("arXiv:", "Krizhevsky")) for entry in history.ENTRIES)
