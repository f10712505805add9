// Hypercolumn probe: choose a place, see the features stacked over it, and which other places have similar ones.
import { fillSquare, outline, penOf } from "./shared/canvas.mjs";
import { onArrows, onDrag, placeAt, slider, spokenFinding, spokenPlace } from "./shared/controls.mjs";
import { arrange, frame, h, svg, write } from "./shared/dom.mjs";
import { VOID, bytes, percent } from "./shared/numbers.mjs";
import { change, live, within } from "./shared/state.mjs";

/**
 * Squared distances of all places to one, over the channels of the layers that are on.
 * @param {ArrayLike<number>} features (channels, places) in whole steps, so that distances are whole numbers too
 * @param {[string, number][]} layers name and channels
 * @param {number} places how many there are
 * @param {number} place
 * @param {boolean[]} on
 * @returns {number[]} one for each place
 */
export function distances(features, layers, places, place, on) {
  const far = new Float64Array(places);
  let channel = 0;
  layers.forEach(([, channels], layer) => {
    for (let c = channel; c < channel + channels; c++)
      if (on[layer])
        for (let i = 0; i < places; i++) far[i] += (features[c * places + i] - features[c * places + place]) ** 2;
    channel += channels;
  });
  return Array.from(far);
}

/**
 * The k nearest places that have a label, without the place itself; of equally near ones the first.
 * @param {number[]} far
 * @param {ArrayLike<number>} labels
 * @param {number} place
 * @param {number} k
 * @returns {number[]} places, nearest first
 */
export function nearest(far, labels, place, k) {
  return far
    .map((distance, i) => [distance, i])
    .filter(([, i]) => i !== place && labels[i] !== VOID)
    .toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
    .slice(0, k)
    .map(([, i]) => i);
}

/**
 * How many neighbours have the place's class, how many would by chance, and how far away they lie, in places.
 * @param {number[]} near
 * @param {Uint8Array | number[]} labels
 * @param {number} place
 * @param {number} width
 * @returns {{ share: number, chance: number, away: number }} shares are NaN where the place has no label
 */
export function measure(near, labels, place, width) {
  const same = (all) => all.filter((i) => labels[i] === labels[place]).length / all.length;
  const others = Array.from(labels.keys()).filter((i) => i !== place && labels[i] !== VOID);
  const away = (i) => Math.hypot((i % width) - (place % width), Math.floor(i / width) - Math.floor(place / width));
  return {
    share: labels[place] === VOID ? NaN : same(near),
    chance: labels[place] === VOID ? NaN : same(others),
    away: near.reduce((sum, i) => sum + away(i), 0) / near.length,
  };
}

/**
 * What the neighbours are, in words.
 * @param {{ share: number, chance: number }} found
 * @param {string} label
 * @param {number} k
 * @param {boolean[]} on
 * @param {[string, number][]} layers name and channels
 * @param {number[]} alone the share for each layer by itself
 * @returns {string} sentences
 */
export function finding(found, label, k, on, layers, alone) {
  if (Number.isNaN(found.share))
    return "Nobody labelled this place (void), so there is nothing to compare its neighbours with.";
  const names = layers.filter((_, i) => on[i]).map(([name]) => name);
  const which = names.length === layers.length ? "all layers" : names.join(" + ");
  const chance = `by chance ${percent(found.chance)} would be`;
  const near = `Of the ${k} nearest by ${which}, ${percent(found.share)} are ${label} too`;
  const start = `This place is ${label}. ${near}; ${chance}.`;
  if (names.length < 2) return start;
  const [most, least] = [Math.max(...alone), Math.min(...alone)];
  if (most === least) return `${start} Every layer alone finds as many.`;
  const who = (share) => layers.filter((_, i) => alone[i] === share).map(([name]) => name);
  const [best, worst] = [who(most), who(least)].map((all) => all.join(" / "));
  return `${start} Alone, ${best}: ${percent(most)}; ${worst}: ${percent(least)}.`;
}

