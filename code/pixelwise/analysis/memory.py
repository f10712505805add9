"""How much memory a network needs at a time."""

import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from .tracing import Operation, tensors_in


def peak_memory(model: nn.Module, x: Tensor, *, backward: bool = False) -> tuple[int, str]:
    """The most memory that a forward pass on x (with `backward`, a training step's gradients too) needs at a time.

    Returns the bytes beyond those of the model and of x, and how they were found: on CUDA by the allocator's own peak,
    work space included; on the CPU by adding up the tensors alive after each operation, work space left out.
    """

    def step() -> None:
        with torch.set_grad_enabled(backward):
            out = model(x)
            if backward:
                parameters = [p for p in model.parameters() if p.requires_grad]
                sums = [y.sum() for y in tensors_in(out)]
                torch.autograd.grad(sums, parameters, allow_unused=True)

    if x.is_cuda:
        torch.cuda.reset_peak_memory_stats(x.device)
        before = torch.cuda.memory_allocated(x.device)
        step()
        return torch.cuda.max_memory_allocated(x.device) - before, "CUDA allocator's peak"
    with LiveBytes(model, x) as live:
        step()
    return live.peak, "tensors alive after each operation"


class LiveBytes(TorchDispatchMode):
    """While active, adds up the storages that operations make; `peak` is the largest sum there ever was, in bytes.

    The parameters and buffers of the model and the input do not count. Views share their tensor's storage, and what
    autograd keeps for the backward pass is alive as long as it keeps it.
    """

    def __init__(self, model: nn.Module, x: Tensor) -> None:
        super().__init__()
        self.current = self.peak = 0
        not_counted = [x, *model.parameters(), *model.buffers()]
        self.storages = weakref.WeakSet(tensor.untyped_storage() for tensor in not_counted)

    def __torch_dispatch__(
        self, func: Operation, types: tuple[type, ...], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> object:
        out = func(*args, **(kwargs or {}))
        for tensor in tensors_in(out):
            storage = tensor.untyped_storage()
            if storage not in self.storages:
                self.storages.add(storage)
                self.current += storage.nbytes()
                weakref.finalize(storage, self._release, storage.nbytes())
        self.peak = max(self.peak, self.current)
        return out

    def _release(self, size: int) -> None:
        self.current -= size
