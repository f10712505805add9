import math
import random

import pytest
import torch
from torch import nn

from pixelwise.data import Augment
from pixelwise.evaluation import evaluate, metrics, predict
from pixelwise.training import History, Recipe, fit
from tests.helpers.tiny import Data, WithAuxiliary, classifier, patches, scenes, segmenter

quick = {"epochs": 2, "batch_size": 4, "amp": False}


def weights(model):
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


def train(recipe=None, *, model=None, data=None, **options):
    model = model or segmenter()
    history = fit(model, scenes() if data is None else data, recipe or Recipe(**quick), progress="silent", **options)
    return model, history


class TestLearning:
    def test_segmentation_with_everything_switched_on(self):
        recipe = Recipe(
            epochs=30,
            batch_size=4,
            learning_rate=2e-2,
            warmup_steps=5,
            class_weights="inverse_sqrt",
            augment=Augment(scale=(0.8, 1.25), crop=(12, 14), colour=0.05),
            ema=0.95,
        )
        model = segmenter(dropout=0.0)
        before = metrics.mean_iou(evaluate(model, scenes(seed=1)))
        _, history = train(recipe, model=model)
        assert metrics.mean_iou(evaluate(model, scenes(seed=1))) > max(0.8, before + 0.2)
        assert history.loss[-1] < 0.5 * history.loss[0]
        assert history.accuracy[-1] > history.accuracy[0]

    @pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
    def test_classification(self, optimizer):
        recipe = Recipe(epochs=25, batch_size=8, optimizer=optimizer, learning_rate=2e-2, label_smoothing=0.1)
        model, history = train(recipe, model=classifier(), data=patches(), val=patches(seed=1))
        assert history.val_accuracy[-1] > 0.9
        assert metrics.pixel_accuracy(evaluate(model, patches(seed=1))) == history.val_accuracy[-1]

    def test_auxiliary_heads_learn_with_the_main_one(self):
        model, before = WithAuxiliary(), weights(WithAuxiliary().auxiliary)
        train(model=model)
        assert not torch.equal(weights(model.auxiliary), before)
        frozen = WithAuxiliary()
        train(Recipe(**quick, auxiliary_weight=0.0, weight_decay=0.0), model=frozen)
        assert torch.equal(frozen.auxiliary[0].weight, WithAuxiliary().auxiliary[0].weight)

    def test_bfloat16_learns_the_same(self):
        recipe = {"epochs": 15, "batch_size": 4, "learning_rate": 2e-2}
        full, half = (train(Recipe(**recipe, amp=amp))[1].loss for amp in (False, True))
        assert full != half
        assert full[-1] == pytest.approx(half[-1], abs=0.1)


class TestReproducibility:
    recipe = Recipe(**quick, augment=Augment(), ema=0.9)

    def test_same_seed_same_bits(self):
        first, history = train(self.recipe)
        torch.rand(7)  # whatever happened to the global generator in between
        second, again = train(self.recipe)
        assert torch.equal(weights(first), weights(second))
        assert history.loss == again.loss

    def test_other_seed_other_weights(self):
        assert not torch.equal(weights(train(self.recipe, seed=0)[0]), weights(train(self.recipe, seed=1)[0]))

    def test_global_random_state_is_left_alone(self):
        model = segmenter()
        torch.manual_seed(3)
        expected = torch.rand(3)
        torch.manual_seed(3)
        train(self.recipe, model=model, val=scenes(4))
        assert torch.equal(torch.rand(3), expected)

    def test_neither_looking_nor_validating_changes_the_result(self):
        plain, _ = train(self.recipe)
        watched, _ = train(self.recipe, val=scenes(4), on_epoch=lambda model, _: predict(model, scenes(3).images))
        assert torch.equal(weights(plain), weights(watched))

    def test_channels_last_is_only_a_layout(self):
        first, _ = train(Recipe(**quick, channels_last=True))
        second, _ = train(Recipe(**quick, channels_last=False))
        assert first[0].weight.is_contiguous(memory_format=torch.channels_last)
        assert torch.allclose(weights(first), weights(second), atol=1e-4)


