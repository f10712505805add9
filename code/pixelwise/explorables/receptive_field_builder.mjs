// Receptive field builder: how far one unit sees through a list of layers, and which pixels in there it really reads.
import { penOf } from "./shared/canvas.mjs";
import { button, checklist, choices, shownFinding, slider } from "./shared/controls.mjs";
import { arrange, fold, frame, h, svg, table, write } from "./shared/dom.mjs";
import { percent } from "./shared/numbers.mjs";
import { change, live, within } from "./shared/state.mjs";

/**
 * One layer.
 * @typedef {{ kernel: number, stride: number, dilation: number }} Layer
 */

const LIMITS = { kernel: 15, stride: 4, dilation: 48 };
const MOST = 40; // layers
const LARGEST = 4096; // pixels that are followed one by one

/**
 * Layers from text such as "7s2 3 3d2": kernel, stride and dilation of each; what isn't one is left out.
 * @param {string} text
 * @returns {Layer[]} from the input on
 */
export function parse(text) {
  const found = text.matchAll(/(?:^|\s)(\d{1,3})(?:s(\d{1,3}))?(?:d(\d{1,3}))?(?=\s|$)/g);
  return [...found].slice(0, MOST).map(([, kernel, stride, dilation]) => ({
    kernel: within(kernel, 1, LIMITS.kernel),
    stride: within(stride ?? 1, 1, LIMITS.stride),
    dilation: within(dilation ?? 1, 1, LIMITS.dilation),
  }));
}

/**
 * The text that `parse` reads.
 * @param {Layer[]} layers
 * @returns {string} such as "7s2 3 3d2"
 */
export function written(layers) {
  const one = ({ kernel, stride, dilation }) =>
    `${kernel}${stride > 1 ? `s${stride}` : ""}${dilation > 1 ? `d${dilation}` : ""}`;
  return layers.map(one).join(" ");
}

/**
 * Size and jump of the receptive field behind each layer, in input pixels.
 * @param {Layer[]} layers
 * @returns {{ size: number, jump: number }[]} first that of the input itself
 */
export function walk(layers) {
  const steps = [{ size: 1, jump: 1 }];
  for (const { kernel, stride, dilation } of layers) {
    const { size, jump } = steps.at(-1);
    steps.push({ size: size + dilation * (kernel - 1) * jump, jump: jump * stride });
  }
  return steps;
}

/**
 * From how many paths the unit gets each pixel of its window, along one axis.
 * @param {Layer[]} layers
 * @returns {number[] | null} null if the window is too large
 */
export function paths(layers) {
  if (walk(layers).at(-1).size > LARGEST) return null;
  let counts = [1];
  for (const { kernel, stride, dilation } of layers.toReversed()) {
    const length = (counts.length - 1) * stride + dilation * (kernel - 1) + 1;
    const below = Array.from({ length }, () => 0);
    counts.forEach((count, i) => {
      for (let t = 0; t < kernel; t++) below[i * stride + t * dilation] += count;
    });
    counts = below;
  }
  return counts;
}

/**
 * How much of the window is read.
 * @param {number[]} counts of paths
 * @param {number} jump
 * @returns {{ share: number, shared: number }} the share of the window's pixels that are read, and of those the share
 *   that its neighbour one unit on reads as well
 */
export function coverage(counts, jump) {
  const read = counts.filter((count) => count > 0).length;
  const shared = counts.filter((count, i) => count > 0 && counts[i + jump] > 0).length;
  return { share: (read / counts.length) ** 2, shared: shared / read };
}

/**
 * What the layers see, in words.
 * @param {Layer[]} layers
 * @returns {string} sentences
 */
export function finding(layers) {
  const { size, jump } = walk(layers).at(-1);
  const counts = paths(layers);
  const on = `${jump} ${jump === 1 ? "pixel" : "pixels"} on`;
  const sees = `A unit sees ${size} × ${size} pixels, and its neighbour lies ${on}.`;
  if (!layers.length) return `${sees} Add a layer.`;
  if (!counts) return `${sees} That is too large to draw.`;
  const { share, shared } = coverage(counts, jump);
  if (share === 1) return `${sees} Some path reads each of them.`;
  const apart = shared === 0 ? " It shares not one pixel with its neighbour." : "";
  const why = layers.some(({ dilation }) => dilation > 1) ? "gridding" : "the stride skips pixels";
  return `${sees} But only ${percent(share)} of them are read: ${why}.${apart}`;
}

/**
 * What there is to do, and whether it's done.
 * @param {Layer[]} layers
 * @returns {[string, boolean][]} tasks
 */