const NAMES = ["row", "column", "on", "k"];
const SIDE = 512; // canvas pixels of a picture's width
const CSS = `
.pw-hypercolumn-probe .views{gap:.6rem}
.pw-hypercolumn-probe .column{flex:0 0 100%}
.pw-hypercolumn-probe .layer{display:grid;grid-template-columns:6.5rem 1fr 4.2rem;gap:.6rem;align-items:center}
.pw-hypercolumn-probe .layer label{display:flex;gap:.4rem;align-items:center;min-height:1.65rem;cursor:pointer}
.pw-hypercolumn-probe .layer b{text-align:right;font-weight:400;white-space:nowrap;font-variant-numeric:tabular-nums}
.pw-hypercolumn-probe .layer svg{height:1.65rem}
.pw-hypercolumn-probe .layer svg rect{fill:var(--fill)}
.pw-hypercolumn-probe .layer svg rect.minus{fill:var(--mark)}
.pw-hypercolumn-probe .layer svg line{stroke:var(--line)}
.pw-hypercolumn-probe .off svg{opacity:.3}
@container (min-width:34rem){.pw-hypercolumn-probe .views{grid-template-columns:repeat(2,minmax(0,19rem))}
.pw-hypercolumn-probe .layer{grid-template-columns:11rem 1fr 4.2rem}}
`;

// State: first what was recorded, which never changes
function recorded(model) {
  const [height, width] = model.get("grid");
  const features = new Int8Array(bytes(model.get("features")).buffer);
  const labels = bytes(model.get("labels"));
  const names = Object.fromEntries(model.get("classes").map(([label, name]) => [label, name]));
  const cell = SIDE / width;
  const corner = (place) => [(place % width) * cell, Math.floor(place / width) * cell];
  const sizes = features.map(Math.abs).toSorted();
  return {
    size: [height, width],
    places: height * width,
    layers: model.get("layers"),
    features,
    labels,
    nameOf: (place) => names[labels[place]] ?? "void, not labelled",
    high: sizes[Math.floor(0.99 * sizes.length)] || 1, // the height of a bar's half
    cell,
    corner,
  };
}

function stateOf(model, { size, layers }) {
  const [height, width] = size;
  const [row, column] = [within(model.get("row"), 0, height - 1), within(model.get("column"), 0, width - 1)];
  const given = String(model.get("on")).split(" ");
  const on = layers.map((_, i) => given.includes(String(i)));
  const none = !on.includes(true); // they would make all places equal
  return {
    row,
    column,
    place: row * width + column,
    on: none ? on.map(() => true) : on,
    k: within(model.get("k"), 1, 100),
  };
}

// Elements
function layerOf([name, channels], toggle) {
  const box = h("input", { type: "checkbox", onchange: toggle });
  const bars = Array.from({ length: channels }, () => svg("rect", { width: 7 }));
  const viewBox = `0 0 ${10 * channels} 40`;
  const chart = svg("svg", { viewBox, preserveAspectRatio: "none", "aria-hidden": "true" });
  chart.append(svg("line", { x2: 10 * channels, y1: 20, y2: 20 }), ...bars);
  const alone = h("b");
  return { box, bars, alone, element: h("div", { class: "layer" }, h("label", {}, box, name), chart, alone) };
}

function build(root, model, data) {
  const { size, layers, cell } = data;
  const found = spokenFinding();
  const place = spokenPlace();
  const canvas = (properties) => h("canvas", { width: SIDE, height: size[0] * cell, ...properties });
  const label = "Scene: arrow keys choose a place";
  const scene = canvas({ class: "choose", tabindex: 0, role: "application", "aria-label": label });
  const map = canvas({ role: "img", "aria-label": "How similar each place is to the chosen one" });
  const title = h("figcaption");
  const count = slider("neighbours", [1, 100], (value) => change(model, { k: value }));
  const toggle = (i) => {
    const { on } = stateOf(model, data);
    change(model, { on: [...on.keys()].filter((k) => on[k] !== (k === i)).join(" ") });
  };
  const rows = layers.map((layer, i) => layerOf(layer, () => toggle(i)));
  const framed = "Framed are the nearest: white of the same class, orange of another.";
  const legend = "The hypercolumn, fine to coarse, and the share that each layer alone finds";
  const similar = h("figure", {}, h("figcaption", {}, "similarity to it: the brighter, the nearer"), map);
  arrange(root, {
    seen: [
      h("p", { class: "soft" }, h("b", {}, "Click any place."), ` ${framed}`),
      h("div", { class: "views" }, h("figure", {}, title, scene), similar),
    ],
    said: [found.element, place.element],
    moved: [
      h("fieldset", { class: "column" }, h("legend", {}, legend), ...rows.map((row) => row.element)),
      h("div", { class: "pw-settings" }, count.element),
    ],
  });
  return { found, place, scene, map, title, count, rows };
}

