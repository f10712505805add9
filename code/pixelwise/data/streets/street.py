"""What stands where: the plan of one scene, and painting it from far to near."""

from pixelwise.data.streets import things
from pixelwise.data.streets.canvas import LATTICE, Box, Canvas, Dice, Ellipse, mix, value_noise
from pixelwise.data.streets.view import NEAR, choose_camera, choose_light

LOOK, PLAN, SURFACE, SKYLINE, TREES, TRAFFIC, POSTS, PEOPLE, CLUTTER, TOUCHING, NOISE = range(11)
HOUSES = 21
"""Streams of dice, one for each part of a scene (HOUSES - 1 and HOUSES + 1 for its two sides)."""

END = 60.0
"""Metres to the end of the street."""

TOWNS = (  # colours of facades
    ((0.62, 0.34, 0.27), (0.70, 0.45, 0.35), (0.50, 0.33, 0.29), (0.83, 0.75, 0.64), (0.76, 0.60, 0.46)),
    ((0.86, 0.62, 0.44), (0.90, 0.76, 0.52), (0.82, 0.50, 0.40), (0.93, 0.86, 0.72), (0.78, 0.66, 0.58)),
    ((0.86, 0.84, 0.79), (0.42, 0.50, 0.58), (0.66, 0.29, 0.25), (0.84, 0.69, 0.42), (0.55, 0.62, 0.58)),
    ((0.88, 0.74, 0.72), (0.68, 0.79, 0.80), (0.92, 0.88, 0.76), (0.73, 0.80, 0.69), (0.79, 0.73, 0.82)),
    ((0.66, 0.64, 0.60), (0.76, 0.73, 0.66), (0.56, 0.55, 0.54), (0.84, 0.82, 0.77), (0.62, 0.56, 0.49)),
    ((0.55, 0.58, 0.62), (0.72, 0.73, 0.73), (0.44, 0.47, 0.52), (0.64, 0.59, 0.54), (0.80, 0.80, 0.79)),
)
ROOFS = ((0.48, 0.27, 0.22), (0.34, 0.34, 0.37), (0.42, 0.34, 0.30), (0.58, 0.36, 0.26))
TRIMS = ((0.95, 0.93, 0.88), (0.90, 0.87, 0.80), (0.30, 0.30, 0.32))
FRONTS = ((0.20, 0.34, 0.32), (0.46, 0.17, 0.19), (0.18, 0.25, 0.40), (0.30, 0.25, 0.21), (0.80, 0.72, 0.56))
AWNINGS = ((0.78, 0.22, 0.20), (0.16, 0.42, 0.38), (0.90, 0.66, 0.22), (0.22, 0.32, 0.56), (0.50, 0.50, 0.48))
ASPHALT = ((0.46, 0.46, 0.48), (0.55, 0.54, 0.53), (0.64, 0.61, 0.57), (0.40, 0.41, 0.44), (0.60, 0.55, 0.51))
LEAVES = (
    ((0.25, 0.40, 0.15), (0.32, 0.46, 0.18), (0.20, 0.34, 0.18)),
    ((0.45, 0.54, 0.20), (0.36, 0.50, 0.22), (0.28, 0.42, 0.18)),
    ((0.76, 0.46, 0.15), (0.70, 0.30, 0.16), (0.62, 0.54, 0.20), (0.36, 0.42, 0.18)),
    ((0.28, 0.38, 0.28), (0.34, 0.44, 0.30), (0.85, 0.62, 0.66)),
)
PAINTS = (
    (0.90, 0.90, 0.90), (0.70, 0.72, 0.74), (0.22, 0.23, 0.26), (0.72, 0.13, 0.13), (0.16, 0.27, 0.50),
    (0.22, 0.44, 0.44), (0.86, 0.64, 0.18), (0.46, 0.48, 0.50), (0.55, 0.20, 0.14), (0.56, 0.68, 0.78),
)  # fmt: skip
CLOTHES = (
    (0.18, 0.20, 0.28), (0.72, 0.20, 0.20), (0.86, 0.70, 0.30), (0.28, 0.42, 0.58), (0.84, 0.82, 0.78),
    (0.30, 0.36, 0.26), (0.52, 0.30, 0.42), (0.80, 0.46, 0.26), (0.24, 0.50, 0.50),
)  # fmt: skip
TROUSERS = ((0.16, 0.18, 0.26), (0.24, 0.30, 0.42), (0.20, 0.19, 0.18), (0.50, 0.44, 0.36))
SKINS = ((0.93, 0.74, 0.62), (0.80, 0.58, 0.44), (0.56, 0.38, 0.28), (0.38, 0.26, 0.20))
HAIRS = ((0.14, 0.11, 0.09), (0.36, 0.23, 0.13), (0.72, 0.56, 0.32), (0.60, 0.58, 0.56))
FENCES = ((0.92, 0.91, 0.88), (0.48, 0.34, 0.24), (0.20, 0.23, 0.24), (0.28, 0.42, 0.36), (0.60, 0.55, 0.50))
BINS = ((0.24, 0.28, 0.26), (0.74, 0.16, 0.14), (0.30, 0.40, 0.32), (0.50, 0.50, 0.50))
BOARDS = ((0.10, 0.36, 0.26), (0.11, 0.27, 0.60), (0.85, 0.68, 0.18), (0.40, 0.26, 0.18))


