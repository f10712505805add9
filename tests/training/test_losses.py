from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pixelwise.evaluation import heads
from pixelwise.training import losses
from pixelwise.training.schedule import poly

generator = torch.Generator().manual_seed(0)
logits = torch.randn(2, 4, 5, 6, generator=generator, dtype=torch.float64, requires_grad=True)
targets = torch.randint(4, (2, 5, 6), generator=generator)
targets[:, 0] = 255
weights = torch.tensor([0.5, 1.0, 2.0, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("class_weights", [None, weights])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_pytorchs_with_void_left_out(class_weights, smoothing):
    ours = losses.cross_entropy(logits, targets, class_weights=class_weights, label_smoothing=smoothing)
    theirs = F.cross_entropy(logits, targets, class_weights, ignore_index=255, label_smoothing=smoothing)
    assert torch.allclose(ours, theirs, rtol=1e-12)
    for a, b in zip(torch.autograd.grad(ours, logits), torch.autograd.grad(theirs, logits), strict=True):
        assert torch.allclose(a, b, rtol=1e-12)


def test_pixel_weights_weigh_pixels():
    once = torch.ones(targets.shape, dtype=torch.float64)
    twice = once.clone()
    twice[0] = 2
    doubled = losses.cross_entropy(logits[[0, 0, 1]], targets[[0, 0, 1]])
    assert torch.allclose(losses.cross_entropy(logits, targets, pixel_weights=twice), doubled, rtol=1e-12)
    assert torch.allclose(
        losses.cross_entropy(logits, targets, pixel_weights=once), losses.cross_entropy(logits, targets), rtol=1e-12
    )


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.dice_loss])
def test_void_pixels_have_no_gradient_and_a_void_batch_costs_nothing(loss):
    (gradient,) = torch.autograd.grad(loss(logits, targets), logits)
    assert (gradient[:, :, 0] == 0).all()
    assert (gradient[:, :, 1:] != 0).any()
    nothing = loss(logits, torch.full_like(targets, 255))
    assert nothing == 0
    assert (torch.autograd.grad(nothing, logits)[0] == 0).all()


def test_dice_loss_by_hand():
    certain = torch.tensor([[[[50.0, 50.0, -50.0]], [[-50.0, -50.0, 50.0]], [[-50.0, -50.0, -50.0]]]])
    assert losses.dice_loss(certain, torch.tensor([[[0, 0, 1]]])).item() == pytest.approx(0, abs=1e-6)
    # class 0: 1 hit, sizes 2 and 1; class 1: 1 hit, sizes 1 and 2; class 2 does not occur
    assert losses.dice_loss(certain, torch.tensor([[[0, 1, 1]]])).item() == pytest.approx(1 - 2 / 3, abs=1e-6)


def test_losses_serve_classification_too():
    scores = torch.randn(7, 4, generator=generator)
    classes = torch.randint(4, (7,), generator=generator)
    assert torch.allclose(losses.cross_entropy(scores, classes), F.cross_entropy(scores, classes))
    assert 0 < losses.dice_loss(scores, classes) < 1


def test_heads_finds_the_main_logits():
    main, auxiliary = torch.ones(1, 1), torch.zeros(1, 1)
    for outputs in ((main, auxiliary), (main, None, auxiliary), {"aux": auxiliary, "out": main}):
        assert [head.item() for head in heads(outputs)] == [1, 0]
    assert heads(main.bfloat16())[0].dtype == torch.float32
    total = losses.weigh_heads(lambda head, _: head.sum(), [main, main, main], None, auxiliary_weight=0.3)
    assert total.item() == pytest.approx(1.6)


def test_inverse_sqrt_frequencies():
    counted = torch.tensor([0] * 1 + [1] * 4 + [3] * 16 + [255] * 50, dtype=torch.uint8)
    weights = losses.inverse_sqrt_frequencies(counted, 4)
    assert weights.tolist() == pytest.approx([12 / 7, 6 / 7, 0, 3 / 7])


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"logits are \(2, 4, 5, 6\) and targets \(2, 9, 9\)"):
        losses.cross_entropy(logits, torch.zeros(2, 9, 9).long())


@pytest.mark.survives("More classes than a byte has labels")
@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.dice_loss])
def test_more_classes_than_labels_are_refused(loss):
    """Class 255 would be taken for void and never learned."""
    targets = torch.full((1, 4), 255)
    assert loss(torch.zeros(1, 255, 4), targets) == 0
    for count in (256, 300, 1000):
        with pytest.raises(ValueError, match=f"there are {count} classes, expected 1 to 255"):
            loss(torch.zeros(1, count, 4), targets)
    with pytest.raises(ValueError, match="there are 300 classes"):
        losses.inverse_sqrt_frequencies(targets, 300)


@pytest.mark.survives("NumPy arrays or lists where tensors belong")
@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.dice_loss])
def test_what_is_no_tensor_is_named(loss):
    with pytest.raises(TypeError, match=r"logits is a numpy.ndarray, expected a tensor: torch.as_tensor makes one"):
        loss(np.zeros((1, 3, 4)), torch.zeros(1, 4).long())
    with pytest.raises(TypeError, match="targets is a list, expected a tensor"):
        loss(torch.zeros(1, 3, 4), [[0, 1, 2, 2]])
    with pytest.raises(TypeError, match=r"targets is a numpy.ndarray"):
        losses.inverse_sqrt_frequencies(np.zeros(4, int), 3)


def test_poly_warms_up_then_decays():
    factors = [poly(step, 20, warmup=4, power=0.9) for step in range(20)]
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert factors[12] == pytest.approx(0.5**0.9)
    assert all(a > b > 0 for a, b in pairwise(factors[4:]))
    assert poly(0, 10) == 1
    assert poly(5, 10, power=0) == 1
    assert max(poly(step, 6, warmup=1000) for step in range(6)) == 1  # a run cut short still reaches the full rate
