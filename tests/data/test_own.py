"""Folders of somebody's own pictures and masks: the forms that people have, and the faults that they have."""

import json
import os
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from pixelwise import data
from pixelwise.data import DataError, DataWarning, FolderError, storage
from pixelwise.data.augment import MEAN
from pixelwise.data.own import folder as folders
from pixelwise.data.own import make_table
from pixelwise.data.own.problems import MOST_LINES
from tests.helpers.own_pictures import CLASSES, labels, picture, write_folder

SIZE = (24, 32)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "my pets"


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(path)


def both(root, split_size=SIZE, **options):
    """All scenes of a folder by name: the mask of each."""
    scenes = [data.load(root, split, split_size, **options) for split in data.survey(root, **options).splits]
    return {name: mask for part in scenes for name, mask in zip(part.names, part.masks.numpy(), strict=True)}


def painted(number, colours):
    """Labels of picture `number` in these colours, one a class and one for void."""
    lookup = np.zeros((256, 3), np.uint8)
    lookup[[0, 1, 2, 255]] = colours
    return lookup[labels(number)]


class TestForms:
    """What comes out is the same whatever form it has on the disk."""

    def test_label_images_with_a_table(self, root):
        write_folder(root)
        scenes = data.load(root, "train", SIZE)
        assert (scenes.dataset, scenes.classes, scenes.colours) == ("own-my pets", ("background", "cat", "dog"), None)
        assert {name: mask.tolist() for name, mask in both(root).items()} == {
            f"p{i:02}": labels(i).tolist() for i in range(6)
        }

    def test_label_images_without_a_table(self, root):
        write_folder(root, table=None)
        assert data.load(root, "val", SIZE).classes == ("class 0", "class 1", "class 2")
        assert np.array_equal(both(root)["p03"], labels(3))

    @pytest.mark.parametrize("name", ["classes.txt", "CLASSES.TXT", "label_colors.txt", "labelmap.txt"])
    def test_colours_by_a_table_of_lines(self, root, name):
        write_folder(root, table=None)
        (root / name).write_text(
            "# r g b name\n0 0 0 background\n\n128 64 128\tcat, tame\n9 8 7 dog\n255 255 255 Void\n"
        )
        for i in range(6):
            write(root / f"masks/p{i:02}.png", painted(i, [(0, 0, 0), (128, 64, 128), (9, 8, 7), (255, 255, 255)]))
        scenes = data.load(root, "train", SIZE)
        assert scenes.classes == ("background", "cat, tame", "dog")
        assert scenes.colours == ((0, 0, 0), (128, 64, 128), (9, 8, 7))
        assert np.array_equal(both(root)["p03"], labels(3))

    @pytest.mark.parametrize(
        ("name", "text", "names", "codes"),
        [
            ("a.json", '{"a": 3, "b": 7, "VOID": 9}', "a b", (3, 7)),
            ("a.json", '["a", "b"]', "a b", (0, 1)),
            ("a.json", '{"a": "#ff0001", "b": [1, 2, 3]}', "a b", ((255, 0, 1), (1, 2, 3))),
            ("a.csv", "name,r,g,b\na,1,2,3\nb,4,5,6\n", "a b", ((1, 2, 3), (4, 5, 6))),
            ("a.txt", "# label:color_rgb:parts:actions\na:1,2,3::\nb:4,5,6::\n", "a b", ((1, 2, 3), (4, 5, 6))),
            ("a.txt", "a\nb\n", "a b", (0, 1)),
            ("a.txt", "7 a\r\n8 b\r\n", "a b", (7, 8)),
            ("a.txt", "a 7\nb 8\n", "a b", (7, 8)),
            ("a.txt", "\ufeffa=7\nb=8\n", "a b", (7, 8)),
        ],
    )
    def test_tables(self, tmp_path, name, text, names, codes):
        (tmp_path / name).write_text(text, encoding="utf-8")
        table = make_table(tmp_path / name)
        assert (" ".join(table.names), table.codes) == (names, codes)

    @pytest.mark.parametrize(
        ("void", "becomes"),
        [({}, 255), ({"void": 9, "ignore": 255}, 255), ({"void": "rest"}, 255), ({"border": 255}, 3)],
    )
    def test_void_is_what_the_table_says(self, root, void, becomes):
        write_folder(root, table=CLASSES | void)
        assert set(np.unique(both(root)["p00"])) == {0, 1, 2, becomes}

    @pytest.mark.parametrize("form", ["palette", "rgb of greys", "rgba", "16 bits", "tif"])
    def test_masks_in_other_modes(self, root, form):
        write_folder(root)
        for i in range(6):
            image = Image.fromarray(labels(i))
            if form == "palette":
                image.putpalette([value for i in range(256) for value in (i, 255 - i, 7)])
            elif form == "16 bits":
                image = Image.fromarray(labels(i).astype(np.uint16))
            elif form.startswith("rgb"):
                image = image.convert("RGBA" if form == "rgba" else "RGB")
            os.unlink(root / f"masks/p{i:02}.png")
            write(root / f"masks/p{i:02}.{'tif' if form == 'tif' else 'png'}", image)
        assert np.array_equal(both(root)["p03"], labels(3))

    @pytest.mark.parametrize(("depth", "table"), [(1, {"a": 0, "b": 1}), (1, {"a": 0, "b": 255}), (4, CLASSES)])
    def test_masks_of_few_bits(self, root, depth, table):
        write_folder(root, table=table)
        for i in range(6):
            truth = labels(i) % 255
            image = Image.fromarray(truth if depth == 4 else truth.clip(0, 1) * 255)
            image = image.convert("1", dither=Image.Dither.NONE) if depth == 1 else image
            path = root / f"masks/p{i:02}.png"
            write(path, image)
            if depth == 4:
                path.write_bytes(png_of_four_bits(truth))
        assert np.array_equal(both(root)["p03"], labels(3) % 255 if depth == 4 else (labels(3) % 255).clip(0, 1))

    @pytest.mark.parametrize(
        ("picture_at", "mask_at"),
        [
            ("images/{}.jpg", "masks/{}.png"),
            ("Images/{}.JPG", "Labels/{}.PNG"),
            ("img/{}.jpg", "annotations/{}.png"),
            ("JPEGImages/{}.jpg", "SegmentationClass/{}.png"),
            ("images/{}.jpg", "annotations/trimaps/{}.png"),
            ("images/clip/{}.jpg", "masks/clip/{}.png"),
            ("images/{}.jpg", "masks/{}_mask.png"),
            ("{}.jpg", "{}_L.png"),
            ("{}.jpg", "{}-mask.png"),
            ("{}_sat.jpg", "{}_mask.png"),
            ("image_{}.png", "mask_{}.png"),
            ("pics/{}.jpg", "pics/{}_label.png"),
            ("images/{}.jpg", "images/{}_mask.png"),
            ("pets/images/{}.jpg", "pets/masks/{}.png"),
            ("leftImg8bit/{}_leftImg8bit.png", "gtFine/{}_gtFine_labelIds.png"),
        ],
    )
    def test_layouts(self, root, picture_at, mask_at):
        write_folder(root, 1)
        for i in range(6):
            write(root / picture_at.format(f"p{i:02}"), picture(i))
            write(root / mask_at.format(f"p{i:02}"), labels(i))
        for path in (root / "images/p00.jpg", root / "masks/p00.png"):
            if path not in (root / picture_at.format("p00"), root / mask_at.format("p00")):
                path.unlink()
        write(root / "SegmentationObject/p00.png", labels(0))
        (root / ".DS_Store").write_bytes(b"\0")
        (root / "._p00.jpg").write_bytes(b"\0")
        assert len(data.survey(root).splits["train"]) == 5
        (found,) = [mask for name, mask in both(root).items() if "p03" in name]
        assert np.array_equal(found, labels(3))

    @pytest.mark.parametrize(
        ("pictures", "masks"),
        [
            ("{}/images", "{}/masks"),
            ("images/{}", "masks/{}"),
            ("{}", "{}annot"),
            ("{}", "{}_labels"),
            ("images_{}", "labels_{}"),
            ("{}/images", "{}/ground truth"),
        ],
    )
    def test_ready_made_splits(self, root, pictures, masks):
        root.mkdir()
        (root / "classes.json").write_text(json.dumps(CLASSES))
        for i, split in enumerate(["train", "train", "val", "test"]):
            write(root / pictures.format(split) / f"{i}.png", picture(i))
            write(root / masks.format(split) / f"{i}.png", labels(i))
        found = data.survey(root)
        assert {split: len(pairs) for split, pairs in found.splits.items()} == {"train": 2, "val": 1, "test": 1}
        assert np.array_equal(data.load(root, "test", SIZE).masks[0], labels(3))

    def test_validation_by_another_name_and_a_test_split_without_masks(self, root):
        root.mkdir()
        for i, split in enumerate(["training", "training", "validation"]):
            write(root / "images" / split / f"{i}.png", picture(i))
            write(root / "annotations" / split / f"{i}.png", labels(i))
        write(root / "images/test/9.png", picture(9))
        found = data.survey(root)
        assert {split: len(pairs) for split, pairs in found.splits.items()} == {"train": 2, "val": 1}
        assert any("test holds no masks" in note for note in found.notes)

    @pytest.mark.parametrize("place", ["", "ImageSets/Segmentation/"])
    @pytest.mark.parametrize(
        "line", ["{}", "{}.jpg", "images/{}.jpg", "/data/pets/images/{}.jpg /data/pets/masks/{}.png", "  {}  "]
    )
    def test_lists(self, root, place, line):
        write_folder(root)
        (root / "images/left out.jpg").write_bytes((root / "images/p00.jpg").read_bytes())
        for split, numbers in {"train": (3, 1, 0), "val": (2,), "test": (5,)}.items():
            path = root / place / f"{split}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(line.replace("{}", f"p{i:02}") + "\n" for i in numbers))
        found = data.survey(root)
        assert {split: [pair.name for pair in pairs] for split, pairs in found.splits.items()} == {
            "train": ["p00", "p01", "p03"], "val": ["p02"], "test": ["p05"],
        }  # fmt: skip
        assert any("train.txt" in note for note in found.notes)

    def test_what_val_does_not_list_is_train(self, root):
        write_folder(root)
        (root / "val.txt").write_text("p02\np03\n")
        assert [pair.name for pair in data.survey(root).splits["train"]] == ["p00", "p01", "p04", "p05"]

    def test_names_with_blanks_and_of_any_script(self, root):
        names = ["my cat.1", "고양이", "chat é", "neko 猫", "a'b\"c", "$x$"]
        write_folder(root, names=names)
        (root / "masks/chat é.png").rename(root / "masks/chat e\u0301.png")  # as some systems write it
        (root / "val.txt").write_text("my cat.1\n고양이\n", encoding="utf-8")
        assert set(both(root)) == set(names)

    def test_links_to_files_and_folders_are_followed_and_loops_are_not(self, root, tmp_path):
        write_folder(tmp_path / "elsewhere")
        root.mkdir()
        (root / "images").symlink_to(tmp_path / "elsewhere/images")
        (root / "masks").symlink_to(tmp_path / "elsewhere/masks")
        (tmp_path / "elsewhere/images/loop").symlink_to(root)
        assert len(both(root)) == 6

    def test_cityscapes_and_further_forms_of_its_masks(self, root):
        for i in range(3):
            split, stem = ("train", "train", "val")[i], f"ulm_00000{i}_000019"
            write(root / f"leftImg8bit/{split}/ulm/{stem}_leftImg8bit.png", picture(i))
            for kind in ("labelIds", "instanceIds", "color"):
                write(root / f"gtFine/{split}/ulm/{stem}_gtFine_{kind}.png", labels(i))
        assert {split: len(pairs) for split, pairs in data.survey(root).splits.items()} == {"train": 2, "val": 1}


