// FCN skips: switch the levels of one trained FCN-8s on and off, and see what each adds to the picture.
import { bytes, follow, frame, h, oncePerFrame, percent, speaker, write } from "./shared.mjs";

const VOID = 255;

/** Scores (levels, classes, height, width) as one Float64Array for each level: 16-bit integers times a step. */
export function scoresOf(text, step, levels) {
  const values = new Int16Array(bytes(text).buffer);
  const size = values.length / levels;
  return Array.from({ length: levels }, (_, level) => Float64Array.from(values.subarray(level * size, (level + 1) * size), (value) => value * step));
}

/** The sum of the levels that are on. */
export function sum(levels, on) {
  const total = new Float64Array(levels[0].length);
  levels.forEach((level, i) => {
    if (on[i]) for (let k = 0; k < total.length; k++) total[k] += level[k];
  });
  return total;
}

/** Where the pixels of a grid `stride` times as fine lie: [index, next index, weight of the next], bilinear, corners
 * not aligned. */
export function places(coarse, stride) {
  return Array.from({ length: coarse * stride }, (_, i) => {
    const place = Math.max((i + 0.5) / stride - 0.5, 0);
    const low = Math.floor(place);
    return [low, Math.min(low + 1, coarse - 1), place - low];
  });
}

/** The class with the highest score at each pixel after bilinear interpolation. */
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

