"""PyTorch's rules about devices, for every call that Python makes."""

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .cuda import this_device
from .memory import CPU, GPU, Memory, tensors_in

Function = Callable[..., Any]

HALF = {
    *(
        "matmul",
        "__matmul__",
        "__rmatmul__",
        "mm",
        "bmm",
        "mv",
        "addmm",
        "addmv",
        "addbmm",
        "baddbmm",
        "addr",
        "linear",
    ),
    *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "einsum", "prelu"),
    *("linear", "chain_matmul", "multi_dot", "scaled_dot_product_attention", "multi_head_attention_forward"),
}
"""What autocast computes in its own type on a GPU, by PyTorch's reference; einsum is made of bmm."""

SINGLE = {
    *("pow", "__pow__", "__rpow__", "__rdiv__", "__rtruediv__", "acos", "asin", "cosh", "sinh", "tan", "erfinv", "exp"),
    *("expm1", "log", "log2", "log10", "log1p", "reciprocal", "rsqrt", "softplus", "softmax", "log_softmax", "softmin"),
    *("sum", "prod", "cumsum", "cumprod", "norm", "normalize", "dist", "cdist", "pdist", "renorm", "cosine_similarity"),
    *("cross_entropy", "nll_loss", "binary_cross_entropy_with_logits", "kl_div", "l1_loss", "mse_loss", "huber_loss"),
    *("smooth_l1_loss", "group_norm", "layer_norm", "soft_margin_loss", "cosine_embedding_loss", "triplet_margin_loss"),
}
"""What it computes in float32."""

WIDEST = {"addcdiv", "addcmul", "atan2", "bilinear", "cat", "cross", "dot", "grid_sample", "stack", "tensordot"}
"""What it computes in the widest type among the arguments."""

FLOATING = {*HALF, "avg_pool2d", "max_pool2d", "grid_sample", "unfold"}
"""What a GPU does not compute with integers, though a CPU may."""