class TestSizes:
    def test_pictures_of_any_shape_are_whole_padded_and_their_padding_void(self, root):
        for i, size in enumerate([(40, 20), (20, 40), (24, 32), (1, 90), (60, 80)]):
            write(root / f"images/{i}.png", np.full((*size, 3), 200, np.uint8))
            write(root / f"masks/{i}.png", np.pad(np.ones((size[0], size[1] - 2), np.uint8), ((0, 0), (2, 0))))
        scenes = [data.load(root, split, (24, 32)) for split in ("train", "val")]
        both_masks = {
            name: (image, mask) for part in scenes for name, image, mask in zip(part.names, *part, strict=True)
        }
        covered = {"0": (24, 12), "1": (16, 32), "2": (24, 32), "3": (1, 32), "4": (24, 32)}
        for name, (high, wide) in covered.items():
            image, mask = both_masks[name]
            inside = mask != 255
            assert int(inside.sum()) == high * wide
            assert (image[:, inside] == 200).all()
            assert (image[:, ~inside] == torch.tensor(folders.FILL, dtype=torch.uint8)[:, None]).all()
        assert tuple(round(255 * mean) for mean in MEAN) == folders.FILL

    def test_labels_are_never_mixed(self, root):
        write_folder(root)
        for mask in both(root, (60, 90)).values():
            assert set(np.unique(mask)) <= {0, 1, 2, 255}


