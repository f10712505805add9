"""Train the long runs that chapters quote, one after the other, and keep what each came to in data/results/runs.

    python -m tools.runs                  what is not done yet, in the order of the table
    python -m tools.runs --only NAME      one run, and those it starts from
    python -m tools.runs --list           every run, and how far it is

A run can be stopped at any time: the next call goes on from its last epoch, whose checkpoint lies in data/runs (or
under PIXELWISE_DATA). A run is done when its results are there. It computes with one thread, in which a second call
gives the same numbers to the last bit.

Settings were chosen on CamVid's *fit* and *tune*. Judged is on *val*, a clip of a drive that train has frames of too,
and, where the training scenes leave it out, on *unseen*, a drive of its own. PIXELWISE_CAMVID names a copy of CamVid.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pixelwise import data
from pixelwise.cli.train import provenance
from pixelwise.data import Augment, Scenes, storage
from pixelwise.environment import seed_everything
from pixelwise.evaluation import predict
from pixelwise.evaluation.judge import judge
from pixelwise.files import save_json
from pixelwise.training import Recipe, checkpoint, fit
from pixelwise.training.finetune import encoder_of, freeze
from pixelwise.zoo import NetworkSpec, weights
from pixelwise.zoo.imagenet import load_encoder

SIZE = (180, 240)
RESULTS = Path(__file__).resolve().parents[1] / "data" / "results" / "runs"


@dataclass(frozen=True)
class Run:
    """One row: a network, where it starts, what it is trained on, and how.

    model, backbone and output_stride are NetworkSpec's. start: "nothing", "imagenet" (the encoder), or the name of a
    run whose weights it takes over. encoder: "tuned" or "frozen", with its batch normalisation. frames: so many of
    the split's, see `evenly`; None for all of them.
    """

    name: str
    model: str = "pyramid"
    backbone: str | None = None
    output_stride: int | None = None
    start: str = "imagenet"
    encoder: str = "tuned"
    dataset: str = "camvid"
    split: str = "seen"
    judged: tuple[str, ...] = ("val", "unseen")
    frames: int | None = None
    epochs: int = 20
    batch_size: int = 4
    learning_rate: float = 1.5e-3
    encoder_rate: float = 0.3
    class_weights: str | None = "inverse_sqrt"
    scale: tuple[float, float] = (0.5, 2.0)
    crop: tuple[int, int] = (144, 192)
    colour: float = 0.3
    weight_decay: float = 2e-2
    warmup_steps: int = 100
    ema: float = 0.99
    seed: int = 0

    def spec(self) -> NetworkSpec:
        """Its network, for CamVid's classes, which *streets* has too."""
        return NetworkSpec(self.model, len(data.CLASSES), self.backbone, output_stride=self.output_stride)

    def recipe(self) -> Recipe:
        """The settings of its training."""
        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            encoder_rate=1.0 if self.start == "nothing" else self.encoder_rate,
            weight_decay=self.weight_decay,
            warmup_steps=self.warmup_steps,
            class_weights=self.class_weights,
            augment=Augment(scale=self.scale, crop=self.crop, colour=self.colour),
            ema=self.ema,
        )

    def beginning(self) -> dict[str, str | bool | None]:
        """What its encoder knew before, as the card of its weights tells it."""
        known = None if self.start == "nothing" else self.start
        return {"encoder_weights": known, "encoder_frozen": self.encoder == "frozen"}


NOTHING = {"start": "nothing", "learning_rate": 3e-3}
RACE = {
    "fcn32": None,
    "fcn16": None,
    "fcn8": None,
    "hypercolumn": None,
    "unet": None,
    "deeplabv3plus": 16,
    "deeplabv3": 16,
}
"""Decoders on one encoder that knows ImageNet and is frozen, and its output stride where they choose it; the pyramid's
run pyramid-frozen-seen belongs to them. All have its settings, which were chosen for none of the others; eight epochs
on fit with that rate and with three times as much tell on tune what this costs each."""

RACERS = {"pyramid": (None, None)} | {model: ("efficientnet_lite0", stride) for model, stride in RACE.items()}
"""Of each of these decoders, and of the pyramid, which brings its encoder: the backbone and its output stride."""

SMALL = {77: 40, 20: 80}
"""Epochs by the number of frames, a quarter of seen and a fifteenth: half and a quarter of the steps of the whole."""

