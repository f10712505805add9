"""The one door: names, splits, sizes, and the cache of the generated streets."""

import sys
import types
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from pixelwise import data
from pixelwise.data import DataError, DataWarning, Scenes, storage


@dataclass(frozen=True)
class Knobs:
    fog: float = 0.0


def generate_many(indices, *, seed, size, knobs, progress=None):
    """A stand-in for the generator that takes no time, and whose scenes tell which they are."""
    numbers = np.array(list(indices))
    images = np.broadcast_to((numbers % 251)[:, None, None, None], (len(numbers), 3, *size)).astype(np.uint8)
    for done in range(len(numbers)):
        progress(done + 1, len(numbers))
    return images + np.uint8(knobs.fog * 4), (images[:, 0] % 11).copy()


@pytest.fixture
def generator(tmp_path, monkeypatch):
    """The stand-in in place of *streets*; `.calls` counts, a raised `.VERSION` is a changed generator."""
    calls = []

    def counted(*arguments, **options):
        calls.append({"indices": arguments[0], **options})
        return generate_many(*arguments, **options)

    module = types.ModuleType("pixelwise.data.streets")
    module.VERSION, module.Knobs, module.generate_many = 1, Knobs, counted
    module.check_size = lambda size: None
    module.calls = calls
    monkeypatch.setitem(sys.modules, "pixelwise.data.streets", module)
    monkeypatch.setattr(data, "streets", module, raising=False)
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
    return module


def equal(one, other):
    return torch.equal(one.images, other.images) and torch.equal(one.masks, other.masks) and one.names == other.names


def test_splits_have_their_sizes_and_share_no_scene(generator):
    splits = {split: data.load("streets", split, (4, 6)) for split in data.SPLITS}
    assert {split: len(scenes) for split, scenes in splits.items()} == {
        "train": 512, "val": 128, "test": 128, "fit": 448, "tune": 64, "seen": 448, "unseen": 64,
    }  # fmt: skip
    names = {split: set(scenes.names) for split, scenes in splits.items()}
    assert names["fit"] | names["tune"] == names["seen"] | names["unseen"] == names["train"]
    for one, other in (
        ("fit", "tune"),
        ("seen", "unseen"),
        ("tune", "unseen"),
        ("train", "val"),
        ("train", "test"),
        ("val", "test"),
    ):
        assert not names[one] & names[other]
    assert torch.equal(torch.cat([splits["fit"].masks, splits["tune"].masks]), splits["train"].masks)
    assert splits["tune"].split == "tune"
    assert int(splits["val"].images[0, 0, 0, 0]) == 512 % 251


def test_streets_are_generated_once(generator):
    first = data.load("streets", "val", (4, 6))
    assert equal(data.load("streets", "val", [4, 6]), first)
    assert len(generator.calls) == 1


@pytest.mark.parametrize("split", data.SPLITS)
def test_the_first_scenes_alone_are_those_of_the_whole_split(generator, split):
    first = data.load("streets", split, (4, 6), count=5)
    assert equal(first, data.load("streets", split, (4, 6))[:5])
    assert equal(first, data.load("streets", split, (4, 6), count=5))
    with pytest.raises(DataError, match="count is 0"):
        data.load("streets", split, (4, 6), count=0)


def test_the_first_scenes_cost_only_themselves(generator):
    data.load("streets", "val", (4, 6), count=5)
    assert len(generator.calls[0]["indices"]) == 5
    data.load("streets", "train", (4, 6))
    data.load("streets", "fit", (4, 6), count=5)
    assert len(generator.calls) == 2


def test_another_size_another_knob_or_a_changed_generator_is_generated_anew(generator):
    plain = data.load("streets", "val", (4, 6))
    assert data.load("streets", "val", (6, 4)).size == (6, 4)
    foggy = data.load("streets", "val", (4, 6), knobs=Knobs(fog=1.0))
    assert torch.equal(foggy.images, plain.images + 4)
    assert equal(data.load("streets", "val", (4, 6), knobs=Knobs()), plain)
    assert len(generator.calls) == 3
    generator.VERSION += 1
    data.load("streets", "val", (4, 6))
    assert len(generator.calls) == 4


@pytest.mark.survives("Cache truncated, altered, unreadable")
def test_a_damaged_cache_of_streets_is_generated_again(generator, tmp_path):
    first = data.load("streets", "val", (4, 6))
    (cache,) = tmp_path.rglob("*.safetensors")
    cache.write_bytes(cache.read_bytes()[:-1])
    with pytest.warns(DataWarning, match="damaged"):
        assert equal(data.load("streets", "val", (4, 6)), first)


def test_streets_need_no_cache(generator, tmp_path, monkeypatch):
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.warns(DataWarning, match="without a cache"):
        first = data.load("streets", "val", (4, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert equal(data.load("streets", "val", (4, 6)), first)


def test_the_real_streets_come_through_the_door(tmp_path, monkeypatch):
    from pixelwise.data import scenes, streets

    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path))
    monkeypatch.setitem(scenes.STREETS_SPLITS, "val", range(512, 515))
    knobs = streets.Knobs(touching=3)
    loaded = data.load("streets", "val", (32, 48), knobs=knobs)
    image, mask = streets.generate(514, seed=scenes.STREETS_SEED, size=(32, 48), knobs=knobs)
    assert np.array_equal(loaded.images[2], image)
    assert np.array_equal(loaded.masks[2], mask)
    assert equal(data.load("streets", "val", (32, 48), knobs=knobs), loaded)


