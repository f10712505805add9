"""A feature pyramid for semantic segmentation: coarse maps say what, fine maps say where, and they are summed.

Lin et al., Feature Pyramid Networks for Object Detection, 2017, figure 3: a 1×1 convolution takes each of a backbone's
maps to the pyramid's width (the lateral connection), the coarser level is upsampled, and the two are added. Departing
from it, a level is refined by a separable 3×3 convolution before it goes on, as in U-Net, where Lin et al. refine a
copy; levels narrow towards the image, where a channel is dear; and one score at the finest level serves the pixels, as
only one prediction is wanted (Kirillov et al., Panoptic Feature Pyramid Networks, 2019, sum the levels there).
"""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import Backbone, check_classes, conv_norm, upsample
from .deeplab import separable_conv_norm


class FeaturePyramid(nn.Module):
    """Any backbone's maps, joined from coarse to fine: images (N, C, H, W) to logits (N, num_classes, H, W).

    `widths` are the channels of the pyramid's levels from coarse to fine, one for each map of the backbone; by
    default 160, 128, 96 and so on, but at least 48. On EfficientNet-Lite0 and for eleven classes it has 3,084,859
    parameters. `enlarge` is a factor by which the images are interpolated before the backbone sees them: small pictures
    hold things smaller than those that an encoder learned from, and its strides lose them. ValueError when the number
    of widths does not fit, or `enlarge` is not positive.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        *,
        widths: tuple[int, ...] | None = None,
        dropout: float = 0.1,
        enlarge: float = 1.0,
    ) -> None:
        super().__init__()
        check_classes(num_classes)
        if widths is None:
            widths = tuple(max(48, 160 - 32 * i) for i in range(len(backbone.channels)))
        if len(widths) != len(backbone.channels):
            raise ValueError(
                f"widths has {len(widths)} entries, but this backbone has {len(backbone.channels)} maps: give one each"
            )
        if not enlarge > 0:
            raise ValueError(f"enlarge is {enlarge}, expected a positive factor; 1 leaves the images as they are")
        self.enlarge = float(enlarge)
        self.backbone = backbone
        coarsest, *finer = reversed(backbone.channels)
        self.top = conv_norm(coarsest, widths[0], 1)
        self.laterals = nn.ModuleList(
            conv_norm(channels, width, 1, activation=None) for channels, width in zip(finer, widths, strict=False)
        )
        self.refinements = nn.ModuleList(separable_conv_norm(before, after) for before, after in pairwise(widths))
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Conv2d(widths[-1], num_classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        size = images.shape[-2:]
        if self.enlarge != 1:
            images = F.interpolate(images, scale_factor=self.enlarge, mode="bilinear")
        coarsest, *finer = reversed(self.backbone.features(images))
        x = self.top(coarsest)  # (N, 160, H/32, W/32)
        for skip, lateral, refine in zip(finer, self.laterals, self.refinements, strict=True):
            x = upsample(x, skip.shape[-2:])
            x = refine(x + lateral(skip))  # (N, 128 or 96 or 64 or 48, H, W): the last at H/2
        logits = self.score(self.dropout(x))  # (N, num_classes, H/2, W/2)
        return upsample(logits, size)
