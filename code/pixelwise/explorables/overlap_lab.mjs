// Overlap lab: where a transposed convolution checkerboards, and why: not the number of taps decides, but their sums.
import { ARROWS, checklist, choices, group, slider, spokenFinding } from "./shared/controls.mjs";
import { arrange, fold, frame, h, svg, table, write } from "./shared/dom.mjs";
import { modulo } from "./shared/numbers.mjs";
import { change, live, oncePerFrame, within } from "./shared/state.mjs";

/**
 * The kernel's weights from text such as ".5 1 .5": a missing tap is 1, one too many is left out.
 * @param {string} text
 * @param {number} kernel
 * @returns {number[]} one weight for each tap
 */
export function taps(text, kernel) {
  const given = text.split(/[\s,]+/).filter((word) => word !== "" && Number.isFinite(Number(word)));
  return Array.from({ length: kernel }, (_, t) => (t < given.length ? Number(given[t]) : 1));
}

/**
 * The sum over the taps of each phase, tap p, p + stride, …: what a constant 1 becomes there.
 * @param {number[]} weights
 * @param {number} stride
 * @returns {number[]} one sum for each phase
 */
export function phaseSums(weights, stride) {
  const sums = Array.from({ length: stride }, () => 0);
  weights.forEach((weight, t) => {
    sums[t % stride] += weight;
  });
  return sums;
}

/**
 * How many taps each phase has.
 * @param {number} kernel
 * @param {number} stride
 * @returns {number[]} one count for each phase
 */
export function overlapCounts(kernel, stride) {
  return phaseSums(
    Array.from({ length: kernel }, () => 1),
    stride,
  );
}

/**
 * The one kernel that does the work of so many layers, at stride ** layers.
 * @param {number[]} weights of one layer
 * @param {number} stride
 * @param {number} layers
 * @returns {number[]} weights
 */
export function stacked(weights, stride, layers) {
  let kernel = [1];
  for (let layer = 0, step = 1; layer < layers; layer++, step *= stride) {
    const wider = Array.from({ length: kernel.length + (weights.length - 1) * step }, () => 0);
    // each layer before this one stamps further apart
    for (const [o, one] of kernel.entries())
      for (const [t, weight] of weights.entries()) wider[o + t * step] += one * weight;
    kernel = wider;
  }
  return kernel;
}

/**
 * The outputs for an input that is 1 everywhere, or ("step") from input pixel 0 on and 0 before.
 * @param {number[]} kernel
 * @param {number} stride
 * @param {string} input "constant" or "step"
 * @param {number} from first output
 * @param {number} to the one after the last
 * @returns {number[]} outputs
 */
export function response(kernel, stride, input, from, to) {
  return Array.from({ length: to - from }, (_, i) => {
    let sum = 0;
    const o = from + i;
    for (let t = modulo(o, stride); t < kernel.length; t += stride) if (input !== "step" || t <= o) sum += kernel[t];
    return sum;
  });
}

/**
 * Everything about one setting, in numbers.
 * @typedef {object} Measures
 * @property {number[]} kernel that does the work of all layers
 * @property {number} period its stride
 * @property {number[]} sums of each of its phases
 * @property {number[]} counts of its taps in each phase
 * @property {number} low least sum
 * @property {number} high greatest sum
 * @property {number[]} layerSums of each phase in one layer
 * @property {number[]} layerCounts likewise
 * @property {boolean} flat whether a constant stays one
 * @property {boolean} divisible whether the stride divides the kernel
 * @property {boolean} gaps whether some pixels get nothing
 */

/**
 * Measure one setting.
 * @param {number[]} weights of one layer
 * @param {number} stride
 * @param {number} layers
 * @returns {Measures} the numbers
 */
export function measure(weights, stride, layers) {
  const kernel = stacked(weights, stride, layers);
  const period = stride ** layers;
  const sums = phaseSums(kernel, period);
  const ones = weights.map(() => 1);
  const [low, high] = [Math.min(...sums), Math.max(...sums)];
  return {
    kernel,
    period,
    sums,
    counts: phaseSums(stacked(ones, stride, layers), period),
    low,
    high,
    layerSums: phaseSums(weights, stride),
    layerCounts: overlapCounts(weights.length, stride),
    flat: high - low <= 1e-6 * Math.max(...kernel.map(Math.abs)),
    divisible: weights.length % stride === 0,
    gaps: weights.length < stride,
  };
}

