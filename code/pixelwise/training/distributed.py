"""One process, or several under `torchrun`: what the loop needs to know about it, and nothing more."""

import torch
import torch.distributed as dist
from torch import Tensor, nn


def running() -> bool:
    """Whether a process group has been set up."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """This process's number, from 0; the one that writes and prints is 0."""
    return dist.get_rank() if running() else 0


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if running() else 1


def parallel(model: nn.Module, device: torch.device) -> nn.Module:
    """The model, wrapped so that gradients are averaged over the processes when there are several."""
    if world_size() == 1:
        return model
    return nn.parallel.DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)


def total(values: Tensor) -> Tensor:
    """The sum of a tensor over all processes."""
    if world_size() > 1:
        dist.all_reduce(values)
    return values


def wait() -> None:
    """Wait until every process has come here."""
    if world_size() > 1:
        dist.barrier()


def share_refusal(refusal: str | None) -> str | None:
    """What the first process refused, in every process: they all stop, and none waits for the others in vain."""
    if world_size() == 1:
        return refusal
    message = [refusal]
    dist.broadcast_object_list(message, src=0)
    return message[0]
