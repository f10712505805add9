// Curve: the reader draws how a quantity goes, then what was measured draws itself over it, with the distance in words.
import { button, onDrag, shareAt, spokenFinding } from "./shared/controls.mjs";
import { frame, gridLine, h, svg, write } from "./shared/dom.mjs";
import { mean } from "./shared/numbers.mjs";
import { change, live, within } from "./shared/state.mjs";
import {
  ASKED,
  announce,
  evidence,
  isSettled,
  onPaper,
  onScale,
  remember,
  remembered,
  spell,
  ticks,
  unsettled,
} from "./question/kept.mjs";

/**
 * What a text from a storage or a kernel says.
 * @param {string} text a number for each place, with blanks between
 * @param {{ over: any[], scale: number[] }} question
 * @returns {number[]} values on the scale; none for anything else
 */
export function read(text, { over, scale }) {
  const values = typeof text === "string" && text.trim() ? text.trim().split(/\s+/).map(Number) : [];
  if (values.length !== over[1].length || !values.every(Number.isFinite)) return [];
  return values.map((value) => onScale(value, scale));
}

/**
 * How far a curve is from the mean of what was measured.
 * @param {number[]} drawn
 * @param {{ measured: [string, number[]][] }} question
 * @returns {{ off: number, worst: number, middle: number[] }} the mean distance, the place of the largest, and the mean
 *   of the seeds at each place
 */
export function distance(drawn, { measured }) {
  const middle = drawn.map((_, i) => mean(measured.map(([, values]) => values[i])));
  const apart = drawn.map((value, i) => Math.abs(value - middle[i]));
  return { off: mean(apart), worst: apart.indexOf(Math.max(...apart)), middle };
}

/**
 * Whether a curve is right: on average no further off than a tenth of the scale.
 * @param {number[]} drawn
 * @param {{ scale: number[], measured: [string, number[]][] }} question
 * @returns {boolean} true if it is
 */
export function isRight(drawn, question) {
  const [low, high] = question.scale;
  return distance(drawn, question).off <= ((high - low) / 10) * (1 + 1e-9);
}

/**
 * Where a curve leads, from its first value to its last.
 * @param {number[]} values
 * @param {number[]} scale
 * @returns {string} in words
 */
export function course(values, [low, high]) {
  const rise = values.at(-1) - values[0];
  if (Math.abs(rise) < (high - low) / 20) return "ends where it begins";
  return rise > 0 ? "rises" : "falls";
}

/**
 * What the reader is told, in words.
 * @param {number[]} guess none before there is one
 * @param {{ over: [string, number[]], scale: number[], measured: [string, number[]][], unit: string, verdict: string,
 *   claims: { sentence: string, state: string }[] }} question
 * @returns {string} sentences
 */
export function finding(guess, question) {
  const { over, scale, verdict } = question;
  const [along, places] = over;
  if (!guess.length) return "Draw the curve across the chart, or set each point with the arrow keys, and commit to it.";
  if (!isSettled(question)) return `You drew a curve. ${unsettled(question)}`;
  const { off, worst, middle } = distance(guess, question);
  const [yours, theirs] = [guess, middle].map((values) => course(values, scale));
  const shape =
    yours === theirs ? `Your curve ${yours}, as measured` : `Your curve ${yours}; what was measured ${theirs}`;
  const close = isRight(guess, question) ? "close enough" : "further off than a tenth of the scale";
  const most = `most at ${places[worst]} ${along}, where you drew ${spell(guess[worst])} and measured was`;
  const told = (value) => String(Number(value.toPrecision(2)));
  return `${shape}. It is off by ${told(off)} on average, ${close}; ${most} ${told(middle[worst])}. ${verdict}`;
}

/**
 * What became of a question on this reader's machine.
 * @param {any} question its state
 * @returns {boolean | null} whether the curve that is kept is right; null where none is, or nothing is settled
 */
export function outcome(question) {
  const guess = read(remembered(question.key), question);
  return guess.length && isSettled(question) ? isRight(guess, question) : null;
}