export function tasks(layers) {
  const counts = paths(layers) ?? [];
  const whole = counts.length > 0 && counts.every((count) => count > 0);
  const all = (count, test) => layers.length === count && layers.every((layer) => layer.kernel === 3 && test(layer));
  const twos = layers.filter(({ kernel, stride, dilation }) => kernel === 3 && stride === 1 && dilation === 2).length;
  return [
    [
      "Three 3×3 layers of stride 1 that see 27 × 27 pixels, all of them",
      all(3, ({ stride }) => stride === 1) && counts.length === 27 && whole,
    ],
    ["Three layers of rate 2 and one more that closes their holes", layers.length === 4 && twos >= 3 && whole],
    [
      "Five 3×3 layers without dilation that see 200 pixels or more, all of them",
      all(5, ({ dilation }) => dilation === 1) && counts.length >= 200 && whole,
    ],
  ];
}

const NETWORKS = [
  ["FCN-AlexNet", "11s4 3s2 5 3s2 3 3 3 3s2 6"],
  ["FCN-VGG-16", "3 3 2s2 3 3 2s2 3 3 3 2s2 3 3 3 2s2 3 3 3 2s2 7"],
  ["FCN-GoogLeNet", "7s2 3s2 3 3s2 5 5 3s2 5 5 5 5 5 3s2 5 5 7"],
  ["ResNet-18", "7s2 3s2 3 3 3 3 3s2 3 3 3 3s2 3 3 3 3s2 3 3 3"],
  ["ResNet-50", "7s2 3s2 3 3 3 3s2 3 3 3 3s2 3 3 3 3 3 3s2 3 3"],
  ["ResNet-50 at stride 8", "7s2 3s2 3 3 3 3s2 3 3 3 3 3d2 3d2 3d2 3d2 3d2 3d2 3d4 3d4"],
];
const RATES = [
  ["1, 1, 1", "3 3 3"],
  ["2, 2, 2", "3d2 3d2 3d2"],
  ["2, 4, 8", "3d2 3d4 3d8"],
  ["1, 2, 9", "3 3d2 3d9"],
  ["1, 2, 5", "3 3d2 3d5"],
];
const UNITS = 6;
const NAMES = ["layers", "unit"];

/**
 * The networks that can be chosen.
 * @returns {string[][]} name and layers each
 */
export function networks() {
  return NETWORKS;
}

const CSS = `
.pw-receptive-field-builder .views{gap:.8rem 1.4rem;align-items:start}
.pw-receptive-field-builder .pyramid{cursor:crosshair}
.pw-receptive-field-builder canvas{max-width:13rem;aspect-ratio:1;image-rendering:pixelated;border:1px solid var(--line);border-radius:0}
.pw-receptive-field-builder svg .cone{fill:var(--fill);opacity:.14}
.pw-receptive-field-builder svg .wire{stroke:var(--fill);stroke-width:1;opacity:.6;fill:none}
.pw-receptive-field-builder svg .reached{fill:var(--fill)}
.pw-receptive-field-builder svg .other{fill:var(--line);opacity:.35}
.pw-receptive-field-builder .views p{margin:.2rem 0 0;font-size:.85rem}
.pw-receptive-field-builder .layers{max-height:19rem;overflow:auto;margin:.3rem 0 .5rem}
.pw-receptive-field-builder .layers table{margin:0}
.pw-receptive-field-builder :is(td,th){vertical-align:middle;font-variant-numeric:tabular-nums;white-space:nowrap}
.pw-receptive-field-builder thead th{position:sticky;top:0;background:var(--ground);color:var(--soft);font-size:.85rem;z-index:1}
.pw-receptive-field-builder .layers input{width:3.6rem;min-height:2rem}
.pw-receptive-field-builder .layers button{min-height:2rem;min-width:2rem;padding:0 .4rem}
@container (min-width:34rem){.pw-receptive-field-builder .views{grid-template-columns:2fr 1fr}
.pw-receptive-field-builder canvas{max-width:17rem}}
@container (max-width:25rem){
.pw-receptive-field-builder .layers :is(td,th){padding-right:.15rem;font-size:.85rem}
.pw-receptive-field-builder .layers input{width:2.1rem;padding:.1rem}
.pw-receptive-field-builder .layers thead th{font-size:.68rem}
.pw-receptive-field-builder .layers button{min-width:1.5rem;padding:0}}
`;

// State
const layersOf = (model) => parse(String(model.get("layers")));

function stateOf(model) {
  const layers = layersOf(model);
  return { layers, unit: within(model.get("unit"), 0, UNITS), steps: walk(layers), counts: paths(layers) };
}

const keep = (model, layers) => change(model, { layers: written(layers) });

