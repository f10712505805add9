// Overlap lab: where a transposed convolution checkerboards, and why: not the number of taps decides, but their sums.
import { choices, follow, frame, h, oncePerFrame, slider, speaker, svg, write } from "./shared.mjs";

/** The kernel's weights from text such as ".5 1 .5": a missing tap is 1, one too many is left out. */
export function taps(text, kernel) {
  const given = text.split(/[\s,]+/).filter((word) => word !== "" && Number.isFinite(Number(word)));
  return Array.from({ length: kernel }, (_, t) => (t < given.length ? Number(given[t]) : 1));
}

/** The sum over the taps of each phase, tap p, p + stride, …: what a constant 1 becomes there. */
export function phaseSums(weights, stride) {
  const sums = new Array(stride).fill(0);
  weights.forEach((weight, t) => (sums[t % stride] += weight));
  return sums;
}

/** How many taps each phase has. */
export const overlapCounts = (kernel, stride) => phaseSums(new Array(kernel).fill(1), stride);

/** The one kernel that does the work of so many layers, at stride ** layers. */
export function stacked(weights, stride, layers) {
  let kernel = [1];
  for (let layer = 0, step = 1; layer < layers; layer++, step *= stride) {
    const wider = new Array(kernel.length + (weights.length - 1) * step).fill(0);
    // each layer before this one stamps further apart
    kernel.forEach((one, o) => weights.forEach((weight, t) => (wider[o + t * step] += one * weight)));
    kernel = wider;
  }
  return kernel;
}

/** The outputs from ... to - 1 for an input that is 1 everywhere, or ("step") from input pixel 0 on and 0 before. */
export function response(kernel, stride, input, from, to) {
  return Array.from({ length: to - from }, (_, i) => {
    let sum = 0;
    const o = from + i;
    for (let t = ((o % stride) + stride) % stride; t < kernel.length; t += stride) if (input !== "step" || t <= o) sum += kernel[t];
    return sum;
  });
}

/** Everything about one setting, in numbers. */
export function measure(weights, stride, layers) {
  const kernel = stacked(weights, stride, layers);
  const period = stride ** layers;
  const sums = phaseSums(kernel, period);
  const counts = phaseSums(stacked(weights.map(() => 1), stride, layers), period);
  const [low, high] = [Math.min(...sums), Math.max(...sums)];
  const largest = Math.max(...kernel.map(Math.abs));
  return {
    kernel, period, sums, counts, low, high,
    layerSums: phaseSums(weights, stride),
    layerCounts: overlapCounts(weights.length, stride),
    flat: high - low <= 1e-6 * largest,
    divisible: weights.length % stride === 0,
    gaps: weights.length < stride,
  };
}

/** A number as short as it can be: 1, 0.25, −0.3. */
export const short = (value) => String(Math.round(value * 100) / 100 || 0).replace("-", "−");

/** The verdict in a word, and why. */
export function verdict(m, kernel, stride, plane = false) {
  const list = (values) => [...values.slice(0, -1).map(short), `and ${short(values.at(-1))}`].join(values.length > 2 ? ", " : " ").replace(/^and /, "");
  const dead = Math.max(m.high, -m.low) < 1e-9;
  const sums = list(m.layerSums);
  if (stride === 1) return ["Flat", "At stride 1 there is one phase only: every pixel collects all taps. It is an ordinary convolution."];
  if (m.gaps) return ["Gaps", `The kernel (${kernel}) is shorter than the stride (${stride}): some pixels are reached by no stamp, and no weight can mend that.`];
  const divides = m.divisible ? `${stride} divides ${kernel}` : `${stride} does not divide ${kernel}`;
  if (dead) return ["Flat", "Every phase sums to 0: a constant is lost altogether. Flat, and useless."];
  if (m.flat && m.divisible) return ["Flat", `All phases sum to ${short(m.layerSums[0])}. That ${divides} makes the counts equal; it is these weights that make the sums equal.`];
  if (m.flat) return ["Flat", `Although ${divides}: the phases have ${list(m.layerCounts)} taps, and still each sums to ${short(m.layerSums[0])}. Divisible is not necessary.`];
  const ends = plane ? [m.low * m.low, m.low * m.high, m.high * m.high] : [m.low, m.high]; // rows and columns multiply
  const range = `A constant 1 comes out between ${short(Math.min(...ends))} and ${short(Math.max(...ends))}.`;
  if (m.divisible) return ["Checkerboard", `Although ${divides}: each phase has ${m.layerCounts[0]} ${m.layerCounts[0] > 1 ? "taps" : "tap"}, but they sum to ${sums}. ${range} Divisible is not sufficient.`];
  return ["Checkerboard", `The phases have ${list(m.layerCounts)} taps, and they sum to ${sums}. ${range}`];
}

