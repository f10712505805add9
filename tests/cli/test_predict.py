"""The prediction command as its user meets it, with a tiny untrained network."""

import io
import os
import re
import socket
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from pixelwise.cli import predict, sealed_png
from pixelwise.data import CLASSES
from pixelwise.data.augment import normalise
from pixelwise.data.photos import read
from pixelwise.evaluation import pictures
from pixelwise.evaluation.inference import SCALES, scores
from pixelwise.figures import DISPLAY_COLOURS
from pixelwise.figures.overlay import LEGEND_WIDTH
from pixelwise.zoo import weights
from pixelwise.zoo.registry import NetworkSpec
from tests.helpers import warm


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    network = NetworkSpec("unet", 11, width=2)
    weights.save(path, network.build(), weights.Metadata(network, CLASSES, "camvid", (36, 48)))
    return path


@pytest.fixture
def picture(tmp_path):
    """A function that writes a random picture of some size and returns its path."""

    def write(name="photo.jpg", size=(60, 80)):
        pixels = np.random.default_rng(0).integers(256, size=(*size, 3), dtype=np.uint8)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    return write


def run(file, *arguments):
    predict.main(["--weights", str(file), "--device", "cpu", *map(str, arguments)])


@pytest.mark.survives("Odd, oblong, tiny and huge pictures")
@pytest.mark.parametrize("size", [(60, 80), (80, 60), (1, 1), (1, 900), (700, 3), (33, 47), (300, 500)])
def test_any_size_gives_a_mask_of_that_size_and_an_overlay_with_a_legend(file, picture, tmp_path, size):
    path = picture(size=size)
    run(file, path, "--out", tmp_path / "out")
    mask = Image.open(tmp_path / "out" / "photo-mask.png")
    assert mask.mode == "P"
    assert mask.size == size[::-1]
    assert np.asarray(mask).max() <= 10
    assert mask.getpalette()[:33] == [value for colour in DISPLAY_COLOURS for value in colour]
    assert mask.text["classes"].startswith("0 sky, 1 building")
    overlay = Image.open(tmp_path / "out" / "photo-overlay.png")
    assert overlay.mode == "RGB"
    assert overlay.width >= LEGEND_WIDTH
    assert overlay.height > size[0]


def test_the_legend_names_every_class_that_occurs(file, picture, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda self, xy, text, **_: written.append(text))
    run(file, picture(), "--out", tmp_path)
    labels = np.unique(np.asarray(Image.open(tmp_path / "photo-mask.png")))
    assert {text.rsplit(" ", 2 if "<" in text else 1)[0] for text in written} == {CLASSES[i] for i in labels}


def test_alpha_covers_nothing_or_all(file, picture, tmp_path):
    path = picture("photo.png", size=(120, 600))
    original = np.asarray(Image.open(path))
    for alpha in (0, 1):
        run(file, path, "--out", tmp_path, "--alpha", alpha)
        overlay = np.asarray(Image.open(tmp_path / "photo-overlay.png"))[:120]
        mask = np.asarray(Image.open(tmp_path / "photo-mask.png"))
        assert np.array_equal(overlay, np.array(DISPLAY_COLOURS, np.uint8)[mask] if alpha else original)


def test_labels_are_those_of_interpolated_logits():
    """Row by row, so that a large photograph fits, and yet the same as all at once."""
    generator = torch.Generator().manual_seed(0)
    for size in ((700, 41), (5, 8), (23, 30)):
        logits = torch.randn(11, 23, 30, generator=generator)
        whole = F.interpolate(logits[None], size, mode="bilinear", align_corners=False)[0]
        labels = pictures.enlarge_and_label(logits, size)
        agree = labels == whole.argmax(0)
        top = whole.topk(2, 0).values
        assert agree[(top[0] - top[1]) > 1e-4].all()
        assert agree.float().mean() > 0.999


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((720, 960), (360, 480)),
        ((960, 720), (480, 360)),
        ((90, 120), (360, 480)),
        ((1080, 1920), (360, 640)),
        ((400, 2000), (360, 1800)),  # a panorama is no smaller than another picture
        ((400, 20_000), (118, 4096)),  # but for one that would fill memory
        ((1, 10_000_000), (32, 4096)),
    ],
)
def test_the_network_sees_the_photo_at_its_own_scale(size, shown):
    assert pictures.working_size(size, (360, 480)) == shown


