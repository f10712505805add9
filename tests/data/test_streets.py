"""Streets: the same scenes everywhere, CamVid's frequencies, and knobs that do what they say."""

import hashlib
import json
import os
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
from skimage.measure import label as components

from pixelwise.data import CLASSES, VOID, streets
from pixelwise.data.streets import Knobs, generate, generate_many
from tests.data import golden_streets

SIZE = (96, 128)
CAMVID_SHARES = (16.8, 23.3, 1.0, 31.7, 4.5, 9.7, 1.2, 1.1, 5.9, 0.6, 0.3)
BUILDING, POLE, ROAD, PAVEMENT, TREE, _, FENCE, CAR = range(1, 9)
SMALL = [CLASSES.index(n) for n in ("pole", "signsymbol", "car", "pedestrian", "bicyclist")]

GOLDEN = golden_streets.read()


def scenes(count=16, **knobs):
    return generate_many(range(count), seed=0, knobs=Knobs(**knobs))


@pytest.fixture(scope="module")
def usual():
    return scenes(64)


def digest(image, mask):
    return hashlib.sha256(image.tobytes() + mask.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("setting", GOLDEN["settings"], ids=lambda setting: setting["name"])
def test_pixels_are_the_same_on_every_machine(setting):
    assert golden_streets.digest(setting) == setting["sha256"], (
        "other pixels than those recorded; if they should be, raise streets.VERSION, which makes caches of them stale, "
        "and run `python -m tests.data.golden_streets`"
    )


def test_the_recorded_hashes_are_of_this_version():
    assert GOLDEN["version"] == streets.VERSION, "run `python -m tests.data.golden_streets`"


@pytest.mark.parametrize(("version", "recorded"), [(GOLDEN["version"], False), (GOLDEN["version"] + 1, True)])
def test_changed_scenes_are_recorded_under_a_new_version_only(monkeypatch, tmp_path, version, recorded):
    path = tmp_path / "golden.json"
    path.write_text(json.dumps({"version": GOLDEN["version"], "settings": GOLDEN["settings"][:1]}))
    monkeypatch.setattr(golden_streets, "PATH", path)
    monkeypatch.setattr(golden_streets, "digest", lambda setting: "changed")
    monkeypatch.setattr(streets, "VERSION", version)
    before = path.read_text()
    with nullcontext() if recorded else pytest.raises(SystemExit, match=r"raise streets\.VERSION above"):
        golden_streets.record()
    now = json.loads(path.read_text())
    assert (path.read_text() != before) == recorded
    assert (now["version"], now["settings"][0]["sha256"] == "changed") == (version, recorded)


def test_pixels_do_not_depend_on_the_processors_vector_units():
    code = (
        "from pixelwise.data.streets import generate; import hashlib;"
        "i, m = generate(0, seed=0); print(hashlib.sha256(i.tobytes() + m.tobytes()).hexdigest()[:16])"
    )
    plain = {**os.environ, "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX X86_V3 X86_V4"}
    printed = subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=plain, capture_output=True, text=True)
    assert printed.stdout.strip() == digest(*generate(0, seed=0)), printed.stderr


def test_a_scene_depends_on_its_seed_and_index_alone():
    images, masks = generate_many([9, 4], seed=3, size=(48, 64))
    for place, index in enumerate([9, 4]):
        image, mask = generate(index, seed=3, size=(48, 64))
        assert np.array_equal(images[place], image)
        assert np.array_equal(masks[place], mask)
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], generate(9, seed=4, size=(48, 64))[0])


def test_shapes_types_and_progress():
    told = []
    images, masks = generate_many(range(2), seed=0, size=(33, 70), progress=lambda *done: told.append(done))
    assert (images.shape, images.dtype, masks.shape, masks.dtype) == ((2, 3, 33, 70), np.uint8, (2, 33, 70), np.uint8)
    assert told == [(1, 2), (2, 2)]


