"""Our networks with the weights that torchvision publishes, trained on ImageNet's 1000 classes.

The parameter names are the same, so a strict ``load_state_dict`` is all that it takes. Files are fetched once into
torch's own cache (``torch.hub.get_dir()``), complete or not at all, their SHA-256 is compared with the one in their
name, and they are read with ``weights_only=True``, which executes no code.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from pixelwise.models.densenet import densenet121, densenet169, densenet201
from pixelwise.models.efficientnet import efficientnet_b0
from pixelwise.models.googlenet import googlenet
from pixelwise.models.imagenet import pretrained_lite0
from pixelwise.models.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from pixelwise.models.vgg import vgg16, vgg19

NETWORKS: tuple[Callable[..., nn.Module], ...] = (
    *(resnet18, resnet34, resnet50, resnet101, resnet152),
    *(googlenet, densenet121, densenet169, densenet201, efficientnet_b0, vgg16, vgg19),
)


def pretrained(name: str, *, num_classes: int | None = 1000, **options) -> nn.Module:
    """Build the network called ``name`` ("resnet18", "googlenet", …) and load torchvision's ImageNet weights into it.

    Images are floats (N, 3, H, W), normalised by ImageNet's mean and standard deviation. With another ``num_classes``
    than 1000 the last layer (and auxiliary heads) keep their fresh weights; None leaves it out. Options go to the
    network. Those of "efficientnet_lite0" come from a package, see ``imagenet``. Raises ValueError for a name without
    published weights, ConnectionError with advice where there is no network.
    """
    if name == "efficientnet_lite0":
        return pretrained_lite0(num_classes=num_classes, **options)
    build = {network.__name__: network for network in NETWORKS}.get(name)
    if build is None:
        names = ", ".join(network.__name__ for network in NETWORKS) + ", efficientnet_lite0"
        raise ValueError(f"no published weights for {name!r}; there are some for {names}")
    if name == "googlenet":
        options = {"transform_input": True} | options
    network = build(num_classes=num_classes, **options)
    load_published(network, fetch(published_url(name)), num_classes)
    return network


def published_url(name: str) -> str:
    """Return the address of torchvision's first published ImageNet weights of the network called ``name``."""
    from torchvision.models import get_model_weights  # here, since importing it takes a second

    return get_model_weights(name)["IMAGENET1K_V1"].url


def fetch(url: str) -> Path:
    """Return the local path of the file at ``url``, fetching it unless a whole copy is in torch's cache already.

    The name ends in the first digits of the file's SHA-256; a cached file that does not fit is fetched again.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    digits = path.stem.rpartition("-")[2]
    if not (path.exists() and hashlib.sha256(path.read_bytes()).hexdigest().startswith(digits)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), hash_prefix=digits)
        except (OSError, RuntimeError) as error:  # RuntimeError: what came has another hash
            raise ConnectionError(
                f"could not fetch {url} ({error}): download it where there is a network and put it at {path}"
            ) from error
    return path


def load_published(network: nn.Module, path: Path, num_classes: int | None = 1000) -> None:
    """Load torchvision's weights at ``path`` into ``network``; what they do not fill must be a last layer of our own.

    Raises RuntimeError if any other tensor is missing or left over. Auxiliary heads that the network does not have are
    left over by choice, and with ``num_classes=None`` the whole classifier is.
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
