// U-Net sizes: which picture sizes fit through a U-Net, what comes out, and how tiles cover a picture of any size.
import { button, checklist, choices, onArrows, shareAt, slider, spokenFinding } from "./shared/controls.mjs";
import { arrange, frame, h, svg, uniqueId, write } from "./shared/dom.mjs";
import { modulo } from "./shared/numbers.mjs";
import { change, live, within } from "./shared/state.mjs";

const LEAST = 1;
const MOST = 700;

/**
 * Sides through the U: [before, after the two convolutions] a level.
 * @typedef {object} Ladder
 * @property {[number, number][]} down on the way down, from fine to coarse
 * @property {[number, number][]} up on the way up, from coarse to fine
 * @property {[number, number, number][]} missed levels whose doubled map differs from the skipped one (padded form
 *   only), as level, skipped side, doubled side
 * @property {{ level: number, side: number, why: string, way?: string } | null} fails where it breaks: "odd" or
 *   "small", on the way "down" or "up"
 * @property {number} [output] the side that comes out
 */

/**
 * Follow a side through a U-Net.
 * @param {number} size
 * @param {number} depth how many poolings
 * @param {string} form "valid" or "padded"
 * @returns {Ladder} the sides
 */
export function ladder(size, depth, form) {
  const border = form === "valid" ? 4 : 0;
  const [down, up, missed] = [[], [], []];
  for (let level = 0, side = size; level <= depth; level++) {
    const after = side - border;
    if (after < 1) return { down, up, missed, fails: { level, side, why: "small", way: "down" } };
    down.push([side, after]);
    if (level < depth && form === "valid" && after % 2)
      return { down, up, missed, fails: { level, side: after, why: "odd" } };
    side = Math.floor(after / 2);
  }
  for (let level = depth - 1, side = down[depth][1]; level >= 0; level--) {
    const doubled = 2 * side;
    const skipped = down[level][1];
    if (form === "padded" && doubled !== skipped) missed.push([level, skipped, doubled]);
    side = form === "valid" ? doubled - border : skipped;
    if (side < 1) return { down, up, missed, fails: { level, side: doubled, why: "small", way: "up" } };
    up.push([form === "valid" ? doubled : skipped, side]);
  }
  return { down, up, missed, fails: null, output: up.length ? up.at(-1)[1] : down[0][1] };
}

/**
 * Whether a side goes through without a remedy.
 * @param {number} size
 * @param {number} depth how many poolings
 * @param {string} form "valid" or "padded"
 * @returns {boolean} whether it does
 */
export function fits(size, depth, form) {
  const { fails, missed } = ladder(size, depth, form);
  return !fails && !missed.length;
}

/**
 * The nearest sides that fit.
 * @param {number} size
 * @param {number} depth how many poolings
 * @param {string} form "valid" or "padded"
 * @returns {number[]} smaller first; the side itself if it fits
 */
export function nearest(size, depth, form) {
  if (fits(size, depth, form)) return [size];
  const step = 2 ** depth;
  const rest = form === "valid" ? (step * 4 - 4) % step : 0;
  const below = size - modulo(size - rest, step);
  const found = [below, below + step].filter((side) => side > 0 && fits(side, depth, form));
  return found.length ? found : [form === "valid" ? 12 * step - 4 : step];
}

/**
 * Tiles of a valid size over a square picture.
 * @param {number} picture its side
 * @param {number} size of a tile
 * @param {number} depth how many poolings
 * @returns {{ output: number, step: number, exact: boolean, starts: number[], work: number }} a tile's output, the step
 *   between tiles, whether it is a multiple of 2^depth (which keeps the poolings of all tiles in step), where their
 *   outputs start, and the input pixels computed for each pixel of the picture
 */
export function tiling(picture, size, depth) {
  const { output } = ladder(size, depth, "valid");
  const unit = 2 ** depth;
  const exact = output >= unit;
  const step = exact ? output - (output % unit) : output;
  const count = Math.max(1, Math.ceil((picture - output) / step) + 1);
  const starts = Array.from({ length: count }, (_, i) => i * step);
  return { output, step, exact, starts, work: (count * size) ** 2 / picture ** 2 };
}

