"""An encoder that knows something already: frozen it does not move, and at a rate of its own it moves as told."""

import copy

import pytest
import torch
from torch import Tensor, nn

from pixelwise.training import Recipe, fit
from pixelwise.training.finetune import encoder_of, freeze, parameter_groups, train_mode
from tests.helpers.tiny import scenes, segmenter


class Segmenter(nn.Module):
    """An encoder of two normalised convolutions, and a head with a normalisation of its own."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Sequential(segmenter(classes=8), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Sequential(nn.BatchNorm2d(8), nn.Conv2d(8, 3, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))


def state(part: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in part.state_dict().items()}


def moved(before: dict[str, Tensor], part: nn.Module) -> set[str]:
    return {key for key, value in part.state_dict().items() if not torch.equal(value, before[key])}


def train(model: nn.Module, **options) -> None:
    fit(model, scenes(), Recipe(**({"epochs": 2, "batch_size": 4} | options)), progress="silent")


def test_a_frozen_encoder_does_not_move_its_statistics_included():
    model = Segmenter()
    freeze(model.backbone)
    encoder, head = state(model.backbone), state(model.head)
    train(model, ema=0.9)
    assert not moved(encoder, model.backbone)
    assert moved(head, model.head) == set(head)


def test_frozen_normalisation_lets_the_convolutions_learn():
    model = Segmenter()
    freeze(model.backbone, only_norms=True)
    encoder = state(model.backbone)
    train(model)
    assert moved(encoder, model.backbone) == {"0.0.weight", "0.4.weight", "0.4.bias"}


def test_train_mode_leaves_frozen_normalisation_alone():
    model = Segmenter().eval()
    freeze(model.backbone)
    train_mode(model)
    assert {name for name, module in model.named_modules() if not module.training} == {"backbone.0.1", "backbone.1"}


def test_the_encoder_has_a_rate_of_its_own():
    """The first step of SGD is learning rate × gradient, so the steps of two rates are in proportion."""
    start = Segmenter()
    steps = []
    for rate in (1.0, 0.25):
        model = copy.deepcopy(start)
        train(model, encoder_rate=rate, epochs=1, max_steps=1, optimizer="sgd", weight_decay=0.0, learning_rate=0.1)
        steps.append({key: value - start.get_parameter(key) for key, value in model.named_parameters()})
    for key, whole in steps[0].items():
        factor = 0.25 if key.startswith("backbone.") else 1.0
        torch.testing.assert_close(steps[1][key], factor * whole, rtol=1e-4, atol=1e-7)
        assert whole.any()


def test_groups_hold_every_trainable_parameter_once():
    model = Segmenter()
    freeze(model.backbone[0][0])
    groups = parameter_groups(model, 0.1, 0.5)
    assert sorted((group["rate"], group["weight_decay"]) for group in groups) == [
        (0.5, 0),
        (0.5, 0.1),
        (1, 0),
        (1, 0.1),
    ]
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters() if p.requires_grad)


def test_a_run_that_was_stopped_goes_on_with_its_encoder_frozen(tmp_path):
    def run(path, stop=None) -> nn.Module:
        model = Segmenter()
        freeze(model.backbone)
        recipe = Recipe(epochs=4, batch_size=4)
        fit(model, scenes(), recipe, checkpoint=path, progress="silent", on_epoch=stop)
        return model

    def stop(model, history):
        if history.epoch[-1] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped.safetensors", stop)
    resumed, whole = run(tmp_path / "stopped.safetensors"), run(tmp_path / "whole.safetensors")
    assert all(torch.equal(value, whole.state_dict()[key]) for key, value in resumed.state_dict().items())


def test_a_checkpoint_of_the_whole_network_is_not_one_of_its_head(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    recipe = Recipe(epochs=1, batch_size=4)
    fit(Segmenter(), scenes(), recipe, checkpoint=path, progress="silent")
    model = Segmenter()
    freeze(model.backbone)
    with pytest.raises(ValueError, match="belongs to another run: frozen parameters is 0 there"):
        fit(model, scenes(), recipe, checkpoint=path, progress="silent")


def test_errors():
    with pytest.raises(ValueError, match="Sequential has no encoder of its own"):
        encoder_of(segmenter())
    with pytest.raises(ValueError, match=r"encoder_rate is 0, expected a number above 0 .*; to freeze"):
        Recipe(encoder_rate=0)
    model = Segmenter()
    freeze(model)
    with pytest.raises(ValueError, match="all parameters are frozen"):
        train(model)
