"""What builds the book and prepares a data set, imported and not yet used: processes of `warm` begin in this state."""

import importlib

import myst_nb.sphinx_ext  # noqa: F401 (which Sphinx's extension of that name imports when it is set up)
import torch  # noqa: F401
from jupyter_book.config import get_final_config
from sphinx.application import builtin_extensions

import pixelwise.cli.prepare  # noqa: F401
from tests.helpers import camvid_copy  # noqa: F401
from tools import stamp

settings = {"latex_individualpages": False}
config, _ = get_final_config(user_yaml=stamp.ROOT / "_config.yml", cli_config=settings, sourcedir=stamp.ROOT)
for name in (*builtin_extensions, *config["extensions"]):
    importlib.import_module(name)
