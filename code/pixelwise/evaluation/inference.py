"""What a trained model says: labels for images, and a confusion matrix for a data set."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..checks import check_tensors
from ..data.augment import normalise
from ..data.labelled import LabelledImages
from ..data.palette import check_class_count
from ..modes import eval_mode
from .metrics import confusion_matrix

SCALES = (1.0, 1.5, 2.0)
"""How many times larger a picture is shown where answers are averaged over sizes."""


def predict(
    model: nn.Module,
    images: Tensor,
    *,
    batch_size: int = 32,
    device: str | torch.device | None = None,
    scales: Sequence[float] = (1.0,),
) -> Tensor:
    """Label every pixel, or every image: (N, H, W) uint8 from a segmentation model, (N,) int64 from a classifier.

    images are (N, 3, H, W) uint8 and are normalised here, batch by batch, on `device` (default: where the model is;
    given, the model moves there). The model answers in eval mode and is then put back into the mode it was in. Labels
    come back on the images' device. With several `scales`, such as SCALES, answers at these sizes are averaged.
    """
    batches = []
    for found in _batches(model, images, batch_size, device, scales):
        if found.dim() == 4:  # labels that go into a byte
            check_class_count(found.shape[1])
        labels = predicted_labels(found)
        batches.append(labels.to(images.device, torch.uint8 if labels.dim() == 3 else torch.int64))
    return torch.cat(batches)


def evaluate(
    model: nn.Module, data: LabelledImages, *, batch_size: int = 32, device: str | torch.device | None = None
) -> Tensor:
    """Confusion matrix (C, C) int64, on the CPU, of a model over scenes or patches; C is its number of outputs.

    data is any data set in memory with `.images` and `.targets`; see `predict` for the rest, `metrics` for what to make
    of it.
    """
    total: Tensor | None = None
    for i, logits in enumerate(_batches(model, data.images, batch_size, device)):
        targets = data.targets[i * batch_size : (i + 1) * batch_size].to(logits.device)
        matrix = confusion_matrix(predicted_labels(logits), targets, num_classes=logits.shape[1])
        total = matrix if total is None else total + matrix
    assert total is not None  # `_batches` refuses a data set without images
    return total.cpu()


def predicted_labels(logits: Tensor) -> Tensor:
    """The class of the largest logit, (N, C, …) to (N, …) int64: argmax(1), but on a CPU several times faster."""
    return logits.max(1).indices


def scores(model: nn.Module, images: Tensor, scales: Sequence[float] = (1.0,)) -> Tensor:
    """What a model answers to normalised images (N, 3, H, W): the main head's logits.

    With more than one of `scales` a segmentation model is shown the images so many times larger, what it answers is
    interpolated back, and the mean of its probabilities (N, C, H, W) takes the place of logits. Chen et al., Rethinking
    Atrous Convolution, 2017, section 4.1, do so with six sizes, and mirrored too. ValueError for a scale that is not
    positive, or for none.
    """
    if not scales or min(scales) <= 0:
        raise ValueError(f"scales are {tuple(scales)}, expected one or more factors above zero")
    if tuple(scales) == (1,):
        return heads(model(images))[0]
    size = images.shape[-2:]
    total = images.new_zeros(())
    for scale in scales:
        shown = tuple(round(side * scale) for side in size)
        larger = F.interpolate(images, size=shown, mode="bilinear", align_corners=False, antialias=scale < 1)
        logits = F.interpolate(heads(model(larger))[0], size=size, mode="bilinear", align_corners=False)
        total = total + logits.softmax(1)
    return total / len(scales)


def _batches(
    model: nn.Module,
    images: Tensor,
    batch_size: int,
    device: str | torch.device | None,
    scales: Sequence[float] = (1.0,),
) -> Iterator[Tensor]:
    """The model's `scores`, batch by batch, in eval mode."""
    check_tensors(images=images)
    if images.dtype != torch.uint8 or images.dim() != 4 or not len(images):
        raise ValueError(
            f"images are {images.dtype} {tuple(images.shape)}, expected uint8 (N, 3, H, W) as `data.load` gives them; "
            "one image is images[None], and normalising happens here"
        )
    if device is not None:
        model.to(device)
    device = next((p.device for p in model.parameters()), images.device)
    with eval_mode(model), torch.inference_mode():
        for batch in images.split(batch_size):
            yield scores(model, normalise(batch.to(device)), scales)


Outputs = Tensor | Sequence[Tensor | None] | Mapping[str, Tensor | None]
"""What a model returns: its logits alone, or those of several heads; see `heads`."""


def heads(outputs: Outputs) -> list[Tensor]:
    """The logits that a model returned, main head first, as float32.

    A model may return its logits alone, a tuple (main, auxiliary, …), or a dict whose main head is "out" or comes
    first, as torchvision's segmentation models do; heads that are None are left out.
    """
    if isinstance(outputs, Mapping):
        main = "out" if "out" in outputs else next(iter(outputs))
        outputs = (outputs[main], *(logits for name, logits in outputs.items() if name != main))
    if isinstance(outputs, Tensor):
        outputs = (outputs,)
    return [logits.float() for logits in outputs if logits is not None]
