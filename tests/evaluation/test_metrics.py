import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sklearn_metrics
from torchmetrics import functional as torchmetrics

from pixelwise.evaluation import metrics
from pixelwise.evaluation.metrics import VOID, confusion_matrix

CLASSES = 4
labels = st.sampled_from([0, 1, 2, 3])
laws = settings(max_examples=60, deadline=None)


@st.composite
def pairs(draw, target_labels=(0, 1, 2, 3, VOID)):
    """A prediction and a target (N, H, W) with at least one labelled pixel."""
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)))
    prediction = draw(hnp.arrays(np.uint8, shape, elements=labels))
    target = draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from(target_labels)))
    target.flat[0] = target_labels[0]
    return torch.from_numpy(prediction), torch.from_numpy(target)


def random_pair(seed=0, shape=(3, 20, 30), classes=11, void=0.1):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(classes, shape, generator=generator)
    wrong = torch.rand(shape, generator=generator) < 0.4
    prediction = torch.where(wrong, torch.randint(classes, shape, generator=generator), target)
    target[torch.rand(shape, generator=generator) < void] = VOID
    return prediction, target


def same(a, b):
    return torch.allclose(torch.as_tensor(a), torch.as_tensor(b), equal_nan=True, rtol=1e-12, atol=1e-12)


class TestByHand:
    """Nine pixels: 4 of class 0 and 2 of class 1 are right, one of each is called the other, and one is void."""

    prediction = torch.tensor([[0, 0, 0], [0, 1, 0], [1, 1, 2]])
    target = torch.tensor([[0, 0, 0], [0, 0, 1], [1, 1, 255]])
    matrix = confusion_matrix(prediction, target, 3)

    def test_matrix(self):
        assert self.matrix.tolist() == [[4, 1, 0], [1, 2, 0], [0, 0, 0]]
        assert self.matrix.dtype == torch.int64

    def test_scores(self):
        assert metrics.class_iou(self.matrix)[:2].tolist() == [4 / 6, 2 / 4]
        assert metrics.class_iou(self.matrix)[2].isnan()
        assert metrics.mean_iou(self.matrix) == pytest.approx((4 / 6 + 2 / 4) / 2)
        assert metrics.micro_iou(self.matrix) == pytest.approx(6 / 10)
        assert metrics.pixel_accuracy(self.matrix) == pytest.approx(6 / 8)
        assert metrics.mean_class_accuracy(self.matrix) == pytest.approx((4 / 5 + 2 / 3) / 2)
        assert metrics.frequency_weighted_iou(self.matrix) == pytest.approx(5 / 8 * 4 / 6 + 3 / 8 * 2 / 4)
        assert metrics.dice(self.matrix)[:2].tolist() == pytest.approx([8 / 10, 4 / 6])

    def test_class_that_is_only_predicted_scores_zero_and_counts(self):
        matrix = confusion_matrix(torch.tensor([0, 1]), torch.tensor([0, 0]), 3)
        assert metrics.class_iou(matrix)[:2].tolist() == [0.5, 0.0]
        assert metrics.mean_iou(matrix) == 0.25
        assert metrics.mean_class_accuracy(matrix) == 0.5  # nothing to recall of class 1

    def test_nothing_labelled_is_nan_everywhere(self):
        matrix = confusion_matrix(torch.tensor([0]), torch.tensor([VOID]), 3)
        scores = (metrics.mean_iou, metrics.micro_iou, metrics.pixel_accuracy, metrics.mean_class_accuracy)
        assert all(np.isnan(score(matrix)) for score in (*scores, metrics.frequency_weighted_iou))


class TestAgainstOtherLibraries:
    prediction, target = random_pair()
    matrix = confusion_matrix(prediction, target)
    labelled = target != VOID

    def test_scikit_learn(self):
        p, t = self.prediction[self.labelled].numpy(), self.target[self.labelled].numpy()
        assert (self.matrix.numpy() == sklearn_metrics.confusion_matrix(t, p, labels=range(11))).all()
        assert same(metrics.class_iou(self.matrix), sklearn_metrics.jaccard_score(t, p, average=None))
        assert same(metrics.mean_iou(self.matrix), sklearn_metrics.jaccard_score(t, p, average="macro"))
        assert same(metrics.micro_iou(self.matrix), sklearn_metrics.jaccard_score(t, p, average="micro"))
        weighted = sklearn_metrics.jaccard_score(t, p, average="weighted")
        assert same(metrics.frequency_weighted_iou(self.matrix), weighted)
        assert same(metrics.dice(self.matrix), sklearn_metrics.f1_score(t, p, average=None))
        assert same(metrics.pixel_accuracy(self.matrix), sklearn_metrics.accuracy_score(t, p))
        assert same(metrics.mean_class_accuracy(self.matrix), sklearn_metrics.balanced_accuracy_score(t, p))

    def test_torchmetrics(self):
        options = {"task": "multiclass", "num_classes": 11, "ignore_index": VOID}
        p, t = self.prediction, self.target
        assert (self.matrix == torchmetrics.confusion_matrix(p, t, **options)).all()
        iou = torchmetrics.jaccard_index(p, t, average="none", **options).double()
        assert torch.allclose(metrics.class_iou(self.matrix), iou, atol=1e-6)
        accuracy = torchmetrics.accuracy(p, t, average="macro", **options).item()
        assert metrics.mean_class_accuracy(self.matrix) == pytest.approx(accuracy, abs=1e-6)


