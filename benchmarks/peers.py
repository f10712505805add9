"""The whole way, not the network alone: the same recipe for ours and the libraries' models, and time to a result.

First table: `fit` and `predict` with our network and with torchvision's or smp's of the same architecture and weights,
under one recipe (augmentation, optimizer, batches of 16 pictures of 128×160). Rounds alternate, the median of their
ratios counts.

Then how long it takes to reach a validation mIoU on generated scenes of 120×160, once with `fit` and once with the
loop that most people would write: a DataLoader that decodes PNGs, augmentation picture by picture, float32, NCHW.
Network, start, batches, optimizer, schedule and augmentation are the same. PNGs lie at the size that is trained on,
which favours the DataLoader: no resizing. Validation is not timed.

Below 1 ours is faster. On a CPU: one thread, and the seconds of this program alone.

    python benchmarks/peers.py [--rounds 5] [--target 0.35] [--epochs 10] [--seeds 2]
"""

import argparse
import contextlib
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from models import PAIRS, compare
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2
from torchvision.transforms.v2.functional import to_image

from pixelwise import data
from pixelwise.evaluation import evaluate, heads, metrics, predict
from pixelwise.models.unet import ContractingPath, UNet
from pixelwise.training import History, Recipe, fit, losses
from pixelwise.training.schedule import poly
from tests.models.parity import randomise

SIZE, WHOLE = (120, 160), (128, 160)
"""Size of the scenes, and for the first table the nearest one that smp's models take."""

NAMES = ("smp.Unet resnet18", "fcn_resnet50 with aux", "smp.DeepLabV3Plus resnet50, output stride 16")
RECIPE = Recipe(epochs=1, batch_size=16, learning_rate=1e-4, class_weights="inverse_sqrt", augment=data.Augment())


@dataclass
class Pictures:
    """Random pictures with random masks: speed does not depend on what they show."""

    images: Tensor
    targets: Tensor
    is_cuda: bool = False

    @classmethod
    def random(cls, count: int, classes: int) -> "Pictures":
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(256, (count, 3, *WHOLE), generator=generator, dtype=torch.uint8)
        return cls(images, torch.randint(classes, (count, *WHOLE), generator=generator, dtype=torch.uint8))


def train_one_epoch(network: nn.Module, pictures: Pictures) -> None:
    fit(network, pictures, RECIPE, progress="silent")


def compare_under_one_recipe(rounds: int) -> None:
    print(f"\none recipe, ours ÷ library, {RECIPE.batch_size} pictures of {WHOLE[0]}×{WHOLE[1]} a step")
    print(f"{'':46}{'train':>8}{'predict':>10}{'ms train':>12}{'predict':>10}")
    for name in NAMES:
        ours, reference = PAIRS[name].build_ours(), PAIRS[name].build_reference()
        ours.load_state_dict(randomise(reference).state_dict())
        networks = [x.float().to(memory_format=torch.channels_last) for x in (ours, reference)]
        with torch.no_grad():
            classes = heads(ours.eval()(torch.zeros(1, 3, *WHOLE)))[0].shape[1]
        pictures = Pictures.random(RECIPE.batch_size, classes)
        train, train_ms = compare(train_one_epoch, networks, pictures, rounds)
        answer, answer_ms = compare(lambda x, p: predict(x, p.images), networks, pictures, rounds)
        print(f"{name:46}{train:8.2f}{answer:10.2f}{train_ms:12.0f}{answer_ms:10.0f}", flush=True)


class Files(Dataset):
    """PNG pictures and masks in a folder, decoded and augmented one by one, as in most tutorials."""

    def __init__(self, folder: Path, count: int):
        self.folder, self.count = folder, count
        self.jitter = v2.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        image = Image.open(self.folder / f"{i}.png").convert("RGB")
        mask = Image.open(self.folder / f"{i}-mask.png")
        if torch.rand(()) < 0.5:
            image, mask = (x.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for x in (image, mask))
        factor = float(torch.exp(torch.empty(()).uniform_(np.log(0.75), np.log(1.5))))
        size = [round(side * factor) for side in SIZE]
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
        mask = mask.resize(size[::-1], Image.Resampling.NEAREST)
        x, y = data.normalise(to_image(self.jitter(image))), torch.from_numpy(np.array(mask)).long()
        top, left = (int(torch.randint(abs(a - b) + 1, ())) for a, b in zip(size, SIZE, strict=True))
        if factor >= 1:
            window = (..., slice(top, top + SIZE[0]), slice(left, left + SIZE[1]))
            return x[window], y[window]
        edges = (left, SIZE[1] - size[1] - left, top, SIZE[0] - size[0] - top)
        return F.pad(x, edges), F.pad(y, edges, value=data.VOID)


