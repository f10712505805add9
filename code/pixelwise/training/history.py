"""What a run left behind, epoch by epoch, and how it shows while it is running."""

import os
from dataclasses import asdict, dataclass, field

from ..environment import progress_bar


@dataclass
class History:
    """One entry per epoch in every list; the lists of validation are empty when none was asked for.

    Accuracies and IoU are in [0, 1]. loss and accuracy are means over the epoch's batches, as they were trained on:
    augmented, in train mode, with the weights of their moment. seconds are of training, without validation.
    """

    epoch: list[int] = field(default_factory=list)
    """1, 2, …"""
    step: list[int] = field(default_factory=list)
    """Optimizer steps done by the end of the epoch."""
    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    """At the last step of the epoch."""
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    """Of this process on the CPU: what an epoch costs there, however busy the machine was."""
    val_accuracy: list[float] = field(default_factory=list)
    val_mean_iou: list[float] = field(default_factory=list)

    def append(self, **values: float) -> None:
        """Add one epoch's values, by name."""
        for name, value in values.items():
            getattr(self, name).append(value)

    def to_dict(self) -> dict[str, list[float]]:
        """Plain lists, ready for JSON."""
        return asdict(self)

    def last_line(self, epochs: int) -> str:
        """The newest epoch as one line of fixed width, without times, so that a record is the same on every machine."""
        line = f"epoch {self.epoch[-1]:3d}/{epochs}  loss {self.loss[-1]:7.4f}  accuracy {self.accuracy[-1]:6.1%}"
        if self.val_accuracy:
            line += f"  val accuracy {self.val_accuracy[-1]:6.1%}  val mIoU {self.val_mean_iou[-1]:6.1%}"
        return line


_finished = 0


def note_finished() -> None:
    """Count one more training that came to its end: `fit` does, and so must a loop written by hand."""
    global _finished
    _finished += 1


def finished() -> int:
    """How many trainings have come to their end in this process."""
    return _finished


class Progress:
    """A bar for people, one printed line per epoch in a record, or silence.

    style is "bar", "lines", "silent", or None: lines when PIXELWISE_RECORDING=1, else a bar, which hides itself where
    nobody is looking (output that goes to a file).
    """

    def __init__(self, style: str | None, epochs: int, steps: int, done: int) -> None:
        if style not in (None, "bar", "lines", "silent"):
            raise ValueError(f'progress is {style!r}, expected "bar", "lines", "silent" or None')
        if style is None:
            style = "lines" if os.environ.get("PIXELWISE_RECORDING") == "1" else "bar"
        self.style, self.epochs, self.bar = style, epochs, None
        if style == "bar":
            self.bar = progress_bar(steps, "", "step", initial=done, leave=True)

    def step(self, loss: float | None) -> None:
        """One more step is done; its loss, where it is known."""
        if self.bar is not None:
            if loss is not None:
                self.bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            self.bar.update()

    def epoch(self, history: History) -> None:
        """One more epoch is done."""
        if self.style == "lines":
            print(history.last_line(self.epochs), flush=True)
        elif self.bar is not None:
            self.bar.set_description(f"epoch {history.epoch[-1]}/{self.epochs}", refresh=False)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()
