// Self-attention by hand: who reads whom among six tokens of a street, and what their order does to the answers.
import {
  checklist,
  choices,
  onArrows,
  onDrag,
  shareAt,
  shownFinding,
  slider,
  spokenPlace,
} from "./shared/controls.mjs";
import { arrange, frame, h, svg, uniqueId } from "./shared/dom.mjs";
import { modulo } from "./shared/numbers.mjs";
import { change, live, oneOf, within } from "./shared/state.mjs";

const KINDS = ["sky", "sky", "tree", "car", "road", "road"];
const NAMES = KINDS.map((kind, t) => `${kind} ${"abcdef"[t]}`);
const START = "9 2 8 3 2 9 6 7 3 1 1 3";
const [LIKE, OPPOSITE] = ["its like", "its opposite"];
const [NONE, ADDED] = ["not told", "added"];
/** What token stands at each place. */
const ORDERS = {
  "as they stand": [0, 1, 2, 3, 4, 5],
  "shifted by one": [5, 0, 1, 2, 3, 4],
  shuffled: [3, 0, 5, 2, 4, 1],
};
const TAPS = [0.25, 0.5, 0.25];
const RADIUS = 2.5; // of the circle on which the positions lie

/**
 * One layer and its tokens.
 * @typedef {object} Layer
 * @property {number[][]} tokens brightness and roughness of each, -5 to 5
 * @property {number} sharpness 0 to 10, of the queries
 * @property {string} wants what a query looks for
 * @property {string} positions whether they are added to the tokens
 * @property {string} order of the places
 * @property {number} asks the token whose weights are shown
 */

/**
 * By which weights each token reads each, and what it reads: tokens in the order of their letters.
 * @typedef {{ weights: number[][], answers: number[][] }} Reading
 */

/**
 * The tokens from text, twelve whole numbers from 0 to 10; those of the start if it is anything else.
 * @param {unknown} text
 * @returns {number[][]} brightness and roughness of each, -5 to 5
 */
export function read(text) {
  const numbers = String(text).split(" ").map(Number);
  const good = numbers.length === 2 * KINDS.length && numbers.every((n) => Number.isInteger(n) && n >= 0 && n <= 10);
  const used = good ? numbers : START.split(" ").map(Number);
  return KINDS.map((_, t) => [used[2 * t] - 5, used[2 * t + 1] - 5]);
}

/**
 * The tokens as text.
 * @param {number[][]} tokens
 * @returns {string} twelve whole numbers
 */
export function spelt(tokens) {
  return tokens.flatMap((token) => token.map((value) => value + 5)).join(" ");
}

