"""A trained network as an ONNX file, for programs without PyTorch: a web page with onnxruntime-web, a phone, C++.

The file takes pictures as programs hold them, `image`, uint8 (N, height, width, 3 or 4): a NumPy picture as it is, or
the bytes of a canvas's `getImageData`, whose fourth channel is not looked at. So nobody has to transpose or to
normalise, which a caller would do a little differently; onnxruntime-web's own `Tensor.fromImage` makes float32 alone.
It answers `labels`, uint8 (N, height, width), and `logits`, float32 (N, classes, height, width): ask for the one you
want. Height and width may be any from SMALLEST on; what the network knows best are pictures of about the size that the
file's metadata tell.
"""

import json
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..data.augment import normalise
from ..evaluation.inference import heads, predicted_labels
from ..files import atomic_write
from .model_card import licence
from .weights import Metadata

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
SMALLEST = 33
"""Pixels a side: below it the coarsest maps of some networks are a single pixel, which the exporter treats apart."""

TOLERANCE = 1e-4
"""By how much a logit may differ from PyTorch's."""

CHECKED = ((2, 67, 101, 4), (1, 130, 83, 3))
"""Shapes of the pictures on which a file is compared with the network: no side is a multiple of another, or of 32."""


class ExportError(ValueError):
    """A network that can't be exported, or whose file answers otherwise than the network."""


class FromBytes(nn.Module):
    """A network from the bytes of pictures (N, H, W, 3 or 4) to its logits (N, C, H, W) and labels (N, H, W)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits = heads(self.model(normalise(image[..., :3].permute(0, 3, 1, 2))))[0]
        return logits, predicted_labels(logits).to(torch.uint8)


def export(path: Path, model: nn.Module, metadata: Metadata) -> float:
    """Write `model`, on the CPU and in eval mode, to `path` as ONNX; the largest difference of a logit that was seen.

    The file is compared with the network before it gets its name. ExportError, and nothing is left, where it differs by
    more than TOLERANCE, has other labels, or can't be made; ModuleNotFoundError where the packages are missing.
    """
    check_installed()
    network = FromBytes(model).eval()
    program = traced(network)
    program.model.metadata_props.update(description(metadata))
    with atomic_write(path) as temporary:
        program.save(str(temporary), external_data=False)
        return compare(temporary, network)


def check_installed() -> None:
    """ModuleNotFoundError, with what to do, where a package that export needs is not installed."""
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise ModuleNotFoundError(f"exporting needs {', '.join(missing)}: pip install {' '.join(missing)}")


def description(metadata: Metadata) -> dict[str, str]:
    """What the file says of itself, in text."""
    height, width = metadata.size
    return {
        "network": json.dumps(metadata.network.to_dict()),
        "classes": json.dumps(metadata.classes),
        "dataset": metadata.dataset,
        "size": f"{height}×{width}",
        "licence": licence(metadata),
    }


def traced(network: FromBytes) -> Any:
    """The network as the exporter's program, for pictures of any size and number."""
    size = {name: torch.export.Dim(name, min=SMALLEST) for name in ("height", "width")}
    image = torch.zeros(2, 64, 96, 4, dtype=torch.uint8)
    shapes = {
        0: torch.export.Dim("number"),
        1: size["height"],
        2: size["width"],
        3: torch.export.Dim("channels", min=3),
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter, about itself
            return torch.onnx.export(
                network,
                (image,),
                input_names=["image"],
                output_names=["logits", "labels"],
                dynamic_shapes={"image": shapes},
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # of what it can't translate, it raises whatever it likes
        reason = str(error).strip().partition("\n")[0]
        raise ExportError(f"the network can't be written as ONNX by PyTorch {torch.__version__}: {reason}") from error


def compare(path: Path, network: FromBytes) -> float:
    """The largest difference between a logit of the file and of the network; ExportError where one is too large.

    Labels must be those of the file's own logits, and so the network's wherever these are no tie.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # newer ones report what they run unless they are told not to
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    largest = 0.0
    for shape in CHECKED:
        image = torch.randint(256, shape, generator=generator, dtype=torch.uint8)
        with torch.inference_mode():
            expected, _ = network(image)
        logits, labels = map(torch.from_numpy, session.run(["logits", "labels"], {"image": image.numpy()}))
        difference = (logits - expected).abs().max().item() if logits.shape == expected.shape else float("inf")
        if not difference <= TOLERANCE or not torch.equal(labels, predicted_labels(logits).to(torch.uint8)):
            raise ExportError(
                f"the ONNX file answers otherwise than the network for a picture of {shape[1]}×{shape[2]}: its logits "
                f"differ by {difference:.1e}, allowed is {TOLERANCE:g}; it is not kept"
            )
        largest = max(largest, difference)
    return largest