/**
 * A number as short as it can be: 1, 0.25, −0.3.
 * @param {number} value
 * @returns {string} the number
 */
export function short(value) {
  return String(Math.round(value * 100) / 100 || 0).replace("-", "−");
}

const isDead = (m) => Math.max(m.high, -m.low) < 1e-9; // a constant is lost altogether

/**
 * The verdict in a word, and why.
 * @param {Measures} m
 * @param {number} kernel
 * @param {number} stride
 * @param {boolean} [plane] whether it is about two dimensions
 * @returns {[string, string]} word and sentences
 */
export function verdict(m, kernel, stride, plane = false) {
  if (stride === 1) {
    const all = "every pixel collects all taps. It is an ordinary convolution.";
    return ["Flat", `At stride 1 there is one phase only: ${all}`];
  }
  if (m.gaps) {
    const less = `The kernel (${kernel}) is shorter than the stride (${stride})`;
    return ["Gaps", `${less}: some pixels are reached by no stamp, and no weight can mend that.`];
  }
  if (isDead(m)) return ["Flat", "Every phase sums to 0: a constant is lost altogether. Flat, and useless."];
  return m.flat ? ["Flat", whyFlat(m, kernel, stride)] : ["Checkerboard", whyNot(m, kernel, stride, plane)];
}

const list = (values) => {
  const [rest, last] = [values.slice(0, -1).map(short), short(values.at(-1))];
  return rest.length ? `${rest.join(", ")}${rest.length > 1 ? "," : ""} and ${last}` : last;
};
const divides = (m, kernel, stride) => `${stride} ${m.divisible ? "divides" : "does not divide"} ${kernel}`;

function whyFlat(m, kernel, stride) {
  const sum = short(m.layerSums[0]);
  const counts = `${divides(m, kernel, stride)} makes the counts equal; it is these weights that make the sums equal.`;
  if (m.divisible) return `All phases sum to ${sum}. That ${counts}`;
  const still = `the phases have ${list(m.layerCounts)} taps, and still each sums to ${sum}`;
  return `Although ${divides(m, kernel, stride)}: ${still}. Divisible is not necessary.`;
}

function whyNot(m, kernel, stride, plane) {
  const ends = plane ? [m.low * m.low, m.low * m.high, m.high * m.high] : [m.low, m.high]; // rows and columns multiply
  const range = `A constant 1 comes out between ${short(Math.min(...ends))} and ${short(Math.max(...ends))}.`;
  const sums = list(m.layerSums);
  if (!m.divisible) return `The phases have ${list(m.layerCounts)} taps, and they sum to ${sums}. ${range}`;
  const count = m.layerCounts[0];
  const each = `each phase has ${count} ${count > 1 ? "taps" : "tap"}, but they sum to ${sums}`;
  return `Although ${divides(m, kernel, stride)}: ${each}. ${range} Divisible is not sufficient.`;
}

/**
 * What there is to do, and whether it's done.
 * @param {Measures} m
 * @param {number} kernel
 * @param {number} stride
 * @returns {[string, boolean][]} tasks
 */
export function tasks(m, kernel, stride) {
  const flat = m.flat && !isDead(m);
  const full = m.kernel.every((weight) => weight !== 0);
  return [
    ["Kernel 5, stride 3, and flat", kernel === 5 && stride === 3 && flat],
    ["Kernel 6, stride 3, no weight 0, and a checkerboard", kernel === 6 && stride === 3 && !m.flat && full],
    ["A flat kernel with a negative weight", stride > 1 && flat && m.kernel.some((weight) => weight < 0)],
  ];
}

