// Skip or not: depth and shortcuts, and what real runs recorded: gradients before training, losses during it.
import { choices, shareAt, slider, spokenFinding } from "./shared/controls.mjs";
import { arrange, fold, frame, gridLine, h, svg, write } from "./shared/dom.mjs";
import { mean } from "./shared/numbers.mjs";
import { change, live, oneOf, within } from "./shared/state.mjs";

/**
 * One network as recorded.
 * @typedef {object} Run
 * @property {string} kind "plain" or "residual"
 * @property {number} depth
 * @property {string} norm "yes" or "no", with batch normalisation or without
 * @property {number[][]} gradients for each seed, the norm at every layer; none if it was not looked into
 * @property {number[][]} losses for each seed, in the order of training; none if it was not trained
 */

/**
 * The geometric mean.
 * @param {number[]} values
 * @returns {number} NaN for none
 */
export function geometric(values) {
  return Math.exp(mean(values.map(Math.log)));
}

/**
 * The value at a share of the way along a list, the nearest entry.
 * @param {number[]} values
 * @param {number} share 0 to 1
 * @returns {number} one of the values
 */
export function along(values, share) {
  return values[Math.round(share * (values.length - 1))];
}

/**
 * What a run says, NaN where nothing was recorded.
 * @param {Run} run
 * @param {number} layer a share 0 to 1 of the way through the network
 * @param {number} step a share 0 to 1 of the way through training
 * @returns {{ first: number, last: number, here: number, end: number, loss: number }} gradient norms at the first
 *   layer, the last, and that share of the way (geometric means over the seeds); the training loss over the last tenth
 *   of the points, and at that share of the way (means)
 */
export function summary({ gradients, losses }, layer, step) {
  const norm = (share) => (gradients.length ? geometric(gradients.map((one) => along(one, share))) : NaN);
  const tail = (one) => one.slice(-Math.max(1, Math.floor(one.length / 10)));
  return {
    first: norm(0),
    last: norm(1),
    here: norm(layer),
    end: mean(losses.map((one) => mean(tail(one)))),
    loss: mean(losses.map((one) => along(one, step))),
  };
}

/**
 * Three significant figures, without exponents for what a reader can picture.
 * @param {number} value
 * @returns {string} the number, a dash for NaN
 */
export function figure(value) {
  if (Number.isNaN(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)) {
    const [digits, power] = value.toExponential(1).split("e");
    return `${digits} × ${raised(Number(power))}`;
  }
  return String(Number(value.toPrecision(3)));
}

/**
 * What the chosen run says, in words, against the same depth with the other switch.
 * @param {Run} run
 * @param {Run} other
 * @returns {string} sentences
 */
export function finding(run, other) {
  const [now, then] = [summary(run, 0, 1), summary(other, 0, 1)];
  const name = `${run.kind}-${run.depth}${run.norm === "yes" ? "" : " without batch normalisation"}`;
  const start = Number.isNaN(now.first / now.last)
    ? `The gradient in ${name} was not looked into.`
    : `In ${name} the gradient ${gradientOf(now)}.`;
  if (Number.isNaN(now.end)) return `${start} This network was not trained in the recorded run.`;
  const gap = now.end - then.end;
  const further = gap > 0 ? "not as far as" : "further than";
  const versus = Math.abs(gap) < 0.05 ? "about as far as" : further;
  const comparison = Number.isNaN(gap) ? "" : `, ${versus} ${other.kind}-${other.depth} (${then.end.toFixed(2)})`;
  return `${start} Trained, it comes down to a loss of ${now.end.toFixed(2)}${comparison}.`;
}

function gradientOf({ first, last }) {
  const ratio = first / last;
  const size = first < 1e-2 ? `is tiny (${figure(first)} at the first layer), and it ` : "";
  if (ratio > 3)
    return `${size}grows on its way back: ${figure(ratio)} times as large at the first layer as at the last`;
  if (ratio < 1 / 3)
    return `${size}shrinks on its way back: at the first layer it is 1/${figure(1 / ratio)} of the last's`;
  return `${size}is of one size from the last layer to the first`;
}

const NAMES = ["depth", "kind", "norm", "layer", "step"];
const [WIDTH, HEIGHT] = [320, 230];
const [LEFT, RIGHT, TOP, BOTTOM] = [32, 312, 10, 204];
const CSS = `
.pw-skip-or-not svg path{fill:none;stroke-linejoin:round}
.pw-skip-or-not .plain{--kind:var(--fill)}
.pw-skip-or-not .residual{--kind:var(--mark)}
.pw-skip-or-not svg .mean{stroke:var(--kind);stroke-width:2}
.pw-skip-or-not svg .seeds{fill:var(--kind);opacity:.2}
.pw-skip-or-not svg .now .mean{stroke-width:4}
.pw-skip-or-not svg .name{fill:var(--kind);text-anchor:end;font-weight:600;stroke:var(--ground);stroke-width:4px;paint-order:stroke}
.pw-skip-or-not .cursor{stroke:var(--ink);stroke-dasharray:4 3}
.pw-skip-or-not svg text{font-variant-numeric:tabular-nums}
.pw-skip-or-not svg :is(.x,.y){fill:var(--soft);font-size:12px}
.pw-skip-or-not svg :is(.x,.none){text-anchor:middle}
@container (min-width:38rem){.pw-skip-or-not .views{grid-template-columns:1fr 1fr}}
`;

