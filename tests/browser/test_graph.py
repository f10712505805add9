"""Networks written down as graphs: they compute what it does, and what the engine lacks is refused in words."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pixelwise.browser import Graph, GraphError, packed
from pixelwise.browser.pack import letters, quantised, rounded
from pixelwise.data.augment import normalise
from pixelwise.evaluation.inference import heads
from pixelwise.zoo import NetworkSpec, weights
from pixelwise.zoo.weights import Metadata


def noisy(model):
    """The model in eval mode, its batch normalisation as if trained, so that none of it folds to nothing."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.running_var):
                values.data = 0.8 + 0.4 * torch.rand(values.shape, generator=generator)
            for values in (module.bias, module.running_mean):
                values.data = 0.2 * torch.randn(values.shape, generator=generator)
    return model.eval()


@pytest.mark.parametrize("name", ["compact", "pyramid", "unet"])
@pytest.mark.parametrize("size", [(96, 128), (75, 101)])
def test_a_graph_computes_what_the_network_does(name, size):
    torch.manual_seed(0)
    model = noisy(NetworkSpec(name, 11).build())
    picture = torch.randint(256, (1, 3, *size), dtype=torch.uint8)
    with torch.no_grad():
        wanted = heads(model(normalise(picture)))[0]
    found = Graph.of(model).run(picture)[-1]
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4 * wanted.abs().max().item())


def test_normalisation_and_activation_are_folded_into_the_convolution():
    model = noisy(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()))
    *_, last = Graph.of(model).nodes
    assert (last.op, last.activation) == ("conv", "relu6")
    assert len(Graph.of(model).nodes) == 3  # picture, its normalisation, convolution


def test_what_two_read_is_not_folded():
    """The map before the activation is added to that after it: folding would lose the one."""

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            x = self.conv(x)
            return x + F.relu(x)

    torch.manual_seed(0)
    model = Both().eval()
    picture = torch.randint(256, (1, 3, 9, 7), dtype=torch.uint8)
    with torch.no_grad():
        torch.testing.assert_close(Graph.of(model).run(picture)[-1], model(normalise(picture)), rtol=1e-4, atol=1e-5)


class Does(nn.Module):
    """A network that does one thing."""

    def __init__(self, does):
        super().__init__()
        self.does = does

    def forward(self, x):
        return self.does(x)


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (torch.sigmoid, "sigmoid.default, which the browser's engine does not know"),
        (lambda x: x * x, "the engine only adds them"),
        (lambda x: x.clamp(0, 1), "clamp.default, which"),
        (nn.Hardtanh(), "clips to -1 and 1"),
        (nn.ConvTranspose2d(3, 3, 2), "transposed convolution"),
        (nn.Conv2d(3, 3, (1, 3), padding=(0, 1)), "not square"),
        (nn.Conv2d(3, 6, 1, groups=3), "convolution of 3 groups"),
        (nn.MaxPool2d(3, 1, 1, ceil_mode=True), "pools over a window"),
        (lambda x: torch.cat([x, x], 2), "concatenates along axis 2"),
        (lambda x: x.mean((1,), keepdim=True), "averages over axes"),
        (lambda x: F.interpolate(x, size=(5, 5)), "resized to \\(5, 5\\), the size of no map"),
        (lambda x: x + torch.rand(3, 167, 237), "meets a map of 3 channels"),
        (lambda x: F.max_pool2d(x, 2), "expected logits for each pixel"),
        (lambda x: torch.zeros(1, 2, *x.shape[-2:]), "expected logits for each pixel"),
    ],
)
def test_what_the_engine_lacks_is_refused_in_words(does, says):
    with pytest.raises(GraphError, match=says):
        Graph.of(Does(does))


def test_normalisation_by_the_batch_is_refused():
    class Training(nn.Module):
        def forward(self, x):
            return F.batch_norm(x, None, None, training=True)

    with pytest.raises(GraphError, match="normalises by the batch"):
        Graph.of(Training())


def test_rounding_errs_by_half_a_level_at_most_and_twice_is_once():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 4, 3, 3, generator=generator) * torch.tensor([1e-3, 1, 50, 0, 7]).reshape(-1, 1, 1, 1)
    error = (rounded(weight) - weight).abs().flatten(1).amax(1)
    assert (error <= weight.flatten(1).abs().amax(1) / 127 / 2 * 1.0001).all()
    torch.testing.assert_close(rounded(rounded(weight)), rounded(weight))


def test_the_text_says_what_the_network_is_and_fits_a_page():
    """The network for photographs takes no more than 4 MB as text; both are plain ASCII, as scripts may be served."""
    for file in filter(lambda path: path.is_file(), weights.SHIPPED.values()):
        model, metadata = weights.load(file)
        text = packed(Graph.of(model), metadata)
        read = json.loads(text)
        assert text.isascii()
        assert len(text) <= 4 * 2**20
        assert (tuple(read["classes"]), tuple(read["size"])) == (metadata.classes, metadata.size)
        assert read["dataset"] == metadata.dataset
        assert len(read["weights"]) % 5 == 0


def test_letters_are_filled_up_to_a_multiple_of_four_bytes():
    assert [len(letters(torch.zeros(n, dtype=torch.int8).numpy())) for n in (1, 4, 5)] == [5, 5, 10]


def test_int8_costs_little_on_streets():
    """Of the labels of eight scenes no more than one in fifty becomes another."""
    from pixelwise.data import streets

    model, _ = weights.load(weights.SHIPPED["streets"])
    graph = Graph.of(model)
    small = quantised(graph)
    pictures = [torch.from_numpy(streets.generate(i, seed=5, size=(96, 128))[0])[None] for i in range(8)]
    same = [(graph.run(x)[-1].argmax(1) == small.run(x)[-1].argmax(1)).float().mean() for x in pictures]
    assert 0.98 <= sum(same) / len(same) < 1


def test_a_graph_tells_its_metadata():
    model = noisy(nn.Sequential(nn.Conv2d(3, 2, 1)))
    metadata = Metadata(NetworkSpec("compact", 2), ("leaf", "ground"), "own", (60, 80), colours=((1, 2, 3), (4, 5, 6)))
    read = json.loads(packed(Graph.of(model), metadata))
    assert (read["classes"], read["colours"]) == (["leaf", "ground"], [[1, 2, 3], [4, 5, 6]])
