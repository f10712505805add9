// Metric traps: paint over a prediction, and see the metrics of segmentation disagree about it.
import { fillSquare, outline, penOf } from "./shared/canvas.mjs";
import { ARROWS, button, checklist, group, onDrag, placeAt, spokenFinding, spokenPlace } from "./shared/controls.mjs";
import { arrange, barRow, fold, frame, h, table, uniqueId, write } from "./shared/dom.mjs";
import { VOID, mean, percent } from "./shared/numbers.mjs";
import { change, follow, oncePerFrame, oneOf, within } from "./shared/state.mjs";

const KEEP = 254; // in edits: as the starting point has it

/**
 * Labels from runs such as "a32b8z4": a letter for the label (z is void, . is KEEP) and how often it comes.
 * @param {string} text
 * @param {number} [most] labels
 * @returns {number[]} labels
 */
export function decode(text, most = 65536) {
  const labels = [];
  for (const [, sign, times] of text.matchAll(/([a-z.])(\d*)/g)) {
    const known = { z: VOID, ".": KEEP };
    const label = known[sign] ?? sign.charCodeAt(0) - 97;
    for (let i = Math.min(times === "" ? 1 : Number(times), most - labels.length); i > 0; i--) labels.push(label);
    if (labels.length === most) break; // an address may ask for any number
  }
  return labels;
}

/**
 * The runs of some labels, as `decode` reads them.
 * @param {number[]} labels
 * @returns {string} runs
 */
export function encode(labels) {
  const known = { [VOID]: "z", [KEEP]: "." };
  let text = "";
  for (let i = 0, run = 1; i < labels.length; i += run, run = 1) {
    while (labels[i + run] === labels[i]) run++;
    const sign = known[labels[i]] ?? String.fromCharCode(97 + labels[i]);
    text += run > 1 ? sign + run : sign;
  }
  return text;
}

/**
 * What was painted on a starting point.
 * @param {number[]} prediction
 * @param {number[]} start
 * @returns {string} runs; empty when nothing was
 */
export function editsOf(prediction, start) {
  const edits = prediction.map((label, i) => (label === start[i] ? KEEP : label));
  return edits.every((label) => label === KEEP) ? "" : encode(edits);
}

/**
 * The starting point with the edits painted on; whatever isn't one of the labels is left as it was.
 * @param {number[]} start
 * @param {string} edits
 * @param {number[]} labels
 * @returns {number[]} a prediction
 */
export function applyEdits(start, edits, labels) {
  const painted = decode(edits, start.length);
  return start.map((label, i) => (labels.includes(painted[i]) ? painted[i] : label));
}

/**
 * Which pixels have two different labels in the 3×3 window around them; void makes no change of label.
 * @param {number[]} mask
 * @param {number} width
 * @returns {boolean[]} one for each pixel
 */
export function boundaryBand(mask, width) {
  const height = mask.length / width;
  return mask.map((_, i) => {
    let low = Infinity;
    let high = -Infinity;
    const y = Math.floor(i / width);
    const x = i % width;
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        const label = mask[v * width + u];
        if (label !== VOID) {
          low = Math.min(low, label);
          high = Math.max(high, label);
        }
      }
    return high > low;
  });
}

const meanOfKnown = (scores) => mean(scores.filter((score) => !Number.isNaN(score)));

/**
 * All the numbers: shares 0 to 1, NaN where a class is absent; void in the target is never counted.
 * @typedef {object} Measures
 * @property {number} pixelAccuracy
 * @property {number} meanIou
 * @property {number} microIou
 * @property {number} dice
 * @property {number} boundaryIou
 * @property {number[]} classIou
 * @property {number[]} classShare
 */

/**
 * Measure a prediction.
 * @param {number[]} prediction
 * @param {number[]} target
 * @param {number} width
 * @param {number} [classes] how many
 * @returns {Measures} the numbers
 */