const NAMES = ["kernel", "stride", "layers", "weights", "dimensions"];
const PRESETS = [
  ["uneven overlap", 3, 2, ""],
  ["even overlap", 4, 2, ""],
  ["uneven, mended by weights", 3, 2, "0.5 1 0.5"],
  ["even, spoilt by weights", 4, 2, "0.1 0.9 0.5 0.5"],
  ["bilinear", 4, 2, "0.25 0.75 0.75 0.25"],
  ["gaps", 2, 3, ""],
];
const CSS = `
.pw-overlap-lab{--p0:light-dark(#0b62a8,#7db4ea);--p1:light-dark(#b84500,#f2a25f);--p2:light-dark(#0b7a5c,#6fd0ae);--p3:light-dark(#8a3a9c,#d3a0e2)}
.pw-overlap-lab .pw-choices label{width:3.6rem;border-top:.3rem solid var(--phase)}
.pw-overlap-lab .pw-choices input{width:100%;min-height:1.9rem;font-size:.95rem}
.pw-overlap-lab .picture{touch-action:pan-y}
.pw-overlap-lab .verdict{display:inline-block;margin-right:.5em;padding:0 .5em;border-radius:.3rem;background:var(--mark);color:var(--ground)}
.pw-overlap-lab .verdict.flat{background:var(--good)}
.pw-overlap-lab .flat svg{max-width:11rem}
.pw-overlap-lab .sums th,.pw-overlap-lab .sums td{vertical-align:top}
.pw-overlap-lab .sums thead th{color:var(--soft);font-size:.85rem}
.pw-overlap-lab .swatch{width:.8rem;height:.8rem;border:0;border-radius:.15rem;background:var(--phase)}
.pw-overlap-lab .at{min-height:1.5em;margin:.2rem 0 0;font-size:.85rem;font-variant-numeric:tabular-nums}
.pw-overlap-lab svg .axis{stroke:var(--line)}
.pw-overlap-lab svg .cursor{fill:none;stroke:var(--ink);stroke-width:2}
.pw-overlap-lab svg .row{paint-order:stroke;stroke:var(--ground);stroke-width:5px}
@container (min-width:34rem){.pw-overlap-lab .views:has(.flat:not([hidden])){grid-template-columns:1fr 11rem}}
`;

// State: the setting
function settingOf(model) {
  const [kernel, stride] = [within(model.get("kernel"), 1, 8), within(model.get("stride"), 1, 4)];
  const layers = within(model.get("layers"), 1, 3);
  const weights = taps(String(model.get("weights")), kernel);
  const plane = model.get("dimensions") === 2;
  return { kernel, stride, layers, weights, plane, m: measure(weights, stride, layers) };
}

// And its outputs, as many as have room
function shownAt(setting, width) {
  const { m, plane } = setting;
  const [columns, least] = width > 480 ? [3, 24] : [2, 16];
  const all = Math.max(least, Math.min(320, m.kernel.length + 2 * m.period));
  const count = plane ? Math.max(12, Math.min(48, 2 * m.period)) : all;
  const from = plane ? -Math.floor(count / 4) : -Math.max(4, Math.min(m.period, count >> 2));
  const repeat = (values) => Array.from({ length: count }, (_, i) => values[modulo(i + from, m.period)]);
  return {
    ...setting,
    width,
    columns,
    side: (width - 12 * (columns - 1)) / columns, // of one of several pictures
    count,
    from,
    counts: repeat(m.counts),
    constant: repeat(m.sums),
    step: response(m.kernel, m.period, "step", from, from + count),
  };
}

// Elements
function controlsOf(model) {
  const set = (name) => (value) => change(model, { [name]: value });
  const presets = PRESETS.map(([name, kernel, stride, weights]) => [`${kernel} ${stride} ${weights}`, name]);
  const start = choices("Try", [...presets, ["random", "random weights"]], (value) => {
    const random = () => (Math.random() * 2 - 0.6).toFixed(1);
    const chosen = PRESETS.find(([, kernel, stride, weights]) => value === `${kernel} ${stride} ${weights}`);
    if (!chosen) return change(model, { weights: settingOf(model).weights.map(random).join(" ") });
    const [, kernel, stride, weights] = chosen;
    return change(model, { kernel, stride, weights });
  });
  const dimensions = [
    [1, "1-D"],
    [2, "2-D"],
  ];
  return {
    start,
    kernel: slider("Kernel size", [1, 8], set("kernel")),
    stride: slider("Stride", [1, 4], set("stride")),
    layers: slider("Layers", [1, 3], set("layers")),
    dimensions: choices("Picture", dimensions, set("dimensions")),
  };
}