def minimal_loop(model: nn.Module, train, recipe: Recipe, folder: Path, seed: int, reached) -> float:
    """Seconds of training until `reached(model)` says so after an epoch, or to the end."""
    torch.manual_seed(seed)
    loader = DataLoader(Files(folder, len(train)), recipe.batch_size, shuffle=True, drop_last=True)
    weights = losses.inverse_sqrt_frequencies(train.targets, len(data.CLASSES))
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(poly, total=recipe.epochs * len(loader)))
    seconds = 0.0
    for _ in range(recipe.epochs):
        start = time.process_time()
        model.train()
        for images, masks in loader:
            loss = F.cross_entropy(model(images), masks, weights, ignore_index=data.VOID)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        seconds += time.process_time() - start
        if reached(model):
            break
    return seconds


class Reached(Exception):
    """The target is reached, and `fit` may stop."""


def our_loop(model: nn.Module, train, recipe: Recipe, seed: int, reached) -> float:
    """Seconds of training by `fit` until `reached(model)` says so after an epoch, or to the end."""
    seconds, start = 0.0, time.process_time()

    def after_epoch(model: nn.Module, history: History) -> None:
        nonlocal seconds, start
        seconds += time.process_time() - start
        if reached(model):
            raise Reached
        start = time.process_time()

    with contextlib.suppress(Reached):
        fit(model, train, recipe, seed=seed, progress="silent", on_epoch=after_epoch)
    return seconds


def compare_time_to_a_result(target: float, epochs: int, seeds: int) -> None:
    train, val = data.load("streets", "train", SIZE, count=128), data.load("streets", "val", SIZE, count=48)
    recipe = Recipe(epochs=epochs, learning_rate=3e-3, class_weights="inverse_sqrt", augment=data.Augment())
    half = recipe.use_bfloat16(torch.device("cpu"))
    print(f"\ntime to a validation mIoU of {target:.0%}, streets, U-Net of width 8, bfloat16 in fit: {half}")
    total = {"fit": 0.0, "DataLoader": 0.0}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i, (image, mask) in enumerate(zip(*train, strict=True)):
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{i}.png")
            Image.fromarray(mask.numpy()).save(folder / f"{i}-mask.png")
        for seed in range(seeds):
            for loop in total:
                torch.manual_seed(seed)
                model, course = UNet(ContractingPath(width=8), len(data.CLASSES)), []

                def reached(model: nn.Module, course: list = course) -> bool:
                    course.append(metrics.mean_iou(evaluate(model, val)))
                    return course[-1] >= target

                if loop == "fit":
                    seconds = our_loop(model, train, recipe, seed, reached)
                else:
                    seconds = minimal_loop(model, train, recipe, folder, seed, reached)
                total[loop] += seconds
                state = "reached" if course[-1] >= target else "NOT reached"
                print(
                    f"  seed {seed}, {loop:10}  {seconds:6.1f} s, {len(course):2} epochs, {state} ({course[-1]:.1%}), "
                    f"{seconds / len(course):.2f} s an epoch",
                    flush=True,
                )
    print(f"  ratio fit ÷ DataLoader over all seeds: {total['fit'] / total['DataLoader']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Ours beside the libraries' models and the usual loop.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--target", type=float, default=0.35, help="validation mIoU to reach")
    parser.add_argument("--epochs", type=int, default=10, help="at most, and the length of the schedule")
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"CPU, one thread, torch {torch.__version__}")
    compare_under_one_recipe(options.rounds)
    compare_time_to_a_result(options.target, options.epochs, options.seeds)


if __name__ == "__main__":
    main()