export function measure(prediction, target, width, classes = 11) {
  const zeros = () => Array.from({ length: classes }, () => 0);
  const [both, truth, called, edgeBoth, edgeTruth, edgeCalled] = [zeros(), zeros(), zeros(), zeros(), zeros(), zeros()];
  const [nearTarget, nearPrediction] = [boundaryBand(target, width), boundaryBand(prediction, width)];
  let counted = 0;
  target.forEach((t, i) => {
    if (t === VOID) return;
    const p = prediction[i];
    counted++;
    truth[t]++;
    called[p]++;
    if (nearTarget[i]) edgeTruth[t]++;
    if (nearPrediction[i]) edgeCalled[p]++;
    if (t !== p) return;
    both[t]++;
    if (nearTarget[i] && nearPrediction[i]) edgeBoth[t]++;
  });
  const right = both.reduce((sum, count) => sum + count, 0);
  const classIou = both.map((n, c) => n / (truth[c] + called[c] - n));
  return {
    pixelAccuracy: right / counted,
    meanIou: meanOfKnown(classIou),
    microIou: right / (2 * counted - right),
    dice: meanOfKnown(both.map((n, c) => (2 * n) / (truth[c] + called[c]))),
    boundaryIou: meanOfKnown(edgeBoth.map((n, c) => n / (edgeTruth[c] + edgeCalled[c] - n))),
    classIou,
    classShare: truth.map((n) => n / counted),
  };
}

/**
 * One task for each metric, and whether the numbers meet it.
 * @param {Measures} n
 * @returns {[string, boolean][]} tasks
 */
export function challenges(n) {
  const contours = n.meanIou >= 0.8 && n.meanIou - n.boundaryIou >= 0.25;
  return [
    ["Pixel accuracy of 95 % or more, with mIoU under 50 %", n.pixelAccuracy >= 0.95 && n.meanIou < 0.5],
    ["mIoU of 75 % or more, with micro IoU under 65 %", n.meanIou >= 0.75 && n.microIou < 0.65],
    ["Micro IoU 15 points or more under pixel accuracy", n.pixelAccuracy - n.microIou >= 0.15],
    ["Dice 14 points or more above mIoU", n.dice - n.meanIou >= 0.14],
    ["Boundary IoU 25 points or more under mIoU, with mIoU of 80 % or more", contours],
  ];
}

/**
 * The most telling thing about the numbers, in words.
 * @param {Measures} n
 * @param {Record<number, string>} names of the classes
 * @returns {string} sentences
 */
export function finding(n, names) {
  const lost = Object.keys(names).filter((label) => n.classShare[label] > 0 && n.classIou[label] === 0);
  const [accuracy, miou, micro] = [percent(n.pixelAccuracy), percent(n.meanIou), percent(n.microIou)];
  const edge = `Boundary IoU (${percent(n.boundaryIou)})`;
  if (n.pixelAccuracy === 1)
    return n.boundaryIou === 1
      ? "Every metric says 100 %: the prediction equals the labels wherever they count."
      : `Only what lies under void is wrong. ${edge} still sees the contour it makes.`;
  if (!lost.length && n.meanIou - n.boundaryIou > 0.15)
    return `${edge} is far below mIoU (${miou}): the mistakes sit on the contours.`;
  if (n.meanIou - n.microIou > 0.08) {
    const votes = "the mistakes are in large classes, and in mIoU a pole has as many votes as a road";
    return `mIoU (${miou}) is kinder than micro IoU (${micro}): ${votes}.`;
  }
  if (lost.length) {
    const list = lost.map((label) => names[label]).join(", ");
    return n.pixelAccuracy >= 0.9
      ? `Pixel accuracy of ${accuracy} hides a loss: ${list} at IoU 0. mIoU says so with ${miou}.`
      : `Lost altogether: ${list} (IoU 0). mIoU is down to ${miou}, pixel accuracy to ${accuracy}.`;
  }
  if (n.dice - n.meanIou > 0.08) {
    const fact = "for each class it is the same fact: 2 IoU / (1 + IoU)";
    return `Dice (${percent(n.dice)}) sounds better than mIoU (${miou}), and ${fact}.`;
  }
  if (n.pixelAccuracy - n.meanIou > 0.05)
    return `Pixel accuracy (${accuracy}) is above mIoU (${miou}): small classes suffer most.`;
  const agree = `pixel accuracy ${accuracy}, mIoU ${miou}`;
  return `The metrics nearly agree: ${agree}. Micro IoU (${micro}) is pixel accuracy a once more, as a / (2 − a).`;
}

