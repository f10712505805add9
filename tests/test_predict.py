"""The prediction command as its user meets it, with a tiny untrained network."""

import os

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from pixelwise import predict
from pixelwise.data import CLASSES
from pixelwise.figures import DISPLAY_COLOURS
from pixelwise.training import weights
from pixelwise.training.networks import Description


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    network = Description("unet", 11, width=2)
    weights.save(path, network.build(), weights.About(network, CLASSES, "camvid", (36, 48)))
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
    assert overlay.width >= predict.LEGEND_WIDTH
    assert overlay.height > size[0]


def test_the_legend_names_every_class_that_occurs(file, picture, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(predict.ImageDraw.ImageDraw, "text", lambda self, xy, text, **_: written.append(text))
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
        labels = predict.enlarge_and_label(logits, size)
        agree = labels == whole.argmax(0)
        top = whole.topk(2, 0).values
        assert agree[(top[0] - top[1]) > 1e-4].all()
        assert agree.float().mean() > 0.999


@pytest.mark.parametrize(
    ("size", "shown"),
    [((720, 960), (360, 480)), ((960, 720), (480, 360)), ((90, 120), (360, 480)), ((1, 10_000_000), (32, 4096))],
)
def test_the_network_sees_the_photo_at_its_own_scale(size, shown):
    assert predict.working_size(size, (360, 480)) == shown


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
    ],
)
def test_mistakes_are_one_line(file, picture, capsys, arguments, message):
    with pytest.raises(SystemExit) as ended:
        run(file, picture(), *arguments)
    said = str(ended.value) if isinstance(ended.value.code, str) else capsys.readouterr().err.splitlines()[-1]
    assert message in said
    assert "\n" not in said
