"""torchvision's segmentation data sets, made small on the disk in their own layouts, as scenes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets
from torchvision.transforms.functional import to_tensor

from pixelwise import data
from pixelwise.data import DataError, FolderError
from tests.helpers.own_pictures import labels, picture

SIZE = (24, 32)


@pytest.fixture
def voc(tmp_path):
    root = tmp_path / "VOCdevkit/VOC2012"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    names = [f"2007_00003{i}" for i in range(4)]
    for i, name in enumerate(names):
        picture(i).save(root / f"JPEGImages/{name}.jpg")
        mask = Image.fromarray(labels(i))
        mask.putpalette([value for i in range(256) for value in (i, 255 - i, 7)])
        mask.save(root / f"SegmentationClass/{name}.png")
    (root / "ImageSets/Segmentation/train.txt").write_text("\n".join(names))
    return datasets.VOCSegmentation(tmp_path, image_set="train")


def test_voc(voc):
    scenes = data.wrap(voc, ["background", "cat", "dog"])
    assert (scenes.dataset, scenes.split, scenes.classes) == ("vocsegmentation", "train", ("background", "cat", "dog"))
    assert scenes.names == tuple(f"2007_00003{i}" for i in range(4))
    assert scenes.masks.tolist() == [labels(i).tolist() for i in range(4)]
    assert torch.equal(scenes.images[2], torch.from_numpy(np.array(voc[2][0])).permute(2, 0, 1))
    fewer = data.wrap(voc, ["background", "cat", "dog"], (12, 24), split="val", count=3)
    assert (len(fewer), fewer.size, fewer.split) == (3, (12, 24), "val")
    assert (fewer.masks[:, :, :4] == 255).all()  # 24×32 into 12×24 is 12×16 in the middle


def test_pets(tmp_path):
    root = tmp_path / "oxford-iiit-pet"
    (root / "images").mkdir(parents=True)
    (root / "annotations/trimaps").mkdir(parents=True)
    lines = []
    for i in range(3):
        size = (20 + 4 * i, 32)
        picture(i, size).save(root / f"images/Abyssinian_{i}.jpg")
        Image.fromarray(labels(i, size) % 255 + 1).save(root / f"annotations/trimaps/Abyssinian_{i}.png")
        lines.append(f"Abyssinian_{i} 1 1 1\n")
    (root / "annotations/trainval.txt").write_text("".join(lines))
    pets = datasets.OxfordIIITPet(tmp_path, target_types="segmentation")
    classes = {"pet": 1, "background": 2, "void": 3}
    scenes = data.wrap(pets, classes, SIZE)
    assert scenes.names == ("Abyssinian_0", "Abyssinian_1", "Abyssinian_2")
    assert scenes.masks[1].tolist() == np.array([0, 1, 255])[labels(1) % 255].tolist()


def test_pets_of_several_sizes_need_one(tmp_path):
    items = [(picture(i, (20 + 4 * i, 32)), Image.fromarray(labels(i, (20 + 4 * i, 32)))) for i in range(3)]
    with pytest.raises(DataError, match=r"pictures of list are 20×32 and 24×32; give the size for all, \(H, W\)"):
        data.wrap(items, ["a", "b", "c"])
    assert data.wrap(items, ["a", "b", "c"], SIZE).names == ("000000", "000001", "000002")


def test_cityscapes(tmp_path):
    for kind in ("leftImg8bit", "gtFine"):
        (tmp_path / kind / "train/ulm").mkdir(parents=True)
    for i in range(2):
        stem = f"ulm_00000{i}_000019"
        picture(i).save(tmp_path / f"leftImg8bit/train/ulm/{stem}_leftImg8bit.png")
        mask = np.where(labels(i) == 2, 26, np.where(labels(i) == 1, 7, 4)).astype(np.uint8)
        Image.fromarray(mask).save(tmp_path / f"gtFine/train/ulm/{stem}_gtFine_labelIds.png")
    cityscapes = datasets.Cityscapes(tmp_path, split="train", target_type="semantic")
    scenes = data.wrap(cityscapes, {"road": 7, "car": 26, "void": "rest"})
    assert scenes.masks.tolist() == [((labels(i) % 255).astype(int) - 1).astype(np.uint8).tolist() for i in range(2)]


@pytest.mark.survives("Your own folders with faults")
def test_all_that_is_wrong_is_said(voc):
    items = [
        voc[0],
        (voc[1][0], Image.fromarray(np.full(SIZE, 9, np.uint8))),
        (voc[2][0], Image.fromarray(np.zeros((9, 9), np.uint8))),
        (to_tensor(voc[3][0]), voc[3][1]),
        (voc[0][0], voc[0][0]),
        "xy z",
    ]
    with pytest.raises(FolderError) as raised:
        data.wrap(items, ["background", "cat", "dog"])
    for line, expected in zip(
        raised.value.problems,
        [
            "000001 has a mask that holds label 9",
            "000002 has a mask of 9×9 and a picture of 24×32",
            "000003 is Tensor and PngImageFile: make the data set without transforms",
            "000004 has a mask that is coloured, and the classes have numbers",
            "000005 can't be read as a picture and a mask (too many values",
        ],
        strict=True,
    ):
        assert line.startswith(expected)


@pytest.mark.survives("Your own folders with faults")
def test_files_that_are_gone_are_named(voc, tmp_path):
    (tmp_path / "VOCdevkit/VOC2012/SegmentationClass/2007_000032.png").unlink()
    with pytest.raises(FolderError, match=r"2007_000032 can't be read as a picture and a mask .*No such file"):
        data.wrap(voc, ["background", "cat", "dog"])


def test_what_is_no_data_set():
    with pytest.raises(DataError, match="list holds no pictures"):
        data.wrap([], ["a", "b"])
    with pytest.raises(DataError, match="classes are 3; expected names"):
        data.wrap([(picture(0), picture(0))], 3)
    with pytest.raises(DataError, match="simplenamespace holds no pictures"):
        data.wrap(type("SimpleNamespace", (SimpleNamespace,), {"__len__": lambda _: 0})(), ["a", "b"])
