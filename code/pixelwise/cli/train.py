"""The training command: `fit` with options instead of cells, alone or as one of several processes under torchrun.

Every process reads the data, trains on its share of each batch and gets the same gradients; the first one alone writes
and prints.
"""

import datetime
import itertools
import os
import sys
from argparse import Namespace
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .. import data
from ..data import storage
from ..environment import device_name, is_out_of_memory, seed_everything, versions
from ..evaluation import metrics
from ..evaluation.inference import predict
from ..evaluation.judge import BAND, judge
from ..files import atomic_write, held, save_json
from ..training import checkpoint, distributed, parallel
from ..training.finetune import encoder_of, freeze
from ..training.history import History
from ..training.loop import fit
from ..zoo import weights
from ..zoo.imagenet import load_encoder
from ..zoo.model_card import write_card
from ..zoo.registry import NetworkSpec
from . import console
from .device import choose_device
from .options import refuse
from .training_options import PROGRAM, network_spec_of, parse, recipe_of

SHEET_SCENES = 6

CHECKPOINT = "checkpoint.safetensors"
DATA_SHEET = "data-sheet.png"
RUN_FILES = (CHECKPOINT, "weights.safetensors", "model-card.md", "results.json", "contact-sheet.png", DATA_SHEET)
"""What a run leaves in its folder."""

PROVENANCE = ("device", "date", "seconds", "seeds", "versions", "processes")
"""What of the results goes into the weights' own description."""


@console.command_line(PROGRAM, memory="choose a smaller --batch-size, --size or --crop, or fewer --scenes")
def main(arguments: list[str] | None = None) -> None:
    """The command line; exits with one line that says what to do: status 2 for a wrong option, 1 for what fails."""
    options = parse(arguments)
    console.say_warnings(PROGRAM)
    try:
        several = int(os.environ.get("WORLD_SIZE", 1)) > 1
        device = choose_device(options.device, int(os.environ.get("LOCAL_RANK", 0)) if several else None)
    except ValueError as error:
        refuse(PROGRAM, str(error))
    folder = options.out
    try:
        folder = folder or default_folder(options)
        with processes(device, several), own_folder(folder, options):
            run(options, folder, device)
    except KeyboardInterrupt:
        sys.exit(f"{PROGRAM}: stopped; the same command with --resume goes on from {folder}")
    except checkpoint.CheckpointError as error:
        sys.exit(
            f"{PROGRAM}: {error}. With --resume the options are those of the run that was stopped; "
            "--overwrite begins it anew"
        )
    except data.FolderError as error:
        console.fail(PROGRAM, error.lines)
    except (ValueError, FloatingPointError, OSError) as error:
        if is_out_of_memory(error):
            raise
        sys.exit(f"{PROGRAM}: {error}")


def run(options: Namespace, folder: Path, device: torch.device) -> dict[str, Any]:
    """Train, judge and write everything into `folder`; returns what results.json holds."""
    recipe = recipe_of(options)
    train, val, test = load_scenes(options)
    if options.data and distributed.rank() == 0:
        show_data(options, folder, train)
    spec = network_spec_of(options, len(train.classes))
    seed_everything(options.seed)
    model = initial(options, spec)
    parameters = sum(p.numel() for p in model.parameters())
    say(
        f"{options.model}, {parameters / 1e6:.2f} M parameters, on {len(train)} scenes of {options.dataset} at "
        f"{options.size[0]}×{options.size[1]}; {device_name(device)}"
        + (f" × {distributed.world_size()} processes" if distributed.world_size() > 1 else "")
    )
    loss = None
    if distributed.world_size() > 1:
        loss = parallel.whole_batch_loss(recipe, train.targets, len(train.classes), device)
        model = parallel.synchronise(model, device) if options.sync_batch_norm else model

    progress = options.progress or ("bar" if sys.stderr.isatty() else "lines")
    history = fit(
        model,
        train,
        recipe,
        val=val,
        loss=loss,
        seed=options.seed,
        device=device,
        checkpoint=folder / CHECKPOINT,
        progress=progress,
        facts=facts(options, spec, len(train)),
    )
    if distributed.rank() > 0:
        return {}

    labels = predict(model, val.images, batch_size=options.batch_size)
    values = {options.val_split: judge(labels, val.targets, val.classes)}
    if test is not None:
        said = predict(model, test.images, batch_size=options.batch_size)
        values["test"] = judge(said, test.targets, test.classes)
    record: dict[str, Any] = {
        "network": spec.to_dict(),
        "parameters": parameters,
        "dataset": options.dataset,
        "train_split": options.train_split,
        "val_split": options.val_split,
        "scenes": len(train),
        "size": list(options.size),
        "named_recipe": options.recipe,
        "recipe": {
            **checkpoint.describe(recipe),
            "encoder_weights": options.encoder_weights,
            "encoder_frozen": options.freeze,
        },
        "processes": distributed.world_size(),
        "sync_batch_norm": options.sync_batch_norm,
        **provenance(device, history, options.seed),
        "values": values,
        "history": history.to_dict(),
    }
    write_all(folder, record, model, spec, val, labels)
    report(folder, values, record["seconds"])
    return record


