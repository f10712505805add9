"""Losses over logits (N, C, …) and integer targets (N, …); void (255) is left out of every one.

The same functions serve classification, targets (N,), and segmentation, targets (N, H, W).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_tensors
from ..data.palette import VOID, check_class_count

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    *,
    class_weights: Tensor | None = None,
    pixel_weights: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Weighted mean of -log softmax at the target over the labelled pixels; 0 when none is labelled.

    logits are (N, C, …), targets (N, …) int64 with 255 for void, class_weights (C,), pixel_weights (N, …) such as
    U-Net's border map. The mean divides by the sum of the weights that were used, so their scale does not matter.
    """
    check_shapes(logits, targets)
    losses = F.cross_entropy(
        logits, targets, class_weights, ignore_index=VOID, reduction="none", label_smoothing=label_smoothing
    )
    weights = (targets != VOID).to(losses.dtype)
    if class_weights is not None:
        weights = weights * class_weights[targets.clamp(max=logits.shape[1] - 1)]
    if pixel_weights is not None:
        losses, weights = losses * pixel_weights, weights * pixel_weights
    return losses.sum() / weights.sum().clamp(min=torch.finfo(losses.dtype).tiny)


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """One minus the soft Dice coefficient, averaged over the classes that occur in the batch; 0 when none is labelled.

    Per class 1 - 2 sum(p t) / (sum p + sum t), where p is the softmax, t the one-hot target and the sums run over the
    labelled pixels of the batch. Milletari et al., "V-Net" (2016), section 3, without the squares.
    """
    check_shapes(logits, targets)
    classes = logits.shape[1]
    labelled = targets != VOID
    probabilities = logits.softmax(1).movedim(1, -1) * labelled[..., None]  # (N, …, C)
    truth = F.one_hot(targets.masked_fill(~labelled, 0), classes) * labelled[..., None]
    overlap, size = (probabilities * truth).flatten(0, -2).sum(0), truth.flatten(0, -2).sum(0)
    coefficient = 2 * overlap / (probabilities.flatten(0, -2).sum(0) + size).clamp(min=1e-12)
    present = size > 0
    return ((1 - coefficient) * present).sum() / present.sum().clamp(min=1)


def weigh_heads(loss: Loss, logits: list[Tensor], targets: Tensor, auxiliary_weight: float) -> Tensor:
    """Loss of the main head plus `auxiliary_weight` times the loss of every other; GoogLeNet (2015), section 5: 0.3.

    ValueError, whatever the loss, for more classes than there are labels beside void.
    """
    check_class_count(logits[0].shape[1])
    main, *auxiliary = (loss(head, targets) for head in logits)
    return main + auxiliary_weight * sum(auxiliary) if auxiliary else main


def inverse_sqrt_frequencies(targets: Tensor, num_classes: int) -> Tensor:
    """Class weights 1 / sqrt(frequency), (num_classes,) float32: of mean 1, and 0 for classes that do not occur.

    Full inverse frequencies would let a pole of a few pixels outshout the road; the square root is the usual
    compromise.
    """
    check_tensors(targets=targets)
    check_class_count(num_classes)
    counts = torch.bincount(targets.flatten(), minlength=VOID + 1)[:num_classes].double()
    present = counts > 0
    weights = torch.where(present, counts.clamp(min=1).rsqrt(), 0)
    return (weights * present.sum() / weights.sum()).float()


def check_shapes(logits: Tensor, targets: Tensor) -> None:
    """Raise unless logits are (N, C, …) and targets (N, …) with the same sizes: TypeError for what is no tensor, else
    ValueError, also for more classes than there are labels beside void."""
    check_tensors(logits=logits, targets=targets)
    if logits.dim() != targets.dim() + 1 or logits.shape[:1] + logits.shape[2:] != targets.shape:
        raise ValueError(
            f"logits are {tuple(logits.shape)} and targets {tuple(targets.shape)}: expected (N, C, …) and (N, …); "
            "a segmentation model must return logits at the size of its input"
        )
    check_class_count(logits.shape[1])
