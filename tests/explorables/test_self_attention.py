"""Self-attention by hand: its numbers against PyTorch's, and the figure in a real browser."""

import numpy as np
import pytest
from traitlets import TraitError

from pixelwise import explorables
from pixelwise.explorables.self_attention import ADDED, ASKS_FOR, OPPOSITE, ORDERS, POSITIONS


@pytest.fixture(scope="module")
def call(functions):
    return functions("self-attention", "read", "spelt", "layerOf", "changes", "finding", "stands", "tasks")


def layer_of(call, explorable):
    return explorable.state | {"tokens": call("read", explorable.tokens)}


def random_layers(count, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield explorables.SelfAttention(
            tokens=" ".join(map(str, rng.integers(0, 11, 12))),
            asks=int(rng.integers(6)),
            sharpness=int(rng.integers(11)),
            wants=ASKS_FOR[rng.integers(2)],
            positions=POSITIONS[rng.integers(2)],
            order=list(ORDERS)[rng.integers(3)],
        )


def test_weights_and_answers_are_pytorch_s_on_random_settings(call):
    for explorable in random_layers(60):
        layer = layer_of(call, explorable)
        expected = explorable.layers(explorable.order)
        found = call("layerOf", layer, list(ORDERS[explorable.order]))
        assert np.allclose(found["held"], expected["held"], atol=1e-12)
        assert np.allclose(found["attention"]["weights"], expected["weights"], atol=1e-12)
        for kind in ("attention", "convolution"):
            assert np.allclose(found[kind]["answers"], expected[kind], atol=1e-12), explorable.state
            assert call("changes", layer)[kind]["all"] == pytest.approx(explorable.numbers()[kind], abs=1e-9)


def test_where_the_token_that_asks_stands_is_said(call):
    for explorable in random_layers(60, seed=2):
        assert call("stands", layer_of(call, explorable)) == explorable.stands()
    moved = explorables.SelfAttention(order="shifted by one", positions=ADDED)
    assert moved.stands() == "road e: place 6, bright −0.7, rough −6.2"


def test_attention_passes_every_order_and_a_convolution_the_shift_alone(call):
    for explorable in random_layers(60, seed=1):
        explorable.positions = POSITIONS[0]
        for order in ORDERS:
            explorable.order = order
            numbers = explorable.numbers()
            assert numbers["attention"] < 1e-12
            assert (numbers["convolution"] < 1e-12) == (order != "shuffled")


def test_with_positions_it_passes_neither():
    for order in ("shifted by one", "shuffled"):
        assert explorables.SelfAttention(positions=ADDED, order=order).numbers()["attention"] > 0.1


def test_tokens_are_text_and_nonsense_is_the_start(call):
    start = explorables.SelfAttention().tokens
    assert call("spelt", call("read", start)) == start
    for nonsense in ("", "1 2 3", "a b", "11 " * 11 + "1", start + " 1", "-1 " * 11 + "1"):
        assert call("spelt", call("read", nonsense)) == start


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "Road e reads 56\u00a0% of itself and 32\u00a0% of road f. Attention weighs by what tokens hold"),
        ({"order": "shuffled"}, "Shuffled, attention answers as before; the convolution changes its answers by"),
        ({"order": "shifted by one"}, "Shifted, attention answers as before; the convolution answers as before."),
        ({"order": "shifted by one", "positions": ADDED}, "Shifted, attention changes its answers by"),
        ({"sharpness": 0, "asks": 0}, "Sky a reads 17\u00a0% of itself and 17\u00a0% of"),
    ],
)
def test_finding(call, state, words):
    assert words in call("finding", layer_of(call, explorables.SelfAttention(**state)))


def test_each_task_can_be_done_and_is_open_at_the_start(call):
    make = explorables.SelfAttention
    assert not any(met for _, met in call("tasks", layer_of(call, make())))
    for i, solution in enumerate(
        (make(sharpness=0), make(wants=OPPOSITE), make(order="shifted by one", positions=ADDED))
    ):
        assert call("tasks", layer_of(call, solution))[i][1]


@pytest.mark.parametrize("state", [{}, {"order": "shuffled", "positions": ADDED, "asks": 0}, {"sharpness": 0}])
def test_every_state_has_a_picture_and_words(state):
    explorable = explorables.SelfAttention(**state)
    assert len(explorable.picture().png()) <= 60_000
    assert "Six tokens of a street" in explorable.alt()


def test_wrong_state_is_answered():
    with pytest.raises(TraitError, match="expected twelve whole numbers"):
        explorables.SelfAttention(tokens="1 2")
    with pytest.raises(TraitError, match="sorted"):
        explorables.SelfAttention(order="sorted")


def says(tab, words):
    tab.locator("[role=status]", has_text=words).first.wait_for(timeout=20_000, state="attached")


def test_keys_move_the_token_that_asks_and_the_order_tells(open_live):
    tab = open_live(explorables.SelfAttention())
    says(tab, "Road e reads 56 % of itself")
    tab.locator(".plane").focus()
    tab.keyboard.press("ArrowRight")
    tab.locator("[aria-live=polite]", has_text="road e: brightness -1, roughness -4").wait_for(state="attached")
    tab.get_by_role("button", name="shuffled").click()
    says(tab, "Shuffled, attention answers as before")
    assert tab.locator(".strip .kept").count() == tab.locator(".strip .changed").count() == 6
    tab.get_by_role("button", name="added").click()
    says(tab, "Shuffled, attention changes its answers by")
    assert tab.locator(".strip .kept").count() == 0
    assert tab.troubles == []


def test_a_token_is_chosen_and_dragged_and_the_address_keeps_it(open_live):
    tab = open_live(explorables.SelfAttention())
    tab.locator(".plane").scroll_into_view_if_needed()
    box = tab.locator(".plane").bounding_box()

    def at(x, y):
        return box["x"] + box["width"] * (x + 8) / 16, box["y"] + box["height"] * (8 - y) / 16

    tab.mouse.move(*at(-3, 4))  # the tree
    tab.mouse.down()
    says(tab, "Tree c reads")
    tab.mouse.move(*at(5, -5))
    tab.mouse.up()
    tab.get_by_role("button", name="Link to this state").click()
    assert "self-attention.tokens=9+2+8+3+10+0+6+7+3+1+1+3" in tab.url
    assert "self-attention.asks=2" in tab.url
    tab.locator(".strip").click(position={"x": 5, "y": 20})
    says(tab, "Sky a reads")
    assert tab.troubles == []
