"""A trained network as a list of operations, read from what PyTorch computes for one picture.

A forward pass is watched operation by operation; what depends on the picture becomes a node, all else a constant. So
no network has to be written twice, and Python's own branches are walked once and gone. Batch normalisation of a network
in eval mode is a scale and a shift of each channel: they are folded into the convolution before it, as in Jacob et al.,
Quantization and Training of Neural Networks, 2018, section 3.2. Where a map is enlarged, the node names an earlier one
of the size that it takes on, so that the graph holds for pictures of any size.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from ..data.augment import normalise
from ..evaluation.inference import heads

PROBE = (167, 237)
"""Height and width of the picture that the network is watched with: no two of its maps, to stride 32, are as large."""

ACTIVATIONS: dict[str | None, Callable[[Tensor], Tensor]] = {None: lambda x: x, "relu": F.relu, "relu6": F.relu6}

aten = torch.ops.aten


class GraphError(ValueError):
    """A network that does something which the engine does not know."""


@dataclass
class Node:
    """One operation: `inputs` are the numbers of nodes before it, `options` what it does to them.

    image: the picture's bytes. affine: scale and shift of each channel. conv: stride, padding, dilation, groups. add,
    concat: of all inputs. mean: of all pixels, which leaves one. max: the largest in a window of size, stride, padding.
    resize: bilinear, to the size of the second input; `aligned` as in `ops.interpolate`, or `nearest`. Each may end
    with an activation.
    """

    op: str
    channels: int
    inputs: list[int] = field(default_factory=list)
    options: dict[str, int] = field(default_factory=dict)
    activation: str | None = None
    weight: Tensor = field(default_factory=lambda: torch.empty(0))
    """(channels, inputs a group, k, k) of a convolution, (channels,) of an affine node, of others empty."""
    bias: Tensor = field(default_factory=lambda: torch.empty(0))


@dataclass
class Graph:
    """Nodes in the order in which they are computed; the first is the picture, the last are the logits."""

    nodes: list[Node]

    @classmethod
    def of(cls, model: nn.Module, size: tuple[int, int] = PROBE) -> Self:
        """The graph of a network from the bytes of a picture to its logits. GraphError for what the engine lacks."""
        model = model.cpu().eval()
        generator = torch.Generator().manual_seed(0)
        picture = torch.randint(256, (1, 3, *size), generator=generator, dtype=torch.uint8)
        recorder = Recorder(picture)
        with torch.no_grad(), recorder:
            logits = heads(model(normalise(picture)))[0]
        last = recorder.number_of(logits)
        if logits.shape[-2:] != picture.shape[-2:] or last is None:
            raise GraphError(f"the network answers {tuple(logits.shape)}, expected logits for each pixel of {size}")
        return cls(simplified(recorder.nodes, last))

    def run(self, picture: Tensor) -> list[Tensor]:
        """What each node gives for a picture (1, 3, H, W) uint8, as (1, channels, h, w); the last are the logits."""
        values: list[Tensor] = []
        for node in self.nodes:
            inputs = [values[i] for i in node.inputs]
            values.append(ACTIVATIONS[node.activation](compute(node, inputs) if inputs else picture.float()))
        return values


def compute(node: Node, inputs: list[Tensor]) -> Tensor:
    """What a node gives, but for its activation."""
    x = inputs[0]
    match node.op:
        case "affine":
            return x * node.weight[:, None, None] + node.bias[:, None, None]
        case "conv":
            return F.conv2d(x, node.weight, node.bias, **node.options)
        case "add":
            return sum(inputs[1:], start=x)
        case "concat":
            return torch.cat(inputs, 1)
        case "mean":
            return x.mean((2, 3), keepdim=True)
        case "max":
            return F.max_pool2d(x, node.options["size"], node.options["stride"], node.options["padding"])
        case "resize":
            size = inputs[1].shape[-2:]
            if node.options["nearest"]:
                return F.interpolate(x, size=size)
            return F.interpolate(x, size=size, mode="bilinear", align_corners=bool(node.options["aligned"]))
    raise GraphError(f"there is no operation {node.op!r}")


class Recorder(TorchDispatchMode):
    """Watches a forward pass, and keeps a node for each operation on something that depends on the picture."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.nodes = [Node("image", picture.shape[1])]
        self.sizes = [tuple(picture.shape[-2:])]
        self._numbers = {id(picture): 0}
        self._kept: list[Tensor] = [picture]  # so that no two tensors share an id

    def number_of(self, value: Any) -> int | None:
        """The node that made a tensor, or None for what does not depend on the picture."""
        return self._numbers.get(id(value))

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = [*args, *(kwargs or {}).values()]
        flat = [one for value in given for one in (value if isinstance(value, (list, tuple)) else [value])]
        if all(self.number_of(value) is None for value in flat):
            return result
        out = result[0] if isinstance(result, tuple) else result
        if func in SAME:
            number = _number(self, args[0])
        elif handler := HANDLERS.get(func):
            self.nodes.append(handler(self, out, *args, **(kwargs or {})))
            self.sizes.append(tuple(out.shape[-2:]))
            number = len(self.nodes) - 1
        else:
            raise GraphError(f"the network computes {func}, which the browser's engine does not know")
        self._numbers[id(out)] = number
        self._kept.append(out)
        return result

    def of_size(self, size: tuple[int, ...]) -> int:
        """The first node whose map is this large. GraphError where there is none."""
        if size not in self.sizes:
            raise GraphError(f"a map is resized to {size}, the size of no map before it")
        return self.sizes.index(size)


