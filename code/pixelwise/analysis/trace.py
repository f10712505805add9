"""What a network does, operation by operation, with every shape: what its drawings and its tables of shapes go by."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from .channel_axis import ChannelAxes
from .cost import count_multiply_adds
from .tracing import Operation, empty_input, main_tensor, run, tensors_in

aten = torch.ops.aten
Shape = tuple[int, ...]

KINDS: dict[Any, str] = {
    aten.max_pool2d_with_indices: "max pooling",
    aten.avg_pool2d: "average pooling",
    aten._adaptive_avg_pool2d: "average pooling",
    aten.mean: "global pooling",
    aten.upsample_bilinear2d: "bilinear upsampling",
    aten.upsample_nearest2d: "nearest upsampling",
    aten.add: "sum",
    aten.add_: "sum",
    aten.mul: "product",
    aten.mul_: "product",
    aten.cat: "concatenation",
    aten.addmm: "fully connected",
    aten.mm: "fully connected",
    aten.bmm: "matrix product",
    aten.native_batch_norm: "batch normalisation",
    aten.native_layer_norm: "layer normalisation",
    aten.relu: "ReLU",
    aten.relu_: "ReLU",
    aten.hardtanh: "ReLU6",
    aten.hardtanh_: "ReLU6",
    aten.silu: "SiLU",
    aten.silu_: "SiLU",
    aten.gelu: "GELU",
    aten.sigmoid: "sigmoid",
    aten.sigmoid_: "sigmoid",
    aten._softmax: "softmax",
    aten._safe_softmax: "softmax",
    aten._native_multi_head_attention: "attention",
    aten._scaled_dot_product_flash_attention_for_cpu: "attention",
    aten._scaled_dot_product_flash_attention: "attention",
    aten._scaled_dot_product_efficient_attention: "attention",
    aten._scaled_dot_product_cudnn_attention: "attention",
    aten.slice: "crop",
}
"""The name of each operation that a drawing may show; what only moves or renames data is left out.

Attention runs as two matrix products with a softmax between them, or, where values are computed, as one operation.
"""


@dataclass(frozen=True)
class _Output:
    """What a step and a layer have in common: an output, and at which `axis` of it the channels stand.

    It is a map (N, C, H, W) or (N, H, W, C), tokens (N, L, C), or a vector (N, C).
    """

    output: Shape
    axis: int = field(default=1, kw_only=True)

    @property
    def channels(self) -> int:
        """The channels of the output."""
        return self.output[self.axis]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the output; tokens are L × 1, and a vector is 1 × 1."""
        places = [n for axis, n in enumerate(self.output) if axis not in (0, self.axis)]
        height, width = [*places, 1, 1][:2]
        return height, width

    @property
    def tokens(self) -> int:
        """How many tokens there are; 0 where the output is a map or a vector."""
        return self.size[0] if len(self.output) == 3 else 0


@dataclass(frozen=True)
class Step(_Output):
    """One operation that ran: in which layer, what it is, the shapes of its inputs and output, and its window.

    `depth` is the number of layers with weights on the longest way from the input to here, this one included.
    """

    layer: str
    kind: str
    inputs: tuple[Shape, ...]
    kernel: tuple[int, int] | None = None
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    depth: int = 0
    multiply_adds: int = 0

    @property
    def before(self) -> "Step":
        """What the step reads, as a step that did nothing: to draw the input of the first one."""
        return Step(self.inputs[0], self.layer, "input", (), axis=self.axis)

    @property
    def factor(self) -> float:
        """How many times as high as the input the output is."""
        return self.size[0] / self.inputs[0][2]

    @property
    def weighted(self) -> bool:
        """Whether it is a layer with weights: a convolution or fully connected."""
        return "convolution" in self.kind or self.kind == "fully connected"

    @property
    def rate(self) -> int:
        """The dilation rate where there is one above 1, else 0."""
        return self.dilation if self.dilation > 1 else 0


@dataclass(frozen=True)
class Layer(_Output):
    """One module that ran: its dotted name, class, output, the steps inside it, its parameters, its own parts.

    `parts` counts the modules directly in it that ran: the blocks of a stage, the layers of a block.
    """

    name: str
    kind: str
    steps: tuple[Step, ...]
    parameters: int
    parts: int

    @property
    def inputs(self) -> tuple[Shape, ...]:
        """The shapes that its first step reads."""
        return self.steps[0].inputs

    @property
    def rate(self) -> int:
        """The dilation rate of its last dilated convolution, else 0."""
        return next((step.dilation for step in reversed(self.steps) if step.dilation > 1), 0)

    @property
    def multiply_adds(self) -> int:
        """The multiply-adds of all its steps."""
        return sum(step.multiply_adds for step in self.steps)

    @property
    def main(self) -> Step:
        """The step that the layer is named for: its last convolution, or fully connected, or else its last step."""
        weighted = [step for step in self.steps if step.weighted]
        return (weighted or self.steps)[-1]


