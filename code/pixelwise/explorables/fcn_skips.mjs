// FCN skips: switch the levels of one trained FCN-8s on and off, and see what each adds to the picture.
import { outline, penOf } from "./shared/canvas.mjs";
import { button, group, onArrows, placeAt, spokenFinding, spokenPlace } from "./shared/controls.mjs";
import { arrange, fold, frame, h, table, write } from "./shared/dom.mjs";
import { VOID, bytes, mean, percent } from "./shared/numbers.mjs";
import { change, live, within } from "./shared/state.mjs";

/**
 * Scores (levels, classes, height, width) from 16-bit integers times a step.
 * @param {string} text base64
 * @param {number} step
 * @param {number} levels
 * @returns {Float64Array[]} one for each level
 */
export function scoresOf(text, step, levels) {
  const values = new Int16Array(bytes(text).buffer);
  const size = values.length / levels;
  return Array.from({ length: levels }, (_, level) =>
    Float64Array.from(values.subarray(level * size, (level + 1) * size), (value) => value * step),
  );
}

/**
 * The sum of the levels that are on.
 * @param {Float64Array[]} levels
 * @param {boolean[]} on
 * @returns {Float64Array} of the size of one level
 */
export function sum(levels, on) {
  const total = new Float64Array(levels[0].length);
  levels.forEach((level, i) => {
    if (on[i]) for (let k = 0; k < total.length; k++) total[k] += level[k];
  });
  return total;
}

/**
 * Where the pixels of a grid `stride` times as fine lie, bilinear, corners not aligned.
 * @param {number} coarse length of the coarse grid
 * @param {number} stride
 * @returns {[number, number, number][]} index, next index, weight of the next
 */
export function places(coarse, stride) {
  return Array.from({ length: coarse * stride }, (_, i) => {
    const place = Math.max((i + 0.5) / stride - 0.5, 0);
    const low = Math.floor(place);
    return [low, Math.min(low + 1, coarse - 1), place - low];
  });
}

/**
 * The class with the highest score at each pixel after bilinear interpolation.
 * @param {Float64Array} scores (classes, height, width)
 * @param {number} classes
 * @param {number} height
 * @param {number} width
 * @param {number} stride
 * @returns {Uint8Array} labels (height * stride, width * stride)
 */
export function predict(scores, classes, height, width, stride) {
  const [rows, columns] = [places(height, stride), places(width, stride)];
  const best = new Float64Array(rows.length * columns.length).fill(-Infinity);
  const label = new Uint8Array(best.length);
  const line = new Float64Array(width);
  for (let c = 0; c < classes; c++)
    rows.forEach(([top, below, v], y) => {
      for (let x = 0; x < width; x++) {
        const upper = scores[(c * height + top) * width + x];
        line[x] = upper + v * (scores[(c * height + below) * width + x] - upper);
      }
      columns.forEach(([left, right, u], x) => {
        const score = line[left] + u * (line[right] - line[left]);
        const i = y * columns.length + x;
        if (score > best[i]) {
          best[i] = score;
          label[i] = c;
        }
      });
    });
  return label;
}

/**
 * Which pixels have two different labels within `reach` pixels (a square window); void makes no change of label.
 * @param {ArrayLike<number>} mask
 * @param {number} width
 * @param {number} reach
 * @returns {boolean[]} one for each pixel
 */
export function band(mask, width, reach) {
  const height = mask.length / width;
  const window = (values, count, stride, pick) => {
    const out = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const at = Math.floor(i / stride) % count;
      let found = values[i];
      for (let d = -Math.min(reach, at); d <= Math.min(reach, count - 1 - at); d++)
        found = pick(found, values[i + d * stride]);
      out[i] = found;
    }
    return out;
  };
  const extreme = (pick, none) => {
    const values = Float64Array.from(mask, (label) => (label === VOID ? none : label));
    return window(window(values, width, 1, pick), height, width, pick);
  };
  const [low, high] = [extreme(Math.min, Infinity), extreme(Math.max, -Infinity)];
  return Array.from(mask, (_, i) => high[i] > low[i]);
}

/**
 * Shares of right pixels, and the mean IoU over classes that occur.
 * @param {ArrayLike<number>} prediction
 * @param {Uint8Array | number[]} target
 * @param {boolean[]} near which pixels are in the band
 * @param {number} classes
 * @returns {{ accuracy: number, meanIou: number, edge: number, interior: number }} of all pixels, in the band, outside
 */