BAD_REQUESTS = {
    "data set": (("cityscapes", "train", (4, 6)), {}, 'unknown data set \'cityscapes\'; choose "streets" or "camvid"'),
    "split": (("streets", "validation", (4, 6)), {}, "unknown split 'validation'; choose one of train, val, test"),
    "size of one number": (("streets", "val", 96), {}, r"size is 96; expected \(height, width\)"),
    "size of three": (("streets", "val", (3, 96, 128)), {}, r"size is \(3, 96, 128\)"),
    "size in fractions": (("camvid", "val", (96.5, 128)), {}, "size is"),
    "size of nothing": (("streets", "val", (0, 128)), {}, "size is"),
    "negative size": (("camvid", "val", (96, -128)), {}, "size is"),
    "size beyond reason": (("streets", "val", (10**6, 128)), {}, "each a whole number from 1 to 8192"),
    "count as text": (("streets", "val", (4, 6)), {"count": "2"}, "count is '2', expected a whole number from 1"),
    "count of nothing": (("streets", "val", (4, 6)), {"count": 0}, "count is 0, expected a whole number from 1"),
    "count in fractions": (("streets", "val", (4, 6)), {"count": 1.5}, "count is 1.5, expected a whole number"),
    "source of streets": (("streets", "val", (4, 6)), {"source": "x"}, 'source was given for "streets"'),
    "knobs as a dictionary": (("streets", "val", (4, 6)), {"knobs": {"fog": 1}}, r"expected streets\.Knobs\(\.\.\.\)"),
    "knobs of camvid": (("camvid", "val", (4, 6)), {"knobs": Knobs()}, 'knobs were given for "camvid"'),
}


@pytest.mark.parametrize(("arguments", "options", "said"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_request_that_cannot_be_met_is_one_line(generator, arguments, options, said):
    with pytest.raises(DataError, match=said) as caught:
        data.load(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_streets_too_small_to_be_drawn_are_one_line():
    with pytest.raises(DataError, match=r"size is \(16, 48\).* at least 32 pixels"):
        data.load("streets", "val", (16, 48))


def scenes(count=5, size=(4, 6)):
    images = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 3, *size).clone()
    return Scenes(images, images[:, 0] + 1, "streets", "train", tuple("abcdefgh"[:count]))


def test_scenes_unpack_slice_and_keep_their_names():
    whole = scenes()
    images, masks = whole
    assert images is whole.images
    assert masks is whole.masks is whole.targets
    for part, expected in ((whole[1:4], [1, 2, 3]), (whole[::2], [0, 2, 4]), (whole[[4, 0]], [4, 0])):
        assert [int(image[0, 0, 0]) for image in part.images] == expected
        assert [int(mask[0, 0]) for mask in part.masks] == [i + 1 for i in expected]
        assert part.names == tuple("abcde"[i] for i in expected)
        assert (len(part), part.size, part.dataset, part.split) == (len(expected), (4, 6), "streets", "train")
    assert repr(whole) == "Scenes(streets train: 5 of 4×6)"
    with pytest.raises(TypeError, match=r"such as scenes\[3:4\]"):
        whole[3]


def test_scenes_move_to_a_device():
    moved = scenes().to("meta")
    assert (moved.images.device.type, moved.masks.device.type) == ("meta", "meta")
    assert moved.names == scenes().names


BAD_SCENES = {
    "float images": ({"images": torch.zeros(5, 3, 4, 6)}, r"images are torch.float32 \(5, 3, 4, 6\); expected uint8"),
    "channels last": ({"images": torch.zeros(5, 4, 6, 3, dtype=torch.uint8)}, "images are"),
    "masks of another size": ({"masks": torch.zeros(5, 4, 5, dtype=torch.uint8)}, r"expected uint8 \(5, 4, 6\)"),
    "too few masks": ({"masks": torch.zeros(4, 4, 6, dtype=torch.uint8)}, "masks are"),
    "int64 masks": ({"masks": torch.zeros(5, 4, 6, dtype=torch.int64)}, "masks are torch.int64"),
    "too few names": ({"names": ("a",)}, "there are 1 names for 5 scenes"),
}


@pytest.mark.parametrize(("change", "said"), BAD_SCENES.values(), ids=BAD_SCENES.keys())
def test_scenes_that_do_not_fit_each_other_are_refused(change, said):
    parts = {"images": scenes().images, "masks": scenes().masks, "names": scenes().names}
    with pytest.raises(DataError, match=said):
        Scenes(dataset="streets", split="train", **(parts | change))


def test_bars_are_silent_in_a_recording(monkeypatch, capsys):
    monkeypatch.setenv("PIXELWISE_RECORDING", "1")
    with storage.progress_bar(3, "generating", "scene") as bar:
        bar.update()
    assert capsys.readouterr() == ("", "")