function weightField(model, t) {
  const oninput = () => {
    const { weights } = settingOf(model);
    weights[t] = Number(input.value);
    change(model, { weights: weights.join(" ") });
  };
  const input = h("input", { type: "number", step: 0.1, min: -9, max: 9, inputmode: "decimal", oninput });
  return { input, label: h("label", {}, h("span", { class: "unseen" }, `tap ${t}`), input) };
}

function build(root, model) {
  const controls = controlsOf(model);
  const { start, kernel, stride, layers, dimensions } = controls;
  const fields = Array.from({ length: 8 }, (_, t) => weightField(model, t));
  const found = spokenFinding();
  const shown = h("p", { class: "pw-finding", "aria-hidden": "true" });
  const picture = h("div", { class: "picture", tabindex: 0, role: "slider", "aria-valuemin": 0 });
  const at = h("p", { class: "at soft", "aria-hidden": "true" });
  const sums = h("tbody");
  const todo = checklist(tasks(measure([1], 1, 1), 1, 1));
  const weights = group("Weights, a colour each phase", ...fields.map((one) => one.label));
  const square = h("div");
  const flat = h("figure", { class: "flat" }, h("figcaption", {}, "A flat picture becomes"), square);
  const settings = [kernel, stride, layers].map((one) => one.element);
  const phases = table("What each phase collects in one layer", ["phase", "taps", "their sum"], sums, {
    class: "sums",
  });
  arrange(root, {
    seen: [h("div", { class: "views" }, h("div", {}, picture, at), flat)],
    said: [shown, h("div", { class: "unseen" }, found.element)],
    moved: [start.element, weights, dimensions.element, h("div", { class: "pw-settings" }, ...settings)],
    boxes: [...todo.elements, fold("Sums of the phases", phases)],
  });
  return { ...controls, root, fields, found, shown, picture, flat, square, at, sums, todo };
}

// Drawing
const words = (x, y, text, more) => svg("text", { x, y, ...more }, text);
const title = (x, y, text) => words(x, y, text, { class: "row" });
const cursorAt = (x, y, width, height) => svg("rect", { class: "cursor", x, y, width, height });

// Rectangles [x, y, width, height, fill, strength] as few paths: one for each colour and strength
function cells(rectangles) {
  const paths = new Map();
  for (const [x, y, w, tall, fill, strength] of rectangles) {
    const key = `${fill}|${(strength && 0.12 + 0.88 * strength).toFixed(2)}`;
    const [left, top, across, down] = [x, y, w, tall].map((value) => value.toFixed(2));
    paths.set(key, `${paths.get(key) ?? ""}M${left} ${top}h${across}v${down}h${-across}z`);
  }
  return [...paths].map(([key, d]) => {
    const [fill, strength] = key.split("|");
    return svg("path", { d, fill, "fill-opacity": strength });
  });
}

const colour = ({ stride }, o) => `var(--p${modulo(o, stride)})`;

// The stamps of all inputs, in rows that do not overlap
function stamps(now, y, cell, thick) {
  const { m, from, count } = now;
  const top = Math.max(...m.kernel.map(Math.abs), 1e-9);
  const rows = Math.min(12, Math.ceil(m.kernel.length / m.period));
  const tall = Math.max(7, Math.min(15, 84 / rows));
  const rectangles = [];
  for (let i = Math.floor((from - m.kernel.length) / m.period); i * m.period < from + count; i++)
    m.kernel.forEach((weight, t) => {
      const o = i * m.period + t - from;
      if (o < 0 || o >= count) return;
      const height = y + modulo(i, rows) * tall;
      rectangles.push([o * cell, height, thick, tall - 2, colour(now, o + from), Math.abs(weight) / top]);
    });
  return { rectangles, height: rows * tall };
}

function curve(now, values, y, cell, thick) {
  const all = [...now.constant, ...now.step];
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
  const unit = 70 / (high - low || 1);
  const zero = y + high * unit;
  const rectangles = values.map((value, o) => {
    const height = Math.max(0.8, Math.abs(value) * unit);
    return [o * cell, zero - Math.max(0, value) * unit, thick, height, colour(now, o + now.from), 0.8];
  });
  return { rectangles, axis: svg("path", { class: "axis", d: `M0 ${zero}H${now.width}` }) };
}