export function measure(prediction, target, near, classes) {
  const count = () => Array.from({ length: classes }, () => 0);
  const [both, truth, called] = [count(), count(), count()];
  const [right, all] = [
    [0, 0],
    [0, 0],
  ];
  target.forEach((label, i) => {
    if (label === VOID) return;
    const place = near[i] ? 0 : 1;
    all[place]++;
    truth[label]++;
    called[prediction[i]]++;
    if (prediction[i] !== label) return;
    right[place]++;
    both[label]++;
  });
  const ious = both.map((hits, c) => hits / (truth[c] + called[c] - hits));
  return {
    accuracy: (right[0] + right[1]) / (all[0] + all[1]),
    meanIou: mean(ious.filter((iou) => !Number.isNaN(iou))),
    edge: right[0] / all[0],
    interior: right[1] / all[1],
  };
}

/**
 * What the switches do, in words, against the coarsest level alone.
 * @param {boolean[]} on coarse to fine
 * @param {number[]} strides
 * @param {{ edge: number, interior: number }} now
 * @param {{ edge: number, interior: number }} alone
 * @returns {string} sentences
 */
export function finding(on, strides, now, alone) {
  const named = strides.filter((_, i) => on[i]).map((stride) => `stride ${stride}`);
  if (!named.length) return "Nothing is switched on: all scores are zero, and no class wins.";
  const near = `${percent(now.edge)} of the pixels near a boundary`;
  const scores = `${near} and ${percent(now.interior)} of the others are right`;
  if (named.length === 1 && on[0]) {
    const start = `The coarsest scores alone, one for ${strides[0]} × ${strides[0]} pixels`;
    return `${start}: ${scores}. Only the sum was trained; they never had to stand alone.`;
  }
  const points = (value) => {
    const size = Math.abs(100 * value).toFixed(1);
    return `${size} point${size === "1.0" ? "" : "s"} ${value < 0 ? "lower" : "higher"}`;
  };
  const [edge, interior] = [points(now.edge - alone.edge), points(now.interior - alone.interior)];
  const against = `against the coarsest alone ${edge} at boundaries and ${interior} elsewhere`;
  if (on[0]) return `${named.join(" + ")}: ${scores}; ${against}.`;
  const missing = "Only the sum was trained, and its coarsest part is now missing.";
  return `Without the coarsest level (${named.join(" + ")}): ${scores}, ${against}. ${missing}`;
}

const NAMES = ["on", "row", "column"];
const SCALE = 4; // canvas pixels for one pixel of the scene
const COLOURS = { void: [11, 8, 22], none: [128, 128, 128], right: [214, 224, 230], wrong: [196, 48, 20] };
const CSS = `
.pw-fcn-skips .views{grid-template-columns:1fr 1fr;gap:.5rem .7rem}
.pw-fcn-skips .views>:first-child{grid-area:1/1/2/-1}
.pw-fcn-skips canvas{image-rendering:pixelated}
.pw-fcn-skips .views table{align-self:center;margin:0;font-size:.9rem}
.pw-fcn-skips table :is(td,th):not(:first-child){text-align:right;font-variant-numeric:tabular-nums}
.pw-fcn-skips tr.now :is(td,th){font-weight:600}
.pw-fcn-skips .swatch{vertical-align:-.1em}
.pw-fcn-skips .off{color:var(--soft);text-decoration:line-through}
@container (min-width:34rem){.pw-fcn-skips .views{grid-template-columns:2fr 1fr 1fr}
.pw-fcn-skips .views>:first-child{grid-area:1/1/3/2}}
`;

// State: first what was recorded, which never changes
function recorded(model) {
  const [strides, classes] = [model.get("strides"), model.get("classes")]; // [label, name, colour, occurs] each
  const [coarse, across] = model.get("grid");
  const stride = strides.at(-1);
  const [height, width] = [coarse * stride, across * stride];
  const levels = scoresOf(model.get("scores"), model.get("step"), strides.length);
  const target = bytes(model.get("labels"));
  const near = band(target, width, model.get("reach"));
  const known = new Map();
  // The prediction and numbers of a choice of levels, computed once
  function of(on) {
    const key = on.map(Number).join("");
    if (!known.has(key)) {
      const prediction = predict(sum(levels, on), classes.length, coarse, across, stride);
      known.set(key, { prediction, ...measure(prediction, target, near, classes.length) });
    }
    return known.get(key);
  }
  const nameOf = (label) => classes[label]?.[1] ?? "void, not counted";
  return { strides, classes, coarse, across, stride, height, width, levels, target, of, nameOf };
}

