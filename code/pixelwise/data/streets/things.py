"""One function for each thing that stands in a street. Each paints itself and its label on the street's canvas."""

from itertools import pairwise

import numpy as np

from pixelwise.data.palette import CLASSES, VOID
from pixelwise.data.streets.canvas import Box, Capsule, Ellipse, Polygon, band, clip, mix, value_noise
from pixelwise.data.streets.view import LEFTWARDS, NEAR, RIGHTWARDS, TOWARDS, UPWARDS

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(len(CLASSES))

GLASS = (0.24, 0.29, 0.35)
WEATHER = np.full((1, 1), 0.37)  # the row of the lattice whose noise runs down walls
CLOSE = 26.0  # metres within which details are drawn
LAMPLIGHT = (1.0, 0.80, 0.46)


def planes(colour, height, width):
    """A colour as pixels (3, height, width), to be painted over."""
    return np.repeat(np.array(colour), height * width).reshape(3, height, width)


def blend(pixels, colour, share):
    """Lay a colour over pixels (3, h, w), in place; share broadcasts to (h, w)."""
    pixels += share * (np.array(colour)[:, None, None] - pixels)


# Sky and ground


def draw_sky(street):
    canvas, light, dice = street.canvas, street.light, street.look
    rows = int(street.camera.horizon * canvas.height) + 2
    y, x = canvas.y[:rows], canvas.x
    up = clip((street.camera.horizon - y) / 0.5)
    up = up * (2.0 - up)
    phase = dice.uniform(0, 32)
    stretch = dice.uniform(1.2, 3.2)
    u, v = x / stretch, y * (1.0 - 0.5 * y)
    cloud = 0.52 * value_noise(street.lattice, u * 7.0 + phase, v * 9.0 + phase)
    cloud = cloud + 0.28 * value_noise(street.lattice, u * 17.0 + phase, v * 19.0)
    cloud = cloud + 0.20 * value_noise(street.lattice, u * 40.0, v * 41.0 + phase)
    cloud = clip((cloud - 0.80 + 0.45 * light.clouds) * 3.6) * clip(up * 3.0, 0.1, 1.0)
    dx, dy = (x - light.direction[0] * 0.9), (y - 0.15)
    glow = (0.45 if light.direction[2] > -0.3 else 0.12) / (1.0 + 14.0 * (dx * dx + dy * dy)) * (1.0 - light.night)
    white = mix(
        light.horizon, tuple(0.5 * a + 0.60 * s + 0.34 for a, s in zip(light.ambient, light.sun, strict=True)), 0.6
    )
    white = mix(white, light.horizon, max(light.night, light.fog))
    for c in range(3):
        tone = light.horizon[c] + up * (light.zenith[c] - light.horizon[c])
        tone = tone + glow * (1.0 - tone) * (1.0, 0.8, 0.5)[c]
        canvas.image[c, :rows] = tone + 0.85 * cloud * (white[c] - tone)
    canvas.mask[:rows] = SKY


def draw_ground(street):
    """Road, pavement and the gardens beyond: one texture, divided by the kerb."""
    canvas, camera, light, knobs = street.canvas, street.camera, street.light, street.knobs
    first = max(0, int(camera.horizon * canvas.height))
    y = canvas.y[first:]
    z = camera.focal * camera.height / np.maximum(y - camera.horizon, 0.25 / canvas.height)
    X = (canvas.x - camera.centre) * z / camera.focal + camera.offset - camera.bend * z * z
    pixel = z / (camera.focal * canvas.height)
    aside = np.abs(X)
    kerb, wall = street.kerb, street.kerb + street.pavement

    grain = value_noise(street.lattice, X * 9.0, z * 4.0) / (1.0 + 0.12 * z) - 0.5 / (1.0 + 0.12 * z)
    worn = value_noise(street.lattice, X * 0.8, z * 0.25) - 0.5
    coarse = knobs.texture * (0.26 * grain + 0.16 * worn)
    albedo = planes(street.asphalt, *X.shape)
    if "pavement" not in knobs.context_only:
        slabs = np.maximum(
            band(X - np.floor(X), -1, 0.06, pixel), band(z * 0.8 - np.floor(z * 0.8), -1, 0.05, pixel * 3)
        )
        blend(albedo, mix(street.asphalt, (0.74, 0.64, 0.52), 0.8), (aside > kerb) * (1.0 - 0.35 * slabs))
    grass = band(aside, wall, 1e9, pixel)
    blend(albedo, street.grass, grass)
    albedo *= 1.0 + coarse
    paint_markings(street, albedo, X, z, pixel, 0.8 + 0.4 * grain + 0.3 * worn)
    stone = band(aside, kerb, kerb + 0.16, pixel)
    gutter = band(aside, kerb - 0.22, kerb, pixel)
    blend(albedo, mix(street.asphalt, (0.92, 0.90, 0.86), 0.75), knobs.kerb * stone)
    blend(albedo, mix(street.asphalt, (0.1, 0.1, 0.1), 0.6), knobs.kerb * gutter)

    sun = light.on(UPWARDS) * (1.0 - shadow_map(street, first))
    canvas.image[:, first:] = light.over(albedo, sun, z)
    label = np.where(aside < kerb, ROAD, np.where(aside < wall, PAVEMENT, TREE)).astype(np.uint8)
    label[np.abs(aside - kerb) < 0.06 + 0.4 * pixel] = VOID
    canvas.mask[first:] = label


