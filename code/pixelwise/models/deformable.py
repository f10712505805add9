"""Deformable convolution: every position of the output chooses where its kernel looks.

Dai et al., Deformable Convolutional Networks, 2017, section 2.1, equations 2 to 4 and figure 2 (version 1: offsets, no
modulation). An ordinary convolution beside it predicts two offsets, down and to the right, for each of the kernel's K
positions: 2K channels in torchvision's order (down₀, right₀, down₁, …). It starts at zero, and with it the layer as an
ordinary convolution. The paper puts it in the last three 3×3 layers of a ResNet.
"""

import torch
from torch import Tensor, nn


def sample_bilinear(maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Read `maps` (N, C, H, W) at fractional `rows` and `columns` (N, P), in pixels; gives (N, C, P).

    Each value is the mean of its four neighbours, weighted by nearness; outside the map there are zeros (equation 3).
    """
    height, width = maps.shape[-2:]
    top, left = rows.floor(), columns.floor()
    down, right = rows - top, columns - left  # in [0, 1)
    total = 0
    for row, row_weight in ((top, 1 - down), (top + 1, down)):
        for column, column_weight in ((left, 1 - right), (left + 1, right)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)  # (N, P) into the flattened map
            index = index.long()[:, None].expand(-1, maps.shape[1], -1)
            total = total + maps.flatten(2).gather(2, index) * (row_weight * column_weight * inside)[:, None]
    # pyrefly: ignore[missing-attribute]  # the four neighbours have made it a tensor
    return total.to(maps.dtype)


def deformable_convolution(
    x: Tensor,
    offsets: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Tensor:
    """Convolve (N, C, H, W) with `weight` (O, C, k, k), whose positions are moved by `offsets`; gives (N, O, h, w).

    `offsets` are (N, 2k², h, w) in pixels; zero offsets make it an ordinary convolution, constant ones of d − 1
    times the position in the kernel a dilated one. Raises ValueError if the offsets are of another shape.
    """
    kernel = weight.shape[-1]
    reach = dilation * (kernel - 1) + 1
    height, width = ((size + 2 * padding - reach) // stride + 1 for size in x.shape[-2:])
    expected = (len(x), 2 * kernel**2, height, width)
    if offsets.shape != expected:
        raise ValueError(f"offsets are {tuple(offsets.shape)}, but a {kernel}×{kernel} kernel here needs {expected}")
    offsets = offsets.unflatten(1, (kernel, kernel, 2))  # (N, k, k, 2, h, w)
    offsets = offsets.to(torch.promote_types(offsets.dtype, torch.float32))  # bfloat16 has no whole numbers above 256
    steps = torch.arange(max(kernel, height, width), device=x.device, dtype=offsets.dtype)
    tap = steps[:kernel] * dilation - padding
    rows = tap[:, None, None, None] + stride * steps[:height, None] + offsets[:, :, :, 0]  # (N, k, k, h, w)
    columns = tap[:, None, None] + stride * steps[:width] + offsets[:, :, :, 1]
    read = sample_bilinear(x, rows.flatten(1), columns.flatten(1))  # (N, C, k·k·h·w)
    read = read.unflatten(2, (kernel**2, height * width)).flatten(1, 2)  # (N, C·k·k, h·w), as unfold orders it
    out = (weight.flatten(1) @ read).unflatten(2, (height, width))  # (N, O, h, w)
    return out if bias is None else out + bias[:, None, None]


class DeformableConv2d(nn.Conv2d):
    """A convolution that predicts its own offsets: (N, in_channels, H, W) to (N, out_channels, h, w)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=bias)
        self.offset = nn.Conv2d(in_channels, 2 * kernel_size**2, kernel_size, stride, padding, dilation)
        for parameter in self.offset.parameters():
            nn.init.zeros_(parameter)
        self.steps = {"stride": stride, "padding": padding, "dilation": dilation}

    @classmethod
    def of(cls, conv: nn.Conv2d) -> "DeformableConv2d":
        """The deformable convolution that starts as `conv`, with its weights.

        ValueError where `conv` has groups, another kernel, stride, padding or dilation down than to the right, or other
        padding than zeros.
        """
        settings = conv.kernel_size, conv.stride, conv.padding, conv.dilation
        numbers = [setting[0] for setting in settings if not isinstance(setting, str) and len(set(setting)) == 1]
        if conv.groups != 1 or conv.padding_mode != "zeros" or len(numbers) < len(settings):
            raise ValueError(
                f"Conv2d({conv.extra_repr()}) cannot be made deformable: that takes one number each for kernel, "
                "stride, padding and dilation, zeros as padding, and no groups"
            )
        new = cls(conv.in_channels, conv.out_channels, *numbers, bias=conv.bias is not None).to(conv.weight)
        new.load_state_dict(conv.state_dict(), strict=False)
        return new

    def forward(self, x: Tensor) -> Tensor:
        return deformable_convolution(x, self.offset(x), self.weight, self.bias, **self.steps)


def deform_last_convolutions(network: nn.Module, count: int = 3) -> nn.Module:
    """Make the last `count` 3×3 convolutions of `network` deformable, in place, and return it.

    They keep their weights, and as their offsets start at zero, the network stays the same function. ValueError, and
    the network as it was, unless it has so many and `DeformableConv2d.of` takes each: none may have groups.
    """
    convolutions = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Conv2d)]
    convolutions = [(name, conv) for name, conv in convolutions if conv.kernel_size == (3, 3)]
    if not 1 <= count <= len(convolutions):
        raise ValueError(f"count is {count}, but this network has {len(convolutions)} 3×3 convolutions to choose from")
    for name, new in [(name, DeformableConv2d.of(conv)) for name, conv in convolutions[-count:]]:
        network.set_submodule(name, new)
    return network