// State
function stateOf(model, runs) {
  const depth = oneOf(model.get("depth"), depthsOf(runs));
  const kind = model.get("kind") === "residual" ? "residual" : "plain";
  const norm = model.get("norm") === "no" ? "no" : "yes";
  const find = (which) =>
    runs.find((run) => run.depth === depth && run.kind === which && run.norm === norm) ?? {
      depth,
      kind: which,
      norm,
      gradients: [],
      losses: [],
    };
  const [layer, step] = [within(model.get("layer"), 0, 100), within(model.get("step"), 0, 100)];
  return { depth, kind, norm, layer, step, run: find(kind), other: find(kind === "plain" ? "residual" : "plain") };
}

const depthsOf = (runs) => [...new Set(runs.map((run) => run.depth))].toSorted((a, b) => a - b);

// Elements

/*
 * A chart of two runs, the chosen one boldly: of each the mean over its seeds, in the band that the seeds span.
 * `curvesOf` picks the curves of a run, `to` maps a value to a share of the height, `marks` are the values named on the
 * left and `ends` the texts below both ends; the names stand where `named` is, a share of the breadth.
 */
function chart({ curvesOf, average, to, marks, ends, named, pick }) {
  const y = (value) => BOTTOM - (BOTTOM - TOP) * Math.max(-0.02, Math.min(1.02, to(value)));
  const x = (share) => LEFT + (RIGHT - LEFT) * share;
  const line = (values, from) => {
    const at = (i) => x(values.length > 1 ? i / (values.length - 1) : 0).toFixed(1);
    const points = values.map((value, i) => `${at(i)} ${y(value).toFixed(1)}`);
    return from + (from === "L" ? points.toReversed() : points).join("L");
  };
  const front = svg("g");
  const picture = svg("svg", { class: "chart", role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
  for (const [value, text] of marks) picture.append(...gridLine(LEFT, RIGHT, y(value), text));
  const [first, last] = ends;
  picture.append(svg("text", { class: "x", x: LEFT + 16, y: HEIGHT - 10 }, first));
  picture.append(svg("text", { class: "x", x: RIGHT - 22, y: HEIGHT - 10 }, last));
  picture.append(front);
  picture.addEventListener("pointerdown", (event) => {
    const share = (shareAt(picture, event)[1] * WIDTH - LEFT) / (RIGHT - LEFT);
    pick(within(100 * share, 0, 100));
  });
  function draw(run, other, share, none) {
    const drawn = [other, run].filter((one) => curvesOf(one).length);
    const names = [];
    const beside = []; // where the lines are that the names stand beside
    const groups = drawn.map((one) => {
      const curves = curvesOf(one);
      const over = (join) => curves[0].map((_, i) => join(curves.map((values) => values[i])));
      const [low, high, middle] = [(all) => Math.min(...all), (all) => Math.max(...all), average].map(over);
      const name = { one, y: y(along(middle, named)) };
      names.push(name);
      beside.push(...Array.from({ length: 16 }, (_, i) => y(along(middle, named + (named < 0.5 ? i : -i) / 50))));
      const seeds = svg("path", { class: "seeds", d: `${line(low, "M")}${line(high, "L")}z` });
      const bold = svg("path", { class: "mean", d: line(middle, "M") });
      return svg("g", { class: `${one.kind} ${one === run ? "now" : ""}` }, seeds, bold);
    });
    names.sort((a, b) => a.y - b.y);
    const texts = names.map(({ one }, i) => {
      const at = i ? Math.min(Math.max(...beside) + 20, BOTTOM - 5) : Math.max(Math.min(...beside) - 9, TOP + 10);
      const place = { x: x(named) + (named < 0.5 ? 84 : 0), y: at };
      return svg("text", { class: `name ${one.kind}`, ...place }, `${one.kind}-${one.depth}`);
    });
    front.replaceChildren(...groups, ...texts);
    if (curvesOf(run).length) front.append(svg("path", { class: "cursor", d: `M${x(share)} ${TOP}V${BOTTOM}` }));
    else front.append(svg("text", { class: "none", x: (LEFT + RIGHT) / 2, y: (TOP + BOTTOM) / 2 }, none));
  }
  return { picture, draw };
}

const raised = (power) => `10${String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)])}`;

function gradientChart(runs, pick) {
  const norms = runs.flatMap((run) => run.gradients.flat());
  const [low, high] = [Math.floor(Math.log10(Math.min(...norms))), Math.ceil(Math.log10(Math.max(...norms)))];
  const each = Math.ceil((high - low) / 6);
  const powers = Array.from({ length: high - low + 1 }, (_, i) => low + i).filter(
    (power) => (power - low) % each === 0,
  );
  return chart({
    curvesOf: (run) => run.gradients,
    average: geometric,
    to: (value) => (Math.log10(value) - low) / (high - low),
    marks: powers.map((power) => [10 ** power, power === 0 ? "1" : raised(power)]),
    ends: ["first layer", "last layer"],
    named: 0.02,
    pick,
  });
}

function lossChart(runs, steps, pick) {
  const top = Math.ceil(Math.max(1, ...runs.flatMap((run) => run.losses.flat())));
  return chart({
    curvesOf: (run) => run.losses,
    average: mean,
    to: (value) => value / top,
    marks: Array.from({ length: top + 1 }, (_, i) => [i, String(i)]),
    ends: ["step 1", `step ${steps}`],
    named: 0.98,
    pick,
  });
}

const framed = (...parts) => h("figure", {}, ...parts);

function build(root, model) {
  const [runs, steps] = [model.get("runs"), model.get("steps")];
  const set = (name) => (value) => change(model, { [name]: value });
  const yesNo = [
    ["yes", "yes"],
    ["no", "no"],
  ];
  const trained = depthsOf(runs.filter((run) => run.losses.length));
  const nameOf = (one) => (trained.includes(one) ? String(one) : `${one} (gradient only)`);
  const depth = choices(
    "Layers",
    depthsOf(runs).map((one) => [one, nameOf(one)]),
    set("depth"),
  );
  const kind = choices(
    "Shortcuts",
    [
      ["plain", "none (plain)"],
      ["residual", "residual"],
    ],
    set("kind"),
  );
  const norm = choices("Batch normalisation", yesNo, set("norm"));
  const layer = slider("layer", [0, 100], set("layer"));
  const step = slider("step", [0, 100], set("step"));
  const found = spokenFinding();
  const sizes = gradientChart(runs, set("layer"));
  const curves = lossChart(runs, steps, set("step"));
  const [sizesTitle, curvesTitle] = [h("figcaption"), h("figcaption")];
  const lines = "Bold: the network that is chosen, the mean of its seeds, which lie in the band";
  const recorded = `Recorded runs of this chapter, trained: ${trained.join(" and ")} layers`;
  arrange(root, {
    seen: [h("div", { class: "views" }, framed(sizesTitle, sizes.picture), framed(curvesTitle, curves.picture))],
    said: [found.element],
    moved: [depth.element, kind.element, norm.element, h("div", { class: "pw-settings" }, layer.element, step.element)],
    boxes: [fold("What is shown", `${lines}. The sentence averages the last tenth of the steps. ${recorded}.`)],
  });
  return { depth, kind, norm, layer, step, found, sizes, curves, sizesTitle, curvesTitle };
}

// Drawing
function show(view, { depth, kind, norm, layer, step, run, other }, every, steps) {
  view.depth.set(depth);
  view.kind.set(kind);
  view.norm.set(norm);
  const numbers = summary(run, layer / 100, step / 100);
  const [[norms], [curve]] = [run.gradients, run.losses];
  const at = (share, values) => Math.round((share / 100) * (values.length - 1)) + 1;
  view.layer.input.disabled = !norms;
  view.step.input.disabled = !curve;
  view.layer.set(layer, norms ? String(at(layer, norms)) : "–");
  view.step.set(step, curve ? String(Math.min(steps, at(step, curve) * every)) : "–");
  view.sizes.draw(run, other, layer / 100, "not looked into");
  view.curves.draw(run, other, step / 100, "not trained");
  const name = `${run.kind}-${run.depth}${norm === "no" ? " without BN" : ""}`;
  const loss = Number.isNaN(numbers.loss) ? "–" : numbers.loss.toFixed(2);
  write(view.sizesTitle, `Gradient norm before training, ${name}: ${figure(numbers.here)}`);
  write(view.curvesTitle, `Training loss, ${name}: ${loss}`);
  const ends = `${figure(numbers.first)} at the first layer, ${figure(numbers.last)} at the last`;
  view.sizes.picture.setAttribute("aria-label", `${name}: gradient norm ${ends}`);
  const trained = curve ? `training loss ${numbers.end.toFixed(2)} at the end` : "not trained";
  view.curves.picture.setAttribute("aria-label", `${name}: ${trained}`);
  view.found.say(finding(run, other));
}

function render({ model, el }) {
  const label = "Skip or not: depth and shortcuts, with the gradients and losses of real runs";
  const root = frame(el, "skip-or-not", label, CSS);
  const view = build(root, model);
  const [runs, every, steps] = [model.get("runs"), model.get("every"), model.get("steps")];
  return live({ model, el, root }, NAMES, () => show(view, stateOf(model, runs), every, steps));
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
