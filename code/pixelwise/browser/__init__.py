"""Networks in a reader's browser: a trained network as a graph of a few operations, and the engine that runs it.

`Graph.of` writes down what a network does with one picture, `Graph.packed` is that as a text for `engine.mjs`, a module
without dependencies that a page or a notebook runs. `webgl.mjs` computes the same on a graphics processor.
"""

from .graph import Graph as Graph
from .graph import GraphError as GraphError
from .pack import packed as packed
