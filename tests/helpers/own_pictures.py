"""Folders of pictures and masks as people have them, made for a test."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from skimage import data as photographs

CLASSES = {"background": 0, "cat": 1, "dog": 2}


def picture(number: int, size: tuple[int, int] = (24, 32)) -> Image.Image:
    """A picture of noise of size (H, W), another for each number."""
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8))


def labels(number: int, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    """Labels (H, W) uint8: a cat and a dog on their background, and a line of void between them."""
    mask = np.zeros(size, np.uint8)
    mask[4:12, 2 + number % 5 : 14] = 1
    mask[12:20, 2:14] = 2
    mask[:, 15] = 255
    return mask


def write_folder(root: Path, count: int = 6, *, names: Sequence[str] = (), table: object = CLASSES) -> Path:
    """images/NAME.jpg, masks/NAME.png (grey labels) and classes.json, by which each test then does something."""
    for number, name in enumerate(names or [f"p{number:02}" for number in range(count)]):
        for path in (root / "images" / f"{name}.jpg", root / "masks" / f"{name}.png"):
            path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(root / "images" / f"{name}.jpg")
        Image.fromarray(labels(number)).save(root / "masks" / f"{name}.png")
    if table is not None:
        (root / "classes.json").write_text(json.dumps(table), encoding="utf-8")
    return root


def write_balls(root: Path, count: int = 30) -> Path:
    """Photographs on which red balls were drawn, in several sizes, with coloured masks and a table in CamVid's form."""
    views = [photographs.astronaut(), photographs.coffee(), photographs.chelsea(), photographs.rocket()]
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        view = views[number % len(views)]
        height, width = int(rng.integers(120, 200)), int(rng.integers(160, 260))
        top, left = (
            int(rng.integers(0, whole - part)) for whole, part in zip(view.shape, (height, width), strict=False)
        )
        image = Image.fromarray(view[top : top + height, left : left + width])
        mask = Image.new("RGB", image.size, (0, 0, 0))
        for _ in range(int(rng.integers(1, 4))):
            radius, x, y = (
                int(rng.integers(15, 35)),
                int(rng.integers(20, width - 20)),
                int(rng.integers(20, height - 20)),
            )
            box = (x - radius, y - radius, x + radius, y + radius)
            ImageDraw.Draw(image).ellipse(box, fill=(200 + int(rng.integers(0, 50)), 30, 40))
            ImageDraw.Draw(mask).ellipse(box, fill=(255, 128, 0))
        image.save(root / "images" / f"photo {number:02}.JPG", quality=92)
        mask.save(root / "masks" / f"photo {number:02}.png")
    (root / "classes.txt").write_text("0 0 0 background\n255 128 0 ball\n")
    return root
