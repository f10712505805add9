"""Augmentation changes image and mask alike, reproducibly."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.data import VOID, Augment, DataError, normalise
from pixelwise.data.augment import MEAN, STD
from tests.helpers.laws import law

SEEDS = st.integers(0, 2**31)
SCALES = st.sampled_from([None, (0.4, 0.9), (0.75, 1.5), (1.0, 1.0), (1.2, 3.0)])
CROPS = st.sampled_from([None, (13, 17), (40, 9), (60, 70)])


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def bytes_of(pictures):
    """Undo normalise: values 0-255 as floats."""
    mean, std = (torch.tensor(values).mul(255)[:, None, None] for values in (MEAN, STD))
    return pictures * std + mean


def ramps(seed=0, count=4, height=24, width=30):
    """Images whose red is the column, green the row, and blue 7; masks of random labels."""
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    image = torch.stack([column, row, torch.full_like(row, 7)]).to(torch.uint8)
    masks = torch.randint(0, 11, (count, height, width), dtype=torch.uint8, generator=seeded(seed))
    return image.repeat(count, 1, 1, 1), masks


@law
@given(seed=SEEDS, scale=SCALES, crop=CROPS, flip=st.booleans())
def test_image_and_mask_stay_aligned_to_the_pixel(seed, scale, crop, flip):
    # A bilinear reading of a ramp is exact, so each output pixel tells the place in the input that it was read from.
    images, masks = ramps(seed)
    pictures, targets = Augment(flip, scale, crop, colour=0.0)(images, masks, seeded(seed))
    assert pictures.shape == (4, 3, *(crop or (24, 30)))
    assert targets.shape == (4, *(crop or (24, 30)))
    assert (pictures.dtype, targets.dtype) == (torch.float32, torch.int64)
    outside = (pictures == 0).all(1)
    assert torch.equal(outside, targets == VOID), "mean colour and void cover the same pixels"
    x, y, blue = bytes_of(pictures).unbind(1)
    assert torch.allclose(blue[~outside], torch.tensor(7.0), atol=1e-3)
    clear = ~outside & ((x % 1 - 0.5).abs() > 0.02) & ((y % 1 - 0.5).abs() > 0.02)
    which = torch.arange(4)[:, None, None].expand_as(x)[clear]
    assert torch.equal(targets[clear], masks[which, y[clear].round().long(), x[clear].round().long()].long())


@law
@given(seed=SEEDS, scale=SCALES, crop=CROPS)
def test_a_pictures_change_does_not_depend_on_its_neighbours(seed, scale, crop):
    images, masks = ramps(seed)
    others, other_masks = images.roll(3, -1) // 2, masks.roll(5, -2)
    others[2], other_masks[2] = images[2], masks[2]
    augment = Augment(scale=scale, crop=crop)
    one, other = augment(images, masks, seeded(seed)), augment(others, other_masks, seeded(seed))
    assert torch.allclose(one[0][2], other[0][2], atol=1e-6)
    assert torch.equal(one[1][2], other[1][2])


@law
@given(seed=SEEDS)
def test_flipping_twice_is_the_identity(seed):
    images, masks = ramps(seed, count=16)
    flip = Augment(scale=None, colour=0.0)
    pictures, targets = flip(images, masks, seeded(seed))
    back = bytes_of(pictures).round().to(torch.uint8)
    pictures, targets = flip(back, targets.to(torch.uint8), seeded(seed))
    assert torch.equal(pictures, normalise(images))
    assert torch.equal(targets, masks.long())


def test_half_the_pictures_are_flipped_and_scales_fill_their_range():
    images, masks = ramps(count=2000, height=8, width=8)
    x = bytes_of(Augment(scale=(0.5, 2.0), crop=(3, 3), colour=0.0)(images, masks, seeded(0))[0])[:, 0]
    step = x[:, 1, 2] - x[:, 1, 1]
    inside = (x[:, 1] > 0).all(1) & (x[:, 1] < 7).all(1)
    step = step[inside]
    assert 0.4 < (step < 0).float().mean() < 0.6
    assert step.abs().min() < 0.53
    assert 1.9 < step.abs().max() < 2.001
    flipped = Augment(scale=None, colour=0.0)(images, masks, seeded(0))[0]
    assert 900 < (flipped[:, 0, 0, 0] > flipped[:, 0, 0, 7]).sum() < 1100


@law
@given(seed=SEEDS)
def test_a_crop_is_a_window_of_the_picture(seed):
    images, masks = ramps(seed)
    _, targets = Augment(flip=False, scale=None, crop=(13, 17), colour=0.0)(images, masks, seeded(seed))
    for target, mask in zip(targets, masks, strict=True):
        windows = mask.long().unfold(0, 13, 1).unfold(1, 17, 1)
        assert (windows == target).all(-1).all(-1).any()


def test_enlarging_keeps_the_middle_in_the_middle():
    images, masks = ramps()
    pictures, _ = Augment(flip=False, scale=(2.0, 2.0), crop=(48, 60), colour=0.0)(images, masks, seeded(0))
    x, y, _ = bytes_of(pictures).unbind(1)
    assert torch.allclose(x + x.flip(-1), torch.tensor(29.0), atol=1e-2)
    assert torch.allclose(y + y.flip(-2), torch.tensor(23.0), atol=1e-2)


def test_crops_reach_every_place():
    images, masks = ramps(count=600, height=6, width=7)
    pictures, _ = Augment(flip=False, scale=None, crop=(4, 4), colour=0.0)(images, masks, seeded(0))
    corners = {tuple(c.tolist()) for c in bytes_of(pictures)[:, :2, 0, 0].round().int()}
    assert corners == {(x, y) for x in range(4) for y in range(3)}


@law
@given(seed=SEEDS, colour=st.floats(0.0, 0.9))
def test_colours_stay_colours_and_move_no_pixel(seed, colour):
    images = torch.randint(0, 256, (6, 3, 9, 11), dtype=torch.uint8, generator=seeded(seed))
    masks = torch.randint(0, 11, (6, 9, 11), dtype=torch.uint8, generator=seeded(seed))
    pictures, targets = Augment(False, None, None, colour)(images, masks, seeded(seed))
    assert torch.equal(targets, masks.long())
    values = bytes_of(pictures)
    assert values.min() > -0.01
    assert values.max() < 255.01
    if colour == 0:
        assert torch.equal(pictures, normalise(images))


def test_a_flat_grey_picture_only_changes_its_brightness():
    grey = torch.full((500, 3, 2, 2), 100, dtype=torch.uint8)
    values = bytes_of(Augment(False, None, None, 0.2)(grey, torch.zeros(500), seeded(0))[0])
    assert torch.allclose(values, values[:, :1, :1, :1].expand_as(values), atol=1e-3)
    levels = values[:, 0, 0, 0]
    assert 79.9 < levels.min() < 82
    assert 118 < levels.max() < 120.1


def test_contrast_and_saturation_change_too():
    checks = torch.tensor([60, 140], dtype=torch.uint8).repeat(500, 3, 2, 1)
    values = bytes_of(Augment(False, None, None, 0.2)(checks, torch.zeros(500), seeded(0))[0])
    contrast = (values[:, 0, 0, 1] - values[:, 0, 0, 0]) / values.mean((1, 2, 3)) / 0.8
    assert 0.79 < contrast.min() < 0.82
    assert 1.18 < contrast.max() < 1.21
    red = torch.tensor([150, 100, 100], dtype=torch.uint8)[:, None, None].repeat(500, 1, 2, 2)
    values = bytes_of(Augment(False, None, None, 0.2)(red, torch.zeros(500), seeded(0))[0])[:, :, 0, 0]
    grey = values @ torch.tensor([0.299, 0.587, 0.114])
    saturation = ((values[:, 0] - values[:, 1]) / grey) / (50 / (100 + 50 * 0.299))
    assert saturation.std() > 0.1


def test_the_same_seed_gives_the_same_bits_and_the_input_is_left_alone():
    images, masks = ramps()
    before = images.clone(), masks.clone()
    one, same, other = (Augment()(images, masks, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(one[0], same[0])
    assert torch.equal(one[1], same[1])
    assert not torch.equal(one[0], other[0])
    Augment(scale=None, colour=0.0)(images, masks, seeded(1))
    assert torch.equal(images, before[0])
    assert torch.equal(masks, before[1])


def test_labels_of_patches_are_left_as_they_are():
    images, _ = ramps(count=5)
    labels = torch.tensor([3, 1, 4, 1, 5])
    pictures, targets = Augment(scale=None)(images, labels, seeded(0))
    assert pictures.shape == images.shape
    assert torch.equal(targets, labels)


def test_normalise_is_imagenets():
    image = torch.tensor([0, 128, 255], dtype=torch.uint8)[:, None, None]
    expected = (torch.tensor([0, 128 / 255, 1.0]) - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor(STD)
    assert torch.allclose(normalise(image).flatten(), expected, atol=1e-6)
    assert normalise(image[None]).shape == (1, 3, 1, 1)


IMAGES, MASKS = ramps()
BAD_USES = {
    "images normalised twice": (lambda: normalise(normalise(IMAGES)), "images are torch.float32 .*expected uint8"),
    "images with channels last": (lambda: normalise(IMAGES.permute(0, 2, 3, 1)), "expected uint8"),
    "float images": (lambda: Augment()(IMAGES.float(), MASKS, seeded(0)), "images are torch.float32"),
    "masks of another size": (lambda: Augment()(IMAGES, MASKS[:, 1:], seeded(0)), "expected one a pixel"),
    "labels of patches that are scaled": (
        lambda: Augment()(IMAGES, torch.zeros(4), seeded(0)),
        r"move the pixel that a patch's label belongs to; .*Augment\(scale=None, crop=None\)",
    ),
    "labels of patches that are cropped": (
        lambda: Augment(scale=None, crop=(8, 8))(IMAGES, torch.zeros(4), seeded(0)),
        "move the pixel",
    ),
    "scale the wrong way round": (lambda: Augment(scale=(1.5, 0.75)), r"scale is \(1.5, 0.75\)"),
    "scale of nothing": (lambda: Augment(scale=(0.0, 1.0)), "each a number from 0.1 to 10"),
    "scale to a point": (lambda: Augment(scale=(1e-9, 1e-9)), "each a number from 0.1 to 10"),
    "scale without end": (lambda: Augment(scale=(1.0, float("inf"))), "each a number from 0.1 to 10"),
    "scale of no number": (lambda: Augment(scale=(float("nan"), 1.0)), "each a number from 0.1 to 10"),
    "scale of one number": (lambda: Augment(scale=1.5), r"scale is 1.5; expected \(least, most\)"),
    "crop of nothing": (lambda: Augment(crop=(0, 8)), r"crop is \(0, 8\)"),
    "crop of half a pixel": (lambda: Augment(crop=(8, 8.5)), "each a whole number from 1 to 8192"),
    "colour of more than all": (lambda: Augment(colour=1.0), "colour is 1.0, expected a number from 0 to below 1"),
    "colour of no number": (lambda: Augment(colour=float("nan")), "colour is nan"),
}
NO_TENSORS = {
    "images": (lambda: normalise(IMAGES.numpy()), "images is a numpy.ndarray, expected a tensor"),
    "images, augmented": (lambda: Augment()(IMAGES.numpy(), MASKS, seeded(0)), "images is a numpy.ndarray"),
    "masks": (lambda: Augment()(IMAGES, MASKS.numpy(), seeded(0)), "targets is a numpy.ndarray"),
}


@pytest.mark.survives("Recipes and augmentations that can't be, from Python")
@pytest.mark.parametrize(("use", "said"), BAD_USES.values(), ids=BAD_USES.keys())
def test_a_wrong_use_is_one_line(use, said):
    with pytest.raises(DataError, match=said) as caught:
        use()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("use", "message"), NO_TENSORS.values(), ids=NO_TENSORS.keys())
def test_an_array_is_no_tensor(use, message):
    with pytest.raises(TypeError, match=message):
        use()


def test_augmentation_stays_on_the_device_of_the_pictures():
    images, masks = (tensor.to("meta") for tensor in ramps())
    for augment in (Augment(), Augment(scale=None), Augment(crop=(8, 8))):
        pictures, targets = augment(images, masks, seeded(0))
        assert (pictures.device.type, targets.device.type) == ("meta", "meta")
