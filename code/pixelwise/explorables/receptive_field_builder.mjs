// Receptive field builder: how far one unit sees through a list of layers, and which pixels in there it really reads.
import { choices, follow, frame, h, oncePerFrame, percent, slider, speaker, svg, write } from "./shared.mjs";

const LIMITS = { kernel: 15, stride: 4, dilation: 48 };
const MOST = 40; // layers
const LARGEST = 4096; // pixels that are followed one by one

/** Layers from text such as "7s2 3 3d2": kernel, stride and dilation of each; what isn't one is left out. */
export function parse(text) {
  return [...text.matchAll(/(?:^|\s)(\d{1,3})(?:s(\d{1,3}))?(?:d(\d{1,3}))?(?=\s|$)/g)].slice(0, MOST).map(([, ...numbers]) => {
    const [kernel, stride, dilation] = Object.values(LIMITS).map((most, i) => Math.max(1, Math.min(most, Number(numbers[i] ?? 1))));
    return { kernel, stride, dilation };
  });
}

/** The text that `parse` reads. */
export function written(layers) {
  return layers.map(({ kernel, stride, dilation }) => `${kernel}${stride > 1 ? `s${stride}` : ""}${dilation > 1 ? `d${dilation}` : ""}`).join(" ");
}

/** Size and jump of the receptive field behind each layer, in input pixels; first that of the input itself. */
export function walk(layers) {
  const steps = [{ size: 1, jump: 1 }];
  for (const { kernel, stride, dilation } of layers) {
    const { size, jump } = steps.at(-1);
    steps.push({ size: size + dilation * (kernel - 1) * jump, jump: jump * stride });
  }
  return steps;
}

/** From how many paths the unit gets each pixel of its window, along one axis; null if the window is too large. */
export function paths(layers) {
  if (walk(layers).at(-1).size > LARGEST) return null;
  let counts = [1];
  for (const { kernel, stride, dilation } of [...layers].reverse()) {
    const below = new Array((counts.length - 1) * stride + dilation * (kernel - 1) + 1).fill(0);
    counts.forEach((count, i) => {
      for (let t = 0; t < kernel; t++) below[i * stride + t * dilation] += count;
    });
    counts = below;
  }
  return counts;
}

/** The share of the window's pixels that are read, and of those how many its neighbour one unit on reads as well. */
export function coverage(counts, jump) {
  const read = counts.filter((count) => count > 0).length;
  const shared = counts.filter((count, i) => count > 0 && counts[i + jump] > 0).length;
  return { share: (read / counts.length) ** 2, shared: shared / read };
}

/** What the layers see, in words. */
export function finding(layers) {
  const { size, jump } = walk(layers).at(-1);
  const counts = paths(layers);
  const sees = `A unit sees ${size} × ${size} pixels, and its neighbour lies ${jump} ${jump === 1 ? "pixel" : "pixels"} on.`;
  if (!layers.length) return `${sees} Add a layer.`;
  if (!counts) return `${sees} That is too large to draw.`;
  const { share, shared } = coverage(counts, jump);
  if (share === 1) return `${sees} Some path reads each of them.`;
  const apart = shared === 0 ? " It shares not one pixel with its neighbour." : "";
  return `${sees} But only ${percent(share)} of them are read: ${layers.some(({ dilation }) => dilation > 1) ? "gridding" : "the stride skips pixels"}.${apart}`;
}

/** What there is to do, and whether it's done. */
export function tasks(layers) {
  const counts = paths(layers);
  const whole = counts !== null && counts.every((count) => count > 0);
  const all = (test) => layers.length > 0 && layers.every(test);
  const twos = layers.filter(({ kernel, stride, dilation }) => kernel === 3 && stride === 1 && dilation === 2).length;
  return [
    ["Three 3×3 layers of stride 1 that see 27 × 27 pixels, all of them", layers.length === 3 && all((l) => l.kernel === 3 && l.stride === 1) && counts.length === 27 && whole],
    ["Three layers of rate 2 and one more that closes their holes", layers.length === 4 && twos >= 3 && whole],
    ["Five 3×3 layers without dilation that see 200 pixels or more, all of them", layers.length === 5 && all((l) => l.kernel === 3 && l.dilation === 1) && whole && counts.length >= 200],
  ];
}

