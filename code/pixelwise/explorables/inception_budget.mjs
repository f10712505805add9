// Inception budget: set the widths of an Inception module's branches, and see where its weights and operations go.
import { button, checklist, choices, slider, spokenFinding } from "./shared/controls.mjs";
import { arrange, barRow, fold, frame, h, svg, table, write } from "./shared/dom.mjs";
import { change, live, within } from "./shared/state.mjs";

// The convolutions of a module, in the order of the paper's table: name in the state, label, greatest width
const LAYERS = [
  { name: "one", label: "1×1", most: 256 },
  { name: "reduce3", label: "3×3 reduction", most: 192 },
  { name: "three", label: "3×3", most: 320 },
  { name: "reduce5", label: "5×5 reduction", most: 192 },
  { name: "five", label: "5×5", most: 128 },
  { name: "project", label: "pool projection", most: 192 },
];

/**
 * What a module costs.
 * @param {number[]} widths of its convolutions
 * @param {number} inputs channels in
 * @param {string} form "reduced" or "naive"
 * @returns {{ layers: number[], weights: number, without: number, channels: number }} weights (without biases) of every
 *   convolution and of all, those of all without reductions, and channels out
 */
export function count(widths, inputs, form) {
  const [one, reduce3, three, reduce5, five, project] = widths;
  const naive = form === "naive";
  const layers = naive
    ? [inputs * one, 0, 9 * inputs * three, 0, 25 * inputs * five, 0]
    : [inputs * one, inputs * reduce3, 9 * reduce3 * three, inputs * reduce5, 25 * reduce5 * five, inputs * project];
  return {
    layers,
    weights: layers.reduce((sum, layer) => sum + layer, 0),
    without: inputs * (one + 9 * three + 25 * five),
    channels: one + three + five + (naive ? inputs : project),
  };
}

/**
 * From how many channels on a reduction before `outputs` filters of side `size` costs more than it saves.
 * @param {number} inputs
 * @param {number} outputs
 * @param {number} size
 * @returns {number} channels
 */
export function breakEven(inputs, outputs, size) {
  return Math.floor((inputs * size ** 2 * outputs) / (inputs + size ** 2 * outputs)) + 1;
}

const whole = (number) => Math.round(number).toLocaleString("en-US");
const times = (ratio) => `${ratio.toFixed(2)} times`;

/**
 * What the numbers say, in words.
 * @param {number[]} widths
 * @param {number[]} paper the paper's widths
 * @param {number} inputs channels in
 * @param {number} side of the map
 * @param {string} form "reduced" or "naive"
 * @returns {string} sentences
 */
export function finding(widths, paper, inputs, side, form) {
  const { layers, weights, without, channels } = count(widths, inputs, form);
  const reduced = count(widths, inputs, "reduced").weights;
  if (!weights || !reduced) return `No weights: ${channels} channels go on to the next module.`;
  if (form === "naive") {
    const more = `Without reductions: ${whole(weights)} weights, ${times(weights / reduced)} as many as with them`;
    return `${more}. And ${channels} channels go on to the next module, for the pool passes all ${inputs} through.`;
  }
  for (const [r, out, size] of [
    [1, 2, 3],
    [3, 4, 5],
  ]) {
    const limit = breakEven(inputs, widths[out], size);
    if (widths[r] < limit) continue;
    const wasted = `The ${size}×${size} reduction to ${widths[r]} channels costs more than it saves`;
    return `${wasted}: with ${widths[out]} filters behind it, that begins at ${limit}.`;
  }
  const percent = 100 * (weights / count(paper, inputs, "reduced").weights - 1);
  const rather = `${Math.abs(percent).toFixed(1)}\u00a0% ${percent < 0 ? "fewer" : "more"} than`;
  const than = `${Math.abs(percent) < 0.05 ? "as many as" : rather} the paper's`;
  const largest = layers.indexOf(Math.max(...layers));
  const operations = `${((weights * side ** 2) / 1e6).toFixed(0)} million multiply-adds`;
  const fewer = `${times(without / weights)} fewer than without reductions`;
  const share = ((100 * layers[largest]) / weights).toFixed(0);
  const alone = `The ${LAYERS[largest].label} convolution alone takes ${share}\u00a0%`;
  return `${whole(weights)} weights, ${than}, and ${operations}: ${fewer}. ${alone}.`;
}

/**
 * Tasks, and whether a state meets them.
 * @param {number[]} widths
 * @param {number[]} paper the paper's widths
 * @param {number} inputs channels in
 * @param {string} form "reduced" or "naive"
 * @returns {[string, boolean][]} tasks
 */
