"""What a network costs: parameters, multiply-adds and activations by layer, and the time as measured.

One multiply-add is one multiplication and the addition that follows; tools that count "FLOPs" mostly count two for it.
Only convolutions (grouped, dilated, transposed, deformable) and matrix products are counted: they are all but a few
per cent. Dilation costs nothing: it moves the taps and adds none.
"""

import statistics
import time
from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from torch import Tensor, nn

from .tracing import Operation, empty_input, main_tensor, run

aten = torch.ops.aten
PRODUCTS = {aten.mm: (0, 1), aten.bmm: (0, 1), aten.addmm: (1, 2), aten.baddbmm: (1, 2)}


@dataclass(frozen=True)
class LayerCost:
    """One layer: its dotted name, class, output shape, own parameters, multiply-adds, and output values."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activations: int


@dataclass(frozen=True)
class Cost:
    """The cost of a network for one input shape, layer by layer in running order; prints as a table."""

    layers: tuple[LayerCost, ...]

    @property
    def parameters(self) -> int:
        """All weights and biases, shared ones once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """All multiply-adds of one forward pass."""
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def activations(self) -> int:
        """The values that convolutions and matrix products put out (Radosavovic et al. 2020, arXiv:2003.13678)."""
        return sum(layer.activations for layer in self.layers)

    def rows(self) -> list[tuple[str, ...]]:
        """The table as text: a header, a row for each layer, and the total."""
        header = ("layer", "kind", "output", "parameters", "multiply-adds", "activations")
        body = [
            (
                x.name,
                x.kind,
                "×".join(map(str, x.shape)),
                f"{x.parameters:,}",
                f"{x.multiply_adds:,}",
                f"{x.activations:,}",
            )
            for x in self.layers
        ]
        total = ("total", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}", f"{self.activations:,}")
        return [header, *body, total]

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        form = "  ".join(f"{{:{'<' if i < 3 else '>'}{width}}}" for i, width in enumerate(widths))
        return "\n".join(form.format(*row) for row in rows)

    def _repr_html_(self) -> str:
        header, *body, total = self.rows()

        def line(row: tuple[str, ...], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"

        rows = "".join(line(row, "td") for row in body)
        return (
            f"<table><thead>{line(header, 'th')}</thead><tbody>{rows}</tbody><tfoot>{line(total, 'td')}</tfoot></table>"
        )


def profile(model: nn.Module, input_shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Cost:
    """Count the cost of one forward pass in eval mode on an input (N, C, H, W), without computing anything.

    Layers that hold parameters or do products have a row; those that do not run in eval mode come last, with no output.
    """
    multiply_adds: Counter[str] = Counter()
    activations: Counter[str] = Counter()
    shapes: dict[str, tuple[int, ...]] = {}  # in running order

    def on_operation(layer: str, operation: Operation, args: tuple[Any, ...], out: Any) -> None:
        count = count_multiply_adds(operation, args, out)
        if count:
            multiply_adds[layer] += count
            activations[layer] += out.numel()

    def on_layer(layer: str, module: nn.Module, out: object) -> None:
        tensor = main_tensor(out)
        shapes[layer] = () if tensor is None else tuple(tensor.shape)

    run(model, empty_input(model, input_shape), on_operation, on_layer)
    modules = dict(model.named_modules())
    counted: set[int] = set()
    layers: list[LayerCost] = []
    for name in shapes | modules:
        own = {id(p): p.numel() for p in modules[name].parameters(recurse=False) if id(p) not in counted}
        counted |= own.keys()
        numbers = sum(own.values()), multiply_adds[name], activations[name]
        if any(numbers):
            layers.append(LayerCost(name, type(modules[name]).__name__, shapes.get(name, ()), *numbers))
    return Cost(tuple(layers))


def count_multiply_adds(operation: Operation, args: tuple[Any, ...], out: Any) -> int:
    """The multiply-adds of one ATen operation with these arguments and output; 0 for what is not counted."""
    if operation is aten.convolution:
        x, weight, transposed = args[0], args[1], args[6]
        return (x if transposed else out).numel() * weight[0].numel()  # every pixel meets one kernel of each output
    if operation in PRODUCTS:
        left, right = (args[i] for i in PRODUCTS[operation])
        return left.numel() * right.shape[-1]
    if str(operation) == "torchvision.deform_conv2d":
        return out.numel() * args[1][0].numel()
    return 0


def latency(model: nn.Module, x: Tensor, *, repeats: int = 20, warm_up: int = 3) -> float:
    """The median time of a forward pass on x, in seconds, in the model's present mode and without gradients."""
    times = []
    with torch.inference_mode():
        for _ in range(warm_up + repeats):
            _synchronise(x)
            start = time.perf_counter()
            model(x)
            _synchronise(x)
            times.append(time.perf_counter() - start)
    return statistics.median(times[warm_up:])


def _synchronise(x: Tensor) -> None:
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