class Trace:
    """A forward pass as it ran: `trace["layer1.0"]` is a `Layer`, `trace.steps` are all steps in running order."""

    def __init__(self, model: nn.Module, shape: Shape, steps: list[Step], outputs: dict[str, _Output]) -> None:
        self.name = type(model).__name__
        self.shape = shape
        self.steps = tuple(steps)
        self._outputs = outputs
        self._modules = dict(model.named_modules())

    def __getitem__(self, name: str) -> Layer:
        """The layer of this dotted name; "" is the whole network. KeyError where no module of that name ran."""
        if name not in self._outputs:
            ran = ", ".join(list(self._outputs)[:12])
            raise KeyError(f"no module {name!r} ran in {self.name}; the first that did: {ran}")
        inside = tuple(step for step in self.steps if not name or f"{step.layer}.".startswith(f"{name}."))
        module = self._modules[name]
        parameters = sum(p.numel() for p in module.parameters())
        prefix = f"{name}." if name else ""
        parts = sum(f"{prefix}{child}" in self._outputs for child, _ in module.named_children())
        out = self._outputs[name]
        return Layer(out.output, name, type(module).__name__, inside, parameters, parts, axis=out.axis)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the modules that ran, in the order in which they ended."""
        return tuple(self._outputs)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def find(self, kind: str, layer: str | None = None) -> list[Step]:
        """All steps of one kind, in running order; of one layer itself (not of those inside it) where it is named."""
        return [step for step in self.steps if step.kind == kind and layer in (None, step.layer)]


def trace(model: nn.Module, shape: Shape = (1, 3, 224, 224)) -> Trace:
    """Run the model in eval mode on an input of this shape, (N, C, H, W) or tokens (N, L, C), without computing, and
    keep every step.
    """
    steps: list[Step] = []
    outputs: dict[str, _Output] = {}
    depths: dict[int, int] = {}
    axes = ChannelAxes()  # which keeps all tensors, so that no identity is given twice

    def on_operation(layer: str, operation: Operation, args: tuple[Any, ...], out: object) -> None:
        axes.follow(operation, args, out)
        step = _step(layer, operation, args, out)
        depth = max((depths.get(id(x), 0) for x in tensors_in(args)), default=0) + (step is not None and step.weighted)
        for tensor in tensors_in(out):
            depths[id(tensor)] = depth
        if step is not None:
            count, axis = count_multiply_adds(operation, args, out), axes.of(next(tensors_in(out)))
            steps.append(replace(step, axis=axis, depth=depth, multiply_adds=count))

    def on_layer(layer: str, module: nn.Module, out: object) -> None:
        tensor = main_tensor(out)
        if tensor is not None:
            outputs[layer] = _Output(tuple(tensor.shape), axis=axes.of(tensor))

    run(model, empty_input(model, shape), on_operation, on_layer)
    return Trace(model, shape, [_unfold(step, outputs[step.layer].output) for step in steps], outputs)


def activations(model: nn.Module, x: Tensor) -> list[tuple[Step, Tensor]]:
    """Each step of a forward pass on x (N, C, H, W) in eval mode with what it put out, as it was at that moment.

    It keeps all of them: for small pictures.
    """
    found: list[tuple[Step, Tensor]] = []

    def on_operation(layer: str, operation: Operation, args: tuple[Any, ...], out: object) -> None:
        step = _step(layer, operation, args, out)
        if step is not None:
            found.append((step, next(tensors_in(out)).clone()))

    run(model, x, on_operation, compute=True)
    return found


def _unfold(step: Step, made: Shape) -> Step:
    """A fully connected layer works on rows, into which the places of a map or the tokens are folded: undo that."""
    rows, places = step.output[0], made[:-1]
    if step.kind != "fully connected" or len(made) < 3 or math.prod(places) != rows:
        return step
    inputs = tuple((*places, shape[-1]) for shape in step.inputs)
    return replace(step, output=(*places, step.output[-1]), inputs=inputs, axis=len(places))


def _step(layer: str, operation: Operation, args: tuple[Any, ...], out: object) -> Step | None:
    tensor = next(tensors_in(out), None)
    if tensor is None:
        return None
    shapes = tuple(tuple(x.shape) for x in tensors_in(args))
    output = tuple(tensor.shape)
    if operation is aten.convolution:
        weight, stride, dilation, transposed, groups = args[1], args[3], args[5], args[6], args[8]
        kind = "transposed convolution" if transposed else "convolution"
        window = (weight.shape[2], weight.shape[3])
        return Step(output, layer, kind, shapes[:1], window, stride[0], dilation[0], groups)
    if str(operation) == "torchvision.deform_conv2d":
        window = (args[1].shape[2], args[1].shape[3])
        return Step(output, layer, "deformable convolution", shapes[:1], window, args[5], 1, args[11])
    kind = KINDS.get(operation)
    if kind is None:
        return None
    if kind in ("max pooling", "average pooling") and operation is not aten._adaptive_avg_pool2d:
        kernel = args[1]
        stride = args[2] if len(args) > 2 and args[2] else kernel
        return Step(output, layer, kind, shapes[:1], (kernel[0], kernel[-1]), stride[0])
    if kind == "fully connected":
        return Step(output, layer, kind, shapes[operation is aten.addmm :][:1])
    if kind in ("sum", "product") and (len(shapes) < 2 or min(map(len, shapes)) < len(output)):
        # no joint of two maps: a number for all and a bias are no step, a factor for each channel is one
        scaled = kind == "product" and len(shapes) == 2
        return Step(output, layer, "scaling", (max(shapes, key=len),)) if scaled else None
    if kind == "crop" and (not isinstance(args[0], Tensor) or output == shapes[0]):
        return None
    return Step(output, layer, kind, shapes)
