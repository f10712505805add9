"""A person with thirty pictures: look, train, predict, with three commands; and what is said where that can't be."""

import json
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from pixelwise import data
from pixelwise.cli import predict, prepare
from pixelwise.cli import train as command
from pixelwise.figures.understood import show_understood
from pixelwise.zoo import weights
from tests.helpers.own_pictures import CLASSES, labels, write_balls, write_folder

TINY = "--model unet --width 2 --size 32 48 --epochs 1 --batch-size 2 --progress silent --device cpu"


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.mark.slow
def test_thirty_pictures_become_a_network_figures_and_a_prediction(tmp_path, capsys):
    """Two classes on public-domain photographs. A network that says background everywhere has a mean IoU of 45 %."""
    write_balls(tmp_path / "balls")
    prepare.main(["../balls", "--size", "64", "96"])
    said = capsys.readouterr().out
    assert "30 pictures with masks" in said
    assert "ball ([255, 128, 0]): 10.6% of the pixels, in 30 pictures" in said
    assert "24 pairs for train and 6 for val" in said
    options = "--data ../balls --model unet --width 8 --size 64 96 --epochs 8 --batch-size 6 --progress silent"
    command.main([*options.split(), "--device", "cpu"])
    (run,) = (tmp_path / "data/runs").iterdir()
    assert run.name == "unet-own-balls-64x96-seed0"
    record = json.loads((run / "results.json").read_text())
    assert record["values"]["val"]["class_iou"].keys() == {"background", "ball"}
    assert record["values"]["val"]["mean_iou"] > 0.75
    for sheet in (tmp_path / "here/balls-sheet.png", run / "data-sheet.png", run / "contact-sheet.png"):
        assert Image.open(sheet).size[0] > 400
    metadata = weights.load(run / "weights.safetensors")[1]
    assert (metadata.dataset, metadata.classes) == ("own-balls", ("background", "ball"))
    assert metadata.colours == ((0, 0, 0), (255, 128, 0))
    assert "pictures of its maker's own" in (run / "model-card.md").read_text()
    photo = tmp_path / "balls/images/photo 01.JPG"
    predict.main(["--weights", str(run / "weights.safetensors"), str(photo), "--device", "cpu"])
    with Image.open(tmp_path / "here/photo 01-mask.png") as mask, Image.open(photo) as picture:
        assert mask.size == picture.size
        assert mask.info["classes"] == "0 background, 1 ball"
        assert mask.getpalette()[:6] == [0, 0, 0, 255, 128, 0]
        truth = np.asarray(Image.open(tmp_path / "balls/masks/photo 01.png"))[..., 0] > 0
        found = np.asarray(mask) == 1
        assert (truth & found).sum() / (truth | found).sum() > 0.6


def test_a_run_on_a_folder_leaves_what_any_run_leaves_and_is_resumed(tmp_path, capsys):
    write_folder(tmp_path / "pets")
    for options in ("", "--resume"):
        command.main([*TINY.split(), "--data", str(tmp_path / "pets"), *options.split()])
    (run,) = (tmp_path / "data/runs").iterdir()
    assert {path.name for path in run.iterdir()} == {*command.RUN_FILES}
    record = json.loads((run / "results.json").read_text())
    assert (record["dataset"], record["network"]["num_classes"], record["scenes"]) == ("own-pets", 3, 5)
    said = capsys.readouterr()
    assert "dog (2)" in said.out
    assert weights.load(run / "weights.safetensors")[1].colours is None


def test_a_table_from_elsewhere(tmp_path):
    write_folder(tmp_path / "pets")
    (tmp_path / "here/mine.txt").write_text("0 nothing\n1 feline\n2 canine\n")
    for part in (prepare, command):
        options = TINY.split() if part is command else []
        options += ["--data"] if part is command else []
        part.main([*options, str(tmp_path / "pets"), "--classes", "mine.txt"])
    (run,) = (tmp_path / "data/runs").iterdir()
    assert weights.load(run / "weights.safetensors")[1].classes == ("nothing", "feline", "canine")