RUNS = (
    Run("pyramid-imagenet-seen"),
    Run("compact-nothing-seen", model="compact", epochs=8, batch_size=8, warmup_steps=50, **NOTHING),
    Run("pyramid-imagenet-train", split="train", judged=("val",)),
    Run("pyramid-nothing-seen", **NOTHING),
    Run("pyramid-imagenet-seen-light", colour=0.7),
    Run("pyramid-nothing-seen-light", colour=0.7, **NOTHING),
    Run("pyramid-frozen-seen-light", encoder="frozen", colour=0.7),
    Run("pyramid-frozen-seen", encoder="frozen"),
    Run("pyramid-fine-imagenet-seen-light", "pyramid-fine", colour=0.7),
    Run("pyramid-fine-nothing-seen-light", "pyramid-fine", colour=0.7, **NOTHING),
    Run("pyramid-fine-imagenet-seen", "pyramid-fine"),
    Run("pyramid-fine-imagenet-seen-60-epochs", "pyramid-fine", epochs=60),
    Run("pyramid-fine-nothing-seen", "pyramid-fine", **NOTHING),
    *(Run(f"pyramid-imagenet-seen-seed-{seed}", seed=seed) for seed in (1, 2)),
    *(Run(f"pyramid-nothing-seen-seed-{seed}", seed=seed, **NOTHING) for seed in (1, 2)),
    *(Run(f"pyramid-fine-imagenet-seen-seed-{seed}", "pyramid-fine", seed=seed) for seed in (1, 2)),
    *(Run(f"pyramid-fine-nothing-seen-seed-{seed}", "pyramid-fine", seed=seed, **NOTHING) for seed in (1, 2)),
    Run("pyramid-fine-imagenet-fit", "pyramid-fine", split="fit", judged=("tune",)),
    Run("pyramid-fine-imagenet-fit-light", "pyramid-fine", split="fit", judged=("tune",), colour=0.7),
    Run("pyramid-imagenet-fit", split="fit", judged=("tune",)),
    Run("pyramid-nothing-fit", split="fit", judged=("tune",), **NOTHING),
    Run("pyramid-fine-nothing-fit", "pyramid-fine", split="fit", judged=("tune",), **NOTHING),
    Run("pyramid-fine-frozen-fit", "pyramid-fine", split="fit", judged=("tune",), encoder="frozen"),
    Run("pyramid-fine-frozen-seen", "pyramid-fine", encoder="frozen"),
    Run("pyramid-fine-imagenet-train-60-epochs", "pyramid-fine", split="train", judged=("val",), epochs=60),
    Run("pyramid-nothing-streets", dataset="streets", split="train", epochs=8, **NOTHING),
    Run("pyramid-nothing-streets-light", dataset="streets", split="train", epochs=8, colour=0.7, **NOTHING),
    Run("pyramid-streets-seen", start="pyramid-nothing-streets"),
    *(Run(f"pyramid-imagenet-seen-{n}", frames=n, epochs=epochs) for n, epochs in SMALL.items()),
    *(Run(f"pyramid-nothing-seen-{n}", frames=n, epochs=epochs, **NOTHING) for n, epochs in SMALL.items()),
    *(Run(f"pyramid-frozen-seen-{n}", frames=n, epochs=epochs, encoder="frozen") for n, epochs in SMALL.items()),
    *(
        Run(f"pyramid-streets-seen-{n}", frames=n, epochs=epochs, start="pyramid-nothing-streets")
        for n, epochs in SMALL.items()
    ),
    *(
        Run(f"{model}-frozen-seen", model, "efficientnet_lite0", stride, encoder="frozen")
        for model, stride in RACE.items()
    ),
    *(
        Run(f"{model}-frozen-seen-seed-{seed}", model, *encoder, encoder="frozen", seed=seed)
        for model, encoder in RACERS.items()
        for seed in (1, 2)
    ),
    *(
        Run(
            f"{model}-frozen-fit-{rate:g}",
            model,
            *encoder,
            encoder="frozen",
            split="fit",
            judged=("tune",),
            epochs=8,
            learning_rate=rate,
        )
        for model, encoder in RACERS.items()
        for rate in (1.5e-3, 4.5e-3)
    ),
    Run("pyramid-imagenet-streets", dataset="streets", split="train", epochs=8),
    Run("pyramid-imagenet-train-100-epochs", split="train", judged=("val",), epochs=100),
    Run("pyramid-nothing-seen-60-epochs", epochs=60, **NOTHING),
)
"""In the order in which they are trained, one seed each but for the race and the tuned pyramids.
compact-nothing-seen costs as much as pyramid-imagenet-seen, for which its larger maps leave it fewer epochs; a hundred
epochs of the pyramid are about an hour of one core.

Those called light vary the colours more, because the first runs met the dusk of *unseen* and took its sky for something
else: there they are not judged as a setting that was chosen blind."""


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.runs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=[run.name for run in RUNS], metavar="NAME", help="this run alone")
    parser.add_argument("--list", action="store_true", help="list the runs, and train none")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # more or fewer would round otherwise
    try:
        for run in RUNS:
            if options.list:
                print(f"{run.name:32} {state(run)}")
            elif options.only in (None, run.name):
                complete(run)
    except KeyboardInterrupt:
        sys.exit("tools.runs: stopped; the same command goes on from the last epoch")
    except ValueError as error:
        sys.exit(f"tools.runs: {error}")