def initial(options: Namespace, spec: NetworkSpec) -> nn.Module:
    """The network as training finds it."""
    model = spec.build()
    if options.encoder_weights:
        load_encoder(model)
    if options.freeze:
        freeze(encoder_of(model))
    return model


def default_folder(options: Namespace) -> Path:
    """Where a run with these options goes unless --out says otherwise."""
    height, width = options.size
    return storage.folder() / "runs" / f"{options.model}-{options.dataset}-{height}x{width}-seed{options.seed}"


@contextmanager
def own_folder(folder: Path, options: Namespace) -> Generator[None, None, None]:
    """Have the run's folder to these processes alone, and its old run gone where it is to be overwritten.

    ValueError where it holds another run, unless that is to be resumed or overwritten; OSError where another process
    trains into it. The first process looks, and the others learn what it found.
    """
    with ExitStack() as stack:
        refusal = None
        if distributed.rank() == 0:
            try:
                stack.enter_context(held(folder))
                clear(folder, options)
            except (ValueError, OSError) as error:
                refusal = str(error)
        if refusal := distributed.share_refusal(refusal):
            if distributed.rank() > 0:
                sys.exit(1)  # the first process says why
            raise ValueError(refusal)
        yield


def clear(folder: Path, options: Namespace) -> None:
    """Remove the run in `folder` that is to be overwritten; ValueError where one is there that nobody gave up."""
    left = [name for name in RUN_FILES if (folder / name).exists()]
    if options.overwrite:
        for name in left:
            (folder / name).unlink()
    elif left and not options.resume:
        raise ValueError(
            f"{folder} holds a run already ({', '.join(left)}): go on with it (--resume), begin it anew "
            "(--overwrite), or choose another folder (--out)"
        )
    elif left and CHECKPOINT not in left:
        raise ValueError(
            f"{folder} holds a run ({', '.join(left)}) without a {CHECKPOINT} to resume from: begin it anew "
            "(--overwrite), or choose another folder (--out)"
        )


def facts(options: Namespace, spec: NetworkSpec, scenes: int) -> dict[str, object]:
    """What else makes two runs the same one, beside what `fit` knows: all that changes a figure of the results."""
    return {
        "dataset": options.dataset,
        "train_split": options.train_split,
        "val_split": options.val_split,
        "scenes": scenes,
        "size": list(options.size),
        "network": spec.to_dict(),
        "encoder_weights": options.encoder_weights,
        "boundary_width": BAND,
        "processes": distributed.world_size(),
        "sync_batch_norm": options.sync_batch_norm,
    }


def load_scenes(options: Namespace) -> tuple[data.Scenes, data.Scenes, data.Scenes | None]:
    """The splits that were asked for. One process fills the cache, and the others then read it.

    DataError where two of them share a scene.
    """
    splits = [options.train_split, options.val_split, *(["test"] if options.test else [])]
    if distributed.rank() > 0:
        distributed.wait()
    chosen = {"count": options.scenes, "classes": options.classes}
    scenes = [data.load(options.data or options.dataset, split, tuple(options.size), **chosen) for split in splits]
    if distributed.rank() == 0:
        distributed.wait()
    for one, other in itertools.combinations(scenes, 2):
        check_apart(one, other)
    return scenes[0], scenes[1], scenes[2] if options.test else None


