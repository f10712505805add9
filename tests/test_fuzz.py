"""Whatever comes in, an answer or one clear error comes out: `load`, `predict`, the files behind them, the metrics."""

import io
import json
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from pixelwise import data, sealed
from pixelwise.data import photos
from pixelwise.evaluation import metrics
from pixelwise.evaluation import predict as predict_labels
from pixelwise.evaluation.pictures import label
from pixelwise.zoo import weights
from pixelwise.zoo.registry import BACKBONES, NETWORKS, NetworkSpec
from tests.helpers import camvid_copy, tiny
from tests.helpers.laws import heavy_law, law

fuzz = settings(law, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
few = settings(heavy_law, suppress_health_check=fuzz.suppress_health_check)


def answer(call, refusal):
    """What a call answers, or None where it refuses in one line; any other failure is the test's."""
    try:
        return call()
    except refusal as error:
        said = str(error)
    assert len(said.splitlines()) == 1, said
    assert len(said) > 20
    return None


@st.composite
def damaged(draw, whole: bytes) -> bytes:
    """The bytes of a file after an accident: cut, some overwritten, a piece lost or put in, or all replaced."""
    kind = draw(st.sampled_from(["cut", "overwrite", "lose", "insert", "replace"]))
    place = draw(st.integers(0, len(whole)))
    piece = draw(st.binary(min_size=1, max_size=40))
    return {
        "cut": whole[:place],
        "overwrite": whole[:place] + piece + whole[place + len(piece) :],
        "lose": whole[:place] + whole[place + len(piece) :],
        "insert": whole[:place] + piece + whole[place:],
        "replace": piece,
    }[kind]


class TestLoad:
    @fuzz
    @given(
        name=st.sampled_from(["streets", "camvid", "Streets", "", "../streets", 7, None]),
        split=st.sampled_from([*data.SPLITS, "training", "", "../../etc", None, 0]),
        size=st.one_of(
            st.tuples(st.integers(-2, 40), st.integers(-2, 40)),
            st.sampled_from([7, "12x16", (8,), (8, 8, 3), (8.5, 9), None, (True, 5), ("8", "9"), (0, 8)]),
        ),
        count=st.sampled_from([None, -1, 0, 1, 2]),
    )
    @example(name="streets", split="val", size=(32, 32), count=1)
    @example(name="streets", split="test", size=(33, 47), count=2)
    def test_requests(self, name, split, size, count, tmp_path, monkeypatch):
        monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path))
        monkeypatch.setenv("PIXELWISE_CAMVID", str(tmp_path / "nowhere"))
        if name == "streets" and count is None:
            count = 1  # a whole split takes a while, and shows nothing more
        scenes = answer(lambda: data.load(name, split, size, count=count), ValueError)
        if scenes is None:
            return
        assert (name, split) == (scenes.dataset, scenes.split)
        assert len(scenes) == count
        assert scenes.images.shape == (count, 3, *size)
        assert scenes.masks.shape == (count, *size)
        assert scenes.images.dtype == scenes.masks.dtype == torch.uint8
        assert ((scenes.masks < len(data.CLASSES)) | (scenes.masks == data.VOID)).all()

    @pytest.mark.survives("Copies of CamVid with faults")
    @few
    @given(st.data())
    def test_damaged_copies_of_camvid(self, tmp_path_factory, draw):
        root = camvid_copy.make(tmp_path_factory.mktemp("CamVid und 눈"))
        file = draw.draw(st.sampled_from(sorted(path for path in root.rglob("*") if path.is_file())))
        file.write_bytes(draw.draw(damaged(file.read_bytes())))
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is another copy than the published one, and that is said
            patch.setenv("PIXELWISE_DATA", str(root.parent / "data"))
            for split in ("train", "val"):
                scenes = answer(partial(data.load, "camvid", split, (12, 16), source=root), data.DataError)
                if scenes:
                    assert scenes.images.shape == (len(scenes), 3, 12, 16)
                    assert ((scenes.masks < len(data.CLASSES)) | (scenes.masks == data.VOID)).all()