function drawLine(now, cursor) {
  const [text, gap] = [18, 26];
  const cell = now.width / now.count;
  const thick = cell > 4 ? cell - 1.5 : cell;
  const apart = now.layers > 1 ? `the ${now.layers} layers as one, ${now.m.period}` : `the kernel, ${now.stride}`;
  const { rectangles, height } = stamps(now, text, cell, thick);
  let y = text + height + gap;
  const parts = [];
  const titles = [title(0, text - 6, `each input pixel stamps ${apart} apart`)];
  const curves = {
    "stamps of a flat input of ones add up to": now.constant,
    "of a step from 0 to 1": now.step,
  };
  for (const [name, values] of Object.entries(curves)) {
    const one = curve(now, values, y, cell, thick);
    parts.push(one.axis);
    titles.push(title(0, y - 6, name));
    rectangles.push(...one.rectangles);
    y += 70 + gap;
  }
  const bottom = y - gap + 4;
  parts.push(cursorAt(cursor[0] * cell - 1, text - 2, Math.max(3, thick + 2), bottom - text + 2));
  const viewBox = `0 0 ${now.width} ${bottom + 4}`;
  return svg("svg", { viewBox, "aria-hidden": "true" }, ...cells(rectangles), ...parts, ...titles);
}

// The outer product of two rows of outputs as a picture
function product(down, across, cell, x0 = 0, y0 = 0) {
  const top = Math.max(...down.flatMap((a) => across.map((b) => Math.abs(a * b))), 1e-9);
  const rectangles = down.flatMap((a, row) =>
    across.map((b, column) => {
      const fill = a * b < -1e-9 ? "var(--p1)" : "var(--p0)";
      return [x0 + column * cell, y0 + row * cell, cell + 0.3, cell + 0.3, fill, Math.abs(a * b) / top];
    }),
  );
  return cells(rectangles);
}

// What a flat picture becomes
function drawFlat({ constant }) {
  const some = constant.slice(0, 16);
  return svg(
    "svg",
    { viewBox: `0 0 ${10 * some.length} ${10 * some.length}`, "aria-hidden": "true" },
    ...product(some, some, 10),
  );
}

function drawPlane({ counts, constant, step, count, side, columns, width }, [u, v]) {
  const cell = side / count;
  const maps = [
    ["how many reach it", counts, counts],
    ["constant 1", constant, constant],
    ["a step, left to right", constant, step],
  ];
  const parts = maps.flatMap(([name, down, across], i) => {
    const [x0, y0] = [(i % columns) * (side + 12), Math.floor(i / columns) * (side + 30) + 22];
    const marks = [title(x0, y0 - 7, name), cursorAt(x0 + u * cell, y0 + v * cell, cell, cell)];
    return [...product(down, across, cell, x0, y0), ...marks];
  });
  const viewBox = `0 0 ${width} ${Math.ceil(3 / columns) * (side + 30)}`;
  return svg("svg", { viewBox, "aria-hidden": "true" }, ...parts);
}

const summed = (weights) => weights.map(short).join(" + ").replaceAll("+ −", "− ");

// What the pixel under the cursor collects, in words
function placeOf({ m, from, weights, stride, layers, plane, counts, constant, step }, [u, v]) {
  if (plane) {
    const outputs = `${short(constant[v] * constant[u])}, the step as ${short(constant[v] * step[u])}`;
    return `Output pixel [${v}, ${u}]: reached ${counts[v] * counts[u]} times; a constant 1 comes out as ${outputs}`;
  }
  const o = u + from;
  const along = [...weights.keys()].filter((t) => t % stride === modulo(o, stride));
  const sum = summed(along.map((t) => weights[t])) || "0";
  const one = `taps ${along.join(" and ") || "none"}: ${sum} =`;
  const how = layers > 1 ? `${counts[u]} paths, a constant 1 comes out as` : one;
  const phase = `phase ${modulo(o, m.period)}`;
  return `Output pixel ${o}, ${phase}: ${how} ${short(constant[u])}; for the step ${short(step[u])}`;
}

