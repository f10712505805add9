"""Objects in masks: the border weight map that keeps them apart, connected components, and what a prediction merged."""

from dataclasses import dataclass

import torch
from torch import Tensor


def border_weights(instances: Tensor, w0: float = 10.0, sigma: float = 5.0, balance: bool = True) -> Tensor:
    """Weight each pixel's loss so that the gaps between objects count: (N, H, W) float32 from instances (N, H, W).

    w = w_c + w0 · exp(−(d₁ + d₂)² / 2σ²), where d₁ and d₂ are the distances, in pixels, to the nearest and the second
    nearest object. The second term stands on background alone, and vanishes where a picture has fewer than two
    objects. With `balance` w_c makes background and objects weigh the same in all pictures together, mean 1; without,
    w_c = 1. Instances are integers, 0 for background. Ronneberger et al., U-Net (2015), section 3, equation 2.
    """
    _check(instances)
    if sigma <= 0:
        raise ValueError(f"sigma is {sigma}, expected a distance in pixels above 0")
    background = instances == 0
    weights = torch.ones(instances.shape, device=instances.device)
    if balance:
        share = background.float().mean().clamp(1e-6, 1 - 1e-6)
        weights = torch.where(background, 0.5 / share, 0.5 / (1 - share))
    for number, picture in enumerate(instances):
        distances = _distances(picture)
        if len(distances) > 1:
            nearest = distances.topk(2, dim=0, largest=False).values.sum(0)
            weights[number] += background[number] * w0 * torch.exp(-(nearest**2) / (2 * sigma**2))
    return weights


def _distances(instances: Tensor) -> Tensor:
    """Euclidean distance of every pixel from each object's closest pixel, along one axis after the other: (K, H, W)."""
    numbers = instances.unique()
    squares = torch.where(instances == numbers[numbers > 0, None, None], 0.0, torch.inf)
    for _ in range(2):
        places = torch.arange(squares.shape[-1], device=squares.device)
        apart = (places[:, None] - places) ** 2
        squares = torch.stack([(one[:, None] + apart).amin(-1) for one in squares]).mT if len(squares) else squares
    return squares.sqrt()


def components(masks: Tensor) -> Tensor:
    """Number the connected regions of bool masks (N, H, W), 4-connected: int64 (N, H, W), 0 outside, labels not dense.

    Every pixel starts with a number of its own and takes the largest of its neighbourhood until nothing changes.
    """
    if masks.dtype != torch.bool or masks.dim() != 3:
        raise ValueError(f"masks are {masks.dtype} {tuple(masks.shape)}, expected bool (N, H, W)")
    labels = torch.arange(1, masks[0].numel() + 1, device=masks.device).view(masks[0].shape) * masks
    while True:
        grown = labels.clone()
        for to, source in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
            grown[:, to] = torch.maximum(grown[:, to], labels[:, source])
            grown[:, :, to] = torch.maximum(grown[:, :, to], labels[:, :, source])
        grown *= masks
        if torch.equal(grown, labels):
            return labels
        labels = grown


@dataclass(frozen=True)
class ObjectCounts:
    """What became of the true objects: `merged` lie in a region with another, `found` have one to themselves."""

    objects: int
    merged: int
    found: int


def count_objects(prediction: Tensor, instances: Tensor) -> ObjectCounts:
    """Compare predicted foreground, bool (N, H, W), with the true objects, integers (N, H, W), 0 for background.

    An object belongs to the predicted region that covers most of it. It is *merged* when that region covers at least
    half of this object and half of another, *found* when it is not merged and IoU with its region is above one half;
    the others were missed, broken up, or drawn too large or too small.
    """
    _check(instances)
    if prediction.shape != instances.shape:
        raise ValueError(f"the prediction is {tuple(prediction.shape)}, the instances {tuple(instances.shape)}")
    objects = merged = found = 0
    for regions, truth in zip(components(prediction), instances, strict=True):
        owners = []
        for number in truth.unique().tolist():
            if number == 0:
                continue
            object_mask = truth == number
            inside = regions[object_mask & (regions > 0)]
            region = int(inside.mode().values) if len(inside) else 0
            area = object_mask.sum().item()
            intersection = (inside == region).sum().item()
            union = (regions == region).sum().item() + area - intersection
            owners.append((region if 2 * intersection >= area else 0, intersection / union))
        taken = [region for region, _ in owners if region]
        objects += len(owners)
        merged += sum(taken.count(region) > 1 for region in taken)
        found += sum(iou > 0.5 and taken.count(region) == 1 for region, iou in owners)
    return ObjectCounts(objects, merged, found)


def _check(instances: Tensor) -> None:
    if instances.is_floating_point() or instances.dtype == torch.bool or instances.dim() != 3:
        raise ValueError(
            f"instances are {instances.dtype} {tuple(instances.shape)}, expected integers (N, H, W), 0 for background"
        )
