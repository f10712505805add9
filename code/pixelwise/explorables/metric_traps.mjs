// Metric traps: paint over a prediction, and see the metrics of segmentation disagree about it.
import { frame, h, oncePerFrame, percent, speaker, write } from "./shared.mjs";

const VOID = 255;
const KEEP = 254; // in edits: as the starting point has it

/** Labels from runs such as "a32b8z4": a letter for the label (z is void, . is KEEP) and how often it comes. */
export function decode(text, most = 65536) {
  const labels = [];
  for (const [, sign, times] of text.matchAll(/([a-z.])(\d*)/g)) {
    const label = sign === "z" ? VOID : sign === "." ? KEEP : sign.charCodeAt(0) - 97;
    for (let i = Math.min(times === "" ? 1 : Number(times), most - labels.length); i > 0; i--) labels.push(label);
    if (labels.length === most) break; // an address may ask for any number
  }
  return labels;
}

/** The runs of some labels, as `decode` reads them. */
export function encode(labels) {
  let text = "";
  for (let i = 0, run = 1; i < labels.length; i += run, run = 1) {
    while (labels[i + run] === labels[i]) run++;
    const sign = labels[i] === VOID ? "z" : labels[i] === KEEP ? "." : String.fromCharCode(97 + labels[i]);
    text += run > 1 ? sign + run : sign;
  }
  return text;
}

/** What was painted on a starting point, as text; empty when nothing was. */
export function editsOf(prediction, start) {
  const edits = prediction.map((label, i) => (label === start[i] ? KEEP : label));
  return edits.every((label) => label === KEEP) ? "" : encode(edits);
}

/** The starting point with the edits painted on; whatever isn't one of the labels is left as it was. */
export function applyEdits(start, edits, labels) {
  const painted = decode(edits, start.length);
  return start.map((label, i) => (labels.includes(painted[i]) ? painted[i] : label));
}

/** Which pixels have two different labels in the 3×3 window around them; void makes no change of label. */
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

const mean = (scores) => {
  const known = scores.filter((score) => !Number.isNaN(score));
  return known.reduce((sum, score) => sum + score, 0) / known.length;
};

/** All the numbers: shares in 0–1, NaN where a class is absent; void in the target is never counted. */
export function measure(prediction, target, width, classes = 11) {
  const zeros = () => new Array(classes).fill(0);
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
    meanIou: mean(classIou),
    microIou: right / (2 * counted - right),
    dice: mean(both.map((n, c) => (2 * n) / (truth[c] + called[c]))),
    boundaryIou: mean(edgeBoth.map((n, c) => n / (edgeTruth[c] + edgeCalled[c] - n))),
    classIou,
    classShare: truth.map((n) => n / counted),
  };
}

/** One task for each metric, and whether the numbers meet it. */
export function challenges(n) {
  return [
    ["Pixel accuracy of 95 % or more, with mIoU under 50 %", n.pixelAccuracy >= 0.95 && n.meanIou < 0.5],
    ["mIoU of 75 % or more, with micro IoU under 65 %", n.meanIou >= 0.75 && n.microIou < 0.65],
    ["Micro IoU 15 points or more under pixel accuracy", n.pixelAccuracy - n.microIou >= 0.15],
    ["Dice 14 points or more above mIoU", n.dice - n.meanIou >= 0.14],
    ["Boundary IoU 25 points or more under mIoU, with mIoU of 80 % or more", n.meanIou >= 0.8 && n.meanIou - n.boundaryIou >= 0.25],
  ];
}

