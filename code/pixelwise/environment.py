"""What decides a result beside the code: seeds, versions, devices. Notebooks and commands alike ask here."""

import platform
import random

import numpy
import torch


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
    """Return the name of the GPU, ``CPU``, or ``MPS`` for Apple's GPU."""
    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
