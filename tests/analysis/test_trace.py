"""A trace reads each output's channels and places, whichever axis they stand on."""

import pytest
import torch
import torchvision
from torch import nn

from pixelwise import models
from pixelwise.analysis import activations, trace


def outline(make, *args):
    with torch.device("meta"):
        return make(*args)


def test_tokens_have_their_channels_last():
    way = trace(outline(torchvision.models.vit_b_16))
    joined = way.find("concatenation")[0]
    assert (joined.channels, joined.tokens, joined.size) == (768, 197, (197, 1))
    assert (way["conv_proj"].channels, way["conv_proj"].size, way["conv_proj"].tokens) == (768, (14, 14), 0)
    block = way["encoder.layers.encoder_layer_0"]
    assert (block.channels, block.tokens) == (768, 197)
    hidden = way["encoder.layers.encoder_layer_0.mlp"].steps[0]  # runs on rows, and is told as tokens
    assert (hidden.output, hidden.inputs, hidden.channels) == ((1, 197, 3072), ((1, 197, 768),), 3072)
    assert (way[""].channels, way[""].size, way[""].tokens) == (1000, (1, 1), 0)


def test_attention_is_told_step_by_step():
    way = trace(outline(torchvision.models.vit_b_16))
    inside = [step for step in way if step.layer == "encoder.layers.encoder_layer_0.self_attention"]
    assert [step.kind for step in inside] == [
        "fully connected", "matrix product", "softmax", "matrix product", "fully connected",
    ]  # fmt: skip
    assert (inside[2].channels, inside[2].size) == (12, (197, 197))  # heads, and a weight for each pair of tokens


def test_maps_with_channels_last_are_maps():
    way = trace(outline(torchvision.models.convnext_tiny))
    block = way["features.1.0"]
    told = [(step.kind, step.channels, step.size) for step in block.steps]
    assert told == [
        ("convolution", 96, (56, 56)), ("layer normalisation", 96, (56, 56)), ("fully connected", 384, (56, 56)),
        ("GELU", 384, (56, 56)), ("fully connected", 96, (56, 56)), ("scaling", 96, (56, 56)), ("sum", 96, (56, 56)),
    ]  # fmt: skip
    assert (block.channels, block.size) == (96, (56, 56))


class Summed(nn.Module):
    """A bias, a number and another map added, in this order."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        x = self.linear(x.flatten(2).transpose(1, 2))
        return 0 + (x + self.linear.bias) * 2 + x


def test_only_what_joins_two_maps_is_a_sum():
    way = trace(Summed(), (1, 8, 4, 6))
    assert [step.kind for step in way] == ["fully connected", "sum"]
    assert (way.steps[0].tokens, way.steps[0].channels) == (24, 8)
    sums = trace(outline(models.deeplabv2)).find("sum")
    assert len(sums) == 3  # of four branches; Python's sum begins with 0


@pytest.mark.parametrize("bias", [True, False])
def test_a_fully_connected_layer_is_one_with_and_without_a_bias(bias):
    (step,) = trace(nn.Sequential(nn.Linear(6, 3, bias=bias)), (1, 5, 6))
    assert (step.kind, step.output, step.inputs, step.depth) == ("fully connected", (1, 5, 3), ((1, 5, 6),), 1)


def test_values_of_attention_can_be_had():
    block = torchvision.models.vision_transformer.EncoderBlock(2, 8, 16, 0.0, 0.0).eval()
    kinds = [step.kind for step, _ in activations(block, torch.randn(1, 5, 8))]
    assert "attention" in kinds or "softmax" in kinds  # one operation, or its parts
