"""A file is whole under its final name, or it is not there; a cache is what was written, or it is made again."""

import errno
import os
import resource
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file

from pixelwise import environment, files
from pixelwise.data import storage
from pixelwise.data.storage import DamagedCache, DataError, DataWarning, StorageError


@pytest.fixture
def scenes():
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (3, 3, 8, 10), dtype=torch.uint8, generator=rng)
    masks = torch.randint(0, 11, (3, 8, 10), dtype=torch.uint8, generator=rng)
    return images, masks, ("first", "zweites ü", "third 3")


def fail_with(code):
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    return fail


def test_what_is_written_is_read_back(tmp_path, scenes):
    path = tmp_path / "new folder ü" / "scenes.safetensors"
    storage.write(path, *scenes)
    images, masks, names = storage.read(path)
    assert torch.equal(images, scenes[0])
    assert torch.equal(masks, scenes[1])
    assert names == scenes[2]
    assert [p.name for p in path.parent.iterdir()] == ["scenes.safetensors"]


def test_a_cache_is_readable_by_whom_other_files_are(tmp_path, scenes):
    (tmp_path / "ordinary").touch()
    storage.write(tmp_path / "cache", *scenes)
    assert (tmp_path / "cache").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_any_change_of_content_changes_the_checksum(scenes):
    images, masks, names = scenes
    other_image, other_mask = images.clone(), masks.clone()
    other_image[2, 2, 7, 9] ^= 1
    other_mask[0, 0, 0] ^= 1
    variants = [
        scenes,
        (other_image, masks, names),
        (images, other_mask, names),
        (images, masks, ("first", "second", "third 3")),
        (images.reshape(3, 3, 10, 8), masks.reshape(3, 10, 8), names),
    ]
    assert len({storage.checksum(*variant) for variant in variants}) == len(variants)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_pixel(path):
    data = bytearray(path.read_bytes())
    data[-50] ^= 1
    path.write_bytes(data)


def drop_the_checksum(path):
    tensors = load_file(path)
    path.unlink()
    save_file(tensors, path)


def drop_the_masks(path):
    with storage.safe_open(path, "pt") as file:
        metadata, images = file.metadata(), file.get_tensor("images").clone()
    path.unlink()
    save_file({"images": images}, path, metadata)


DAMAGES = {
    "truncated": truncate,
    "wrong checksum": flip_a_pixel,
    "no checksum": drop_the_checksum,
    "no masks": drop_the_masks,
    "empty": lambda path: path.write_bytes(b""),
    "not safetensors": lambda path: path.write_bytes(b"<html>not found</html>" * 20),
}


@pytest.mark.survives("Cache truncated, altered, unreadable")
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_cache_is_noticed_and_made_again(tmp_path, scenes, damage):
    path = tmp_path / "scenes.safetensors"
    storage.write(path, *scenes)
    damage(path)
    with pytest.raises(DamagedCache, match=r"delete it, and it is made again$"):
        storage.read(path)
    with pytest.warns(DataWarning, match="was damaged and is made again") as notices:
        rebuilt = storage.cached(path, lambda: scenes)
    assert len(notices) == 1
    assert storage.checksum(*rebuilt) == storage.checksum(*storage.read(path)) == storage.checksum(*scenes)


def test_a_whole_cache_is_not_built_again(tmp_path, scenes):
    path = tmp_path / "scenes.safetensors"
    storage.cached(path, lambda: scenes)
    again = storage.cached(path, lambda: pytest.fail("built although it was there"))
    assert storage.checksum(*again) == storage.checksum(*scenes)


@pytest.mark.survives("Disk full, read-only, over quota")
@pytest.mark.parametrize(
    ("code", "said"), [(errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system")]
)
def test_a_full_disk_or_read_only_folder_is_one_line(tmp_path, scenes, monkeypatch, code, said):
    path = tmp_path / "cache" / "scenes.safetensors"
    if code == errno.ENOSPC:
        monkeypatch.setattr(storage, "save_file", fail_with(code))
    else:
        monkeypatch.setattr(files.Path, "touch", fail_with(code))
    with pytest.raises(StorageError, match=f"^cannot write .*scenes.safetensors: {said}; .*PIXELWISE_DATA") as caught:
        storage.cached(path, lambda: scenes)
    assert "\n" not in str(caught.value)
    assert list(path.parent.iterdir()) == []


@pytest.mark.survives("Disk full, read-only, over quota")
def test_a_write_that_really_stops_half_way_leaves_nothing(tmp_path, scenes):
    images = torch.zeros(8, 3, 200, 200, dtype=torch.uint8)
    masks = torch.zeros(8, 200, 200, dtype=torch.uint8)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write .*too large"):
            storage.write(tmp_path / "scenes.safetensors", images, masks, tuple("abcdefgh"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.survives("Disk full, read-only, over quota")
def test_an_old_cache_survives_a_failed_write(tmp_path, scenes, monkeypatch):
    path = tmp_path / "scenes.safetensors"
    storage.write(path, *scenes)
    monkeypatch.setattr(storage.os, "replace", fail_with(errno.EACCES))
    with pytest.raises(StorageError, match="Permission denied"):
        storage.write(path, scenes[0] // 2, *scenes[1:])
    assert torch.equal(storage.read(path)[0], scenes[0])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_cannot_be_kept_is_not_built(tmp_path):
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot write to .*PIXELWISE_DATA"):
        storage.cached(tmp_path / "cache" / "scenes", lambda: pytest.fail("built for nothing"))


def test_where_a_folder_should_be_is_a_file(tmp_path, scenes):
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot write .*(exists|directory)"):
        storage.write(tmp_path / "cache" / "scenes", *scenes)


def test_an_optional_cache_warns_once_and_goes_on(tmp_path, scenes, monkeypatch):
    monkeypatch.setattr(storage, "save_file", fail_with(errno.ENOSPC))
    with pytest.warns(DataWarning, match="No space left .* without a cache"):
        assert storage.cached(tmp_path / "one", lambda: scenes, optional=True) is scenes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert storage.cached(tmp_path / "two", lambda: scenes, optional=True) is scenes


@pytest.mark.survives("Cache truncated, altered, unreadable")
def test_an_unreadable_cache_is_named(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises((StorageError, DamagedCache), match="folder"):
        storage.read(tmp_path / "folder")


def test_leftovers_of_killed_processes_go(tmp_path, scenes):
    (tmp_path / ".scenes.1-1.part").write_bytes(b"half")
    storage.write(tmp_path / "scenes", *scenes)
    assert [path.name for path in tmp_path.iterdir()] == ["scenes"]


def test_the_folder_can_be_named_and_is_the_checkouts_otherwise(tmp_path, monkeypatch, request):
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path))
    assert storage.folder() == tmp_path
    monkeypatch.delenv("PIXELWISE_DATA")
    assert storage.folder() == request.config.rootpath / "data"
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "site-packages/pixelwise/environment.py"))
    assert storage.folder().name == "pixelwise"
    monkeypatch.setenv("PIXELWISE_DATA", "~no-such-user/data")
    with pytest.raises(DataError, match=r"PIXELWISE_DATA is '~no-such-user/data', in the home of a user"):
        storage.folder()