const NAMES = ["key", "question", "right", "scale", "measured", "over", "unit", "verdict", "not_shown", "claims"];
const [HEIGHT, TOP, BOTTOM, LEFT, RIGHT] = [300, 26, 46, 46, 16];
const CSS = `${ASKED}
.pw-curve .chart{cursor:crosshair;touch-action:none;user-select:none}
.pw-curve .done .chart{cursor:default;touch-action:auto}
.pw-curve .line{fill:none;stroke:var(--mine);stroke-width:2.5;stroke-linejoin:round}
.pw-curve .line.ahead{stroke-dasharray:2 6;opacity:.7}
.pw-curve .knob{fill:var(--mine);stroke:var(--ground);stroke-width:2;cursor:ns-resize}
.pw-curve .knob:focus{outline:none;stroke:var(--mine);stroke-width:7;stroke-opacity:.45}
.pw-curve .done .knob{cursor:default}
.pw-curve .seed{fill:none;stroke:var(--fill);stroke-width:1.2;opacity:.6}
.pw-curve .mean{fill:none;stroke:var(--fill);stroke-width:3;stroke-linejoin:round}
.pw-curve text.theirs{fill:var(--fill);font-weight:600}
.pw-curve .fresh :is(.seed,.mean){stroke-dasharray:1;animation:pw-curve-in 1.4s ease-in-out both}
@keyframes pw-curve-in{from{stroke-dashoffset:1}}
`;

// State
function stateOf(model) {
  const state = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const guess = read(model.get("guess"), state);
  return { ...state, guess, drawn: guess.length ? guess : read(model.get("answer"), state) };
}

// Where things lie in a chart of this width
function plotOf({ over, scale }, width) {
  const [low, high] = scale;
  const count = over[1].length;
  const [across, down] = [width - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  return {
    x: (i) => LEFT + (across * (i + 0.5)) / count,
    y: (value) => TOP + (down * (high - value)) / (high - low),
    at: ([vertical, along]) => [
      within(Math.floor(((along * width - LEFT) / across) * count), 0, count - 1),
      high - ((vertical * HEIGHT - TOP) / down) * (high - low),
    ],
  };
}

const flat = ({ over, scale }) => over[1].map(() => onScale((scale[0] + scale[1]) / 2, scale));

// Drawing by hand: what a pointer passes between two places is filled in along the line
function stroke(drawn, [from, to], scale) {
  const values = [...drawn];
  const [[i, before], [j, now]] = [from ?? to, to];
  const passed = Array.from({ length: Math.abs(j - i) }, (_, k) => i + k * Math.sign(j - i));
  for (const k of passed) values[k] = onScale(before + ((now - before) * (k - i)) / (j - i), scale);
  values[j] = onScale(now, scale);
  return values;
}

// Elements
function knobs({ over, scale, unit }, set, move) {
  const [low, high, step] = scale;
  return over[1].map((place, i) => {
    const knob = svg("circle", {
      class: "knob",
      r: 7,
      role: "slider",
      tabindex: i ? -1 : 0,
      "aria-label": `${unit} at ${place} ${over[0]}`,
      "aria-orientation": "vertical",
      "aria-valuemin": low,
      "aria-valuemax": high,
    });
    knob.addEventListener("keydown", (event) => {
      const lift = { ArrowUp: 2, ArrowDown: -2, PageUp: 20, PageDown: -20, Home: -1e6, End: 1e6 }[event.key];
      const aside = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!lift && !aside) return;
      event.preventDefault();
      if (lift) set(i, lift * step);
      else move(i + aside);
    });
    return knob;
  });
}

function build(root, model, commit) {
  const state = stateOf(model);
  const { key, question, scale } = state;
  const pick = (values) => change(model, { answer: values.join(" ") });
  const now = () => {
    const { drawn } = stateOf(model);
    return drawn.length ? drawn : flat(state);
  };
  const set = (i, lift) => {
    if (stateOf(model).guess.length) return;
    const values = now();
    values[i] = onScale(values[i] + lift, scale);
    pick(values);
  };
  const points = knobs(state, set, (i) => points[i]?.focus());
  for (const one of points)
    one.addEventListener("focus", () =>
      points.forEach((each) => each.setAttribute("tabindex", each === one ? "0" : "-1")),
    );
  const [back, front] = [svg("g"), svg("g")];
  const chart = svg("svg", { class: "chart", role: "group" }, back, ...points, front);
  const view = { key, points, chart, back, front, box: h("div", {}, chart), width: 620, found: spokenFinding() };
  let last = null;
  const draw = (event) => {
    const to = plotOf(state, view.width).at(shareAt(chart, event));
    pick(stroke(now(), [last, to], scale));
    last = to;
  };
  const start = (event) => {
    if (stateOf(model).guess.length) return false;
    last = null;
    chart.setPointerCapture(event.pointerId);
    draw(event);
    return true;
  };
  onDrag(/** @type {any} */ (chart), { start, move: draw });
  view.decision = button(null, commit, { class: "commit" });
  view.result = evidence(state);
  root.append(
    h("p", { class: "asks" }, question),
    view.box,
    h("div", { class: "pw-row" }, view.decision),
    view.found.element,
    view.result,
    onPaper(state),
  );
  return view;
}