const NAMES = ["start", "brush", "size", "edits"];
const METRICS = [
  ["pixelAccuracy", "pixel accuracy"],
  ["meanIou", "mIoU (macro)"],
  ["microIou", "micro IoU"],
  ["dice", "Dice (macro)"],
  ["boundaryIou", "boundary IoU, 1 px"],
];
const SIZES = [1, 3, 5]; // of the brush, in pixels of the scene
const CELL = 16; // canvas pixels for one pixel of the scene
const CSS = `
.pw-metric-traps .views{gap:.5rem 1.2rem}
.pw-metric-traps canvas{image-rendering:pixelated;border-radius:0}
.pw-metric-traps canvas.paint{touch-action:none;cursor:crosshair}
.pw-metric-traps .beside{display:grid;grid-template-columns:minmax(0,1fr) 6rem;gap:.5rem .8rem;align-content:space-between}
.pw-metric-traps .beside table{margin:0;white-space:nowrap}
.pw-metric-traps label{position:relative;display:flex;align-items:center;gap:.3rem;min-height:1.7rem;cursor:pointer}
.pw-metric-traps .palette{gap:.2rem;margin-top:.3rem;font-size:.85rem}
.pw-metric-traps .palette label{padding:0 .35rem;border:2px solid transparent;border-radius:.3rem}
.pw-metric-traps .palette label:has(:checked){border-color:var(--ink);font-weight:600}
.pw-metric-traps .palette label:has(:focus-visible){outline:3px solid var(--fill);outline-offset:1px}
.pw-metric-traps .palette input{position:absolute;inset:0;width:100%;height:100%;opacity:0;cursor:pointer}
.pw-metric-traps .swatch{width:1.1rem;height:1.1rem;margin:0;flex:none}
.pw-metric-traps td:nth-child(2){width:40%}
@container (max-width:34rem){.pw-metric-traps .scores{font-size:.9rem}.pw-metric-traps .scores td:nth-child(2){display:none}}
@container (min-width:34rem){
.pw-metric-traps .views{grid-template-columns:1.25fr 1fr}
.pw-metric-traps .beside{grid-template-columns:1fr}
.pw-metric-traps .truth{width:11.5rem}}
`;

// State: first the scene and its starting points, which never change
function sceneOf(model) {
  const width = model.get("width");
  const target = decode(model.get("target"));
  const classes = model.get("classes"); // [label, name, colour] each
  const starts = new Map(Object.entries(model.get("starts")).map(([name, runs]) => [name, decode(runs)]));
  const names = Object.fromEntries(classes.map(([label, name]) => [label, name]));
  const colours = Object.fromEntries(classes.map(([label, , colour]) => [label, colour]));
  const labels = classes.map(([label]) => label);
  const nameOf = (label) => names[label] ?? "void, not counted";
  return { width, height: target.length / width, target, classes, starts, labels, names, colours, nameOf };
}

/*
 * The prediction under the brush, and what was painted before: `load` takes what the model says, `paint` draws a line
 * from one point to another and keeps it, `save` sends it to Python as well.
 */
function easelOf(model, { width, height, target, starts, labels }) {
  const easel = { prediction: [], undo: [] };
  const startNow = () => oneOf(model.get("start"), [...starts.keys()]);
  const brushNow = () => (labels.includes(model.get("brush")) ? model.get("brush") : KEEP);
  const sizeNow = () => oneOf(model.get("size"), SIZES);

  function load() {
    const given = applyEdits(starts.get(startNow()), model.get("edits"), labels);
    if (encode(given) !== encode(easel.prediction)) easel.prediction = given;
  }
  function remember() {
    easel.undo = [...easel.undo.slice(-99), { start: startNow(), edits: model.get("edits") }];
  }
  function takeBack() {
    if (easel.undo.length) change(model, easel.undo.pop());
  }
  function dab(row, column) {
    const reach = (sizeNow() - 1) / 2;
    const brush = brushNow();
    for (let v = Math.max(0, row - reach); v <= Math.min(height - 1, row + reach); v++)
      for (let u = Math.max(0, column - reach); u <= Math.min(width - 1, column + reach); u++) {
        const i = v * width + u;
        const label = brush === KEEP ? target[i] : brush;
        if (labels.includes(label)) easel.prediction[i] = label;
      }
  }
  function paint(from, to, save) {
    const [down, across] = [to[0] - from[0], to[1] - from[1]];
    const steps = Math.max(Math.abs(down), Math.abs(across), 1);
    for (let i = 0; i <= steps; i++)
      dab(Math.round(from[0] + (down * i) / steps), Math.round(from[1] + (across * i) / steps));
    change(model, { edits: editsOf(easel.prediction, starts.get(startNow())) }, save);
  }
  return Object.assign(easel, { startNow, brushNow, sizeNow, load, remember, takeBack, paint });
}

