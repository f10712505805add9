"""What the pretend GPU answers when it is asked by way of `torch.cuda`, and the parts of PyTorch that ask no mode."""

import contextlib
import time
import types
from typing import Any, NamedTuple
from unittest import mock

import torch
from torch import Tensor, nn

from .memory import CPU, GPU, Memory, tensors_in


class Card(NamedTuple):
    """What a program may ask about a GPU."""

    name: str
    capability: tuple[int, int]
    memory: int  # bytes
    multiprocessors: int


class Event:
    """A point in the GPU's work; the pretend GPU does everything at once."""

    def __init__(self, enable_timing: bool = False, **options: object) -> None:
        self.timed = enable_timing
        self.time: float | None = None

    def record(self, stream: object = None) -> None:
        self.time = time.perf_counter()

    def query(self) -> bool:
        return True

    def wait(self, stream: object = None) -> None:
        """Nothing is left to wait for."""

    synchronize = wait

    def elapsed_time(self, end: "Event") -> float:
        """Milliseconds from this event to another."""
        if not (self.timed and end.timed and self.time and end.time):
            raise RuntimeError("Both events must be created with argument 'enable_timing=True' and recorded.")
        return 1000 * (end.time - self.time)


class OnDevice(torch.Generator):
    """A generator for either device."""

    def __new__(cls, device: str | torch.device = "cpu") -> "OnDevice":
        generator = super().__new__(cls)
        vars(generator)["place"] = this_device(device)
        return generator

    @property
    def device(self) -> torch.device:
        return vars(self)["place"]


def this_device(device: str | int | torch.device) -> torch.device:
    """The device that is meant, with its number; RuntimeError for a GPU that is not there."""
    device = torch.device("cuda", device) if isinstance(device, int) else torch.device(device)
    if device.type != "cuda":
        return device
    if device.index not in (None, 0):
        raise RuntimeError(f"CUDA error: invalid device ordinal ({device} of 1)")
    return GPU


def answers(card: Card, memory: Memory) -> contextlib.AbstractContextManager[Any]:
    """Inside, `torch.cuda` speaks of such a card."""
    stack = contextlib.ExitStack()
    stack.enter_context(mock.patch.multiple(torch.cuda, **_functions(card, memory)))
    if hasattr(torch, "accelerator"):  # since PyTorch 2.6
        stream = mock.Mock(is_capturing=lambda: False)
        stack.enter_context(mock.patch.object(torch.accelerator, "current_stream", return_value=stream))
    stack.enter_context(mock.patch.object(torch, "Generator", OnDevice))
    stack.enter_context(mock.patch.object(torch, "load", _load(torch.load, memory)))
    stack.enter_context(torch.serialization.safe_globals([_on_gpu]))
    stack.enter_context(mock.patch.object(Tensor, "__reduce_ex__", _reduce(Tensor.__reduce_ex__)))
    stack.enter_context(mock.patch.object(nn.Module, "to", _module_to(nn.Module.to)))
    return stack


def _functions(card: Card, memory: Memory) -> dict[str, Any]:
    properties = types.SimpleNamespace(
        name=card.name,
        major=card.capability[0],
        minor=card.capability[1],
        total_memory=card.memory,
        multi_processor_count=card.multiprocessors,
    )

    def seed(value: int) -> None:
        memory.random_state = torch.Generator().manual_seed(value).get_state()

    def set_state(state: Tensor, device: object = GPU) -> None:
        memory.random_state = state.clone()

    def forget_peak(device: object = None) -> None:
        memory.peak = memory.allocated

    def check(device: Any = GPU) -> None:
        this_device(GPU if device is None else device)

    def ask(value: object) -> Any:
        def answer(device: Any = GPU) -> object:
            check(device)
            return value() if callable(value) else value

        return answer

    # Each name has a function of its own: PyTorch's compiler, once imported, wants to tell them apart.
    native = card.capability >= (8, 0)
    return {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "init": lambda: None,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": lambda device: check(device),
        "synchronize": lambda device=None: check(device),
        "device": lambda device: contextlib.nullcontext(check(device)),
        "get_device_name": ask(card.name),
        "get_device_capability": ask(card.capability),
        "get_device_properties": ask(properties),
        "is_bf16_supported": lambda including_emulation=True: native or including_emulation,
        "memory_allocated": ask(lambda: memory.allocated),
        "max_memory_allocated": ask(lambda: memory.peak),
        "memory_reserved": ask(lambda: memory.allocated),
        "max_memory_reserved": ask(lambda: memory.peak),
        "memory_stats": ask(
            lambda: {"allocated_bytes.all.current": memory.allocated, "allocated_bytes.all.peak": memory.peak}
        ),
        "mem_get_info": ask(lambda: (card.memory - memory.allocated, card.memory)),
        "reset_peak_memory_stats": forget_peak,
        "empty_cache": lambda: None,
        "manual_seed": lambda value: seed(value),
        "manual_seed_all": lambda value: seed(value),
        "get_rng_state": ask(lambda: memory.random_state.clone()),
        "set_rng_state": set_state,
        "is_current_stream_capturing": lambda: False,
        "Event": Event,
    }


def _load(load: Any, memory: Memory) -> Any:
    """torch.load whose map_location may be the GPU."""

    def wrapped(file: Any, map_location: Any = None, **options: Any) -> Any:
        on_gpu = isinstance(map_location, str | torch.device) and this_device(map_location) == GPU
        loaded = load(file, map_location=CPU if on_gpu else map_location, **options)
        if map_location is not None:
            with torch._C.DisableTorchFunction():  # below the rules
                for tensor in tensors_in(loaded):
                    memory.put(tensor, on_gpu)
        return loaded

    return wrapped


def _module_to(to: Any) -> Any:
    """nn.Module.to whose model may be a tensor of the GPU."""

    def wrapped(module: nn.Module, *args: Any, tensor: Tensor | None = None, **kwargs: Any) -> nn.Module:
        if args and isinstance(args[0], Tensor):
            tensor, args = args[0], args[1:]
        if tensor is not None:
            args = (tensor.device, tensor.dtype, *args)
        return to(module, *args, **kwargs)

    return wrapped


def _reduce(reduce: Any) -> Any:
    """Tensor.__reduce_ex__ by which what was pickled on the GPU comes back on the GPU."""

    def wrapped(tensor: Tensor, protocol: int) -> Any:
        reduced = reduce(tensor, protocol)
        return (_on_gpu, reduced[:2]) if tensor.is_cuda else reduced

    return wrapped


def _on_gpu(rebuild: Any, args: tuple[Any, ...]) -> Tensor:
    return rebuild(*args).to(GPU)
