"""The border weight map, connected components, and counts of merged objects."""

import math

import pytest
import torch

from pixelwise.evaluation.instances import border_weights, components, count_objects


def test_the_weight_of_a_gap_is_the_formula_s():
    """Two columns of objects with a gap of 3: the middle pixel is 2 from both."""
    instances = torch.zeros(1, 5, 9, dtype=torch.uint8)
    instances[0, :, :3], instances[0, :, 6:] = 1, 2
    weights = border_weights(instances, balance=False)
    assert weights.dtype == torch.float32
    assert weights[0, 2, 4].item() == pytest.approx(1 + 10 * math.exp(-(4**2) / 50))
    assert weights[0, 2, 3].item() == pytest.approx(1 + 10 * math.exp(-(4**2) / 50))  # 1 + 3
    assert (weights[instances > 0] == 1).all()


def test_distances_are_euclidean_and_to_the_two_nearest_objects():
    torch.manual_seed(0)
    instances = torch.randint(0, 6, (1, 12, 10)) * (torch.rand(1, 12, 10) < 0.2)
    weights = border_weights(instances, w0=7, sigma=4, balance=False)
    for y, x in (instances[0] == 0).nonzero().tolist():
        nearest = sorted(
            min(math.dist((y, x), place) for place in (instances[0] == number).nonzero().tolist())
            for number in instances.unique().tolist()
            if number
        )
        assert weights[0, y, x].item() == pytest.approx(
            1 + 7 * math.exp(-((nearest[0] + nearest[1]) ** 2) / 32), rel=1e-5
        )


def test_the_balance_gives_both_classes_the_same_weight():
    instances = torch.zeros(2, 8, 8, dtype=torch.uint8)
    instances[0, :2, :2] = 1
    weights = border_weights(instances)
    assert weights[instances > 0].sum().item() == pytest.approx(64)
    assert weights[instances == 0].sum().item() == pytest.approx(64)


@pytest.mark.parametrize("objects", [0, 1])
def test_fewer_than_two_objects_have_no_gap(objects):
    instances = torch.zeros(1, 6, 6, dtype=torch.uint8)
    instances[0, 2:4, 2:4] = objects
    assert (border_weights(instances, balance=False) == 1).all()


def test_components_join_sides_and_not_corners():
    mask = torch.tensor([[1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0]]).bool()[None]
    labels = components(mask)[0]
    assert len(labels.unique()) - 1 == 3
    assert labels[0, 3] == labels[1, 2]
    assert labels[0, 1] != labels[1, 2]
    assert (labels[~mask[0]] == 0).all()


def test_components_follow_a_snake():
    mask = torch.zeros(1, 9, 9, dtype=torch.bool)
    mask[0, ::2] = True
    mask[0, 1::4, 0] = mask[0, 3::4, 8] = True
    assert len(components(mask).unique()) == 2


def pair(gap):
    instances = torch.zeros(1, 6, 12, dtype=torch.uint8)
    instances[0, 1:5, 1 : 6 - gap], instances[0, 1:5, 6:11] = 1, 2
    return instances


def test_a_bridge_merges_two_objects():
    instances = pair(gap=1)
    separate = instances > 0
    counts = count_objects(separate, instances)
    assert (counts.objects, counts.merged, counts.found) == (2, 0, 2)
    bridged = separate.clone()
    bridged[0, 2, 5] = True
    counts = count_objects(bridged, instances)
    assert (counts.objects, counts.merged, counts.found) == (2, 2, 0)


def test_missed_and_halved_objects_are_neither_merged_nor_found():
    instances = pair(gap=1)
    only = instances == 1
    only[0, :, 3:] = False  # half of the first, nothing of the second
    counts = count_objects(only, instances)
    assert (counts.objects, counts.merged, counts.found) == (2, 0, 0)
    everything = torch.ones_like(only)
    assert count_objects(everything, instances).merged == 2


def test_bad_input_says_what_is_expected():
    with pytest.raises(ValueError, match=r"instances are torch.float32 .*expected integers \(N, H, W\)"):
        border_weights(torch.zeros(1, 4, 4))
    with pytest.raises(ValueError, match="sigma is 0"):
        border_weights(torch.zeros(1, 4, 4, dtype=torch.uint8), sigma=0)
    with pytest.raises(ValueError, match=r"masks are torch.uint8 .*expected bool"):
        components(torch.zeros(1, 4, 4, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"prediction is \(1, 4, 4\), the instances \(2, 4, 4\)"):
        count_objects(torch.zeros(1, 4, 4, dtype=torch.bool), torch.zeros(2, 4, 4, dtype=torch.uint8))