class Street:
    """One scene: camera, light and colours chosen by dice, then drawn on a canvas of the asked size."""

    def __init__(self, index, seed, size, knobs):
        self._roll = lambda stream: Dice(seed, index, stream)
        self.knobs, self.canvas = knobs, Canvas(size)
        self.look, plan = self._roll(LOOK), self._roll(PLAN)
        self.camera = choose_camera(plan)
        self.light = choose_light(self.look, knobs.night, knobs.fog)
        self.lattice = self._roll(SURFACE).array(LATTICE, LATTICE)
        self.shared = [self.look.choice(PAINTS + CLOTHES + ASPHALT) for _ in range(8)]
        self.asphalt = self.tone(self.look, ASPHALT)
        self.leaves = self.look.choice(LEAVES)
        self.grass = self.tone(self.look, ((0.42, 0.50, 0.24), (0.36, 0.45, 0.24), (0.52, 0.52, 0.30)))
        self.town, self.storey = self.look.choice(TOWNS), self.look.uniform(2.8, 3.3)
        self.traffic_side = plan.choice((-1, 1))
        self.kerb, self.pavement = plan.uniform(3.1, 4.6), plan.uniform(1.4, 2.7)
        self.markings = self.choose_markings(plan)
        self.shadows, self.items = [], []

    def tone(self, dice, colours):
        """One of these colours, drawn towards the colours all classes share by as much as `colour_overlap` says."""
        own = dice.choice(colours)
        return mix(own, dice.choice(self.shared), self.knobs.colour_overlap)

    def choose_markings(self, dice):
        white, yellow = (0.93, 0.92, 0.88), (0.90, 0.72, 0.26)
        return {
            "period": dice.uniform(4.5, 7.0),
            "share": dice.choice((0.45, 0.6, 1.0)),
            "colour": dice.choice((white, white, yellow)),
            "middle": dice.uniform(-0.1, 0.1),
            "gap": dice.choice((-0.07, -0.07, 0.07)),
            "edges": dice.chance(0.45),
            "edge_colour": dice.choice((white, yellow)),
            "zebra": dice.uniform(6.5, 18.0) if dice.chance(0.25) else 0.0,
        }

    def paint(self):
        """Everything on the canvas, from far to near; gives image and mask."""
        self.plan_houses()
        self.plan_trees()
        self.plan_traffic()
        self.plan_posts()
        self.plan_people()
        self.plan_clutter()
        self.plan_touching()
        things.draw_sky(self)
        self.draw_skyline()
        things.draw_ground(self)
        for _, draw, args in sorted(self.items, key=lambda item: -item[0]):
            draw(self, *args)
        self.shadows.clear()  # they refer back to the street, which would then wait for the garbage collector
        self.canvas.draw_mask()
        image = self.canvas.develop(self._roll(NOISE), self.knobs.blur, self.knobs.noise)
        return image, self.canvas.mask

    def add(self, z, draw, *args):
        self.items.append((z, draw, args))

    def border(self, dice):
        return dice.chance(self.knobs.void_border)

    def between(self, dice):
        """A depth within the knob's scale range, nearer ones a little more often."""
        near, far = self.knobs.scale_range
        share = dice.uniform()
        return near + share * (0.35 + 0.65 * share) * (far - near)

    # The town

    def draw_skyline(self):
        """What closes the street: far houses and trees, pale with distance."""
        dice, canvas = self._roll(SKYLINE), self.canvas
        x = -1.2
        while x < 1.2:
            wide, tall, leafy = dice.uniform(0.06, 0.18), dice.uniform(0.02, 0.075), dice.chance(0.45)
            colour = self.tone(dice, self.leaves if leafy else self.town)
            shade = self.light.colour(colour, dice.uniform(0.2, 0.7) * self.light.on((0, 0.5, -0.8)), 110.0)
            foot = self.camera.horizon + 0.03
            if leafy:
                canvas.start(things.TREE)
                leaves = Ellipse(x + wide / 2, foot, wide * 0.7, tall, self.ripple)
                canvas.fill(leaves, shade)
            else:
                canvas.start(things.BUILDING)
                canvas.fill(Box(x + wide / 2, foot - tall / 2, wide / 2, tall / 2), shade)
            x += wide * 0.8

    def ripple(self, x, y):
        return (value_noise(self.lattice, x * 60.0, y * 60.0) - 0.6) * 0.04

    def plan_houses(self):
        for side in (-1, 1):
            dice = self._roll(HOUSES + side)
            grand = dice.uniform(0.0, 1.0)
            line = self.kerb + self.pavement
            z, before = dice.uniform(-6.0, 2.0), None
            while z < END:
                depth = dice.uniform(7.0, 16.0)
                garden = dice.uniform(2.0, 4.0) if dice.chance(0.25) else 0.0
                house = {
                    "near": z, "far": z + depth, "line": line + garden, "depth": dice.uniform(7.0, 12.0),
                    "height": self.storey * dice.integer(2, 3 + int(2 * grand)) + 0.5,
                    "roof": dice.uniform(1.8, 3.4) if dice.chance(0.6 - 0.3 * grand) else 0.0,
                    "chimney": dice.chance(0.6), "bordered": self.border(dice), "style": self.choose_facade(dice),
                }  # fmt: skip
                is_gap = dice.chance(0.22)
                if is_gap or garden:
                    self.plan_garden(dice, side, z, z + depth, line, is_gap)
                if not is_gap:
                    house["end"] = before is None or before["line"] > house["line"] or before["line"] > line
                    house["end"] = house["end"] or before["height"] + before["roof"] < house["height"] + house["roof"]
                    self.add(house["far"], things.draw_building, side, house)
                    edge = side * house["line"]
                    if house["far"] > NEAR and side * self.light.direction[0] > 0:
                        foot = [
                            (edge, max(z, NEAR)),
                            (edge, z + depth),
                            (edge + side * 4, z + depth),
                            (edge + side * 4, max(z, NEAR)),
                        ]
                        things.cast_shadow(self, foot, house["height"])
                before = None if is_gap else house
                z += depth + (dice.uniform(1.0, 4.0) if garden else 0.0)

    def choose_facade(self, dice):
        window = dice.choice(((0.42, 0.30, 0.76), (0.36, 0.24, 0.80), (0.60, 0.32, 0.74), (0.80, 0.34, 0.78)))
        return {
            "wall": self.tone(dice, self.town), "roof": self.tone(dice, ROOFS), "trim": dice.choice(TRIMS),
            "front": self.tone(dice, FRONTS), "awning": self.tone(dice, AWNINGS), "striped": dice.chance(0.5),
            "shop": dice.chance(0.45), "courses": dice.chance(0.5), "storey": self.storey,
            "bay": dice.uniform(1.8, 3.0), "window": window[0], "sill": window[1], "lintel": window[2],
        }  # fmt: skip

    def plan_garden(self, dice, side, near, far, line, deep):
        """Behind the pavement: a fence, bushes and, where no house stands, trees."""
        near = max(near, 1.5)
        if far <= near + 1:
            return
        brick = "fence" in self.knobs.context_only
        kind = dice.choice(("pickets", "pickets", "pickets", "wall"))
        colour = self.tone(dice, self.town if brick else FENCES)
        fence = {
            "near": near, "far": far, "line": line, "kind": "wall" if brick else kind, "colour": colour,
            "height": dice.uniform(1.0, 1.7), "spacing": dice.uniform(0.22, 0.5),
        }  # fmt: skip
        if dice.chance(0.8):
            self.add(far, things.draw_fence, side, fence)
        for _ in range(dice.integer(2, 4) if deep else 1):
            X = side * (line + dice.uniform(2.5, 8.0 if deep else 2.6))
            height = dice.uniform(4.0, 9.0) if deep else dice.uniform(1.2, 2.2)
            shape = dice.choice(("round", "round", "cone", "slender")) if deep else "bush"
            self.add(far + 0.1, things.draw_tree, self.choose_tree(dice, X, dice.uniform(near, far), height, shape))

    # Trees, traffic, posts, people

    def choose_tree(self, dice, X, z, height, shape):
        shaken = [
            (a + dice.uniform(-0.04, 0.04), b + dice.uniform(-0.03, 0.03), c * dice.uniform(0.9, 1.15))
            for a, b, c in things.CROWNS[shape]
        ]
        colour = self.tone(dice, self.leaves)
        return {
            "X": X, "z": z, "height": height, "shape": shape, "clumps": shaken, "colour": colour,
            "lean": dice.uniform(-1, 1), "bordered": self.border(dice),
        }  # fmt: skip

    def plan_trees(self):
        dice = self._roll(TREES)
        for side in (-1, 1):
            if dice.chance(0.35):
                continue
            z, spacing = dice.uniform(6.0, 16.0), dice.uniform(9.0, 15.0)
            shape, height = dice.choice(("round", "round", "slender", "cone")), dice.uniform(4.0, 7.5)
            while z < 50:
                X = side * (self.kerb + 0.35 * self.pavement + 0.3)
                tree = self.choose_tree(dice, X, z, height * dice.uniform(0.85, 1.15), shape)
                self.add(z, things.draw_tree, tree)
                things.cast_crown_shadow(self, X, z, 0.6 * tree["height"], 0.26 * tree["height"])
                z += spacing * dice.uniform(0.8, 1.2)

    def put_car(self, dice, X, z, oncoming):
        kind = dice.choice(("hatchback", "hatchback", "saloon", "saloon", "estate", "estate", "van", "lorry"))
        car = {
            "X": X, "z": z, "kind": kind, "oncoming": oncoming,
            "colour": self.tone(dice, PAINTS), "bordered": self.border(dice),
        }  # fmt: skip
        length, width, height = things.CARS[kind][:3]
        self.add(z, things.draw_car, car)
        w = width / 2
        foot = [(X - w, z), (X + w, z), (X + w, z + length), (X - w, z + length)]
        things.cast_shadow(self, foot, height * 0.85)
        return length

    def plan_traffic(self):
        dice, near_far = self._roll(TRAFFIC), self.knobs.scale_range
        for side in (-1, 1):
            parked = dice.chance(0.75)
            z = near_far[0] + dice.uniform(0.0, 8.0) * min(1.0, (near_far[1] - near_far[0]) / 8.0)
            bay = self.kerb - 1.05
            while parked and z < near_far[1]:
                if dice.chance(min(0.8, 0.55 * self.knobs.clutter)):
                    z += self.put_car(dice, side * bay, z, side != self.traffic_side)
                else:
                    z += 5.0
                z += dice.uniform(0.8, 3.0)
            lane = side * (0.9 + 0.22 * (self.kerb - 3.1))
            if dice.chance(min(1.0, 0.55 * self.knobs.clutter)):
                self.put_car(
                    dice,
                    lane,
                    max(self.between(dice), near_far[0] + 0.3 * (near_far[1] - near_far[0])),
                    side != self.traffic_side,
                )

    def plan_posts(self):
        dice = self._roll(POSTS)
        for _ in range(max(0, int(2 * self.knobs.clutter + 0.5))):
            side = dice.choice((-1, 1))
            X, z = side * (self.kerb + dice.uniform(0.3, 0.5)), self.between(dice)
            lamp = {
                "X": X, "z": z, "height": dice.uniform(5.5, 8.0),
                "colour": self.tone(dice, ((0.24, 0.26, 0.28), (0.55, 0.57, 0.58), (0.30, 0.36, 0.33))),
            }  # fmt: skip
            self.add(z, things.draw_lamp, lamp)
            things.cast_shadow(self, [(X - 0.07, z), (X + 0.07, z), (X, z + 0.1)], lamp["height"], 0.7)
        for _ in range(max(0, int(4 * self.knobs.clutter + 0.5))):
            side, z = dice.choice((-1, 1)), self.between(dice)
            X = side * (self.kerb + dice.uniform(0.3, 0.7))
            kind = dice.choice(("ring", "stop", "order", "warning", "warning", "lights", "lights", "board", "board"))
            sign = {
                "X": X, "z": z, "kind": kind, "radius": dice.uniform(0.45, 0.62), "height": dice.uniform(2.3, 3.0),
                "lit": dice.integer(0, 2), "colour": self.tone(dice, BOARDS),
            }  # fmt: skip
            self.add(z, things.draw_sign, sign)

    def choose_person(self, dice, X, z):
        return {
            "X": X, "z": z, "size": dice.uniform(0.92, 1.06), "turn": dice.choice((-1, 1)) * dice.uniform(0.8, 1.0),
            "stride": dice.uniform(0.08, 0.30), "long": dice.chance(0.4), "coat": self.tone(dice, CLOTHES),
            "legs": dice.choice(TROUSERS), "skin": dice.choice(SKINS), "hair": dice.choice(HAIRS),
            "bag": self.tone(dice, CLOTHES) if dice.chance(0.35) else None, "bordered": self.border(dice),
        }  # fmt: skip

    def plan_people(self):
        dice = self._roll(PEOPLE)
        for _ in range(int(self.knobs.clutter * dice.integer(1, 6) + 0.5)):
            z, where = self.between(dice), dice.uniform(0.25, 0.9)
            X = dice.choice((-1, 1)) * (self.kerb + where * self.pavement)
            if dice.chance(0.15):
                X = X * dice.uniform(0.1, 0.8)
            person = self.choose_person(dice, X, z)
            self.add(z, things.draw_pedestrian, person)
            things.cast_shadow(self, [(X - 0.2, z), (X + 0.2, z), (X, z + 0.2)], 1.7, 0.75)
        for _ in range(int(self.knobs.clutter * dice.choice((0, 1, 1, 2)) + 0.5)):
            z, X = self.between(dice), dice.choice((-1, 1)) * (self.kerb - dice.uniform(0.8, 2.2))
            turn = dice.choice((-1, 1)) * dice.choice((0.3, 0.6, 0.95))
            rider = self.choose_person(dice, X, z) | {
                "turn": turn, "frame": self.tone(dice, PAINTS), "helmet": self.tone(dice, PAINTS),
            }  # fmt: skip
            self.add(z, things.draw_bicyclist, rider)
            things.cast_shadow(self, [(X - 0.5, z), (X + 0.5, z), (X, z + 0.2)], 1.5, 0.7)

    def plan_clutter(self):
        dice = self._roll(CLUTTER)
        for _ in range(int(self.knobs.clutter * dice.integer(0, 3) + 0.5)):
            z = self.between(dice)
            X = dice.choice((-1, 1)) * (self.kerb + dice.uniform(0.3, 0.9) * self.pavement)
            thing = {
                "X": X, "z": z, "width": dice.uniform(0.45, 0.7), "height": dice.uniform(0.9, 1.5),
                "colour": self.tone(dice, BINS),
            }  # fmt: skip
            self.add(z, things.draw_furniture, thing)

    def plan_touching(self):
        """A row of round bushes across the view, each touching the next: one class, many objects."""
        dice, count = self._roll(TOUCHING), self.knobs.touching
        z, radius = 8.0, min(0.75, 4.2 / max(count, 1))
        start = self.camera.offset - self.camera.bend * z * z - (count - 1) * 0.85 * radius
        for number in range(count):
            X = start + number * 1.7 * radius
            bush = self.choose_tree(dice, X, z, radius * 2, "bush") | {"clumps": [(0.0, 0.5, 0.5)], "bordered": True}
            self.add(z - 0.01 * number, things.draw_tree, bush)
            things.cast_shadow(self, [(X - radius, z), (X + radius, z), (X, z + radius)], radius * 2, 0.8)
