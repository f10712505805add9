"""Run a network without computing anything, and see every operation: what the other analyses stand on.

The parameters are replaced by empty tensors on PyTorch's "meta" device, which know their shape and nothing else. So
VGG-16 on a large image takes milliseconds, and the analyses see the graph that really runs, branches included, however
the network is written.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from ..modes import eval_mode

Operation = Callable[..., Any]
"""An ATen operation, such as `torch.ops.aten.convolution`."""


def run(
    model: nn.Module,
    x: Tensor,
    on_operation: Callable[[str, Operation, tuple[Any, ...], Any], object],
    on_layer: Callable[[str, nn.Module, object], None] | None = None,
    *,
    compute: bool = False,
) -> None:
    """Run the model in eval mode on a meta tensor x, see `empty_input`; with `compute` on a real one, for its values.

    on_operation(layer, function, args, out) is called for each ATen operation, with the name of the innermost module
    that runs it; on_layer(layer, module, out) after each module, in the order they end. The model is left as it was.
    ValueError if it does not run on an input of this shape.
    """
    running: list[str] = []

    class Operations(TorchDispatchMode):
        def __torch_dispatch__(
            self,
            func: OpOverload,
            types: tuple[type, ...],
            args: tuple[Any, ...] = (),
            kwargs: dict[str, Any] | None = None,
        ) -> object:
            out = func(*args, **(kwargs or {}))
            if running:  # not while the model is being prepared
                on_operation(running[-1], func.overloadpacket, args, out)
            return out

    def enter(name: str) -> Callable[[nn.Module, object], None]:
        def hook(module: nn.Module, args: object) -> None:
            running.append(name)

        return hook

    def leave(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, args: object, out: object) -> None:
            if on_layer is not None:
                on_layer(name, module, out)
            running.pop()

        return hook

    hooks = []
    for name, module in model.named_modules():
        hooks.append(module.register_forward_pre_hook(enter(name)))
        hooks.append(module.register_forward_hook(leave(name)))
    try:
        with eval_mode(model), torch.no_grad(), Operations():
            model(x) if compute else call_with(model, lambda tensor: torch.empty_like(tensor, device="meta"), x)
    except RuntimeError as error:
        raise ValueError(f"the network does not run on an input of shape {tuple(x.shape)}: {error}") from error
    finally:
        for hook in hooks:
            hook.remove()


def call_with(model: nn.Module, replace: Callable[[Tensor], Tensor], x: Tensor) -> object:
    """Call the model on x with `replace(tensor)` in the place of each parameter and buffer; the model keeps its own."""
    state = {
        f"{prefix}.{name}" if prefix else name: replace(tensor.detach())
        for prefix, module in model.named_modules()  # each module once: swapping a shared one twice would not undo
        for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    }
    return torch.func.functional_call(model, state, (x,), tie_weights=False)


def empty_input(model: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """An empty meta tensor (N, C, H, W) of the model's own number format."""
    parameter = next((p for p in model.parameters() if p.is_floating_point()), torch.empty(0))
    return torch.empty(shape, dtype=parameter.dtype, device="meta")


def main_tensor(value: object) -> Tensor | None:
    """The tensor that an output stands for: of a list of maps, fine to coarse, the last; of a dictionary the first."""
    tensors = list(tensors_in(value))
    return None if not tensors else tensors[0] if isinstance(value, dict) else tensors[-1]


def tensors_in(value: object) -> Iterator[Tensor]:
    """All tensors in a nest of lists, tuples and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from tensors_in(tuple(value.values()))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from tensors_in(item)