/** What there is to do, and whether it's done. */
export function tasks(m, kernel, stride) {
  const dead = Math.max(m.high, -m.low) < 1e-9;
  return [
    ["Kernel 5, stride 3, and flat", kernel === 5 && stride === 3 && m.flat && !dead],
    ["Kernel 6, stride 3, no weight 0, and a checkerboard", kernel === 6 && stride === 3 && !m.flat && m.kernel.every((w) => w !== 0)],
    ["A flat kernel with a negative weight", stride > 1 && m.flat && !dead && m.kernel.some((w) => w < 0)],
  ];
}

const PRESETS = [
  ["k4 s2, ones", 4, 2, ""],
  ["k3 s2, ones", 3, 2, ""],
  ["k3 s2, ½ 1 ½", 3, 2, "0.5 1 0.5"],
  ["k4 s2, uneven", 4, 2, "0.1 0.9 0.5 0.5"],
  ["k4 s2, bilinear", 4, 2, "0.25 0.75 0.75 0.25"],
  ["k2 s3, gaps", 2, 3, ""],
];
const CSS = `
.pw-overlap-lab{--p0:light-dark(#0b62a8,#7db4ea);--p1:light-dark(#b84500,#f2a25f);--p2:light-dark(#0b7a5c,#6fd0ae);--p3:light-dark(#8a3a9c,#d3a0e2)}
.pw-overlap-lab .taps{display:flex;flex-wrap:wrap;gap:.4rem}
.pw-overlap-lab .taps label{display:grid;width:4.3rem;font-size:.85rem;border-top:.3rem solid var(--phase);padding-top:.15rem}
.pw-overlap-lab .taps input{width:100%;min-height:2.1rem;margin:0;padding:.1rem .3rem;border:1px solid var(--line);border-radius:.3rem;background:transparent;color:inherit;font:inherit;font-size:1rem}
.pw-overlap-lab .picture{margin:.2rem 0 .3rem;cursor:crosshair;touch-action:pan-y}
.pw-overlap-lab .verdict{display:inline-block;margin-right:.5em;padding:0 .5em;border:2px solid;border-radius:.3rem}
.pw-overlap-lab .sums th,.pw-overlap-lab .sums td{vertical-align:top}
.pw-overlap-lab .sums thead th{color:var(--soft);font-size:.85rem}
.pw-overlap-lab .swatch{display:inline-block;width:.8rem;height:.8rem;margin-right:.4rem;border-radius:.15rem;background:var(--phase)}
.pw-overlap-lab .at{min-height:1.5em;font-variant-numeric:tabular-nums}
.pw-overlap-lab svg .row{fill:var(--soft)}
.pw-overlap-lab svg .axis{stroke:var(--line)}
.pw-overlap-lab svg .cursor{fill:none;stroke:var(--ink);stroke-width:2}
`;