class TestDivision:
    def test_a_fixed_share_that_is_the_same_everywhere_and_moves_little(self, root):
        write_folder(root, 20)
        found = data.survey(root)
        assert found.notes[0].startswith("divided 16 pairs for train and 4 for val, drawn by a hash of their names")
        val = {pair.name for pair in found.splits["val"]}
        assert val == {"p07", "p08", "p11", "p17"}
        write(root / "images/zz.jpg", picture(77))
        write(root / "masks/zz.png", labels(77))
        assert len(val & {pair.name for pair in data.survey(root).splits["val"]}) >= 3

    @pytest.mark.parametrize(
        "names",
        [
            [f"{s}_{i:06}" for s in ("0001TP", "0006R0", "0016E5") for i in range(5)],
            [f"clip{s}_{i:04}" for s in range(3) for i in range(5)],
            [f"Seq{s}VD_f{i:05}" for s in range(3) for i in range(5)],
            [f"walk {s}/{i:04}" for s in range(3) for i in range(5)],
        ],
    )
    def test_sequences_are_not_divided(self, root, names):
        write_folder(root, names=names)
        found = data.survey(root)
        sequence = [{pair.name[:6] for pair in found.splits[split]} for split in ("train", "val")]
        assert not sequence[0] & sequence[1]
        assert len(found.splits["val"]) == 5
        assert "of 3 sequences, none of which is divided" in found.notes[0]

    @pytest.mark.parametrize(("sizes", "val"), [((15, 15), 15), ((28, 2), 2), ((40, 30), 30), ((50, 48, 1, 1), 50)])
    def test_sequences_of_any_length(self, root, sizes, val):
        write_folder(root, names=[f"clip{s}_{i:02}" for s, size in enumerate(sizes) for i in range(size)])
        assert len(data.survey(root).splits["val"]) == val

    def test_one_pair_can_t_be_divided_and_two_can(self, root):
        write_folder(root, 2)
        assert [len(pairs) for pairs in data.survey(root).splits.values()] == [1, 1]

    def test_a_camera_s_numbers_are_no_sequence(self, root):
        write_folder(root, names=[f"IMG_{i:04}" for i in range(10)])
        assert len(data.survey(root).splits["val"]) == 2


