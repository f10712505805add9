"""Pixelwise: the library behind the course book on image classification and semantic segmentation.

Importing the package is cheap: import the part you need (`from pixelwise import data, training`).
"""

__version__ = "0.1.0"