const NETWORKS = [
  ["FCN-AlexNet", "11s4 3s2 5 3s2 3 3 3 3s2 6"],
  ["FCN-VGG-16", "3 3 2s2 3 3 2s2 3 3 3 2s2 3 3 3 2s2 3 3 3 2s2 7"],
  ["FCN-GoogLeNet", "7s2 3s2 3 3s2 5 5 3s2 5 5 5 5 5 3s2 5 5 7"],
  ["ResNet-18", "7s2 3s2 3 3 3 3 3s2 3 3 3 3s2 3 3 3 3s2 3 3 3"],
  ["ResNet-50", "7s2 3s2 3 3 3 3s2 3 3 3 3s2 3 3 3 3 3 3s2 3 3"],
  ["ResNet-50 at stride 8", "7s2 3s2 3 3 3 3s2 3 3 3 3 3d2 3d2 3d2 3d2 3d2 3d2 3d4 3d4"],
];
const RATES = [
  ["1, 1, 1", "3 3 3"],
  ["2, 2, 2", "3d2 3d2 3d2"],
  ["2, 4, 8", "3d2 3d4 3d8"],
  ["1, 2, 9", "3 3d2 3d9"],
  ["1, 2, 5", "3 3d2 3d5"],
];
const UNITS = 6;
export const networks = () => NETWORKS;
const CSS = `
.pw-receptive-field-builder .views{display:grid;gap:.8rem 1.4rem;align-items:start;margin-bottom:.7rem}
.pw-receptive-field-builder .pyramid{cursor:crosshair}
.pw-receptive-field-builder canvas{display:block;width:100%;max-width:17rem;aspect-ratio:1;image-rendering:pixelated;border:1px solid var(--line)}
.pw-receptive-field-builder svg .cone{fill:var(--fill);opacity:.14}
.pw-receptive-field-builder svg .wire{stroke:var(--fill);stroke-width:1;opacity:.6;fill:none}
.pw-receptive-field-builder svg .reached{fill:var(--fill)}
.pw-receptive-field-builder svg .other{fill:var(--line);opacity:.35}
.pw-receptive-field-builder svg .row{fill:var(--soft)}
.pw-receptive-field-builder .layers{max-height:19rem;overflow:auto;margin-bottom:.5rem}
.pw-receptive-field-builder .layers table{margin:0}
.pw-receptive-field-builder td,.pw-receptive-field-builder th{vertical-align:middle;font-variant-numeric:tabular-nums;white-space:nowrap}
.pw-receptive-field-builder thead th{position:sticky;top:0;background:var(--ground);color:var(--soft);font-size:.85rem;z-index:1}
.pw-receptive-field-builder .layers input{width:3.6rem;min-height:2rem;margin:0;padding:.1rem .3rem;border:1px solid var(--line);border-radius:.3rem;background:transparent;color:inherit;font:inherit}
.pw-receptive-field-builder .layers button{min-height:2rem;min-width:2rem;padding:0 .4rem}
@container (min-width:34rem){.pw-receptive-field-builder .views{grid-template-columns:3fr 2fr}}
@container (max-width:25rem){
.pw-receptive-field-builder .layers :is(td,th){padding-right:.15rem;font-size:.85rem}
.pw-receptive-field-builder .layers input{width:2.1rem;padding:.1rem}
.pw-receptive-field-builder .layers thead th{font-size:.68rem}
.pw-receptive-field-builder .layers button{min-width:1.5rem;padding:0}}
`;