/**
 * What the numbers say, in words.
 * @param {number} size
 * @param {number} depth how many poolings
 * @param {string} form "valid" or "padded"
 * @param {number} picture its side
 * @returns {string} sentences
 */
export function finding(size, depth, form, picture) {
  const through = ladder(size, depth, form);
  if (through.fails) return failure(size, depth, form, through.fails);
  return form === "padded" ? padded(size, depth, through) : tiled(size, depth, picture, through);
}

function failure(size, depth, form, fails) {
  const { level, side, why, way } = fails;
  const advice = `Nearest that fit: ${nearest(size, depth, form).join(" and ")}.`;
  const lost = "so 2×2 pooling would drop a row and the halves would never line up again";
  if (why === "odd") return `${size} does not fit. On level ${level + 1} the side is ${side}: odd, ${lost}. ${advice}`;
  if (form !== "valid") return `${size} is too small: after ${level} poolings nothing is left. ${advice}`;
  const eaten = `a side of ${side} is eaten up by two 3×3 convolutions without padding`;
  return `${size} is too small. On level ${level + 1}, on the way ${way}, ${eaten}. ${advice}`;
}

function padded(size, depth, through) {
  const { missed, output } = through;
  const exact = `it is a multiple of ${2 ** depth}, so every pooling halves it exactly and doubling leads back`;
  if (!missed.length) return `${size} fits: ${exact}. ${size} in, ${output} out.`;
  const [level, skipped, doubled] = missed[0];
  const steps = `${skipped} → ${Math.floor(skipped / 2)} → ${doubled}, and the skipped map has ${skipped}`;
  const pad = `pad the picture to ${Math.max(...nearest(size, depth, "padded"))}`;
  const remedy = `Either interpolate to ${skipped}, as the book's UNet does, or ${pad}.`;
  return `On level ${level + 1} doubling does not lead back: ${steps}. ${remedy}`;
}

function tiled(size, depth, picture, through) {
  const { down, output } = through;
  const { starts, step, exact, work } = tiling(picture, size, depth);
  const n = starts.length;
  const tiles = n === 1 ? "One tile covers" : `${n} × ${n} tiles cover`;
  const why = exact ? `a multiple of ${2 ** depth}` : "too small to keep the poolings in step";
  const stride = n === 1 ? "" : `, at a step of ${step}, ${why}`;
  const lost = `${(size - output) / 2} pixels are lost at each border; the lowest map has ${down[depth][0]}`;
  const cost = `${work.toFixed(1)} pixels go in for each pixel of it`;
  return `${size} in, ${output} out: ${lost}. ${tiles} the picture of ${picture}${stride}: ${cost}.`;
}

/**
 * Tasks, and whether a state meets them.
 * @param {number} size
 * @param {number} depth how many poolings
 * @param {string} form "valid" or "padded"
 * @param {number} picture its side
 * @returns {[string, boolean][]} tasks
 */
export function tasks(size, depth, form, picture) {
  const through = ladder(size, depth, form);
  const valid = form === "valid" && !through.fails && depth === 4;
  const sevens = through.missed.some(([, skipped]) => skipped === 7);
  return [
    ["The paper's smallest: 4 poolings, and the least input that leaves any output", valid && size === 188],
    [
      "Tiles for a picture of 1000 or more, with fewer than 2 pixels in for each, at 4 poolings",
      valid && picture >= 1000 && tiling(picture, size, depth).work < 2,
    ],
    ["Padded: make a side of 7 come back as 6", form === "padded" && sevens],
  ];
}

