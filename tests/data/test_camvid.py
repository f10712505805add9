"""CamVid arrives whole or not at all, and whatever is wrong with a copy is said in one line."""

import errno
import io
import itertools
import os
import random
import shutil
import time
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from pixelwise import data
from pixelwise.cli import prepare
from pixelwise.data import SPLITS, DataError, DataWarning, camvid, storage
from pixelwise.data.scenes import overlapping
from tests.helpers import camvid_copy, warm

SIZE = (12, 16)
COUNTS = {"train": 6, "val": 2, "test": 3}
TEST = {"test": ("Seq05VD_1", "Seq05VD_2", "Seq05VD_3")}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A published CamVid in small: a folder with train, val and test, and the manifest of train and val."""
    monkeypatch.delenv("PIXELWISE_CAMVID", raising=False)
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
    root = camvid_copy.make(tmp_path / "a copy, mit Ümlaut", camvid_copy.FRAMES | TEST)
    monkeypatch.setattr(camvid, "MANIFEST", camvid_copy.manifest(root, tmp_path / "camvid.json"))
    monkeypatch.setattr(camvid, "COUNTS", COUNTS)
    monkeypatch.setattr(camvid, "PUBLISHED_SIZE", camvid_copy.SIZE)
    monkeypatch.setattr(camvid, "RETRIES", 0)
    monkeypatch.setattr(camvid, "URL", "http://127.0.0.1:9/")  # nobody listens there
    return root


@pytest.fixture
def server(copy, monkeypatch):
    with camvid_copy.served(copy) as (url, asked):
        monkeypatch.setattr(camvid, "URL", url)
        yield asked


def load(split="train", size=SIZE, **options):
    return data.load("camvid", split, size, **options)


def same(one, other):
    return torch.equal(one.images, other.images) and torch.equal(one.masks, other.masks) and one.names == other.names


# --- what comes out ---------------------------------------------------------------------------------------------------


def test_scenes_are_the_files_in_the_order_of_the_list(copy):
    scenes = load(size=camvid_copy.SIZE, source=copy)
    assert scenes.names == camvid_copy.FRAMES["train"]
    for image, mask, name in zip(scenes.images, scenes.masks, scenes.names, strict=True):
        assert np.array_equal(image.permute(1, 2, 0), Image.open(copy / "train" / f"{name}.png"))
        labels = np.asarray(Image.open(copy / "trainannot" / f"{name}.png"))
        assert np.array_equal(mask, np.where(labels == 11, 255, labels))
    assert 255 in scenes.masks


def test_resizing_averages_images_and_never_invents_labels(copy):
    whole, half = load(size=camvid_copy.SIZE, source=copy), load(size=SIZE, source=copy)
    assert half.images.shape == (6, 3, *SIZE)
    assert set(half.masks.unique().tolist()) <= set(whole.masks.unique().tolist())
    # the masks are made of 4×4 tiles, so the nearest pixel of a half-size mask is known
    assert torch.equal(half.masks, whole.masks[:, ::2, ::2])
    finest = whole.images.float().std((2, 3)).mean()
    assert half.images.float().std((2, 3)).mean() < finest
    assert torch.allclose(half.images.float().mean((2, 3)), whole.images.float().mean((2, 3)), atol=1.0)


def test_unseen_is_a_drive_that_seen_has_no_frame_of(copy):
    seen, unseen, train = (load(split, source=copy) for split in ("seen", "unseen", "train"))
    assert {name[:6] for name in unseen.names} == {"0001TP"}
    assert {name[:6] for name in seen.names} == {"0006R0", "0016E5"}
    assert sorted(seen.names + unseen.names) == sorted(train.names)
    assert unseen.split == "unseen"


def test_splits_overlap_as_their_names_say(copy):
    names = {split: set(load(split, source=copy).names) for split in SPLITS}
    for one, other in itertools.combinations_with_replacement(SPLITS, 2):
        assert overlapping(one, other) == overlapping(other, one) == bool(names[one] & names[other])


def test_fit_and_tune_part_train_by_sequence(copy):
    fit, tune, train = (load(split, source=copy) for split in ("fit", "tune", "train"))
    assert {name[:6] for name in tune.names} == {"0006R0"}
    assert {name[:6] for name in fit.names} == {"0001TP", "0016E5"}
    assert sorted(fit.names + tune.names) == sorted(train.names)
    assert torch.equal(train[[2, 3]].masks, tune.masks)


def test_a_copy_is_found_through_the_environment(copy, monkeypatch):
    monkeypatch.setenv("PIXELWISE_CAMVID", str(copy))
    assert same(load("val"), load("val", source=str(copy)))


def test_a_published_copy_needs_to_be_imported_only_once(copy):
    imported = {split: load(split, source=copy) for split in ("train", "val", "test")}
    shutil.rmtree(copy)
    for split, scenes in imported.items():
        assert same(load(split), scenes)


def test_another_copy_is_used_with_a_notice_and_kept_apart(copy, tmp_path):
    published = load(source=copy)
    other = camvid_copy.make(tmp_path / "other", camvid_copy.FRAMES | TEST)
    mirrored = Image.open(other / "train/0001TP_1.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.save(other / "train/0001TP_1.png")
    with pytest.warns(DataWarning, match="is not CamVid as published: 1 files of train differ"):
        changed = load(source=other)
    assert not torch.equal(changed.images[0], published.images[0])
    assert torch.equal(changed.images[1:], published.images[1:])
    assert same(load(), published)
    shutil.copy(copy / "train/0001TP_1.png", other / "train/0001TP_1.png")
    assert same(load(source=other), published)
    (other / "val/0016E5_3.png").write_bytes((other / "val/0016E5_4.png").read_bytes())
    with pytest.warns(DataWarning, match="its val split differs"):
        load("test", source=other)


def test_a_changed_file_is_never_served_from_an_old_cache(copy):
    (copy / "val.txt").write_text((copy / "val.txt").read_text().splitlines()[0] + "\n")
    with pytest.warns(DataWarning, match="val has 1 frames instead of 2"):
        before = load("val", source=copy)
    Image.fromarray(255 - np.asarray(Image.open(copy / "val/0016E5_3.png"))).save(copy / "val/0016E5_3.png")
    with pytest.warns(DataWarning):
        after = load("val", source=copy)
    assert not torch.equal(before.images, after.images)


def save(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8))


@pytest.mark.survives("Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated")
@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "1"])
def test_pictures_are_converted_where_nothing_is_lost(mode):
    picture = PICTURE.convert(mode)
    assert np.array_equal(camvid.read_image(save(picture), "x.png"), picture.convert("RGB"))


@pytest.mark.survives("Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated")
@pytest.mark.parametrize("kind", ["grey", "palette", "16 bit"])
def test_labels_are_read_from_grey_palette_and_16_bit_masks(kind):
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    mask = Image.fromarray(labels.astype(np.uint16) if kind == "16 bit" else labels)
    if kind == "palette":
        mask.putpalette([channel for colour in data.CAMVID_COLOURS for channel in colour])
    expected = np.where(labels == 11, 255, labels)
    assert np.array_equal(camvid.read_mask(save(mask), "x.png"), expected)
    assert np.array_equal(camvid.read_mask(save(Image.fromarray(expected)), "x.png"), expected)


# --- what is wrong with a copy ----------------------------------------------------------------------------------------

IMAGE, MASK = "train/0006R0_1.png", "trainannot/0006R0_1.png"


def edit(file, change):
    return lambda root: (root / file).write_bytes(change((root / file).read_bytes()))


def replace(file, image):
    return lambda root: image.save(root / file, "PNG")


def sixteen_bit_rgb():
    """A PNG that PIL itself would open as 8-bit RGB without a word."""
    import struct
    import zlib

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 32, 24, 16, 2, 0, 0, 0)
    body = zlib.compress(bytes(24 * (1 + 32 * 6)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def grey(value, size=(32, 24), mode="L"):
    return Image.new(mode, size, value)


BAD_COPIES = {
    "truncated image": (edit(IMAGE, lambda d: d[: len(d) // 2]), r"train/0006R0_1.png is no whole PNG \(\d+ bytes"),
    "image without its end": (edit(IMAGE, lambda d: d[:-12]), "train/0006R0_1.png is no whole PNG"),
    "truncated mask": (edit(MASK, lambda d: d[:60]), "trainannot/0006R0_1.png is no whole PNG"),
    "flipped bit": (edit(IMAGE, lambda d: d[:99] + bytes([d[99] ^ 4]) + d[100:]), "0006R0_1.png is no whole PNG"),
    "empty image": (edit(IMAGE, lambda d: b""), "0006R0_1.png is no whole PNG .0 bytes"),
    "a web page for an image": (edit(IMAGE, lambda d: b"<html>"), "0006R0_1.png is no whole PNG .6 bytes"),
    "a JPEG by the name of PNG": (lambda root: PICTURE.save(root / IMAGE, "JPEG"), "is no whole PNG"),
    "missing image": (lambda root: (root / IMAGE).unlink(), "image train/0006R0_1.png, .* is missing .*1 files are"),
    "missing mask": (lambda root: (root / MASK).unlink(), "mask trainannot/0006R0_1.png, .* is missing"),
    "missing mask folder": (lambda root: shutil.rmtree(root / "trainannot"), r"is missing .*\(6 files are"),
    "mask of another size": (replace(MASK, grey(3, (30, 24))), "mask .*0006R0_1.png is 24×30, but its image is 24×32"),
    "label 31": (replace(MASK, grey(31)), "holds label 31, but camvid has classes 0-10 .*was the palette converted"),
    "label 12": (replace(MASK, grey(12)), "holds label 12"),
    "coloured mask": (replace(MASK, PICTURE.resize((32, 24))), "mask .*has mode RGB .*was it saved with colours"),
    "mask with alpha": (replace(MASK, grey((3, 255), mode="LA")), "mask .* has mode LA"),
    "two-level mask": (replace(MASK, grey(1, mode="1")), "mask .* has mode 1 with 1 bits"),
    "16-bit label": (replace(MASK, grey(2560, mode="I;16")), "holds label 2560"),
    "transparent image": (replace(IMAGE, PICTURE.resize((32, 24)).convert("RGBA").rotate(45)), "is transparent in"),
    "transparent colour": (
        lambda root: grey(0).save(root / IMAGE, "PNG", transparency=0),
        "is transparent in places",
    ),
    "16-bit grey image": (replace(IMAGE, grey(700, mode="I;16")), "has 16 bits a channel; expected 8"),
    "16-bit colour image": (edit(IMAGE, lambda d: sixteen_bit_rgb()), "has 16 bits a channel; expected 8"),
    "empty folder": (lambda root: [shutil.rmtree(root), root.mkdir()], "has no train.txt.*holds nothing"),
    "no folder": (shutil.rmtree, "is not a folder"),
    "missing list": (lambda root: (root / "train.txt").unlink(), "has no train.txt.* holds test, .*download"),
    "empty list": (lambda root: (root / "train.txt").write_text("\n"), "lists no frames"),
    "list with one column": (lambda root: (root / "train.txt").write_text("a.png\n"), "line 1 of train.txt is 'a.png'"),
    "list of another split": (edit("train.txt", lambda d: d.replace(b"0006R0_1.png ", b"x.png ")), "line 3 of train"),
    "list that leaves the folder": (
        lambda root: (root / "train.txt").write_text("train/../x.png trainannot/../x.png"),
        "line 1 of train.txt",
    ),
    "list that is no text": (lambda root: (root / "train.txt").write_bytes(b"\xff\xfe\x00"), "line 1 of train.txt"),
    "frame listed twice": (edit("train.txt", lambda d: d + d.splitlines()[0]), "lists 1 frames twice"),
}


@pytest.mark.survives("Copies of CamVid with faults")
@pytest.mark.parametrize(("spoil", "said"), BAD_COPIES.values(), ids=BAD_COPIES.keys())
@pytest.mark.filterwarnings("ignore::pixelwise.data.DataWarning")
def test_a_bad_copy_is_one_clear_line_and_leaves_no_cache(copy, tmp_path, spoil, said):
    spoil(copy)
    with pytest.raises(DataError, match=said) as caught:
        load(source=copy)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "data").rglob("*.safetensors"))


@pytest.mark.survives("Copies of CamVid with faults")
def test_a_copy_that_may_not_be_read_is_named(copy, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(camvid.Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=r"cannot read .*png: Permission denied; check the permissions"):
        load(source=copy)


# --- the network ------------------------------------------------------------------------------------------------------


def test_a_download_is_what_an_import_is(copy, server):
    downloaded = {split: load(split) for split in ("train", "val", "test")}
    assert sorted(server) == sorted(p.relative_to(copy).as_posix() for p in copy.rglob("*") if p.is_file())
    asked = len(server)
    for split, scenes in downloaded.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert same(load(split, (24, 32), source=copy), load(split, (24, 32)))
            assert same(load(split), scenes)
    assert len(server) == asked


@pytest.mark.survives("No network, broken or wrong deliveries")
def test_a_download_goes_on_where_it_stopped(copy, server, tmp_path):
    whole = load()
    archive = tmp_path / "data/downloads/CamVid"
    (archive / IMAGE).write_bytes((archive / IMAGE).read_bytes()[:50])
    (archive / MASK).unlink()
    shutil.rmtree(tmp_path / "data/cache")
    server.clear()
    assert same(load(), whole)
    assert sorted(server) == sorted([IMAGE, MASK])


@pytest.mark.survives("Cache truncated, altered, unreadable")
def test_a_damaged_cache_is_made_again_from_what_was_downloaded(copy, server, tmp_path):
    whole = load()
    (cache,) = (tmp_path / "data").rglob("*.safetensors")
    cache.write_bytes(cache.read_bytes()[:-7])
    server.clear()
    with pytest.warns(DataWarning, match="was damaged and is made again"):
        assert same(load(), whole)
    assert server == []


@pytest.mark.survives("No network, broken or wrong deliveries")
def test_no_network_says_what_to_do(copy):
    with pytest.raises(
        DataError, match=r"could not be fetched .*PIXELWISE_CAMVID or source=.*\"streets\" needs no net"
    ):
        load()


DELIVERIES = {
    "wrong checksum": ("train", IMAGE, lambda d: d + b"!", "did not arrive as published"),
    "a list that was changed": ("train", "train.txt", lambda d: d[:50], "did not arrive as published"),
    "not there": ("train", MASK, lambda d: None, r"could not be fetched .*404.*; \d+ of 12 files are here"),
    "cut off": ("train", MASK, lambda d: (d[:40], len(d)), "could not be fetched .*PIXELWISE_CAMVID"),
    "test image truncated": ("test", "test/Seq05VD_2.png", lambda d: d[:80], "Seq05VD_2.png is no whole PNG"),
    "test mask with label 31": (
        "test",
        "testannot/Seq05VD_2.png",
        lambda d: save(grey(31)),
        "testannot/Seq05VD_2.png holds label 31",
    ),
    "test mask of another size": (
        "test",
        "testannot/Seq05VD_2.png",
        lambda d: save(grey(3, (32, 25))),
        "testannot/Seq05VD_2.png is 25×32 instead of 24×32",
    ),
    "test list is a web page": ("test", "test.txt", lambda d: b"<html> gone </html>", "line 1 of test.txt"),
}


@pytest.mark.survives("No network, broken or wrong deliveries")
@pytest.mark.parametrize(("split", "file", "tamper", "said"), DELIVERIES.values(), ids=DELIVERIES.keys())
def test_a_bad_delivery_never_gets_a_name(copy, tmp_path, monkeypatch, split, file, tamper, said):
    with camvid_copy.served(copy, tamper=lambda name, d: tamper(d) if name == file else d) as (url, _):
        monkeypatch.setattr(camvid, "URL", url)
        with pytest.raises(DataError, match=said) as caught:
            load(split)
    assert "\n" not in str(caught.value)
    archive = tmp_path / "data/downloads/CamVid"
    for path in filter(os.path.isfile, archive.rglob("*")):
        assert path.read_bytes() == (copy / path.relative_to(archive)).read_bytes()
    assert not list((tmp_path / "data").rglob("*.safetensors"))
    with camvid_copy.served(copy) as (url, asked):
        monkeypatch.setattr(camvid, "URL", url)
        assert same(load(split), load(split, source=copy))
    assert file in asked


def test_a_test_split_that_is_short_of_frames_is_refused(copy, server, monkeypatch):
    monkeypatch.setattr(camvid, "COUNTS", COUNTS | {"test": 4})
    with pytest.raises(DataError, match=r"test\.txt lists 3 frames instead of 4"):
        load("test")
    monkeypatch.setattr(camvid, "COUNTS", COUNTS)
    assert len(load("test")) == 3


@pytest.mark.survives("No network, broken or wrong deliveries")
def test_a_hiccup_of_the_network_is_tried_again(copy, monkeypatch):
    monkeypatch.setattr(camvid, "RETRIES", 1)
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    first = set()

    def once(name, content):
        if name in first:
            return content
        first.add(name)
        return content[:20], len(content)

    with camvid_copy.served(copy, tamper=once) as (url, _):
        monkeypatch.setattr(camvid, "URL", url)
        assert same(load("val"), load("val", source=copy))


@pytest.mark.survives("Disk full, read-only, over quota")
@pytest.mark.parametrize("reason", ["No space left on device", "Read-only file system"])
def test_a_download_that_cannot_be_written_is_one_line(copy, server, monkeypatch, reason):
    import pooch

    def fail(*_):
        raise OSError(28, reason)

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", fail)
    with pytest.raises(DataError, match=f"cannot write .*CamVid: {reason}; free some space there, or set PIXELWISE_D"):
        load()


def test_a_download_folder_that_is_a_file_is_one_line(copy, server, tmp_path):
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot write .*PIXELWISE_DATA"):
        load()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def quiet_warnings():
    with warnings.catch_warnings():
        shown = warnings.showwarning
        yield
        warnings.showwarning = shown


@pytest.mark.usefixtures("quiet_warnings")
def test_prepare_leaves_a_cache_a_size_and_split(copy, tmp_path, capsys):
    prepare.main(["camvid", "--source", str(copy), "--size", "12", "16", "6", "8"])
    said = capsys.readouterr()
    assert "Scenes(camvid val: 2 of 6×8) is ready" in said.out
    caches = sorted(path.name for path in (tmp_path / "data").rglob("*.safetensors"))
    assert caches == [f"{split}-{size}.safetensors" for split in ("train", "val") for size in ("12x16", "6x8")]


@pytest.mark.usefixtures("quiet_warnings")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "nowhere"], "^pixelwise-prepare: nowhere is not a folder"),
        ([], "could not be fetched"),
    ],
)
def test_prepare_fails_in_one_line(copy, arguments, said):
    with pytest.raises(SystemExit, match=said) as caught:
        prepare.main(["camvid", *arguments])
    assert "\n" not in str(caught.value)


@pytest.mark.survives("Options out of range, no number, or not together; unknown devices")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--size", "12", "16", "20"], "--size got 3 numbers; expected pairs"),
        (["--size", "0", "16"], "'0' is no whole number from 1 to 8192"),
        (["--size", "16", "-1"], "'-1' is no whole number from 1 to 8192"),
        (["--size", "1000000", "16"], "'1000000' is no whole number from 1 to 8192"),
        (["--size", "16.0", "16"], "'16.0' is no whole number"),
        (["--source", "~no-such-user/CamVid"], "is in the home of a user that is not known here"),
        (["--source", ""], "a name is empty"),
        (["--split", "tune"], "invalid choice: 'tune'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_prepare_refuses_a_wrong_option_before_it_loads(monkeypatch, capsys, arguments, said):
    monkeypatch.setattr(prepare.data, "load", lambda *_, **__: pytest.fail("loaded"))
    with pytest.raises(SystemExit) as ended:
        prepare.main(["camvid", *arguments])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.survives("`PIXELWISE_DATA` a file, unwritable or full")
@pytest.mark.usefixtures("quiet_warnings")
@pytest.mark.parametrize("dataset", ["camvid", "streets"])
@pytest.mark.parametrize("way", ["a file", "an unwritable folder", "a full disk"])
def test_prepare_never_says_ready_of_what_it_could_not_keep(copy, tmp_path, monkeypatch, capsys, dataset, way):
    place = tmp_path / "place"
    monkeypatch.setenv("PIXELWISE_DATA", str(place))
    if way == "a file":
        place.write_text("in the way")
    elif way == "an unwritable folder":

        def refuse(*_, **__):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(storage.tempfile, "TemporaryFile", refuse)  # root may write anywhere
    else:

        def fill(*_, **__):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(storage, "save_file", fill)
        monkeypatch.setattr("pixelwise.data.scenes.STREETS_SPLITS", {"train": range(2)})
    source = ["--source", str(copy)] if dataset == "camvid" else []
    with pytest.raises(SystemExit, match=r"^pixelwise-prepare: cannot write .*set PIXELWISE_DATA to a folder") as ended:
        prepare.main([dataset, "--size", "32", "32", "--split", "train", *source])
    assert "\n" not in ended.value.code
    assert "ready" not in capsys.readouterr().out


# --- killed at any moment ---------------------------------------------------------------------------------------------


@pytest.fixture
def child(copy, tmp_path):
    """Start the command in a process of its own, forked from one that has the imports behind it."""
    children = []

    def start(url, *arguments, folder="data", **options):
        settings = {"data": str(tmp_path / folder), "url": url, "manifest": str(camvid.MANIFEST), "counts": COUNTS}
        command = ["camvid", "--split", "train", "val", "test", "--size", "12", "16", *arguments]
        process = warm.context.Process(target=camvid_copy.prepare, args=(settings, command), kwargs=options)
        process.start()
        children.append(process)
        return process

    yield start
    for process in children:
        process.kill()
        process.join()


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if visible(p)}


def visible(path):
    return path.is_file() and not path.name.startswith((".", "tmp"))


@pytest.mark.survives("Preparation killed at random moments; two processes prepare at once")
def test_a_download_killed_at_random_moments_ends_as_an_undisturbed_one(copy, tmp_path, child):
    with camvid_copy.served(copy) as (url, _):
        undisturbed = child(url, folder="undisturbed")
        undisturbed.join()
    assert undisturbed.exitcode == 0
    expected = contents(tmp_path / "undisturbed")
    moments = random.Random(0)
    killed = 0
    with camvid_copy.served(copy, delay=0.04) as (url, asked):
        for _ in range(8):
            process, known = child(url), len(asked)
            until = time.monotonic() + 20
            while len(asked) == known and process.is_alive() and time.monotonic() < until:
                time.sleep(0.001)  # it is under way
            time.sleep(moments.uniform(0, 0.15))
            process.kill()
            process.join()
            killed += process.exitcode == -9
            for name, content in contents(tmp_path / "data").items():
                assert content == expected[name], f"{name} is not whole"
        last = child(url)
        last.join()
    assert killed >= 3
    assert last.exitcode == 0
    assert contents(tmp_path / "data") == expected


@pytest.mark.survives("Preparation killed at random moments; two processes prepare at once")
def test_a_process_killed_just_before_the_rename_leaves_no_cache(copy, tmp_path, child):
    process = child("http://127.0.0.1:9/", "--source", str(copy), die_at_rename=True)
    process.join()
    assert process.exitcode == -9
    assert contents(tmp_path / "data") == {}
    assert same(load(source=copy), load())


@pytest.mark.survives("Preparation killed at random moments; two processes prepare at once")
def test_two_processes_at_once_do_not_harm_each_other(copy, tmp_path, child):
    with camvid_copy.served(copy, delay=0.01) as (url, _):
        processes = [child(url) for _ in range(2)]
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
        assert same(load(), load(source=copy))
    names = {path.name for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert all(name[0] != "." and not name.startswith("tmp") for name in names)


# --- the real one -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif("PIXELWISE_CAMVID" not in os.environ, reason="PIXELWISE_CAMVID names no copy of the real CamVid")
def test_the_real_camvid_is_as_published(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tune, val, unseen = load("tune"), load("val", (120, 160)), load("unseen")
    assert (len(tune), len(val), len(unseen)) == (101, 101, 62)
    shares = torch.bincount(val.masks.flatten(), minlength=256) / val.masks.numel()
    assert shares[:11].min() > 0
    assert storage.folder() == tmp_path