/** The most telling thing about the numbers, in words. */
export function finding(n, names) {
  const lost = Object.keys(names).filter((label) => n.classShare[label] > 0 && n.classIou[label] === 0);
  const [accuracy, miou, micro] = [percent(n.pixelAccuracy), percent(n.meanIou), percent(n.microIou)];
  if (n.pixelAccuracy === 1)
    return n.boundaryIou === 1
      ? "Every metric says 100 %: the prediction equals the labels wherever they count."
      : `Only what lies under void is wrong. Boundary IoU (${percent(n.boundaryIou)}) still sees the contour it makes.`;
  if (!lost.length && n.meanIou - n.boundaryIou > 0.15)
    return `Boundary IoU (${percent(n.boundaryIou)}) is far below mIoU (${miou}): the mistakes sit on the contours.`;
  if (n.meanIou - n.microIou > 0.08)
    return `mIoU (${miou}) is kinder than micro IoU (${micro}): the mistakes are in large classes, and in mIoU a pole has as many votes as a road.`;
  if (lost.length) {
    const list = lost.map((label) => names[label]).join(", ");
    return n.pixelAccuracy >= 0.9
      ? `Pixel accuracy of ${accuracy} hides a loss: ${list} at IoU 0. mIoU says so with ${miou}.`
      : `Lost altogether: ${list} (IoU 0). mIoU is down to ${miou}, pixel accuracy to ${accuracy}.`;
  }
  if (n.dice - n.meanIou > 0.08)
    return `Dice (${percent(n.dice)}) sounds better than mIoU (${miou}), and for each class it is the same fact: 2 IoU / (1 + IoU).`;
  if (n.pixelAccuracy - n.meanIou > 0.05)
    return `Pixel accuracy (${accuracy}) is above mIoU (${miou}): small classes suffer most.`;
  return `The metrics nearly agree: pixel accuracy ${accuracy}, mIoU ${miou}. Micro IoU (${micro}) is pixel accuracy a once more, as a / (2 − a).`;
}

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
.pw-metric-traps .views{display:grid;gap:.8rem;margin-bottom:.7rem}
.pw-metric-traps canvas{display:block;width:100%;height:auto;border-radius:.3rem;image-rendering:pixelated}
.pw-metric-traps canvas.paint{touch-action:none;cursor:crosshair}
.pw-metric-traps .truth{max-width:11rem}
.pw-metric-traps label{display:flex;align-items:center;gap:.4rem;min-height:1.8rem;cursor:pointer}
.pw-metric-traps input{width:1.1rem;height:1.1rem;margin:0;accent-color:var(--fill)}
.pw-metric-traps kbd{padding:0;border:0;background:none;box-shadow:none;font:inherit;font-size:.85em;color:var(--soft)}
.pw-metric-traps .swatch{width:1.1rem;height:1.1rem;border:1px solid var(--line);border-radius:.2rem;flex:none}
.pw-metric-traps .classes td:nth-child(2){width:38%}
.pw-metric-traps .scores td:nth-child(2){width:45%}
.pw-metric-traps td.number{text-align:right;padding-right:0;font-variant-numeric:tabular-nums;white-space:nowrap}
.pw-metric-traps li{list-style:none;margin:.15rem 0;padding-left:4.3rem;text-indent:-4.3rem}
.pw-metric-traps li b{display:inline-block;width:4.3rem;text-indent:0;font-weight:600}
.pw-metric-traps li.met b{color:var(--good)}
.pw-metric-traps .finding{min-height:2.9em;font-weight:600}
@container (min-width:34rem){
.pw-metric-traps .views{grid-template-columns:1fr 1fr}
.pw-metric-traps .views.numbers{gap:1.6rem}
.pw-metric-traps .truth{max-width:none}}
`;

function render({ model, el }) {
  const width = model.get("width");
  const target = decode(model.get("target"));
  const height = target.length / width;
  const classes = model.get("classes"); // [label, name, colour] each
  const starts = new Map(Object.entries(model.get("starts")).map(([name, runs]) => [name, decode(runs)]));
  const labels = classes.map(([label]) => label);
  const names = Object.fromEntries(classes.map(([label, name]) => [label, name]));
  const colours = Object.fromEntries(classes.map(([label, , colour]) => [label, colour]));
  const nameOf = (label) => names[label] ?? "void, not counted";
  const startNow = () => (starts.has(model.get("start")) ? model.get("start") : [...starts.keys()][0]);
  const startOf = () => starts.get(startNow());
  const sizeNow = () => (SIZES.includes(model.get("size")) ? model.get("size") : SIZES[0]);
  const brushNow = () => (labels.includes(model.get("brush")) ? model.get("brush") : KEEP);

  let prediction = [];
  let cursor = { x: Math.floor(width / 2), y: Math.floor(height / 2) };
  let stroke = null; // the last point of a stroke under way
  let undo = [];

  const root = frame(el, "metric-traps", CSS);
  root.setAttribute("aria-label", "Metric traps: paint a prediction and compare the metrics");

  // The two pictures
  const canvas = (properties) => h("canvas", { width: width * CELL, height: height * CELL, ...properties });
  const truthView = canvas({ role: "img", "aria-label": `The labels: a street of ${height} by ${width} pixels with ${Object.values(names).join(", ")}` });
  const keysId = `pw-keys-${Math.random().toString(36).slice(2)}`;
  const view = canvas({
    class: "paint",
    tabindex: 0,
    role: "application",
    "aria-label": "Prediction to paint over",
    "aria-describedby": keysId,
  });
  const heard = h("p", { class: "unseen", "aria-live": "polite" });
  const sayPlace = speaker(heard, 150);

  // Controls
  const startButtons = [...starts.keys()].map((name) =>
    h("button", { type: "button", onclick: () => (remember(), change({ start: name, edits: "" })) }, name),
  );
  const undoButton = h("button", { type: "button", onclick: takeBack }, "Undo");
  const size = h(
    "select",
    { onchange: () => change({ size: Number(size.value) }) },
    ...SIZES.map((pixels) => h("option", { value: pixels }, `${pixels} × ${pixels} px`)),
  );
  const marks = h("input", { type: "checkbox", checked: true, onchange: () => redraw() });
  const group = `pw-brush-${keysId}`;
  const brushes = [...classes, [KEEP, "as in the labels", "transparent"]].map(([label, name, colour], i) => {
    const input = h("input", { type: "radio", name: group, value: label, onchange: () => change({ brush: label }) });
    const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = colour;
    const bar = h("i");
    const score = h("td", { class: "number" });
    const key = i < classes.length ? i + 1 : 0;
    const choice = h("label", {}, input, swatch, name, h("kbd", { "aria-hidden": "true" }, String(key)));
    const row =
      label === KEEP
        ? h("tr", {}, h("td", { colspan: 3 }, choice))
        : h("tr", {}, h("td", {}, choice), h("td", {}, h("div", { class: "bar", "aria-hidden": "true" }, bar)), score);
    return { label, input, bar, score, row };
  });
  const scores = METRICS.map(([key, name]) => {
    const bar = h("i");
    const number = h("td", { class: "number" });
    const holder = h("td", {}, h("div", { class: "bar", "aria-hidden": "true" }, bar));
    return { key, bar, number, row: h("tr", {}, h("th", { scope: "row" }, name), holder, number) };
  });
  const tasks = challenges(measure(target, target, width)).map(([text]) => {
    const state = h("b");
    return { state, item: h("li", {}, state, text) };
  });
  const found = h("p", { class: "finding", role: "status" });
  const sayFinding = speaker(found);

  const title = (words) => h("caption", {}, words);
  root.append(
    h("fieldset", {}, h("legend", {}, "Start from"), h("div", { class: "pw-row" }, ...startButtons)),
    h(
      "div",
      { class: "views" },
      h("figure", {}, h("figcaption", {}, "labels"), h("div", { class: "truth" }, truthView)),
      h("figure", {}, h("figcaption", {}, "prediction: paint here"), view),
    ),
    h("p", { class: "pw-row" }, h("label", {}, "Brush", size), undoButton, h("label", {}, marks, "dot on each mistake")),
    h("p", { class: "soft", id: keysId }, "Keys on the prediction: arrows move, space paints, shift with an arrow paints along, 1 to ", `${classes.length} choose a class and 0 the true one, Z takes back.`),
    found,
    h(
      "div",
      { class: "views numbers" },
      h("table", { class: "scores" }, title("Metrics"), h("tbody", {}, ...scores.map((score) => score.row))),
      h("table", { class: "classes" }, title("Class to paint, and its IoU"), h("tbody", {}, ...brushes.map((b) => b.row))),
    ),
    h("fieldset", {}, h("legend", {}, "Challenges"), h("ul", {}, ...tasks.map((task) => task.item))),
    heard,
  );

  // State
  function change(values, save = true) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    if (save) model.save_changes();
  }
  function load() {
    const given = applyEdits(startOf(), model.get("edits"), labels);
    if (encode(given) !== encode(prediction)) prediction = given;
    redraw();
  }
  function remember() {
    undo = [...undo.slice(-99), { start: startNow(), edits: model.get("edits") }];
  }
  function takeBack() {
    if (undo.length) change(undo.pop());
  }
  function dab({ x, y }) {
    const reach = (sizeNow() - 1) / 2;
    const brush = brushNow();
    for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++)
      for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++) {
        const i = v * width + u;
        const label = brush === KEEP ? target[i] : brush;
        if (labels.includes(label)) prediction[i] = label;
      }
  }
  /** Paint from one point to another and keep it; `save` sends it to Python as well. */
  function paint(from, to, save) {
    const steps = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y), 1);
    for (let i = 0; i <= steps; i++)
      dab({ x: Math.round(from.x + ((to.x - from.x) * i) / steps), y: Math.round(from.y + ((to.y - from.y) * i) / steps) });
    change({ edits: editsOf(prediction, startOf()) }, save);
  }

  // Pointer and keys
  const place = (event) => {
    const box = view.getBoundingClientRect();
    const at = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    return { x: at((event.clientX - box.left) / box.width, width), y: at((event.clientY - box.top) / box.height, height) };
  };
  view.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    view.setPointerCapture(event.pointerId);
    remember();
    stroke = cursor = place(event);
    paint(stroke, stroke, false);
  });
  view.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    const point = place(event);
    paint(stroke, point, false);
    stroke = cursor = point;
  });
  for (const end of ["pointerup", "pointercancel"])
    view.addEventListener(end, () => {
      if (stroke) model.save_changes();
      stroke = null;
    });
  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key !== "z") return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const digit = /^\d$/.test(event.key) ? Number(event.key) : -1;
    if (step) {
      const from = cursor;
      cursor = {
        x: Math.max(0, Math.min(width - 1, cursor.x + step[0])),
        y: Math.max(0, Math.min(height - 1, cursor.y + step[1])),
      };
      if (event.shiftKey) {
        remember();
        paint(from, cursor, true);
      }
    } else if (event.key === " " || event.key === "Enter") {
      remember();
      paint(cursor, cursor, true);
    } else if (digit >= 0 && digit <= classes.length) {
      change({ brush: digit === 0 ? KEEP : classes[digit - 1][0] });
      sayPlace(`brush: ${digit === 0 ? "as in the labels" : classes[digit - 1][1]}`);
      event.preventDefault();
      return;
    } else if (event.key.toLowerCase() === "z") takeBack();
    else return;
    event.preventDefault();
    const i = cursor.y * width + cursor.x;
    sayPlace(`row ${cursor.y + 1}, column ${cursor.x + 1}: predicted ${nameOf(prediction[i])}, label ${nameOf(target[i])}`);
    redraw();
  });
  view.addEventListener("focus", () => redraw());
  view.addEventListener("blur", () => redraw());

  // Drawing
  function fill(where, mask) {
    const pen = where.getContext("2d");
    mask.forEach((label, i) => {
      const [x, y] = [(i % width) * CELL, Math.floor(i / width) * CELL];
      pen.fillStyle = colours[label] ?? "#0b0816";
      pen.fillRect(x, y, CELL, CELL);
      if (target[i] !== VOID) return;
      pen.fillStyle = "#0b0816";
      for (let s = 0; s < CELL; s += 4) pen.fillRect(x, y + s, CELL, 2);
    });
    return pen;
  }
  const redraw = oncePerFrame(() => {
    const pen = fill(view, prediction);
    const dot = (x, y, side, colour) => {
      pen.fillStyle = colour;
      pen.fillRect((x + 0.5) * CELL - side / 2, (y + 0.5) * CELL - side / 2, side, side);
    };
    if (marks.checked)
      prediction.forEach((label, i) => {
        if (target[i] === VOID || label === target[i]) return;
        const [x, y] = [i % width, Math.floor(i / width)];
        dot(x, y, 8, "#000");
        dot(x, y, 4, "#fff");
      });
    if (view.getRootNode().activeElement === view) {
      const reach = (sizeNow() - 1) / 2;
      const side = (2 * reach + 1) * CELL;
      for (const [colour, line] of [["#000", 6], ["#fff", 2]]) {
        pen.strokeStyle = colour;
        pen.lineWidth = line;
        pen.strokeRect((cursor.x - reach) * CELL, (cursor.y - reach) * CELL, side, side);
      }
    }
    const numbers = measure(prediction, target, width);
    for (const { key, bar, number } of scores) {
      bar.style.width = `${100 * numbers[key]}%`;
      write(number, percent(numbers[key]));
    }
    for (const { label, input, bar, score } of brushes) {
      input.checked = label === brushNow();
      if (label === KEEP) continue;
      bar.style.width = `${100 * (numbers.classIou[label] || 0)}%`;
      write(score, percent(numbers.classIou[label]));
    }
    challenges(numbers).forEach(([, met], i) => {
      write(tasks[i].state, met ? "✓ met" : "○ open");
      tasks[i].item.classList.toggle("met", met);
    });
    startButtons.forEach((button) =>
      button.setAttribute("aria-pressed", String(button.textContent === startNow() && model.get("edits") === "")),
    );
    size.value = sizeNow();
    undoButton.disabled = undo.length === 0;
    sayFinding(finding(numbers, names));
  });

  fill(truthView, target);
  write(found, " ");
  const listeners = { start: load, edits: load, brush: redraw, size: redraw };
  for (const [name, listen] of Object.entries(listeners)) model.on(`change:${name}`, listen);
  load();
  return () => {
    for (const [name, listen] of Object.entries(listeners)) model.off(`change:${name}`, listen);
    root.remove();
  };
}

export default { render, linked: ["start", "brush", "size", "edits"] };