// Elements
function canvasesOf({ width, height, names }, keysId) {
  const canvas = (properties) => h("canvas", { width: width * CELL, height: height * CELL, ...properties });
  const street = `a street of ${height} by ${width} pixels with ${Object.values(names).join(", ")}`;
  const truth = canvas({ role: "img", "aria-label": `The labels: ${street}` });
  const label = { "aria-label": "Prediction to paint over", "aria-describedby": keysId };
  return { truth, view: canvas({ class: "paint", tabindex: 0, role: "application", ...label }) };
}

// What to paint with: a class, or what the labels say
function brushesOf(model, classes, keysId) {
  const brushes = `pw-brush-${keysId}`;
  return [...classes, [KEEP, "as in the labels", "transparent"]].map(([label, name, colour]) => {
    const onchange = () => change(model, { brush: label });
    const input = h("input", { type: "radio", name: brushes, value: label, onchange });
    const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = colour;
    return { label, input, element: h("label", {}, input, swatch, name) };
  });
}

// The buttons and boxes around the pictures
function controlsOf(model, { starts }, easel, redraw) {
  const restart = (name) => {
    easel.remember();
    change(model, { start: name, edits: "" });
  };
  const sizes = SIZES.map((pixels) => h("option", { value: pixels }, `${pixels} × ${pixels} px`));
  const size = h("select", { onchange: () => change(model, { size: Number(size.value) }) }, ...sizes);
  return {
    starts: [...starts.keys()].map((name) => button(name, () => restart(name))),
    undo: button("Undo", easel.takeBack),
    size,
    marks: h("input", { type: "checkbox", checked: true, onchange: redraw }),
  };
}

function build(root, model, scene, easel, redraw) {
  const { width, target, classes } = scene;
  const keysId = uniqueId("keys");
  const canvases = canvasesOf(scene, keysId);
  const controls = controlsOf(model, scene, easel, redraw);
  const brushes = brushesOf(model, classes, keysId);
  const scores = METRICS.map(([key, name]) => ({ key, ...barRow(name) }));
  const ious = classes.map(([label, name]) => ({ label, ...barRow(name) }));
  const todo = checklist(challenges(measure(target, target, width)));
  const [found, place] = [spokenFinding(), spokenPlace()];
  const { starts, undo, size, marks } = controls;
  const keys = "arrows move, space paints, shift with an arrow paints along";
  const digits = `1 to ${classes.length} choose a class and 0 the true one, Z takes back`;
  const rows = (all) => h("tbody", {}, ...all.map((one) => one.row));
  const figure = (title, picture) => h("figure", {}, h("figcaption", {}, title), picture);
  const palette = { class: "pw-row palette", role: "group", "aria-label": "Paint with" };
  const painting = figure("Paint over this prediction", canvases.view);
  painting.append(h("div", palette, ...brushes.map((one) => one.element)));
  const truth = figure("The labels; void, striped, is not counted", h("div", { class: "truth" }, canvases.truth));
  const beside = h(
    "div",
    { class: "beside" },
    table("Five scores for it", [], rows(scores), { class: "scores" }),
    truth,
  );
  arrange(root, {
    seen: [h("div", { class: "views" }, painting, beside)],
    said: [found.element, place.element],
    moved: [
      group("Start from", ...starts),
      h("div", { class: "pw-row" }, h("label", {}, "Brush", size), undo, h("label", {}, marks, "dot on each mistake")),
    ],
    boxes: [
      ...todo.elements,
      fold("IoU of each class", table("IoU of each class", [], rows(ious))),
      fold("Keys", h("p", { id: keysId }, `On the prediction: ${keys}, ${digits}.`)),
    ],
  });
  return { ...canvases, ...controls, brushes, scores, ious, todo, found, place };
}

// Drawing
function fillMask(canvas, mask, { width, target, colours }) {
  const pen = penOf(canvas);
  const nothing = "#0b0816";
  mask.forEach((label, i) => {
    const [x, y] = [(i % width) * CELL, Math.floor(i / width) * CELL];
    pen.fillStyle = colours[label] ?? nothing;
    fillSquare(pen, [x, y], CELL);
    if (target[i] !== VOID) return;
    pen.fillStyle = nothing;
    for (let s = 0; s < CELL; s += 4) pen.fillRect(x, y + s, CELL, 2);
  });
  return pen;
}

function markMistakes(pen, prediction, { width, target }) {
  prediction.forEach((label, i) => {
    if (target[i] === VOID || label === target[i]) return;
    for (const [colour, side] of Object.entries({ "#000": 8, "#fff": 4 })) {
      const corner = [i % width, Math.floor(i / width)].map((place) => (place + 0.5) * CELL - side / 2);
      pen.fillStyle = colour;
      fillSquare(pen, corner, side);
    }
  });
}