export function tasks(widths, paper, inputs, form) {
  const { weights, channels } = count(widths, inputs, form);
  const budget = count(paper, inputs, "reduced");
  const [, reduce3, three, reduce5, five] = widths;
  const reduced = form === "reduced";
  const wide = reduce3 >= paper[1] && reduce5 >= paper[3];
  const beaten = channels >= budget.channels && wide && weights <= 0.8 * budget.weights;
  const affordable = weights <= budget.weights;
  const wasted =
    (three > 0 && reduce3 >= breakEven(inputs, three, 3)) || (five > 0 && reduce5 >= breakEven(inputs, five, 5));
  const own = `reductions as wide as its own (${paper[1]} and ${paper[3]})`;
  const large = `64 or more from the 5×5 branch and ${paper[2]} or more from the 3×3`;
  const few = "64 from the 3×3 branch, 8 from the 5×5";
  return [
    [`Beat the paper: ${budget.channels} channels or more, ${own}, and a fifth fewer weights`, reduced && beaten],
    [
      `Large filters for all: ${large}, within the paper's ${whole(budget.weights)}`,
      reduced && five >= 64 && three >= paper[2] && affordable,
    ],
    ["A reduction that costs more than it saves", reduced && wasted],
    [`No reductions, and still within the paper's budget: ${few}`, !reduced && three >= 64 && five >= 8 && affordable],
  ];
}

const NAMES = [...LAYERS.map(({ name }) => name), "form"];
const CSS = `
.pw-inception-budget .views{align-items:center}
.pw-inception-budget figure{max-width:25rem}
.pw-inception-budget svg .pipe{fill:light-dark(#bcd3ea,#2d4a68)}
.pw-inception-budget svg .box{fill:light-dark(#fff,#11161c);stroke:var(--ink);stroke-width:1.2}
.pw-inception-budget svg .heat{fill:light-dark(#e07b39,#d9783a)}
.pw-inception-budget svg text{text-anchor:middle;font-variant-numeric:tabular-nums}
.pw-inception-budget .costs{table-layout:fixed;margin:0 0 .5rem;font-size:.9rem}
.pw-inception-budget .costs th{width:7.4rem;white-space:nowrap}
.pw-inception-budget .costs td.number{width:4.6rem}
.pw-inception-budget .bar>i{background:light-dark(#c65f1d,#d9783a)}
.pw-inception-budget .yours :is(th,td){font-weight:600}
@container (min-width:38rem){.pw-inception-budget .views{grid-template-columns:1fr 1fr}}
@container (max-width:34rem){.pw-inception-budget svg{max-width:16rem}.pw-inception-budget .views{gap:0}}
`;

// State
function stateOf(model) {
  return {
    widths: LAYERS.map(({ name, most }) => within(model.get(name), 0, most)),
    form: model.get("form") === "naive" ? "naive" : "reduced",
    inputs: model.get("inputs"),
    side: model.get("side"),
    paper: model.get("paper"),
  };
}

// Elements
function build(root, model) {
  const { inputs, paper } = stateOf(model);
  const forms = [
    ["reduced", "with 1×1 reductions"],
    ["naive", "naive, without"],
  ];
  const form = choices("Module", forms, (value) => change(model, { form: value }));
  const sliders = LAYERS.map(({ name, label, most }) =>
    slider(label, [0, most], (value) => change(model, { [name]: value })),
  );
  const widths = Object.fromEntries(LAYERS.map(({ name }, i) => [name, paper[i]]));
  const back = button("The paper's widths", () => change(model, { form: "reduced", ...widths }));
  const found = spokenFinding();
  const diagram = svg("svg", { role: "img", viewBox: "0 0 380 330" });
  const rows = LAYERS.map(({ label }) => barRow(label));
  const totals = [barRow("yours", "yours"), barRow("the paper's"), barRow("yours, naive")];
  const operations = h("p", { class: "soft" });
  const todo = checklist(tasks(paper, paper, inputs, "reduced"));
  const costs = (title, all) => table(title, [], h("tbody", {}, ...all.map((one) => one.row)), { class: "costs" });
  const tables = [costs("Weights by convolution", rows), costs("Weights of the module", totals)];
  const caption = h("figcaption", {}, "Breadth: channels. Filling: share of the weights.");
  arrange(root, {
    seen: [h("div", { class: "views" }, h("figure", {}, caption, diagram), h("div", {}, ...tables))],
    said: [found.element],
    moved: [form.element, back, h("div", { class: "pw-settings" }, ...sliders.map((one) => one.element))],
    boxes: [...todo.elements, fold("What it counts", operations)],
  });
  return { form, sliders, found, diagram, rows, totals, operations, todo };
}

// Drawing: branches as pipes from top to bottom, as broad as they have channels
const SCALE = 0.25; // pixels of breadth for a channel
const centre = (i) => 47 + 95 * i; // of a branch