def paint_markings(street, albedo, X, z, pixel, worn):
    """Centre line, edge lines and perhaps a zebra crossing; `worn` is what is left of the paint."""
    style = street.markings
    cycle = z / style["period"] - np.floor(z / style["period"])
    dashes = band(cycle, 0.0, style["share"], np.minimum(pixel * 6, 1.0))
    blend(
        albedo,
        style["colour"],
        worn * dashes * band(np.abs(X - style["middle"]), style["gap"], style["gap"] + 0.15, pixel),
    )
    if style["edges"]:
        blend(albedo, style["edge_colour"], 0.9 * worn * band(np.abs(X), street.kerb - 0.62, street.kerb - 0.50, pixel))
    if style["zebra"]:
        across = X / 1.1 - np.floor(X / 1.1)
        bars = band(across, 0.0, 0.5, pixel) * band(z, style["zebra"], style["zebra"] + 3.0, pixel * 5)
        blend(albedo, (0.93, 0.92, 0.88), worn * bars * band(np.abs(X), -1.0, street.kerb - 0.4, pixel))


def shadow_map(street, first):
    """How much of the sun each pixel below row `first` lacks, (rows, W)."""
    canvas = street.canvas
    dark = np.zeros((canvas.height, canvas.width))
    for shape, strength in street.shadows:
        found = canvas.coverage(shape)
        if found is not None:
            window, cover = found
            np.maximum(dark[window], cover * strength, out=dark[window])
    return dark[first:]


def cast_shadow(street, corners, height, strength=0.92):
    """Remember the shadow on the ground of a prism over these ground points (X, z), `height` metres tall."""
    sx, sy, sz = street.light.direction
    reach = min(height / sy, 14.0)
    tips = [(X - sx * reach, z - sz * reach) for X, z in corners]
    spots = [street.camera.project(X, 0.0, z) for X, z in corners + tips]
    street.shadows.append((Polygon(*hull(spots)), strength))


def cast_crown_shadow(street, X, z, height, radius):
    """Remember the ragged shadow of a tree's crown, `height` metres up, and of the trunk below it."""
    camera, (sx, sy, sz) = street.camera, street.light.direction
    X0, z0 = X - sx / sy * height, max(z - sz / sy * height, radius + NEAR)
    (x, bottom), (_, top) = camera.project(X0, 0.0, z0 - radius), camera.project(X0, 0.0, z0 + radius)
    width = radius * camera.scale(z0)

    def ripple(x, y):
        return (value_noise(street.lattice, x / (0.3 * width), y / (0.1 * width)) - 0.6) * (bottom - top) * 0.5

    street.shadows.append((Ellipse(x, (top + bottom) / 2, width, (bottom - top) / 2, ripple), 0.85))
    cast_shadow(street, [(X - 0.1, z), (X + 0.1, z), (X, z + 0.1)], height, 0.8)


def hull(points):
    """The convex hull, by Andrew's monotone chain."""
    points = sorted(set(points))
    chains = []
    for run in (points, points[::-1]):
        chain = []
        for p in run:
            while len(chain) > 1 and turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        chains.append(chain[:-1])
    return chains[0] + chains[1]


