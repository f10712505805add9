"""The class colours, seen with each kind of colour vision."""

import itertools

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from pixelwise.data.palette import CLASSES
from pixelwise.figures import DISPLAY_COLOURS, SERIES, VOID_COLOUR
from pixelwise.figures.pixels import class_colours
from pixelwise.figures.style import INK, PAPER

# Linear RGB to what a dichromat sees: Machado, Oliveira & Fernandes (2009), table for severity 1.0.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
NEIGHBOURS = {
    "road": "pavement car pole pedestrian bicyclist",
    "sky": "building tree pole signsymbol",
    "building": "tree pole pavement car pedestrian signsymbol fence",
    "tree": "pole fence signsymbol car",
    "pavement": "pole car pedestrian fence",
    "car": "pedestrian bicyclist",
    "bicyclist": "pedestrian pavement",
}


def linear(colours):
    c = np.asarray(colours, float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def seen(colours, vision):
    light = np.clip(linear(colours) @ np.array(VISION[vision]).T, 0, 1)
    return rgb2lab(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("vision", VISION)
def test_no_two_classes_look_alike(vision):
    names = (*CLASSES, "void")
    lab = dict(zip(names, seen([*DISPLAY_COLOURS, VOID_COLOUR], vision), strict=True))
    difference = {f"{a}-{b}": deltaE_ciede2000(lab[a], lab[b]) for a, b in itertools.combinations(names, 2)}
    assert min(difference.values()) >= 13, min(difference.items(), key=lambda pair: pair[1])
    near = {
        f"{a}-{b}": difference.get(f"{a}-{b}") or difference[f"{b}-{a}"]
        for a in NEIGHBOURS
        for b in NEIGHBOURS[a].split()
    }
    assert min(near.values()) >= (13 if vision == "tritanopia" else 16), min(near.items(), key=lambda pair: pair[1])


@pytest.mark.survives("More classes than a byte has labels")
def test_further_classes_have_colours_of_their_own():
    colours = class_colours(255)
    assert colours[: len(CLASSES)] == DISPLAY_COLOURS
    assert class_colours(3) == DISPLAY_COLOURS[:3]
    assert class_colours(12) == colours[:12]
    assert colours[11:14] == ((0, 255, 0), (255, 34, 255), (102, 255, 119)), "the same on every machine"
    assert len({*colours, VOID_COLOUR}) == 256
    lab = rgb2lab(np.array([*colours[:30], VOID_COLOUR]) / 255)
    assert min(deltaE_ciede2000(a, b) for a, b in itertools.combinations(lab, 2)) > 7
    for count in (0, 256):
        with pytest.raises(ValueError, match=f"there are {count} classes"):
            class_colours(count)


def test_text_and_lines_have_contrast_on_the_card():
    def luminance(colour):
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        return linear(rgb) @ [0.2126, 0.7152, 0.0722]

    for colour, least in [(INK, 7), *((colour, 4.5) for colour in SERIES)]:
        assert (luminance(PAPER) + 0.05) / (luminance(colour) + 0.05) >= least, colour