const NAMES = ["size", "form", "depth", "whole", "tile"];
const CSS = `
.pw-unet-sizes{--bad:light-dark(#a3261c,#ff9d90);--tile:light-dark(#b35900,#f2b24c)}
.pw-unet-sizes .tiles{max-width:17.5rem}
.pw-unet-sizes .views{align-items:start}
.pw-unet-sizes figure p{margin:.3rem 0 0;font-size:.85rem}
.pw-unet-sizes svg .box{fill:light-dark(#dbe6f2,#24384d);stroke:var(--fill)}
.pw-unet-sizes svg .lost{opacity:.35}
.pw-unet-sizes svg .bad{fill:light-dark(#f7dcd8,#4d211c);stroke:var(--bad);stroke-width:2}
.pw-unet-sizes svg text{text-anchor:middle;font-variant-numeric:tabular-nums}
.pw-unet-sizes svg text.why{fill:var(--bad);font-weight:600}
.pw-unet-sizes svg path{fill:none;stroke:var(--line);stroke-width:1.3}
.pw-unet-sizes .tiles{background:light-dark(#ece7db,#10141a);border-radius:.3rem;overflow:hidden;cursor:pointer}
.pw-unet-sizes use{fill:light-dark(#9fb3a4,#58705f);stroke:light-dark(#5e7a67,#8fb09b);stroke-width:6}
.pw-unet-sizes .mirror{opacity:.35}
.pw-unet-sizes .frame,.pw-unet-sizes .grid,.pw-unet-sizes .in,.pw-unet-sizes .out{fill:none;vector-effect:non-scaling-stroke}
.pw-unet-sizes .frame{stroke:var(--ink);stroke-width:1.5}
.pw-unet-sizes .grid{stroke:var(--line);stroke-dasharray:3 3}
.pw-unet-sizes .in{stroke:var(--fill);stroke-width:2.5}
.pw-unet-sizes .out{stroke:var(--tile);stroke-width:3}
.pw-unet-sizes .key{display:inline-block;width:.9rem;height:.9rem;border:2.5px solid var(--fill);vertical-align:-.1em}
.pw-unet-sizes .key.o{border-color:var(--tile)}
@container (min-width:38rem){.pw-unet-sizes .views{grid-template-columns:1fr 17.5rem}}
@container (max-width:34rem){.pw-unet-sizes .tiles{max-width:14rem}}
`;

// A picture of cells in 1000 × 1000: [x, y, radii, angle], drawn once and for ever the same.
const CELLS = Array.from({ length: 30 }, (_, i) => {
  const [a, b, c] = [12.9898, 78.233, 37.719].map((k) => Math.abs(Math.sin((i + 1) * k) * 43758.5453) % 1);
  return [
    70 + (i % 5) * 200 + 90 * (a - 0.5),
    80 + Math.floor(i / 5) * 170 + 80 * (b - 0.5),
    50 + 34 * c,
    42 + 26 * a,
    180 * b,
  ];
});

// State, kept within what can be shown
function stateOf(model) {
  return {
    size: within(model.get("size"), LEAST, MOST),
    depth: within(model.get("depth"), 1, 5),
    form: model.get("form") === "padded" ? "padded" : "valid",
    whole: within(model.get("whole"), 256, 1200),
    tile: within(model.get("tile"), 0, Infinity),
  };
}

// Elements
function controlsOf(model) {
  const set = (name) => (value) => change(model, { [name]: value });
  // The input whose lowest map, or output, has the side that a slider asks for
  const solve = (valid, otherwise) => (value) => {
    const { depth, form } = stateOf(model);
    change(model, {
      size: within(form === "valid" ? valid(value, 2 ** depth) : otherwise(value, 2 ** depth), LEAST, MOST),
    });
  };
  const forms = [
    ["valid", "valid, as in the paper"],
    ["padded", "padded, as today"],
  ];
  return {
    form: choices("Convolutions", forms, set("form")),
    size: slider("input", [LEAST, MOST], set("size")),
    bottom: slider(
      "lowest map",
      [1, 60],
      solve(
        (value, unit) => value * unit + 4 * (unit - 1),
        (value, unit) => value * unit,
      ),
    ),
    output: slider(
      "output",
      [2, MOST],
      solve(
        (value, unit) => value + 12 * unit - 8,
        (value) => value,
      ),
    ),
    depth: slider("poolings", [1, 5], set("depth")),
    picture: slider("picture", [256, 1200], set("whole")),
  };
}

