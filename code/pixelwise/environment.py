"""What a run owes to its machine: seeds, versions, devices, and whether memory ran out.

Notebooks and commands alike ask here.
"""

import errno
import os
import platform
import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy
import torch

_OUT_OF_MEMORY = re.compile(
    r"out of memory|(can't|cannot) allocate memory|not enough memory|alloc_failed|bad_alloc", re.I
)
"""What a RuntimeError says where an allocator failed: PyTorch's for CPUs and Apple's GPUs, cuDNN's, cuBLAS's, C++'s."""


def checkout() -> Path | None:
    """The checkout of the book that this library runs from; None where it was installed alone."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / "code" / "pixelwise").is_dir() else None


def progress_bar(total: int, description: str, unit: str, *, initial: int = 0, leave: bool = False) -> Any:
    """A tqdm bar where somebody looks: in a notebook or a terminal.

    A log or a pipe gets nothing, nor does a recording (PIXELWISE_RECORDING=1), whose outputs must hold no debris of it.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if notebook := hasattr(shell, "kernel"):
        from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    seen = (notebook or sys.stderr.isatty()) and os.environ.get("PIXELWISE_RECORDING") != "1"
    return tqdm(total=total, desc=description, unit=unit, initial=initial, leave=leave, disable=not seen)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and PyTorch (CPU and CUDA)."""
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    import torchvision

    return {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "torchvision": torchvision.__version__.split("+")[0],
        "numpy": numpy.__version__,
    }


def device_name(device: torch.device | str) -> str:
    """Return the name of the GPU, `CPU`, or `MPS` for Apple's GPU."""
    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, the computer's or a GPU's; NumPy's, Pillow's and PyTorch's words."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):  # its text may hold a path, which can be any text
        return error.errno == errno.ENOMEM or str(error).startswith("out of memory error")
    return isinstance(error, RuntimeError) and _OUT_OF_MEMORY.search(str(error)) is not None