def complete(run: Run) -> dict[str, Any]:
    """Train and judge a run, or go on with it, after the one it starts from; returns its results, new or kept."""
    if kept := kept_results(run):
        return kept
    spec = run.spec()
    model = initial(run, spec)
    train = training_scenes(run)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{run.name}: {parameters / 1e6:.2f} M parameters, {len(train)} scenes of {run.split}", flush=True)
    history = fit(
        model,
        train,
        run.recipe(),
        seed=run.seed,
        checkpoint=folder(run) / "checkpoint.safetensors",
        progress="lines",
    )
    values = {}
    for split in run.judged:
        scenes = data.load("camvid", split, SIZE)
        values[split] = judge(predict(model, scenes.images, batch_size=8), scenes.targets)
        print(f"  {split}: mIoU {values[split]['mean_iou']:.1%}", flush=True)
    record: dict[str, Any] = {
        "run": asdict(run),
        "network": spec.to_dict(),
        "parameters": parameters,
        "parameters_trained": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "dataset": run.dataset,
        "train_split": run.split,
        "scenes": len(train),
        "size": list(SIZE),
        "recipe": checkpoint.describe(run.recipe()) | run.beginning(),
        **provenance(torch.device("cpu"), history, run.seed),
        "processor_seconds": round(sum(history.processor_seconds), 1),
        "values": values,
        "history": history.to_dict(),
    }
    metadata = weights.Metadata(
        network=spec,
        classes=data.CLASSES,
        dataset=run.dataset,
        size=SIZE,
        train_split=run.split,
        recipe=record["recipe"],
        metrics=values,
        provenance={key: record[key] for key in ("device", "date", "seconds", "seeds", "versions")},
    )
    weights.save(folder(run) / "weights.safetensors", model, metadata)
    save_json(RESULTS / f"{run.name}.json", record)
    return record


def kept_results(run: Run) -> dict[str, Any] | None:
    """What a run that is done left; None for another. ValueError where its row has changed since."""
    path = RESULTS / f"{run.name}.json"
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    now = json.loads(json.dumps(asdict(run)))
    if changed := [
        f"{name} {record['run'].get(name)} (now {now[name]})" for name in now if record["run"].get(name) != now[name]
    ]:
        raise ValueError(
            f"{path.name} was made with {', '.join(changed)}: give the run another name, or delete that file and "
            f"{folder(run)} to train it again"
        )
    return record


def initial(run: Run, spec: NetworkSpec) -> nn.Module:
    """The network as training finds it."""
    seed_everything(run.seed)
    model = spec.build()
    if run.start == "imagenet":
        load_encoder(model)
    elif run.start != "nothing":
        [before] = [other for other in RUNS if other.name == run.start]
        complete(before)
        trained, _ = weights.load(folder(before) / "weights.safetensors")
        model.load_state_dict(trained.state_dict())
    if run.encoder == "frozen":
        freeze(encoder_of(model))
    return model


def training_scenes(run: Run) -> Scenes:
    """The scenes of its split, or as many of them as it asks for."""
    scenes = data.load(run.dataset, run.split, SIZE)
    return scenes if run.frames is None else scenes[evenly(len(scenes), run.frames)]


def evenly(total: int, count: int) -> list[int]:
    """`count` positions of `total`, spread evenly: frames of all drives in proportion, and far apart within each.

    Smaller choices lie within larger ones: a quarter of all positions, and what is chosen evenly of that quarter.
    """
    quarter = list(range(0, total, 4))
    if count > len(quarter):
        raise ValueError(f"{count} of {total} frames were asked for, expected at most a quarter, {len(quarter)}")
    return [quarter[round(i * (len(quarter) - 1) / max(count - 1, 1))] for i in range(count)]


def folder(run: Run) -> Path:
    """Where its checkpoint and its weights lie."""
    return storage.folder() / "runs" / run.name


def state(run: Run) -> str:
    """How far a run is, in words."""
    if kept := kept_results(run):
        values = kept["values"]
        return "done: " + ", ".join(f"{split} mIoU {figures['mean_iou']:.1%}" for split, figures in values.items())
    return "begun" if (folder(run) / "checkpoint.safetensors").is_file() else "to do"


if __name__ == "__main__":
    main()