function build(root, model) {
  const controls = controlsOf(model);
  const { form, size, bottom, output, depth, picture } = controls;
  const jumps = [0, 1].map(() =>
    button("", (event) => change(model, { size: Number(/** @type {any} */ (event.currentTarget).value) })),
  );
  const found = spokenFinding();
  const u = svg("svg", { role: "img", viewBox: "0 0 360 234" });
  const map = tilesOf();
  const [uTitle, mapTitle] = [h("figcaption"), h("figcaption")];
  const legend = h("p", { class: "soft" });
  const todo = checklist(tasks(LEAST, 1, "valid", 256));
  const sliders = [size, bottom, output, depth, picture].map((one) => one.element);
  const near = h("p", { class: "pw-row" }, h("span", { class: "soft" }, "Nearest that fit"), ...jumps);
  arrange(root, {
    seen: [h("div", { class: "views" }, h("figure", {}, uTitle, u), h("figure", {}, mapTitle, map.element, legend))],
    said: [found.element],
    moved: [form.element, near, h("div", { class: "pw-settings" }, ...sliders)],
    boxes: todo.elements,
  });
  return { ...controls, jumps, found, u, uTitle, map, mapTitle, legend, todo };
}

function tilesOf() {
  const label = "Tiles: arrow keys choose one";
  const element = svg("svg", { class: "tiles", tabindex: 0, "aria-label": label });
  const id = uniqueId("cells");
  const cells = CELLS.map(([x, y, a, b, turn]) =>
    svg("ellipse", { cx: x, cy: y, rx: a, ry: b, transform: `rotate(${turn} ${x} ${y})` }),
  );
  const clip = svg("clipPath", { id: `${id}-c` }, svg("rect", { width: 1000, height: 1000 }));
  const [mirrored, overlay] = [svg("g"), svg("g")];
  element.append(svg("defs", {}, clip, svg("g", { id }, ...cells)), mirrored, overlay);
  return { element, id, mirrored, overlay };
}

// Drawing the U: the way down on the left, the way up on the right
const [DOWN, BOTTOM, UP] = [60, 180, 300];

// A grid of levels, and what can be put on it
function canvasOf(u, depth) {
  const row = 238 / (depth + 1);
  const y = (level) => 20 + level * row;
  const note = (x, at, text, kind) => u.append(svg("text", { x, y: at, class: kind }, text));
  const line = (d) => u.append(svg("path", { d, class: "" }));
  function place(x, level, pair, bad) {
    const same = pair[0] === pair[1];
    const wide = same ? 64 : 92;
    const box = { class: `box ${bad ? "bad" : ""}`, x: x - wide / 2, y: y(level) - 12, width: wide, height: 24, rx: 5 };
    u.append(svg("rect", box));
    u.append(svg("text", { x, y: y(level) + 4.5 }, same ? String(pair[0]) : `${pair[0]} → ${pair[1]}`));
  }
  return { row, y, note, line, place };
}

function drawDown({ row, y, note, line, place }, { down, fails }, depth) {
  down.forEach((pair, level) => {
    const lowest = level === depth;
    if (level) line(`M${DOWN} ${y(level - 1) + 12}V${lowest ? `${y(level)}H${BOTTOM - 46}` : y(level) - 12}`);
    if (level) note(DOWN + 17, y(level) - row / 2 + 4, "÷ 2", "soft");
    place(lowest ? BOTTOM : DOWN, level, pair, fails?.level === level && fails.why === "odd");
  });
}

function drawUp({ row, y, note, line, place }, { down, up, missed }, depth, form) {
  up.forEach((pair, i) => {
    const level = depth - 1 - i;
    const miss = missed.find(([at]) => at === level);
    line(i ? `M${UP} ${y(level + 1) - 12}V${y(level) + 12}` : `M226 ${y(depth)}H${UP}V${y(level) + 12}`);
    note(UP - 17, y(level) + row / 2 + 4, "× 2", "soft");
    line(`M${DOWN + 48} ${y(level)}H${UP - 48}`);
    const crop = `crop ${(down[level][1] - pair[0]) / 2} each side`;
    const words = form === "valid" ? crop : `${pair[0]} = ${pair[0]}`;
    note(BOTTOM, y(level) - 5, miss ? `${miss[1]} ≠ ${miss[2]}` : words, miss ? "why" : "soft");
    place(UP, level, pair, Boolean(miss));
  });
}

