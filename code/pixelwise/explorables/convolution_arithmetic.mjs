// Convolution arithmetic: what kernel, stride, padding and dilation do to a size, and that dilated is not transposed.
import { button, checklist, choices, onArrows, shownFinding, slider, spokenPlace } from "./shared/controls.mjs";
import { arrange, frame, h, svg, uniqueId, write } from "./shared/dom.mjs";
import { modulo } from "./shared/numbers.mjs";
import { change, live, oneOf, within } from "./shared/state.mjs";

const FORWARD = "convolution";
const STAMPS = "transposed";
const ZEROS = "transposed, as zeros inserted";
const DIRECTIONS = [FORWARD, STAMPS, ZEROS];
const LIMITS = {
  input: [1, 8],
  kernel: [1, 5],
  stride: [1, 3],
  padding: [0, 4],
  dilation: [1, 3],
  output_padding: [0, 2],
};

/**
 * One layer, along one axis.
 * @typedef {object} Layer
 * @property {string} [direction]
 * @property {number} [input] its size
 * @property {number} kernel
 * @property {number} stride
 * @property {number} padding
 * @property {number} dilation
 * @property {number} [output_padding]
 */

/**
 * The output's size along one axis, and what goes with it.
 * @param {Layer} layer
 * @returns {{ extent: number, output: number, unread: number, problem: string }} pixels that the kernel covers, that
 *   come out, that are never read at the end of the input; `problem` says why nothing comes out
 */
export function measure(layer) {
  const { input, stride, padding, dilation, output_padding: extra } = layer;
  const extent = dilation * (layer.kernel - 1) + 1;
  if (layer.direction === FORWARD) {
    const padded = input + 2 * padding;
    const problem = `The kernel covers ${extent} pixels, and the padded input has only ${padded}.`;
    if (padded < extent) return { extent, output: 0, unread: 0, problem };
    const output = Math.floor((padded - extent) / stride) + 1;
    const read = Array.from({ length: output }, (_, o) => taps(layer, o)).flat();
    const last = Math.max(-1, ...read.filter((pixel) => pixel < input));
    return { extent, output, unread: input - 1 - last, problem: "" };
  }
  const output = (input - 1) * stride - 2 * padding + extent + extra;
  let problem = output < 1 ? "The padding cuts everything off: nothing is left of the output." : "";
  if (extra >= Math.max(stride, dilation))
    problem = `output_padding (${extra}) must be smaller than the stride (${stride}) or the dilation (${dilation}).`;
  return { extent, output: problem ? 0 : output, unread: 0, problem };
}

/**
 * Where the taps lie when the window is at `place`, along one axis; outside the grid they are padding, or cut off.
 *
 * A convolution at an output pixel reads these input pixels; a transposed one at an input pixel writes these output
 * pixels: the same wires. With zeros inserted, places among the spread input, where pixel i stands at i * stride.
 * @param {Layer} layer
 * @param {number} place
 * @returns {number[]} places, one for each tap
 */
export function taps({ direction, kernel, stride, padding, dilation }, place) {
  const start = direction === ZEROS ? place - dilation * (kernel - 1) + padding : place * stride - padding;
  return Array.from({ length: kernel }, (_, t) => start + t * dilation);
}

/**
 * How many places the window has along one axis.
 * @param {Layer} layer
 * @returns {number} 0 if there is no output
 */
export function places(layer) {
  const { output, problem } = measure(layer);
  return layer.direction === STAMPS && !problem ? layer.input : output;
}

/**
 * The size formula.
 * @param {Layer} layer
 * @returns {[string, string]} with letters, and with the numbers
 */
export function formula(layer) {
  const { direction, input: n, kernel: k, stride: s, padding: p, dilation: d, output_padding: extra } = layer;
  const { output, problem } = measure(layer);
  const result = problem ? "–" : output;
  if (direction === FORWARD)
    return ["⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1", `⌊(${n} + 2·${p} − ${d}·(${k} − 1) − 1) / ${s}⌋ + 1 = ${result}`];
  return [
    "(n − 1)s − 2p + d(k − 1) + 1 + output_padding",
    `(${n} − 1)·${s} − 2·${p} + ${d}·(${k} − 1) + 1 + ${extra} = ${result}`,
  ];
}

/**
 * What happens, in words.
 * @param {Layer} layer
 * @returns {string} sentences
 */
