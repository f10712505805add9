"""What lies in the pretend GPU's memory, and how that spreads from tensor to tensor."""

import contextlib
import weakref
from collections.abc import Generator, Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


class Memory:
    """Which storages are on the GPU, how much they take, and where the GPU's generator of random numbers stands."""

    def __init__(self) -> None:
        self.allocated = self.peak = 0  # bytes
        self.random_state = torch.Generator().manual_seed(0).get_state()
        self.target: bool | None = None
        """Whether what is computed now goes to the GPU, as its caller said; None: it goes where its arguments are."""
        self._storages: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def holds(self, tensor: Tensor) -> bool:
        """Whether a tensor is on the GPU."""
        if tensor.device.type != "cpu" or tensor.layout is not torch.strided:
            return False
        try:
            return tensor.untyped_storage() in self._storages
        except (NotImplementedError, RuntimeError):  # inside vmap and its like some tensors have none to show
            return False

    def device(self, tensor: Tensor) -> torch.device:
        """Where a tensor is."""
        return GPU if self.holds(tensor) else tensor.device

    def put(self, tensor: Tensor, here: bool) -> Tensor:
        """Note that a tensor is on the GPU, or that it is not."""
        if here != self.holds(tensor) and tensor.device.type == "cpu" and tensor.layout is torch.strided:
            storage = tensor.untyped_storage()
            if here:
                self._storages.add(storage)
                self.allocated += storage.nbytes()
                self.peak = max(self.peak, self.allocated)
                weakref.finalize(storage, self._free, storage.nbytes()).atexit = False
            else:
                self._storages.discard(storage)
        return tensor

    def _free(self, size: int) -> None:
        self.allocated -= size

    @contextlib.contextmanager
    def results(self, here: bool | None) -> Generator[None, None, None]:
        """Inside, what is computed lies there, whatever it is computed from."""
        before, self.target = self.target, here
        try:
            yield
        finally:
            self.target = before

    @contextlib.contextmanager
    def random_numbers(self) -> Generator[None, None, None]:
        """Inside, PyTorch's global generator is the GPU's, not the CPU's."""
        before = torch.default_generator.get_state()
        torch.default_generator.set_state(self.random_state)
        try:
            yield
        finally:
            self.random_state = torch.default_generator.get_state()
            torch.default_generator.set_state(before)


def tensors_in(value: object) -> Iterator[Tensor]:
    """Every tensor among arguments or results."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors_in(list(cast(dict[object, object], value).values()))
    elif isinstance(value, (list, tuple)):
        for item in cast(Sequence[object], value):
            yield from tensors_in(item)


CONVOLUTIONS = (torch.ops.aten.convolution, torch.ops.aten.convolution_backward)


def tensor_float(x: Tensor) -> Tensor:
    """A float32 tensor with the ten bits of mantissa that TensorFloat-32 has; any other as it is."""
    return ((x.view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32) if x.dtype == torch.float32 else x


class Propagation(TorchDispatchMode):
    """Below autograd: what is computed from tensors of the GPU is on the GPU, and draws from the GPU's generator.

    A card that has TensorFloat-32 convolves in it unless PyTorch is told otherwise, as by default it is not.
    """

    def __init__(self, memory: Memory, tensor_float: bool) -> None:
        super().__init__()
        self.memory = memory
        self.tensor_float = tensor_float

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Not to import PyTorch's compiler, which takes seconds, only to keep it away."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> object:
        kwargs = kwargs or {}
        here = self.memory.target
        if here is None:
            here = any(map(self.memory.holds, tensors_in((args, kwargs))))
        if here and self.tensor_float and func.overloadpacket in CONVOLUTIONS and torch.backends.cudnn.allow_tf32:
            args = tuple(tensor_float(value) if isinstance(value, Tensor) else value for value in args)
        draws = here and torch.Tag.nondeterministic_seeded in func.tags
        with self.memory.random_numbers() if draws else contextlib.nullcontext():
            out = func(*args, **kwargs)
        if here:
            for tensor in tensors_in(out):
                self.memory.put(tensor, True)
        return out
