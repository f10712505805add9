"""Augmentation of uint8 tensors, on the device that trains.

One affine map a picture, from output pixels to input pixels, serves image and mask alike, so the two can't drift apart.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..checks import Range, check_tensors
from .palette import VOID
from .scenes import SIDE
from .storage import DataError

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""ImageNet's channel statistics for values in 0-1, which pre-trained weights expect."""

GREY = (0.299, 0.587, 0.114)
"""ITU-R BT.601 luma, the share of each channel in a grey picture."""

RANGES = {
    "scale": Range(0.1, 10.0),
    "crop": SIDE,
    "colour": Range(0, 1, open="most"),
}


def normalise(images: Tensor) -> Tensor:
    """float32 (..., 3, H, W) of about zero mean and unit variance from uint8 images 0-255, on the same device.

    Raises DataError for another type or shape: normalising twice is a fault that trains badly and says nothing.
    """
    check_tensors(images=images)
    if images.dtype != torch.uint8 or images.ndim < 3 or images.shape[-3] != 3:
        raise DataError(f"images are {images.dtype} {tuple(images.shape)}; expected uint8 (..., 3, H, W), values 0-255")
    return _normalise_(images.float())


def _normalise_(pictures: Tensor) -> Tensor:
    mean, std = (pictures.new_tensor(values).mul_(255)[:, None, None] for values in (MEAN, STD))
    return pictures.sub_(mean).div_(std)


@dataclass(frozen=True)
class Augment:
    """Random changes that leave the meaning of a picture alone, drawn anew for each picture of a batch.

    flip: mirror left and right, for half the pictures. scale: enlarge by a factor from this range, uniform in its
    logarithm. crop: (height, width) of the window cut out of the result, else the size stays. colour: brightness,
    contrast and saturation each change by a factor from 1 - colour to 1 + colour. None, False or 0 leave a part out.
    What lies outside the picture is VOID in the target and the mean colour (zero) in the image. DataError for a value
    that is not in its range (see RANGES).
    """

    flip: bool = True
    scale: tuple[float, float] | None = (0.75, 1.5)
    crop: tuple[int, int] | None = None
    colour: float = 0.2

    def __post_init__(self) -> None:
        self._check_pair("scale", "(least, most)")
        self._check_pair("crop", "(height, width) in pixels")
        if self.scale is not None and self.scale[0] > self.scale[1]:
            raise DataError(f"scale is {self.scale!r}; expected (least, most), the smaller factor first, or None")
        RANGES["colour"].check("colour", self.colour, DataError)

    def _check_pair(self, name: str, parts: str) -> None:
        value = getattr(self, name)
        pair = isinstance(value, (tuple, list)) and len(value) == 2
        if value is not None and not (pair and all(part in RANGES[name] for part in value)):
            raise DataError(f"{name} is {value!r}; expected {parts}, each a {RANGES[name]}, or None")

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images (N, 3, H, W) uint8 and targets, masks (N, H, W) or labels (N,), to normalised float32 and int64.

        The generator may live on another device than the images. Labels belong to the pixel in a patch's centre, so
        with them scale and crop, which move that pixel away, are a DataError.
        """
        check_tensors(images=images, targets=targets)
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
            raise DataError(f"images are {images.dtype} {tuple(images.shape)}; expected uint8 (N, 3, H, W)")
        moves = self.scale is not None or self.crop is not None
        if targets.ndim == 1 and moves:
            raise DataError(
                f"scale={self.scale} and crop={self.crop} move the pixel that a patch's label belongs to; "
                f"augment labelled patches with Augment(scale=None, crop=None)"
            )
        if targets.ndim != 1 and targets.shape != images.shape[:1] + images.shape[2:]:
            raise DataError(f"masks are {tuple(targets.shape)} for images {tuple(images.shape)}; expected one a pixel")
        draws = torch.rand(len(images), 7, generator=generator, device=generator.device).to(images.device)
        if self.flip:
            mirrored = draws[:, 0] < 0.5
            images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
            if targets.ndim == 3:
                targets = torch.where(mirrored[:, None, None], targets.flip(-1), targets)
        pictures = self._recolour(images.float(), draws[:, 4:]) if self.colour else images.float()
        pictures = _normalise_(pictures)
        return self._resample(pictures, targets, draws) if moves else (pictures, targets.long())

    def _recolour(self, pictures: Tensor, draws: Tensor) -> Tensor:
        """Brightness, contrast about the picture's own grey, and saturation, as one 3 × 3 matrix and offset each."""
        brightness, contrast, saturation = (1 + self.colour * (2 * draws - 1)).T[:, :, None]
        grey = pictures.new_tensor(GREY)
        level = pictures.mean((2, 3)) @ grey
        gain = (brightness * contrast)[:, :, None]
        matrix = gain * (
            saturation[:, :, None] * torch.eye(3, device=pictures.device) + (1 - saturation)[:, :, None] * grey
        )
        offset = brightness * (1 - contrast) * level[:, None]
        return torch.baddbmm(offset[:, :, None], matrix, pictures.flatten(2)).clamp_(0, 255).view_as(pictures)

    def _resample(self, pictures: Tensor, masks: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        height, width = pictures.shape[2:]
        least, most = self.scale or (1.0, 1.0)
        factor = torch.exp(math.log(least) + draws[:, 1] * math.log(most / least))
        rows = _positions(factor, draws[:, 2], height, self.crop[0] if self.crop else height)
        columns = _positions(factor, draws[:, 3], width, self.crop[1] if self.crop else width)
        row, row_inside = _nearest(rows, height)
        column, column_inside = _nearest(columns, width)
        inside = row_inside[:, :, None] & column_inside[:, None, :]
        which = torch.arange(len(masks), device=masks.device)[:, None, None]
        cut = masks[which, row[:, :, None], column[:, None, :]].long().masked_fill_(~inside, VOID)
        x = ((2 * columns + 1) / width - 1)[:, None, :].expand(inside.shape)
        y = ((2 * rows + 1) / height - 1)[:, :, None].expand(inside.shape)
        pictures = functional.grid_sample(pictures, torch.stack((x, y), -1), padding_mode="border", align_corners=False)
        return pictures.mul_(inside[:, None]), cut


def _positions(factor: Tensor, place: Tensor, length: int, window: int) -> Tensor:
    """Input positions (N, window) of the output pixels along one axis: enlarged by `factor`, then a window cut out.

    `place` (N,) in 0-1 puts the window at a whole pixel between both ends; where the picture is the smaller of the
    two, it puts the picture inside the window.
    """
    start = torch.round(place * (length * factor - window))
    return (torch.arange(window, device=factor.device) + 0.5 + start[:, None]) / factor[:, None] - 0.5


def _nearest(positions: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """The nearest input pixel of each position, and whether it lies inside the picture."""
    nearest = torch.floor(positions + 0.5).long()
    return nearest.clamp(0, length - 1), (nearest >= 0) & (nearest < length)