function pipe(x, top, bottom, from, to) {
  const [a, b] = [from, to].map((width) => Math.max(width * SCALE, 0.5) / 2);
  return svg("path", { class: "pipe", d: `M${x - a} ${top}H${x + a}L${x + b} ${bottom}H${x - b}Z` });
}

const text = (x, y, words, kind) => svg("text", { x, y, class: kind }, words);

// The convolutions of each branch: name, width, index of its weights (none for a pool)
function branchesOf([one, reduce3, three, reduce5, five, project], inputs, naive) {
  const branches = [
    [["1×1", one, 0]],
    [
      ["1×1", reduce3, 1],
      ["3×3", three, 2],
    ],
    [
      ["1×1", reduce5, 3],
      ["5×5", five, 4],
    ],
    [
      ["pool", inputs],
      ["1×1", project, 5],
    ],
  ];
  return naive ? branches.map((steps, i) => [steps[i === 3 ? 0 : steps.length - 1]]) : branches;
}

function boxOf(x, y, name, weights, all) {
  const large = weights >= 1000 ? `${(weights / 1000).toFixed(1)} k` : String(weights);
  const none = weights === undefined;
  return [
    svg("rect", { class: "box", x: x - 40, y, width: 80, height: 44, rx: 6 }),
    svg("rect", {
      class: "heat",
      x: x - 39,
      y: y + 43 - 6,
      width: 78 * (none ? 0 : weights / all || 0),
      height: 6,
      rx: 2,
    }),
    text(x, y + 16, name),
    text(x, y + 31, none ? "no weights" : large, "soft"),
  ];
}

function branch(x, steps, inputs, { layers, weights }) {
  const parts = [];
  let before = inputs;
  let top = 24;
  steps.forEach(([name, width, layer], k) => {
    const y = k ? 172 : steps.length === 2 ? 52 : 122;
    parts.push(pipe(x, top, y, before, before), ...boxOf(x, y, name, layers[layer], weights));
    before = width;
    top = y + 44;
    const beside = x + Math.max(14, (width * SCALE) / 2 + 14);
    if (k < steps.length - 1) parts.push(text(beside, top + 20, String(width), "soft"));
  });
  const narrow = before * SCALE <= 30;
  const end = text(x + (narrow ? 18 : 0), 250, String(before), narrow ? "soft" : "");
  return [...parts, pipe(x, top, 268, before, before), end];
}

function drawModule(diagram, { widths, inputs, form }, counted) {
  const branches = branchesOf(widths, inputs, form === "naive");
  const outputs = branches.map((steps) => steps.at(-1)[1]);
  diagram.replaceChildren(text(190, 14, `${inputs} channels in, to each branch`, "soft"));
  branches.forEach((steps, i) => diagram.append(...branch(centre(i), steps, inputs, counted)));
  // The concatenation: the four side by side
  let from = 190 - (counted.channels * SCALE) / 2;
  outputs.forEach((width, i) => {
    const [x, half] = [centre(i), (width * SCALE) / 2];
    const d = `M${x - half} 268H${x + half}L${from + 2 * half} 304H${from}Z`;
    diagram.append(svg("path", { class: "pipe", d }));
    from += 2 * half;
  });
  diagram.append(text(190, 322, `${counted.channels} channels out`));
  const each = `${outputs.slice(0, 3).join(", ")} and ${outputs[3]}`;
  const label = `Four branches on ${inputs} channels put out ${each} channels, ${counted.channels} in all.`;
  diagram.setAttribute("aria-label", label);
}

function show(view, { widths, form, inputs, side, paper }, { layers, weights, without }) {
  view.form.set(form);
  const bars = (rows, numbers) =>
    rows.forEach(({ bar, number }, i) => {
      bar.style.width = `${(100 * numbers[i]) / (Math.max(...numbers) || 1)}%`;
      write(number, whole(numbers[i]));
    });
  bars(view.rows, layers);
  bars(view.totals, [weights, count(paper, inputs, "reduced").weights, without]);
  view.sliders.forEach((one, i) => {
    one.set(widths[i]);
    one.input.disabled = form === "naive" && [1, 3, 5].includes(i);
  });
  const used = `Each weight is used at ${side} × ${side} places: ${whole(weights * side ** 2)} multiply-adds`;
  write(view.operations, `${used}. Weights are what a module costs; what it can learn they do not say.`);
  view.todo.set(tasks(widths, paper, inputs, form));
  view.found.say(finding(widths, paper, inputs, side, form));
}

function render({ model, el }) {
  const label = "Inception budget: set the widths of the branches, see what they cost";
  const root = frame(el, "inception-budget", label, CSS);
  const view = build(root, model);
  return live({ model, el, root }, NAMES, () => {
    const state = stateOf(model);
    const counted = count(state.widths, state.inputs, state.form);
    show(view, state, counted);
    drawModule(view.diagram, state, counted);
  });
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
