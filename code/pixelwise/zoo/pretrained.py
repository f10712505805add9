"""Our networks with the weights that torchvision publishes, trained on ImageNet's 1000 classes.

The parameter names are the same, so a strict `load_state_dict` is all that it takes. Files are fetched once into
torch's own cache (`torch.hub.get_dir()`), complete or not at all, their whole SHA-256 is compared with the one
that is written here, at the download and at every use, and they are read with `weights_only=True`, which executes no
code.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..models.densenet import densenet121
from ..models.efficientnet import efficientnet_b0
from ..models.googlenet import googlenet
from ..models.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from ..models.vgg import vgg16, vgg19
from .imagenet import pretrained_lite0

PUBLISHED: tuple[Callable[..., nn.Module], ...] = (
    *(resnet18, resnet34, resnet50, resnet101, resnet152),
    *(googlenet, densenet121, efficientnet_b0, vgg16, vgg19),
)

SHA256 = {
    "resnet18": "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    "resnet34": "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
    "resnet50": "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    "resnet101": "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",
    "resnet152": "394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58",
    "googlenet": "1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef",
    "densenet121": "a639ec97d7c33b07ae66f0b5fb7d0192f95a3b11b7576c66c0126c2a727c4395",
    "efficientnet_b0": "7f5810bc96def8f7552d5b7e68d53c4786f81167d28291b21c0d90e1fca14934",
    "vgg16": "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    "vgg19": "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
}
"""Of the files that torchvision publishes. It writes only the first eight digits into their names; the rest is what at
least two projects that use a file have noted independently of each other. For DenseNet-169 and -201 none is known, so
they are not on offer here; `load_published` takes a file that you trust."""


def pretrained(name: str, *, num_classes: int | None = 1000, **options: Any) -> nn.Module:
    """Build the network called `name` ("resnet18", "googlenet", …) and load torchvision's ImageNet weights into it.

    Images are floats (N, 3, H, W), normalised by ImageNet's mean and standard deviation. With another `num_classes`
    than 1000 the last layer (and auxiliary heads) keep their fresh weights; None leaves it out. Options go to the
    network. Those of "efficientnet_lite0" come from a package, see `imagenet`. Raises ValueError for a name without
    published weights, ConnectionError with advice where there is no network.
    """
    if name == "efficientnet_lite0":
        return pretrained_lite0(num_classes=num_classes, **options)
    build = {network.__name__: network for network in PUBLISHED}.get(name)
    if build is None:
        names = ", ".join(network.__name__ for network in PUBLISHED) + ", efficientnet_lite0"
        raise ValueError(f"no published weights for {name!r}; there are some for {names}")
    if name == "googlenet":
        options = {"transform_input": True} | options
    network = build(num_classes=num_classes, **options)
    load_published(network, fetch(published_url(name), SHA256[name]), num_classes)
    return network


def published_url(name: str) -> str:
    """Return the address of torchvision's first published ImageNet weights of the network called `name`."""
    from torchvision.models import get_model_weights  # here, since importing it takes a second

    return get_model_weights(name)["IMAGENET1K_V1"].url


def fetch(url: str, sha256: str) -> Path:
    """Return the local path of the file at `url`, fetching it unless a whole copy is in torch's cache already.

    A cached file of another SHA-256 (64 hexadecimal digits) is fetched again, and one that comes with another is not
    kept: ConnectionError.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not (path.is_file() and _sha256(path) == sha256):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), hash_prefix=sha256)
        except (OSError, RuntimeError) as error:  # RuntimeError: what came has another hash
            raise ConnectionError(
                f"could not fetch {url} ({error}): download it where there is a network and put it at {path}"
            ) from error
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_published(network: nn.Module, path: Path, num_classes: int | None = 1000) -> None:
    """Load torchvision's weights at `path` into `network`; what they do not fill must be a last layer of our own.

    Raises RuntimeError if any other tensor is missing or left over. Auxiliary heads that the network does not have are
    left over by choice, and with `num_classes=None` the whole classifier is.
    """
    published = torch.load(path, map_location="cpu", weights_only=True)
    # DenseNet's files say norm.1 and conv.1 where the layers have since been renamed norm1 and conv1
    published = {re.sub(r"(denselayer\d+\.(?:norm|conv))\.", r"\1", name): value for name, value in published.items()}
    last = set() if num_classes == 1000 else {name for name, value in published.items() if value.shape[:1] == (1000,)}
    fitting = {name: value for name, value in published.items() if name not in last}
    missing, left_over = network.load_state_dict(fitting, strict=False)
    left_over = [name for name in left_over if num_classes is not None and not name.startswith(("aux1.", "aux2."))]
    if wrong := sorted({*missing} - last) + left_over:
        raise RuntimeError(
            f"{path.name} does not fit {type(network).__name__}: {', '.join(wrong[:4])} ({len(wrong)} in all)"
        )