def test_a_closer_look_is_the_same_picture_larger_and_in_windows():
    """Of a network that looks at nothing but a pixel, windows are neither seen nor missed."""
    network = torch.nn.Conv2d(3, 4, 1)
    picture = torch.randint(256, (3, 80, 130), dtype=torch.uint8)
    windows = []
    network.register_forward_hook(lambda module, inputs, output: windows.append(inputs[0].shape[-2:]))
    labels = pictures.label(network, picture, (40, 60), closer=2)
    assert pictures.working_size((80, 130), (40, 60), 2) == (80, 130)
    assert set(windows) == {(64, 64)}
    with torch.no_grad():
        expected = network(normalise(picture[None]))[0].argmax(0)
    assert (labels == expected).float().mean() > 0.999


def test_it_says_at_which_size_and_by_which_weights(file, picture, tmp_path, capsys, monkeypatch):
    path = picture(size=(72, 96))
    run(file, path, "--out", tmp_path)
    said = capsys.readouterr().out
    assert "w: unet, trained on camvid at 36×48" in said
    assert "for non-commercial use; --weights streets takes free ones" in said
    assert f"{path}, shown at 36×48: " in said
    monkeypatch.setitem(weights.SHIPPED, "streets", file)
    run("streets", path, "--out", tmp_path, "--closer", "2")
    assert f"{path}, shown at 72×96 in windows of 64×64: " in capsys.readouterr().out


def test_a_thorough_look_averages_over_sizes(file, picture, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(pictures, "scores", lambda *given, scales: seen.append(scales) or scores(*given, scales))
    path = picture(size=(72, 96))
    run(file, path, "--out", tmp_path, "--thorough")
    assert seen == [SCALES]
    model, metadata = weights.load(file)
    expected = pictures.label(model, read(path), metadata.size, scales=SCALES)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "photo-mask.png")), expected.numpy())


def test_a_folder_and_names_that_meet(file, picture, tmp_path, capsys):
    for name in ("ferien é/한 국.png", "ferien é/x.jpg", "ferien é/x.png", "other/X.jpg"):
        picture(name)
    run(file, tmp_path / "ferien é", tmp_path / "other" / "X.jpg", "--out", tmp_path / "seen here")
    names = sorted(p.name for p in (tmp_path / "seen here").iterdir())
    stems = ["X-3", "x", "x-2", "한 국"]
    assert names == sorted(f"{stem}-{kind}.png" for stem in stems for kind in ("mask", "overlay"))
    assert capsys.readouterr().out.count(" → ") == 4


def test_the_current_folder_by_default(file, picture, tmp_path, monkeypatch):
    picture()
    monkeypatch.chdir(tmp_path)
    hidden = tmp_path / ".bashrc"
    hidden.write_text("mine")
    os.utime(hidden, (0, 0))  # old enough to be swept from a cache
    run(file, "photo.jpg")
    assert {p.name for p in tmp_path.iterdir()} == {".bashrc", "photo.jpg", "photo-mask.png", "photo-overlay.png"}