function render({ model, el }) {
  const root = frame(el, "receptive-field-builder", CSS);
  root.setAttribute("aria-label", "Receptive field builder: how far a unit sees through a list of layers");
  let layers = [];
  let scale = 1;
  let drawn; // the layers whose map is shown
  const rows = [];

  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }
  const keep = (list) => change({ layers: written(list) });
  const networks = choices("Networks", NETWORKS.map(([name, text]) => [text, name]), (value) => change({ layers: value }));
  const rates = choices("Three 3×3 layers with the rates", RATES.map(([name, text]) => [text, name]), (value) => change({ layers: value }));
  const unit = slider("Unit", [0, UNITS], (value) => change({ unit: value }));
  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);
  const shown = h("p", { class: "pw-finding", "aria-hidden": "true" });
  const pyramid = h("div", { class: "pyramid" });
  const map = h("canvas", { role: "img" });
  const where = h("p", { class: "soft" });
  const body = h("tbody");
  const add = h("button", { type: "button", onclick: () => keep([...layers, { ...(layers.at(-1) ?? { kernel: 3, stride: 1, dilation: 1 }) }]) }, "Add a layer");
  const todo = tasks([]).map(([text]) => {
    const state = h("b");
    return { state, item: h("li", {}, state, text) };
  });
  const heads = ["no.", "kernel", "stride", "dilation", "sees", "jump", ""].map((words) => (words ? h("th", { scope: "col" }, words) : h("td")));
  root.append(
    networks.element,
    rates.element,
    shown,
    h("div", { class: "unseen" }, found),
    h(
      "div",
      { class: "views" },
      h("figure", {}, h("figcaption", {}, "From one unit down to the input, along one axis"), pyramid, unit.element),
      h("figure", {}, h("figcaption", {}, "Its window in the picture; the stronger the colour, the more paths"), map, where),
    ),
    h("div", { class: "layers" }, h("table", {}, h("caption", {}, "Layers, from the input on"), h("thead", {}, h("tr", {}, ...heads)), body)),
    h("p", {}, add),
    h("fieldset", { class: "pw-tasks" }, h("legend", {}, "Can you build …"), h("ul", {}, ...todo.map(({ item }) => item))),
  );

  function rowAt(i) {
    const inputs = Object.entries(LIMITS).map(([name, most]) => {
      const edit = () => {
        const value = Math.max(1, Math.min(most, Math.round(Number(input.value)) || 1));
        keep(layers.map((layer, j) => (j === i ? { ...layer, [name]: value } : layer)));
      };
      const input = h("input", { type: "number", min: 1, max: most, "aria-label": `${name} of layer ${i + 1}`, oninput: edit });
      return [name, input];
    });
    const [sees, jump] = [h("td"), h("td")];
    const up = h("button", { type: "button", "aria-label": `Move layer ${i + 1} up`, onclick: () => keep(layers.toSpliced(i - 1, 2, layers[i], layers[i - 1])) }, "↑");
    const drop = h("button", { type: "button", "aria-label": `Remove layer ${i + 1}`, onclick: () => keep(layers.toSpliced(i, 1)) }, "×");
    up.disabled = i === 0;
    const row = h("tr", {}, h("th", { scope: "row" }, String(i + 1)), ...inputs.map(([, input]) => h("td", {}, input)), sees, jump, h("td", {}, up, " ", drop));
    return { row, inputs, sees, jump };
  }

  function drawPyramid(steps, counts) {
    const width = Math.max(240, pyramid.clientWidth);
    const { size, jump } = steps.at(-1);
    const extent = size + UNITS * jump;
    scale = width / extent;
    const tall = Math.max(9, Math.min(46, 260 / Math.max(1, layers.length)));
    const chosen = model.get("unit");
    const levels = [[Math.max(0, Math.min(UNITS, Math.round(chosen) || 0))]]; // from the last layer down to the input
    for (const { kernel, stride, dilation } of [...layers].reverse()) {
      const below = new Set();
      for (const place of levels.at(-1)) for (let t = 0; t < kernel; t++) below.add(place * stride + t * dilation);
      levels.push([...below].sort((a, b) => a - b));
    }
    const spot = levels.map((_, level) => {
      const step = steps[steps.length - 1 - level];
      return (place) => (place * step.jump + (step.size - 1) / 2 + 0.5) * scale;
    });
    const y = (level) => 12 + level * tall;
    const parts = [];
    const top = levels.map((places, level) => `${spot[level](places[0])},${y(level)}`);
    const back = levels.map((places, level) => `${spot[level](places.at(-1))},${y(level)}`).reverse();
    parts.push(svg("polygon", { class: "cone", points: [...top, ...back].join(" ") }));
    const edges = levels.slice(0, -1).reduce((sum, places, level) => sum + places.length * layers[layers.length - 1 - level].kernel, 0);
    if (edges <= 500) {
      let wires = "";
      levels.slice(0, -1).forEach((places, level) => {
        const { kernel, stride, dilation } = layers[layers.length - 1 - level];
        for (const place of places)
          for (let t = 0; t < kernel; t++) wires += `M${spot[level](place)} ${y(level)}L${spot[level + 1](place * stride + t * dilation)} ${y(level + 1)}`;
      });
      parts.push(svg("path", { class: "wire", d: wires }));
    }
    let dots = "";
    levels.slice(0, -1).forEach((places, level) => {
      const r = Math.max(1, Math.min(4.5, (scale * steps[steps.length - 1 - level].jump) / 2 - 0.5, tall / 3));
      for (const place of places) dots += `M${spot[level](place) - r} ${y(level)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
    });
    parts.push(svg("path", { class: "reached", d: dots }));
    const bottom = y(levels.length - 1);
    const cell = (place) => `M${place * scale} ${bottom}h${Math.max(0.5, scale > 3 ? scale - 1 : scale)}v10h${-Math.max(0.5, scale > 3 ? scale - 1 : scale)}z`;
    const first = levels[0][0] * jump;
    const read = new Set(levels.at(-1));
    const [on, off] = ["", ""].map((_, kind) => Array.from({ length: extent }, (_, i) => (read.has(i) === (kind === 0) ? cell(i) : "")).join(""));
    parts.push(svg("path", { class: "other", d: off }), svg("path", { class: "reached", d: on }));
    const left = first + size / 2 < extent / 2;
    parts.push(svg("text", { class: "row", x: left ? width : 0, y: 12, "text-anchor": left ? "end" : "start" }, `unit ${levels[0][0]}`));
    pyramid.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${bottom + 14}`, "aria-hidden": "true" }, ...parts));
    write(where, `Input pixels ${first} to ${first + size - 1}, rows and columns alike; ${counts.filter((count) => count > 0).length} of ${size} along each.`);
    return first;
  }

  function drawMap(counts) {
    const side = (map.width = map.height = Math.min(counts.length, 360));
    const most = Math.max(...counts);
    const roots = Array.from({ length: side }, (_, i) => {
      const [from, to] = [Math.floor((i * counts.length) / side), Math.ceil(((i + 1) * counts.length) / side)];
      return Math.sqrt(Math.max(...counts.slice(from, to)) / most);
    });
    const pixels = new ImageData(side, side);
    const words = new Uint32Array(pixels.data.buffer); // a pixel each: alpha, blue, green, red
    roots.forEach((v, row) => roots.forEach((u, column) => (words[row * side + column] = u * v && ((60 + 195 * u * v) << 24) | 0xbe742e)));
    map.getContext("2d").putImageData(pixels, 0, 0);
  }

  function redraw() {
    layers = parse(String(model.get("layers")));
    const [steps, counts] = [walk(layers), paths(layers)];
    const text = written(layers);
    networks.set(text);
    rates.set(text);
    const at = Math.max(0, Math.min(UNITS, Math.round(model.get("unit")) || 0));
    unit.set(at, `${at}`);
    const words = finding(layers);
    write(shown, words);
    say(words);
    while (rows.length < layers.length) body.append((rows[rows.length] = rowAt(rows.length)).row);
    while (rows.length > layers.length) rows.pop().row.remove();
    layers.forEach((layer, i) => {
      for (const [name, input] of rows[i].inputs) if (Number(input.value) !== layer[name] && !(input.value === "" && root.getRootNode().activeElement === input)) input.value = layer[name];
      write(rows[i].sees, String(steps[i + 1].size));
      write(rows[i].jump, String(steps[i + 1].jump));
    });
    add.disabled = layers.length >= MOST;
    tasks(layers).forEach(([, met], i) => {
      write(todo[i].state, met ? "✓ built" : "○ open");
      todo[i].item.classList.toggle("met", met);
    });
    pyramid.hidden = map.hidden = where.hidden = counts === null;
    if (!counts) return;
    drawPyramid(steps, counts);
    if (text !== drawn) drawMap(counts);
    drawn = text;
    const { share } = coverage(counts, steps.at(-1).jump);
    map.setAttribute("aria-label", `Window of ${counts.length} by ${counts.length} pixels, of which ${percent(share)} are read`);
  }
  const later = oncePerFrame(redraw);
  pyramid.addEventListener("pointerdown", (event) => {
    const { size, jump } = walk(layers).at(-1);
    const place = (event.clientX - pyramid.getBoundingClientRect().left) / scale - size / 2;
    change({ unit: Math.max(0, Math.min(UNITS, Math.round(place / jump))) });
  });
  const resized = new ResizeObserver(later);
  resized.observe(pyramid);

  write(found, " ");
  redraw();
  const end = follow(model, ["layers", "unit"], later);
  return () => {
    end();
    resized.disconnect();
    root.remove();
  };
}

export default { render, linked: ["layers", "unit"] };