export function finding(layer) {
  const { direction, input: n, kernel: k, stride: s, dilation: d } = layer;
  const { output, extent, unread, problem } = measure(layer);
  if (problem) return `No output. ${problem}`;
  const sizes = `${n} × ${n} becomes ${output} × ${output}`;
  if (direction === FORWARD) {
    const lines = unread === 1 ? "row and column are" : `${unread} rows and columns are`;
    const rest = unread ? ` The last ${lines} never read.` : "";
    if (d === 1 || k === 1)
      return `${sizes}. Each output pixel reads ${k} × ${k} input pixels; the window moves on by ${s}.${rest}`;
    const zeros = "The zeros stand between the taps of the kernel";
    const spread = `${k * k} taps spread over ${extent} × ${extent} pixels`;
    return `${sizes}. ${zeros}: ${spread}. Dilated, not transposed: nothing grows.${rest}`;
  }
  if (direction === STAMPS) {
    const stamps = `Each input pixel stamps the ${k} × ${k} kernel onto the output, ${s} apart`;
    const grows = s > 1 && output > n ? " The stride makes it grow." : "";
    return `${sizes}. ${stamps}; overlapping stamps add up.${grows}`;
  }
  if (s === 1) return `${sizes}. At stride 1 no zeros are inserted: it is a convolution with the kernel turned round.`;
  const zeros = `The zeros stand between the pixels of the input, ${s - 1} in each gap`;
  const dense = d > 1 ? "spreading the taps as well is another matter" : "the kernel is as dense as ever";
  return `${sizes}. ${zeros}, and the turned kernel moves on by 1. Transposed, not dilated: ${dense}.`;
}

/**
 * What there is to do, and whether it's done.
 * @param {Layer} layer
 * @returns {[string, boolean][]} tasks
 */
export function tasks(layer) {
  const { direction, input, kernel, dilation } = layer;
  const { output, unread } = measure(layer);
  const forward = direction === FORWARD;
  return [
    [
      "A convolution of kernel 3 and dilation 2 that keeps the size",
      forward && kernel === 3 && dilation === 2 && output === input,
    ],
    [
      "A transposed convolution of kernel 3 that takes 4 × 4 to 8 × 8",
      !forward && kernel === 3 && input === 4 && output === 8,
    ],
    ["A convolution that never reads its last two rows", forward && unread === 2],
  ];
}

const LABELS = {
  input: "Input size n",
  kernel: "Kernel k",
  stride: "Stride s",
  padding: "Padding p",
  dilation: "Dilation d",
  output_padding: "Output padding",
};
const START = { direction: FORWARD, input: 5, kernel: 3, stride: 1, padding: 0, dilation: 1, output_padding: 0 };
const PRESETS = {
  "same size": { ...START, padding: 1 },
  halve: { ...START, input: 8, stride: 2, padding: 1 },
  dilated: { ...START, input: 7, dilation: 2 },
  "double: stamps": { ...START, direction: STAMPS, input: 3, kernel: 4, stride: 2, padding: 1 },
  "double: zeros": { ...START, direction: ZEROS, input: 3, kernel: 4, stride: 2, padding: 1 },
};
const NAMES = [...Object.keys(LIMITS), "direction", "step"];
const CSS = `
.pw-convolution-arithmetic .picture{margin-bottom:.4rem}
.pw-convolution-arithmetic svg .pixel{fill:var(--fill);fill-opacity:.16;stroke:var(--line)}
.pw-convolution-arithmetic svg .zero{fill:none;stroke:var(--line);opacity:.6}
.pw-convolution-arithmetic svg .nought{fill:var(--soft);text-anchor:middle;font-size:11px}
.pw-convolution-arithmetic svg .edge{fill:none;stroke:var(--line);stroke-dasharray:3 3}
.pw-convolution-arithmetic svg .on{fill:var(--fill);opacity:.85}
.pw-convolution-arithmetic svg .faint{fill:var(--fill);opacity:.3}
.pw-convolution-arithmetic svg .now{fill:none;stroke:var(--ink);stroke-width:3}
.pw-convolution-arithmetic svg .reach{fill:none;stroke:var(--fill);stroke-width:2.5}
.pw-convolution-arithmetic .formula{margin:.3rem 0 0;font-family:ui-monospace,monospace;font-size:.8rem;overflow-wrap:anywhere}
.pw-convolution-arithmetic .formula b{display:inline-block}
`;

// State: the layer; `count` places of the window along each axis, and the one where it is
function stateOf(model) {
  const numbers = Object.entries(LIMITS).map(([name, [low, high]]) => [name, within(model.get(name), low, high)]);
  const layer = { direction: oneOf(model.get("direction"), DIRECTIONS), ...Object.fromEntries(numbers) };
  const count = places(layer);
  const step = count ? modulo(Math.round(model.get("step")) || 0, count ** 2) : 0;
  return { layer, count, step, row: count ? Math.floor(step / count) : 0, column: count ? step % count : 0 };
}

