from . import weights as weights
from .pretrained import pretrained as pretrained
from .registry import NetworkSpec as NetworkSpec