class TestKept:
    def test_a_cache_is_made_once_and_a_changed_folder_makes_another(self, root, tmp_path, monkeypatch):
        write_folder(root)
        first = data.load(root, "train", SIZE)
        (cache,) = (tmp_path / "data/cache/own").rglob("*.safetensors")
        reading = folders.fit_into
        monkeypatch.setattr(folders, "fit_into", lambda *_: pytest.fail("pictures were read again"))
        assert torch.equal(data.load(root, "train", SIZE).masks, first.masks)
        monkeypatch.setattr(folders, "fit_into", reading)
        write(root / f"masks/{first.names[0]}.png", np.ones(SIZE, np.uint8))
        assert (data.load(root, "train", SIZE).masks[0] == 1).all()
        (other,) = (tmp_path / "data/cache/own").rglob("*.safetensors")
        assert other != cache

    @pytest.mark.survives("Your own folders with faults")
    def test_nothing_is_kept_of_a_folder_with_a_fault(self, root, tmp_path):
        write_folder(root)
        (root / "masks/p05.png").unlink()
        with pytest.raises(FolderError):
            data.load(root, "train", SIZE)
        assert not (tmp_path / "data").exists()

    @pytest.mark.survives("Your own folders with faults")
    def test_a_file_that_changes_between_check_and_reading_is_named(self, root, tmp_path):
        write_folder(root)
        found = data.survey(root)
        write(found.splits["train"][0].mask, np.full(SIZE, 77, np.uint8))
        with pytest.raises(DataError, match=r"p0\d\.png holds label 77"):
            folders.read(found, "train", SIZE)
        assert not list((tmp_path / "data").rglob("*.safetensors"))

    def test_where_it_can_t_be_kept(self, root, monkeypatch):
        write_folder(root)

        def full(*_):
            raise storage.StorageError("no space")

        monkeypatch.setattr(storage, "write", full)
        with pytest.warns(DataWarning, match="going on without a cache"):
            assert len(data.load(root, "train", SIZE)) == 5
        with pytest.raises(DataError, match="no space"):
            data.load(root, "train", SIZE, keep=True)