@pytest.mark.survives("Corrupt pictures, decompression bombs")
def test_one_damaged_picture_does_not_stop_the_others(file, picture, tmp_path, capsys):
    good, bad = picture(), tmp_path / "bad.jpg"
    bad.write_bytes(good.read_bytes()[:1500])
    with pytest.raises(SystemExit) as ended:
        run(file, bad, tmp_path / "none.jpg", good, "--out", tmp_path)
    assert ended.value.code == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "bad.jpg can't be decoded" in said[0]
    assert "there is no file" in said[1]
    assert (tmp_path / "photo-mask.png").exists()
    assert not (tmp_path / "bad-mask.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--weights", "nowhere.safetensors"), "there are no weights at nowhere.safetensors"),
        (("--device", "gpu"), "no device 'gpu'"),
        (("--alpha", "2"), "'2' is no number from 0 to 1"),
        (("--max-megapixels", "nan"), "'nan' is no number above 0 and at most 1000"),
        (("--max-megapixels", "inf"), "'inf' is no number above 0 and at most 1000"),
        (("--max-megapixels", "0"), "'0' is no number above 0 and at most 1000"),
        (("--max-megapixels", "1000.5"), "'1000.5' is no number above 0 and at most 1000"),
        (("--out", ""), "a name is empty"),
        (("--weights", ""), "a name is empty"),
        (("--out", __file__), "can't be a folder"),
    ],
)
def test_mistakes_are_one_line(file, picture, capsys, arguments, message):
    with pytest.raises(SystemExit) as ended:
        run(file, picture(), *arguments)
    said = str(ended.value) if isinstance(ended.value.code, str) else capsys.readouterr().err.splitlines()[-1]
    assert message in said
    assert "\n" not in said


def made(folder):
    return {path.name for path in folder.iterdir()}


def refused(file, capsys, *arguments):
    """What a call that ends with status 1 said of its pictures."""
    with pytest.raises(SystemExit) as ended:
        run(file, *arguments)
    said = capsys.readouterr().err
    if isinstance(ended.value.code, str):
        return said + ended.value.code
    assert ended.value.code == 1
    return said