def show_data(options: Namespace, folder: Path, train: data.Scenes) -> None:
    """Say what was understood of a folder of somebody's own, and draw it beside the run, before any training."""
    from ..figures.understood import show_understood

    found = data.survey(options.data, options.classes)
    for line in found.lines():
        say(line)
    with atomic_write(folder / DATA_SHEET) as temporary:
        temporary.write_bytes(show_understood(found, train).png())
    say(f"look at {folder / DATA_SHEET} whether that is right")


def check_apart(one: data.Scenes, other: data.Scenes) -> None:
    """DataError where two sets share a scene: figures of scenes that were trained on promise too much."""
    if shared := sorted(set(one.names) & set(other.names)):
        raise data.DataError(
            f"{len(shared)} scenes are in {one.split} and in {other.split}, {shared[0]} for one: nothing honest can be "
            "measured on them; choose splits, or a copy of the data, that share none"
        )


def provenance(device: torch.device, history: History, seed: int) -> dict[str, object]:
    """Where figures come from, under the names that a recorded chapter uses; seconds are those of training."""
    return {
        "device": device_name(device),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(sum(history.seconds), 1),
        "seeds": [seed],
        "versions": versions(),
    }


def write_all(
    folder: Path, record: dict[str, Any], model: nn.Module, spec: NetworkSpec, val: data.Scenes, labels: torch.Tensor
) -> None:
    """Weights with their card, results and the contact sheet, each whole or not at all."""
    metadata = weights.Metadata(
        network=spec,
        classes=val.classes,
        dataset=record["dataset"],
        size=tuple(record["size"]),
        train_split=record["train_split"],
        val_split=record["val_split"],
        recipe=record["recipe"],
        metrics=record["values"],
        provenance={key: record[key] for key in PROVENANCE},
        colours=val.colours,
    )
    weights.save(folder / "weights.safetensors", model, metadata)
    with atomic_write(folder / "model-card.md") as temporary:
        temporary.write_text(write_card(metadata), encoding="utf-8")
    save_json(folder / "results.json", record)
    with atomic_write(folder / "contact-sheet.png") as temporary:
        temporary.write_bytes(contact_sheet(val, labels))


def contact_sheet(val: data.Scenes, labels: torch.Tensor) -> bytes:
    """A PNG of scenes from the worst to the best by their own mean IoU: image, labels, prediction, mistakes."""
    from ..figures import show_scenes

    scores = metrics.per_image_mean_iou(labels, val.targets, len(val.classes)).nan_to_num(0)
    count = min(SHEET_SCENES, len(val))
    places = torch.linspace(0, len(val) - 1, count).round().long()
    chosen = scores.argsort()[places].tolist()
    card = show_scenes(
        val[chosen],
        predictions=labels[chosen],
        mistakes=True,
        columns=min(3, count),
        title=f"{val.dataset}, {val.split}: from the worst scene to the best",
        titles=[f"mIoU {scores[i]:.0%}" for i in chosen],
    )
    return card.png()


def report(folder: Path, values: dict[str, dict[str, Any]], seconds: float) -> None:
    """The figures in a few lines, and where everything lies."""
    for split, figures in values.items():
        say(
            f"{split}: mIoU {share(figures['mean_iou'], 1)}, pixel accuracy {share(figures['pixel_accuracy'], 1)}, "
            f"within {BAND} pixels of a boundary mIoU {share(figures['boundary_band_mean_iou'], 1)}"
        )
        say("  " + ", ".join(f"{name} {share(value)}" for name, value in figures["class_iou"].items()))
    say(f"trained for {seconds:.0f} s; weights, card, results and contact sheet are in {folder}")


def share(value: float | None, digits: int = 0) -> str:
    """A share in per cent; a dash for one that is undefined."""
    return "–" if value is None else f"{value:.{digits}%}"


def say(text: str) -> None:
    """Print, in the first process only."""
    if distributed.rank() == 0:
        console.say(text)


@contextmanager
def processes(device: torch.device, several: bool) -> Generator[None, None, None]:
    """Inside, under torchrun, the processes know each other."""
    if not several:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
        distributed.wait()  # the first process may still be judging
    finally:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