function softmax(scores) {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

// What rows of weights read
function reading(weights, values) {
  const sum = (row, axis) => row.reduce((total, weight, t) => total + weight * values[t][axis], 0);
  return { weights, answers: weights.map((row) => [sum(row, 0), sum(row, 1)]) };
}

/**
 * What attention and a convolution of three taps, whose ends meet, make of the tokens in an order of their places.
 * @param {Layer} layer
 * @param {number[]} order the token at each place
 * @returns {{ held: number[][], attention: Reading, convolution: Reading }} `held` is what attention is given: the
 *   tokens, with their positions if these are added
 */
export function layerOf({ tokens, sharpness, wants, positions }, order) {
  const places = tokens.map((_, t) => order.indexOf(t));
  const radius = positions === ADDED ? RADIUS : 0;
  const held = tokens.map(([x, y], t) => {
    const angle = (2 * Math.PI * places[t]) / tokens.length;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
  const scale = ((wants === LIKE ? 1 : -1) * sharpness) / 10 / Math.SQRT2;
  const scores = held.map((query) => held.map((key) => scale * (query[0] * key[0] + query[1] * key[1])));
  const taps = places.map((here) => places.map((there) => TAPS[modulo(there - here + 1, tokens.length)] ?? 0));
  return { held, attention: reading(scores.map(softmax), held), convolution: reading(taps, tokens) };
}

/**
 * How far every answer is from that of the first order.
 * @param {Layer} layer
 * @returns {Record<"attention" | "convolution", { each: number[], all: number }>} the distance of each token's answer,
 *   and that of all, as a part of their length
 */
export function changes(layer) {
  const [before, now] = [layerOf(layer, ORDERS["as they stand"]), layerOf(layer, ORDERS[layer.order])];
  const compare = (kind) => {
    const [old, fresh] = [before[kind].answers, now[kind].answers];
    const each = old.map(([x, y], t) => Math.hypot(fresh[t][0] - x, fresh[t][1] - y));
    const length = Math.hypot(...old.flat());
    return { each, all: length ? Math.hypot(...each) / length : 0 };
  };
  return { attention: compare("attention"), convolution: compare("convolution") };
}

const share = (value) => `${Math.round(100 * value)}\u00a0%`;

// What the order did, in words
function moved(layer) {
  const { attention, convolution } = changes(layer);
  if (layer.order === "as they stand")
    return "Attention weighs by what tokens hold, the convolution by where they stand.";
  const say = (who, { all }) =>
    all < 1e-9 ? `${who} answers as before` : `${who} changes its answers by ${share(all)}`;
  const [one, other] = [say("attention", attention), say("the convolution", convolution)];
  return `${layer.order === "shuffled" ? "Shuffled" : "Shifted"}, ${one}; ${other}.`;
}

/**
 * What is seen, in words.
 * @param {Layer} layer
 * @returns {string} sentences
 */
export function finding(layer) {
  const { asks } = layer;
  const row = layerOf(layer, ORDERS[layer.order]).attention.weights[asks];
  const most = row.map((_, t) => t).filter((t) => t !== asks);
  most.sort((a, b) => row[b] - row[a]);
  const others = `${share(row[most[0]])} of ${NAMES[most[0]]}`;
  const name = NAMES[asks][0].toUpperCase() + NAMES[asks].slice(1);
  return `${name} reads ${share(row[asks])} of itself and ${others}. ${moved(layer)}`;
}

/**
 * Where the token that asks stands.
 * @param {Layer} layer
 * @returns {string} its place in the row, and what it holds
 */
export function stands(layer) {
  const order = ORDERS[layer.order];
  const spell = (value) => `${Number((value + 1e-9).toFixed(1))}`.replace("-", "−");
  const [brightness, roughness] = layerOf(layer, order).held[layer.asks].map(spell);
  return `${NAMES[layer.asks]}: place ${order.indexOf(layer.asks) + 1}, bright ${brightness}, rough ${roughness}`;
}

/**
 * What there is to do, and whether it's done.
 * @param {Layer} layer
 * @returns {[string, boolean][]} tasks
 */
export function tasks(layer) {
  const row = layerOf(layer, ORDERS[layer.order]).attention.weights[layer.asks];
  const { attention, convolution } = changes(layer);
  return [
    ["A token that reads all six alike", Math.max(...row) - Math.min(...row) < 0.01],
    ["One that reads under 5 % of itself", row[layer.asks] < 0.05],
    ["An order that only attention feels", attention.all > 0.01 && convolution.all < 1e-9],
  ];
}

const NAMES_OF_STATE = ["tokens", "asks", "sharpness", "wants", "positions", "order"];
const SIDE = 256;
const UNIT = SIDE / 16;
const CSS = `
@container (min-width:34rem){.pw-self-attention .views{grid-template-columns:2fr 3fr}}
.pw-self-attention .plane{max-width:20rem}
.pw-self-attention svg .token{stroke:var(--ink);stroke-width:1}
.pw-self-attention svg .sky{fill:#9fd3ee}
.pw-self-attention svg .tree{fill:#2f7d5b}
.pw-self-attention svg .car{fill:#4866ff}
.pw-self-attention svg .road{fill:#8c8798}
.pw-self-attention svg .axis{stroke:var(--line);stroke-width:.6;fill:none}
.pw-self-attention svg .beam{stroke:var(--fill);opacity:.75;fill:none}
.pw-self-attention svg .attention{fill:var(--fill)}
.pw-self-attention svg .convolution{fill:none;stroke:var(--mark);stroke-width:2}
.pw-self-attention svg .asks{fill:none;stroke:var(--ink);stroke-width:2.5}
.pw-self-attention svg text.small{text-anchor:middle}
@container (max-width:34rem){.pw-self-attention .strip svg text{font-size:17px}.pw-self-attention .strip svg text.soft{font-size:15px}}
`;

function stateOf(model) {
  return {
    tokens: read(model.get("tokens")),
    asks: within(model.get("asks"), 0, KINDS.length - 1),
    sharpness: within(model.get("sharpness"), 0, 10),
    wants: oneOf(model.get("wants"), [LIKE, OPPOSITE]),
    positions: oneOf(model.get("positions"), [NONE, ADDED]),
    order: oneOf(model.get("order"), Object.keys(ORDERS)),
  };
}

// Elements
function build(root, model) {
  const pick = (name) => (value) => change(model, { [name]: value });
  const row = (legend, name, values) =>
    choices(
      legend,
      values.map((value) => [value, value]),
      pick(name),
    );
  const asks = choices(
    "Who asks",
    NAMES.map((name, t) => [t, name]),
    pick("asks"),
  );
  const order = row("Order", "order", Object.keys(ORDERS));
  const positions = row("Positions", "positions", [NONE, ADDED]);
  const wants = row("It asks for", "wants", [LIKE, OPPOSITE]);
  const sharpness = slider("Sharpness of the softmax", [0, 10], pick("sharpness"));
  const [found, place, todo] = [shownFinding(), spokenPlace(), checklist(tasks({ ...stateOf(model) }))];
  const keys = uniqueId("keys");
  const label = {
    "aria-label": "What tokens hold: move the one that asks with the arrow keys",
    "aria-describedby": keys,
  };
  const plane = h("div", { class: "picture plane", tabindex: 0, role: "application", ...label });
  const strip = h("div", { class: "picture strip" });
  const settings = h("div", { class: "pw-settings" }, sharpness.element);
  const hint = h("p", { class: "soft", id: keys }, "Drag the token that asks, or move it with the arrow keys.");
  arrange(root, {
    seen: [h("div", { class: "views" }, plane, strip), hint],
    said: [...found.elements, place.element],
    moved: [asks.element, order.element, positions.element, wants.element, settings],
    boxes: todo.elements,
  });
  return { asks, order, positions, wants, sharpness, found, place, todo, plane, strip };
}

// Drawing
const at = ([x, y]) => [SIDE / 2 + UNIT * x, SIDE / 2 - UNIT * y];

function drawPlane(layer) {
  const { held, attention, convolution } = layerOf(layer, ORDERS[layer.order]);
  const { asks } = layer;
  const [x0, y0] = at(held[asks]);
  const beams = held.map((one, t) => {
    const [x, y] = at(one);
    const width = 14 * attention.weights[asks][t];
    if (t === asks) return svg("circle", { class: "beam", cx: x, cy: y, r: 9 + width / 2, "stroke-width": width });
    return svg("path", { class: "beam", d: `M${x0} ${y0}L${x} ${y}`, "stroke-width": width });
  });
  const dots = held.flatMap((one, t) => {
    const [cx, cy] = at(one);
    const label = svg("text", { class: "small", x: cx, y: cy - 12 }, "abcdef"[t]);
    return [svg("circle", { class: `token ${KINDS[t]}`, cx, cy, r: 8 }), label];
  });
  const [[u, v], [p, q]] = [at(attention.answers[asks]), at(convolution.answers[asks])];
  const marks = [
    svg("circle", { class: "asks", cx: x0, cy: y0, r: 10 }),
    svg("path", { class: "attention", d: `M${u} ${v - 8}l8 8l-8 8l-8 -8z` }),
    svg("rect", { class: "convolution", x: p - 6, y: q - 6, width: 12, height: 12 }),
  ];
  const axes = [
    svg("path", { class: "axis", d: `M0 ${SIDE / 2}H${SIDE}M${SIDE / 2} 0V${SIDE}` }),
    svg("text", { class: "soft", x: 4, y: SIDE - 6 }, stands(layer)),
    svg("text", { class: "soft", x: SIDE - 50, y: SIDE / 2 + 14 }, "bright →"),
    svg("text", { class: "soft", x: SIDE / 2 + 5, y: 12 }, "rough ↑"),
  ];
  return svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" }, ...axes, ...beams, ...dots, ...marks);
}

const COLUMN = 64;
const BASE = 156;

// A place in the row: how much the one that asks reads of it, and the token that stands there
function drawPlace(layer, { place, token, weights, same }) {
  const left = place * COLUMN;
  const bar = (kind, x, weight) =>
    svg("rect", { class: kind, x, y: BASE - 108 * weight, width: 22, height: 108 * weight });
  const percent = svg("text", { class: "small", x: left + 19, y: BASE - 108 * weights[0] - 5 }, share(weights[0]));
  const under = (x, kept) => svg("text", { class: `small ${kept ? "kept" : "changed"}`, x, y: 224 }, kept ? "=" : "≠");
  const shuffled = layer.order !== "as they stand";
  return [
    bar("attention", left + 8, weights[0]),
    weights[0] >= 0.005 ? percent : null,
    bar("convolution", left + 34, weights[1]),
    svg("circle", { class: `token ${KINDS[token]}`, cx: left + 32, cy: 174, r: 9 }),
    token === layer.asks ? svg("circle", { class: "asks", cx: left + 32, cy: 174, r: 12 }) : null,
    svg("text", { class: "small", x: left + 32, y: 202 }, NAMES[token]),
    ...(shuffled ? [under(left + 19, same[0]), under(left + 45, same[1])] : []),
  ];
}

function drawStrip(layer) {
  const order = ORDERS[layer.order];
  const { attention, convolution } = layerOf(layer, order);
  const off = changes(layer);
  const columns = order.flatMap((token, place) =>
    drawPlace(layer, {
      place,
      token,
      weights: [attention.weights[layer.asks][token], convolution.weights[layer.asks][token]],
      same: [off.attention.each[token] < 1e-9, off.convolution.each[token] < 1e-9],
    }),
  );
  const legend = [
    svg("path", { class: "attention", d: "M2 8l6 -6l6 6l-6 6z" }),
    svg("text", { class: "soft", x: 20, y: 12 }, `${NAMES[layer.asks]} by attention`),
    svg("rect", { class: "convolution", x: 182, y: 2, width: 12, height: 12 }),
    svg("text", { class: "soft", x: 200, y: 12 }, "by a convolution, 3 wide"),
    svg("path", { class: "axis", d: `M0 ${BASE}H${6 * COLUMN}` }),
  ];
  if (layer.order !== "as they stand")
    legend.push(
      svg("text", { class: "soft", x: 0, y: 246 }, "Left: attention's answer, right: the convolution's."),
      svg("text", { class: "soft", x: 0, y: 264 }, "= as before the places were moved, ≠ another"),
    );
  const parts = [...legend, ...columns].filter((part) => part);
  return svg("svg", { viewBox: `0 0 ${6 * COLUMN} ${SIDE + 14}`, "aria-hidden": "true" }, ...parts);
}

function show(view, layer) {
  view.plane.replaceChildren(drawPlane(layer));
  view.strip.replaceChildren(drawStrip(layer));
  for (const name of ["asks", "order", "positions", "wants", "sharpness"]) view[name].set(layer[name]);
  view.found.say(finding(layer));
  view.todo.set(tasks(layer));
}

// Events
function render({ model, el }) {
  const label = "Self-attention by hand: six tokens, who reads whom, and what their order changes";
  const root = frame(el, "self-attention", label, CSS);
  const view = build(root, model);

  function put(token, [x, y], save) {
    const { tokens } = stateOf(model);
    tokens[token] = [x, y].map((value) => within(value + 5, 0, 10) - 5);
    change(model, { tokens: spelt(tokens) }, save);
    return tokens[token];
  }
  onArrows(view.plane, (down, along) => {
    const { tokens, asks } = stateOf(model);
    const [x, y] = put(asks, [tokens[asks][0] + along, tokens[asks][1] - down], true);
    view.place.say(`${NAMES[asks]}: brightness ${x}, roughness ${y}`);
  });
  const pointed = (event) => {
    const [down, along] = shareAt(view.plane, event);
    return [16 * along - 8, 8 - 16 * down];
  };
  const follow = (event) => {
    const { tokens, asks, ...layer } = stateOf(model);
    const { held } = layerOf({ ...layer, tokens, asks }, ORDERS[layer.order]);
    put(
      asks,
      pointed(event).map((value, axis) => value - held[asks][axis] + tokens[asks][axis]),
      false,
    );
  };
  onDrag(view.plane, {
    start(event) {
      const layer = stateOf(model);
      const [x, y] = pointed(event);
      const { held } = layerOf(layer, ORDERS[layer.order]);
      const apart = held.map((one) => Math.hypot(one[0] - x, one[1] - y));
      const near = apart.indexOf(Math.min(...apart));
      if (apart[near] < 1) change(model, { asks: near });
      else follow(event);
    },
    move: follow,
    end: () => model.save_changes(),
  });
  view.strip.addEventListener("pointerdown", (event) => {
    const [, along] = shareAt(view.strip, event);
    change(model, { asks: ORDERS[stateOf(model).order][within(Math.floor(along * 6), 0, 5)] });
  });
  return live({ model, el, root }, NAMES_OF_STATE, () => show(view, stateOf(model)));
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES_OF_STATE };
