"""Eval mode for a while."""

from collections.abc import Generator
from contextlib import contextmanager

from torch import nn


@contextmanager
def eval_mode(model: nn.Module) -> Generator[None, None, None]:
    """Run a block with the model in eval mode, then put every module back into the mode it was in."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
