"""Operations drawn with numbers: what upsampling, dilation and convolutionalising do, cell by cell.

Every number is computed by the operation itself when the drawing is made, by the plain code of `pixelwise.ops`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..analysis import overlap_counts
from ..ops import conv_matrix, insert_zeros, linear_to_conv
from .grid import CELL, grid, place_kind, window
from .sketch import Sketch

MAP = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
KERNEL = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]])
PICTURE = torch.tensor([[1.0, 2.0, 7.0, 3.0], [4.0, 6.0, 1.0, 5.0], [9.0, 1.0, 2.0, 8.0], [2.0, 3.0, 4.0, 1.0]])


def transposed_convolution(values: Tensor = MAP, kernel: Tensor = KERNEL, stride: int = 2) -> Sketch:
    """A map (2, 2) becomes (5, 5): each cell stamps the kernel, times its value, and stamps that overlap are summed."""
    sketch = Sketch(
        "Transposed convolution: every cell stamps the kernel",
        "Each cell of the small map lays down the whole kernel, multiplied by its own value, a stride apart from its "
        "neighbours' stamps; where stamps overlap, their numbers are added.",
    )
    result = F.conv_transpose2d(values[None, None], kernel[None, None], stride=stride)[0, 0]
    size = len(result)
    grid(sketch, 60, 36, values, "map", place_kind, title="map")
    sketch.text((132, 64), "∗", "title")
    grid(sketch, 156, 24, kernel, "kernel", "score", title="kernel")
    sketch.text((252, 64), "=", "title")
    grid(sketch, 276, 0, result, "result", "data", title="sum of the stamps")
    top, gap = 172.0, 30.0
    for number in range(values.numel()):
        row, column = divmod(number, 2)
        stamp = torch.zeros_like(result)
        area = [slice(stride * place, stride * place + len(kernel)) for place in (row, column)]
        stamp[area[0], area[1]] = values[row, column] * kernel
        x = number * (size * CELL + gap)
        kinds = {(r, c): place_kind(row, column) for r, c in stamp.nonzero().tolist()}
        grid(sketch, x, top, stamp, f"stamp {row}{column}", lambda r, c, kinds=kinds: kinds.get((r, c), ""))
        if number:
            sketch.text((x - gap / 2, top + size * CELL / 2 + 5), "+", "title")
    sketch.say("the map; the kernel; their result; and one stamp for each cell of the map, which add up to it")
    return sketch


def matrix_of_convolution(values: Tensor = MAP, kernel: Tensor = KERNEL, stride: int = 2) -> Sketch:
    """The matrix A of a convolution from (5, 5) to (2, 2); its transpose, times the small map, is the large one."""
    sketch = Sketch(
        "A convolution is a matrix A, and the transposed convolution is multiplication by its transpose",
        "A has a row for each output and a column for each input; turned over, it leads from the small map to the "
        "large one. Hence the name. It is no inverse: only the shapes go back.",
    )
    size = stride * (len(values) - 1) + len(kernel)
    matrix = conv_matrix(kernel[None, None], (size, size), stride=stride)
    places = [place_kind(*divmod(number, 2)) for number in range(len(matrix))]
    kinds = {(row, column): places[row] for row, column in matrix.nonzero().tolist()}
    cell = 15.0
    above = grid(
        sketch, 0, 0, matrix, "A", lambda r, c: kinds.get((r, c), ""), cell=cell, title="A: large map in, small map out"
    )
    turned = grid(
        sketch, above.width + 44, 0, matrix.T, "Aᵀ", lambda r, c: kinds.get((c, r), ""), cell=cell, title="Aᵀ"
    )
    middle = turned.height / 2
    x = turned.right[0] + 34
    small = values.flatten()[:, None]
    grid(sketch, x, middle - 2 * cell, small, "map", lambda r, c: places[r], cell=cell, title="map, row by row")
    sketch.text((x + 46, middle + 5), "=", "title")
    grid(sketch, x + 72, 0, matrix.T @ small, "result", "data", cell=cell, title="large map")
    sketch.text((turned.right[0] + 17, middle + 5), "·", "title")
    sketch.say("A; its transpose; the small map written as a column; their product, the large map as a column")
    return sketch


def zero_insertion(values: Tensor = MAP, kernel: Tensor = KERNEL, stride: int = 2) -> Sketch:
    """The same by an ordinary convolution: zeros between the cells and around them, and the kernel turned round."""
    sketch = Sketch(
        "Transposed convolution by zeros: spread the map, then convolve as usual",
        "Between the cells stand zeros, around them a border; an ordinary convolution with the kernel turned by half "
        "a turn gives the same numbers as the stamps.",
    )
    spread = F.pad(insert_zeros(values[None, None], stride)[0, 0], (2, 2, 2, 2))
    result = F.conv2d(spread[None, None], kernel.flip(0, 1)[None, None])[0, 0]
    places = {(2 + stride * row, 2 + stride * column): place_kind(row, column) for row in (0, 1) for column in (0, 1)}
    grid(sketch, 0, 60, values, "map", place_kind, title="map")
    sketch.arrow((56, 84), (92, 84))
    big = grid(sketch, 100, 0, spread, "spread", lambda r, c: places.get((r, c), ""), title="zeros between and around")
    window(sketch, 100, 0, 3, 3, "score")
    sketch.arrow((big.right[0] + 8, 84), (big.right[0] + 44, 84))
    out = big.right[0] + 52
    grid(sketch, out, 24, result, "result", "data", title="convolved")
    window(sketch, out, 24, 1, 1, "score")
    sketch.say("the map; zeros between its cells and around them; an ordinary convolution of that")
    return sketch


def dilation(rates: tuple[int, ...] = (1, 2, 4)) -> Sketch:
    """A 3×3 kernel at several rates on one map: nine taps each time, ever further apart."""
    sketch = Sketch(
        "Dilation: the same nine taps, further apart",
        "The kernel keeps its nine weights and its cost; the rate says how far apart they read, so it sees wider "
        "without seeing more.",
    )
    side = 2 * max(rates) + 1
    cell, x = 20.0, 0.0
    for rate in rates:
        taps = torch.zeros(side, side)
        places = [side // 2 + rate * step for step in (-1, 0, 1)]
        for row in places:
            for column in places:
                taps[row, column] = 1
        grid(sketch, x, 0, taps, f"rate {rate}", "convolution", cell=cell, numbers=False)
        reach = 2 * rate + 1
        start = (side - reach) / 2 * cell
        window(sketch, x + start, start, reach, reach, "pooling", cell=cell)
        sketch.text((x + side * cell / 2, side * cell + 20), f"rate {rate}: sees {reach}×{reach}", "soft")
        sketch.mark("dilation", f"rate {rate}")
        sketch.say(f"at rate {rate} the taps span {reach} cells")
        x += side * cell + 36
    return sketch


def shift_and_stitch(picture: Tensor = PICTURE) -> Sketch:
    """Max pooling at stride 2 on four shifts of a picture, and the four coarse maps interleaved into a dense one."""
    sketch = Sketch(
        "Shift and stitch: four coarse answers, interleaved, are the dense one",
        "The picture is shifted by each offset within a stride; every run answers for other pixels, and laid between "
        "each other the answers fill the map.",
    )
    padded = F.pad(picture, (0, 1, 0, 1))
    dense = F.max_pool2d(padded[None, None], 2, stride=1)[0, 0]
    grid(sketch, 0, 30, picture, "picture", "data", title="picture")
    for row in (0, 1):
        for column in (0, 1):
            shifted = padded[row:, column:][:4, :4]
            coarse = F.max_pool2d(shifted[None, None], 2)[0, 0]
            x, y = 190 + column * 110, row * 100
            name = f"shift {row},{column}"
            grid(sketch, x, y, coarse, name, place_kind(row, column))
            sketch.text((x + CELL, y - 8), f"down {row}, right {column}", "small soft")
            sketch.mark(name, "shift")
    sketch.arrow((108, 78), (170, 78))
    sketch.arrow((372, 78), (434, 78))
    grid(sketch, 444, 30, dense, "dense", place_kind, title="stitched")
    sketch.say("the picture; the pooled map of each of four shifts; the four interleaved")
    return sketch


def overlaps(kernel: int = 3, stride: int = 2, layers: int = 3) -> Sketch:
    """How often each place is written by transposed convolutions of ones, layer after layer: unevenness compounds."""
    sketch = Sketch(
        "Uneven overlap compounds from layer to layer",
        "Where the kernel's size is no multiple of the stride, some places are written more often than others; the "
        "next layer adds a pattern of its own on top of it.",
    )
    signal = torch.ones(1, 1, 4)
    ones = torch.ones(1, 1, kernel)
    width, y = 560.0, 0.0
    for layer in range(1, layers + 1):
        signal = F.conv_transpose1d(signal, ones, stride=stride)
        counts = signal[0, 0].int().tolist()
        step, height = width / len(counts), 54.0
        for place, count in enumerate(counts):
            tall = height * count / max(counts)
            sketch.cell(place * step, y + height - tall, step, tall, "upsampling")
        text = f"layer {layer}: written {min(counts)} to {max(counts)} times"
        sketch.text((width + 14, y + height / 2), text, "soft", "start")
        sketch.mark("overlaps", f"layer {layer}")
        sketch.say(text)
        y += height + 26
    pattern = "-".join(map(str, overlap_counts(kernel, stride)))
    sketch.text((0, y), f"kernel {kernel}, stride {stride}: inside, one layer writes {pattern} times", "soft", "start")
    sketch.mark("overlaps", "pattern")
    return sketch


def convolutionalise(size: int = 9, window_size: int = 7) -> Sketch:
    """A fully connected layer reads one window; as a convolution with its weights it reads every window of a map."""
    sketch = Sketch(
        "A fully connected layer is a convolution as large as its map",
        "On a map of just its size the layer gives one answer. Kept as a kernel, the same weights slide over a larger "
        "map and give the answer of every window, and what windows share is computed once.",
    )
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(1, 4, (size, size), generator=generator).float()
    layer = nn.Linear(window_size * window_size, 1, bias=False)
    nn.init.ones_(layer.weight)
    first = values[:window_size, :window_size]
    with torch.no_grad():
        one = layer(first.flatten())[None]
        many = linear_to_conv(layer, window_size)(values[None, None])[0, 0]
    cell, middle = 17.0, size * 17.0 / 2
    small = grid(sketch, 0, 0, first, "window", "data", cell=cell, title="a map of the layer's size")
    answer = grid(sketch, small.right[0] + 40, small.height / 2 - CELL / 2, one, "fully connected", "fully connected")
    sketch.arrow((small.right[0] + 6, small.right[1]), (answer.left[0] - 6, answer.left[1]))
    start = answer.right[0] + 60
    large = grid(sketch, start, 0, values, "map", "data", cell=cell, title="a larger map, the same weights")
    window(sketch, start, 0, window_size, window_size, "fully connected", cell=cell)
    answers = grid(
        sketch, large.right[0] + 40, middle - CELL * len(many) / 2, many, "convolution",
        lambda row, column: "convolution" if row or column else "fully connected",
    )  # fmt: skip
    sketch.arrow((large.right[0] + 6, middle), (answers.left[0] - 6, middle))
    sketch.say("a window and the one answer to it; a larger map and the answers to all its windows, the first the same")
    return sketch
