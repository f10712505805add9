"""Pictures as people have them: any mode, orientation and size, and files that are none."""

import contextlib
import os
import socket
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import EpsImagePlugin, Image

from pixelwise.data import DataError, photos

HEIGHT, WIDTH = 6, 9


def gradient():
    """(H, W, 3) uint8, brighter to the right, redder downwards: no flip or turn of it equals another."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([rows * 40, columns * 28, columns * 28], -1).astype(np.uint8)


def pixels(path, **options):
    picture = photos.read(path, **options)
    assert picture.dtype == torch.uint8
    assert picture.shape[0] == 3
    return picture.permute(1, 2, 0).numpy()


def test_rgb_is_read_as_it_is(tmp_path):
    path = tmp_path / "été 한국 1.png"
    Image.fromarray(gradient()).save(path)
    assert np.array_equal(pixels(path), gradient())


@pytest.mark.survives("Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated")
@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "YCbCr", "HSV", "LAB"])
def test_other_modes_become_rgb(tmp_path, mode):
    suffix = {"CMYK": "tif", "YCbCr": "tif", "LAB": "tif"}.get(mode, "png")
    image = Image.fromarray(gradient())
    path = tmp_path / f"x.{suffix}"
    (image.convert("RGB") if mode in ("HSV", "LAB") else image.convert(mode)).save(path)
    read = pixels(path).astype(int)
    expected = np.asarray((image if mode in ("HSV", "LAB") else image.convert(mode)).convert("RGB")).astype(int)
    assert np.abs(read - expected).max() <= 1


@pytest.mark.survives("Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_camera_orientation_is_applied(tmp_path, orientation):
    undo = [None, None, 0, 3, 1, 5, 2, 6, 4][orientation]  # Transpose operations that lay the sensor's picture down
    image = Image.fromarray(gradient())
    exif = Image.Exif()
    exif[0x0112] = orientation
    (image if undo is None else image.transpose(Image.Transpose(undo))).save(tmp_path / "x.png", exif=exif)
    assert np.array_equal(pixels(tmp_path / "x.png"), gradient())


@pytest.mark.survives("Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated")
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path, suffix):
    grey = gradient()[..., 1].astype(np.uint16)
    Image.fromarray(grey * 257).save(tmp_path / f"x.{suffix}")
    assert np.array_equal(pixels(tmp_path / f"x.{suffix}")[..., 0], grey)


@pytest.mark.survives("Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated")
@pytest.mark.parametrize("white", [1.0, 100.0])
def test_floats(tmp_path, white):
    values = np.linspace(0, white, 12, dtype=np.float32).reshape(3, 4)
    values[0, 0] = np.nan
    Image.fromarray(values).save(tmp_path / "x.tif")
    read = pixels(tmp_path / "x.tif")[..., 0]
    assert (read[0, 0], read[-1, -1]) == (0, 255)
    assert read[1, 1] == pytest.approx(255 * 5 / 11, abs=1)


@pytest.mark.survives("Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated")
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_lies_on_white(tmp_path, mode):
    image = Image.new(mode, (4, 3), (0, 0) if mode == "LA" else (0, 0, 0, 0))
    image.save(tmp_path / "x.png")
    assert (pixels(tmp_path / "x.png") == 255).all()


@pytest.mark.survives("Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated")
def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (5, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert (pixels(tmp_path / "x.gif") == [255, 0, 0]).all()


def test_a_panorama_of_several_pictures_is_a_jpeg(tmp_path):
    frames = [Image.new("RGB", (5, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "x.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert np.abs(pixels(tmp_path / "x.jpg").astype(int) - [254, 0, 0]).max() <= 1


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "lzma", "zstd"])
def test_tiff_however_it_is_packed(tmp_path, compression):
    Image.fromarray(gradient()).save(tmp_path / "x.tif", compression=compression)
    assert np.abs(pixels(tmp_path / "x.tif").astype(int) - gradient()).max() <= (40 if compression == "jpeg" else 0)


def test_the_limit_holds_also_above_pillows_own(tmp_path, monkeypatch):
    """Pillow refuses twice MAX_IMAGE_PIXELS by itself; a limit that is higher is a promise to read more."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.new("RGB", (60, 80)).save(tmp_path / "x.png")
    assert pixels(tmp_path / "x.png", max_megapixels=0.0048).shape == (80, 60, 3)
    assert Image.MAX_IMAGE_PIXELS == 1000
    with pytest.raises(DataError, match=r"limit is 0.0047"):
        photos.read(tmp_path / "x.png", max_megapixels=0.0047)
    assert Image.MAX_IMAGE_PIXELS == 1000