@pytest.mark.survives("Your own folders with faults")
@pytest.mark.parametrize("part", [prepare, command])
def test_each_fault_is_a_line_and_nothing_is_written(tmp_path, capsys, part):
    write_folder(tmp_path / "pets")
    (tmp_path / "pets/masks/p01.png").unlink()
    Image.fromarray(np.full((24, 32), 77, np.uint8)).save(tmp_path / "pets/masks/p02.png")
    folder = ["--data"] if part is command else []
    with pytest.raises(SystemExit) as ended:
        part.main([*(TINY.split() if folder else []), *folder, str(tmp_path / "pets")])
    assert ended.value.code == 1
    head, *lines = capsys.readouterr().err.splitlines()
    assert head == f"{part.PROGRAM}: {tmp_path / 'pets'} can't be used as it is; there are 2 problems:"
    assert [line.split()[0] for line in lines] == ["images/p01.jpg", "masks/p02.png"]
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize(
    ("part", "options", "said"),
    [
        (command, "--data ../pets --dataset camvid", "give one of them"),
        (command, "--data ../pets --train-split fit --val-split tune", "--data has the splits train, val, test"),
        (command, "--classes x.json", "give --data too"),
        (prepare, "../cats", "there is no data set and no folder ../cats; choose streets, camvid or a folder"),
        (prepare, "streets --sheet x.png", "--classes and --sheet are for a folder of your own"),
        (prepare, "../pets --source .", "--source is for camvid"),
    ],
)
def test_options_that_do_not_go_together(tmp_path, capsys, part, options, said):
    write_folder(tmp_path / "pets")
    with pytest.raises(SystemExit) as ended:
        part.main(options.split())
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_recipe_s_data_set_gives_way_to_the_folder(tmp_path):
    write_folder(tmp_path / "pets")
    options = command.parse(["--recipe", "camvid-180", "--data", str(tmp_path / "pets")])
    assert (options.dataset, options.epochs) == ("own-pets", 120)
    assert command.parse([]).dataset == "streets"
    assert command.parse(["--recipe", "camvid-180"]).dataset == "camvid"


@pytest.mark.parametrize("place", ["../pets/sheet.png", "mine.png"])
def test_a_sheet_goes_where_nothing_is_lost(tmp_path, place):
    write_folder(tmp_path / "pets")
    (tmp_path / "here/mine.png").write_bytes(b"my own")
    with pytest.raises(SystemExit, match="choose another"):
        prepare.main([str(tmp_path / "pets"), "--sheet", place])
    assert (tmp_path / "here/mine.png").read_bytes() == b"my own"
    assert not (tmp_path / "pets/sheet.png").exists()


def test_the_sheet_shows_every_class_and_takes_any_name(tmp_path):
    root = tmp_path / "p$1 고양이"
    write_folder(
        root, 20, names=[f"$a_{i}$" for i in range(20)], table={"$x$ 나무": 0, "a" * 80: 1, "dog\\": 2, "axe": 3}
    )
    with pytest.warns(data.DataWarning, match="axe"):
        found = data.survey(root)
    scenes = data.load(root, "train", (24, 32))
    masks = scenes.masks.where(scenes.masks != 2, 1)
    masks[4, 0, 0] = 3
    masks[9, 3:5] = 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        card = show_understood(
            found, data.Scenes(scenes.images, masks, "own", "train", scenes.names, scenes.classes), 3
        )
        assert card.png()
    words = [text.get_text() for text in card.texts]
    assert any(word.startswith("dog\\ (2): ") for word in words)
    assert any("chequered" in word for word in words)
    assert len([word for word in words if word.startswith(r"\$a")]) == 3
    assert {scenes.names[4], scenes.names[9]} <= {word.replace("\\", "") for word in words}


def test_scenes_bring_classes_and_colours_along(tmp_path):
    write_folder(tmp_path / "pets", table={"background": 0, "cat": 1, "dog": 2})
    pets = data.load(tmp_path / "pets", "train", (24, 32))
    assert data.concat(pets, pets).classes == tuple(CLASSES)
    book = data.Scenes(pets.images, pets.masks, "streets", "train", pets.names)
    with pytest.raises(data.DataError, match="have other classes"):
        data.concat(pets, book)
    patches = data.cut(pets, 6, size=5, pure=None, classes=["dog", "cat"])
    assert patches.classes == pets.classes
    assert set(patches.labels.tolist()) == {1, 2}
    assert patches.counts.shape == (3,)
    assert torch.equal(pets.masks[0], torch.from_numpy(labels(int(pets.names[0][1:]))))