// Elements
function controlsOf(model) {
  const presets = choices(
    "Try",
    Object.keys(PRESETS).map((name) => [name, name]),
    (name) => change(model, { ...PRESETS[name], step: 0 }),
  );
  const direction = choices(
    "Direction",
    DIRECTIONS.map((name) => [name, name]),
    (value) => change(model, { direction: value, step: 0 }),
  );
  const sliders = Object.entries(LIMITS).map(([name, limits]) => ({
    name,
    ...slider(LABELS[name], limits, (value) => change(model, { [name]: value })),
  }));
  return { presets, direction, sliders };
}

function build(root, model) {
  const keysId = uniqueId("keys");
  const controls = controlsOf(model);
  const found = shownFinding();
  const place = spokenPlace();
  const [letters, numbers] = [h("span"), h("b")];
  const label = { "aria-label": "Window: move it with the arrow keys", "aria-describedby": keysId };
  const picture = h("div", { class: "picture", tabindex: 0, role: "application", ...label });
  const todo = checklist(tasks(START));
  const steps = h("p", { class: "pw-row" });
  const settings = h("div", { class: "pw-settings" }, ...controls.sliders.map((one) => one.element));
  arrange(root, {
    seen: [picture, steps, h("p", { class: "formula" }, letters, " ", numbers)],
    said: [...found.elements, place.element],
    moved: [controls.presets.element, controls.direction.element, settings],
    boxes: todo.elements,
  });
  const hint = h("span", { class: "soft", id: keysId }, "or the arrow keys on the picture");
  return { ...controls, found, place, letters, numbers, picture, todo, steps, hint };
}

// Drawing

/*
 * A grid of cells `from` to `to` - 1 both ways, of which 0 to `size` - 1 are real, from a corner on: its parts, the
 * path of a square in it, and whether there is a value at a place.
 */
function gridOf(corner, cell, { title, from, to, size, filled }) {
  const [x0, y0] = corner;
  const square = (row, column, inset = 0, extent = 1) => {
    const side = extent * cell - 2 * inset;
    const [x, y] = [x0 + (column - from) * cell + inset, y0 + (row - from) * cell + inset];
    return `M${x} ${y}h${side}v${side}h${-side}z`;
  };
  const real = (row, column) => Math.min(row, column) >= 0 && Math.max(row, column) < size;
  const paths = { pixel: "", edge: "", zero: "" };
  const noughts = [];
  for (let row = from; row < to; row++)
    for (let column = from; column < to; column++) {
      if (!real(row, column)) paths.edge += square(row, column, 1.5);
      else if (filled(row, column)) paths.pixel += square(row, column, 1);
      else {
        paths.zero += square(row, column, 1.5);
        const [x, y] = [x0 + (column - from + 0.5) * cell, y0 + (row - from + 0.5) * cell + 4];
        noughts.push(svg("text", { class: "nought", x, y }, "0"));
      }
    }
  const cells = Object.entries(paths).map(([kind, d]) => svg("path", { class: kind, d }));
  const parts = [...cells, ...(cell > 13 ? noughts : []), svg("text", { x: x0, y: y0 - 7 }, title)];
  return { parts, square, holds: (row, column) => real(row, column) && filled(row, column) };
}

// What the two grids show, input and output
function gridsOf(layer, count) {
  const { input: n, stride: s, padding: p } = layer;
  const { output: m } = measure(layer);
  const all = (title, size) => ({ title, from: 0, to: size, size, filled: () => true });
  const [input, output] = [all(`input, ${n} × ${n}`, n), all(`output, ${m} × ${m}`, m)];
  const ends = [taps(layer, 0)[0], taps(layer, count - 1).at(-1) + 1];
  if (layer.direction === FORWARD)
    return [{ ...input, title: `${input.title}${p ? `, padded by ${p}` : ""}`, from: -p, to: n + p }, output];
  if (layer.direction === STAMPS)
    return [
      input,
      { ...output, title: `${output.title}${p ? `, ${p} cut off` : ""}`, from: -p, to: Math.max(ends[1], m) },
    ];
  const spread = (n - 1) * s + 1;
  const zeros = {
    title: `input, ${["no zeros", "1 zero", "2 zeros"][s - 1]} between`,
    from: Math.min(0, ends[0]),
    to: Math.max(spread, ends[1]),
    size: spread,
    filled: (row, column) => row % s === 0 && column % s === 0,
  };
  return [zeros, output];
}