@pytest.mark.survives("Files of yours where a prediction would go")
class TestOnlyItsOwnFilesAreReplaced:
    MINE = b"my own label of this street"

    @pytest.fixture
    def street(self, picture):
        """A picture with a label of its user's beside it, under the very name that the mask would get."""
        path = picture("street.png")
        path.with_name("street-mask.png").write_bytes(self.MINE)
        return path

    @pytest.mark.parametrize("role", predict.ROLES)
    def test_a_file_of_its_users_is_kept_and_named_and_the_others_are_done(self, file, picture, tmp_path, capsys, role):
        street, other = picture("street.png"), picture("other.jpg")
        (tmp_path / f"street-{role}.png").write_bytes(self.MINE)
        said = refused(file, capsys, street, other, "--out", tmp_path)
        assert said.count("\n") == 1
        assert f"street-{role}.png is not this command's own" in said
        assert "--overwrite" in said
        assert (tmp_path / f"street-{role}.png").read_bytes() == self.MINE
        assert made(tmp_path) == {
            "street.png",
            f"street-{role}.png",
            "other.jpg",
            "other-mask.png",
            "other-overlay.png",
        }

    def test_it_is_replaced_where_that_is_asked_for(self, file, street, tmp_path):
        run(file, street, "--out", tmp_path, "--overwrite")
        assert Image.open(tmp_path / "street-mask.png").mode == "P"

    def test_its_own_are_replaced(self, file, picture, tmp_path):
        path = picture()
        run(file, path, "--out", tmp_path)
        first = (tmp_path / "photo-overlay.png").read_bytes()
        run(file, path, "--out", tmp_path, "--alpha", "0.1")
        assert (tmp_path / "photo-overlay.png").read_bytes() != first

    def test_its_own_are_kept_once_they_were_edited(self, file, picture, tmp_path, capsys):
        path, mask = picture(), tmp_path / "photo-mask.png"
        run(file, path, "--out", tmp_path)
        with Image.open(mask) as image:
            edited = image.copy()
        edited.putpixel((0, 0), (edited.getpixel((0, 0)) + 1) % 11)
        edited.save(mask)
        mended = mask.read_bytes()
        assert "photo-mask.png is not this command's own, was changed since" in refused(
            file, capsys, path, "--out", tmp_path
        )
        assert mask.read_bytes() == mended

    def test_write_protection_is_kept(self, file, picture, tmp_path, capsys):
        path, mask = picture(), tmp_path / "photo-mask.png"
        run(file, path, "--out", tmp_path)
        mask.chmod(0o444)
        before = mask.stat().st_ino
        assert "write-protected" in refused(file, capsys, path, "--out", tmp_path)
        assert mask.stat().st_ino == before
        run(file, path, "--out", tmp_path, "--overwrite")
        assert mask.stat().st_ino != before

    @pytest.mark.parametrize("target", ["thesis.txt", "nowhere", "own"])
    def test_a_link_is_kept_and_never_written_through(self, file, picture, tmp_path, capsys, target):
        path, link, thesis = picture(), tmp_path / "photo-mask.png", tmp_path / "thesis.txt"
        thesis.write_bytes(self.MINE)
        if target == "own":
            run(file, path, "--out", tmp_path / "elsewhere")
            target = tmp_path / "elsewhere" / "photo-mask.png"
        link.symlink_to(target)
        assert "photo-mask.png is a link, and is kept" in refused(file, capsys, path, "--out", tmp_path)
        assert link.is_symlink()
        run(file, path, "--out", tmp_path, "--overwrite")
        assert not link.is_symlink()
        assert thesis.read_bytes() == self.MINE
        assert not (tmp_path / "nowhere").exists()

    def test_the_other_name_of_a_hard_link_keeps_its_content(self, file, picture, tmp_path):
        path = picture()
        run(file, path, "--out", tmp_path)
        os.link(tmp_path / "photo-overlay.png", tmp_path / "kept.png")
        before = (tmp_path / "kept.png").read_bytes()
        run(file, path, "--out", tmp_path, "--alpha", "0.1")
        assert (tmp_path / "kept.png").read_bytes() == before

    @pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
    @pytest.mark.parametrize("kind", ["folder", "pipe"])
    def test_what_is_no_file_is_kept(self, file, picture, tmp_path, capsys, kind, overwrite):
        path = picture()
        (os.mkdir if kind == "folder" else os.mkfifo)(tmp_path / "photo-mask.png")
        said = refused(file, capsys, path, "--out", tmp_path, *overwrite)
        assert "photo-mask.png is a folder or no file at all, and is kept" in said
        assert made(tmp_path) == {"photo.jpg", "photo-mask.png"}

    @pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
    @pytest.mark.parametrize("how", ["itself", "hard link", "link", "weights"])
    def test_what_this_call_reads_is_kept_in_any_case(self, file, picture, tmp_path, capsys, how, overwrite):
        street, label = picture("street.png"), picture("label.png" if how != "itself" else "street-mask.png")
        if how == "hard link":
            os.link(label, tmp_path / "street-mask.png")
        elif how == "link":
            label, target = tmp_path / "street-mask.png", label
            label.symlink_to(target)
        elif how == "weights":
            os.link(file, tmp_path / "street-mask.png")
        before = (tmp_path / "street-mask.png").read_bytes()
        said = refused(file, capsys, street, label, "--out", tmp_path, *overwrite)
        assert "street-mask.png is read by this very call and is kept" in said
        assert (tmp_path / "street-mask.png").read_bytes() == before
        assert (tmp_path / "street-mask.png").is_symlink() == (how == "link")

    def test_a_folder_done_twice_holds_the_same_files(self, file, picture, tmp_path, monkeypatch, capsys):
        picture()
        picture("b.png")
        monkeypatch.chdir(tmp_path)
        run(file, ".")
        first = made(tmp_path)
        assert len(first) == 6
        run(file, ".")
        assert made(tmp_path) == first
        run(file, *sorted(first))  # as the shell writes out *
        assert made(tmp_path) == first
        assert capsys.readouterr().err.count("is left out, as this command wrote all of it") == 4

    def test_outputs_alone_are_no_pictures(self, file, picture, tmp_path, capsys):
        run(file, picture(), "--out", tmp_path / "out")
        (tmp_path / "out" / "photo-overlay.png").rename(tmp_path / "out" / "renamed.png")
        said = refused(file, capsys, tmp_path / "out", "--out", tmp_path / "second")
        assert "is left out" in said
        assert "there is no picture to label" in said
        assert not (tmp_path / "second").exists()

    def test_out_may_lie_in_the_folder_of_the_pictures(self, file, picture, tmp_path):
        picture("holiday/a.jpg")
        for _ in range(2):
            run(file, tmp_path / "holiday", "--out", tmp_path / "holiday" / "seen")
        assert made(tmp_path / "holiday") == {"a.jpg", "seen"}
        assert made(tmp_path / "holiday" / "seen") == {"a-mask.png", "a-overlay.png"}


