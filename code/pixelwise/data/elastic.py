"""Elastic deformation: random smooth warps of a picture and its mask, as tissue deforms.

Ronneberger et al., U-Net (2015), section 3.1: random displacements on a coarse 3×3 grid, Gaussian with a standard
deviation of 10 pixels, carried to every pixel by bicubic interpolation.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from .augment import Augment
from .storage import DataError


@dataclass(frozen=True)
class Elastic:
    """An augmentation for `Recipe.augment`: `first` changes pictures and masks, then each is warped in its own way.

    sigma: standard deviation of the displacements in pixels, down and across; 10 is the paper's, for pictures of 512.
    grid: control points a side. What a warp pulls in from outside is the picture mirrored, as in the paper.
    """

    first: Augment = field(default_factory=lambda: Augment(scale=None))
    sigma: float = 10.0
    grid: int = 3

    def __post_init__(self) -> None:
        if self.sigma < 0 or self.grid < 2:
            raise DataError(f"sigma is {self.sigma}, grid is {self.grid}; expected at least 0 pixels and 2 points")

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images (N, 3, H, W) uint8 and masks (N, H, W) to normalised float32 and int64, warped alike."""
        if targets.ndim != 3:
            raise DataError(f"targets are {tuple(targets.shape)}; a warp needs masks (N, H, W), one class a pixel")
        pictures, masks = self.first(images, targets, generator)
        height, width = pictures.shape[-2:]
        moves = self.displacements(len(pictures), (height, width), generator).to(pictures.device)
        return warp(pictures, moves), warp(masks[:, None], moves)[:, 0]

    def displacements(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
        """(count, 2, H, W) float32: how many pixels down and to the right each output pixel fetches its value."""
        points = torch.randn(count, 2, self.grid, self.grid, generator=generator, device=generator.device)
        return functional.interpolate(self.sigma * points, size, mode="bicubic", align_corners=True)


def warp(maps: Tensor, displacements: Tensor) -> Tensor:
    """Maps (N, C, H, W) fetched from displaced places (N, 2, H, W) pixels: floats bilinear, integers the nearest."""
    height, width = maps.shape[-2:]
    rows = torch.arange(height, device=maps.device)[:, None] + displacements[:, 0]
    columns = torch.arange(width, device=maps.device) + displacements[:, 1]
    places = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], -1)
    mode = "bilinear" if maps.is_floating_point() else "nearest"
    values = maps if maps.is_floating_point() else maps.float()
    moved = functional.grid_sample(values, places, mode=mode, padding_mode="reflection", align_corners=False)
    return moved.to(maps.dtype)
