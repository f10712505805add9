"""Blobs: generated colonies of touching cells."""

import pytest
import torch

from pixelwise.data import DataError, blobs
from pixelwise.evaluation.instances import components


@pytest.fixture(scope="module")
def colonies():
    return blobs.generate(6, size=48, seed=3)


def test_shapes_types_and_length(colonies):
    assert colonies.images.shape == (6, 3, 48, 48)
    assert colonies.images.dtype == colonies.instances.dtype == colonies.targets.dtype == torch.uint8
    assert colonies.targets.unique().tolist() == [0, 1]
    assert len(colonies[:2]) == 2
    assert repr(colonies) == "Blobs(6 of 48×48)"
    assert colonies.images.is_contiguous()


def test_a_picture_depends_on_seed_and_index_alone(colonies):
    again = blobs.generate(2, size=48, seed=3)
    assert torch.equal(again.images, colonies.images[:2])
    assert torch.equal(again.instances, colonies.instances[:2])
    assert not torch.equal(blobs.generate(1, size=48, seed=4).images, colonies.images[:1])


def test_touching_cells_are_parted_by_background(colonies):
    """4- and 8-connected neighbours never belong to two cells, and every cell is one region at least."""
    maps = colonies.instances.int()
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one, other = maps[:, : 48 - dy, max(0, -dx) : 48 - max(0, dx)], maps[:, dy:, max(0, dx) : 48 + min(0, dx)]
        assert not ((one != other) & (one > 0) & (other > 0)).any()


def test_cells_do_touch(colonies):
    """Closing the seams by one pixel joins cells that the labels keep apart."""
    cells = colonies.targets.bool()
    closed = torch.nn.functional.max_pool2d(cells.float()[:, None], 3, 1, 1)[:, 0].bool()
    apart = sum(len(components(picture[None]).unique()) - 1 for picture in cells)
    joined = sum(len(components(picture[None]).unique()) - 1 for picture in closed)
    assert joined <= apart / 2


def test_a_stronger_seam_is_darker():
    faint, strong = (blobs.generate(1, seed=0, seam=seam) for seam in (0, 40))
    darker = faint.images.int() - strong.images.int()
    assert torch.equal(faint.instances, strong.instances)
    assert (darker >= 0).all()
    assert darker.max() > 10


def test_bad_input_is_refused():
    for cells in (0, 256):
        with pytest.raises(DataError, match=f"{cells} cells: expected"):
            blobs.generate(1, cells=cells)