function stateOf(model, { strides, height, width }) {
  const given = String(model.get("on")).split(" ");
  const on = strides.map((stride) => given.includes(String(stride)));
  return { on, row: within(model.get("row"), 0, height - 1), column: within(model.get("column"), 0, width - 1) };
}

// Elements
function canvasesOf(model, { classes, height, width }) {
  const canvas = (label, properties = { role: "img" }) =>
    h("canvas", { width: width * SCALE, height: height * SCALE, "aria-label": label, ...properties });
  const present = classes.filter((one) => one[3]).map((one) => one[1]);
  const photo = canvas(`The scene, ${height} by ${width} pixels`);
  const jpeg = new Image();
  jpeg.addEventListener("load", () => penOf(photo).drawImage(jpeg, 0, 0, photo.width, photo.height));
  jpeg.src = `data:image/jpeg;base64,${model.get("image")}`;
  return {
    photo,
    truth: canvas(`The labels: ${present.join(", ")}`),
    view: canvas("Prediction: arrow keys choose a pixel", { class: "choose", tabindex: 0, role: "application" }),
    wrong: canvas(null),
  };
}

function build(root, model, data) {
  const { strides } = data;
  const toggle = (i) => {
    const { on } = stateOf(model, data);
    change(model, { on: strides.filter((_, k) => on[k] !== (k === i)).join(" ") });
  };
  const buttons = strides.map((stride, i) => button(`stride ${stride}`, () => toggle(i)));
  const found = spokenFinding();
  const place = spokenPlace();
  const canvases = canvasesOf(model, data);
  const usual = strides.map((_, i) => strides.map((__, k) => k <= i));
  const rows = [...usual, null].map((on) => {
    const cells = [h("td"), h("td"), h("td"), h("td")];
    const title = on ? strides.filter((_, k) => on[k]).join(" + ") : "switched on";
    return { on, cells, element: h("tr", { class: on ? "" : "now" }, h("th", { scope: "row" }, title), ...cells) };
  });
  const [votes, votesTitle] = [h("tbody"), h("caption")];
  const heads = ["levels", "all", `≤ ${model.get("reach")} px off`, "inside", "mIoU"];
  const figure = (title, picture) => h("figure", {}, h("figcaption", {}, title), picture);
  const { photo, truth, view, wrong } = canvases;
  const pictures = [
    ["prediction: choose a pixel", view],
    ["wrong pixels", wrong],
    ["labels", truth],
    ["scene", photo],
  ];
  const shares = ["all", "at boundaries", "elsewhere", "mean IoU"].map((name) => {
    const number = h("td", { class: "number" });
    return { number, row: h("tr", {}, h("th", { scope: "row" }, name), number) };
  });
  const right = table("Right pixels", [], h("tbody", {}, ...shares.map((one) => one.row)));
  const apart = "One network with levels switched off, not three networks trained apart";
  const levels = table("In per cent, this scene", heads, h("tbody", {}, ...rows.map((one) => one.element)));
  arrange(root, {
    seen: [h("div", { class: "views" }, ...pictures.map(([name, picture]) => figure(name, picture)), right)],
    said: [found.element, place.element],
    moved: [group("Switch levels off", ...buttons)],
    boxes: [
      fold("All choices of levels", levels, h("p", {}, `${apart}: its coarsest scores never had to stand alone.`)),
      fold("Scores at the pixel", table(votesTitle, ["class", ...strides.map(String), "sum"], votes)),
    ],
  });
  return { ...canvases, buttons, found, place, rows, shares, votes, votesTitle };
}

// Drawing: paint(canvas, colour of pixel i as [r, g, b]) enlarges a picture of the scene's size
function painter({ width, height }) {
  const small = h("canvas", { width, height });
  return (where, colourOf) => {
    const pen = penOf(small);
    const pixels = pen.createImageData(width, height);
    for (let i = 0; i < width * height; i++) pixels.data.set([...colourOf(i), 255], 4 * i);
    pen.putImageData(pixels, 0, 0);
    const large = penOf(where);
    large.imageSmoothingEnabled = false;
    large.drawImage(small, 0, 0, width * SCALE, height * SCALE);
    return large;
  };
}

