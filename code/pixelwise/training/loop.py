"""The training loop of the book: one function, to be read from top to bottom.

It departs from the loop of a tutorial in four ways. The data are uint8 tensors that move to the device once, and
batches are cut and augmented there, so there is no loader and nothing waits for one. Every epoch seeds its shuffle,
its augmentation and its dropout from (seed, epoch), so a run that was killed resumes bit for bit from the end of the
last epoch. A loss that is no number stops the run and says where. And under `torchrun` every process runs this same
function on its share of each batch.
"""

import copy
import time
import types
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..checks import check_tensors
from ..data.augment import normalise
from ..data.labelled import LabelledImages
from ..data.palette import VOID
from ..evaluation import metrics
from ..evaluation.inference import Outputs, evaluate, heads, predicted_labels
from ..modes import eval_mode
from . import checkpoint as checkpoints
from . import distributed, losses
from .finetune import train_mode
from .history import History, Progress, note_finished
from .recipe import Augmentation, Recipe
from .schedule import poly


def fit(
    model: nn.Module,
    train: LabelledImages,
    recipe: Recipe = Recipe(),  # noqa: B008  (frozen)
    *,
    val: LabelledImages | None = None,
    loss: losses.Loss | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    checkpoint: str | Path | None = None,
    facts: Mapping[str, object] = types.MappingProxyType({}),
    progress: str | None = None,
    on_epoch: Callable[[nn.Module, History], None] | None = None,
) -> History:
    """Train a model in place, on scenes or on patches; it is left on `device` and in eval mode. Returns the history.

    train and val are data sets in memory, `.images` (N, 3, H, W) uint8 and `.targets`, masks (N, H, W) uint8 or classes
    (N,) int64, void 255. The model returns logits (N, C, H, W) or (N, C), in train mode also a tuple or dict of main
    and auxiliary ones. `loss(logits, targets)` replaces the cross-entropy that the recipe describes. Each epoch steps
    through len(train) // batch_size shuffled batches, so none is smaller than the others, which batch normalisation
    would suffer from; a set smaller than a batch is one batch.

    `checkpoint` is a file: written after every epoch, resumed from if it is there. `facts`, which hold what JSON can,
    say what else the caller's figures depend on: a run is resumed only where they are the same. `progress` is "bar",
    "lines", "silent" or None (a bar, or lines in a record). `on_epoch(model, history)` is called after every epoch,
    before the checkpoint. The same seed on the same device gives the same weights; on the CPU, to the last bit with the
    same number of threads. Dropout draws from PyTorch's global generator, so of several `fit` in threads of one process
    none can be repeated: give each a process.

    FloatingPointError when the loss is no longer finite; CheckpointError for a checkpoint of another run; ValueError
    for data that do not fit the model, TypeError for those that are no tensors.
    """
    device = torch.device(device)
    images, targets = _check(train.images, train.targets)
    images, targets = images.to(device), targets.to(device)
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    model.to(device, memory_format=layout)  # pyrefly: ignore[no-matching-overload]  # undeclared in PyTorch
    rank, world = distributed.rank(), distributed.world_size()

    batch_size = min(recipe.batch_size, len(images))
    if batch_size % world:
        raise ValueError(
            f"a batch of {batch_size} does not divide among {world} processes: choose a multiple of {world}"
        )
    steps = len(images) // batch_size
    last_step = min(recipe.epochs * steps, recipe.max_steps or recipe.epochs * steps)
    epochs = -(-last_step // steps)

    augment = recipe.augment or _only_normalise
    loss = loss or _cross_entropy(model, images, targets, augment, recipe)
    optimizer = recipe.build_optimizer(model)
    average = copy.deepcopy(model).eval() if recipe.ema else None
    result = average or model
    autocast = partial(torch.autocast, device.type, torch.bfloat16, enabled=recipe.use_bfloat16(device))

    history = History()
    run = {**facts, **_describe(model, images, targets, recipe, loss, seed, device, val)} if checkpoint else {}
    saved = {"model": model, "ema": average} if average else {"model": model}
    if checkpoint and Path(checkpoint).exists():
        history = checkpoints.load(Path(checkpoint), run, saved, optimizer)
    step = history.step[-1] if history.step else 0
    network = distributed.parallel(model, device)
    style = progress if rank == 0 else "silent"

    with _restore_random_state(device), Progress(style, epochs, last_step, step) as display:
        for epoch in range(len(history.epoch), epochs):
            started, computing = time.perf_counter(), time.process_time()
            train_mode(model)
            torch.manual_seed(_seed(seed, epoch, 0, rank))  # dropout
            generator = torch.Generator(device).manual_seed(_seed(seed, epoch, 1, rank))  # augmentation
            shuffle = torch.Generator().manual_seed(_seed(seed, epoch, 2))  # the same in every process, on every device
            order = torch.randperm(len(images), generator=shuffle).to(device)
            batches = order.split(batch_size)[: min(steps, last_step - step)]
            step_losses = torch.zeros(len(batches), device=device)
            right, labelled = torch.zeros((2,), dtype=torch.int64, device=device)

            learning_rate = 0.0

            for i, batch in enumerate(batches):
                learning_rate = recipe.learning_rate * poly(
                    step, last_step, warmup=recipe.warmup_steps, power=recipe.power
                )
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate * group["rate"]

                own = batch[rank::world]
                x, y = augment(images[own], targets[own], generator)
                with autocast():
                    outputs = _forward(network, x.contiguous(memory_format=layout))
                logits = heads(outputs)
                value = losses.weigh_heads(loss, logits, y, recipe.auxiliary_weight)
                step_losses[i] = value.detach()
                known = device.type == "cpu" or i % 32 == 31 or i == len(batches) - 1  # elsewhere, reading it must wait
                if known:
                    _stop_unless_finite(step_losses[: i + 1], step - i, epoch, epochs, learning_rate)

                optimizer.zero_grad()
                value.backward()
                optimizer.step()
                step += 1
                if average and recipe.ema:
                    _update_average(average, model, recipe.ema, step)

                right += (predicted_labels(logits[0].detach()) == y).sum()
                labelled += (y != VOID).sum()
                display.step(value.item() if known else None)

            right, labelled, summed = distributed.total(torch.stack([right, labelled, step_losses.sum()])).tolist()
            history.append(
                epoch=epoch + 1,
                step=step,
                loss=summed / len(batches) / world,
                accuracy=right / max(labelled, 1),
                learning_rate=learning_rate,
                seconds=time.perf_counter() - started,
                processor_seconds=time.process_time() - computing,
            )
            if val is not None:
                matrix = evaluate(result, val, device=device)
                history.append(val_accuracy=metrics.pixel_accuracy(matrix), val_mean_iou=metrics.mean_iou(matrix))
            display.epoch(history)
            if on_epoch:
                on_epoch(result, history)
            if checkpoint and rank == 0:
                checkpoints.save(Path(checkpoint), run, history, saved, optimizer)
            distributed.wait()

    if average:
        model.load_state_dict(average.state_dict())
    model.eval()
    note_finished()
    return history


def _check(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The training data, if they are what `fit` expects."""
    check_tensors(images=images, targets=targets)
    if images.dtype != torch.uint8 or images.dim() != 4 or not len(images):
        raise ValueError(f"images are {images.dtype} {tuple(images.shape)}, expected uint8 (N, 3, H, W) with N ≥ 1")
    masks, classes = (
        targets.dtype == torch.uint8 and targets.dim() == 3,
        targets.dtype == torch.int64 and targets.dim() == 1,
    )
    sizes = (len(images), *images.shape[2:]) if masks else (len(images),)
    if not (masks or classes) or targets.shape != sizes:
        raise ValueError(
            f"targets are {targets.dtype} {tuple(targets.shape)} for images {tuple(images.shape)}, expected masks "
            "(N, H, W) uint8 or classes (N,) int64"
        )
    return images, targets


def _only_normalise(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return normalise(images), targets.long()


def _cross_entropy(
    model: nn.Module, images: Tensor, targets: Tensor, augment: Augmentation, recipe: Recipe
) -> losses.Loss:
    """The recipe's loss, once the labels are known to fit the model (a GPU would only say "device assert")."""
    generator = torch.Generator(images.device).manual_seed(0)
    with eval_mode(model), torch.no_grad():
        x, _ = augment(images[:1], targets[:1], generator)
        classes = heads(model(x))[0].shape[1]
    labels = targets[targets != VOID]
    if not labels.numel():
        raise ValueError("no training target is labelled, all are void (255): was the palette converted?")
    if not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        wrong = int(labels.max()) if int(labels.max()) >= classes else int(labels.min())
        raise ValueError(
            f"targets hold label {wrong}, but the model has {classes} outputs, for classes 0-{classes - 1} "
            "(255 is void): build it with another num_classes, or was the palette not converted?"
        )
    weights = recipe.class_weights
    if weights is not None:
        weights = losses.inverse_sqrt_frequencies(targets, classes) if isinstance(weights, str) else weights
        if weights.shape != (classes,):
            raise ValueError(f"class_weights are {tuple(weights.shape)}, but the model has {classes} outputs")
        weights = weights.to(images.device)
    return partial(losses.cross_entropy, class_weights=weights, label_smoothing=recipe.label_smoothing)


def _forward(network: nn.Module, x: Tensor) -> Outputs:
    try:
        return network(x)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ValueError(
            f"batch normalisation cannot train on a batch of {len(x)} where a feature map is 1×1: its variance needs "
            "two values; use batch_size ≥ 2 (and at least two images), or a normalisation without batch statistics"
        ) from error


def _stop_unless_finite(values: Tensor, first_step: int, epoch: int, epochs: int, learning_rate: float) -> None:
    finite = values.isfinite()
    if not finite.all():
        bad = int(finite.logical_not().nonzero()[0])
        raise FloatingPointError(
            f"loss is {values[bad].item()} at step {first_step + bad} (epoch {epoch + 1} of {epochs}, learning rate "
            f"{learning_rate:.1e}): try a tenth of the learning rate, a longer warm-up (warmup_steps), or amp=False"
        )


@torch.no_grad()
def _update_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the model; at first faster than `decay`, to forget the random start soon."""
    decay = min(decay, (1 + step) / (10 + step))
    for old, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)
        else:
            old.copy_(new)


def _seed(*path: int) -> int:
    """A seed of its own for each (seed, epoch, purpose, rank)."""
    return int(np.random.SeedSequence(path).generate_state(1)[0])


def _restore_random_state(device: torch.device) -> AbstractContextManager[None]:
    """Leave the caller's global random state as it was; inside, dropout is the run's own."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def _describe(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    recipe: Recipe,
    loss: losses.Loss,
    seed: int,
    device: torch.device,
    val: LabelledImages | None,
) -> dict[str, object]:
    """What makes two runs the same run, for a checkpoint to compare."""
    settings = checkpoints.describe(recipe)
    return {
        "model": type(model).__qualname__,
        "data": _fingerprint(images, targets),
        "validation": None if val is None else _fingerprint(val.images, val.targets),
        "loss": checkpoints.describe(loss.func if isinstance(loss, partial) else loss),
        "seed": seed,
        "device": device.type,
        "bfloat16": recipe.use_bfloat16(device),
        "frozen parameters": sum(p.numel() for p in model.parameters() if not p.requires_grad),
        **{f"recipe.{name}": setting for name, setting in settings.items()},
    }


def _fingerprint(images: Tensor, targets: Tensor) -> str:
    return f"{tuple(images.shape)}, sum {int(images.sum())}, labels {int(targets.sum())}"