// Draw both grids, and return hit(x, y): the step whose place is there, or null
function drawGrids(picture, { layer, count, row, column }) {
  const { extent, problem } = measure(layer);
  if (problem) {
    picture.replaceChildren();
    return () => null;
  }
  const grids = gridsOf(layer, count);
  const width = Math.max(240, picture.clientWidth);
  const wide = width > 480;
  const [a, b] = grids.map(({ from, to }) => to - from);
  const room = wide ? (width - 50) / (a + b) : width / Math.max(a, b);
  const cell = Math.min(34, room, wide ? 208 / Math.max(a, b) : 380 / (a + b));
  const corners = [[1, 24], wide ? [a * cell + 48, 24] : [1, a * cell + 60]];
  const [one, two] = grids.map((grid, i) => gridOf(corners[i], cell, grid));
  const stamps = layer.direction === STAMPS;
  const [window, single] = stamps ? [two, one] : [one, two];
  const [down, across] = [taps(layer, row), taps(layer, column)];
  const lit = (which) =>
    down.flatMap((v) => across.filter((u) => window.holds(v, u) === which).map((u) => window.square(v, u, 2))).join("");
  const marks = [
    ["on", lit(true)],
    ["faint", lit(false)],
    ["reach", window.square(down[0], across[0], 0, extent)],
    ["on", single.square(row, column, 2)],
    ["now", single.square(row, column, 0)],
  ];
  const parts = [...one.parts, ...two.parts, ...marks.map(([kind, d]) => svg("path", { class: kind, d }))];
  const height = 26 + (wide ? Math.max(a, b) * cell : (a + b) * cell + 38);
  picture.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...parts));
  const [x0, y0] = corners[stamps ? 0 : 1];
  return (x, y) => {
    const [v, u] = [Math.floor((y - y0) / cell), Math.floor((x - x0) / cell)];
    return Math.min(v, u) >= 0 && Math.max(v, u) < count ? v * count + u : null;
  };
}

function show(view, { layer }) {
  const same = (preset) => Object.keys(START).every((name) => preset[name] === layer[name]);
  view.presets.set(Object.keys(PRESETS).find((name) => same(PRESETS[name])));
  view.direction.set(layer.direction);
  for (const one of view.sliders) one.set(layer[one.name]);
  view.sliders.at(-1).element.hidden = layer.direction === FORWARD;
  const [general, filled] = formula(layer);
  write(view.letters, `output = ${general}`);
  write(view.numbers, `= ${filled}`);
  view.found.say(finding(layer));
  view.todo.set(tasks(layer));
}

// Events: the window moves on by itself until something stops it
function player(root, { still, step, ended }) {
  let timer;
  const play = button("Play", () => (timer ? pause() : tick()));
  function pause() {
    clearTimeout(timer);
    timer = undefined;
    write(play, "Play");
    ended();
  }
  function tick() {
    if (!root.isConnected || document.hidden || still.matches) return pause();
    write(play, "Pause");
    timer = setTimeout(tick, 700);
    if (!step()) pause();
  }
  return { play, stop: () => clearTimeout(timer) };
}

function render({ model, el }) {
  const label = "Convolution arithmetic: sizes, and where the window reads and writes";
  const root = frame(el, "convolution-arithmetic", label, CSS);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const view = build(root, model);
  let hit;

  function moveOn(by, save) {
    const { count, step } = stateOf(model);
    if (count) change(model, { step: modulo(step + by, count ** 2) }, save);
    return count > 0;
  }
  function move(by) {
    if (!moveOn(by, true)) return;
    const { layer, row, column } = stateOf(model);
    const [rows, columns] = [row, column].map((place) => taps(layer, place).join(", "));
    view.place.say(`row ${row}, column ${column}: taps at rows ${rows} and columns ${columns}`);
  }
  const back = button("◀ Back", () => move(-1));
  const on = button("Step ▶", () => move(1));
  const { play, stop } = player(root, { still, step: () => moveOn(1, false), ended: () => model.save_changes() });
  view.steps.append(back, on, play, view.hint);
  onArrows(view.picture, (rows, columns) => move(rows * stateOf(model).count + columns));
  view.picture.addEventListener("pointerdown", (event) => {
    const box = view.picture.getBoundingClientRect();
    const step = hit(event.clientX - box.left, event.clientY - box.top);
    if (step !== null) change(model, { step });
  });

  function redraw() {
    const state = stateOf(model);
    show(view, state);
    back.disabled = on.disabled = play.disabled = !state.count;
    play.hidden = still.matches;
    hit = drawGrids(view.picture, state);
  }
  const end = live({ model, el, root }, NAMES, redraw, view.picture);
  return () => {
    stop();
    end();
  };
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