def encoded(form: str) -> bytes:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (17, 23, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


Image.init()
WHOLE = {form: encoded(form) for form in photos.FORMATS if form in Image.SAVE}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Weights of a small network in a file whose path has blanks and other scripts; each example reads all of it."""
    path = tmp_path_factory.mktemp("Gewichte und 무게") / "straßen.safetensors"
    spec = NetworkSpec("unet", len(data.CLASSES), width=2)
    metadata = weights.Metadata(network=spec, classes=data.CLASSES, dataset="streets", size=(24, 32))
    weights.save(path, spec.build(), metadata)
    return path


class TestPredict:
    @pytest.mark.survives("Corrupt pictures, decompression bombs")
    @pytest.mark.parametrize("form", WHOLE)
    @fuzz
    @given(draw=st.data())
    def test_damaged_pictures(self, form, draw, tmp_path):
        path = tmp_path / "ein Bild 그림.bin"
        path.write_bytes(draw.draw(damaged(WHOLE[form])))
        picture = answer(lambda: photos.read(path, max_megapixels=1), data.DataError)
        if picture is not None:
            assert picture.dtype == torch.uint8
            assert picture.dim() == 3
            assert len(picture) == 3

    @pytest.mark.survives("Odd, oblong, tiny and huge pictures")
    @few
    @given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 255))
    @example(1, 1, 0)
    @example(1, 3000, 255)
    @example(3000, 1, 7)
    def test_pictures_of_any_shape(self, trained, height, width, value):
        model, metadata = weights.load(trained)
        picture = torch.full((3, height, width), value, dtype=torch.uint8)
        labels = label(model, picture, metadata.size)
        assert labels.shape == (height, width)
        assert labels.dtype == torch.uint8
        assert labels.max() < len(metadata.classes)

    @pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
    @fuzz
    @given(draw=st.data())
    def test_damaged_weights(self, draw, trained, tmp_path):
        """Wherever a file was damaged, it is refused: the half of it that is text is tried as often as the numbers."""
        path = tmp_path / "weights.safetensors"
        whole = trained.read_bytes()
        head = 8 + int.from_bytes(whole[:8], "little")
        in_text = draw.draw(st.booleans())
        part = whole[:head] if in_text else whole[head:]
        part = draw.draw(damaged(part))
        spoilt = part + whole[head:] if in_text else whole[:head] + part
        path.write_bytes(spoilt)
        loaded = answer(lambda: weights.load(path), weights.WeightsError)
        assert (loaded is None) == (spoilt != whole)

    @pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
    @fuzz
    @given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), in_text=st.booleans())
    def test_damaged_weights_in_one_bit(self, place, bit, in_text, trained, tmp_path):
        path = tmp_path / "weights.safetensors"
        spoilt = bytearray(trained.read_bytes())
        head = 8 + int.from_bytes(spoilt[:8], "little")
        spoilt[int(place * (head if in_text else len(spoilt)))] ^= 1 << bit
        path.write_bytes(spoilt)
        assert answer(lambda: weights.load(path), weights.WeightsError) is None

    @pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
    @few
    @given(
        name=st.sampled_from(weights.PARTS),
        part=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
            max_leaves=14,
        )
        | st.fixed_dictionaries(
            {"model": st.sampled_from([*NETWORKS, 1]), "num_classes": st.integers(0, 12)},
            optional={
                "backbone": st.sampled_from([*BACKBONES, None, ""]),
                "width": st.integers(-1, 4097),
                "output_stride": st.integers(-1, 33),
            },
        ),
    )
    def test_damaged_weights_that_say_anything(self, name, part, trained, tmp_path):
        """Whoever forges one part of what a file says, and the checksum: it makes sense, or it is refused."""
        path = tmp_path / "weights.safetensors"
        with safe_open(trained, framework="pt") as file:
            metadata = dict(file.metadata()) | {name: json.dumps(part)}
        tensors = load_file(trained)
        save_file(tensors, path, metadata | {"sha256": sealed.checksum(metadata, tensors)})
        loaded = answer(lambda: weights.load(path), weights.WeightsError)
        if loaded:
            metadata = loaded[1]
            assert all(text.isprintable() for text in (*metadata.classes, metadata.dataset))
            assert metadata.size[0] * metadata.size[1] <= weights.MOST_PIXELS

    @fuzz
    @given(
        st.lists(st.integers(0, 9), max_size=5),
        st.sampled_from([torch.uint8, torch.float32, torch.int64, torch.bool]),
        st.integers(1, 5),
    )
    def test_batches_of_any_form(self, shape, kind, batch_size):
        images = torch.zeros(shape).to(kind)
        sound = kind == torch.uint8 and len(shape) == 4 and shape[0] > 0 and shape[1] == 3 and min(shape) > 0
        labels = answer(lambda: predict_labels(tiny.segmenter(), images, batch_size=batch_size), ValueError)
        assert sound == (labels is not None)
        if sound:
            assert labels.shape == (shape[0], *shape[2:])


class TestMetrics:
    @fuzz
    @given(
        st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=1, max_size=2),
        st.sampled_from([torch.uint8, torch.int64, torch.float32, torch.bool]),
        st.lists(st.sampled_from([0, 1, 2, 3, 4, 31, 200, 255]), min_size=1),
        st.integers(1, 5),
    )
    def test_labels_of_any_form(self, shapes, kind, values, classes):
        prediction, target = (
            torch.tensor(values)[torch.arange(int(torch.tensor(shape).prod())) % len(values)].reshape(shape).to(kind)
            for shape in (shapes[0], shapes[-1])
        )
        matrix = answer(lambda: metrics.confusion_matrix(prediction, target, classes), ValueError)
        if matrix is None:
            return
        assert matrix.sum() == (target != data.VOID).sum()
        means = (metrics.mean_iou, metrics.micro_iou, metrics.pixel_accuracy, metrics.mean_class_accuracy)
        for score in (mean(matrix) for mean in (*means, metrics.frequency_weighted_iou)):
            assert 0 <= score <= 1 if matrix.any() else score != score
        for scores in (metrics.class_iou(matrix), metrics.dice(matrix)):
            assert (scores.isnan() | ((scores >= 0) & (scores <= 1))).all()

    @pytest.mark.survives("Masks with unknown labels, all void, of one class")
    @fuzz
    @given(
        st.integers(1, 3),
        st.integers(1, 7),
        st.integers(1, 7),
        st.integers(1, 9),
        st.sampled_from([[0], [255], [0, 255], [0, 1, 2]]),
    )
    def test_masks_of_one_class_all_void_and_tiny(self, count, height, width, band, values):
        mask = torch.tensor(values, dtype=torch.uint8)[torch.arange(count * height * width) % len(values)]
        mask = mask.reshape(count, height, width)
        inside = metrics.boundary_band(mask, band)
        assert inside.shape == mask.shape
        assert inside.dtype == torch.bool
        if len({*mask.flatten().tolist()} - {255}) < 2:
            assert not inside.any(), "void, or one class alone, has no contour"
        scores = metrics.boundary_iou(mask, mask, band, 11)
        assert (scores.isnan() | (scores == 1)).all()
        images = metrics.per_image_mean_iou(mask, mask, 11)
        assert (images.isnan() | (images == 1)).all()
