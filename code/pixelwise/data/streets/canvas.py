"""Dice, shapes and a canvas whose pixels come out the same on every machine.

Random numbers are raw Philox words (Salmon et al., 2011), whose stream is fixed by the algorithm. Everything else is
+ - * / sqrt, floor and comparisons in float64, one operation at a time, which IEEE 754 defines to the last bit.
"""

from math import sqrt

import numpy as np

from pixelwise.data.palette import VOID

LATTICE = 32


class Dice:
    """Random numbers of one `stream` of scene `index`: streams are independent, so a knob that draws more or fewer
    numbers from one of them leaves the rest of the scene as it was."""

    def __init__(self, seed, index, stream):
        key = np.array([seed, index], dtype=np.uint64)
        self._bits = np.random.Philox(key=key, counter=np.array([0, 0, 0, stream], dtype=np.uint64))
        self._ready = []

    def array(self, *shape):
        """Uniform numbers in [0, 1)."""
        raw = self._bits.random_raw(int(np.prod(shape)))
        return ((raw >> np.uint64(11)).astype(np.float64) / 9007199254740992.0).reshape(shape)

    def bytes(self, *shape):
        """Uniform integers 0-255."""
        count = int(np.prod(shape))
        return self._bits.random_raw((count + 7) // 8).astype("<u8").view(np.uint8)[:count].reshape(shape)

    def uniform(self, low=0.0, high=1.0):
        if not self._ready:
            self._ready = self.array(64).tolist()
        return low + (high - low) * self._ready.pop()

    def chance(self, probability):
        return self.uniform() < probability

    def integer(self, low, high):
        """A whole number from low to high, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def choice(self, options):
        return options[self.integer(0, len(options) - 1)]


def mix(a, b, share):
    """The colour that is `share` of the way from a to b."""
    return tuple(p + share * (q - p) for p, q in zip(a, b, strict=True))


def clip(value, low=0.0, high=1.0):
    """np.clip without its overhead, which small arrays feel."""
    return np.minimum(np.maximum(value, low), high)


def band(value, low, high, pixel):
    """The share of a pixel of this width at `value` that lies between low and high."""
    half = 0.5 * pixel
    return np.maximum(np.minimum(value + half, high) - np.maximum(value - half, low), 0.0) / pixel


def value_noise(lattice, x, y):
    """Smooth noise in [0, 1) from a periodic lattice (LATTICE, LATTICE), one cell a unit; x and y broadcast.

    A row x (w,) with a column y (h, 1) takes a shorter way: between the lattice's rows first, then along them.
    """
    left, top = np.floor(x), np.floor(y)
    u, v = x - left, y - top
    u, v = u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v)
    i, j = left.astype(np.int64) & (LATTICE - 1), top.astype(np.int64) & (LATTICE - 1)
    i1, j1 = (i + 1) & (LATTICE - 1), (j + 1) & (LATTICE - 1)
    if x.ndim == 1 and y.shape[-1] == 1:
        rows = lattice[j[:, 0]]
        rows += v * (lattice[j1[:, 0]] - rows)
        left = rows[:, i]
        return left + u * (rows[:, i1] - left)
    upper = lattice[j, i] + u * (lattice[j, i1] - lattice[j, i])
    lower = lattice[j1, i] + u * (lattice[j1, i1] - lattice[j1, i])
    return upper + v * (lower - upper)


class Polygon:
    """A convex polygon; `points` in either sense of rotation."""

    def __init__(self, *points):
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        self.points = points
        self.bounds = min(xs), max(xs), min(ys), max(ys)

    def depth(self, x, y):
        """How far inside the edge (x, y) lies; negative outside."""
        lines, area = [], 0.0
        for (ax, ay), (bx, by) in zip(self.points, self.points[1:] + self.points[:1], strict=True):
            dx, dy = bx - ax, by - ay
            length = sqrt(dx * dx + dy * dy)
            area += ax * by - bx * ay
            if length > 1e-9:
                lines.append((dy / length, dx / length, (ax * dy - ay * dx) / length))
        if not lines:
            return np.full(np.broadcast_shapes(x.shape, y.shape), -1.0)
        a, b, c = np.array(lines if area >= 0 else [(-a, -b, -c) for a, b, c in lines]).T[:, :, None]
        return ((c[:, :, None] + b[:, :, None] * y) - (a * x)[:, None]).min(axis=0)


class Box:
    """An upright rectangle about (x, y), w to either side and h up and down."""

    def __init__(self, x, y, w, h):
        self.x, self.y, self.w, self.h = x, y, w, h
        self.bounds = x - w, x + w, y - h, y + h

    def depth(self, x, y):
        return np.minimum(self.w - np.abs(x - self.x), self.h - np.abs(y - self.y))


class Ellipse:
    """An upright ellipse; `ripple(x, y)`, where given, moves its edge outwards by that much."""

    def __init__(self, x, y, a, b, ripple=None):
        self.x, self.y, self.a, self.b, self.ripple = x, y, a, b, ripple
        self.bounds = x - a, x + a, y - b, y + b

    def depth(self, x, y):
        dx, dy = (x - self.x) / self.a, (y - self.y) / self.b
        depth = (1.0 - np.sqrt(dx * dx + dy * dy)) * min(self.a, self.b)
        return depth if self.ripple is None else depth + self.ripple(x, y)


class Capsule:
    """A stroke of the given width with round ends."""

    def __init__(self, a, b, width):
        self.a, self.b, self.radius = a, b, width / 2
        reach = self.radius
        self.bounds = min(a[0], b[0]) - reach, max(a[0], b[0]) + reach, min(a[1], b[1]) - reach, max(a[1], b[1]) + reach

    def depth(self, x, y):
        px, py = x - self.a[0], y - self.a[1]
        dx, dy = self.b[0] - self.a[0], self.b[1] - self.a[1]
        along = clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-12))
        px, py = px - along * dx, py - along * dy
        return self.radius - np.sqrt(px * px + py * py)


class Canvas:
    """An image and its mask, painted together from far to near.

    Coordinates are heights of the picture: x from the middle to the right, y from the top down, so that a scene is the
    same at every size. `image` is float64 (3, H, W), about 0-1; `mask` uint8 (H, W), complete after `draw_mask`.
    """

    def __init__(self, size):
        self.height, self.width = size
        self.x = (np.arange(self.width) + 0.5 - self.width / 2) / self.height
        self.y = ((np.arange(self.height) + 0.5) / self.height)[:, None]
        self.image = np.zeros((3, self.height, self.width))
        self.mask = np.full((self.height, self.width), VOID, np.uint8)
        self._owner = np.zeros((self.height, self.width), np.int16)
        self._labels, self._bordered = [VOID], [False]

    def start(self, label, border=False):
        """Begin an object: what is filled from now on belongs to it. `border`: a thin void line goes round it."""
        self._labels.append(label)
        self._bordered.append(border)

    def window(self, bounds):
        """Rows and columns (as slices) that a shape with these bounds can touch, or None."""
        left, right, top, bottom = bounds
        half = self.width / 2
        c0, c1 = max(0, int(left * self.height + half) - 1), min(self.width, int(right * self.height + half) + 2)
        r0, r1 = max(0, int(top * self.height) - 1), min(self.height, int(bottom * self.height) + 2)
        return (slice(r0, r1), slice(c0, c1)) if c0 < c1 and r0 < r1 else None

    def coverage(self, shape):
        """The window of a shape and how much of each of its pixels the shape covers, or None off the canvas."""
        window = self.window(shape.bounds)
        if window is None:
            return None
        depth = shape.depth(self.x[window[1]], self.y[window[0]])
        return window, clip(depth * self.height + 0.5)

    def fill(self, shape, colour, opacity=None, mark=True):
        """Paint a shape and, unless told not to `mark`, give its pixels to the current object.

        colour: a triple, or a function of x and y that gives (3, h, w); opacity: a number or a function of x and y.
        """
        found = self.coverage(shape)
        if found is None:
            return
        (rows, columns), cover = found
        x, y = self.x[columns], self.y[rows]
        if mark:
            np.copyto(self._owner[rows, columns], len(self._labels) - 1, where=cover >= 0.5)
        if opacity is not None:
            cover = cover * (opacity(x, y) if callable(opacity) else opacity)
        part = self.image[:, rows, columns]
        part += cover * ((colour(x, y) if callable(colour) else np.array(colour)[:, None, None]) - part)

    def tint(self, shape, colour, opacity=None):
        """Paint a shape and leave the mask as it is: lights, details."""
        self.fill(shape, colour, opacity, mark=False)

    def draw_mask(self):
        """Label every pixel by the last object that covered it; what touches a bordered object from behind turns void,
        as under an annotator's outline."""
        np.copyto(self.mask, np.array(self._labels, np.uint8)[self._owner], where=self._owner > 0)
        for _ in range(max(1, self.height // 120)):
            owner = self._owner
            front = owner.copy()
            np.maximum(front[1:], owner[:-1], out=front[1:])
            np.maximum(front[:-1], owner[1:], out=front[:-1])
            np.maximum(front[:, 1:], owner[:, :-1], out=front[:, 1:])
            np.maximum(front[:, :-1], owner[:, 1:], out=front[:, :-1])
            edge = (front > owner) & np.array(self._bordered)[front]
            self.mask[edge] = VOID
            self._owner = np.where(edge, front, owner)

    def develop(self, dice, blur, noise):
        """The picture as a camera would give it, uint8 (3, H, W): blurred by about `blur` pixels at 96 rows, with
        sensor noise of `noise` grey levels."""
        levels = (clip(self.image) * 16320.0).astype(np.int32)
        amount = int(blur * 16.0 * self.height / 96.0)
        while amount > 0:
            weight = min(amount, 16)
            wide = np.pad(levels, ((0, 0), (1, 1), (1, 1)), mode="edge")
            wide = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
            wide = wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]
            levels = ((16 - weight) * 16 * levels + weight * wide) >> 8
            amount -= 16
        grain = dice.bytes(2, 3, self.height, self.width).astype(np.int32)
        scale = int(noise * 64.0 * 16.0 / 104.5)  # two bytes' sum has a standard deviation of 104.5
        levels = levels + (((grain[0] + grain[1] - 255) * scale) >> 4)
        return clip((levels + 32) >> 6, 0, 255).astype(np.uint8)
