"""Does the loop cost anything? `fit` against the least loop one would write by hand with a DataLoader.

Same network (a U-Net of width 16), same tensors (64 pictures of 96×128), same batches, same optimizer, one thread.
Rounds alternate so that both meet the same machine, and the shortest round of each counts. First at equal arithmetic,
where the ratio should be 1; then as `fit` runs by default, with channels_last and, where the processor has it,
bfloat16.

    python benchmarks/training_loop.py
"""

import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from pixelwise.data import VOID, normalise
from pixelwise.models.unet import ContractingPath, UNet
from pixelwise.training import Recipe, fit

ROUNDS = 5


@dataclass
class Pictures:
    """Random pictures with random masks: speed does not depend on what they show."""

    images: Tensor
    targets: Tensor


def network() -> nn.Module:
    torch.manual_seed(0)
    return UNet(ContractingPath(width=16), 11)


def by_hand(data: Pictures) -> None:
    """One epoch of the minimal loop."""
    model = network().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    loader = DataLoader(TensorDataset(data.images, data.targets), batch_size=8, shuffle=True, drop_last=True)
    for images, masks in loader:
        loss = F.cross_entropy(model(normalise(images)), masks.long(), ignore_index=VOID)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def ours(data: Pictures, **settings) -> None:
    """One epoch of `fit`."""
    fit(network(), data, Recipe(epochs=1, batch_size=8, **settings), progress="silent")


def main() -> None:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (64, 3, 96, 128), generator=generator, dtype=torch.uint8)
    targets = torch.randint(11, (64, 96, 128), generator=generator, dtype=torch.uint8)
    targets[:, :4] = VOID
    data = Pictures(images, targets)
    loops = {
        "by hand": lambda: by_hand(data),
        "fit, equal arithmetic": lambda: ours(data, amp=False, channels_last=False),
        "fit, as it comes": lambda: ours(data),
    }
    seconds = {name: [] for name in loops}
    for name, loop in [*loops.items()] * (ROUNDS + 1):  # the first round warms up
        start = time.perf_counter()
        loop()
        seconds[name].append(time.perf_counter() - start)
    best = {name: min(values[1:]) for name, values in seconds.items()}
    for name, value in best.items():
        print(f"{name:22s} {value / 8 * 1e3:7.1f} ms a step   ratio {value / best['by hand']:.2f}")


if __name__ == "__main__":
    main()