def _number(recorder: Recorder, value: Tensor) -> int:
    number = recorder.number_of(value)
    if number is None:
        raise GraphError("a constant stands where the engine expects something made of the picture")
    return number


def _relu(recorder: Recorder, out: Tensor, x: Tensor) -> Node:
    return Node("add", out.shape[1], [_number(recorder, x)], activation="relu")


def _clip(recorder: Recorder, out: Tensor, x: Tensor, low: float = -1, high: float = 1) -> Node:
    if (low, high) != (0, 6):
        raise GraphError(f"the network clips to {low:g} and {high:g}; the engine to 0 and 6")
    return Node("add", out.shape[1], [_number(recorder, x)], activation="relu6")


def _affine(scale: Callable[[Tensor], Tensor], shift: Callable[[Tensor], Tensor]) -> Callable[..., Node]:
    """A node from a map and a constant: a number, or one for each channel."""

    def handle(recorder: Recorder, out: Tensor, x: Any, constant: Any) -> Node:
        channels, values = out.shape[1], torch.as_tensor(constant, dtype=torch.float32)
        if recorder.number_of(constant) is not None:
            raise GraphError("the network multiplies, divides or subtracts maps; the engine only adds them")
        if values.numel() not in (1, channels) or (values.ndim >= 3 and values.shape[-3] != values.numel()):
            raise GraphError(f"a constant of shape {tuple(values.shape)} meets a map of {channels} channels")
        values = values.reshape(-1).expand(channels)
        return Node("affine", channels, [_number(recorder, x)], weight=scale(values), bias=shift(values))

    return handle


def _add(recorder: Recorder, out: Tensor, x: Any, y: Any) -> Node:
    numbers = [recorder.number_of(value) for value in (x, y)]
    if None not in numbers:
        return Node("add", out.shape[1], [_number(recorder, value) for value in (x, y)])
    return _affine(torch.ones_like, lambda c: c)(recorder, out, *((x, y) if numbers[1] is None else (y, x)))


def _norm(
    recorder: Recorder, out: Tensor, x: Tensor, w: Tensor, b: Tensor, mean: Tensor, var: Tensor, *more: Any
) -> Node:
    *training, _, eps = more
    if any(training):
        raise GraphError("the network normalises by the batch; call eval() before")
    scale = w / (var + eps).sqrt()
    return Node("affine", out.shape[1], [_number(recorder, x)], weight=scale, bias=b - mean * scale)


def _conv(
    recorder: Recorder, out: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any,
    dilation: Any, transposed: bool, _: Any, groups: int,
) -> Node:  # fmt: skip
    square = {len(set(values)) for values in (weight.shape[-2:], stride, padding, dilation)}
    if transposed or square != {1}:
        raise GraphError("the network has a transposed convolution, or one that is not square; the engine has neither")
    if groups not in (1, len(weight)):
        raise GraphError(f"the network has a convolution of {groups} groups; the engine knows one, and depthwise")
    options = {"stride": stride[0], "padding": padding[0], "dilation": dilation[0], "groups": groups}
    bias = torch.zeros(len(weight)) if bias is None else bias
    return Node("conv", out.shape[1], [_number(recorder, x)], options, weight=weight, bias=bias)


def _mean(recorder: Recorder, out: Tensor, x: Tensor, axes: list[int], keepdim: bool = False) -> Node:
    if {axis % 4 for axis in axes} != {2, 3} or not keepdim:
        raise GraphError(f"the network averages over axes {axes}; the engine over height and width, and keeps them")
    return Node("mean", out.shape[1], [_number(recorder, x)])