class TestLaws:
    @laws
    @given(pairs(), labels)
    def test_what_is_predicted_on_void_changes_nothing(self, pair, label):
        prediction, target = pair
        relabelled = torch.where(target == VOID, label, prediction)
        assert (confusion_matrix(prediction, target, CLASSES) == confusion_matrix(relabelled, target, CLASSES)).all()

    @laws
    @given(pairs(), st.permutations(range(CLASSES)))
    def test_renaming_the_classes_permutes_the_scores(self, pair, order):
        prediction, target = pair
        rename = torch.full((256,), VOID)
        rename[:CLASSES] = torch.tensor(order)
        before = confusion_matrix(prediction, target, CLASSES)
        after = confusion_matrix(rename[prediction.long()], rename[target.long()], CLASSES)
        assert same(metrics.class_iou(after)[order], metrics.class_iou(before))
        for score in (metrics.mean_iou, metrics.micro_iou, metrics.mean_class_accuracy, metrics.frequency_weighted_iou):
            assert score(after) == pytest.approx(score(before), nan_ok=True)

    @laws
    @given(pairs())
    def test_bounds_and_identities(self, pair):
        matrix = confusion_matrix(*pair, CLASSES)
        iou, dice, accuracy = metrics.class_iou(matrix), metrics.dice(matrix), metrics.pixel_accuracy(matrix)
        present = ~iou.isnan()
        assert ((iou[present] >= 0) & (iou[present] <= dice[present]) & (dice[present] <= 1)).all()
        assert same(dice, 2 * iou / (1 + iou))
        assert metrics.micro_iou(matrix) == pytest.approx(accuracy / (2 - accuracy))
        assert 0 <= metrics.frequency_weighted_iou(matrix) <= accuracy + 1e-12
        assert 0 <= metrics.mean_iou(matrix) <= metrics.mean_class_accuracy(matrix) + 1e-12

    @laws
    @given(pairs())
    def test_a_class_is_nan_exactly_when_it_is_absent(self, pair):
        prediction, target = pair
        seen = set(target[target != VOID].tolist()) | set(prediction[target != VOID].tolist())
        iou = metrics.class_iou(confusion_matrix(prediction, target, CLASSES))
        assert [bool(value.isnan()) for value in iou] == [c not in seen for c in range(CLASSES)]

    @laws
    @given(pairs())
    def test_matrices_of_images_add_up(self, pair):
        prediction, target = pair
        parts = sum(confusion_matrix(p, t, CLASSES) for p, t in zip(prediction, target, strict=True))
        assert (parts == confusion_matrix(prediction, target, CLASSES)).all()
        assert parts.sum() == (target != VOID).sum()

    @laws
    @given(pairs())
    def test_a_perfect_prediction_scores_one(self, pair):
        target = pair[1]
        matrix = confusion_matrix(target, target, CLASSES)
        assert metrics.mean_iou(matrix) == metrics.micro_iou(matrix) == metrics.mean_class_accuracy(matrix) == 1

    @laws
    @given(pairs(), st.integers(1, 3))
    def test_band_and_its_complement_share_out_the_matrix(self, pair, width):
        prediction, target = pair
        band = metrics.boundary_band(target, width)
        inside, outside = (confusion_matrix(prediction, target, CLASSES, where=where) for where in (band, ~band))
        assert (inside + outside == confusion_matrix(prediction, target, CLASSES)).all()


def test_mean_over_images_is_not_the_mean_over_the_data_set():
    target = torch.tensor([[[0, 0, 0, 0]], [[0, 0, 0, 1]]])
    prediction = torch.tensor([[[0, 0, 0, 0]], [[0, 0, 0, 0]]])
    assert metrics.per_image_mean_iou(prediction, target).tolist() == [1.0, 0.375]
    assert metrics.mean_iou(confusion_matrix(prediction, target)) == pytest.approx((7 / 8 + 0) / 2)
    assert metrics.per_image_mean_iou(prediction[:1], torch.full((1, 1, 4), VOID)).isnan().all()


