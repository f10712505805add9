"""The numbers in the drawings of operations, against PyTorch."""

from xml.etree import ElementTree

import pytest
import torch
from torch.nn import functional as F

from pixelwise import drawings, models
from pixelwise.drawings import operations

SVG = "{http://www.w3.org/2000/svg}"


def shown(sketch, name: str, rows: int, columns: int) -> torch.Tensor:
    """The tensor that the drawing shows under this name; an empty cell is a zero."""
    values = torch.zeros(rows, columns)
    for text in ElementTree.fromstring(sketch.svg()).iter(f"{SVG}text"):
        what = text.get("data-number") or ""
        if text.get("data-layer") == name and what.startswith("value"):
            row, column = map(int, what.split()[1].split(","))
            values[row, column] = float(text.text)
    return values


TRANSPOSED = F.conv_transpose2d(operations.MAP[None, None], operations.KERNEL[None, None], stride=2)[0, 0]


def test_stamps_add_up_to_the_transposed_convolution():
    sketch = operations.transposed_convolution()
    stamps = sum(shown(sketch, f"stamp {place}", 5, 5) for place in ("00", "01", "10", "11"))
    assert torch.equal(shown(sketch, "result", 5, 5), TRANSPOSED)
    assert torch.equal(stamps, TRANSPOSED)


def test_matrix_is_the_convolutions_and_its_transpose_leads_back():
    sketch = operations.matrix_of_convolution()
    matrix = shown(sketch, "A", 4, 25)
    x = torch.arange(25.0).view(1, 1, 5, 5)
    assert torch.equal(matrix @ x.flatten(), F.conv2d(x, operations.KERNEL[None, None], stride=2).flatten())
    assert torch.equal(shown(sketch, "Aᵀ", 25, 4), matrix.T)
    assert torch.equal(shown(sketch, "result", 25, 1).view(5, 5), TRANSPOSED)


def test_zeros_and_an_ordinary_convolution_give_the_same():
    sketch = operations.zero_insertion()
    spread = shown(sketch, "spread", 7, 7)
    assert torch.equal(F.conv2d(spread[None, None], operations.KERNEL.flip(0, 1)[None, None])[0, 0], TRANSPOSED)
    assert torch.equal(shown(sketch, "result", 5, 5), TRANSPOSED)


def test_four_shifts_interleave_to_the_dense_map():
    sketch = operations.shift_and_stitch()
    dense = shown(sketch, "dense", 4, 4)
    assert torch.equal(dense[:3, :3], F.max_pool2d(operations.PICTURE[None, None], 2, stride=1)[0, 0])
    for row in (0, 1):
        for column in (0, 1):
            assert torch.equal(shown(sketch, f"shift {row},{column}", 2, 2), dense[row::2, column::2])


def test_the_kernel_answers_as_the_fully_connected_layer_does():
    sketch = operations.convolutionalise()
    values, answers = shown(sketch, "map", 9, 9), shown(sketch, "convolution", 3, 3)
    assert torch.equal(answers, F.avg_pool2d(values[None, None], 7, stride=1, divisor_override=1)[0, 0])
    assert shown(sketch, "fully connected", 1, 1).item() == answers[0, 0] == values[:7, :7].sum()


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_overlaps_are_those_of_ones_written_through_every_layer(layers):
    counts = torch.ones(1, 1, 4)
    for _ in range(layers):
        counts = F.conv_transpose1d(counts, torch.ones(1, 1, 3), stride=2)
    said = [text.text for text in ElementTree.fromstring(operations.overlaps().svg()).iter(f"{SVG}text")]
    assert f"layer {layers}: written {counts.min():.0f} to {counts.max():.0f} times" in said


def test_a_rate_says_how_far_the_taps_reach():
    said = [text.text for text in ElementTree.fromstring(operations.dilation().svg()).iter(f"{SVG}text")]
    assert said == [f"rate {rate}: sees {2 * rate + 1}×{2 * rate + 1}" for rate in (1, 2, 4)]


@pytest.mark.parametrize("name", ["transposed_convolution", "matrix_of_convolution", "zero_insertion", "dilation",
                                  "shift_and_stitch", "overlaps", "convolutionalise"])  # fmt: skip
def test_each_is_small_and_described(name):
    sketch = getattr(operations, name)()
    assert len(sketch.svg().encode()) <= 60_000
    assert len(sketch.alternative.split()) >= 20


@pytest.mark.parametrize("reduction", [1, 2, 4])
def test_reduced_scores_are_counted_as_segformers_attention_makes_them(reduction):
    weights, _ = models.EfficientSelfAttention(8, 1, reduction).attend(torch.randn(1, 4, 4, 8))
    rows, columns = weights.shape[2:]
    root = ElementTree.fromstring(drawings.sequence_reduction(4, (reduction,)).svg())
    texts = {text.get("data-number"): text.text for text in root.iter(f"{SVG}text")}
    assert texts["scores"] == f"{rows} × {columns} = {weights.numel()} scores"
    cells = [rect for rect in root.iter(f"{SVG}rect") if "cell" in rect.get("class").split()]
    assert len(cells) == rows + columns + weights.numel()
    assert ("operation" in texts) == (reduction > 1)