def turn(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


# Walls, buildings, fences


def draw_wall(street, a, b, height, normal, finish, opacity=None):
    """An upright wall over the ground points a and b, each (X, z); finish(s, t, pixel) gives its albedo and glow from
    metres along and metres up."""
    camera, light = street.camera, street.light
    (Xa, za), (Xb, zb) = (a[0], max(a[1], NEAR)), (b[0], max(b[1], NEAR))
    corners = [camera.project(X, Y, z) for X, Y, z in ((Xa, 0, za), (Xb, 0, zb), (Xb, height, zb), (Xa, height, za))]
    xa, dx, dz = camera.aside(Xa, za), camera.aside(Xb, zb) - camera.aside(Xa, za), zb - za
    length = abs(Xb - Xa) + abs(dz)

    def place(x, y):
        ray = (x - camera.centre) / camera.focal
        slope = dx - ray * dz
        slope = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
        along = clip((ray * za - xa) / slope)
        z = za + along * dz
        return along * length, camera.height - (y - camera.horizon) * z / camera.focal, z

    def colour(x, y):
        s, t, z = place(x, y)
        albedo, glow = finish(s, t, z / (camera.focal * street.canvas.height))
        return light.over(albedo, light.on(normal), z, glow)

    def holes(x, y):
        s, t, z = place(x, y)
        return opacity(s, t, z / (camera.focal * street.canvas.height))

    street.canvas.fill(Polygon(*corners), colour, opacity and holes)


def facade(street, style, height, detailed):
    """The finish of a house: storeys of windows, shop or door below; frames, courses and awnings where `detailed`."""

    def finish(s, t, pixel):
        column, row = s / style["bay"], t / style["storey"]
        i, j = np.floor(column), np.floor(row)
        fs, ft = column - i, row - j
        ps, pt = pixel / style["bay"], pixel / style["storey"]
        w, low, high = style["window"] / 2, style["sill"], style["lintel"]
        upper = (t > style["storey"]) * (t < height - 0.5)
        weather = value_noise(street.lattice, s * 1.3, WEATHER) - 0.5
        pixels = planes(style["wall"], *t.shape)
        pixels *= 1.0 + street.knobs.texture * 0.30 * weather
        if detailed and style["courses"]:
            blend(pixels, mix(style["wall"], (0.1, 0.08, 0.07), 0.5), 0.35 * band(ft, -1.0, 0.06, pt))
        if detailed:
            frame = band(fs, 0.46 - w, 0.54 + w, ps) * band(ft, low - 0.05, high + 0.05, pt)
            blend(pixels, style["trim"], 0.85 * frame * upper)
        pane = band(fs, 0.5 - w, 0.5 + w, ps) * band(ft, low, high, pt) * upper
        luck = street.lattice[j.astype(np.int64) & 31, i.astype(np.int64) & 31]
        reflection = clip(0.35 * ft + 0.9 * luck - 0.35) * (1.0 - street.light.night)
        below = band(t, -1.0, style["storey"], pixel)
        if style["shop"]:
            shop = below * band(fs, 0.07, 0.93, ps) * band(ft, 0.10, 0.66, pt)
            blend(pixels, style["front"], below)
            pane = np.maximum(pane, shop)
            stripes = band(2.0 * column - np.floor(2.0 * column), 0.0, 0.5, 2 * ps)
            awning = below * band(ft, 0.70, 0.92, pt)
            blend(pixels, style["awning"], awning)
            if detailed and style["striped"]:
                blend(pixels, (0.94, 0.92, 0.87), 0.85 * awning * stripes)
        elif detailed:
            door = below * band(fs, 0.36, 0.64, ps) * band(ft, -1.0, 0.70, pt) * (luck > 0.45)
            pane = np.maximum(pane, below * (luck <= 0.45) * band(fs, 0.5 - w, 0.5 + w, ps) * band(ft, low, high, pt))
            blend(pixels, style["front"], door)
        for c in range(3):
            glass = GLASS[c] + reflection * (0.35 * street.light.zenith[c] + 0.35 * street.light.horizon[c])
            pixels[c] += pane * (glass - pixels[c])
        blend(pixels, style["trim"], 0.9 * band(t, height - 0.40, height - 0.08, pixel))
        lit = pane * (luck > 1.0 - 0.06 - 0.5 * street.light.night) * (0.15 + 0.75 * street.light.night)
        return pixels, [lit * c for c in LAMPLIGHT]

    return finish


def draw_building(street, side, house):
    """A house on one side (-1 left, 1 right): its end wall, its street wall, its roof."""
    canvas, camera, light = street.canvas, street.camera, street.light
    near, far, X, height, style = house["near"], house["far"], side * house["line"], house["height"], house["style"]
    back = X + side * house["depth"]
    canvas.start(BUILDING, border=house["bordered"])
    finish = facade(street, style, height, detailed=near < CLOSE)
    if house["end"]:
        draw_wall(street, (X, near), (back, near), height, TOWARDS, finish)
    draw_wall(street, (X, near), (X, far), height, LEFTWARDS if side > 0 else RIGHTWARDS, finish)
    if not house["roof"]:
        return
    ridge, middle = height + house["roof"], (X + back) / 2
    slope = (-side * 0.6, 0.8, 0.0)
    if house["end"]:
        gable = [camera.project(*p) for p in ((X, height, near), (middle, ridge, near), (back, height, near))]
        canvas.fill(Polygon(*gable), light.colour(style["wall"], light.on(TOWARDS), near))
    tiles = [(X, height, near), (X, height, far), (middle, ridge, far), (middle, ridge, near)]
    canvas.fill(Polygon(*[camera.project(*p) for p in tiles]), light.colour(style["roof"], light.on(slope), near + 2))
    if house["chimney"]:
        z = near + (far - near) * 0.3
        (x, top), w = camera.project(middle, ridge + 0.9, z), 0.45 * camera.scale(max(z, NEAR))
        bottom = camera.project(middle, ridge - 0.6, z)[1]
        canvas.fill(
            Box(x, (top + bottom) / 2, w, (bottom - top) / 2),
            light.colour(mix(style["wall"], (0.35, 0.22, 0.18), 0.5), light.on(TOWARDS), z),
        )


def draw_fence(street, side, fence):
    """A garden fence: pickets, dark railings or a low wall."""
    X, kind, colour = side * fence["line"], fence["kind"], fence["colour"]
    street.canvas.start(FENCE)

    def finish(s, t, pixel):
        pixels = planes(colour, *t.shape)
        pixels *= 1.0 + 0.5 * street.knobs.texture * (value_noise(street.lattice, s * 2.0, WEATHER) - 0.5)
        blend(
            pixels, mix(colour, (0.1, 0.1, 0.1), 0.5), 0.6 * band(np.abs(t - 0.55 * fence["height"]), -1, 0.06, pixel)
        )
        blend(pixels, mix(colour, (1.0, 1.0, 1.0), 0.35), 0.6 * band(t, fence["height"] - 0.12, 9.0, pixel))
        return pixels, None

    def pickets(s, t, pixel):
        post = s / fence["spacing"] - np.floor(s / fence["spacing"])
        rail = band(t, 0.45 * fence["height"], 0.62 * fence["height"], pixel)
        rail = np.maximum(rail, band(t, fence["height"] - 0.14, 9.0, pixel))
        return np.maximum(0.25, np.maximum(rail, band(post, 0.0, 0.6, pixel / fence["spacing"])))

    normal = LEFTWARDS if side > 0 else RIGHTWARDS
    ends = (X, fence["near"]), (X, fence["far"])
    draw_wall(street, *ends, fence["height"], normal, finish, None if kind == "wall" else pickets)


# Trees and posts

CROWNS = {  # clumps: across, up and radius, as shares of the tree's height
    "round": (
        (-0.20, 0.30, 0.19), (0.20, 0.32, 0.18), (0.00, 0.40, 0.22),
        (-0.13, 0.62, 0.18), (0.14, 0.66, 0.17), (0.00, 0.80, 0.15),
    ),
    "slender": ((0.00, 0.20, 0.11), (0.02, 0.40, 0.13), (-0.02, 0.60, 0.12), (0.00, 0.80, 0.09)),
    "cone": (
        (-0.08, 0.12, 0.17), (0.09, 0.14, 0.17), (0.00, 0.35, 0.17),
        (0.00, 0.58, 0.13), (0.00, 0.78, 0.09), (0.00, 0.92, 0.05),
    ),
    "bush": ((-0.35, 0.35, 0.42), (0.35, 0.35, 0.40), (0.00, 0.55, 0.45)),
}  # fmt: skip


def draw_clump(street, x, y, radius, colour, z, sun):
    """One ball of leaves, ragged at the rim and brighter towards the sun."""
    light, lattice = street.light, street.lattice
    side, up = light.direction[0], light.direction[1]
    dark, bright = light.colour(colour, 0.0, z), light.colour(colour, 1.15, z)
    lift = np.array(bright)[:, None, None] - np.array(dark)[:, None, None]
    cell = max(radius * 0.30, 0.012)

    def ripple(x, y):
        return (value_noise(lattice, x / cell, y / cell) - 0.62) * radius * 0.75

    def leaves(px, py):
        leaf = value_noise(lattice, px / (0.5 * cell) + 5.0, py / (0.5 * cell)) - 0.5
        facing = 0.5 + 0.42 * ((px - x) / radius * side - (py - y) / radius * up)
        return np.array(dark)[:, None, None] * 0.92 + lift * clip(sun * facing + 0.62 * leaf, -0.15, 1.0)

    street.canvas.fill(Ellipse(x, y, radius, radius, ripple), leaves)


def draw_tree(street, tree):
    """A trunk under a crown of clumps: round, slender or conical."""
    camera, light = street.camera, street.light
    X, z, height, shape = tree["X"], tree["z"], tree["height"], tree["shape"]
    (x, foot), scale = camera.project(X, 0.0, z), camera.scale(max(z, NEAR))
    size = height * scale
    if street.canvas.window((x - 0.5 * size, x + 0.5 * size, foot - 1.1 * size, foot)) is None:
        return
    street.canvas.start(TREE, border=tree["bordered"])
    bare = {"round": 0.34, "slender": 0.12, "cone": 0.10, "bush": 0.0}[shape]
    if bare:
        trunk = Capsule(
            (x, foot), (x + 0.03 * size * tree["lean"], foot - (bare + 0.25) * size), max(0.055 * size, 0.008)
        )
        street.canvas.fill(trunk, light.colour((0.34, 0.26, 0.20), 0.5 * light.on(TOWARDS), z))
    skip = 1 if size > 0.2 else 2 if size > 0.1 else 3
    for across, up, radius in tree["clumps"][::skip]:
        colour = mix(tree["colour"], (0.10, 0.14, 0.08), 0.35 * (1.0 - up))
        centre = foot - (bare + (1.0 - bare) * up) * size
        draw_clump(street, x + across * size, centre, radius * size, colour, z, 0.75 + 0.35 * up)


def draw_pole(street, X, z, height, colour=(0.30, 0.32, 0.34)):
    """A post `knobs.pole_width` pixels (at 96 rows) wide, a little more when near; returns its top."""
    foot, top = street.camera.project(X, 0.0, z), street.camera.project(X, height, z)
    near, far = street.knobs.scale_range
    share = (far - z) / (far - near) if far > near else 0.5
    width = street.knobs.pole_width * (0.75 + 0.5 * min(max(share, 0.0), 1.0)) / 96.0
    street.canvas.start(POLE)
    shade = street.light.colour(colour, street.light.on(TOWARDS), z)
    street.canvas.fill(Box(foot[0], (foot[1] + top[1]) / 2, width / 2, (foot[1] - top[1]) / 2), shade)
    return top, width


def draw_lamp(street, lamp):
    """A street lamp whose arm reaches over the road."""
    (x, y), width = draw_pole(street, lamp["X"], lamp["z"], lamp["height"], lamp["colour"])
    light, scale = street.light, street.camera.scale(lamp["z"])
    reach = (-1 if lamp["X"] > 0 else 1) * 1.5 * scale
    shade = light.colour(lamp["colour"], light.on(TOWARDS), lamp["z"])
    street.canvas.fill(Capsule((x, y), (x + reach, y - 0.25 * scale), 0.8 * width), shade)
    head = Ellipse(x + reach, y - 0.22 * scale, max(0.42 * scale, 0.009), max(0.13 * scale, 0.006))
    street.canvas.fill(head, mix(mix(shade, (0.8, 0.8, 0.78), 0.4), LAMPLIGHT, light.night))
    if light.night:
        cx, cy, r = x + reach, y - 0.2 * scale, 2.2 * scale

        def glow(px, py):
            d = clip(1.0 - ((px - cx) * (px - cx) + (py - cy) * (py - cy)) / (r * r))
            return 0.6 * light.night * d * d * d

        street.canvas.tint(Ellipse(cx, cy, r, r), LAMPLIGHT, glow)


def draw_sign(street, sign):
    """A traffic sign or a traffic light on its post."""
    camera, light, canvas = street.camera, street.light, street.canvas
    X, z, kind, r = sign["X"], sign["z"], sign["kind"], sign["radius"]
    draw_pole(street, X, z, sign["height"] + r)
    x, y = camera.project(X, sign["height"], z)
    r = r * camera.scale(z)
    canvas.start(SIGN)

    def paint(albedo):
        return light.colour(albedo, 0.35 + 0.5 * light.on(TOWARDS), z * 0.5)

    red, blue, white = (0.80, 0.12, 0.12), (0.10, 0.28, 0.66), (0.95, 0.95, 0.93)
    if kind == "ring":
        canvas.fill(Ellipse(x, y, r, r), paint(red))
        canvas.fill(Ellipse(x, y, 0.68 * r, 0.68 * r), paint(white))
    elif kind == "stop":
        canvas.fill(Ellipse(x, y, r, r), paint(red))
        canvas.fill(Box(x, y, 0.7 * r, 0.18 * r), paint(white))
    elif kind == "order":
        canvas.fill(Ellipse(x, y, r, r), paint(blue))
        canvas.fill(Capsule((x - 0.3 * r, y + 0.4 * r), (x + 0.3 * r, y - 0.4 * r), 0.3 * r), paint(white))
    elif kind == "warning":
        for size, colour in ((1.2, red), (0.72, white)):
            tip = (x, y - size * r)
            canvas.fill(
                Polygon(tip, (x + size * r, y + 0.75 * size * r), (x - size * r, y + 0.75 * size * r)), paint(colour)
            )
    elif kind == "lights":
        canvas.fill(Box(x, y, 0.55 * r, 1.3 * r), paint((0.10, 0.11, 0.12)))
        for place, colour in enumerate(((0.95, 0.16, 0.12), (0.98, 0.70, 0.15), (0.20, 0.85, 0.45))):
            glow = colour if place == sign["lit"] else mix(colour, (0.1, 0.1, 0.1), 0.8)
            canvas.fill(Ellipse(x, y + (place - 1) * 0.8 * r, 0.34 * r, 0.34 * r), glow)
    else:
        canvas.fill(Box(x, y, 1.5 * r, 0.85 * r), paint(white))
        canvas.fill(Box(x, y, 1.36 * r, 0.71 * r), paint(sign["colour"]))
        for row in (-0.3, 0.2):
            canvas.fill(Capsule((x - 0.9 * r, y + row * r), (x + 0.7 * r, y + row * r), 0.2 * r), paint(white))


# Traffic and people


def shrink(points, sideways, upwards=None):
    """A polygon's points drawn towards their middle."""
    upwards = sideways if upwards is None else upwards
    x = sum(p[0] for p in points) / len(points)
    y = sum(p[1] for p in points) / len(points)
    return [(x + sideways * (p[0] - x), y + upwards * (p[1] - y)) for p in points]


def draw_car(street, car):
    """A car, van or lorry as a body and a tapering cabin, seen from behind or, oncoming, from the front."""
    canvas, camera, light = street.canvas, street.camera, street.light
    X, near, kind, paint = car["X"], car["z"], car["kind"], car["colour"]
    length, width, height, belt, hood, boot = CARS[kind]
    front = car["oncoming"]
    a, b = (hood, boot) if front else (boot, hood)  # metres of body before and behind the cabin, from the camera
    lean_a, lean_b = (0.65, 0.3) if front else (0.3, 0.65)
    far, w, roof = near + length, width / 2, width * 0.40

    def at(X_, Y, z):
        return camera.project(X + X_, Y, z)

    def shade(albedo, normal):
        return light.colour(albedo, light.on(normal), near)

    flank = 1 if at(w, 0, far)[0] > at(w, 0, near)[0] else (-1 if at(-w, 0, far)[0] < at(-w, 0, near)[0] else 0)
    normal = RIGHTWARDS if flank > 0 else LEFTWARDS
    s, dark = flank * w, (0.06, 0.06, 0.07)

    canvas.start(CAR, border=car["bordered"])
    under = hull(
        [at(x, y, z) for x in (-w, w) for y, z in ((0.02, near + 0.2), (0.35, near), (0.35, far), (0.02, far - 0.2))]
    )
    canvas.fill(Polygon(*under), dark)
    if flank:
        side = [at(s, 0.24, near), at(s, 0.24, far), at(s, belt, far), at(s, belt, near)]
        canvas.fill(Polygon(*side), shade(paint, normal))
        for z in (near + 0.75, far - 0.8):
            (x0, y0), (x1, _) = at(s, 0.32, z - 0.33), at(s, 0.32, z + 0.33)
            r = 0.33 * camera.scale(z)
            canvas.fill(Ellipse((x0 + x1) / 2, y0, max(abs(x1 - x0) / 2, 0.25 * r), r), dark)
            if z < CLOSE:
                hub = Ellipse((x0 + x1) / 2, y0, max(abs(x1 - x0) / 4, 0.1 * r), 0.5 * r)
                canvas.tint(hub, shade((0.55, 0.56, 0.58), normal), 0.9)
    deck = [at(-w, belt, near), at(w, belt, near), at(w, belt, far), at(-w, belt, far)]
    canvas.fill(Polygon(*deck), shade(paint, UPWARDS))
    nose = Box(*at(0.0, (belt + 0.22) / 2, near), w * camera.scale(near), (belt - 0.22) / 2 * camera.scale(near))
    canvas.fill(nose, shade(paint, TOWARDS))

    base = [(x * w * 0.96, belt, z) for x, z in ((-1, near + a), (1, near + a), (1, far - b), (-1, far - b))]
    top = [
        (x * roof, height, z)
        for x, z in ((-1, near + a + lean_a), (1, near + a + lean_a), (1, far - b - lean_b), (-1, far - b - lean_b))
    ]
    base, top = [at(*p) for p in base], [at(*p) for p in top]
    if flank:
        i, j = (1, 2) if flank > 0 else (0, 3)
        pane = [base[i], base[j], top[j], top[i]]
        canvas.fill(Polygon(*pane), shade(paint, normal))
        if kind != "lorry":
            canvas.tint(Polygon(*shrink(pane, 0.86, 0.72)), shade(GLASS, normal))
    screen = [base[0], base[1], top[1], top[0]]
    canvas.fill(Polygon(*screen), shade(paint, TOWARDS))
    canvas.fill(Polygon(*top), mix(shade(paint, UPWARDS), light.horizon, 0.12))
    if kind != "lorry" or front:
        glass = mix(shade(GLASS, TOWARDS), light.horizon, 0.28 * (1 - light.night))
        canvas.tint(Polygon(*shrink(screen, 0.86, 0.80)), glass)
    dress_car(street, at, w, belt, near, front, shade)


CARS = {  # length, width, height, belt line, bonnet, boot: metres
    "hatchback": (3.7, 1.68, 1.48, 0.92, 0.85, 0.05),
    "saloon": (4.4, 1.76, 1.42, 0.88, 1.05, 0.65),
    "estate": (4.5, 1.78, 1.50, 0.90, 1.05, 0.05),
    "van": (4.9, 1.95, 2.20, 1.15, 0.65, 0.02),
    "lorry": (6.8, 2.30, 3.10, 1.25, 0.30, 0.02),
}


def dress_car(street, at, w, belt, near, front, shade):
    """Lamps, bumper and number plate on the end that faces the camera."""
    tint, night = street.canvas.tint, street.light.night
    unit = street.camera.scale(near)

    def patch(across, up, wide, tall):
        return Box(*at(across, up, near), wide * unit / 2, tall * unit / 2)

    if near < CLOSE:
        tint(patch(0.0, 0.32, 2 * w, 0.20), shade((0.14, 0.14, 0.15), TOWARDS), 0.75)
        tint(patch(0.0, 0.52, 0.52, 0.12), shade((0.93, 0.92, 0.82), TOWARDS))
    lamp = (0.98, 0.96, 0.86) if front else (0.86, 0.10, 0.10)
    lamp = mix(shade(lamp, TOWARDS), lamp, 0.35 + 0.65 * night)
    for side in (-0.78, 0.78):
        tint(patch(side * w, belt - 0.18, 0.32 * w, 0.24), lamp)


def draw_pedestrian(street, person):
    """Someone walking: legs, coat, arms, head, perhaps a bag."""
    canvas, light = street.canvas, street.light
    (x, y), unit = street.camera.project(person["X"], 0.0, person["z"]), street.camera.scale(person["z"])
    unit, sun = unit * person["size"], 0.25 + 0.6 * light.on(TOWARDS)

    def at(across, up):
        return x + across * unit * person["turn"], y - up * unit

    def shade(albedo):
        return light.colour(albedo, sun, person["z"])

    def draw_arm(shoulder, hand, colour):
        if person["z"] < CLOSE:
            canvas.fill(Capsule(at(shoulder, 1.32), at(hand, 0.83), 0.11 * unit), shade(colour))

    stride = person["stride"]
    canvas.start(PEDESTRIAN, border=person["bordered"])
    for foot in (-stride, stride):
        canvas.fill(Capsule(at(foot * 0.3, 0.86), at(foot, 0.05), 0.17 * unit), shade(person["legs"]))
    draw_arm(-0.20, -0.26 - 0.4 * stride, mix(person["coat"], (0, 0, 0), 0.25))
    hem = 0.62 if person["long"] else 0.84
    torso = hull([at(-0.23, 1.40), at(0.23, 1.40), at(0.25, hem), at(-0.25, hem), at(-0.1, 1.48), at(0.1, 1.48)])
    canvas.fill(Polygon(*torso), shade(person["coat"]))
    draw_arm(0.22, 0.26 + 0.4 * stride, mix(person["coat"], (1, 1, 1), 0.1))
    if person["bag"]:
        canvas.fill(Ellipse(*at(-0.32, 0.82), 0.14 * unit, 0.17 * unit), shade(person["bag"]))
    draw_head(street, at, 1.62, 0.125 * unit, shade(person["skin"]), shade(person["hair"]))


def draw_head(street, at, up, radius, skin, hair):
    street.canvas.fill(Ellipse(*at(0.0, up), radius, 1.15 * radius), skin)
    street.canvas.tint(Ellipse(*at(-0.02, up + 0.06), 1.02 * radius, 0.85 * radius), hair)


def draw_bicyclist(street, rider):
    """A rider leaning over a bicycle; `turn` foreshortens it from side view (1) towards a view from behind."""
    canvas, light = street.canvas, street.light
    (x, y), unit = street.camera.project(rider["X"], 0.0, rider["z"]), street.camera.scale(rider["z"])
    turn, sun = rider["turn"], 0.25 + 0.6 * light.on(TOWARDS)

    def at(along, up):
        return x + along * unit * turn, y - up * unit

    def shade(albedo):
        return light.colour(albedo, sun, rider["z"])

    canvas.start(BICYCLIST, border=rider["bordered"])
    thin, narrow = max(0.055 * unit, 0.005), max(abs(turn), 0.12)
    for hub in (-0.54, 0.54):
        cx, cy = at(hub, 0.35)
        tyre = Ellipse(cx, cy, 0.36 * unit * narrow, 0.36 * unit)
        canvas.fill(tyre, shade((0.07, 0.07, 0.08)), rim(cx, cy, 0.36 * unit * narrow, 0.36 * unit))
    frame = (
        ((-0.54, 0.35), (-0.14, 0.34), (-0.2, 0.86)),
        ((-0.14, 0.34), (0.42, 0.82), (-0.18, 0.80)),
        ((0.54, 0.35), (0.40, 0.98)),
    )
    for path in frame:
        for a, b in pairwise(path):
            canvas.fill(Capsule(at(*a), at(*b), thin), shade(rider["frame"]))
    for foot in ((-0.02, 0.20), (0.08, 0.46)):
        knee = (0.22, foot[1] + 0.42)
        canvas.fill(Capsule(at(-0.18, 0.95), at(*knee), 0.17 * unit), shade(rider["legs"]))
        canvas.fill(Capsule(at(*knee), at(*foot), 0.12 * unit), shade(rider["legs"]))
    wide = 0.32 if abs(turn) > 0.5 else 0.38
    canvas.fill(Capsule(at(-0.16, 1.05), at(0.12, 1.42), wide * unit), shade(rider["coat"]))
    canvas.fill(Capsule(at(0.14, 1.42), at(0.42, 1.02), 0.10 * unit), shade(mix(rider["coat"], (0, 0, 0), 0.15)))
    draw_head(
        street, lambda along, up: at(along + 0.26, up), 1.68, 0.125 * unit, shade(rider["skin"]), shade(rider["helmet"])
    )


def rim(cx, cy, a, b):
    """The opacity of a wheel: tyre dark, spokes a hint."""

    def opacity(x, y):
        dx, dy = (x - cx) / a, (y - cy) / b
        return clip((dx * dx + dy * dy - 0.5) * 4.0, 0.12, 1.0)

    return opacity


def draw_furniture(street, thing):
    """A litter bin or a post box: street furniture that no class covers, so it is void."""
    canvas, light = street.canvas, street.light
    (x, y), unit = street.camera.project(thing["X"], 0.0, thing["z"]), street.camera.scale(thing["z"])
    w, h = thing["width"] * unit, thing["height"] * unit
    canvas.start(VOID)
    canvas.fill(
        Box(x, y - h / 2, w / 2, h / 2), light.colour(thing["colour"], 0.7 * light.on(TOWARDS) + 0.15, thing["z"])
    )
    canvas.fill(Ellipse(x, y - h, w / 2, 0.28 * w), light.colour(thing["colour"], light.on(UPWARDS), thing["z"]))
    canvas.tint(Box(x, y - 0.72 * h, 0.33 * w, 0.06 * h), (0.05, 0.05, 0.05), 0.7)