// Elements
function rowAt(i, model) {
  const inputs = Object.entries(LIMITS).map(([name, max]) => {
    const oninput = () => {
      const value = within(input.value, 1, max);
      keep(
        model,
        layersOf(model).map((layer, j) => (j === i ? { ...layer, [name]: value } : layer)),
      );
    };
    const input = h("input", { type: "number", min: 1, max, "aria-label": `${name} of layer ${i + 1}`, oninput });
    return { name, input };
  });
  const [sees, jump] = [h("td"), h("td")];
  const raise = () => {
    const layers = layersOf(model);
    keep(model, layers.toSpliced(i - 1, 2, layers[i], layers[i - 1]));
  };
  const up = button("↑", raise, { "aria-label": `Move layer ${i + 1} up` });
  const remove = () => keep(model, layersOf(model).toSpliced(i, 1));
  const drop = button("×", remove, { "aria-label": `Remove layer ${i + 1}` });
  up.disabled = i === 0;
  const fields = inputs.map(({ input }) => h("td", {}, input));
  const head = h("th", { scope: "row" }, String(i + 1));
  return { row: h("tr", {}, head, ...fields, sees, jump, h("td", {}, up, " ", drop)), inputs, sees, jump };
}

function build(root, model) {
  const list = (legend, options) =>
    choices(
      legend,
      options.map(([name, text]) => [text, name]),
      (value) => change(model, { layers: value }),
    );
  const lists = [list("Networks", NETWORKS), list("Three 3×3 layers, dilated", RATES)];
  const unit = slider("Unit", [0, UNITS], (value) => change(model, { unit: value }));
  const found = shownFinding();
  const pyramid = h("div", { class: "pyramid" });
  const map = h("canvas", { role: "img" });
  const where = h("p", { class: "soft" });
  const body = h("tbody");
  const add = button("Add a layer", () => {
    const layers = layersOf(model);
    keep(model, [...layers, layers.at(-1) ?? { kernel: 3, stride: 1, dilation: 1 }]);
  });
  const todo = checklist(tasks([]));
  const heads = ["no.", "kernel", "stride", "dilation", "sees", "jump", h("td")];
  const figure = (title, ...parts) => h("figure", {}, h("figcaption", {}, title), ...parts);
  const side = figure("From one unit down to the input", pyramid);
  const above = figure("Its window: darker, more paths", map, where);
  const layers = h("div", { class: "layers" }, table("Layers, from the input on", heads, body));
  arrange(root, {
    seen: [h("div", { class: "views" }, side, above)],
    said: found.elements,
    moved: [...lists.map((one) => one.element), h("div", { class: "pw-settings" }, unit.element)],
    boxes: [fold("Change the layers", layers, add), ...todo.elements],
  });
  return { root, lists, unit, found, pyramid, map, where, body, add, todo, rows: [] };
}

// Drawing: the places that the unit reaches on each level, from the last layer down to the input, and where they lie
function levelsOf({ layers, unit, steps }, scale, tall) {
  const levels = [];
  let places = [unit];
  for (let i = layers.length; i >= 0; i--) {
    const { size, jump } = steps[i];
    const layer = layers[i - 1]; // that reads the level below
    const x = (place) => (place * jump + (size - 1) / 2 + 0.5) * scale;
    levels.push({ places, layer, jump, x, y: 12 + levels.length * tall });
    if (layer) places = [...new Set(places.flatMap((place) => read(layer, place)))].toSorted((a, b) => a - b);
  }
  return levels;
}

const read = ({ kernel, stride, dilation }, place) =>
  Array.from({ length: kernel }, (_, t) => place * stride + t * dilation);

function cone(levels) {
  const left = levels.map(({ places, x, y }) => `${x(places[0])},${y}`);
  const right = levels.map(({ places, x, y }) => `${x(places.at(-1))},${y}`);
  return svg("polygon", { class: "cone", points: [...left, ...right.toReversed()].join(" ") });
}

// Every path's steps, unless they are too many to see
function wires(levels) {
  const upper = levels.slice(0, -1);
  if (upper.reduce((sum, { places, layer }) => sum + places.length * layer.kernel, 0) > 500) return [];
  const d = upper.flatMap(({ places, layer, x, y }, i) => {
    const below = levels[i + 1];
    return places.flatMap((place) => read(layer, place).map((to) => `M${x(place)} ${y}L${below.x(to)} ${below.y}`));
  });
  return [svg("path", { class: "wire", d: d.join("") })];
}

function dots(levels, scale, tall) {
  const d = levels.slice(0, -1).flatMap(({ places, jump, x, y }) => {
    const r = Math.max(1, Math.min(4.5, (scale * jump) / 2 - 0.5, tall / 3));
    return places.map((place) => `M${x(place) - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`);
  });
  return svg("path", { class: "reached", d: d.join("") });
}

