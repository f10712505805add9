"""Is a network that says 80 % right in 80 % of the cases? Reliability, calibration error, temperature.

Guo, Pleiss, Sun, Weinberger, On Calibration of Modern Neural Networks, 2017, sections 2 and 4.2. A pixel counts as one
case; void pixels are left out.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data.palette import VOID


@dataclass(frozen=True)
class Reliability:
    """By bins of confidence from 0 to 1: the mean confidence, the share of right pixels, the share of all pixels.

    Each is (bins,) float64; mean and accuracy are NaN in an empty bin.
    """

    confidence: Tensor
    accuracy: Tensor
    share: Tensor

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap between confidence and accuracy over the pixels (equation 3)."""
        gap = (self.confidence - self.accuracy).abs()
        return (gap * self.share).nansum().item()


def reliability(logits: Tensor, targets: Tensor, bins: int = 10) -> Reliability:
    """Compare confidence, the largest softmax probability, with accuracy, over bins of equal width.

    logits (N, C, ...) float, targets (N, ...) with classes and 255 for void. ValueError where no pixel is labelled.
    """
    confidence, predicted = logits.softmax(1).max(1)
    labelled = _labelled(targets)
    confidence = confidence[labelled].double()
    correct = (predicted[labelled] == targets[labelled]).double()
    index = (confidence * bins).long().clamp(max=bins - 1)
    count, confidence_sum, correct_sum = (
        torch.zeros(bins, dtype=torch.float64, device=logits.device).index_add_(0, index, values)
        for values in (torch.ones_like(correct), confidence, correct)
    )
    return Reliability(confidence_sum / count, correct_sum / count, count / count.sum())


def fit_temperature(logits: Tensor, targets: Tensor) -> float:
    """Return the T > 0 for which softmax(logits / T) has the least cross-entropy (section 4.2, temperature scaling).

    Shapes and errors as for `reliability`. Dividing by T changes no prediction. Fit it on scenes that trained nothing.
    """
    labelled = _labelled(targets)
    scores = logits.movedim(1, -1)[labelled].double()
    labels = targets[labelled].long()
    log_temperature = torch.zeros((), dtype=torch.float64, device=logits.device, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=30, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(scores / log_temperature.exp(), labels)
        value.backward()
        return value

    optimizer.step(loss)
    return log_temperature.exp().item()


def _labelled(targets: Tensor) -> Tensor:
    """Where targets are not void, (N, ...) bool."""
    labelled = targets != VOID
    if not labelled.any():
        raise ValueError("no target is labelled, all are void (255): there is nothing to compare the confidence with")
    return labelled