def test_labels_and_their_frequencies_are_camvids(usual):
    masks = usual[1]
    shares = 100 * np.bincount(masks.ravel(), minlength=256) / masks.size
    assert set(np.unique(masks)) == {*range(11), VOID}
    for name, share, camvid in zip(CLASSES, shares, CAMVID_SHARES, strict=False):
        factor = 1.4 if camvid > 4 else 1.8
        assert camvid / factor < share < camvid * factor, f"{name}: {share:.2f} %, in CamVid {camvid} %"
    assert 2.5 < shares[VOID] < 6


def test_poles_are_one_or_two_pixels_wide(usual):
    runs = []
    for row in (usual[1] == POLE).reshape(-1, SIZE[1]):
        steps = np.flatnonzero(np.diff(np.pad(row.astype(int), 1)))
        runs += list(steps[1::2] - steps[::2])
    assert np.mean(np.array(runs) <= 2) > 0.9  # the rest: lamp arms, and posts side by side


def test_a_scene_is_the_same_at_every_size():
    agreement = []
    for index in range(8):
        small, large = (generate(index, seed=0, size=(96 * k, 128 * k))[1] for k in (1, 3))
        large = large[1::3, 1::3]
        known = (small != VOID) & (large != VOID)
        agreement.append((small == large)[known].mean())
    assert min(agreement) > 0.95


def colour_gap(images, masks):
    """How far road and pavement differ in colour, in standard deviations of the ground, scene by scene."""
    gaps = []
    for image, mask in zip(images, masks, strict=True):
        road, pavement = image[:, mask == ROAD].astype(float), image[:, mask == PAVEMENT].astype(float)
        if pavement.shape[1] > 100:
            spread = np.concatenate([road, pavement], 1).std(1)
            gaps.append((pavement.mean(1) - road.mean(1)) / spread)
    return np.array(gaps)


def test_colour_does_not_tell_pavement_from_road(usual):
    alike, unlike = colour_gap(*usual), colour_gap(*scenes(64, context_only=()))
    assert np.abs(np.median(alike, axis=0)).max() < 0.35
    assert np.abs(np.median(unlike, axis=0)).max() > 0.7


def test_a_fence_may_be_coloured_as_the_houses(usual):
    images, masks = scenes(16, context_only=("pavement", "fence"))
    assert np.array_equal(masks, usual[1][:16])
    changed = (images != usual[0][:16]).any(1)
    assert changed[masks == FENCE].mean() > 0.5
    assert changed[masks == CAR].mean() < 0.05


LOOKS = {
    "kerb": (0.0, 1.0), "colour_overlap": (0.0, 1.0), "texture": (0.0, 2.0), "noise": (0.0, 20.0), "blur": (0.0, 3.0),
    "fog": (0.0, 1.0), "night": (0.0, 1.0),
}  # fmt: skip


@pytest.fixture(scope="module", params=LOOKS)
def look(request):
    low, high = LOOKS[request.param]
    return request.param, scenes(8, **{request.param: low}), scenes(8, **{request.param: high})


def sharpness(images):
    return np.abs(np.diff(images.astype(float), axis=-1)).mean()


def separation(images, masks):
    """The share of the colours' variance over all scenes that lies between the classes that stand on the ground."""
    colours = images.astype(float).transpose(1, 0, 2, 3)
    classes = [colours[:, masks == c] for c in range(1, 11)]
    whole = np.concatenate(classes, axis=1)
    between = sum(c.shape[1] * (c.mean(1) - whole.mean(1)) ** 2 for c in classes) / whole.shape[1]
    return (between / whole.var(1)).mean()


def variation(images, where):
    """The mean step of grey levels between horizontal neighbours that both lie `where`."""
    step = np.abs(np.diff(images.astype(float).mean(1), axis=2))
    return step[where[:, :, 1:] & where[:, :, :-1]].mean()


