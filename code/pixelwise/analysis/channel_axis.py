"""At which axis of a tensor its channels stand, followed through a forward pass.

Convolutions put out (N, C, H, W); what works on tokens, or is fully connected, has the channels last, (N, L, C) or
(N, H, W, C). Which of both a tensor is cannot be seen from its shape, so it is followed from where it was made.
"""

from typing import Any

import torch
from torch import Tensor

from .tracing import Operation, tensors_in

aten = torch.ops.aten
FIRST = {aten.convolution, aten.native_batch_norm, aten.max_pool2d_with_indices, aten.avg_pool2d}
LAST = {aten.native_layer_norm, aten.addmm, aten.mm}
RESHAPED = {aten.view, aten._unsafe_view, aten.reshape}
MIXED = {aten.bmm}  # of matrices: no axis is one of channels


class ChannelAxes:
    """The axis of each tensor that has come by; it keeps them alive, so that no identity is given twice."""

    def __init__(self) -> None:
        self._axes: dict[int, tuple[int | None, Tensor]] = {}

    def of(self, tensor: Tensor) -> int:
        """The axis of its channels: where nothing is known, 1 of a map and of a vector, and the last one of tokens."""
        axis = self._axes.get(id(tensor), (None, tensor))[0]
        return axis if axis is not None else 2 if tensor.ndim == 3 else 1

    def follow(self, operation: Operation, args: tuple[Any, ...], out: object) -> None:
        """Note the axis of what an operation puts out."""
        for tensor in tensors_in(out):
            self._axes[id(tensor)] = self._after(operation, args, tensor), tensor

    def _after(self, operation: Operation, args: tuple[Any, ...], out: Tensor) -> int | None:
        if operation in FIRST:
            return 1
        if operation in LAST:
            return out.ndim - 1
        if operation in MIXED:
            return None
        for source in tensors_in(args):
            axis = self._axes.get(id(source), (None, source))[0]
            if axis is None:
                continue
            if operation in RESHAPED:
                return _reshaped(axis, tuple(source.shape), tuple(out.shape))
            if source.ndim == out.ndim:
                return _moved(axis, operation, args)
        return None


def _moved(axis: int, operation: Operation, args: tuple[Any, ...]) -> int:
    """Where the axis lies when an operation that may move axes, and drops none, has moved them."""
    count = args[0].ndim if isinstance(args[0], Tensor) else 0
    if operation is aten.permute:
        return [way % count for way in args[1]].index(axis)
    if operation is aten.transpose:
        one, other = (way % count for way in args[1:3])
        return {one: other, other: one}.get(axis, axis)
    return axis


def _reshaped(axis: int, before: tuple[int, ...], after: tuple[int, ...]) -> int | None:
    """Where the axis is found again: as the last one, or with the same axes before it."""
    if axis == len(before) - 1 and after[-1] == before[-1]:
        return len(after) - 1
    return axis if axis < len(after) and after[: axis + 1] == before[: axis + 1] else None