class TestBoundaryBand:
    def test_by_hand(self):
        mask = torch.tensor([[0, 0, 0, 1, 1, 1, 1]] * 3)
        assert metrics.boundary_band(mask, 1).int().tolist() == [[0, 0, 1, 1, 0, 0, 0]] * 3
        assert metrics.boundary_band(mask, 2).int().tolist() == [[0, 1, 1, 1, 1, 0, 0]] * 3

    def test_corners_count_diagonally(self):
        mask = torch.zeros(5, 5, dtype=torch.uint8)
        mask[2, 2] = 1
        expected = torch.zeros(5, 5, dtype=torch.bool)
        expected[1:4, 1:4] = True
        assert (metrics.boundary_band(mask, 1) == expected).all()

    def test_neither_void_nor_the_frame_makes_a_boundary(self):
        assert not metrics.boundary_band(torch.tensor([[0, 0, VOID, 0, 0]]), 2).any()
        assert not metrics.boundary_band(torch.full((2, 4, 4), 10), 3).any()
        assert not metrics.boundary_band(torch.full((2, 4, 4), VOID), 3).any()

    def test_void_between_two_classes_does_not_hide_their_boundary(self):
        assert metrics.boundary_band(torch.tensor([[0, 0, VOID, 1, 1]]), 2).tolist() == [
            [False, True, True, True, False]
        ]

    @laws
    @given(pairs(), st.integers(1, 4))
    def test_equals_the_definition_and_grows_with_the_width(self, pair, width):
        mask = pair[1][0]
        band = metrics.boundary_band(mask, width)
        for y in range(mask.shape[0]):
            for x in range(mask.shape[1]):
                window = mask[max(0, y - width) : y + width + 1, max(0, x - width) : x + width + 1]
                assert band[y, x] == (len(set(window.flatten().tolist()) - {VOID}) > 1)
        assert (band <= metrics.boundary_band(mask, width + 1)).all()


class TestBoundaryIou:
    def test_by_hand(self):
        target = torch.tensor([[[0, 0, 0, 0, 1, 1, 1, 1]]])
        prediction = torch.tensor([[[0, 0, 0, 1, 1, 1, 1, 1]]])
        # bands inside the contours, width 2: target 0 at 2 3, 1 at 4 5; prediction 0 at 1 2, 1 at 3 4
        assert metrics.boundary_iou(prediction, target, 2, 3)[:2].tolist() == [1 / 3, 1 / 3]
        assert metrics.boundary_iou(prediction, target, 2, 3)[2].isnan()

    def test_a_width_beyond_the_picture_is_ordinary_iou(self):
        prediction, target = random_pair(shape=(2, 8, 9), classes=3)
        matrix = confusion_matrix(prediction, target, 3)
        assert same(metrics.boundary_iou(prediction, target, 9, 3), metrics.class_iou(matrix))

    @laws
    @given(pairs(), st.integers(1, 3))
    def test_equals_its_definition_class_by_class(self, pair, width):
        prediction, target = pair
        near_t, near_p = metrics.boundary_band(target, width), metrics.boundary_band(prediction, width)
        for c, score in enumerate(metrics.boundary_iou(prediction, target, width, CLASSES)):
            t = (target == c) & near_t
            p = (prediction == c) & near_p & (target != VOID)
            assert same(score, (t & p).sum().double() / (t | p).sum())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(2, 2).long(), torch.zeros(2, 3).long()), r"prediction is \(2, 2\) and target \(2, 3\)"),
        ((torch.zeros(2), torch.zeros(2).long()), r"prediction is torch.float32, expected integer labels"),
        ((torch.tensor([0]), torch.tensor([11])), "target holds label 11, expected 0-10"),
        ((torch.tensor([-1]), torch.tensor([0])), "prediction holds label -1, expected 0-10"),
        ((torch.tensor([0]), torch.tensor([0]), 11, VOID, torch.tensor([1])), "where is torch.int64"),
    ],
)
def test_mistakes_are_named_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=message) as raised:
        confusion_matrix(*arguments)
    assert "\n" not in str(raised.value)


def test_scores_ask_for_a_confusion_matrix():
    with pytest.raises(ValueError, match="expected a square confusion matrix"):
        metrics.mean_iou(torch.rand(3, 3))
    with pytest.raises(ValueError, match="width is 0"):
        metrics.boundary_band(torch.zeros(2, 2).long(), 0)


@pytest.mark.survives("More classes than a byte has labels")
def test_a_class_of_the_number_of_void_is_refused():
    """It would be counted as void, which is to say never."""
    target = torch.tensor([0, 254, 255, 299])
    with pytest.raises(ValueError, match="there are 300 classes, expected 1 to 255"):
        confusion_matrix(target, target, 300)
    assert confusion_matrix(target, target, 300, ignore=-1)[255, 255] == 1
    assert confusion_matrix(target[:3], target[:3], 255).sum() == 2


@pytest.mark.survives("NumPy arrays or lists where tensors belong")
def test_what_is_no_tensor_is_named():
    one = torch.tensor([1])
    for arguments, name in (((one.numpy(), one), "prediction is a numpy.ndarray"), ((one, [1]), "target is a list")):
        with pytest.raises(TypeError, match=f"{name}, expected a tensor"):
            confusion_matrix(*arguments)
    with pytest.raises(TypeError, match="masks is a numpy"):
        metrics.boundary_band(np.zeros((4, 4), int), 1)
    with pytest.raises(TypeError, match="matrix is a numpy"):
        metrics.mean_iou(np.eye(3))
