"""What several networks share: convolution with normalisation, squeeze-and-excitation, feature maps, heads, checks.

A backbone (`Backbone`) makes its feature maps one after the other, in a generator, so that a fine map which no head
asks for is freed as soon as the next layer has read it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

from torch import Tensor, nn
from torch.nn import functional as F


class Backbone(Protocol):
    """A network that gives feature maps, from fine to coarse: any `nn.Module` that has these three.

    `channels` and `strides` hold one number for each map; `features(images, first=0)` returns the list of the maps from
    number `first` on.
    """

    @property
    def channels(self) -> tuple[int, ...]: ...

    @property
    def strides(self) -> tuple[int, ...]: ...

    @property
    def features(self) -> Callable[..., list[Tensor]]: ...


def conv_norm(
    in_channels: int,
    out_channels: int,
    kernel_size: int = 3,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    activation: Callable[..., nn.Module] | None = nn.ReLU,
    eps: float = 1e-5,
) -> nn.Sequential:
    """Convolution without bias, batch normalisation and, unless `activation` is None, the activation.

    (N, in_channels, H, W) becomes (N, out_channels, ⌈H/stride⌉, ⌈W/stride⌉) for an odd kernel. The parts are numbered
    0, 1, 2 as torchvision numbers them. A bias before batch normalisation would be subtracted again with the mean.
    """
    padding = dilation * (kernel_size - 1) // 2
    parts: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(out_channels, eps=eps),
    ]
    if activation is not None:
        parts.append(activation(inplace=True))
    return nn.Sequential(*parts)


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate in (0, 1) that is computed from the means of all channels; keeps (N, C, H, W).

    Two fully connected layers through `squeeze_channels` values make the gate; as 1×1 convolutions they take the
    pooled (N, C, 1, 1) map as it is. Hu et al., Squeeze-and-Excitation Networks, 2018, section 3, equations 2 to 4.
    """

    def __init__(self, channels: int, squeeze_channels: int, activation: Callable[..., nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeeze_channels, 1)
        self.activation = activation(inplace=True)
        self.fc2 = nn.Conv2d(squeeze_channels, channels, 1)
        self.scale_activation = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        gate = self.avgpool(x)  # (N, C, 1, 1)
        gate = self.activation(self.fc1(gate))  # (N, squeeze_channels, 1, 1)
        gate = self.scale_activation(self.fc2(gate))  # (N, C, 1, 1)
        return gate * x


class Tapped(nn.Sequential):
    """Named layers in a row; the feature maps are the outputs of the layers in `taps`, and the last tap is the end.

    It lets a network whose layers are called `features.*` in torchvision keep those names *and* give feature maps: it
    is itself what `features` is in other backbones.
    """

    def __init__(
        self, layers: Mapping[str, nn.Module], taps: Iterable[str], in_channels: int, smallest: int = 1
    ) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.taps, self.in_channels, self.smallest = tuple(taps), in_channels, smallest

    # pyrefly: ignore[bad-override]  # nn.Sequential gives one tensor, its last
    def forward(self, x: Tensor, first: int = 0) -> list[Tensor]:
        return list(islice(self.maps(x), first, None))

    def maps(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the map of each tap, fine to coarse."""
        check_images(x, self.in_channels, self.smallest)
        for name, layer in self.named_children():
            x = layer(x)
            if name in self.taps:
                yield x
            if name == self.taps[-1]:
                return


def upsample(x: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Interpolate (N, C, h, w) bilinearly to `size` (H, W); `ops.interpolate` explains `align_corners`."""
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def last_layer(in_features: int, num_classes: int | None) -> nn.Module:
    """A linear layer to the classes; the identity, which has no parameters, where `num_classes` is None."""
    if num_classes is None:
        return nn.Identity()
    check_classes(num_classes)
    return nn.Linear(in_features, num_classes)


def initialise(network: nn.Module) -> None:
    """He initialisation (2015, equation 10; fan-out) of convolutions; unit normalisation; zero biases, in place."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def check_images(images: Tensor, channels: int, smallest: int = 1) -> None:
    """Raise a ValueError in plain words unless `images` is float (N, channels, H, W) with H, W ≥ `smallest`."""
    if images.ndim != 4 or images.shape[1] != channels:
        raise ValueError(
            f"images have shape {tuple(images.shape)}, but this network takes (N, {channels}, H, W); "
            f"add the batch dimension with images[None], or build the network with in_channels=..."
        )
    if not images.is_floating_point():
        raise ValueError(f"images are {images.dtype}, but a network takes floats: normalise(images) first")
    height, width = images.shape[-2:]
    if height < smallest or width < smallest:
        raise ValueError(f"images are {height}×{width}, but this network needs at least {smallest}×{smallest} pixels")


def check_classes(num_classes: int) -> None:
    """Raise a ValueError in plain words unless `num_classes` is a whole number of at least 1."""
    if not isinstance(num_classes, int) or num_classes < 1:
        raise ValueError(f"num_classes is {num_classes!r}, but it counts the classes to tell apart: a whole number ≥ 1")


class FCNHead(nn.Sequential):
    """torchvision's classifier of a feature map: 3×3 to a quarter of the channels, dropout 0.1, 1×1 to the classes."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        check_classes(num_classes)
        width = in_channels // 4
        super().__init__(*conv_norm(in_channels, width, 3), nn.Dropout(0.1), nn.Conv2d(width, num_classes, 1))


class DensePredictor(nn.Module):
    """A backbone, a classifier of its last feature map, and bilinear interpolation of the logits to the input's size.

    Images (N, in_channels, H, W) become logits (N, num_classes, H, W). With an `aux_classifier`, which looks at the
    last feature map but one, train mode returns both as {"out": logits, "aux": logits}, as torchvision does; in eval
    mode the auxiliary classifier, which exists for its gradient, is not computed.
    """

    def __init__(
        self,
        backbone: Backbone,
        classifier: nn.Module,
        aux_classifier: nn.Module | None = None,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier
        self.align_corners = align_corners

    def forward(self, images: Tensor) -> Tensor | dict[str, Tensor]:
        auxiliary = self.aux_classifier if self.training else None
        levels = len(self.backbone.channels)
        maps = self.backbone.features(images, levels - (1 if auxiliary is None else 2))
        size = images.shape[-2:]
        logits = upsample(self.classifier(maps[-1]), size, self.align_corners)
        if auxiliary is not None:
            return {"out": logits, "aux": upsample(auxiliary(maps[0]), size, self.align_corners)}
        return logits