function drawPictures(view, { target, colours }, paint, { row, column }, prediction) {
  const corner = [(column - 1) * SCALE, (row - 1) * SCALE];
  const mark = (pen) => outline(pen, corner, 3 * SCALE, { "#000": 5, "#fff": 2 });
  const verdict = (i) => {
    if (target[i] === VOID) return COLOURS.void;
    return prediction?.[i] === target[i] ? COLOURS.right : COLOURS.wrong;
  };
  mark(paint(view.view, (i) => (prediction ? colours[prediction[i]] : COLOURS.none)));
  mark(paint(view.wrong, verdict));
}

// The scores at one pixel: what each level says for the classes that matter there
function votesAt({ coarse, across, stride, classes, levels, target, width }, { on, row, column }) {
  const [[top, below, v], [left, right, u]] = [places(coarse, stride)[row], places(across, stride)[column]];
  const score = (level, c) => {
    const value = (y, x) => level[(c * coarse + y) * across + x];
    const line = (x) => value(top, x) + v * (value(below, x) - value(top, x));
    return line(left) + u * (line(right) - line(left));
  };
  const votes = classes.map((_, c) => {
    const parts = levels.map((level) => score(level, c));
    return { c, parts, total: parts.reduce((all, part, i) => all + (on[i] ? part : 0), 0) };
  });
  votes.sort((a, b) => b.total - a.total || a.c - b.c);
  return votes.filter(({ c }, rank) => rank < 4 || c === target[row * width + column]);
}

function showVotes(view, data, state, prediction) {
  const { classes, target, width, nameOf } = data;
  const { on, row, column } = state;
  const pixel = row * width + column;
  write(view.votesTitle, `Scores at row ${row + 1}, column ${column + 1} (label: ${nameOf(target[pixel])})`);
  view.votes.replaceChildren(
    ...votesAt(data, state).map(({ c, parts, total }) => {
      const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = classes[c][2];
      const cells = parts.map((part, i) => h("td", { class: on[i] ? "" : "off" }, part.toFixed(1)));
      const kind = c === prediction?.[pixel] ? "now" : "";
      return h(
        "tr",
        { class: kind },
        h("th", { scope: "row" }, swatch, nameOf(c)),
        ...cells,
        h("td", {}, total.toFixed(1)),
      );
    }),
  );
}

function showNumbers(view, { strides, of }, on, none) {
  const { accuracy } = of(on);
  view.buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(on[i])));
  view.wrong.setAttribute("aria-label", none ? "No prediction" : `Wrong pixels, ${percent(1 - accuracy)} of all`);
  const numbersOf = (which) => {
    const { accuracy: all, edge, interior, meanIou } = of(which);
    return [all, edge, interior, meanIou].map((value) => percent(which.includes(true) ? value : NaN));
  };
  for (const row of view.rows)
    numbersOf(row.on ?? on).forEach((value, i) => write(row.cells[i], value.replace("\u00a0%", "")));
  numbersOf(on).forEach((value, i) => write(view.shares[i].number, value));
  view.found.say(finding(on, strides, of(on), of(strides.map((_, i) => i === 0))));
}

function render({ model, el }) {
  const root = frame(el, "fcn-skips", "FCN skips: switch the levels of a trained network on and off", CSS);
  const data = recorded(model);
  const { classes, target, height, width, stride, of, nameOf } = data;
  const view = build(root, model, data);
  const colours = classes.map(([, , colour]) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)));
  const paint = painter(data);
  paint(view.truth, (i) => colours[target[i]] ?? COLOURS.void);

  // Events
  onArrows(view.view, (rows, columns, event) => {
    const { row, column } = stateOf(model, data);
    const far = event.shiftKey ? stride : 1;
    const [y, x] = [within(row + far * rows, 0, height - 1), within(column + far * columns, 0, width - 1)];
    change(model, { row: y, column: x });
    const { prediction } = of(stateOf(model, data).on);
    const pixel = y * width + x;
    const words = `label ${nameOf(target[pixel])}, predicted ${nameOf(prediction[pixel])}`;
    view.place.say(`row ${y + 1}, column ${x + 1}: ${words}`);
  });
  view.view.addEventListener("pointerdown", (event) => {
    const [row, column] = placeAt(view.view, event, [height, width]);
    change(model, { row, column });
  });

  return live({ model, el, root }, NAMES, () => {
    const state = stateOf(model, data);
    const none = !state.on.includes(true);
    const prediction = none ? null : of(state.on).prediction;
    drawPictures(view, { target, colours }, paint, state, prediction);
    showVotes(view, data, state, prediction);
    showNumbers(view, data, state.on, none);
  });
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
