from .canvas import Canvas as Canvas
from .googlenet import googlenet as googlenet
from .googlenet import inception as inception
from .sketch import Sketch as Sketch
from .strip import Strip as Strip
from .unet import unet as unet
