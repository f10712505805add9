"""The settings of a training run."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..checks import Range
from .finetune import parameter_groups

Augmentation = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]

RANGES = {
    "epochs": Range(1, 1_000_000, whole=True),
    "batch_size": Range(1, 65_536, whole=True),
    "max_steps": Range(1, 1_000_000_000, whole=True),
    "learning_rate": Range(0, 1000, open="least"),
    "encoder_rate": Range(0, 1000, open="least"),
    "momentum": Range(0, 1, open="most"),
    "weight_decay": Range(0, 10),
    "warmup_steps": Range(0, 1_000_000, whole=True),
    "power": Range(0, 10),
    "label_smoothing": Range(0, 1, open="most"),
    "auxiliary_weight": Range(0, 10),
    "ema": Range(0, 1, open="both"),
}
OPTIONAL = ("max_steps", "ema")
"""What may be None as well."""

HINTS = {
    "max_steps": ", or None for all epochs",
    "encoder_rate": "; to freeze the encoder, see finetune.freeze",
    "ema": " (a decay, say 0.999), or None",
}
"""What the message says after the range."""


@dataclass(frozen=True)
class Recipe:
    """How to train: everything that `fit` needs to know beyond the model, the data and the seed.

    ValueError for a setting that is not in its range (see RANGES).
    """

    epochs: int = 16
    batch_size: int = 8
    """Images a step, over all processes. The rest of an epoch that fills no batch is left for the next shuffle."""
    max_steps: int | None = None
    """Ends the run, and the learning rate's decay, after so many steps if the epochs hold more."""
    optimizer: str = "adamw"
    """"adamw" or "sgd"."""
    learning_rate: float = 2e-3
    encoder_rate: float = 1.0
    """Factor on the learning rate for the model's encoder, below 1 for one that is trained already. To freeze it: see
    `finetune.freeze`."""
    momentum: float = 0.9
    """Of SGD; AdamW keeps its usual betas."""
    weight_decay: float = 1e-2
    """On weights of two dimensions and more; biases and batch normalisation go free. With SGD, 1e-4 is usual."""
    warmup_steps: int = 0
    power: float = 0.9
    """Of the polynomial decay; 0 keeps the learning rate constant."""
    class_weights: str | Tensor | None = None
    """None, "inverse_sqrt" (of the frequencies in the training targets), or a (C,) tensor."""
    label_smoothing: float = 0.0
    auxiliary_weight: float = 0.3
    """Weight of the loss of each auxiliary head that the model returns beside its main logits."""
    augment: Augmentation | None = None
    """(uint8 images, targets, generator) to (float images, int64 targets); None only normalises."""
    ema: float | None = None
    """Decay of an exponential moving average of the weights, say 0.999; the model ends as that average."""
    amp: bool | None = None
    """bfloat16 where it pays; None means wherever the hardware multiplies it natively."""
    channels_last: bool = True

    def __post_init__(self) -> None:
        for name, range_ in RANGES.items():
            value = getattr(self, name)
            if value is not None or name not in OPTIONAL:
                range_.check(name, value, hint=HINTS.get(name, ""))
        if self.optimizer not in ("adamw", "sgd"):
            raise ValueError(f'optimizer is {self.optimizer!r}, expected "adamw" or "sgd"')
        if isinstance(self.class_weights, str) and self.class_weights != "inverse_sqrt":
            raise ValueError(f'class_weights is {self.class_weights!r}, expected None, "inverse_sqrt" or a tensor')
        if isinstance(self.class_weights, Tensor) and not (
            self.class_weights.isfinite().all() and self.class_weights.min() >= 0 < self.class_weights.max()
        ):
            raise ValueError(
                f"class_weights are {self.class_weights.tolist()}, expected finite numbers from 0, not all of them 0"
            )

    def build_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """The optimizer over the model's trainable parameters, with weight decay and rates where they belong."""
        groups = parameter_groups(model, self.weight_decay, self.encoder_rate)
        fused = groups[0]["params"][0].device.type in ("cpu", "cuda")
        if self.optimizer == "sgd":
            return torch.optim.SGD(groups, lr=self.learning_rate, momentum=self.momentum, fused=fused)
        return torch.optim.AdamW(groups, lr=self.learning_rate, fused=fused)

    def use_bfloat16(self, device: torch.device) -> bool:
        """Whether to compute in bfloat16: as `amp` says, or, by default, where the hardware has units for it."""
        if self.amp is not None:
            return self.amp
        if device.type == "cuda":
            return torch.cuda.get_device_capability(device) >= (8, 0)  # older ones, a T4 say, only emulate it
        if device.type == "cpu":
            tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
            return any(getattr(torch.cpu, test, bool)() for test in tests)
        return False
