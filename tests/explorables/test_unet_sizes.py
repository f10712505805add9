"""U-Net sizes: its arithmetic against the networks themselves, and the figure by pointer and by keys."""

import re

import numpy as np
import pytest
import torch

from pixelwise import explorables
from pixelwise.models.unet import ValidUNet, is_valid_size, nearest_valid_sizes

FUNCTIONS = "ladder", "fits", "nearest", "tiling", "finding", "tasks"


@pytest.fixture(scope="module")
def call(functions):
    return functions("unet-sizes", *FUNCTIONS)


@pytest.mark.parametrize("form", ["valid", "padded"])
def test_sides_equal_those_of_the_networks_on_random_settings(call, form):
    rng = np.random.default_rng(0)
    came_out = 0
    for _ in range(80):
        depth = int(rng.integers(1, 6))
        size = int(rng.integers(2**depth, 700))
        if rng.random() < 0.5:  # else hardly any would fit
            size -= (size + 4 * (form == "valid")) % 2**depth
        size = max(size, 2**depth)
        numbers = explorables.UnetSizes(size=size, depth=depth, form=form).numbers()
        through = call("ladder", size, depth, form)
        assert call("fits", size, depth, form) == numbers["fits"], (size, depth)
        assert call("nearest", size, depth, form) == numbers["nearest"], (size, depth)
        assert through.get("output") == numbers["output"], (size, depth)
        if numbers["output"] is not None:
            came_out += 1
            assert through["down"] == numbers["down"], (size, depth)
            assert through["up"] == numbers["up"], (size, depth)
    assert came_out > 20


def test_every_size_is_judged_as_the_library_judges_it(call):
    for depth in (3, 4):
        for size in range(1, 300):
            assert call("fits", size, depth, "valid") == is_valid_size(size, depth), size
            assert call("nearest", size, depth, "valid") == nearest_valid_sizes(size, depth), size


def test_a_missed_size_is_what_pooling_and_doubling_make_of_it(call):
    rng = np.random.default_rng(1)
    for _ in range(40):
        depth = int(rng.integers(1, 6))
        size = int(rng.integers(2**depth, 600))
        sides = [size]
        for _ in range(depth):
            sides.append(torch.nn.functional.max_pool2d(torch.empty(1, 1, sides[-1], 1), (2, 1)).shape[-2])
        missed = [[level, sides[level], 2 * sides[level + 1]] for level in reversed(range(depth))]
        missed = [one for one in missed if one[1] != one[2]]
        assert call("ladder", size, depth, "padded")["missed"] == missed
    assert call("ladder", 7, 1, "padded")["missed"] == [[0, 7, 6]]


def test_tiles_in_step_give_what_the_whole_picture_gives(call):
    torch.manual_seed(0)
    network = ValidUNet(1, 2, width=2, depth=2).double().eval()
    rng = np.random.default_rng(2)
    for _ in range(4):
        size = int(rng.choice([side for side in range(44, 90) if is_valid_size(side, 2)]))
        found = call("tiling", 100, size, 2)
        assert found["exact"] == (found["step"] % 4 == 0)
        margin, starts = (size - found["output"]) // 2, found["starts"]
        assert starts[-1] + found["output"] >= 100
        if len(starts) > 1:
            assert starts[-2] + found["output"] < 100  # no tile too many
        assert found["work"] == pytest.approx((len(starts) * size) ** 2 / 100**2)
        if not found["exact"]:
            continue
        side = starts[-1] + size
        side += -(side + 4) % 4
        image = torch.randn(1, 1, side, side, dtype=torch.float64)
        with torch.no_grad():
            whole = network(image)
            for x in starts:
                tile = network(image[..., :size, x : x + size])
                torch.testing.assert_close(tile, whole[..., : tile.shape[-1], x : x + tile.shape[-1]])
        assert margin == 20


def test_each_task_can_be_met_and_none_is_at_the_start(call):
    def met(size, depth, form, whole):
        return [done for _, done in call("tasks", size, depth, form, whole)]

    assert met(572, 4, "valid", 512) == [False] * 3
    assert met(188, 4, "valid", 512)[0]
    assert met(699, 4, "valid", 1000) == [False] * 3  # 699 doesn't fit
    assert any(met(size, 4, "valid", whole)[1] for size in range(188, 701, 16) for whole in (1000, 1032, 1100))
    assert met(28, 3, "padded", 512)[2]


def test_wrong_state_is_answered_in_one_line():
    with pytest.raises(Exception, match=r"expected any of \['valid', 'padded'\]"):
        explorables.UnetSizes(form="same")
    with pytest.raises(Exception, match="701"):
        explorables.UnetSizes(size=701)


def says(tab, words):
    tab.locator(".pw-finding", has_text=re.compile(words)).wait_for(timeout=20_000)


def test_keys_move_the_size_and_the_finding_says_why_it_breaks(open_live):
    tab = open_live(explorables.UnetSizes())
    says(tab, "572 in, 388 out: 92 pixels are lost at each border; the lowest map has 32")
    tab.get_by_role("slider", name="input").focus()
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    says(tab, "570 does not fit. On level 2 the side is 279: odd.*556 and 572")
    tab.get_by_role("button", name="556").click()
    says(tab, "556 in, 372 out")
    tab.get_by_role("slider", name="lowest map").focus()
    tab.keyboard.press("ArrowRight")
    says(tab, "572 in, 388 out")
    tab.get_by_role("slider", name="output").focus()
    tab.keyboard.press("ArrowRight")
    says(tab, "588 in, 404 out")
    tab.get_by_role("button", name="padded").click()
    says(tab, "On level 4 doubling does not lead back: 73 → 36 → 72.*interpolate to 73.*pad the picture to 592")
    assert tab.troubles == []


def test_a_tile_is_chosen_by_pointer_and_by_keys(open_live):
    tab = open_live(explorables.UnetSizes())
    title = tab.locator("figcaption", has_text="Tile 1")
    assert "of 4 on a picture of 512 px" in title.inner_text()
    tiles = tab.get_by_role("slider", name="Tiles:")
    tiles.focus()
    tab.keyboard.press("ArrowRight")
    tab.locator("figcaption", has_text="Tile 2 of 4").wait_for(timeout=20_000)
    box = tiles.bounding_box()
    tab.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"])
    tab.locator("figcaption", has_text="Tile 3 of 4").wait_for(timeout=20_000)
    tab.get_by_role("slider", name="picture").fill("300")
    tab.locator("figcaption", has_text="Tile 1 of 1").wait_for(timeout=20_000)
    assert tab.troubles == []


def test_an_address_brings_its_state(open_page):
    tab = open_page(explorables.UnetSizes(), hash="#unet-sizes.form=padded&unet-sizes.size=14&unet-sizes.depth=2")
    tab.locator(".pw-live").wait_for(timeout=20_000)
    says(tab, "7 → 3 → 6")
    assert tab.locator(".pw-tasks .met").count() == 1
    tab.evaluate("location.hash = '#unet-sizes.size=1e9&unet-sizes.depth=-3&unet-sizes.form=x&unet-sizes.tile=-7'")
    says(tab, "700 in")
    assert tab.troubles == []