@pytest.mark.survives("Files of yours where a prediction would go")
class TestSeal:
    def sealed(self, tmp_path):
        data = io.BytesIO()
        Image.new("RGB", (40, 30), "red").save(data, "PNG")
        path = tmp_path / "x.png"
        path.write_bytes(sealed_png.seal(data.getvalue(), "pixelwise-predict", "mask"))
        return path

    def test_is_found_and_harms_no_reader(self, tmp_path):
        path = self.sealed(tmp_path)
        assert sealed_png.is_sealed(path, "pixelwise-predict")
        assert not sealed_png.is_sealed(path, "pixelwise.other")
        with Image.open(path) as image:
            image.verify()
        with Image.open(path) as image:
            image.load()
            assert image.text["Software"].startswith("pixelwise-predict mask, SHA-256 ")

    def test_is_broken_by_any_change(self, tmp_path):
        path = self.sealed(tmp_path)
        whole = path.read_bytes()
        for place in range(len(whole)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            assert not sealed_png.is_sealed(path, "pixelwise-predict"), place
        for other in (whole[:-1], whole + b"x", whole[1:], b"", whole[-150:]):
            path.write_bytes(other)
            assert not sealed_png.is_sealed(path, "pixelwise-predict")

    def test_what_cannot_be_read_has_none(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "loop").symlink_to("loop")
        for name in ("pipe", "loop", "missing", ".", "x" * 300):
            assert not sealed_png.is_sealed(tmp_path / name, "pixelwise-predict")


@pytest.mark.survives("Pipes, devices, empty names, link loops, folders that may not be read")
class TestOddInputs:
    def test_an_empty_name_is_not_the_folder_one_is_in(self, file, picture, tmp_path, monkeypatch, capsys):
        picture()
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            run(file, "")
        assert ended.value.code == 2
        assert "a name is empty; the folder that you are in is ." in capsys.readouterr().err
        assert made(tmp_path) == {"photo.jpg"}

    def test_each_has_its_line_and_the_pictures_are_done(self, file, picture, tmp_path, monkeypatch, capsys):
        good = picture("good/photo.jpg")
        monkeypatch.chdir(tmp_path)
        os.mkfifo("pipe")
        Path("loop").symlink_to("loop")
        Path("empty").mkdir()
        Path("around").symlink_to(".")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket")
            odd = ["pipe", "socket", "/dev/zero", "/dev/null", "loop", "empty", "-", "x" * 300, "photo.jpg/x"]
            said = refused(file, capsys, *odd, "around/good", good, "--out", "out").splitlines()
        assert len(said) == len(odd)
        for word in ("pipe is a pipe", "socket is a pipe", "/dev/zero is", "/dev/null is", "loop can't be"):
            assert sum(word in line for line in said) == 1
        assert any("no picture in the folder empty" in line for line in said)
        assert any("there is no file -;" in line for line in said)
        assert made(tmp_path / "out") == {
            f"{stem}-{role}.png" for stem in ("photo", "photo-2") for role in predict.ROLES
        }

    def test_a_folder_that_may_not_be_looked_into(self, file, picture, tmp_path, monkeypatch, capsys):
        good, real = picture(), Path.iterdir
        (tmp_path / "closed").mkdir()

        def iterdir(path):
            if path.name == "closed":
                raise PermissionError(13, "Permission denied", str(path))
            return real(path)

        monkeypatch.setattr(Path, "iterdir", iterdir)
        said = refused(file, capsys, tmp_path / "closed", good, "--out", tmp_path / "out")
        assert "closed can't be looked into (Permission denied)" in said
        assert len(made(tmp_path / "out")) == 2

    def test_a_picture_that_vanishes_meanwhile(self, file, picture, tmp_path, monkeypatch, capsys):
        first, second, third = (picture(f"{name}.jpg") for name in "abc")
        real = predict.label
        monkeypatch.setattr(predict, "label", lambda *given: (second.unlink(missing_ok=True), real(*given))[1])
        said = refused(file, capsys, first, second, third, "--out", tmp_path / "out")
        assert "there is no file" in said
        assert len(made(tmp_path / "out")) == 4

    def test_a_name_that_begins_with_a_dash(self, file, picture, tmp_path, monkeypatch):
        picture("-x.jpg")
        monkeypatch.chdir(tmp_path)
        run(file, "./-x.jpg")
        run(file, "--", "-x.jpg")
        assert made(tmp_path) == {"-x.jpg", "-x-mask.png", "-x-overlay.png"}

    def test_thousands_of_pictures_have_thousands_of_names(self):
        pictures = [Path(f"{i}") / "x.jpg" for i in range(20_000)] + [Path("x-7.jpg")]
        stems = predict._stems(pictures)
        assert len(set(stems)) == len(pictures)
        assert stems[:2] + stems[-1:] == ["x", "x-2", "x-7-2"]

    def test_names_that_are_one_on_some_systems_are_numbered(self):
        one = "Caf\u00e9 STRASSE"
        names = [one, unicodedata.normalize("NFD", one), one.lower(), "caf\u00e9 stra\u00dfe"]
        stems = predict._stems([Path(str(i), f"{name}.jpg") for i, name in enumerate(names)])
        assert len({unicodedata.normalize("NFC", stem).casefold() for stem in stems}) == 4

    def test_a_name_as_long_as_a_file_system_takes(self, file, picture, tmp_path):
        stem = "그" * 80  # 240 bytes, and 255 with the longer ending
        run(file, picture(f"{stem}.jpg"), "--out", tmp_path / "out")
        assert made(tmp_path / "out") == {f"{stem}-mask.png", f"{stem}-overlay.png"}


@pytest.mark.survives("Unprintable names, closed pipes, full or closed output")
class TestNamesAndStreams:
    @pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "ascii"])
    def test_no_name_ends_a_batch(self, file, picture, tmp_path, monkeypatch, encoding):
        names = [b"a.jpg", b"\xff\xe9.jpg", b"two\nlines.jpg", b"\x1b[31mred.jpg", "한→.jpg".encode(), b"z.jpg"]
        content = picture("source/x.jpg").read_bytes()
        (tmp_path / "in").mkdir()
        for name in names:
            Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/" + name)).write_bytes(content)
        (tmp_path / "in" / "\x1b[2Jbad\udcff.jpg").write_bytes(b"no picture")
        held = {"stdout": io.BytesIO(), "stderr": io.BytesIO()}
        for stream, bytes_ in held.items():
            monkeypatch.setattr(sys, stream, io.TextIOWrapper(bytes_, encoding=encoding, errors="strict", newline="\n"))
        with pytest.raises(SystemExit) as ended:
            run(file, tmp_path / "in", "--out", tmp_path / "out")
        assert ended.value.code == 1
        out, err = (stream.getvalue().decode(encoding).splitlines() for stream in held.values())
        assert len(out) == 2 + len(names)  # what the weights are, and on which condition
        assert len(err) == 1
        assert all(line.isprintable() for line in out + err)
        assert len(made(tmp_path / "out")) == 2 * len(names)

    @pytest.mark.parametrize(
        ("where", "status", "lines"),
        [
            ("> /dev/full", 1, ["pixelwise-predict: standard output could not be written (No space left on device); "
                "the rest was done"]),
            ("| true", 0, []),
            (">&-", 0, []),
        ],
    )  # fmt: skip
    def test_a_reader_that_left_and_a_full_disk_cost_no_picture(self, file, picture, tmp_path, where, status, lines):
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            picture(f"in/{name}")
        command = f"{sys.executable} -m pixelwise.cli.predict --device cpu --weights {file} in --out out {where}"
        ended = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False
        )
        assert ended.stderr.splitlines() == lines
        assert ended.returncode == status
        assert len(made(tmp_path / "out")) == 6


