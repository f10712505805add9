"""The dense CRF against the paper's own sums, written as loops, and against what it must leave alone."""

import math

import pytest
import torch

from pixelwise.ops.crf import dense_crf


def looped(logits, image, iterations, w1, alpha, beta, w2, gamma):
    """Algorithm 1 of the paper pixel by pixel, with symmetrically normalised kernels."""
    _, height, width = logits.shape
    pixels = [(y, x) for y in range(height) for x in range(width)]

    def kernel(i, j, use_colour):
        (y, x), (v, u) = i, j
        distance = (y - v) ** 2 + (x - u) ** 2
        if not use_colour:
            return math.exp(-distance / (2 * gamma**2))
        colour = sum((float(image[c, y, x]) - float(image[c, v, u])) ** 2 for c in range(3))
        return math.exp(-distance / (2 * alpha**2) - colour / (2 * beta**2))

    unary = logits.log_softmax(0)
    degree = {(i, k): sum(kernel(i, j, k) for j in pixels if j != i) for i in pixels for k in (True, False)}
    q = unary.softmax(0)
    for _ in range(iterations):
        new = torch.empty_like(q)
        for i in pixels:
            energy = unary[:, i[0], i[1]].clone()
            for use_colour, weight in ((True, w1), (False, w2)):
                for j in pixels:
                    if j != i:
                        k = kernel(i, j, use_colour) / math.sqrt(degree[i, use_colour] * degree[j, use_colour])
                        # compatibility [label differs]: charge 1 - q, which differs from -q by a constant only
                        energy -= weight * k * (1 - q[:, j[0], j[1]])
            new[:, i[0], i[1]] = energy.softmax(0)
        q = new
    return q


def test_matches_the_sums_written_as_loops():
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    images = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    knobs = {"appearance_weight": 2.0, "theta_alpha": 3.0, "theta_beta": 60.0}
    refined = dense_crf(logits, images, iterations=3, smoothness_weight=1.5, theta_gamma=1.2, **knobs)
    for i in range(2):
        expected = looped(logits[i], images[i], 3, 2.0, 3.0, 60.0, 1.5, 1.2)
        torch.testing.assert_close(refined[i], expected, rtol=0, atol=1e-12)


def test_without_weights_or_iterations_the_network_is_left_alone():
    torch.manual_seed(0)
    logits, images = torch.randn(1, 4, 6, 7), torch.rand(1, 3, 6, 7) * 255
    for untouched in (
        dense_crf(logits, images, iterations=0),
        dense_crf(logits, images, appearance_weight=0, smoothness_weight=0),
    ):
        torch.testing.assert_close(untouched, logits.softmax(1))


def test_labels_move_to_the_edge_in_the_colours():
    """A boundary predicted three pixels off snaps to where the colour changes, and a lone wrong pixel goes."""
    image = torch.zeros(1, 3, 16, 24)
    image[..., 12:] = 200
    truth = (torch.arange(24) >= 12).long().expand(1, 16, 24)
    logits = torch.zeros(1, 2, 16, 24)
    logits[:, 1, :, 9:] = 2.0
    logits[:, 0, :, :9] = 2.0
    logits[:, :, 5, 20] = torch.tensor([2.0, 0.0])
    assert (logits.argmax(1) != truth).sum() == 3 * 16 + 1
    refined = dense_crf(logits, image, theta_alpha=8.0)
    assert torch.equal(refined.argmax(1), truth)
    torch.testing.assert_close(refined.sum(1), torch.ones(1, 16, 24))


def test_an_isolated_pixel_gets_no_message():
    logits = torch.tensor([0.3, -1.0]).view(1, 2, 1, 1)
    torch.testing.assert_close(dense_crf(logits, torch.zeros(1, 3, 1, 1)), logits.softmax(1))


def test_gradient_reaches_the_logits():
    logits = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    images = torch.rand(1, 3, 3, 3) * 255
    assert torch.autograd.gradcheck(lambda z: dense_crf(z, images, iterations=2), logits)


def test_sizes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"logits \(1, 2, 3, 3\) and images \(1, 3, 6, 6\).*upsample the logits"):
        dense_crf(torch.zeros(1, 2, 3, 3), torch.zeros(1, 3, 6, 6))


def test_a_photograph_is_refused_before_it_fills_the_memory():
    with pytest.raises(ValueError, match=r"360×480 pixels, 119\.4 GB.*scale logits and images down"):
        dense_crf(torch.zeros(1, 2, 360, 480), torch.zeros(1, 3, 360, 480))