// The input's pixels: those that are read, and the others
function pixels({ places, y }, extent, scale) {
  const wide = Math.max(0.5, scale > 3 ? scale - 1 : scale);
  const reached = new Set(places);
  const cells = (on) =>
    Array.from({ length: extent }, (_, i) =>
      reached.has(i) === on ? `M${i * scale} ${y}h${wide}v10h${-wide}z` : "",
    ).join("");
  return [svg("path", { class: "other", d: cells(false) }), svg("path", { class: "reached", d: cells(true) })];
}

function drawPyramid(view, state) {
  const { unit, steps, counts, layers } = state;
  const { size, jump } = steps.at(-1);
  const width = Math.max(240, view.pyramid.clientWidth);
  const extent = size + UNITS * jump;
  const scale = width / extent;
  const tall = Math.max(9, Math.min(46, 210 / Math.max(1, layers.length)));
  const levels = levelsOf(state, scale, tall);
  const first = unit * jump;
  const left = first + size / 2 < extent / 2;
  const label = { class: "row", x: left ? width : 0, y: 12, "text-anchor": left ? "end" : "start" };
  const parts = [
    cone(levels),
    ...wires(levels),
    dots(levels, scale, tall),
    ...pixels(levels.at(-1), extent, scale),
    svg("text", label, `unit ${unit}`),
  ];
  const viewBox = `0 0 ${width} ${levels.at(-1).y + 14}`;
  view.pyramid.replaceChildren(svg("svg", { viewBox, "aria-hidden": "true" }, ...parts));
  const along = `${counts.filter((count) => count > 0).length} of ${size} along each`;
  write(view.where, `Input pixels ${first} to ${first + size - 1}, rows and columns alike; ${along}.`);
  return (x) => within((x / scale - size / 2) / jump, 0, UNITS); // the unit over a pixel
}

function drawMap(map, counts) {
  const side = (map.width = map.height = Math.min(counts.length, 360));
  const most = Math.max(...counts);
  const roots = Array.from({ length: side }, (_, i) => {
    const [from, to] = [Math.floor((i * counts.length) / side), Math.ceil(((i + 1) * counts.length) / side)];
    return Math.sqrt(Math.max(...counts.slice(from, to)) / most);
  });
  const image = new ImageData(side, side);
  const words = new Uint32Array(image.data.buffer); // a pixel each: alpha, blue, green, red
  roots.forEach((v, row) =>
    roots.forEach((u, column) => {
      words[row * side + column] = u * v && ((60 + 195 * u * v) << 24) | 0xbe742e;
    }),
  );
  penOf(map).putImageData(image, 0, 0);
}

function showLayers({ root, body, rows }, model, { layers, steps }) {
  const focused = root.getRootNode().activeElement;
  while (rows.length < layers.length) {
    rows.push(rowAt(rows.length, model));
    body.append(rows.at(-1).row);
  }
  while (rows.length > layers.length) rows.pop().row.remove();
  rows.forEach(({ inputs, sees, jump }, i) => {
    for (const { name, input } of inputs) {
      const typing = input.value === "" && input === focused;
      if (Number(input.value) !== layers[i][name] && !typing) input.value = layers[i][name];
    }
    write(sees, String(steps[i + 1].size));
    write(jump, String(steps[i + 1].jump));
  });
}

function show(view, { layers, unit, steps, counts }) {
  for (const one of view.lists) one.set(written(layers));
  view.unit.set(unit);
  const first = unit * steps.at(-1).jump;
  view.found.say(`${finding(layers)} Unit ${unit}: pixels ${first} to ${first + steps.at(-1).size - 1}.`);
  view.add.disabled = layers.length >= MOST;
  view.todo.set(tasks(layers));
  view.pyramid.hidden = view.map.hidden = view.where.hidden = counts === null;
  if (!counts) return;
  const { share } = coverage(counts, steps.at(-1).jump);
  const size = `${counts.length} by ${counts.length} pixels`;
  view.map.setAttribute("aria-label", `Window of ${size}, of which ${percent(share)} are read`);
}

function render({ model, el }) {
  const label = "Receptive field builder: how far a unit sees through a list of layers";
  const root = frame(el, "receptive-field-builder", label, CSS);
  const view = build(root, model);
  let drawn; // the layers whose map is shown
  let unitAt;
  view.pyramid.addEventListener("pointerdown", (event) => {
    change(model, { unit: unitAt(event.clientX - view.pyramid.getBoundingClientRect().left) });
  });
  function redraw() {
    const state = stateOf(model);
    show(view, state);
    showLayers(view, model, state);
    if (!state.counts) return;
    unitAt = drawPyramid(view, state);
    const text = written(state.layers);
    if (text !== drawn) drawMap(view.map, state.counts);
    drawn = text;
  }
  return live({ model, el, root }, NAMES, redraw, view.pyramid);
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
