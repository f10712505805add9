"""Likely wrong answers of the chapter that turns a patch classifier into a fully convolutional network."""

import torch
from torch import nn


def converted(linear, *, size=1, bias=True, order="oc"):
    """A convolution from a fully connected layer, with the usual mistakes on demand."""
    convolution = nn.Conv2d(linear.in_features, linear.out_features, size, bias=bias)
    with torch.no_grad():
        if order == "oc":
            convolution.weight.copy_(linear.weight[:, :, None, None].expand_as(convolution.weight))
        if bias and linear.bias is not None:
            convolution.bias.copy_(linear.bias)
    return convolution


WRONG = {
    "fcn.weight_shape": [
        ((128, 256, 6, 6), "begins with the outputs"),
        ((256, 4608, 1, 1), "36 places at once"),
        ((6, 6, 128, 256), "TensorFlow's order"),
    ],
    "fcn.map_size": [
        ((113, 81), "Rows first"),
        ((88, 120), "inside the scene"),
        ((80, 112), "first place counts"),
        ((321, 449), "every pixel"),
    ],
    "fcn.fc6_parameters": [
        (4096 * 512 * 49, "a bias as well"),
        (4096 * 512, "1×1 convolution"),
        (4096 * 4096, "That is fc7"),
    ],
    "fcn.linear_to_1x1": [
        (lambda linear: converted(linear, size=7), "so 1×1"),
        (lambda linear: converted(linear, bias=False), "bias is lost"),
        (lambda linear: converted(linear, order="fresh"), "weights are not the layer's"),
        (lambda linear: linear, "an nn.Conv2d is wanted"),
    ],
    "fcn.train_mode": [("a", "no dropout"), ("c", "does not read them"), ("d", "all places of a map")],
}
