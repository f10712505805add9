"""Exercises of the chapter that turns a patch classifier into a fully convolutional network."""

import torch
from torch import nn

from . import Hint, choice, exercise, number, whole_numbers


@exercise("fcn.weight_shape")
def weight_shape(answer: object) -> str:
    """Shape of the convolution for an FC layer with 256 outputs behind a map of 128 channels and 6×6 places."""
    shape = whole_numbers(answer, 4, "(outputs, inputs, height, width)")
    if shape == (256, 128, 6, 6):
        return "The (256, 4608) matrix, folded: each of its 256 rows is a kernel of 128 channels and 6×6 places."
    if shape == (128, 256, 6, 6):
        raise Hint("In PyTorch a convolution's weight begins with the outputs; the inputs come second.")
    if shape[2:] == (1, 1):
        raise Hint("A 1×1 kernel sees one place. This layer reads all 36 places at once: it is the first FC layer.")
    if shape == (6, 6, 128, 256):
        raise Hint("That is TensorFlow's order. PyTorch writes (outputs, inputs, height, width).")
    raise Hint("How many kernels are there (one for each output), and what does one kernel cover?")


@exercise("fcn.map_size")
def map_size(answer: object) -> str:
    """Size of the dense map of PatchNet (window 32, stride 4) for 352×480."""
    size = whole_numbers(answer, 2, "(rows, columns)")
    if size == (81, 113):
        return "(352 - 32) / 4 + 1 = 81 rows and (480 - 32) / 4 + 1 = 113 columns."
    if size == (113, 81):
        raise Hint("Rows first: the scene is 352 pixels high and 480 wide.")
    if size == (88, 120):
        raise Hint("352 / 4 and 480 / 4 would be right with padding. Without it, the window must lie inside the scene.")
    if size == (80, 112):
        raise Hint("You counted the steps of the window. Its first place counts too.")
    if size == (321, 449):
        raise Hint("That is a prediction at every pixel. The converted network has stride 4.")
    raise Hint("Along one side: how far can a window of 32 pixels travel, and how often does it stop, every 4 pixels?")


@exercise("fcn.fc6_parameters")
def fc6_parameters(answer: object) -> str:
    """Parameters of VGG's fc6 as a convolution, biases included."""
    value = number(answer)
    if value == 4096 * (512 * 49 + 1):
        return "4096 · (512 · 7 · 7 + 1) = 102,764,544: three quarters of all the parameters of VGG-16."
    if value == 4096 * 512 * 49:
        raise Hint("Those are the weights. Each of the 4096 kernels has a bias as well.")
    if value in (4096 * 512, 4096 * 513):
        raise Hint("That is a 1×1 convolution. fc6 reads a map of 7×7 places.")
    if value in (4096 * 4096, 4096 * 4097):
        raise Hint("That is fc7. fc6 reads the last map: 512 channels, 7×7 places.")
    raise Hint("Parameters of one kernel: channels · height · width + 1. How many kernels are there?")


@exercise("fcn.linear_to_1x1")
def linear_to_1x1(answer: object) -> str:
    """A function that turns the FC layer behind global average pooling into a 1×1 convolution."""
    if not callable(answer):
        raise Hint("A function is wanted: it takes an nn.Linear and returns an nn.Conv2d.")
    for bias in (True, False):
        channels, classes, height, width = torch.randint(3, 9, (4,)).tolist()
        linear = nn.Linear(channels, classes, bias=bias)
        nn.init.normal_(linear.weight)
        if bias:
            nn.init.uniform_(linear.bias, 1, 2)
        maps = torch.randn(2, channels, height, width)
        before = linear(maps.mean((2, 3)))
        convolution = answer(linear)
        if not isinstance(convolution, nn.Conv2d):
            raise Hint(f"Your function returned {type(convolution).__name__}; an nn.Conv2d is wanted.")
        if convolution.kernel_size != (1, 1):
            raise Hint(f"Your kernel is {convolution.kernel_size}: behind a pooled map one place is read, so 1×1.")
        with torch.no_grad():
            got = convolution(maps)
        wanted = torch.einsum("nchw,kc->nkhw", maps, linear.weight.detach())
        if torch.allclose(got, wanted, atol=1e-5) and bias:
            raise Hint("The weights are right and the bias is lost: the mistake of the usual assignment.")
        wanted = wanted + linear.bias.detach()[:, None, None] if bias else wanted
        difference = got - wanted
        if torch.allclose(difference, difference[:1, :, :1, :1].expand_as(difference), atol=1e-5):
            if difference.abs().max() > 1e-5:
                fault = "the bias is not that of the layer" if bias else "a layer without bias got one"
                raise Hint(f"The weights are right, but {fault}.")
        else:
            raise Hint("The weights are not the layer's: weight[k, c] belongs at weight[k, c, 0, 0].")
        if not torch.allclose(got.mean((2, 3)), before, atol=1e-4):
            raise Hint("The function changed the layer that it was given; copy its numbers instead.")
    return "And its mean over all places is what the classifier said: Linear(GAP(F)) = mean(1×1(F))."


@exercise("fcn.train_mode")
def train_mode(answer: object) -> str:
    """Why the equality fails in train mode."""
    letter = choice(answer, "a", "b", "c", "d")
    if letter == "b":
        return "Batch normalisation in train mode depends on all that is in the batch; in eval mode, on nothing of it."
    if letter == "a":
        raise Hint("Look at PatchNet's source: there is no dropout in it.")
    if letter == "c":
        raise Hint("The running averages are indeed updated, but train mode does not read them.")
    raise Hint("The variance is taken over all places of a map, too: one scene holds thousands of them a channel.")