function draw(view, now, cursor) {
  const { plane, count } = now;
  const place = placeOf(now, cursor);
  view.picture.replaceChildren(plane ? drawPlane(now, cursor) : drawLine(now, cursor));
  view.square.replaceChildren(drawFlat(now));
  write(view.at, place);
  const values = {
    "aria-label": "Output pixel",
    "aria-valuemax": (plane ? count ** 2 : count) - 1,
    "aria-valuenow": cursor[0] + (plane ? cursor[1] * count : 0),
    "aria-valuetext": place,
  };
  for (const [name, value] of Object.entries(values)) view.picture.setAttribute(name, String(value));
}

function showControls(view, { kernel, stride, layers, weights, plane }, text) {
  view.start.set(`${kernel} ${stride} ${text}`);
  view.kernel.set(kernel);
  view.stride.set(stride);
  view.layers.set(layers);
  view.dimensions.set(plane ? 2 : 1);
  const focused = view.root.getRootNode().activeElement;
  view.fields.forEach(({ input, label }, t) => {
    label.hidden = t >= kernel;
    label.style.setProperty("--phase", `var(--p${t % stride})`);
    if (t < kernel && Number(input.value || NaN) !== weights[t] && focused !== input) input.value = String(weights[t]);
  });
}

function showSums({ sums }, { m, weights, stride }) {
  sums.replaceChildren(
    ...m.layerSums.map((sum, phase) => {
      const mine = [...weights.keys()].filter((t) => t % stride === phase);
      const swatch = h("span", { class: "swatch" });
      swatch.style.setProperty("--phase", `var(--p${phase})`);
      const added = mine.length > 1 ? `${summed(mine.map((t) => weights[t]))} = ` : "";
      const head = h("th", { scope: "row" }, swatch, String(phase));
      return h("tr", {}, head, h("td", {}, mine.join(", ") || "none"), h("td", {}, `${added}${short(sum)}`));
    }),
  );
}

function show(view, setting, text) {
  const { m, kernel, stride, plane } = setting;
  showControls(view, setting, text);
  showSums(view, setting);
  const [word, why] = verdict(m, kernel, stride, plane);
  view.shown.replaceChildren(h("span", { class: `verdict ${word.toLowerCase()}` }, word), why);
  view.found.say(`${word}. ${why}`);
  view.todo.set(tasks(m, kernel, stride));
}

// Events: which output a pointer is at, as [column, row]
function pointed({ picture }, { count, plane, side, width }, event) {
  const box = picture.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const at = (where, size) => within(Math.floor((where / size) * count), 0, count - 1);
  return plane ? [at(x % (side + 12), side), at((y % (side + 30)) - 22, side)] : [at(x, width), 0];
}

function render({ model, el }) {
  const root = frame(el, "overlap-lab", "Overlap lab: where a transposed convolution makes a checkerboard", CSS);
  const view = build(root, model);
  let cursor = [8, 4]; // column, row among the outputs shown
  let now;
  const drawLater = oncePerFrame(() => draw(view, now, cursor));
  function redraw() {
    const setting = settingOf(model);
    view.flat.hidden = setting.plane;
    now = shownAt(setting, Math.max(240, view.picture.clientWidth));
    cursor = cursor.map((place) => Math.min(place, now.count - 1));
    show(view, setting, model.get("weights"));
    draw(view, now, cursor);
  }

  // Events
  const steps = { ...ARROWS, Home: [0, -999], End: [0, 999] };
  view.picture.addEventListener("keydown", (event) => {
    if (!Object.hasOwn(steps, event.key)) return;
    event.preventDefault();
    const [rows, columns] = steps[event.key];
    const move = now.plane ? [columns, rows] : [columns - rows, 0];
    cursor = cursor.map((place, i) => within(place + move[i], 0, now.count - 1));
    drawLater();
  });
  for (const name of ["pointermove", "pointerdown"])
    view.picture.addEventListener(name, (event) => {
      cursor = pointed(view, now, event);
      drawLater();
    });
  return live({ model, el, root }, NAMES, redraw, view.picture);
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
