"""From a patch classifier to a dense predictor: fully connected layers applied at every position are convolutions.

The first FC layer after a k×k map sees all of it at once and becomes a k×k convolution; only the later ones, which see
one position, become 1×1 (Long et al. 2015, arXiv:1411.4038, section 3.1). The result reads an image of any size and
gives one prediction every `stride` pixels, stride being the product of all strides; `dense_prediction` fills the gaps.

**A classifier** here is an `nn.Sequential`, nested as you like, of feature layers and then a head:

    features ... , Flatten, Linear, [pointwise, Linear] ...                         (VGG's form)
    features ... , AdaptiveAvgPool2d(1), Flatten, Linear, [pointwise, Linear] ...   (global average pooling, GAP)

The dense map equals the classifier on every patch, exactly, if the network is in eval mode (batch statistics of an
image are not those of its patches) and no layer pads with zeros (inside the image a patch's border has neighbours
there). Where a network pads, the two differ, most of all near the borders of the patch.
"""

import copy
import math

import torch
from torch import nn

from .dilated_conv import Pair, pair

POINTWISE = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Identity, nn.Dropout)


def convolutionalize(classifier: nn.Sequential, *, window: Pair | None = None) -> nn.Sequential:
    """A copy of a classifier in which the FC layers are convolutions: images (N, C, H, W) to logits (N, classes, h, w).

    window is the (height, width) of the map that the head reads, in the classifier's own input size. For flatten + FC
    it is found from the last convolution, if the map is square. For GAP + FC a window turns the global pooling into an
    average of that size at stride 1, and the map equals the classifier on every patch; without one pooling is dropped,
    the FC layer becomes a 1×1 convolution and, if it is the only one, the mean of the map is the classifier's output.
    Raises TypeError for another form, ValueError if the window does not fit the first FC layer.
    """
    layers = flatten_layers(classifier)
    cut = next((i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten)), None)
    if cut is None or not any(isinstance(layer, nn.Linear) for layer in layers[cut:]):
        raise TypeError(
            "convolutionalize needs an nn.Sequential of features, nn.Flatten and nn.Linear layers, but got "
            f"{type(classifier).__name__} without {'Flatten' if cut is None else 'Linear'}; wrap the parts in one"
        )
    features, head = layers[:cut], layers[cut + 1 :]
    kernel = None
    if features and isinstance(pool := features[-1], nn.AdaptiveAvgPool2d):
        features.pop()
        # pyrefly: ignore[bad-argument-type]  # PyTorch also allows None here, for a side that stays
        kernel = pair(pool.output_size)  # an adaptive pool to k×k leaves a k×k map as it is
        if kernel == (1, 1) and window is not None:
            features.append(nn.AvgPool2d(pair(window), stride=1))
    elif window is not None:
        kernel = pair(window)
    features = copy.deepcopy(features)
    dense_head: list[nn.Module] = []
    for layer in head:
        if isinstance(layer, nn.Linear):
            dense_head.append(linear_to_conv(layer, kernel or _square_window(layer, features)))
            kernel = (1, 1)
        elif isinstance(layer, POINTWISE):
            dense_head.append(copy.deepcopy(layer))
        else:
            raise TypeError(
                f"{type(layer).__name__} after Flatten has no dense form here; use Linear or pointwise layers"
            )
    return nn.Sequential(*features, *dense_head).train(classifier.training)


def linear_to_conv(linear: nn.Linear, kernel: Pair = 1) -> nn.Conv2d:
    """The convolution that applies an FC layer, bias included, at every position of a map.

    The layer reads a flattened (C, kh, kw) map: its weight (out, C * kh * kw) becomes (out, C, kh, kw).
    """
    kernel_h, kernel_w = pair(kernel)
    if linear.in_features % (kernel_h * kernel_w):
        raise ValueError(
            f"an FC layer with {linear.in_features} inputs cannot read a {kernel_h}×{kernel_w} map; check the window"
        )
    channels = linear.in_features // (kernel_h * kernel_w)
    conv = nn.Conv2d(channels, linear.out_features, (kernel_h, kernel_w), bias=linear.bias is not None)
    conv.to(linear.weight)
    with torch.no_grad():
        conv.weight.copy_(linear.weight.view_as(conv.weight))
        if conv.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv


def flatten_layers(net: nn.Module) -> list[nn.Module]:
    """The layers of a nest of `nn.Sequential` in the order they run; any other module counts as one layer."""
    if not isinstance(net, nn.Sequential):
        return [net]
    return [layer for child in net for layer in flatten_layers(child)]


def _square_window(linear: nn.Linear, features: list[nn.Module]) -> tuple[int, int]:
    channels = next((layer.out_channels for layer in reversed(features) if isinstance(layer, nn.Conv2d)), None)
    side = math.isqrt(linear.in_features // channels) if channels else 0
    if channels is None or side**2 * channels != linear.in_features:
        raise ValueError(
            f"cannot tell the size of the map that an FC layer with {linear.in_features} inputs reads; "
            "give convolutionalize(..., window=(height, width))"
        )
    return side, side