/** Which pixels have two different labels within `reach` pixels (a square window); void makes no change of label. */
export function band(mask, width, reach) {
  const height = mask.length / width;
  const window = (values, count, stride, pick) => {
    const out = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const at = Math.floor(i / stride) % count;
      let found = values[i];
      for (let d = -Math.min(reach, at); d <= Math.min(reach, count - 1 - at); d++) found = pick(found, values[i + d * stride]);
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

/** Shares of right pixels, all and in the band and outside it, and the mean IoU over classes that occur. */
export function measure(prediction, target, near, classes) {
  const count = () => new Array(classes).fill(0);
  const [both, truth, called] = [count(), count(), count()];
  const [right, all] = [[0, 0], [0, 0]];
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
  const ious = both.map((hits, c) => hits / (truth[c] + called[c] - hits)).filter((iou) => !Number.isNaN(iou));
  return {
    accuracy: (right[0] + right[1]) / (all[0] + all[1]),
    meanIou: ious.reduce((total, iou) => total + iou, 0) / ious.length,
    edge: right[0] / all[0],
    interior: right[1] / all[1],
  };
}

/** What the switches do, in words: `on` a list of booleans, coarse to fine, against the coarsest level alone. */
export function finding(on, strides, now, alone) {
  const named = strides.filter((_, i) => on[i]).map((stride) => `stride ${stride}`);
  if (!named.length) return "Nothing is switched on: all scores are zero, and no class wins.";
  const points = (value) => `${Math.abs(100 * value).toFixed(1)} point${Math.abs(100 * value).toFixed(1) === "1.0" ? "" : "s"} ${value < 0 ? "lower" : "higher"}`;
  const scores = `${percent(now.edge)} of the pixels near a boundary and ${percent(now.interior)} of the others are right`;
  if (named.length === 1 && on[0])
    return `The coarsest scores alone, one for ${strides[0]} × ${strides[0]} pixels: ${scores}. They know what there is, and only roughly where.`;
  const change = `against ${named[0] === `stride ${strides[0]}` ? "them" : "the coarsest"} alone ${points(now.edge - alone.edge)} at boundaries and ${points(now.interior - alone.interior)} elsewhere`;
  if (!on[0]) return `Without the coarsest level (${named.join(" + ")}): ${scores}, ${change}. What the skips add are corrections to scores that are now missing.`;
  return `${named.join(" + ")}: ${scores}; ${change.replace("them alone", "the coarsest alone")}.`;
}

const SCALE = 4; // canvas pixels for one pixel of the scene
const CSS = `
.pw-fcn-skips .views{display:grid;grid-template-columns:1fr 1fr;gap:.6rem;margin-bottom:.7rem}
.pw-fcn-skips canvas{display:block;width:100%;height:auto;border-radius:.3rem;image-rendering:pixelated}
.pw-fcn-skips canvas.choose{cursor:crosshair;touch-action:manipulation}
.pw-fcn-skips .tables{display:grid;gap:.2rem 1.6rem}
.pw-fcn-skips table :is(td,th):not(:first-child){text-align:right;font-variant-numeric:tabular-nums}
.pw-fcn-skips tr.now :is(td,th){font-weight:600}
.pw-fcn-skips .swatch{display:inline-block;width:.9rem;height:.9rem;margin-right:.4rem;border:1px solid var(--line);border-radius:.2rem;vertical-align:-.1em}
.pw-fcn-skips .off{color:var(--soft);text-decoration:line-through}
@container (min-width:38rem){.pw-fcn-skips .tables{grid-template-columns:1fr 1fr}}
`;

function render({ model, el }) {
  const root = frame(el, "fcn-skips", CSS);
  root.setAttribute("aria-label", "FCN skips: switch the levels of a trained network on and off");
  const strides = model.get("strides");
  const classes = model.get("classes"); // [label, name, colour, occurs] each
  const [coarse, across] = model.get("grid");
  const stride = strides.at(-1);
  const [height, width] = [coarse * stride, across * stride];
  const levels = scoresOf(model.get("scores"), model.get("step"), strides.length);
  const target = bytes(model.get("labels"));
  const near = band(target, width, model.get("reach"));
  const name = (label) => classes[label]?.[1] ?? "void, not counted";

  const flags = () => strides.map((stride) => String(model.get("on")).split(" ").includes(String(stride)));
  const known = new Map();
  /** The prediction and numbers of a choice of levels, computed once. */
  function of(on) {
    const key = on.map(Number).join("");
    if (!known.has(key)) {
      const prediction = predict(sum(levels, on), classes.length, coarse, across, stride);
      known.set(key, { prediction, ...measure(prediction, target, near, classes.length) });
    }
    return known.get(key);
  }
  const at = () => {
    const within = (value, count) => Math.max(0, Math.min(count - 1, Math.round(Number(value)) || 0));
    return [within(model.get("row"), height), within(model.get("column"), width)];
  };
  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }
  const toggle = (i) => change({ on: strides.filter((_, k) => flags()[k] !== (k === i)).join(" ") });

  const buttons = strides.map((stride, i) => h("button", { type: "button", onclick: () => toggle(i) }, `stride ${stride}`));
  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);
  const heard = h("p", { class: "unseen", "aria-live": "polite" });
  const sayPlace = speaker(heard, 150);
  const canvas = (properties) => h("canvas", { width: width * SCALE, height: height * SCALE, ...properties });
  const truth = canvas({ role: "img", "aria-label": `The labels: ${classes.filter((one) => one[3]).map((one) => one[1]).join(", ")}` });
  const view = canvas({ class: "choose", tabindex: 0, role: "application", "aria-label": "Prediction: arrow keys choose a pixel" });
  const wrong = canvas({ role: "img" });
  const photo = canvas({ role: "img", "aria-label": `The scene, ${height} by ${width} pixels` });
  const jpeg = new Image();
  jpeg.addEventListener("load", () => photo.getContext("2d").drawImage(jpeg, 0, 0, photo.width, photo.height));
  jpeg.src = `data:image/jpeg;base64,${model.get("image")}`;
  const figure = (title, picture) => h("figure", {}, h("figcaption", {}, title), picture);
  const usual = strides.map((_, i) => strides.map((_, k) => k <= i));
  const rows = [...usual, null].map((on) => {
    const cells = [h("td"), h("td"), h("td"), h("td")];
    const title = on ? strides.filter((_, k) => on[k]).join(" + ") : "switched on";
    return { on, cells, element: h("tr", { class: on ? "" : "now" }, h("th", { scope: "row" }, title), ...cells) };
  });
  const votes = h("tbody");
  const votesTitle = h("caption");
  const head = (...titles) => h("thead", {}, h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title))));
  root.append(
    h("fieldset", {}, h("legend", {}, "Levels of one trained FCN-8s"), h("div", { class: "pw-row" }, ...buttons)),
    found,
    h("div", { class: "views" }, figure("scene", photo), figure("labels", truth), figure("prediction: choose a pixel", view), figure("wrong pixels", wrong)),
    h(
      "div",
      { class: "tables" },
      h("table", {}, h("caption", {}, "Right pixels, this scene"), head("levels", "all", `≤ ${model.get("reach")} px off`, "inside", "mIoU"), h("tbody", {}, ...rows.map((one) => one.element))),
      h("table", {}, votesTitle, head("class", ...strides.map(String), "sum"), votes),
    ),
    h("p", { class: "soft" }, "One network with levels switched off, not three networks trained apart: its coarsest scores never had to stand alone."),
    heard,
  );

  view.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [row, column] = at();
    const far = event.shiftKey ? stride : 1;
    change({ row: Math.max(0, Math.min(height - 1, row + far * step[0])), column: Math.max(0, Math.min(width - 1, column + far * step[1])) });
    const [y, x] = at();
    sayPlace(`row ${y + 1}, column ${x + 1}: label ${name(target[y * width + x])}, predicted ${name(of(flags()).prediction[y * width + x])}`);
  });
  view.addEventListener("pointerdown", (event) => {
    const box = view.getBoundingClientRect();
    change({ row: Math.floor(((event.clientY - box.top) / box.height) * height), column: Math.floor(((event.clientX - box.left) / box.width) * width) });
  });

  const small = h("canvas", { width, height });
  const rgb = classes.map(([, , colour]) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)));
  /** Paint one colour [r, g, b] a pixel, enlarged. */
  function paint(where, colourOf) {
    const pen = small.getContext("2d");
    const pixels = pen.createImageData(width, height);
    for (let i = 0; i < width * height; i++) pixels.data.set([...colourOf(i), 255], 4 * i);
    pen.putImageData(pixels, 0, 0);
    const large = where.getContext("2d");
    large.imageSmoothingEnabled = false;
    large.drawImage(small, 0, 0, width * SCALE, height * SCALE);
    return large;
  }
  const VOIDED = [11, 8, 22];
  const cross = (pen, row, column) => {
    for (const [colour, line] of [["#000", 5], ["#fff", 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.strokeRect((column - 1) * SCALE, (row - 1) * SCALE, 3 * SCALE, 3 * SCALE);
    }
  };

  const draw = oncePerFrame(() => {
    const on = flags();
    const none = !on.includes(true);
    const { prediction, ...numbers } = of(on);
    const [row, column] = at();
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(on[i])));
    cross(paint(view, (i) => (none ? [128, 128, 128] : rgb[prediction[i]])), row, column);
    cross(paint(wrong, (i) => (target[i] === VOID ? VOIDED : !none && prediction[i] === target[i] ? [214, 224, 230] : [196, 48, 20])), row, column);
    wrong.setAttribute("aria-label", none ? "No prediction" : `Wrong pixels, ${percent(1 - numbers.accuracy)} of all`);
    for (const one of rows) {
      const values = one.on ? of(one.on) : none ? { accuracy: NaN, edge: NaN, interior: NaN, meanIou: NaN } : numbers;
      [values.accuracy, values.edge, values.interior, values.meanIou].forEach((value, i) => write(one.cells[i], percent(value).replace(" %", "")));
    }
    drawVotes(on, prediction, row, column, none);
    say(finding(on, strides, numbers, of(strides.map((_, i) => i === 0))));
  });

  /** The scores at one pixel: what each level says for the classes that matter there. */
  function drawVotes(on, prediction, row, column, none) {
    const [[top, below, v], [left, right, u]] = [places(coarse, stride)[row], places(across, stride)[column]];
    const score = (level, c) => {
      const value = (y, x) => level[(c * coarse + y) * across + x];
      const line = (x) => value(top, x) + v * (value(below, x) - value(top, x));
      return line(left) + u * (line(right) - line(left));
    };
    const label = target[row * width + column];
    const table = classes.map((_, c) => {
      const parts = levels.map((level) => score(level, c));
      return { c, parts, total: parts.reduce((sum, part, i) => sum + (on[i] ? part : 0), 0) };
    });
    table.sort((a, b) => b.total - a.total || a.c - b.c);
    const shown = table.filter(({ c }, rank) => rank < 4 || c === label);
    write(votesTitle, `Scores at row ${row + 1}, column ${column + 1} (label: ${name(label)})`);
    votes.replaceChildren(
      ...shown.map(({ c, parts, total }) => {
        const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
        swatch.style.background = classes[c][2];
        return h(
          "tr",
          { class: !none && c === prediction[row * width + column] ? "now" : "" },
          h("th", { scope: "row" }, swatch, name(c)),
          ...parts.map((part, i) => h("td", { class: on[i] ? "" : "off" }, part.toFixed(1))),
          h("td", {}, total.toFixed(1)),
        );
      }),
    );
  }

  paint(truth, (i) => rgb[target[i]] ?? VOIDED);
  write(found, " ");
  const stop = follow(model, ["on", "row", "column"], draw);
  draw();
  return () => {
    stop();
    root.remove();
  };
}

export default { render, linked: ["on", "row", "column"] };