class TestSteps:
    def test_whole_batches_only_and_every_image_gets_its_turn(self):
        seen = []
        data = scenes(10)
        data.images[:, 0, 0, 0] = torch.arange(10, dtype=torch.uint8)  # a name for each image

        def spy(images, targets, generator):
            seen.append(images[:, 0, 0, 0].tolist())
            return images.float() / 255, targets.long()

        _, history = train(Recipe(epochs=12, batch_size=4, amp=False, augment=spy), data=data)
        seen = seen[1:]  # the first looks at one image, to count the classes
        assert [len(batch) for batch in seen] == [4] * 24
        assert history.step == [2 * (epoch + 1) for epoch in range(12)]
        assert all(len({*a, *b}) == 8 for a, b in zip(seen[::2], seen[1::2], strict=True))
        assert {name for batch in seen for name in batch} == set(range(10))

    def test_max_steps_ends_the_run_and_the_decay(self):
        _, history = train(Recipe(epochs=9, batch_size=4, max_steps=5, learning_rate=1e-3, amp=False))
        assert history.step == [3, 5]
        assert history.learning_rate[-1] == pytest.approx(1e-3 * (1 / 5) ** 0.9)

    def test_a_set_smaller_than_a_batch_is_one_batch(self):
        assert train(data=scenes(3))[1].step == [1, 2]

    def test_average_of_the_weights(self):
        plain, averages = [], []
        recipe = {"epochs": 3, "batch_size": 12, "amp": False}
        train(Recipe(**recipe), on_epoch=lambda model, _: plain.append(weights(model)))
        model, _ = train(Recipe(**recipe, ema=0.25), on_epoch=lambda model, _: averages.append(weights(model)))
        expected = weights(segmenter())
        counter = list(segmenter().state_dict()).index("1.num_batches_tracked")
        position = sum(v.numel() for v in list(segmenter().state_dict().values())[:counter])
        for step, now in enumerate(plain, start=1):
            decay = min(0.25, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * now
            expected[position] = step  # a counter is copied
        assert torch.allclose(averages[-1], expected, atol=1e-6)
        assert torch.equal(weights(model), averages[-1])

    def test_weight_decay_spares_biases_and_batch_normalisation(self):
        model = segmenter()
        decayed, spared = Recipe().build_optimizer(model).param_groups
        assert {p.dim() for p in decayed["params"]} == {4}
        assert {p.dim() for p in spared["params"]} == {1}
        assert len(decayed["params"]) + len(spared["params"]) == len(list(model.parameters()))
        assert (decayed["weight_decay"], spared["weight_decay"]) == (1e-2, 0)

    def test_class_weights_reach_the_loss(self):
        seen = {}
        for name, wanted in (("none", None), ("counted", "inverse_sqrt"), ("own", torch.tensor([1.0, 0.0, 0.0]))):
            seen[name] = train(Recipe(**quick, class_weights=wanted))[1].loss
        assert len({tuple(loss) for loss in seen.values()}) == 3

    def test_own_loss_is_used_for_every_head(self):
        calls = []

        def own(logits, targets):
            calls.append(logits.shape)
            return logits.square().mean()

        train(Recipe(epochs=1, batch_size=12, amp=False), model=WithAuxiliary(), loss=own)
        assert calls == [(12, 3, 16, 16)] * 2


class TestHistory:
    def test_one_entry_per_epoch_and_ready_for_json(self):
        _, history = train(val=scenes(4))
        assert history.epoch == [1, 2]
        assert set(map(len, history.to_dict().values())) == {2}
        assert History(**history.to_dict()) == history
        assert all(isinstance(v, (int, float)) for values in history.to_dict().values() for v in values)
        assert train()[1].val_accuracy == []

    def test_record_prints_one_line_of_fixed_width_per_epoch(self, monkeypatch, capsys):
        monkeypatch.setenv("PIXELWISE_RECORDING", "1")
        outputs = []
        for _ in range(2):
            fit(segmenter(), scenes(), Recipe(**quick), val=scenes(4))
            captured = capsys.readouterr()
            outputs.append(captured.out)
            assert captured.err == ""
        first, second = outputs[0].splitlines()
        assert first.startswith("epoch   1/2  loss ")
        assert len(first) == len(second)
        assert outputs[0] == outputs[1]  # nothing in it depends on the clock

    def test_silence(self, capsys):
        train()
        assert capsys.readouterr() == ("", "")

    def test_a_person_sees_a_bar(self, monkeypatch, capsys):
        monkeypatch.delenv("PIXELWISE_RECORDING", raising=False)
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        fit(segmenter(), scenes(), Recipe(**quick))
        assert "6/6" in capsys.readouterr().err


class TestMistakes:
    @pytest.mark.survives("Loss no number")
    def test_diverging_stops_early_and_says_where(self):
        model = segmenter()
        calls = []

        def loss(logits, targets):
            calls.append(1)
            return logits.mean() * (math.nan if len(calls) == 5 else 1)

        with pytest.raises(
            FloatingPointError, match=r"loss is nan at step 4 \(epoch 2 of 2, learning rate .*try"
        ) as raised:
            train(model=model, loss=loss)
        assert "\n" not in str(raised.value)
        assert weights(model).isfinite().all()

    @pytest.mark.survives("Loss no number")
    def test_a_real_divergence(self):
        recipe = Recipe(epochs=20, batch_size=4, optimizer="sgd", learning_rate=100, amp=False)
        model = nn.Conv2d(3, 3, 3, padding=1)
        with pytest.raises(FloatingPointError, match="try a tenth of the learning rate"):
            train(recipe, model=model, loss=lambda logits, targets: logits.square().mean())

    @pytest.mark.survives("Batch of one")
    def test_batch_of_one_where_batch_normalisation_needs_two(self):
        model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 3))
        with pytest.raises(ValueError, match=r"batch of 1 where a feature map is 1×1.*batch_size ≥ 2"):
            train(Recipe(epochs=1, batch_size=1, amp=False), model=model, data=patches(3))

    @pytest.mark.survives("Batch of one")
    def test_batch_of_one_is_fine_where_there_are_pixels(self):
        assert math.isfinite(train(Recipe(epochs=1, batch_size=1, amp=False))[1].loss[0])

    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda d: Data(d.images.float(), d.targets), "images are torch.float32 .*expected uint8"),
            (lambda d: Data(d.images[:0], d.targets[:0]), "with N ≥ 1"),
            (lambda d: Data(d.images, d.targets[:, :8]), r"targets are torch.uint8 \(12, 8, 16\) for images"),
            (lambda d: Data(d.images, d.targets.long()), r"targets are torch.int64 \(12, 16, 16\)"),
            (lambda d: Data(d.images, d.targets.clamp(max=31)), "targets hold label 31, but the model has 3 outputs"),
            (lambda d: Data(d.images, torch.full_like(d.targets, 255)), "no training target is labelled"),
        ],
    )
    def test_data_that_do_not_fit(self, spoil, message):
        with pytest.raises(ValueError, match=message) as raised:
            train(data=spoil(scenes()))
        assert "\n" not in str(raised.value)

    @pytest.mark.parametrize("name", ["images", "targets"])
    def test_data_that_are_no_tensors(self, name):
        data = scenes()
        with pytest.raises(TypeError, match=f"{name} is a numpy.ndarray, expected a tensor"):
            train(data=Data(**{"images": data.images, "targets": data.targets, name: getattr(data, name).numpy()}))

    def test_logits_of_another_size(self):
        with pytest.raises(ValueError, match="must return logits at the size of its input"):
            train(model=nn.Conv2d(3, 3, 3))

    @pytest.mark.survives("Recipes and augmentations that can't be, from Python")
    @pytest.mark.parametrize(
        "wrong",
        [
            {"epochs": 0},
            {"batch_size": 0},
            {"max_steps": 0},
            {"optimizer": "adam"},
            {"class_weights": "inverse"},
            {"ema": 1.0},
            {"ema": math.nan},
            {"epochs": 1.5},
            {"epochs": 10**30},
            {"epochs": True},
            {"learning_rate": 0},
            {"learning_rate": math.inf},
            {"learning_rate": "0.1"},
            {"momentum": 1},
            {"weight_decay": -5},
            {"warmup_steps": -1},
            {"power": -1},
            {"label_smoothing": math.nan},
            {"label_smoothing": -0.5},
            {"label_smoothing": 2},
            {"auxiliary_weight": math.nan},
            {"class_weights": torch.tensor([1.0, math.nan, 1.0])},
            {"class_weights": torch.zeros(3)},
        ],
        ids=str,
    )
    def test_recipes_that_cannot_be(self, wrong):
        (name,) = wrong
        with pytest.raises(ValueError, match=f"{name} (is|are) .*expected"):
            Recipe(**wrong)

    @pytest.mark.survives("More classes than a byte has labels")
    @pytest.mark.parametrize("loss", [None, lambda logits, targets: logits.sum()])
    def test_more_classes_than_a_byte_has_labels(self, loss):
        with pytest.raises(ValueError, match="there are 300 classes, expected 1 to 255"):
            fit(segmenter(classes=300), scenes(4), Recipe(epochs=1, batch_size=4), loss=loss, progress="silent")
        with pytest.raises(ValueError, match="there are 300 classes, expected 1 to 255"):
            evaluate(segmenter(classes=300), scenes(4))
        with pytest.raises(ValueError, match="there are 300 classes, expected 1 to 255"):
            predict(segmenter(classes=300), scenes(4).images)
        assert predict(classifier(classes=300), patches(4).images).dtype == torch.int64  # which holds any number

    def test_class_weights_of_another_number(self):
        with pytest.raises(ValueError, match=r"class_weights are \(11,\), but the model has 3 outputs"):
            train(Recipe(class_weights=torch.ones(11)))

    def test_unknown_progress(self):
        with pytest.raises(ValueError, match="progress is 'loud'"):
            fit(segmenter(), scenes(), progress="loud")