@pytest.mark.survives("Out of memory")
class TestMemory:
    @pytest.mark.parametrize(
        "error",
        [
            MemoryError(),
            RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
        ],
    )
    def test_a_picture_that_is_too_large_is_named_with_advice(
        self, file, picture, tmp_path, monkeypatch, capsys, error
    ):
        large, small, real = picture("large.png"), picture("small.png", (40, 50)), predict.label

        def label(model, image, *how):
            if image.shape[1] == 60:
                raise error
            return real(model, image, *how)

        monkeypatch.setattr(predict, "label", label)
        said = refused(file, capsys, large, small, "--out", tmp_path / "out")
        assert re.fullmatch(
            r"pixelwise-predict: .*large.png: out of memory; make the picture smaller, .* --max-megapixels\n", said
        )
        assert made(tmp_path / "out") == {"small-mask.png", "small-overlay.png"}

    def test_other_errors_of_the_library_are_not_hidden(self, file, picture, tmp_path, monkeypatch):
        def label(*_):
            raise RuntimeError("shapes do not fit")

        monkeypatch.setattr(predict, "label", label)
        with pytest.raises(RuntimeError, match="shapes do not fit"):
            run(file, picture(), "--out", tmp_path)

    @pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit on memory is not kept")
    def test_it_really_runs_out(self, file, picture, tmp_path):
        """80 megapixels in a process that may have 200 MB more than it has, and then a small picture."""
        Image.new("1", (10_000, 8_000)).save(tmp_path / "large.png")
        arguments = ["--weights", str(file), "--device", "cpu", "--out", str(tmp_path / "out")]
        arguments += [str(tmp_path / "large.png"), str(picture("small.png"))]
        code = (
            "import resource\n"
            "from matplotlib import font_manager\n"
            "from pixelwise.cli import predict\n"
            "taken = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
            "resource.setrlimit(resource.RLIMIT_AS, (taken + 200 * 2**20,) * 2)\n"
            f"predict.main({arguments!r})"
        )
        ended = warm.python(code)
        assert ended.returncode == 1, ended.stderr
        (line,) = ended.stderr.splitlines()
        assert "large.png: out of memory; make the picture smaller" in line
        assert made(tmp_path / "out") == {"small-mask.png", "small-overlay.png"}


class TestClasses:
    @pytest.mark.parametrize("count", [1, 12, 255])
    def test_any_number_that_a_mask_holds(self, picture, tmp_path, count):
        network, path = NetworkSpec("unet", count, width=2), tmp_path / "w.safetensors"
        names = tuple(f"class {i}" for i in range(count))
        weights.save(path, network.build(), weights.Metadata(network, names, "camvid", (36, 48)))
        run(path, picture(), "--out", tmp_path / "out")
        mask = Image.open(tmp_path / "out" / "photo-mask.png")
        colours = np.array(mask.getpalette()).reshape(-1, 3)[:count]
        assert len(np.unique(colours, axis=0)) == count
        assert mask.text["classes"].endswith(f"{count - 1} class {count - 1}")

    def test_no_label_wraps(self):
        logits = torch.zeros(300, 2, 2)
        logits[299] = 1
        with pytest.raises(ValueError, match="300 classes"):
            pictures.enlarge_and_label(logits, (4, 4))
        assert (pictures.enlarge_and_label(logits[45:], (4, 4)) == 254).all()
