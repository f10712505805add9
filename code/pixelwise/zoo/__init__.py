"""Networks by name, their weights, and the cards that say what they were trained on.

`zoo.pretrained("resnet18")` has ImageNet's weights, `zoo.weights.load(file)` those of a training run.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