function drawU(u, through, depth, form) {
  u.replaceChildren();
  const canvas = canvasOf(u, depth);
  drawDown(canvas, through, depth);
  drawUp(canvas, through, depth, form);
  const { down, up, fails } = through;
  const sides = (pairs) => pairs.map((pair) => pair[0]).join(", ");
  const broken = `${down.map((pair) => pair.join(" to ")).join(", ")}; there it breaks.`;
  const whole = `${sides(down)}; on the way up: ${sides(up)}.`;
  u.setAttribute("aria-label", `Sides on the way down: ${fails ? broken : whole}`);
  if (!fails) return;
  const { level, side, why, way } = fails;
  const lowest = level === depth ? BOTTOM : DOWN + 40;
  const small = side < 1 ? "nothing left" : `${side} − 4: nothing left`;
  if (why === "odd") canvas.note(DOWN + 100, canvas.y(level) + 4.5, `${side} is odd`, "why");
  else canvas.note(way === "down" ? lowest : UP - 30, canvas.y(level) + 4.5, small, "why");
}

/*
 * What the map shows. Without padding: tiles over the picture. With: the picture of the input's side, padded to `fit`,
 * a side that fits. `view` is the first pixel shown, outside the picture, and how many are.
 */
function layoutOf(through, { size, depth, form, whole }) {
  const { fails, output } = through;
  const isPadded = form === "padded";
  const side = isPadded ? size : whole;
  const fit = isPadded ? Math.max(...nearest(size, depth, form)) : 0;
  const tiles = isPadded || fails ? null : tiling(whole, size, depth);
  const margin = tiles ? (size - output) / 2 : 0;
  const end = tiles ? tiles.starts.at(-1) + output + margin : Math.max(side, fit);
  const rim = (end + margin) * 0.015;
  const from = -margin - rim;
  const count = tiles?.starts.length ?? 1;
  return { isPadded, side, fit, tiles, margin, end, count, step: tiles?.step ?? side, view: [from, end - from + rim] };
}

// The picture and its mirror images around it, as far as the view goes
function drawMirrored({ mirrored, id }, { side, end, view }) {
  const scale = side / 1000;
  const first = Math.floor(view[0] / side);
  const last = Math.ceil(end / side);
  const flip = (k) => (k % 2 ? (k + 1) * side : k * side);
  const turn = (k) => (k % 2 ? -scale : scale);
  mirrored.replaceChildren();
  for (let v = first; v < last; v++)
    for (let w = first; w < last; w++) {
      const transform = `translate(${flip(w)} ${flip(v)}) scale(${turn(w)} ${turn(v)})`;
      const copy = svg("g", { transform }, svg("use", { href: `#${id}`, "clip-path": `url(#${id}-c)` }));
      if (v || w) copy.setAttribute("class", "mirror");
      mirrored.append(copy);
    }
}

function drawTiles({ map, mapTitle, legend }, layout, { size, whole, tile }) {
  const { isPadded, side, fit, tiles, margin, count, view } = layout;
  map.element.setAttribute("viewBox", `${view[0]} ${view[0]} ${view[1]} ${view[1]}`);
  drawMirrored(map, layout);
  map.overlay.replaceChildren();
  const box = (x, y, width, kind) => map.overlay.append(svg("rect", { x, y, width, height: width, class: kind }));
  box(0, 0, side, "frame");
  if (isPadded && fit !== side) box(0, 0, fit, "in");
  if (!tiles) {
    const mirrored = fit > side ? `, mirrored to ${fit}` : "";
    write(mapTitle, isPadded ? `The picture, ${size} px a side${mirrored}` : `No tile of ${size} px fits this network`);
    const more = `${((fit / side) ** 2 * 100 - 100).toFixed(0)}\u00a0% more pixels to compute, cropped off again.`;
    const cost = fit > side ? more : "Nothing to add.";
    legend.replaceChildren(isPadded ? cost : "");
    tell(map.element, 1, 0, mapTitle.textContent);
    return;
  }
  const { starts, output } = tiles;
  for (const y of starts) for (const x of starts) box(x, y, output, "grid");
  const chosen = Math.min(tile, count * count - 1);
  const [x, y] = [starts[chosen % count], starts[Math.floor(chosen / count)]];
  box(x - margin, y - margin, size, "in");
  box(x, y, output, "out");
  write(mapTitle, `Tile ${chosen + 1} of ${count * count} on a picture of ${whole} px`);
  const to = (from) => `${from} to ${from + output}`;
  tell(map.element, count * count, chosen, `${mapTitle.textContent}: labels columns ${to(x)}, rows ${to(y)}`);
  const [seen, labelled] = [h("span", { class: "key" }), h("span", { class: "key o" })];
  legend.replaceChildren(seen, ` seen: ${size} px; `, labelled, ` labelled: ${output} px; pale: mirrored`);
}

