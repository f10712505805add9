"""A patch is a window of a scene, its label the class of its pixel [size // 2, size // 2]."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.data import CLASSES, VOID, DataError, DataWarning, Scenes, cut
from tests.helpers.laws import heavy_law


def traced(masks):
    """Scenes whose pixels tell where they are: (scene, row, column)."""
    masks = torch.as_tensor(masks, dtype=torch.uint8)
    where = torch.meshgrid(*(torch.arange(n, dtype=torch.uint8) for n in masks.shape), indexing="ij")
    return Scenes(torch.stack(where, 1), masks, "streets", "train", tuple(map(str, range(len(masks)))))


def random_masks(seed, count=3, height=24, width=30, tile=6):
    """Masks of tiles, so that pure patches exist, with speckles, so that purity varies; some void."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 12, (count, height // tile + 1, width // tile + 1))
    masks = np.kron(coarse, np.ones((1, tile, tile), int))[:, :height, :width]
    masks = np.where(rng.random(masks.shape) < 0.15, rng.integers(0, 12, masks.shape), masks)
    return np.where(masks == 11, VOID, masks).astype(np.uint8)


def eligible(masks, size, pure):
    """Every place of a patch with its label, found the slow way."""
    places = {}
    for scene, mask in enumerate(masks):
        for top in range(mask.shape[0] - size + 1):
            for left in range(mask.shape[1] - size + 1):
                window = mask[top : top + size, left : left + size]
                label = int(window[size // 2, size // 2])
                if label != VOID and (pure is None or (window == label).mean() >= pure - 1e-12):
                    places[scene, top, left] = label
    return places


def cut_quietly(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return cut(*arguments, **options)


@heavy_law
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(1, 9),
    pure=st.sampled_from([None, 0.3, 0.5, 0.8, 1.0]),
    balanced=st.booleans(),
    share=st.floats(0.01, 1),
)
def test_patches_are_windows_with_the_label_of_their_middle(seed, size, pure, balanced, share):
    masks = random_masks(seed)
    places = eligible(masks, size, pure)
    if not places:
        with pytest.raises(DataError, match="holds 0"):
            cut(traced(masks), 1, pure=pure, size=size)
        return
    count = max(1, int(share * len(places)))
    patches = cut_quietly(traced(masks), count, pure=pure, balanced=balanced, size=size, seed=seed)
    assert patches.images.shape == (count, 3, size, size)
    assert (patches.images.dtype, patches.labels.dtype) == (torch.uint8, torch.int64)
    corners = [tuple(map(int, image[:, 0, 0])) for image in patches.images]
    assert len(set(corners)) == count
    assert patches.labels.tolist() == [places[corner] for corner in corners]
    for image, (scene, top, left) in zip(patches.images, corners, strict=True):
        assert torch.equal(image, traced(masks).images[scene, :, top : top + size, left : left + size])
    if balanced:
        there = torch.bincount(torch.tensor(list(places.values())), minlength=11)
        level = patches.counts[patches.counts < there]
        assert level.numel() == 0 or patches.counts.max() - level.min() <= 1


def test_every_place_can_be_had_and_not_one_more():
    masks = random_masks(1)
    places = eligible(masks, 5, 0.5)
    patches = cut(traced(masks), len(places), pure=0.5, balanced=False, size=5)
    assert {tuple(map(int, image[:, 0, 0])) for image in patches.images} == set(places)
    with pytest.raises(DataError, match=f"holds {len(places)} 50% pure 5×5 patches, {len(places) + 1} were asked for"):
        cut(traced(masks), len(places) + 1, pure=0.5, balanced=False, size=5)


def test_balanced_patches_are_equally_many_and_natural_ones_as_frequent_as_the_pixels():
    rng = np.random.default_rng(0)
    masks = rng.choice(11, p=[0.5] + [0.05] * 10, size=(4, 60, 70))
    balanced = cut(traced(masks), 1100, pure=None)
    assert balanced.counts.tolist() == [100] * 11
    natural = cut(traced(masks), 4000, pure=None, balanced=False)
    assert 1900 < natural.counts[0] < 2100
    assert natural.counts[1:].min() > 140
    assert natural.counts[1:].max() < 260


def test_the_default_is_32_pixels_labelled_by_pixel_16():
    masks = np.full((1, 40, 40), 3)
    masks[0, 16, 16] = 7
    patches = cut(traced(masks), 81, pure=None, balanced=False)
    (which,) = torch.nonzero(patches.labels == 7)[:, 0].tolist()
    assert patches.images[which, 1:, 0, 0].tolist() == [0, 0]
    assert patches.images.shape == (81, 3, 32, 32)


def test_rare_classes_give_what_they_have_and_it_is_said():
    masks = np.zeros((1, 20, 20))
    masks[:, :, 10:] = 1
    masks[:, 5, 5] = 9
    with pytest.warns(DataWarning, match=r"fewer mixed 4×4 patches than 2 of some classes: pole 0, .*pedestrian 1,"):
        patches = cut(traced(masks), 31, pure=None, size=4)
    assert patches.counts.tolist() == [15, 15, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_classes_can_be_chosen_and_then_must_be_there():
    masks = random_masks(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        patches = cut(traced(masks), 20, pure=None, classes=["sky", "tree"], size=4)
    assert patches.counts.nonzero().flatten().tolist() == [CLASSES.index("sky"), CLASSES.index("tree")]
    with pytest.raises(DataError, match="fewer mixed 4×4 patches than 10 of some classes: tree 0; name other classes"):
        cut(traced(np.where(masks == 5, 0, masks)), 20, pure=None, classes=["sky", "tree"], size=4)


def test_the_seed_decides():
    masks = random_masks(3)
    one, same, other = (cut(traced(masks), 60, pure=None, size=4, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(one.images, same.images)
    assert torch.equal(one.labels, same.labels)
    assert not torch.equal(one.images, other.images)
    assert len(set(one.labels[:20].tolist())) > 6, "the order is mixed"


def test_patches_unpack_slice_and_move():
    patches = cut(traced(random_masks(4)), 22, pure=None, size=4)
    images, labels = patches
    assert images is patches.images
    assert labels is patches.labels is patches.targets
    assert torch.equal(patches[5:9].labels, labels[5:9])
    assert torch.equal(patches[[3, 1]].images, images[[3, 1]])
    assert len(patches[5:9]) == 4
    assert patches.to("meta").labels.device.type == "meta"
    assert repr(patches) == "Patches(streets train: 22 of 4×4)"
    with pytest.raises(TypeError, match=r"such as patches\[3:4\]"):
        patches[3]


BAD_CUTS = {
    "larger than the scene": ({"size": 25}, "patches of 25×25 do not fit into scenes of 24×30; load larger scenes"),
    "no size": ({"size": 0}, "patches of 0×0"),
    "pure in per cent": ({"pure": 80}, "pure is 80; expected a share"),
    "pure of nothing": ({"pure": 0.0}, "pure is 0.0"),
    "no patches": ({"count": 0}, "count is 0"),
    "unknown class": ({"classes": ["sky", "dog"]}, "unknown class 'dog'; choose from sky, building"),
}


@pytest.mark.parametrize(("options", "said"), BAD_CUTS.values(), ids=BAD_CUTS.keys())
def test_a_cut_that_cannot_be_made_is_one_line(options, said):
    with pytest.raises(DataError, match=said):
        cut(traced(random_masks(0)), **({"count": 4, "size": 4, "pure": None} | options))