function draw(view, scene, { prediction, sizeNow }, cursor) {
  const pen = fillMask(view.view, prediction, scene);
  if (view.marks.checked) markMistakes(pen, prediction, scene);
  if (view.view.getRootNode().activeElement !== view.view) return;
  const size = sizeNow();
  const corner = cursor.at.toReversed().map((place) => (place - (size - 1) / 2) * CELL);
  outline(pen, corner, size * CELL, { "#000": 6, "#fff": 2 });
}

function show(view, { target, width, names }, easel, edits) {
  const numbers = measure(easel.prediction, target, width);
  const set = ({ bar, number }, value) => {
    bar.style.width = `${100 * (value || 0)}%`;
    write(number, percent(value));
  };
  for (const one of view.scores) set(one, numbers[one.key]);
  for (const one of view.ious) set(one, numbers.classIou[one.label]);
  for (const one of view.brushes) one.input.checked = one.label === easel.brushNow();
  view.todo.set(challenges(numbers));
  for (const one of view.starts) {
    const pressed = one.textContent === easel.startNow() && edits === "";
    one.setAttribute("aria-pressed", String(pressed));
  }
  view.size.value = String(easel.sizeNow());
  view.undo.disabled = easel.undo.length === 0;
  view.found.say(finding(numbers, names));
}

// Events

/*
 * The cursor, by pointer and keys. What a key does: an arrow moves, with shift it paints along; space paints; a digit
 * chooses the brush; Z takes back.
 */
function listen(view, model, { width, height, target, classes, nameOf }, easel, redraw) {
  const { remember, takeBack, paint } = easel;
  const cursor = { at: [Math.floor(height / 2), Math.floor(width / 2)] };
  function move([rows, columns], painting) {
    const from = cursor.at;
    cursor.at = [within(from[0] + rows, 0, height - 1), within(from[1] + columns, 0, width - 1)];
    if (!painting) return;
    remember();
    paint(from, cursor.at, true);
  }
  function choose(digit) {
    const [brush, name] = digit ? classes[digit - 1] : [KEEP, "as in the labels"];
    change(model, { brush });
    view.place.say(`brush: ${name}`);
  }
  function press({ key, shiftKey }) {
    if (Object.hasOwn(ARROWS, key)) move(ARROWS[key], shiftKey);
    else if (key === " " || key === "Enter") move([0, 0], true);
    else if (key.toLowerCase() === "z") takeBack();
    else return false;
    const [row, column] = cursor.at;
    const i = row * width + column;
    const words = `predicted ${nameOf(easel.prediction[i])}, label ${nameOf(target[i])}`;
    view.place.say(`row ${row + 1}, column ${column + 1}: ${words}`);
    redraw();
    return true;
  }
  view.view.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key !== "z") return;
    const digit = /^\d$/.test(event.key) && Number(event.key) <= classes.length;
    if (digit) choose(Number(event.key));
    if (digit || press(event)) event.preventDefault();
  });
  view.view.addEventListener("focus", redraw);
  view.view.addEventListener("blur", redraw);
  const follows = (event) => {
    const from = cursor.at;
    cursor.at = placeAt(view.view, event, [height, width]);
    paint(from, cursor.at, false);
  };
  onDrag(view.view, {
    start(event) {
      if (event.button !== 0) return false;
      view.view.setPointerCapture(event.pointerId);
      remember();
      cursor.at = placeAt(view.view, event, [height, width]);
      follows(event);
    },
    move: follows,
    end: () => model.save_changes(),
  });
  return cursor;
}

function render({ model, el }) {
  const root = frame(el, "metric-traps", "Metric traps: paint a prediction and compare the metrics", CSS);
  const scene = sceneOf(model);
  const easel = easelOf(model, scene);
  const redraw = oncePerFrame(() => {
    draw(view, scene, easel, cursor);
    show(view, scene, easel, model.get("edits"));
  });
  const view = build(root, model, scene, easel, redraw);
  const cursor = listen(view, model, scene, easel, redraw);
  const load = () => {
    easel.load();
    redraw();
  };
  fillMask(view.truth, scene.target, scene);
  load();
  const ends = [follow(model, ["start", "edits"], load), follow(model, ["brush", "size"], redraw)];
  return () => {
    for (const end of ends) end();
    root.remove();
  };
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
