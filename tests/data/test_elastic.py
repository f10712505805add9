"""Elastic deformation: pictures and masks move together."""

import pytest
import torch

from pixelwise.data import Augment, DataError, normalise
from pixelwise.data.elastic import Elastic, warp


@pytest.fixture
def pictures():
    torch.manual_seed(0)
    coarse = torch.randint(0, 2, (3, 1, 4, 5), dtype=torch.uint8)
    masks = coarse.repeat_interleave(12, 2).repeat_interleave(12, 3)
    return (masks * 200).expand(-1, 3, -1, -1).contiguous(), masks[:, 0]


still = Augment(flip=False, scale=None, colour=0)


def generator():
    return torch.Generator().manual_seed(1)


def test_without_displacement_nothing_moves(pictures):
    images, masks = pictures
    moved, labels = Elastic(still, sigma=0)(images, masks, generator())
    torch.testing.assert_close(moved, normalise(images), rtol=0, atol=1e-5)
    assert torch.equal(labels, masks.long())


def test_picture_and_mask_move_alike(pictures):
    images, masks = pictures
    moved, labels = Elastic(still, sigma=3)(images, masks, generator())
    assert moved.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert labels.shape == masks.shape
    assert (labels != masks).float().mean() > 0.02
    bright = moved[:, 0] > normalise(images)[:, 0].mean()
    assert (bright == labels.bool()).float().mean() > 0.97  # apart on edges, where the picture is in between


def test_displacements_are_the_paper_s():
    """Gaussian on the grid's points with the given deviation, smooth between."""
    moves = Elastic(sigma=10).displacements(2000, (21, 41), generator())
    assert moves.shape == (2000, 2, 21, 41)
    assert moves[:, :, ::10, ::20].std().item() == pytest.approx(10, rel=0.03)
    assert moves.diff(dim=-1).abs().max() < 10


def test_a_shift_fetches_from_where_it_points():
    line = torch.arange(5.0)[None, None, None]
    shift = torch.zeros(1, 2, 1, 5)
    shift[:, 1] = 1
    assert warp(line, shift)[0, 0, 0, :4].tolist() == pytest.approx([1, 2, 3, 4], abs=1e-5)
    assert warp(line.long(), shift).dtype == torch.int64


def test_the_seed_decides(pictures):
    first, second = (Elastic()(*pictures, generator()) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_bad_input_is_refused(pictures):
    with pytest.raises(DataError, match="expected at least 0 pixels and 2 points"):
        Elastic(grid=1)
    with pytest.raises(DataError, match="a warp needs masks"):
        Elastic()(pictures[0], torch.zeros(3, dtype=torch.int64), generator())
