"""From the name of a device, as a command was told it, to the device."""

import torch

from .options import Device


def choose_device(name: str | None, local_rank: int | None = None) -> torch.device:
    """The device called `name`, or the best there is; under torchrun this process's own GPU."""
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(Device().parse(name))
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"--device {name} was asked for, but PyTorch sees no CUDA GPU; use --device cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError("--device mps was asked for, but PyTorch sees no Apple GPU; use --device cpu")
    if device.type == "cuda" and local_rank is None and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"there is no {name}: this machine has {torch.cuda.device_count()} GPUs, counted from cuda:0")
    if device.type == "cuda" and local_rank is not None:
        if local_rank >= torch.cuda.device_count():
            raise ValueError(
                f"process {local_rank} has no GPU: this machine has {torch.cuda.device_count()}; "
                "start as many processes as GPUs (--nproc-per-node)"
            )
        return torch.device("cuda", local_rank)
    return device