ALONE = {"cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "dot", "index_select"}
"""What takes no scalar of the CPU beside the GPU's tensors, as others do."""

MIXING = {
    *("copy_", "fill_", "set_", "broadcast_tensors", "result_type", "can_cast", "is_same_size", "is_set_to"),
    *("expand_as", "view_as", "reshape_as", "backward", "__set__data", "_has_compatible_shallow_copy_type"),
}
"""What may meet tensors of both devices."""

DATA = {"tensor", "as_tensor", "asarray", "new_tensor"}
"""What makes a tensor of anything, tensors of both devices included."""


class Rules(TorchFunctionMode):
    """Above autograd: what Python asks for is refused, or done where it belongs.

    `on_name` stands for the function or method `name`, without the underscores around it; `__get__name` is a property.
    """

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self.memory = memory
        self.pinned: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_function__(
        self, func: Function, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = func.__name__
        if name in ("__get__", "__set__"):
            name += getattr(func, "__self__").__name__  # noqa: B009  (only a property's has one)
        if special := getattr(self, f"on_{name.strip('_')}", None):
            return special(func, *args, **kwargs)
        if name in DATA:
            return self.new(func, args, kwargs)
        return self.call(func, name, args, kwargs)

    def call(self, func: Function, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The results lie where `device` says, or where the arguments do, and these must agree."""
        if kwargs.get("device") is not None:
            device = this_device(kwargs["device"])
            target = here = device == GPU
            kwargs["device"] = CPU if target else device
        else:
            here = self.agree(name, [*tensors_in(args), *tensors_in(kwargs)])
            target = None
            if in_place(name) and args and isinstance(args[0], Tensor):
                target = self.memory.holds(args[0])
                if here and not target and name not in MIXING:
                    raise RuntimeError(differ(name, CPU))
            if here:
                floating(name, args, kwargs)
                args, kwargs = autocast(name, args), autocast(name, kwargs)
        for generator in (value for value in (*args, *kwargs.values()) if isinstance(value, torch.Generator)):
            if (generator.device.type == "cuda") != here:
                raise RuntimeError(
                    f"Expected a '{'cuda' if here else 'cpu'}' device type for generator but found "
                    f"'{generator.device.type}'"
                )
        pinned = kwargs.pop("pin_memory", False)
        with self.memory.results(target):
            out = func(*args, **kwargs)
        return self.on_pin_memory(Tensor.pin_memory, out) if pinned else out

    def agree(self, name: str, tensors: Iterable[Tensor]) -> bool:
        """Whether there are tensors of the GPU; RuntimeError where there are others as well that may not meet them."""
        devices = {self.memory.device(tensor) for tensor in tensors}
        if GPU in devices and len(devices) > 1 and name not in MIXING:
            for tensor in tensors:
                if self.memory.device(tensor) != GPU and (tensor.dim() or tensor.device != CPU or name in ALONE):
                    raise RuntimeError(differ(name, tensor.device))
        return GPU in devices

    def new(self, func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """A tensor made of data; it is where these are, or where the tensor is that was asked for it."""
        source = next((value for value in args if isinstance(value, Tensor)), None)
        here = source is not None and self.memory.holds(source)
        if kwargs.get("device") is not None:
            device = this_device(kwargs["device"])
            here = device == GPU
            kwargs["device"] = CPU if here else device
        with self.memory.results(here):
            out = func(*args, **kwargs)
            shared = source is None or self.memory.holds(out) != here  # a CPU's array, or a tensor on the other device
            return self.memory.put(out.clone() if here and shared else out, here)

    # Where a tensor is, and how it gets elsewhere

    def on_get__device(self, func: Function, tensor: Tensor, *_: object) -> torch.device:
        return self.memory.device(tensor)

    def on_get__is_cuda(self, func: Function, tensor: Tensor, *_: object) -> bool:
        return self.memory.holds(tensor)

    def on_get__is_cpu(self, func: Function, tensor: Tensor, *_: object) -> bool:
        return self.memory.device(tensor).type == "cpu"

    def on_get_device(self, func: Function, tensor: Tensor) -> int:
        return 0 if self.memory.holds(tensor) else func(tensor)

    def on_type(self, func: Function, tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
        out = func(tensor, *args, **kwargs)
        return out.replace("torch.", "torch.cuda.") if isinstance(out, str) and self.memory.holds(tensor) else out

    def on_repr(self, func: Function, tensor: Tensor, **kwargs: Any) -> str:
        text = func(tensor, **kwargs)
        return f"{text[:-1]}, device='{GPU}')" if self.memory.holds(tensor) else text

    def on_to(self, func: Function, tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """to(dtype), to(device, dtype) or to(other), each with non_blocking and copy."""
        flags = iter(("non_blocking", "copy"))
        for value in (*args, *([kwargs.pop("other")] if "other" in kwargs else [])):
            if isinstance(value, Tensor):
                kwargs |= {"device": self.memory.device(value), "dtype": value.dtype}
            elif isinstance(value, torch.dtype):
                kwargs["dtype"] = value
            elif isinstance(value, bool):
                kwargs[next(flags)] = value
            elif value is not None:
                kwargs["device"] = value
        device = this_device(kwargs.pop("device", None) or self.memory.device(tensor))
        if device == self.memory.device(tensor):
            return func(tensor, **kwargs)
        kwargs |= {"device": CPU if device == GPU else device, "copy": True}
        with self.memory.results(device == GPU):
            return func(tensor, **kwargs)

    def on_cuda(self, func: Function, tensor: Tensor, device: Any = None, **kwargs: Any) -> Tensor:
        return self.on_to(Tensor.to, tensor, GPU if device is None else device, **kwargs)

    def on_cpu(self, func: Function, tensor: Tensor, **kwargs: Any) -> Tensor:
        return self.on_to(Tensor.to, tensor, CPU, **kwargs)

    def on_type_as(self, func: Function, tensor: Tensor, other: Tensor) -> Tensor:
        return self.on_to(Tensor.to, tensor, other)

    # What belongs to the CPU

    def on_numpy(self, func: Function, tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
        if self.memory.holds(tensor):
            raise TypeError(
                f"can't convert {GPU} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory "
                "first."
            )
        return func(tensor, *args, **kwargs)

    on_array = on_numpy

    def on_pin_memory(self, func: Function, tensor: Tensor, *_: object) -> Tensor:
        if self.memory.holds(tensor):
            raise RuntimeError("cannot pin 'torch.cuda.FloatTensor' only dense CPU tensors can be pinned")
        with self.memory.results(False):
            out = tensor.clone()
        self.pinned.add(out.untyped_storage())
        return out

    def on_is_pinned(self, func: Function, tensor: Tensor, *_: object) -> bool:
        return tensor.untyped_storage() in self.pinned

    def on_record_stream(self, func: Function, tensor: Tensor, stream: object) -> None:
        """Nothing is computed in another stream."""

    def on_deepcopy(self, func: Function, tensor: Tensor, memo: dict[int, Any]) -> Tensor:
        return self.memory.put(func(tensor, memo), self.memory.holds(tensor))

    # Indices may be the CPU's, values may be only where they are copied

    def on_getitem(self, func: Function, tensor: Tensor, index: Any) -> Tensor:
        self.check_index(tensor, index)
        with self.memory.results(self.memory.holds(tensor)):
            return func(tensor, index)

    def on_setitem(self, func: Function, tensor: Tensor, index: Any, value: Any) -> None:
        if self.check_index(tensor, index) and isinstance(value, Tensor) and value.dim():
            self.agree("index_put_", [tensor, value])
        with self.memory.results(self.memory.holds(tensor)):
            func(tensor, index, value)

    def on_index_put(self, func: Function, tensor: Tensor, indices: Any, values: Tensor, *args: Any) -> Tensor:
        self.check_index(tensor, indices)
        self.agree("index_put_", [tensor, values])
        with self.memory.results(self.memory.holds(tensor)):
            return func(tensor, indices, values, *args)

    def check_index(self, tensor: Tensor, index: Any) -> bool:
        """Whether an index holds tensors; RuntimeError for those that may not index this one."""
        indices = [item for item in tensors_in(index) if item.dim()]
        if any(map(self.memory.holds, indices)) and not self.memory.holds(tensor):
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        return bool(indices)

    # A gradient is where its tensor is

    def on_get__grad(self, func: Function, tensor: Tensor, *_: object) -> Tensor | None:
        gradient = func(tensor)
        return None if gradient is None else self.memory.put(gradient, self.memory.holds(tensor))

    def on_set__grad(self, func: Function, tensor: Tensor, gradient: Tensor | None) -> None:
        if gradient is not None and self.memory.device(gradient) != self.memory.device(tensor):
            raise RuntimeError(
                f"attempting to assign a gradient with device type '{self.memory.device(gradient).type}' to a tensor "
                f"with device type '{self.memory.device(tensor).type}'"
            )
        func(tensor, gradient)

    def on_grad(self, func: Function, outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        gradients = func(outputs, inputs, *args, **kwargs)
        for tensor, gradient in zip(tensors_in(inputs), gradients, strict=True):
            if gradient is not None:
                self.memory.put(gradient, self.memory.holds(tensor))
        return gradients


def in_place(name: str) -> bool:
    """Whether a function changes its first argument."""
    dunder = name.startswith("_")
    return name.startswith("__i") and name != "__invert__" if dunder else name.endswith("_")


def differ(name: str, device: torch.device) -> str:
    return (
        f"Expected all tensors to be on the same device, but found at least two devices, {GPU} and {device}! "
        f"(when checking the arguments of {name})"
    )


def floating(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """RuntimeError for integers where a GPU computes with floating-point numbers only."""
    smooth = name == "interpolate" and kwargs.get("mode", "nearest") not in ("nearest", "nearest-exact")
    tensor = next(tensors_in((args, kwargs)))
    if (smooth or name in FLOATING) and not (tensor.is_floating_point() or tensor.is_complex()):
        raise NotImplementedError(f'"{name}_cuda" not implemented for {tensor.dtype}')


def autocast(name: str, arguments: Any) -> Any:
    """The arguments in the type in which autocast computes a function on a GPU."""
    if not torch.is_autocast_enabled("cuda") or name not in HALF | SINGLE | WIDEST:
        return arguments
    types = {t.dtype for t in tensors_in(arguments) if t.is_floating_point()}
    wide = torch.float32 if len(types) > 1 or name in SINGLE else next(iter(types), torch.float32)
    wanted = torch.get_autocast_dtype("cuda") if name in HALF else wide

    def cast(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.to(wanted) if value.dtype in (torch.float32, torch.float16, torch.bfloat16) else value
        if isinstance(value, dict):
            return {key: cast(item) for key, item in value.items()}
        return type(value)(map(cast, value)) if type(value) in (list, tuple) else value

    return cast(arguments)