function render({ model, el }) {
  const get = (name, low, high) => Math.max(low, Math.min(high, Math.round(model.get(name)) || low));
  const root = frame(el, "overlap-lab", CSS);
  root.setAttribute("aria-label", "Overlap lab: where a transposed convolution makes a checkerboard");
  let cursor = [8, 4]; // column, row among the outputs shown
  let now = {};

  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }
  const presets = PRESETS.map(([name, kernel, stride, weights]) => [`${kernel} ${stride} ${weights}`, name]);
  const start = choices("Try", [...presets, ["random", "random weights"]], (value) => {
    const random = () => Array.from({ length: now.weights.length }, () => (Math.random() * 2 - 0.6).toFixed(1));
    const chosen = PRESETS.find(([, kernel, stride, weights]) => value === `${kernel} ${stride} ${weights}`);
    if (!chosen) return change({ weights: random().join(" ") });
    change({ kernel: chosen[1], stride: chosen[2], weights: chosen[3] });
  });
  const kernel = slider("Kernel size", [1, 8], (value) => change({ kernel: value }));
  const stride = slider("Stride", [1, 4], (value) => change({ stride: value }));
  const layers = slider("Layers", [1, 3], (value) => change({ layers: value }));
  const dimensions = choices("Picture", [[1, "1-D"], [2, "2-D"]], (value) => change({ dimensions: value }));
  const inputs = Array.from({ length: 8 }, (_, t) => {
    const input = h("input", { type: "number", step: 0.1, min: -9, max: 9, inputmode: "decimal" });
    input.addEventListener("input", () => {
      const weights = [...now.weights];
      weights[t] = Number(input.value);
      change({ weights: weights.join(" ") });
    });
    return { input, label: h("label", {}, `tap ${t}`, input) };
  });
  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);
  const shown = h("p", { class: "pw-finding", "aria-hidden": "true" });
  const picture = h("div", { class: "picture", tabindex: 0, role: "slider", "aria-valuemin": 0 });
  const at = h("p", { class: "at soft", "aria-hidden": "true" });
  const sums = h("tbody");
  const todo = tasks(measure([1], 1, 1), 1, 1).map(([text]) => {
    const state = h("b");
    return { state, item: h("li", {}, state, text) };
  });
  const heads = ["phase", "taps", "their sum"].map((words) => h("th", { scope: "col" }, words));
  root.append(
    start.element,
    h("div", { class: "pw-settings" }, kernel.element, stride.element, layers.element, dimensions.element),
    h("fieldset", {}, h("legend", {}, "Weights, one colour for each phase"), h("div", { class: "taps" }, ...inputs.map(({ label }) => label))),
    shown,
    h("div", { class: "unseen" }, found),
    picture,
    at,
    h("table", { class: "sums" }, h("caption", {}, "What each phase collects in one layer"), h("thead", {}, h("tr", {}, ...heads)), sums),
    h("fieldset", { class: "pw-tasks" }, h("legend", {}, "Can you make …"), h("ul", {}, ...todo.map(({ item }) => item))),
  );

  // Drawing
  const colour = (o) => `var(--p${((o % now.stride) + now.stride) % now.stride})`;
  const rectangle = (x, y, w, tall) => `M${x} ${y}h${w}v${tall}h${-w}z`;
  /** Rectangles as few paths: one for each colour and strength. */
  function cells(list) {
    const paths = new Map();
    for (const [x, y, w, tall, fill, strength] of list) {
      const key = `${fill}|${(strength && 0.12 + 0.88 * strength).toFixed(2)}`;
      paths.set(key, (paths.get(key) ?? "") + rectangle(x.toFixed(2), y.toFixed(2), w.toFixed(2), tall.toFixed(2)));
    }
    return [...paths].map(([key, d]) => svg("path", { d, fill: key.split("|")[0], "fill-opacity": key.split("|")[1] }));
  }
  const words = (x, y, text, more) => svg("text", { x, y, ...more }, text);

  function drawLine() {
    const { m, from, count } = now;
    const [text, gap] = [18, 26];
    const cell = now.width / count;
    const thick = cell > 4 ? cell - 1.5 : cell;
    const top = Math.max(...m.kernel.map(Math.abs), 1e-9);
    const rows = Math.min(12, Math.ceil(m.kernel.length / m.period));
    const tall = Math.max(7, Math.min(15, 84 / rows));
    const parts = [];
    const list = [];
    let y = text;
    parts.push(words(0, y - 6, now.layers > 1 ? `stamps of the ${now.layers} layers as one, ${m.period} apart` : `stamps of the kernel, ${now.stride} apart`, { class: "row" }));
    for (let i = Math.floor((from - m.kernel.length) / m.period); i * m.period < from + count; i++)
      m.kernel.forEach((weight, t) => {
        const o = i * m.period + t - from;
        if (o < 0 || o >= count) return;
        list.push([o * cell, y + (((i % rows) + rows) % rows) * tall, thick, tall - 2, colour(o + from), Math.abs(weight) / top]);
      });
    y += rows * tall + gap;
    const most = Math.max(...now.counts);
    parts.push(words(0, y - 6, "how many reach each pixel", { class: "row" }));
    now.counts.forEach((value, o) => {
      const height = Math.max(1, (40 * value) / most);
      list.push([o * cell, y + 40 - height, thick, height, colour(o + from), 0.4]);
      if (cell > 18) parts.push(words((o + 0.5) * cell, y + 36, value, { "text-anchor": "middle" }));
    });
    y += 40 + gap;
    for (const [name, values] of [["output for a constant 1", now.constant], ["output for a step from 0 to 1", now.step]]) {
      const [low, high] = [Math.min(0, ...now.constant, ...now.step), Math.max(0, ...now.constant, ...now.step)];
      const unit = 70 / (high - low || 1);
      const zero = y + high * unit;
      parts.push(words(0, y - 6, name, { class: "row" }));
      values.forEach((value, o) => list.push([o * cell, zero - Math.max(0, value) * unit, thick, Math.max(0.8, Math.abs(value) * unit), colour(o + from), 0.8]));
      parts.push(svg("path", { class: "axis", d: `M0 ${zero}H${now.width}` }));
      y += 70 + gap;
    }
    const bottom = y - gap + 4;
    parts.push(svg("rect", { class: "cursor", x: cursor[0] * cell - 1, y: text - 2, width: Math.max(3, thick + 2), height: bottom - text + 2 }));
    return svg("svg", { viewBox: `0 0 ${now.width} ${bottom + 4}`, "aria-hidden": "true" }, ...cells(list), ...parts);
  }

  function drawPlane() {
    const { counts, constant, step, count, side } = now;
    const cell = side / count;
    const parts = [];
    const maps = [
      ["how many reach it", counts, counts],
      ["constant 1", constant, constant],
      ["a step, left to right", constant, step],
    ];
    maps.forEach(([name, down, across], i) => {
      const [x0, y0] = [(i % now.columns) * (side + 12), Math.floor(i / now.columns) * (side + 30) + 22];
      const values = down.map((a) => across.map((b) => a * b));
      const top = Math.max(...values.flat().map(Math.abs), 1e-9);
      const list = values.flatMap((row, v) =>
        row.map((value, u) => [x0 + u * cell, y0 + v * cell, cell + 0.3, cell + 0.3, value < -1e-9 ? "var(--p1)" : "var(--p0)", Math.abs(value) / top]),
      );
      parts.push(...cells(list), words(x0, y0 - 7, name, { class: "row" }));
      parts.push(svg("rect", { class: "cursor", x: x0 + cursor[0] * cell, y: y0 + cursor[1] * cell, width: cell, height: cell }));
    });
    const height = Math.ceil(3 / now.columns) * (side + 30);
    return svg("svg", { viewBox: `0 0 ${now.width} ${height}`, "aria-hidden": "true" }, ...parts);
  }

  /** What the pixel under the cursor collects, in words. */
  function place() {
    const { m, from, weights, stride: s } = now;
    const along = (o) => weights.map((w, t) => [t, w]).filter(([t]) => t % s === ((o % s) + s) % s);
    const sum = (o) => along(o).map(([, w]) => short(w)).join(" + ").replaceAll("+ −", "− ") || "0";
    if (now.plane) {
      const [u, v] = cursor;
      return `Output pixel [${v}, ${u}]: reached ${now.counts[v] * now.counts[u]} times; a constant 1 comes out as ${short(now.constant[v] * now.constant[u])}, the step as ${short(now.constant[v] * now.step[u])}`;
    }
    const o = cursor[0] + from;
    const phase = ((o % m.period) + m.period) % m.period;
    const result = short(now.constant[cursor[0]]);
    const names = along(o).map(([t]) => t).join(" and ") || "none";
    const how = now.layers > 1 ? `${now.counts[cursor[0]]} paths` : `taps ${names}: ${sum(o)} `;
    return `Output pixel ${o}, phase ${phase}: ${how}${now.layers > 1 ? ", a constant 1 comes out as" : "="} ${result}; for the step ${short(now.step[cursor[0]])}`;
  }

  function redraw() {
    const [k, s, n] = [get("kernel", 1, 8), get("stride", 1, 4), get("layers", 1, 3)];
    const weights = taps(model.get("weights"), k);
    const m = measure(weights, s, n);
    const plane = model.get("dimensions") === 2;
    const width = Math.max(240, picture.clientWidth);
    const columns = width > 480 ? 3 : 2;
    const side = (width - 12 * (columns - 1)) / columns;
    const least = width > 480 ? 24 : 16;
    const count = plane ? Math.max(12, Math.min(48, 2 * m.period)) : Math.max(least, Math.min(320, m.kernel.length + 2 * m.period));
    const from = plane ? -Math.floor(count / 4) : -Math.max(4, Math.min(m.period, count >> 2));
    const repeat = (values) => Array.from({ length: count }, (_, i) => values[(((i + from) % m.period) + m.period) % m.period]);
    now = { weights, stride: s, layers: n, m, plane, width, columns, side, count, from, counts: repeat(m.counts), constant: repeat(m.sums) };
    now.step = response(m.kernel, m.period, "step", from, from + count);
    cursor = cursor.map((place) => Math.min(place, count - 1));

    start.set(`${k} ${s} ${model.get("weights")}`);
    kernel.set(k);
    stride.set(s);
    layers.set(n);
    dimensions.set(plane ? 2 : 1);
    inputs.forEach(({ input, label }, t) => {
      label.hidden = t >= k;
      label.style.setProperty("--phase", `var(--p${t % s})`);
      if (t < k && Number(input.value || NaN) !== weights[t] && root.getRootNode().activeElement !== input) input.value = weights[t];
    });
    const [word, why] = verdict(m, k, s, plane);
    shown.replaceChildren(h("span", { class: "verdict" }, word), why);
    say(`${word}. ${why}`);
    sums.replaceChildren(
      ...m.layerSums.map((sum, p) => {
        const mine = weights.map((w, t) => [w, t]).filter(([, t]) => t % s === p);
        const swatch = h("span", { class: "swatch" });
        swatch.style.setProperty("--phase", `var(--p${p})`);
        const added = mine.length > 1 ? `${mine.map(([w]) => short(w)).join(" + ").replaceAll("+ −", "− ")} = ` : "";
        return h("tr", {}, h("th", { scope: "row" }, swatch, String(p)), h("td", {}, mine.map(([, t]) => t).join(", ") || "none"), h("td", {}, `${added}${short(sum)}`));
      }),
    );
    tasks(m, k, s).forEach(([, met], i) => {
      write(todo[i].state, met ? "✓ done" : "○ open");
      todo[i].item.classList.toggle("met", met);
    });
    draw();
  }
  function draw() {
    picture.replaceChildren(now.plane ? drawPlane() : drawLine());
    write(at, place());
    const cells = now.plane ? now.count ** 2 : now.count;
    const values = { "aria-label": "Output pixel", "aria-valuemax": cells - 1, "aria-valuenow": cursor[0] + (now.plane ? cursor[1] * now.count : 0), "aria-valuetext": place() };
    for (const [name, value] of Object.entries(values)) picture.setAttribute(name, value);
  }
  const later = oncePerFrame(redraw);
  const laterDraw = oncePerFrame(draw);

  picture.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], Home: [-999, 0], End: [999, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const move = now.plane ? step : [step[0] - step[1], 0];
    cursor = cursor.map((place, i) => Math.max(0, Math.min(now.count - 1, place + move[i])));
    laterDraw();
  });
  function point(event) {
    const box = picture.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const inside = (where, size) => Math.max(0, Math.min(now.count - 1, Math.floor((where / size) * now.count)));
    cursor = now.plane ? [inside(x % (now.side + 12), now.side), inside((y % (now.side + 30)) - 22, now.side)] : [inside(x, now.width), 0];
    laterDraw();
  }
  picture.addEventListener("pointermove", point);
  picture.addEventListener("pointerdown", point);
  const resized = new ResizeObserver(later);
  resized.observe(picture);

  write(found, " ");
  redraw();
  const end = follow(model, ["kernel", "stride", "layers", "weights", "dimensions"], later);
  return () => {
    end();
    resized.disconnect();
    root.remove();
  };
}

export default { render, linked: ["kernel", "stride", "layers", "weights", "dimensions"] };