// The tile chosen, told to who hears it: as a slider where there is a choice, else as a picture
function tell(element, count, chosen, text) {
  const range = { role: "slider", "aria-valuemin": 0, "aria-valuemax": count - 1, "aria-valuenow": chosen };
  const said = count > 1 ? { ...range, "aria-valuetext": text } : { role: "img", "aria-description": text };
  for (const name of element.getAttributeNames())
    if (/^(role$|aria-(value|description))/.test(name)) element.removeAttribute(name);
  for (const [name, value] of Object.entries(said)) element.setAttribute(name, String(value));
}

function showControls(view, { size, depth, form, whole }, through) {
  const { down, output } = through;
  const unit = 2 ** depth;
  const valid = form === "valid";
  view.form.set(form);
  view.size.set(size, `${size} px`);
  view.bottom.input.max = String(Math.max(1, Math.floor((MOST - (valid ? 4 * (unit - 1) : 0)) / unit)));
  view.output.input.step = String(unit);
  view.output.input.min = String(valid ? 4 : unit);
  view.output.input.max = String(valid ? MOST - 12 * unit + 8 : MOST);
  const lowest = down[depth]?.[0];
  view.bottom.set(lowest ?? 1, lowest ? `${lowest} px` : "–");
  view.output.set(output ?? 0, output ? `${output} px` : "–");
  view.depth.set(depth);
  view.picture.set(whole, `${whole} px`);
  view.picture.element.hidden = !valid;
  const sides = nearest(size, depth, form);
  const open = (side) => side > 0 && side <= MOST && fits(side, depth, form);
  const around = sides[0] === size ? [size - unit, size + unit].filter(open) : sides;
  view.jumps.forEach((one, i) => {
    one.hidden = around[i] === undefined;
    one.value = String(around[i]);
    write(one, String(around[i]));
  });
  write(view.uTitle, `Side of the maps${valid ? ", before → after two convolutions" : "; convolutions keep it"}`);
}

// Events: the pointer or the arrow keys choose a tile
function listen({ element }, model, layoutNow) {
  onArrows(element, (rows, columns) => {
    const { count } = layoutNow();
    const tile = Math.min(stateOf(model).tile, count * count - 1);
    const [x, y] = [(tile % count) + columns, Math.floor(tile / count) + rows];
    if (x >= 0 && y >= 0 && x < count && y < count) change(model, { tile: y * count + x });
  });
  element.addEventListener("pointerdown", (event) => {
    const { count, step, view } = layoutNow();
    const at = (share) => within(Math.floor((view[0] + share * view[1]) / step), 0, count - 1);
    const [down, along] = shareAt(element, event);
    change(model, { tile: at(down) * count + at(along) });
  });
}

function render({ model, el }) {
  const label = "U-Net sizes: choose an input size, see what fits and what comes out";
  const root = frame(el, "unet-sizes", label, CSS);
  const view = build(root, model);
  let layout = { count: 1, step: 1, view: [0, 1000] };
  listen(view.map, model, () => layout);
  return live({ model, el, root }, NAMES, () => {
    const state = stateOf(model);
    const { size, depth, form, whole } = state;
    const through = ladder(size, depth, form);
    layout = layoutOf(through, state);
    showControls(view, state, through);
    drawU(view.u, through, depth, form);
    drawTiles(view, layout, state);
    view.todo.set(tasks(size, depth, form, whole));
    view.found.say(finding(size, depth, form, whole));
  });
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