// Drawing: the place and its neighbours stand out from the darkened scene
function drawScene(pen, { places, labels, corner, cell }, { place }, near, jpeg) {
  const framed = (i, colour) => outline(pen, corner(i), cell, { "#000": 5, [colour]: 2 });
  const { width, height } = pen.canvas;
  pen.fillStyle = "#808080";
  pen.fillRect(0, 0, width, height);
  if (jpeg.complete && jpeg.naturalWidth) pen.drawImage(jpeg, 0, 0, width, height);
  pen.fillStyle = "rgba(0,0,0,.45)";
  const bright = new Set([place, ...near]);
  for (let i = 0; i < places; i++) if (!bright.has(i)) fillSquare(pen, corner(i), cell);
  for (const i of near) framed(i, labels[i] === labels[place] ? "#fff" : "#ff7a1a");
  framed(place, "#ffe600");
}

function drawMap(pen, { places, corner, cell }, place, far) {
  const scale = far.toSorted((a, b) => a - b)[Math.floor(places / 2)] || 1; // half the places are nearer
  far.forEach((distance, i) => {
    const light = Math.exp(-distance / scale);
    pen.fillStyle = `rgb(${20 + 235 * light},${24 + 206 * light},${60 + 60 * light})`;
    fillSquare(pen, corner(i), cell + 1);
  });
  outline(pen, corner(place), cell, { "#000": 5, "#ffe600": 2 });
}

function drawColumn(rows, { features, places, high }, { place, on }, alone) {
  let channel = 0;
  rows.forEach((row, i) => {
    row.box.checked = on[i];
    row.box.disabled = on[i] && on.filter(Boolean).length === 1;
    row.element.classList.toggle("off", !on[i]);
    row.bars.forEach((bar, c) => {
      const value = Math.max(-1, Math.min(1, features[(channel + c) * places + place] / high));
      bar.setAttribute("x", 10 * c + 1.5);
      bar.setAttribute("y", value < 0 ? 20 : 20 - 20 * value);
      bar.setAttribute("height", Math.max(20 * Math.abs(value), 0.4));
      bar.setAttribute("class", value < 0 ? "minus" : "");
    });
    channel += row.bars.length;
    write(row.alone, percent(alone[i]));
  });
}

function draw(view, data, state, jpeg) {
  const { features, layers, places, labels, size, nameOf } = data;
  const { row, column, place, on, k } = state;
  const farBy = (which) => distances(features, layers, places, place, which);
  const scored = (far) => measure(nearest(far, labels, place, k), labels, place, size[1]);
  const far = farBy(on);
  const near = nearest(far, labels, place, k);
  const alone = layers.map((_, i) => scored(farBy(layers.map((__, j) => j === i))).share);
  drawScene(penOf(view.scene), data, state, near, jpeg);
  drawMap(penOf(view.map), data, place, far);
  drawColumn(view.rows, data, state, alone);
  view.count.set(k);
  write(view.title, `row ${row + 1}, column ${column + 1}: ${nameOf(place)}`);
  view.found.say(finding(scored(far), nameOf(place), near.length, on, layers, alone));
}

function render({ model, el }) {
  const label = "Hypercolumn probe: choose a place and see which others have similar features";
  const root = frame(el, "hypercolumn-probe", label, CSS);
  const data = recorded(model);
  const [height, width] = data.size;
  const view = build(root, model, data);
  const jpeg = new Image();
  const redraw = () => draw(view, data, stateOf(model, data), jpeg);
  jpeg.addEventListener("load", redraw);
  jpeg.src = `data:image/jpeg;base64,${model.get("image")}`;

  // Events
  onArrows(view.scene, (rows, columns) => {
    const { row, column } = stateOf(model, data);
    change(model, { row: within(row + rows, 0, height - 1), column: within(column + columns, 0, width - 1) });
    const now = stateOf(model, data);
    view.place.say(`row ${now.row + 1}, column ${now.column + 1}: ${data.nameOf(now.place)}`);
  });
  const pick = (event) => {
    const [row, column] = placeAt(view.scene, event, data.size);
    change(model, { row, column });
  };
  const start = (event) => {
    pick(event);
    return event.pointerType === "mouse" && event.button === 0; // a finger that moves scrolls the page
  };
  onDrag(view.scene, { start, move: pick }, ["pointerup", "pointerleave", "pointercancel"]);
  return live({ model, el, root }, NAMES, redraw);
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
