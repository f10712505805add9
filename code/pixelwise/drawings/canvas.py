"""A canvas: lines, arrows, texts and pictures on paper whose extent it knows, put out as one self-contained SVG."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from . import ink

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """Where a part lies: its left, top, width and height in CSS pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> Point:
        """The middle of its left side."""
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> Point:
        """The middle of its right side."""
        return self.x + self.width, self.y + self.height / 2

    @property
    def top(self) -> Point:
        """The middle of its upper side."""
        return self.x + self.width / 2, self.y

    @property
    def bottom(self) -> Point:
        """The middle of its lower side."""
        return self.x + self.width / 2, self.y + self.height

    @property
    def centre(self) -> Point:
        """Its middle."""
        return self.x + self.width / 2, self.y + self.height / 2


class Canvas:
    """A drawing: its title, a sentence on what to see, and its parts in painting order; lengths are CSS pixels."""

    def __init__(self, title: str, description: str) -> None:
        self.title = title
        self.description = description
        self._parts: list[ElementTree.Element] = []
        self._kinds: dict[str, None] = {}
        self._extent = [math.inf, math.inf, -math.inf, -math.inf]
        self._told: list[str] = []

    def line(self, *points: Point, kind: str = "", dashed: bool = False) -> None:
        """A line through points, without a head."""
        self._stroke("M" + " L".join(f"{spell(x)} {spell(y)}" for x, y in points), kind, dashed)
        for x, y in points:
            self._grow(x, y, x, y)

    def arrow(
        self, start: Point, end: Point, *via: Point, kind: str = "", dashed: bool = False, behind: bool = False
    ) -> None:
        """A line from start to end, through the points of `via`, with a head; `behind` all that is drawn already."""
        painted = len(self._parts)
        points = [start, *via, end]
        (ax, ay), (bx, by) = points[-2:]
        length = math.hypot(bx - ax, by - ay) or 1
        ux, uy = (bx - ax) / length, (by - ay) / length
        base = (bx - 7 * ux, by - 7 * uy)
        self._stroke("M" + " L".join(f"{spell(x)} {spell(y)}" for x, y in [*points[:-1], base]), kind, dashed)
        head = [(bx, by), (base[0] - 4 * uy, base[1] + 4 * ux), (base[0] + 4 * uy, base[1] - 4 * ux)]
        self._add("polygon", points=spell_points(head), **{"class": f"{ink.class_of(kind)}-tip" if kind else "tip"})
        if behind:
            self._parts = self._parts[painted:] + self._parts[:painted]
        for x, y in points:
            self._grow(x, y, x, y)

    def arc(self, start: Point, end: Point, rise: float, kind: str = "sum", *, dashed: bool = False) -> None:
        """A skip: an arc from start to end that rises (or, negative, sinks) so many pixels, with a head."""
        (ax, ay), (bx, by) = start, end
        peak = min(ay, by) - rise if rise > 0 else max(ay, by) - rise
        self._use(kind)
        bend = min(18.0, abs(bx - ax) / 3)
        turn, away = math.copysign(bend, rise), math.copysign(7, rise)
        way = [("M", ax, ay), ("L", ax, peak + turn), ("Q", ax, peak), ("", ax + bend, peak), ("L", bx - bend, peak)]
        way += [("Q", bx, peak), ("", bx, peak + turn), ("L", bx, by - away)]
        self._stroke(" ".join(f"{command}{spell(x)} {spell(y)}" for command, x, y in way), kind, dashed)
        self._add(
            "polygon",
            points=spell_points([(bx, by), (bx - 4, by - away), (bx + 4, by - away)]),
            **{"class": f"{ink.class_of(kind)}-tip"},
        )
        self._grow(min(ax, bx), min(peak, ay, by), max(ax, bx), max(peak, ay, by))

    def picture(self, x: float, y: float, png: bytes, width: float, height: float, text: str) -> Box:
        """A PNG in the drawing, pixels kept apart, with a line below that says what it is."""
        data = "data:image/png;base64," + base64.b64encode(png).decode()
        self._add(
            "image", x=x, y=y, width=width, height=height, href=data, preserveAspectRatio="none",
            style="image-rendering:pixelated",
        )  # fmt: skip
        self._add("rect", x=x, y=y, width=width, height=height, **{"class": "line"})
        self._grow(x, y, x + width, y + height)
        if text:
            self.text((x + width / 2, y + height + 14), text, "small soft")
        return Box(x, y, width, height)

    def dot(self, at: Point, radius: float, kind: str, *, hollow: bool = False) -> None:
        """A point in the colour of a kind, or the ring of it."""
        self._use(kind)
        name = f"wide {ink.class_of(kind)}-line" if hollow else ink.class_of(kind)
        self._add("circle", cx=at[0], cy=at[1], r=radius, **{"class": name})
        self._grow(at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius)

    def cell(self, x: float, y: float, width: float, height: float, kind: str = "") -> None:
        """A rectangle, in the colour of a kind or empty."""
        if kind:
            self._use(kind)
        name = f"{ink.class_of(kind)} cell" if kind else "line faint"
        self._add("rect", x=x, y=y, width=width, height=height, **{"class": name})
        self._grow(x, y, x + width, y + height)

    def text(self, at: Point, text: str, style: str = "", anchor: str = "middle") -> None:
        """A name or a word; numbers of the network are `number`'s."""
        if "soft" not in style:
            style += " ink"
        element = self._add("text", x=at[0], y=at[1], **{"class": style.strip(), "text-anchor": anchor})
        element.text = text
        size = 14 if "title" in style else 11 if "small" in style else 12
        self._grow_text(at, text, anchor, size * (1.1 if "title" in style or "strong" in style else 1))

    def heading(self, at: Point, text: str, anchor: str = "middle") -> None:
        """What the parts that follow are, where a drawing shows two things."""
        self.text(at, text, "title", anchor)
        self._told.append(text)

    def legend(self, y: float | None = None) -> None:
        """What each colour means, for the kinds that the drawing shows, in rows below it."""
        left, right = self._extent[0], self._extent[2]
        x, y = left, self._extent[3] + 22 if y is None else y
        for kind in [kind for kind in ink.TINTS if kind in self._kinds]:
            width = 20 + text_width(kind, 12) + 18
            if x > left and x + width > max(right, left + 420):
                x, y = left, y + 20
            self._add("rect", x=x, y=y, width=13, height=13, rx=2, **{"class": ink.class_of(kind)})
            self.text((x + 20, y + 11), kind, "soft", "start")
            x += width
        self._grow(left, y, x, y + 16)

    @property
    def alternative(self) -> str:
        """The title, what to see, and the parts in order, for who does not see it."""
        return f"{self.title}. {self.description} From first to last: {'; '.join(self._told)}."

    def svg(self) -> str:
        """The drawing as a document of its own."""
        left, top, right, bottom = self._extent
        margin = 14
        width, height = right - left + 2 * margin, bottom - top + 2 * margin
        root = ElementTree.Element(
            "svg", xmlns="http://www.w3.org/2000/svg", width=spell(width), height=spell(height), role="img",
            viewBox=f"{spell(left - margin)} {spell(top - margin)} {spell(width)} {spell(height)}",
        )  # fmt: skip
        root.set("aria-labelledby", "title description")
        for tag, text in (("title", self.title), ("desc", self.alternative)):
            element = ElementTree.SubElement(root, tag, id={"title": "title", "desc": "description"}[tag])
            element.text = text
        ElementTree.SubElement(root, "style").text = ink.css(list(self._kinds))
        paper = {"x": spell(left - margin), "y": spell(top - margin), "width": spell(width), "height": spell(height)}
        ElementTree.SubElement(root, "rect", paper | {"class": "paper", "rx": "8"})
        root.extend(self._parts)
        return ElementTree.tostring(root, encoding="unicode")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": self.alternative}

    def _add(self, tag: str, **attributes: object) -> ElementTree.Element:
        spelled = {name: spell(value) if isinstance(value, float) else str(value) for name, value in attributes.items()}
        element = ElementTree.Element(tag, spelled)
        self._parts.append(element)
        return element

    def _stroke(self, path: str, kind: str, dashed: bool) -> None:
        if kind:
            self._use(kind)
        name = f"wide {ink.class_of(kind)}-line" if kind else "line"
        self._add("path", d=path, **{"class": name + (" dash" if dashed else "")})

    def _use(self, kind: str) -> None:
        if kind not in ink.TINTS:
            raise ValueError(f"{kind!r} is no kind of thing in a drawing; there are {', '.join(ink.TINTS)}")
        self._kinds[kind] = None

    def _grow(self, left: float, top: float, right: float, bottom: float) -> None:
        extent = self._extent
        self._extent = [
            min(extent[0], left), min(extent[1], top), max(extent[2], right), max(extent[3], bottom)
        ]  # fmt: skip

    def _grow_text(self, at: Point, text: str, anchor: str, size: float) -> None:
        width = text_width(text, size)
        left = at[0] - {"start": 0, "middle": width / 2, "end": width}[anchor]
        self._grow(left, at[1] - size, left + width, at[1] + 3)


def text_width(text: str, size: float) -> float:
    """About how wide a text runs, in pixels: narrow letters 0.32 of the size, capitals and digits 0.62, others 0.55."""
    narrow, broad = set("iljtf.,:;|!'() "), set("mwMW×")
    return size * sum(0.32 if c in narrow else 0.85 if c in broad else 0.62 if c.isupper() else 0.56 for c in text)


def spell_points(points: Sequence[Point]) -> str:
    return " ".join(f"{spell(x)},{spell(y)}" for x, y in points)


def spell(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
