"""Segmentation metrics, all of them functions of one confusion matrix.

Row t and column p of the matrix count the pixels of class t that were called p. With TP the diagonal, FN the rest of
a row and FP the rest of a column, every number of the literature is a few lines of arithmetic; what differs between
papers is how classes, images and void are averaged, and so each way has its own name here.

Two rules hold throughout: void pixels (255) are never counted, and a class that occurs in neither target nor prediction
has no score: it is NaN, and means leave it out.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_tensors
from ..data.palette import VOID, check_class_count


def confusion_matrix(
    prediction: Tensor, target: Tensor, num_classes: int = 11, ignore: int = VOID, where: Tensor | None = None
) -> Tensor:
    """Count how often each class was called each class: (C, C) int64, rows are the target, columns the prediction.

    prediction and target hold labels in any integer type and one common shape: (N, H, W) masks, (N,) classes. Pixels
    whose target is `ignore` are left out, whatever was predicted there; `where` (bool, same shape) restricts the
    count further, say to a `boundary_band`. Matrices of parts add up to the matrix of the whole. TypeError for what is
    no tensor, ValueError for anything else, also for a class whose number is that of void.
    """
    _check_labels(prediction=prediction, target=target)
    if ignore == VOID:
        check_class_count(num_classes)
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction is {tuple(prediction.shape)} and target {tuple(target.shape)}: they must be of one shape; "
            "take the argmax over classes, and resize logits (never labels) to the target"
        )
    counted = target != ignore
    if where is not None:
        check_tensors(where=where)
        if where.dtype != torch.bool or where.shape != target.shape:
            raise ValueError(f"where is {where.dtype} {tuple(where.shape)}, expected bool {tuple(target.shape)}")
        counted = counted & where
    rows, columns = target.masked_fill(~counted, 0), prediction.masked_fill(~counted, 0)
    for name, labels in (("target", rows), ("prediction", columns)):
        least, most = (int(label) for label in labels.aminmax()) if labels.numel() else (0, 0)
        if least < 0 or most >= num_classes:
            wrong = most if most >= num_classes else least
            raise ValueError(
                f"{name} holds label {wrong}, expected 0-{num_classes - 1} (or {ignore} for void in the target): "
                "is num_classes right, and was the palette converted?"
            )
    cells = torch.where(counted, rows.int() * num_classes + columns.int(), num_classes**2)  # one cell more: not counted
    return torch.bincount(cells.flatten(), minlength=num_classes**2 + 1)[:-1].reshape(num_classes, num_classes)


def class_iou(matrix: Tensor) -> Tensor:
    """Intersection over union of each class, TP / (TP + FP + FN): (C,) float64 in [0, 1], NaN where a class is absent.

    Also called the Jaccard index; Everingham et al., "The PASCAL VOC challenge" (2010), section 4.4.
    """
    true, rows, columns = _parts(matrix)
    return true / (rows + columns - true)


def mean_iou(matrix: Tensor) -> float:
    """Macro mean IoU, the number usually meant by "mIoU": the mean of `class_iou` over the classes that occur."""
    return class_iou(matrix).nanmean().item()


def micro_iou(matrix: Tensor) -> float:
    """IoU with all classes pooled: sum TP / sum (TP + FP + FN) = a / (2 - a), where a is the pixel accuracy.

    It is pixel accuracy in disguise and never the mIoU of a paper: road and sky decide it.
    """
    true, rows, columns = _parts(matrix)
    return (true.sum() / (rows + columns - true).sum()).item()


def pixel_accuracy(matrix: Tensor) -> float:
    """Share of labelled pixels that were called rightly, sum TP / sum of the matrix; NaN without a labelled pixel."""
    true, rows, _ = _parts(matrix)
    return (true.sum() / rows.sum()).item()


def mean_class_accuracy(matrix: Tensor) -> float:
    """Mean recall TP / (TP + FN) over the classes of the target: a large class weighs no more than a small one."""
    true, rows, _ = _parts(matrix)
    return (true / rows).nanmean().item()


def frequency_weighted_iou(matrix: Tensor) -> float:
    """IoU of each class weighted by its share of the target's pixels: sum (TP + FN) IoU / sum (TP + FN).

    Long et al., "Fully convolutional networks for semantic segmentation" (2015), section 5.
    """
    _, rows, _ = _parts(matrix)
    return (rows / rows.sum() * class_iou(matrix)).nansum().item() if rows.sum() else float("nan")


def dice(matrix: Tensor) -> Tensor:
    """Dice or F1 of each class, 2 TP / (2 TP + FP + FN) = 2 IoU / (1 + IoU): (C,) float64, NaN where absent."""
    true, rows, columns = _parts(matrix)
    return 2 * true / (rows + columns)


def per_image_mean_iou(prediction: Tensor, target: Tensor, num_classes: int = 11, ignore: int = VOID) -> Tensor:
    """Mean IoU of each image by itself: (N,) float64, NaN for an image without a labelled pixel.

    Its mean is not the mean IoU of the data set: in each image only the classes that occur there are averaged, so a
    class that is rare, but large where it occurs, weighs otherwise. prediction and target are (N, H, W).
    """
    return torch.stack(
        [
            class_iou(confusion_matrix(p, t, num_classes, ignore)).nanmean()
            for p, t in zip(prediction, target, strict=True)
        ]
    )


def boundary_band(masks: Tensor, width: int, ignore: int = VOID) -> Tensor:
    """Mark the pixels within `width` pixels of a change of label: (..., H, W) bool for masks (..., H, W).

    A pixel is in the band when the window of 2 width + 1 pixels a side around it (Chebyshev distance) holds two
    different labels; both sides of a contour belong to it. Void makes no change of label, nor does the frame of the
    picture. This is the trimap of Kohli et al., "Robust higher order potentials" (2009), section 6.
    """
    if width < 1:
        raise ValueError(f"width is {width}, expected at least 1 pixel")
    _check_labels(masks=masks)
    if masks.dim() < 2:
        raise ValueError(f"masks are {tuple(masks.shape)}, expected (..., H, W)")
    band = torch.empty(masks.shape, dtype=torch.bool, device=masks.device)
    flat = masks.reshape(-1, *masks.shape[-2:])
    for mask, out in zip(flat, band.view(flat.shape), strict=True):
        labels, void = mask.float(), mask == ignore
        highest = _window_maximum(labels.masked_fill(void, -torch.inf), width)
        lowest = -_window_maximum((-labels).masked_fill(void, -torch.inf), width)
        out.copy_(highest > lowest)
    return band


def boundary_iou(prediction: Tensor, target: Tensor, width: int, num_classes: int = 11, ignore: int = VOID) -> Tensor:
    """IoU of each class restricted to bands inside its contours: (C,) float64, NaN where neither has a contour.

    |G' and P'| / |G' or P'|, where G' are the pixels of a class in the target that lie within `width` pixels of the
    target's contour, and P' likewise for the prediction. Unlike a trimap, both contours count, so a shifted, too
    large or too small region is punished alike. Masks are (N, H, W). Cheng et al., "Boundary IoU" (2021), equation 3;
    here the frame of the picture is no contour.
    """
    near_target, near_prediction = boundary_band(target, width, ignore), boundary_band(prediction, width, ignore)
    both = confusion_matrix(prediction, target, num_classes, ignore, where=near_target & near_prediction).diagonal()
    in_target = confusion_matrix(prediction, target, num_classes, ignore, where=near_target).sum(1)
    in_prediction = confusion_matrix(prediction, target, num_classes, ignore, where=near_prediction).sum(0)
    return both.double() / (in_target + in_prediction - both)


def _parts(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The diagonal, the row sums and the column sums of a confusion matrix, in float64."""
    check_tensors(matrix=matrix)
    if matrix.dim() != 2 or matrix.shape[0] != matrix.shape[1] or matrix.is_floating_point():
        raise ValueError(
            f"got {matrix.dtype} {tuple(matrix.shape)}, expected a square confusion matrix of integer counts: "
            "make one with confusion_matrix(prediction, target)"
        )
    return matrix.diagonal().double(), matrix.sum(1).double(), matrix.sum(0).double()


def _check_labels(**named: Tensor) -> None:
    check_tensors(**named)
    for name, labels in named.items():
        if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
            raise ValueError(f"{name} is {labels.dtype}, expected integer labels: take logits.argmax(1) first")


def _window_maximum(values: Tensor, width: int) -> Tensor:
    """Maximum over windows of 2 width + 1 pixels a side, (H, W): along columns, then rows, which is cheaper."""
    size = 2 * width + 1
    rows = F.max_pool2d(values[None, None], (size, 1), stride=1, padding=(width, 0))
    return F.max_pool2d(rows, (1, size), stride=1, padding=(0, width))[0, 0]
