"""A pretend GPU: tensors compute on the CPU but say that they are on cuda:0, and PyTorch's rules about devices hold.

    with pretend_gpu(AMPERE):
        x = torch.zeros(3, device="cuda")
        x + torch.ones(3)  # RuntimeError: Expected all tensors to be on the same device …

What is on the GPU is noted for its storage, so views and parameters need no care, and every type stays what it is. Two
of PyTorch's modes do the work. `Propagation`, below autograd, sees every operation: what is computed from the GPU's
tensors is on the GPU, gradients included. `Rules`, above it, sees every call that Python makes: it answers `x.device`,
moves tensors, casts under autocast, and refuses what PyTorch refuses. PyTorch's own code is not held to the rules, for
in truth it works on the CPU and makes its tensors there; nor, for that reason, are hooks and the `backward` of an
`autograd.Function` while they run. Modes belong to a thread: the others see no GPU.

It imports nothing of this tree, so that it can be copied to where chapters run.
"""

import atexit
import contextlib
from collections.abc import Generator

from .cuda import Card, answers
from .memory import Memory, Propagation
from .rules import Rules

AMPERE = Card("NVIDIA A100-SXM4-40GB", (8, 0), 40 * 2**30, 108)
T4 = Card("Tesla T4", (7, 5), 15 * 2**30, 40)  # Colab's; it has no units for bfloat16
CARDS = {"ampere": AMPERE, "t4": T4}


@contextlib.contextmanager
def pretend_gpu(card: Card = AMPERE) -> Generator[None, None, None]:
    """Inside, this thread has such a GPU; a tensor that was on it is on the CPU afterwards."""
    memory = Memory()
    with answers(card, memory), Propagation(memory, card.capability >= (8, 0)), Rules(memory):
        yield


def begin(card: str) -> None:
    """Give this thread a card of that name until the process ends: what a notebook's kernel does first."""
    for_good = contextlib.ExitStack()
    for_good.enter_context(pretend_gpu(CARDS[card]))
    atexit.register(for_good.close)