def png_of_four_bits(values):
    """A grey PNG of four bits a pixel, which Pillow does not write."""
    import struct
    import zlib

    rows = b"".join(b"\0" + bytes(row[i] << 4 | row[i + 1] for i in range(0, len(row), 2)) for row in values.tolist())
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 4, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    parts = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def raw(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def table(root, value):
    (root / "classes.json").write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def coloured(root, without_table=False, swap=False, smooth=False):
    """All masks in colours, and a table for them."""
    for i in range(6):
        image = Image.fromarray(painted(i, [(0, 0, 0), (200, 10, 30), (9, 8, 7), (255, 255, 255)]))
        if swap and i == 3:
            image = Image.merge("RGB", image.split()[::-1])
        if smooth and i == 3:
            image = image.resize((640, 480), Image.Resampling.BICUBIC).resize((32, 24), Image.Resampling.BILINEAR)
        write(root / f"masks/p{i:02}.png", image)
    names = {"background": [0, 0, 0], "cat": [200, 10, 30], "dog": "#090807", "void": "#ffffff"}
    table(root, names) if not without_table else (root / "classes.json").unlink()


def lists(root, **splits):
    for split, names in splits.items():
        (root / f"{split}.txt").write_text("\n".join(names.split()))


def instances(i):
    found = labels(i).astype(np.uint16) % 255
    return np.where(found == 2, 26001 + i, found).astype(np.uint16)


def turned_by_the_camera(root):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(3).save(root / "images/p03.jpg", exif=exif)


FAULTS = {
    "picture without mask": (lambda r: (r / "masks/p03.png").unlink(), "images/p03.jpg has no mask: add one"),
    "mask without picture": (lambda r: (r / "images/p03.jpg").unlink(), "masks/p03.png has no picture: add the one"),
    "other size of mask": (
        lambda r: write(r / "masks/p03.png", labels(3)[:20]),
        "masks/p03.png is 20×32, and its picture 24×32: draw it on the picture",
    ),
    "picture turned by the camera": (turned_by_the_camera, "the camera turned the picture (EXIF): save it turned"),
    "unknown label": (
        lambda r: write(r / "masks/p03.png", np.full(SIZE, 31, np.uint8)),
        "masks/p03.png holds label 31 (100% of its pixels), which classes.json does not have: add it",
    ),
    "unknown colour": (
        lambda r: (coloured(r), write(r / "masks/p03.png", np.full((*SIZE, 3), 90, np.uint8))),
        "masks/p03.png holds colour [90, 90, 90] (100% of its pixels), which classes.json does not have: add it",
    ),
    "red and blue swapped": (lambda r: coloured(r, swap=True), "with red and blue swapped, as OpenCV writes (BGR)"),
    "smoothed edges": (lambda r: coloured(r, smooth=True), "edges were smoothed, or it was stored with loss"),
    "class table that is no JSON": (lambda r: table(r, "{cat: 1}"), "classes.json is no JSON (Expecting"),
    "class table of something else": (lambda r: table(r, {"a": {"b": 1}, "c": 2}), "gives 'a' the value"),
    "class table with a number too large": (lambda r: table(r, {"a": 0, "b": 70000}), "number from 0 to 65535"),
    "class table with a colour too bright": (lambda r: table(r, {"a": [0, 0, 256], "b": [1, 1, 1]}), "[0, 0, 256]"),
    "class table with a name twice": (lambda r: table(r, '{"a": 0, "a": 1}'), "names the class 'a' twice"),
    "class table with a code twice": (lambda r: table(r, {"a": 0, "b": 0}), "gives label 0 to 'b' and to another"),
    "class table with numbers and colours": (lambda r: table(r, {"a": 0, "b": [1, 2, 3]}), "give all of them the same"),
    "class table with an empty name": (lambda r: table(r, {" ": 0, "b": 1}), "names a class ' '"),
    "class table with an unprintable name": (lambda r: table(r, {"a\n": 0, "b": 1}), r"names a class 'a\n'"),
    "empty class table": (lambda r: table(r, {}), "has no class beside void"),
    "class table that is no text": (lambda r: raw(r / "classes.json", b"\xff\xfe\0"), "classes.json is no UTF-8 text"),
    "class table that is huge": (lambda r: table(r, " " * 2_000_000), "is too long for a class table"),
    "class table that nests": (lambda r: table(r, "[" * 100_000), "classes.json is no JSON"),
    "two class tables": (
        lambda r: raw(r / "classes.txt", b"a\nb\n"),
        "classes.json and classes.txt are both class tables",
    ),
    "class table of lines with a name alone": (
        lambda r: ((r / "classes.json").unlink(), raw(r / "classes.txt", b"1 2 3 a\nb\n")),
        'classes.txt has a line "b" without a number or a colour',
    ),
    "one class only": (lambda r: table(r, {"cat": 1}), 'has one class only, "cat" beside void'),
    "more classes than a byte has": (
        lambda r: table(r, {f"c{i}": i for i in range(256)}),
        "has 256 classes, expected at most 255",
    ),
    "coloured masks and numbers in the table": (
        lambda r: (coloured(r), table(r, CLASSES)),
        "masks/p03.png is coloured, and the classes have numbers",
    ),
    "coloured masks and no table": (
        lambda r: coloured(r, without_table=True),
        'write classes.json into the folder, or name one (--classes), such as {"class 0": [0, 0, 0], "class 1": [',
    ),
    "labels 0 and 255 and no table": (
        lambda r: (
            (r / "classes.json").unlink(),
            [write(r / f"masks/p{i:02}.png", (labels(i) == 1) * np.uint8(255)) for i in range(6)],
        ),
        "masks hold the labels 0, 255, and no class table says what for: write classes.json",
    ),
    "unreadable picture": (lambda r: raw(r / "images/p03.jpg", b"GIF89a"), "images/p03.jpg"),
    "half a picture": (
        lambda r: raw(r / "images/p03.jpg", (r / "images/p03.jpg").read_bytes()[:400]),
        "images/p03.jpg can't be decoded",
    ),
    "empty mask": (lambda r: raw(r / "masks/p03.png", b""), "masks/p03.png is no picture that can be read here"),
    "JPEG mask": (
        lambda r: ((r / "masks/p03.png").unlink(), write(r / "masks/p03.jpg", labels(3))),
        "masks/p03.jpg is a JPEG, which blurs labels into each other: export the mask as PNG",
    ),
    "JPEG that is called PNG": (
        lambda r: Image.fromarray(labels(3)).save(r / "masks/p03.png", "JPEG"),
        "masks/p03.png is a JPEG",
    ),
    "mask with transparency": (
        lambda r: write(r / "masks/p03.png", np.zeros((*SIZE, 4), np.uint8)),
        "masks/p03.png is transparent in places: flatten",
    ),
    "instances of 16 bits": (
        lambda r: write(r / "masks/p03.png", instances(3)),
        "masks/p03.png holds label 26004",
    ),
    "instances, and what they are": (
        lambda r: write(r / "masks/p03.png", instances(3)),
        "numbers of instances, not of classes",
    ),
    "16 bits and colours in the table": (
        lambda r: (coloured(r), write(r / "masks/p03.png", instances(3))),
        "masks/p03.png holds numbers of more than 8 bits, and the classes have colours",
    ),
    "numbers that are no whole ones": (
        lambda r: ((r / "masks/p03.png").unlink(), write(r / "masks/p03.tif", np.full(SIZE, 0.5, np.float32))),
        "masks/p03.tif holds numbers that are no whole ones",
    ),
    "mask all void": (
        lambda r: write(r / "masks/p03.png", np.full(SIZE, 255, np.uint8)),
        "masks/p03.png holds nothing but void",
    ),
    "list with a name that is not there": (
        lambda r: lists(r, train="p00 p01 p99", val="p02"),
        'line 3 of train.txt names "p99", which is not there: mend the list',
    ),
    "list with a picture without mask": (
        lambda r: (lists(r, train="p00 p01 p03", val="p02"), (r / "masks/p03.png").unlink()),
        'line 3 of train.txt names "p03", which has no mask',
    ),
    "list with a name twice": (lambda r: lists(r, train="p00 p01 p00", val="p02"), "train.txt names p00 2 times"),
    "lists that overlap": (lambda r: lists(r, train="p00 p01", val="p01"), "p01 is in the lists of train and of val"),
    "empty list": (
        lambda r: lists(r, train="p00 p01", val=""),
        "the split val is empty (6 pairs in all): name pictures",
    ),
    "list that is no text": (lambda r: raw(r / "train.txt", b"\xff\xfep"), "train.txt can't be read as UTF-8 text"),
    "a name in the list that two have": (
        lambda r: (
            [
                (write(r / f"images/{d}/x.png", picture(i)), write(r / f"masks/{d}/x.png", labels(i)))
                for i, d in enumerate("ab")
            ],
            lists(r, train="p00 p01 x", val="p02"),
        ),
        'names "x", which 2 pictures have: write the folder',
    ),
    "empty folder of a split": (
        lambda r: (
            (r / "images").rename(r / "i"),
            (r / "masks").rename(r / "m"),
            [(r / f"{s}/{k}").mkdir(parents=True) for s in ("train", "val") for k in ("images", "masks")],
            (r / "i").rename(r / "train/images/a"),
            (r / "m").rename(r / "train/masks/a"),
        ),
        "the split val is empty",
    ),
    "one pair only": (
        lambda r: [
            (r / f"{p}{i:02}{s}").unlink() for i in range(1, 6) for p, s in (("images/p", ".jpg"), ("masks/p", ".png"))
        ],
        "the split train is empty (1 pairs in all)",
    ),
    "one picture twice under two names": (
        lambda r: (
            lists(r, train="p00 p01", val="p02"),
            raw(r / "images/p02.jpg", (r / "images/p00.jpg").read_bytes()),
        ),
        "images/p02.jpg (val) is the same picture as images/p00.jpg (train): keep one of them",
    ),
    "two pictures of a name": (
        lambda r: write(r / "images/p03.png", picture(3)),
        "images/p03.jpg and images/p03.png are both pictures for p03: keep one",
    ),
    "two masks of a name": (
        lambda r: write(r / "masks/p03_mask.png", labels(3)),
        "masks/p03.png and masks/p03_mask.png are both masks for p03: keep one",
    ),
    "link to nothing": (lambda r: (r / "images/p09.jpg").symlink_to("gone.jpg"), "images/p09.jpg is a link to nothing"),
    "link to itself": (lambda r: (r / "images/p09.jpg").symlink_to("p09.jpg"), "images/p09.jpg is a link to nothing"),
    "pipe": (lambda r: os.mkfifo(r / "images/p09.jpg"), "images/p09.jpg is a pipe, a socket or a device"),
    "folder that is called like a picture": (
        lambda r: ((r / "images/p03.jpg").unlink(), (r / "images/p03.jpg").mkdir()),
        "masks/p03.png has no picture",
    ),
    "a format that is not read": (
        lambda r: raw(r / "images/p09.HEIC", b"x"),
        "images/p09.HEIC can't be read here: save it as JPEG",
    ),
    "no masks": (
        lambda r: [path.unlink() for path in (r / "masks").iterdir()],
        "holds 6 pictures and no masks: put them into masks/ beside images/, or call them NAME_mask.png",
    ),
    "polygons instead of masks": (
        lambda r: [(path.unlink(), raw(path.with_suffix(".json"), b"{}")) for path in (r / "masks").iterdir()],
        "it also holds 6 .json files: export those as PNG masks",
    ),
    "no pictures": (lambda r: [path.unlink() for path in (r / "images").iterdir()], "holds 6 masks and no pictures"),
    "nothing": (
        lambda r: [path.unlink() for path in [*r.rglob("*.*")]],
        "holds no pictures: give the folder that holds",
    ),
}


class TestFaults:
    @pytest.mark.survives("Your own folders with faults")
    @pytest.mark.parametrize("fault", FAULTS)
    def test_one_line_names_the_file_and_the_cure(self, root, tmp_path, fault):
        do, expected = FAULTS[fault]
        write_folder(root)
        do(root)
        with pytest.raises(FolderError) as raised:
            data.load(root, "train", SIZE)
        head, *lines = raised.value.lines
        assert head.startswith(f"{root} can't be used as it is; there ")
        assert any(expected in line for line in lines), lines
        assert all("\n" not in line and line.isprintable() for line in lines)
        assert not (tmp_path / "data").exists()

    @pytest.mark.survives("Your own folders with faults")
    def test_all_faults_are_found_in_one_pass(self, root):
        write_folder(root, 40)
        (root / "masks/p00.png").unlink()
        (root / "images/p01.jpg").unlink()
        raw(root / "images/p02.jpg", b"x")
        for i in range(3, 33):
            write(root / f"masks/p{i:02}.png", np.full(SIZE, i, np.uint8))
        write(root / "masks/p39.png", labels(1)[:9])
        lists(root, trian="p05")  # of no split: it says nothing
        with pytest.raises(FolderError) as raised:
            data.survey(root)
        assert len(raised.value.problems) == 34
        head, *lines = str(raised.value).splitlines()
        assert "there are 34 problems" in head
        assert len(lines) == MOST_LINES + 1
        for name in (
            "p00.jpg has no mask",
            "p01.png has no picture",
            "p02.jpg",
            "p03.png holds label 3",
            "p39.png is 9×32",
        ):
            assert any(name in line for line in lines), name
        assert lines[-1] == "  … and 14 more: 14 masks with wrong labels"

    @pytest.mark.survives("Your own folders with faults")
    @pytest.mark.parametrize("there", [False, True])
    def test_what_is_no_folder(self, tmp_path, there):
        path = tmp_path / "photo.jpg"
        if there:
            picture(0).save(path)
        with pytest.raises(
            DataError, match="is a file, not a folder; give the" if there else "or a folder that is there"
        ):
            data.load(path, "train", SIZE)

    @pytest.mark.survives("Your own folders with faults")
    def test_a_class_that_is_never_seen_is_a_warning(self, root):
        write_folder(root, table=CLASSES | {"snake": 3})
        with pytest.warns(DataWarning, match="no mask in own-my pets holds snake: it can't be learned"):
            assert len(data.load(root, "val", SIZE).classes) == 4

    @pytest.mark.survives("Your own folders with faults")
    def test_a_class_that_only_val_holds_is_a_warning(self, root):
        write_folder(root, table=CLASSES | {"snake": 3})
        write(root / "masks/p05.png", np.full(SIZE, 3, np.uint8))
        lists(root, val="p05")
        with pytest.warns(DataWarning, match="no mask of train in own-my pets holds snake"):
            data.survey(root)

    @pytest.mark.survives("Your own folders with faults")
    def test_a_split_that_a_folder_has_not(self, root):
        write_folder(root)
        with pytest.raises(DataError, match=r"has no split 'test'; it has train, val: add a folder or test\.txt"):
            data.load(root, "test", SIZE)

    @pytest.mark.parametrize(("option", "value"), [("source", "x"), ("knobs", object())])
    def test_options_of_other_data_sets(self, root, option, value):
        with pytest.raises(DataError, match=f"{option} w.* given for .* it is for"):
            data.load(root, "train", SIZE, **{option: value})
        with pytest.raises(DataError, match='classes were given for "camvid"'):
            data.load("camvid", "train", SIZE, classes=["a", "b"])

    def test_reading_in_threads_leaves_warnings_as_they_were(self, root):
        write_folder(root, 12)
        before = list(warnings.filters)
        data.load(root, "train", SIZE)
        assert warnings.filters == before

    def test_a_folder_that_is_called_like_a_data_set(self, tmp_path, monkeypatch):
        write_folder(tmp_path / "streets")
        monkeypatch.chdir(tmp_path)
        assert data.load("./streets", "val", SIZE).dataset == "own-streets"
