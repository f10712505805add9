"""GoogLeNet against the paper's table 1, where torchvision departs from it. Parity: test_parity.py."""

import pytest
import torch
from torch import nn

from pixelwise.models.googlenet import TABLE, GoogLeNet, GoogLeNetOutputs, Inception, googlenet
from tests.models.counting import multiply_adds, parameters, skeleton

# what the modules put out by the paper's table, and the size of their maps for 224×224
OUT = {"3a": 256, "3b": 480, "4a": 512, "4b": 512, "4c": 512, "4d": 528, "4e": 832, "5a": 832, "5b": 1024}
SIDE = {"3": 28, "4": 14, "5": 7}
# multiply-adds in millions as table 1 prints them; two of its rows do not follow from its own channels
PAPER_OPERATIONS = {
    "conv1": 34,  # 7 · 7 · 3 · 64 · 112² = 118.0
    "conv2, conv3": 360,
    **{"3a": 128, "3b": 304, "4a": 73, "4b": 88, "4c": 100, "4d": 119, "4e": 170},
    "5a": 54,  # 51.1
    "5b": 71,
    "fc": 1,
}
MISPRINTED = {"conv1": 118.01, "5a": 51.08}


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 13_004_888),
        ({"aux_logits": False}, 6_624_904),
        ({"aux_logits": False, "true_5x5": True}, 7_005_832),
        ({"aux_logits": False, "true_5x5": True, "batch_norm": False}, 6_998_552),
    ],
    ids=str,
)
def test_parameters(options, count):
    assert parameters(skeleton(googlenet, **options)) == count


def test_channels_and_sizes_are_the_papers():
    network, shapes = skeleton(googlenet), {}
    for name in TABLE:
        module = network.get_submodule(f"inception{name}")
        module.register_forward_hook(lambda m, i, out, name=name: shapes.update({name: tuple(out.shape[1:])}))
    network(torch.empty(2, 3, 224, 224, device="meta"))
    assert shapes == {name: (out, SIDE[name[0]], SIDE[name[0]]) for name, out in OUT.items()}


def test_multiply_adds_are_the_papers():
    network, counts = skeleton(googlenet, true_5x5=True, batch_norm=False), dict.fromkeys(PAPER_OPERATIONS, 0)
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and not path.startswith("aux"):
            row = path.partition(".")[0].removeprefix("inception")
            row = next(name for name in counts if row in name.split(", "))

            def count(module, inputs, output, row=row):
                counts[row] += output.numel() * module.weight[0].numel() / 1e6

            module.register_forward_hook(count)
    network.eval()(torch.empty(1, 3, 224, 224, device="meta"))
    assert counts == pytest.approx(PAPER_OPERATIONS | MISPRINTED, abs=0.65)
    assert sum(PAPER_OPERATIONS.values()) == 1502
    assert sum(counts.values()) == pytest.approx(1582.7, abs=0.1)
    assert multiply_adds(skeleton(googlenet)) / 1e6 == pytest.approx(1498.4, abs=0.1)  # torchvision's 3×3


@pytest.mark.parametrize("name", TABLE)
def test_reduction_saves_in_every_module(name):
    channels = {"3a": 192, "3b": 256, "4a": 480, "4b": 512, "4c": 512, "4d": 512, "4e": 528, "5a": 832, "5b": 832}[name]
    reduced, naive = (
        sum(p.numel() for p in Inception(channels, TABLE[name], true_5x5=True, naive=naive).parameters() if p.ndim == 4)
        for naive in (False, True)
    )
    assert reduced < naive
    if name == "3a":
        assert (naive, reduced) == (387_072, 163_328)


def test_naive_module_puts_out_its_input_again():
    assert Inception(192, TABLE["3a"], naive=True).out_channels == 416
    images = torch.randn(2, 192, 5, 5)
    module = Inception(192, TABLE["3a"], naive=True)
    assert module(images).shape == (2, 416, 5, 5)
    assert torch.equal(module(images)[:, -192:], torch.nn.functional.max_pool2d(images, 3, 1, 1))


def test_five_by_five_branch_shrinks_by_nearly_ten():
    def weights(naive):
        branch = Inception(192, TABLE["3a"], true_5x5=True, naive=naive).branch3
        return sum(p.numel() for p in branch.parameters() if p.ndim == 4)

    assert (weights(True), weights(False)) == (153_600, 15_872)


def test_removing_the_heads_leaves_the_logits():
    torch.manual_seed(0)
    whole, cut = GoogLeNet(width=0.125, num_classes=5), GoogLeNet(width=0.125, num_classes=5, aux_logits=False)
    cut.load_state_dict({k: v for k, v in whole.state_dict().items() if not k.startswith("aux")})
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(whole.eval()(images), cut.eval()(images))


def test_heads_speak_in_train_mode():
    network, images = GoogLeNet(width=0.125, num_classes=5), torch.randn(2, 3, 64, 64)
    outputs = network(images)
    assert isinstance(outputs, GoogLeNetOutputs)
    assert [x.shape for x in outputs] == [(2, 5)] * 3
    assert isinstance(network.eval()(images), torch.Tensor)


@pytest.mark.parametrize("naive", [False, True])
def test_patches(naive):
    """On 32×32 patches the small stem leaves maps of 4×4 for the last modules."""
    network = GoogLeNet(num_classes=11, width=0.125, patch_stem=True, naive=naive)
    patches = torch.randn(2, 3, 32, 32)
    assert [tuple(x.shape[1:]) for x in network.features(patches)] == [
        (c, 32 // s, 32 // s) for c, s in zip(network.channels, (1, 1, 2, 4, 8), strict=True)
    ]
    assert network.eval()(patches).shape == (2, 11)


def test_too_small():
    network = GoogLeNet(width=0.125).eval()
    assert network(torch.randn(1, 3, 15, 15)).shape == (1, 1000)
    with pytest.raises(ValueError, match="images are 14×30, but this network needs at least 15×15"):
        network(torch.randn(1, 3, 14, 30))