def kerb_contrast(images, masks):
    """The step from the kerb, which is void, to the road beside it."""
    grey = images.astype(float).mean(1)
    beside = (masks[:, :, 1:] == ROAD) & (masks[:, :, :-1] == VOID) | (masks[:, :, :-1] == ROAD) & (
        masks[:, :, 1:] == VOID
    )
    return np.abs(np.diff(grey, axis=2))[beside].mean()


MEASURES = {
    "kerb": kerb_contrast,
    "colour_overlap": lambda images, masks: -separation(images, masks),
    "texture": lambda images, masks: variation(images, masks == ROAD),
    "noise": lambda images, masks: sharpness(images),
    "blur": lambda images, masks: -sharpness(images),
    "fog": lambda images, masks: -variation(images, masks == BUILDING),
    "night": lambda images, masks: -images.astype(float).mean(),
}


def test_knobs_of_looks_change_the_image_and_not_the_mask(look):
    name, low, high = look
    assert np.array_equal(low[1], high[1])
    before, after = MEASURES[name](*low), MEASURES[name](*high)
    assert after - before > 0.1 * abs(before), f"{name}: {before:.2f} -> {after:.2f}"


def share(masks, labels):
    return np.isin(masks, labels).mean()


def test_pole_width_widens_poles(usual):
    assert share(scenes(16, pole_width=4.5)[1], POLE) > 2 * share(usual[1][:16], POLE)


def test_scale_range_sets_apparent_size():
    near, far = (scenes(16, scale_range=depths)[1] for depths in ((6.0, 9.0), (30.0, 40.0)))
    assert share(near, SMALL) > 4 * share(far, SMALL)


def test_clutter_sets_how_much_stands_about(usual):
    none, usually, much = scenes(16, clutter=0)[1], usual[1][:16], scenes(16, clutter=3)[1]
    assert share(none, SMALL) == 0
    assert share(much, SMALL) > 1.5 * share(usually, SMALL)


def test_touching_bushes_touch_and_are_parted_by_void():
    for index in range(4):
        knobs = {"clutter": 0.0}
        without = generate(index, seed=0, knobs=Knobs(**knobs))[1]
        with_six = generate(index, seed=0, knobs=Knobs(touching=6, **knobs))[1]
        added = (with_six != without) & np.isin(with_six, (TREE, VOID))
        bushes = components((with_six == TREE) & added, connectivity=1)
        assert np.sum(np.bincount(bushes.ravel())[1:] > 20) == 6
        assert np.sum(np.bincount(components(added).ravel())[1:] > 20) == 1


def test_void_border_sets_how_many_objects_are_outlined():
    none, some, all_ = (scenes(8, void_border=share)[1] for share in (0, 0.5, 1))
    assert share(none, VOID) < share(some, VOID) < share(all_, VOID)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"pole_width": 0}, r"pole_width=0\): expected a number from 0.5 to 8"),
        ({"fog": "thick"}, "fog='thick'"),
        ({"noise": float("nan")}, "noise=nan"),
        ({"touching": 2.5}, r"touching=2.5\): expected a whole number"),
        ({"scale_range": (20.0, 10.0)}, "expected \\(near, far\\)"),
        ({"scale_range": 10.0}, "expected \\(near, far\\)"),
        ({"context_only": "pavement"}, "expected a tuple"),
        ({"context_only": ("sky",)}, "expected a tuple"),
    ],
)
def test_bad_knobs_are_named(knobs, message):
    with pytest.raises(ValueError, match=message):
        Knobs(**knobs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"index": -1}, "index is -1; expected a whole number from 0"),
        ({"index": 1.5}, "index is 1.5"),
        ({"seed": -3}, "seed is -3"),
        ({"size": (16, 128)}, r"size is \(16, 128\); expected \(height, width\)"),
        ({"size": (96.0, 128.0)}, "whole numbers of at least 32"),
        ({"size": 96}, r"size is 96; expected \(height, width\)"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    arguments = {"index": 0, "seed": 0, **arguments}
    with pytest.raises(ValueError, match=message):
        generate(**arguments)
