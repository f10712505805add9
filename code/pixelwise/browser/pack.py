"""A graph as a text that `engine.mjs` reads: its nodes as JSON, its weights as int8 for each output channel.

A weight is an integer from -127 to 127 times its channel's scale, the largest weight of the channel over 127 (Jacob et
al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018, section 2.1,
with zero as zero point). They are integers in the file only: the engine computes with floats, so that nothing is lost
but the rounding of the weights. Five letters stand for four bytes, by RFC 1924's alphabet, which a string of
JavaScript takes as it is.
"""

import base64
import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..zoo.model_card import licence
from ..zoo.weights import Metadata
from .graph import Graph

FORMAT = "pixelwise graph 1"
LEVELS = 127


def quantised(graph: Graph) -> Graph:
    """The graph with the weights of its convolutions as the file keeps them, rounded to 255 levels a channel."""
    return Graph([replace(node, weight=rounded(node.weight)) if node.op == "conv" else node for node in graph.nodes])


def rounded(weight: Tensor) -> Tensor:
    """Weights (channels, …) as integers times a scale a channel."""
    levels, scale = integers(weight)
    return levels * scale.reshape(-1, *[1] * (weight.ndim - 1))


def integers(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Whole numbers from -127 to 127 as floats, (channels, …), and the scale (channels,) that they are worth."""
    scale = weight.detach().flatten(1).abs().amax(1).clamp(min=1e-30) / LEVELS
    return (weight.detach() / scale.reshape(-1, *[1] * (weight.ndim - 1))).round(), scale


def packed(graph: Graph, metadata: Metadata) -> str:
    """JSON of the graph, its weights, and what the file of weights says of classes, size, figures and terms.

    Nodes have `op`, `channels`, `inputs` and what else they need; `weights` are the int8 of all convolutions, one after
    the other, (channels, k, k, inputs) each; `floats` the float32 of each convolution's scale and bias and of each
    affine node's scale and shift. Both are little-endian in base 85, filled up to a multiple of four bytes.
    """
    whole: list[np.ndarray] = []
    floats: list[Tensor] = []
    nodes: list[dict[str, Any]] = []
    for node in graph.nodes:
        described = {"op": node.op, "channels": node.channels, "inputs": node.inputs, **node.options}
        if node.activation:
            described["activation"] = node.activation
        if node.op == "conv":
            levels, scale = integers(node.weight)
            whole.append(levels.permute(0, 2, 3, 1).to(torch.int8).contiguous().numpy().ravel())
            floats += [scale, node.bias]
            described |= {"kernel": node.weight.shape[-1]}
        elif node.op == "affine":
            floats += [node.weight, node.bias]
        nodes.append(described)
    numbers = torch.cat([one.detach().float().flatten() for one in floats]).numpy()
    about = asdict(metadata)
    return json.dumps(
        {
            "format": FORMAT,
            "network": metadata.network.model,
            "licence": licence(metadata),
            **{key: about[key] for key in ("classes", "colours", "dataset", "size", "metrics")},
            "nodes": nodes,
            "weights": letters(np.concatenate(whole)),
            "floats": letters(numbers.astype("<f4")),
        }
    )


def letters(values: np.ndarray) -> str:
    """The bytes of an array in base 85."""
    content = values.tobytes()
    return base64.b85encode(content + bytes(-len(content) % 4)).decode()