@pytest.mark.survives("Pictures in formats that start programs or are not on the list")
class TestPrograms:
    """A picture's bytes choose the decoder, not its name: those that start programs must not be among them."""

    EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 6\n%%EndComments\n0 0 9 6 rectfill\nshowpage\n%%EOF\n"

    @pytest.fixture
    def trace(self, tmp_path, monkeypatch):
        """The file that a Ghostscript on the search path would leave behind if it were started."""
        (tmp_path / "bin").mkdir()
        for name in ("gs", "gswin32c", "gswin64c"):
            (tmp_path / "bin" / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\nexit 1\n")
            (tmp_path / "bin" / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # it looks once and remembers
        return tmp_path / "started"

    def test_postscript_is_refused_and_ghostscript_not_started(self, tmp_path, trace):
        path = tmp_path / "holiday.jpg"
        path.write_bytes(self.EPS)
        with pytest.raises(DataError, match=r"holiday.jpg is no picture that can be read here"):
            photos.read(path)
        assert not trace.exists()

    def test_the_trace_would_be_left(self, tmp_path, trace):
        (tmp_path / "x.eps").write_bytes(self.EPS)
        with contextlib.suppress(Exception), Image.open(tmp_path / "x.eps") as picture:
            picture.load()
        assert trace.exists()

    @pytest.mark.parametrize("form", ["ICO", "TGA", "PCX", "SGI", "DDS", "ICNS", "MSP", "XBM"])
    def test_what_is_not_on_the_list_is_refused(self, tmp_path, form):
        picture = Image.new({"MSP": "1", "XBM": "1"}.get(form, "RGB"), (32, 32))
        picture.save(tmp_path / "x.png", form)
        with pytest.raises(DataError, match=r"x.png is no picture that can be read here"):
            photos.read(tmp_path / "x.png")

    @pytest.mark.parametrize("form", photos.FORMATS)
    def test_what_is_on_the_list_is_read(self, tmp_path, form):
        if form not in Image.SAVE and not Image.init() and form not in Image.SAVE:
            pytest.skip(f"this Pillow has no {form}")
        Image.new("RGB", (32, 24), "white").save(tmp_path / "x", form)
        assert (pixels(tmp_path / "x") >= 250).all()


@pytest.mark.survives("Corrupt pictures, decompression bombs")
class TestMistakes:
    def refused(self, path, message, **options):
        with pytest.raises(DataError, match=message) as raised:
            photos.read(path, **options)
        assert "\n" not in str(raised.value)
        assert path.name in str(raised.value)

    def test_missing_or_a_folder(self, tmp_path):
        self.refused(tmp_path / "no.jpg", "there is no file")
        self.refused(tmp_path, "is a folder")

    @pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
    def test_no_picture(self, tmp_path, content):
        (tmp_path / "x.jpg").write_bytes(content)
        self.refused(tmp_path / "x.jpg", "is no picture|can't be decoded")

    @pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif", "webp"])
    def test_truncated(self, tmp_path, suffix):
        path = tmp_path / f"x.{suffix}"
        noise = np.random.default_rng(0).integers(256, size=(60, 80, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:-2000])
        self.refused(path, "is no picture|can't be decoded")

    @pytest.mark.parametrize("seed", range(40))
    def test_damaged_at_random_is_read_or_refused(self, tmp_path, seed):
        suffix = ("png", "jpg", "gif", "tif", "bmp")[seed % 5]
        path = tmp_path / f"x.{suffix}"
        Image.fromarray(gradient().repeat(8, 0).repeat(8, 1)).save(path)
        content, random = bytearray(path.read_bytes()), np.random.default_rng(seed)
        for place in random.integers(len(content), size=12):
            content[place] = random.integers(256)
        path.write_bytes(content)
        with contextlib.suppress(DataError):
            assert photos.read(path).dtype == torch.uint8

    @pytest.mark.survives("Pipes, devices, empty names, link loops, folders that may not be read")
    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name on this system")
    def test_pipes_sockets_and_devices_are_never_opened(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.jpg")
        self.refused(tmp_path / "pipe.jpg", "is a pipe, a socket or a device")
        with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(tmp_path):
            listening.bind("socket.jpg")
            self.refused(Path("socket.jpg"), "is a pipe, a socket or a device")
        self.refused(Path("/dev/zero"), "is a pipe, a socket or a device")

    @pytest.mark.survives("Pipes, devices, empty names, link loops, folders that may not be read")
    def test_links_that_go_round_and_names_that_cannot_be(self, tmp_path):
        (tmp_path / "a.jpg").symlink_to("b.jpg")
        (tmp_path / "b.jpg").symlink_to("a.jpg")
        self.refused(tmp_path / "a.jpg", "can't be read .Too many levels")
        self.refused(tmp_path / ("x" * 300), "can't be read .File name too long")

    def test_permissions_are_not_called_damage(self, tmp_path, monkeypatch):
        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied", "x.png")

        (tmp_path / "x.png").touch()
        monkeypatch.setattr(photos.Image, "open", refuse)
        self.refused(tmp_path / "x.png", "can't be read .Permission denied.; check its permissions")

    def test_memory_that_runs_out_is_not_called_damage(self, tmp_path, monkeypatch):
        def exhaust(_):
            raise OSError("out of memory error when reading image file")

        Image.fromarray(gradient()).save(tmp_path / "x.png")
        monkeypatch.setattr(photos, "_upright", exhaust)
        with pytest.raises(OSError, match=r"^out of memory"):
            photos.read(tmp_path / "x.png")

    @pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), 1000.1])
    def test_a_limit_that_is_none(self, tmp_path, limit):
        with pytest.raises(ValueError, match="expected more than 0 and at most 1000"):
            photos.read(tmp_path / "x.png", limit)

    def test_bomb(self, tmp_path):
        """A small file that claims 2.5 gigapixels is refused before any of them is decoded."""

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        def png(side):
            header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
            body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
            return b"\x89PNG\r\n\x1a\n" + body

        (tmp_path / "x.png").write_bytes(png(50_000))
        self.refused(tmp_path / "x.png", "more than 179 megapixels.* the limit is 100: make it smaller, or raise")
        self.refused(tmp_path / "x.png", "more than 1000 megapixels.*: make it smaller$", max_megapixels=1000)
        (tmp_path / "x.png").write_bytes(png(15_000))
        self.refused(tmp_path / "x.png", "more than 200 megapixels.* the limit is 200", max_megapixels=200)
        (tmp_path / "x.png").write_bytes(png(12_000))
        self.refused(tmp_path / "x.png", "144 megapixels, and the limit is 100")
        (tmp_path / "x.png").write_bytes(png(1_200))
        self.refused(tmp_path / "x.png", "limit is 1: make it smaller, or raise the limit", max_megapixels=1)


def test_find_takes_files_as_they_are_and_folders_by_their_pictures(tmp_path):
    for name in ("b.PNG", "a.jpeg", "notes.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in photos.find(tmp_path)] == ["a.jpeg", "b.PNG"]
    assert photos.find(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no picture in the folder"):
        photos.find(tmp_path / "empty")


@pytest.mark.survives("Pipes, devices, empty names, link loops, folders that may not be read")
def test_a_folder_that_may_not_be_looked_into_is_named(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match=r"can't be looked into .Permission denied.; check"):
        photos.find(tmp_path)