const path = (values, { x, y }) => values.map((value, i) => `${i ? "L" : "M"}${x(i)} ${y(value)}`).join("");

function axes({ over, scale, unit }, { x, y }, width) {
  const lines = ticks(scale[0], scale[1]).flatMap((value) => gridLine(LEFT, width - RIGHT, y(value), spell(value)));
  const names = over[1].map((place, i) =>
    svg("text", { class: "tick", x: x(i), y: HEIGHT - BOTTOM + 20 }, String(place)),
  );
  const along = svg("text", { class: "tick", x: (LEFT + width) / 2, y: HEIGHT - 6 }, over[0]);
  return [...lines, ...names, along, svg("text", { class: "soft", x: 2, y: 14 }, unit)];
}

// The lines of the seeds, their mean, and a word at the end of it
function measuredLines({ measured, guess }, plot) {
  const middle = distance(guess, { measured }).middle;
  const line = (kind, values) => svg("path", { class: kind, d: path(values, plot), pathLength: 1 });
  const seeds = measured.map(([, values]) => line("seed", values));
  const end = middle.length - 1;
  const above = middle[end] >= guess[end] ? -14 : 22;
  const words = { class: "theirs end", x: plot.x(end) + 12, y: plot.y(middle[end]) + above };
  return [...seeds, line("mean", middle), svg("text", words, "measured")];
}

function show(view, state, width, fresh) {
  const { guess, drawn, over, question } = state;
  const plot = plotOf(state, width);
  const values = drawn.length ? drawn : flat(state);
  const done = guess.length > 0;
  view.width = width;
  view.points.forEach((point, i) => {
    point.setAttribute("cx", String(plot.x(i)));
    point.setAttribute("cy", String(plot.y(values[i])));
    point.setAttribute("aria-valuenow", String(values[i]));
    point.setAttribute("aria-disabled", String(done));
  });
  const line = svg("path", { class: drawn.length ? "line" : "line ahead", d: path(values, plot) });
  const hint = drawn.length ? null : svg("text", { class: "mine tick", x: width / 2, y: TOP + 20 }, "draw here");
  const mine = svg("text", { class: "mine", x: plot.x(0) - 12, y: plot.y(values[0]) - 14 }, done ? "your guess" : "");
  view.chart.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  view.chart.setAttribute("aria-label", `${question} A point for each of ${over[1].join(", ")} ${over[0]}.`);
  view.back.replaceChildren(...axes(state, plot, width), line, ...(done ? measuredLines(state, plot) : []));
  view.front.replaceChildren(mine, ...(hint ? [hint] : []));
  view.box.className = [done && "done", fresh && "fresh"].filter(Boolean).join(" ");
  write(view.decision, done ? "Take my guess back" : "Commit and see");
  view.decision.classList.toggle("back", done);
  view.result.classList.toggle("withheld", !done);
  view.found.say(finding(guess, state));
}

function render({ model, el }) {
  const root = frame(el, "asked", `Draw, then see what was measured: ${model.get("question")}`, CSS);
  root.classList.add("pw-curve");
  let fresh = false;
  function settle(values) {
    const guess = values.join(" ");
    change(model, { guess });
    remember(root, view.key, guess);
  }
  const view = build(root, model, () => {
    const { guess, drawn } = stateOf(model);
    fresh = !guess.length;
    if (guess.length) settle([]);
    else if (drawn.length) settle(drawn);
    else {
      view.found.say("Draw a curve first, then commit to it.");
      view.points[0].focus();
    }
  });
  const state = stateOf(model);
  const before = read(remembered(state.key), state);
  if (!state.guess.length && before.length) model.set("guess", before.join(" "));
  announce(root, state.key, stateOf(model).guess.join(" "));
  return live({ model, el, root }, ["answer", "guess"], () => {
    show(view, stateOf(model), root.clientWidth < 480 ? 330 : 620, fresh);
    fresh = false;
  });
}

/** @type {import("./shared/state.mjs").Explorable & { outcome: typeof outcome }} */
export default { render, linked: ["answer"], outcome };
