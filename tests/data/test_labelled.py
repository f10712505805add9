"""What scenes, patches and blobs have in common: they unpack, are sliced, move, join, and refuse what does not fit."""

import pytest
import torch

from pixelwise.data import DataError, Patches, Scenes, concat
from pixelwise.data.blobs import Blobs


def pictures(count, size=(4, 6), first=0):
    return torch.arange(first, first + count, dtype=torch.uint8)[:, None, None, None].expand(count, 3, *size).clone()


def scenes(count=4, size=(4, 6), first=0, split="train"):
    images = pictures(count, size, first)
    return Scenes(images, images[:, 0] % 11, "streets", split, tuple(f"scene {first + i}" for i in range(count)))


def patches(count=4, size=(4, 4), first=0, split="train"):
    images = pictures(count, size, first)
    return Patches(images, images[:, 0, 0, 0].long() % 11, "streets", split)


def blobs(count=4, size=(4, 6), first=0):
    images = pictures(count, size, first)
    return Blobs(images, images[:, 0])


@pytest.fixture(params=[scenes, patches, blobs])
def make(request):
    return request.param


def test_they_unpack_into_images_and_targets(make):
    whole = make()
    images, targets = whole
    assert images is whole.images
    assert torch.equal(targets, whole.targets)


def test_slices_and_lists_pick_images_with_all_that_belongs_to_them(make):
    for part, places in ((make()[1:3], [1, 2]), (make()[[3, 0]], [3, 0])):
        assert type(part) is type(make())
        assert part.images[:, 0, 0, 0].tolist() == places
        assert torch.equal(part.targets, make().targets[places])
    with pytest.raises(TypeError, match=r"\[3\]: give a slice or a list"):
        make()[3]


def test_all_their_tensors_move(make):
    moved = make().to("meta")
    assert (moved.images.device.type, moved.targets.device.type) == ("meta", "meta")


def test_joined_they_are_one_after_the_other(make):
    whole, parts = make(6), (make(1), make(3, first=1), make(2, first=4))
    joined = concat(*parts)
    assert torch.equal(joined.images, whole.images)
    assert torch.equal(joined.targets, whole.targets)
    assert repr(joined) == repr(whole)
    assert repr(concat(whole)) == repr(whole)


def test_joined_they_name_every_split_once():
    joined = concat(scenes(2, split="fit"), scenes(1, first=2, split="tune"), scenes(1, first=3, split="fit"))
    assert (joined.dataset, joined.split) == ("streets", "fit+tune")
    assert joined.names == scenes(4).names


def test_only_the_same_kind_at_the_same_size_is_joined(make):
    for other in (make(size=(8, 8)), patches(size=(4, 6)) if make is not patches else scenes(size=(4, 4))):
        with pytest.raises(DataError, match=r"does not fit behind .*; give the same kind at the same size"):
            concat(make(), other)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Patches(pictures(2).float(), torch.zeros(2).long(), "streets", "val"), "images are torch.float32"),
        (lambda: Patches(pictures(2), torch.zeros(3).long(), "streets", "val"), r"int64 \(3,\); expected int64 \(2,\)"),
        (lambda: Patches(pictures(2), torch.zeros(2), "streets", "val"), "labels are torch.float32"),
        (
            lambda: Blobs(pictures(2)[:, :1], pictures(2)[:, 0]),
            r"uint8 \(2, 1, 4, 6\); expected uint8",
        ),
        (lambda: Blobs(pictures(2), pictures(2, (4, 5))[:, 0]), r"instances are .*expected uint8 \(2, 4, 6\)"),
    ],
)
def test_what_does_not_fit_is_refused(build, message):
    with pytest.raises(DataError, match=message):
        build()
