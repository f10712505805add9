"""How each ATen operation moves the receptive field from its inputs to its outputs: the rules behind the formula.

Fields travel as an attribute `field` on the tensors of a run of `tracing.run`.
"""

from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from .field import Axis, ReceptiveField, hull
from .tracing import Operation, tensors_in

aten = torch.ops.aten
POOLS = {aten.max_pool2d_with_indices, aten.avg_pool2d}
PADS = {aten.constant_pad_nd, aten.reflection_pad2d, aten.replication_pad2d}
RESIZES = {aten.upsample_nearest2d, aten.upsample_bilinear2d, aten.pixel_shuffle}
MIXES = {aten.native_group_norm, aten.native_layer_norm, aten.roll, aten.flip, aten.cumsum, aten._softmax, aten.bmm}


Source = tuple[Tensor, ReceptiveField]


def field_of(tensor: Tensor) -> ReceptiveField | None:
    """The field of a tensor's pixels; None where no operation has given it one."""
    return getattr(tensor, "field", None)


def set_field(tensor: Tensor, field: ReceptiveField) -> None:
    """Say what the pixels of a tensor see."""
    # pyrefly: ignore[missing-attribute]  # the one attribute that is not PyTorch's
    tensor.field = field


def propagate(operation: Operation, args: tuple[Any, ...], out: object) -> None:
    """Give every tensor in `out` the field that follows from those of the tensors in `args`."""
    sources = [(tensor, field) for tensor in tensors_in(args) if (field := field_of(tensor)) is not None]
    if not sources:
        return
    for y in tensors_in(out):
        if operation in (aten.copy_, aten.add_) and y._is_view():
            raise ValueError("the network writes into a slice of a tensor, which hides its receptive field")
        set_field(y, _field(operation, args, sources, y))


def _field(operation: Operation, args: tuple[Any, ...], sources: list[Source], y: Tensor) -> ReceptiveField:
    x, field = sources[0]
    axes = (field.rows, field.columns)
    if operation is aten.convolution:
        _, weight, _, stride, padding, dilation, transposed, _, _ = args
        settings = zip(axes, weight.shape[-2:], stride, padding, dilation, strict=True)
        moved = [(a.after_transposed if transposed else a.after)(*numbers) for a, *numbers in settings]
        return ReceptiveField(*moved)
    if operation in POOLS:
        kernel, stride, padding, dilation = _pool_settings(operation, args)
        settings = zip(axes, kernel, stride, padding, dilation, strict=True)
        return ReceptiveField(*(a.after(*numbers) for a, *numbers in settings))
    if operation in PADS:
        left, _, top, _ = [*args[1], 0, 0][:4]
        return ReceptiveField(axes[0].after(1, padding=top), axes[1].after(1, padding=left))
    if operation in RESIZES:
        sizes = zip(axes, x.shape[-2:], y.shape[-2:], strict=True)
        align_corners = operation is aten.upsample_bilinear2d and args[2]
        linear = operation is aten.upsample_bilinear2d
        return ReceptiveField(*(_resized(*numbers, linear, align_corners) for numbers in sizes))
    if operation is aten.slice and args[1] % x.ndim >= x.ndim - 2:
        dim, start, step = args[1] % x.ndim, args[2] if len(args) > 2 else 0, args[4] if len(args) > 4 else 1
        start = max(start + x.shape[dim], 0) if (start or 0) < 0 else start or 0
        cropped = [a.after(1, step, -start) if x.ndim - 2 + i == dim else a for i, a in enumerate(axes)]
        return ReceptiveField(*cropped)
    if _is_pointwise(operation, args, sources, y):
        return _joined(sources, y)
    return ReceptiveField(axes[0].whole, axes[1].whole)


def _pool_settings(operation: Operation, args: tuple[Any, ...]) -> tuple[list[int], ...]:
    """Kernel, stride, padding and dilation of a pool, each as [vertical, horizontal]."""

    def two(value: list[int]) -> list[int]:
        return list(value) * 2 if len(value) == 1 else list(value)

    kernel = two(args[1])
    stride = two(args[2]) if len(args) > 2 and args[2] else kernel
    padding = two(args[3]) if len(args) > 3 else [0, 0]
    dilation = two(args[4]) if len(args) > 4 and operation is aten.max_pool2d_with_indices else [1, 1]
    return kernel, stride, padding, dilation


def _resized(axis: Axis, size_in: int, size_out: int, linear: bool, align_corners: bool) -> Axis:
    if not linear:  # looks at floor(o * step)
        step = Fraction(size_in, size_out)
        return axis.resampled(step, Fraction(0), 1 - Fraction(1, step.denominator), Fraction(0))
    if align_corners:
        step, offset = Fraction(size_in - 1, max(size_out - 1, 1)), Fraction(0)
        reach = 1 - Fraction(1, step.denominator)
    else:
        step = Fraction(size_in, size_out)
        offset = (step - 1) / 2
        reach = 1 - Fraction(1, 2 * step.denominator)
    return axis.resampled(step, offset, reach, reach)  # both neighbours of the place where it looks


def _is_pointwise(operation: Operation, args: tuple[Any, ...], sources: list[Source], y: Tensor) -> bool:
    if operation in MIXES or min(y.ndim, *(x.ndim for x, _ in sources)) < 3:
        return False
    if operation is aten.permute and [dim % y.ndim for dim in args[1]][-2:] != [y.ndim - 2, y.ndim - 1]:
        return False
    if operation is aten.transpose and max(dim % y.ndim for dim in args[1:3]) >= y.ndim - 2:
        return False
    sizes = zip(*(x.shape[-2:] for x, _ in sources), strict=True)
    return all(set(size) <= {1, out} for size, out in zip(sizes, y.shape[-2:], strict=True))


def _joined(sources: list[Source], y: Tensor) -> ReceptiveField:
    """The hull of all sources; a source of one row or column is spread over the whole map and jumps nowhere."""
    fields = []
    for i, (name, length) in enumerate(zip(("rows", "columns"), y.shape[-2:], strict=True)):
        pairs = [(x.shape[i - 2], getattr(field, name)) for x, field in sources]
        pairs.sort(key=lambda pair: pair[0] != length)
        fields.append(hull([a if size == length else a._replace(jump=Fraction(0)) for size, a in pairs], length))
    return ReceptiveField(*fields)