class TestInference:
    def test_batches_do_not_matter_and_the_mode_is_put_back(self):
        model = segmenter().train()
        model[1].eval()
        data = scenes(7)
        labels = predict(model, data.images, batch_size=3)
        assert (labels.shape, labels.dtype) == ((7, 16, 16), torch.uint8)
        assert torch.equal(labels, predict(model, data.images, batch_size=7))
        assert [module.training for module in model] == [True, False, True, True, True]
        assert torch.equal(
            evaluate(model, data, batch_size=3), metrics.confusion_matrix(labels, data.targets, num_classes=3)
        )

    def test_classes_are_int64(self):
        labels = predict(classifier(), patches(5).images)
        assert (labels.shape, labels.dtype) == ((5,), torch.int64)

    def test_mode_is_put_back_after_a_failure(self):
        model = nn.Conv2d(5, 3, 3).train()
        with pytest.raises(RuntimeError):
            predict(model, scenes(1).images)
        assert model.training

    @pytest.mark.parametrize("images", [torch.zeros(3, 8, 8, dtype=torch.uint8), torch.rand(1, 3, 8, 8)])
    def test_one_image_or_floats_are_refused(self, images):
        with pytest.raises(ValueError, match=r"expected uint8 \(N, 3, H, W\)"):
            predict(segmenter(), images)


def test_fit_leaves_python_and_its_model_usable():
    random.seed(0)
    expected = random.random()
    random.seed(0)
    model, _ = train()
    assert random.random() == expected
    assert not model.training
    assert all(p.requires_grad for p in model.parameters())