def _concat(recorder: Recorder, out: Tensor, parts: list[Tensor], axis: int = 0) -> Node:
    if axis % 4 != 1:
        raise GraphError(f"the network concatenates along axis {axis}; the engine along channels")
    return Node("concat", out.shape[1], [_number(recorder, part) for part in parts])


def _resize(nearest: bool) -> Callable[..., Node]:
    """A node for an enlarged map; a single pixel that is expanded is one, too."""

    def handle(recorder: Recorder, out: Tensor, x: Tensor, size: Any, aligned: Any = False, *_: Any) -> Node:
        options = {"aligned": int(aligned is True), "nearest": int(nearest)}
        return Node("resize", out.shape[1], [_number(recorder, x), recorder.of_size(tuple(out.shape[-2:]))], options)

    return handle


def _max(
    recorder: Recorder, out: Tensor, x: Tensor, size: Any, stride: Any = (), padding: Any = (0,), dilation: Any = (1,),
    ceil_mode: bool = False,
) -> Node:  # fmt: skip
    values = {"size": set(size), "stride": set(stride or size), "padding": set(padding)}
    if any(len(value) != 1 for value in values.values()) or set(dilation) != {1} or ceil_mode:
        raise GraphError("the network pools over a window that is not square or has holes; the engine does neither")
    return Node("max", out.shape[1], [_number(recorder, x)], {name: value.pop() for name, value in values.items()})


SAME = {aten._to_copy.default, aten.detach.default, aten.alias.default, aten.clone.default, aten.dropout.default}
"""Operations that change nothing which the engine would see: its numbers are floats."""

HANDLERS: dict[Any, Callable[..., Node]] = {
    aten.convolution.default: _conv,
    aten.native_batch_norm.default: _norm,
    aten._native_batch_norm_legit_no_training.default: _norm,
    aten.max_pool2d_with_indices.default: _max,
    aten.upsample_bilinear2d.default: _resize(nearest=False),
    aten.upsample_bilinear2d.vec: _resize(nearest=False),
    aten.upsample_nearest2d.default: _resize(nearest=True),
    aten.upsample_nearest2d.vec: _resize(nearest=True),
    aten.expand.default: _resize(nearest=False),
    aten.cat.default: _concat,
    aten.mean.dim: _mean,
    aten.relu.default: _relu,
    aten.relu_.default: _relu,
    aten.hardtanh.default: _clip,
    aten.hardtanh_.default: _clip,
    **dict.fromkeys((aten.add.Tensor, aten.add_.Tensor), _add),
    **dict.fromkeys((aten.sub.Tensor, aten.sub_.Tensor), _affine(torch.ones_like, lambda c: -c)),
    **dict.fromkeys((aten.mul.Tensor, aten.mul_.Tensor), _affine(lambda c: c, torch.zeros_like)),
    **dict.fromkeys((aten.div.Tensor, aten.div_.Tensor), _affine(lambda c: 1 / c, torch.zeros_like)),
}


def simplified(nodes: list[Node], last: int) -> list[Node]:
    """Nodes with each affine one and each activation folded into what made its input, if nothing else reads that."""
    read = [0] * len(nodes)
    for node in nodes[: last + 1]:
        for i in node.inputs[: 1 if node.op == "resize" else None]:  # of its second input it reads only the size
            read[i] += 1
    kept: list[Node] = []
    place: dict[int, int] = {}
    for i, node in enumerate(nodes[: last + 1]):
        before = kept[place[node.inputs[0]]] if len(node.inputs) == 1 else None
        if before is not None and read[node.inputs[0]] == 1 and _fold(before, node):
            place[i] = place[node.inputs[0]]
            continue
        node.inputs = [place[j] for j in node.inputs]
        kept.append(node)
        place[i] = len(kept) - 1
    return kept


def _fold(before: Node, node: Node) -> bool:
    """Let the node before do what this one does as well; False where it can't."""
    if before.activation is not None:
        return False
    if node.op == "affine" and before.op in ("affine", "conv"):
        shape = (-1, *[1] * (before.weight.ndim - 1))
        before.weight = before.weight * node.weight.reshape(shape)
        before.bias = before.bias * node.weight + node.bias
        return True
    if node.op == "add" and node.activation and before.op != "image":
        before.activation = node.activation
        return True
    return False
