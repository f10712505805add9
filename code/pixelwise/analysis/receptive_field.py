"""Receptive fields: by formula from the graph that runs, and by measurement from gradients.

The formula gives the extent that an output pixel *can* depend on (`field` explains it). The gradient says what it does
depend on: its support is never larger than the formula, and most of its mass sits in the middle, the *effective*
receptive field (Luo et al. 2016, arXiv:1701.04128).
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..modes import eval_mode
from .field import Axis, ReceptiveField
from .field_rules import field_of, propagate, set_field
from .tracing import call_with, empty_input, main_tensor, run


def stack_receptive_field(*layers: tuple[int, ...]) -> ReceptiveField:
    """The receptive field of layers in a row, each (kernel, stride=1, padding=0, dilation=1), as a formula."""
    axis = Axis()
    for layer in layers:
        axis = axis.after(*layer)
    return ReceptiveField(axis, axis)


def receptive_field(
    model: nn.Module, layer: str = "", input_shape: tuple[int, int, int, int] = (1, 3, 224, 224)
) -> ReceptiveField:
    """The receptive field of a layer's output, by the layer's dotted name; by default the model's own output.

    See `receptive_fields` for what it covers. KeyError, with the names there are, if no such layer ran.
    """
    fields = receptive_fields(model, input_shape)
    if layer not in fields:
        names = ", ".join(name for name in fields if "." not in name)
        raise KeyError(f"no layer {layer!r} with a receptive field; there are: {names} (and the layers inside them)")
    return fields[layer]


def receptive_fields(
    model: nn.Module, input_shape: tuple[int, int, int, int] = (1, 3, 224, 224)
) -> dict[str, ReceptiveField]:
    """The receptive field of every layer that ran, by dotted name in running order; the model's own is under "".

    model: any module of convolutions (transposed too), pools, pads, crops, interpolations and pointwise operations on
    (N, C, H, W) maps; it runs in eval mode on an empty input of this shape, nothing is computed. Of a list of maps the
    last counts, of a dictionary the first. Exact for convolutions and pools; behind upsampling, where the field differs
    from pixel to pixel, it is one that holds them all. Operations that mix positions (global pooling, flattening,
    squeeze-and-excitation) and unknown ones that change the size see the whole image: math.inf. ValueError if the model
    does not run on this shape or writes into a slice of a tensor, whose field would be lost.
    """
    fields: dict[str, ReceptiveField] = {}

    def on_layer(name: str, module: nn.Module, out: object) -> None:
        tensor = main_tensor(out)
        field = None if tensor is None else field_of(tensor)
        if field is not None:
            fields[name] = field

    x = empty_input(model, input_shape)
    set_field(x, ReceptiveField(Axis(), Axis()))
    run(model, x, lambda layer, operation, args, out: propagate(operation, args, out), on_layer)
    return fields


def gradient_map(
    model: nn.Module,
    input_shape: tuple[int, int, int, int],
    *,
    layer: str = "",
    position: tuple[int, int] | None = None,
    seed: int = 0,
) -> Tensor:
    """How strongly one output pixel reacts to each input pixel: (H, W) float64 on the CPU, absolute gradients.

    The gradient of the sum over the channels of a layer's output (dotted name; "" is the model's) at `position`
    (row, column), by default the middle, summed over the input's channels and averaged over the N standard normal
    inputs of input_shape (N, C, H, W). Everything is computed in float64, in eval mode: in single precision the edge of
    a deep stack's field underflows to zero. ValueError if the output is no (N, C, H, W) map or has no such position.
    """
    outputs: list[object] = []

    def keep(module: nn.Module, args: object, out: object) -> None:
        outputs.append(out)

    hook = model.get_submodule(layer).register_forward_hook(keep)
    x = torch.randn(input_shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()
    try:
        with eval_mode(model):
            call_with(model, lambda tensor: tensor.cpu().double() if tensor.is_floating_point() else tensor.cpu(), x)
    finally:
        hook.remove()
    output = main_tensor(outputs[-1])
    if output is None or output.ndim != 4:
        shape = "none" if output is None else tuple(output.shape)
        raise ValueError(f"the output has shape {shape}, but must be (N, C, H, W); name a layer before it")
    height, width = output.shape[-2:]
    row, column = (height // 2, width // 2) if position is None else position
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(f"position [{row}, {column}] lies outside the {height}×{width} output")
    (gradient,) = torch.autograd.grad(output[:, :, row, column].sum(), x)
    return gradient.abs().sum(1).mean(0)


def gradient_support(model: nn.Module, input_shape: tuple[int, int, int, int], **options: Any) -> Tensor:
    """Which input pixels one output pixel depends on: (H, W) bool, where `gradient_map` is not zero.

    Takes the options of `gradient_map`. A maximum passes its gradient to one pixel only and a ReLU may pass none, so
    networks that have them need several inputs (N) before the support fills.
    """
    return gradient_map(model, input_shape, **options) > 0


def effective_size(gradient: Tensor, mass: float = 0.95) -> int:
    """The side of the smallest centred square that holds this share of the mass of a (H, W) gradient map.

    The square is odd and stands on the centre of mass. Stacks of 5, 20 and 80 uniform 3×3 kernels have 9 of 11, 17 of
    41 and 33 of 161: the effective field grows like the square root of the depth (Luo et al. 2016, section 2).
    """
    if not gradient.sum() > 0:
        raise ValueError("the gradient map is zero everywhere, so it has no effective size; use another position")
    share = gradient / gradient.sum()
    centre = [round((share.sum(1 - axis) * torch.arange(size)).sum().item()) for axis, size in enumerate(share.shape)]
    for radius in range(max(share.shape)):
        top, left = (max(c - radius, 0) for c in centre)
        if share[top : centre[0] + radius + 1, left : centre[1] + radius + 1].sum() >= mass:
            break
    return 2 * radius + 1
