// ASPP taps: at a large rate most taps of a dilated 3×3 kernel fall outside the map, and it becomes a 1×1.
import { checklist, choices, onArrows, onDrag, shownFinding, slider, spokenPlace } from "./shared/controls.mjs";
import { arrange, barRow, fold, frame, h, svg, table, uniqueId, write } from "./shared/dom.mjs";
import { mean, percent } from "./shared/numbers.mjs";
import { change, live, within } from "./shared/state.mjs";

/**
 * For each place of an axis, how many of the three taps at place − rate, place, place + rate lie inside.
 * @param {number} length
 * @param {number} rate
 * @returns {number[]} 1 to 3 each
 */
export function inside(length, rate) {
  return Array.from({ length }, (_, i) => 1 + Number(i >= rate) + Number(i + rate < length));
}

/**
 * How many of nine taps see the map at each position, and how that is over the whole map.
 * @param {number} height
 * @param {number} width
 * @param {number} rate
 * @returns {{ rows: number[], columns: number[], mean: number, all: number, centre: number }} taps inside along each
 *   axis, whose products are those at the positions; their mean; shares of positions with all nine and with one
 */
export function measure(height, width, rate) {
  const [rows, columns] = [inside(height, rate), inside(width, rate)];
  const share = (values, count) => values.filter((value) => value === count).length / values.length;
  return {
    rows,
    columns,
    mean: mean(rows) * mean(columns),
    all: share(rows, 3) * share(columns, 3),
    centre: share(rows, 1) * share(columns, 1),
  };
}

/**
 * The nine taps at a position, from top left to bottom right.
 * @param {number} height
 * @param {number} width
 * @param {number} rate
 * @param {number} row
 * @param {number} column
 * @returns {[number, number, boolean][]} row, column, is it inside?
 */
export function tapsAt(height, width, rate, row, column) {
  return [-1, 0, 1].flatMap((v) =>
    [-1, 0, 1].map((u) => {
      const [y, x] = [row + v * rate, column + u * rate];
      return /** @type {[number, number, boolean]} */ ([y, x, y >= 0 && y < height && x >= 0 && x < width]);
    }),
  );
}

/**
 * What the state shows, in words.
 * @param {number} height
 * @param {number} width
 * @param {number} rate
 * @param {number} row
 * @param {number} column
 * @param {boolean} pooling
 * @returns {string} sentences
 */
export function finding(height, width, rate, row, column, pooling) {
  if (pooling) {
    const reads = `every position of the ${height} × ${width} map reads the mean of all ${height * width}`;
    return `Image pooling: ${reads}. No tap is lost, and every position gets the same answer.`;
  }
  const m = measure(height, width, rate);
  const here = m.rows[row] * m.columns[column];
  let one = `${here} of 9 taps see the map here; ${9 - here} read padding`;
  if (here === 9) one = "All nine taps see the map here";
  if (here === 1) one = "Only the middle tap sees the map here; eight read padding";
  if (m.centre === 1) return `${one}. So it is at every position: at rate ${rate} this 3×3 convolution is a 1×1.`;
  const over = `Mean over the map: ${m.mean.toFixed(2)}`;
  if (m.all === 0) return `${one}. ${over}, and nowhere all nine.`;
  return `${one}. ${over}; all nine at ${percent(m.all)} of the positions.`;
}

/**
 * What there is to do, and whether it's done.
 * @param {number} height
 * @param {number} width
 * @param {number} rate
 * @param {number} row
 * @param {number} column
 * @param {boolean} pooling
 * @returns {[string, boolean][]} tasks
 */
export function tasks(height, width, rate, row, column, pooling) {
  const here = measure(height, width, rate);
  const map = pooling ? "" : `${height} × ${width}`;
  return [
    ["A position where six of nine taps see the map", !pooling && here.rows[row] * here.columns[column] === 6],
    ["The smallest square map on which rate 18 keeps all nine somewhere", rate === 18 && map === "37 × 37"],
    ["On 22 × 30, the largest rate that keeps all nine at over half of the positions", rate === 3 && map === "22 × 30"],
  ];
}

const POOLING = "image pooling";
const RATES = [6, 12, 18, 24, 36];
const NAMES = ["height", "width", "rate", "row", "column", "branch"];
const CSS = `
.pw-aspp-taps{--tap:light-dark(#0b62a8,#7db4ea);--lost:light-dark(#b84500,#f2a25f)}
.pw-aspp-taps .views{gap:.4rem 2rem;align-items:center}
.pw-aspp-taps .picture{touch-action:none}
.pw-aspp-taps .picture svg{margin:0 auto}
.pw-aspp-taps svg .outside{fill:none;stroke:var(--line);stroke-dasharray:4 4}
.pw-aspp-taps svg .edge{fill:none;stroke:var(--ink);stroke-width:1.5}
.pw-aspp-taps svg .arm{stroke:var(--ink);stroke-width:1.5;opacity:.55}
.pw-aspp-taps svg .seen{fill:var(--tap);stroke:var(--ground);stroke-width:2}
.pw-aspp-taps svg .lost{fill:none;stroke:var(--lost);stroke-width:2.5}
.pw-aspp-taps svg .here{fill:none;stroke:var(--ink);stroke-width:2.5}
.pw-aspp-taps .key svg{display:inline-block;width:1rem;height:1rem;vertical-align:-.15rem;margin:0 .2rem 0 .5rem}
.pw-aspp-taps :is(td,tbody th){font-variant-numeric:tabular-nums;white-space:nowrap}
.pw-aspp-taps .means td:nth-child(2){width:65%}
.pw-aspp-taps tr.now>*{font-weight:700}
.pw-aspp-taps tr:not(.now) .bar>i{opacity:.45}
@container (min-width:34rem){.pw-aspp-taps .views{grid-template-columns:1fr 1fr}}
`;

// State
function stateOf(model) {
  const [H, W] = [within(model.get("height"), 4, 65), within(model.get("width"), 4, 65)];
  const r = within(model.get("rate"), 1, 48);
  const [row, column] = [within(model.get("row"), 0, H - 1), within(model.get("column"), 0, W - 1)];
  return { H, W, r, row, column, pooling: model.get("branch") === POOLING, m: measure(H, W, r) };
}

// Elements
const disc = (kind, x, y, r) => svg("circle", { class: kind, cx: x, cy: y, r });
const cross = (x, y, r) =>
  svg("path", { class: "lost", d: `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}` });

function controlsOf(model) {
  const sizes = { "33 33": "33 × 33 (513 × 513 px)", "22 30": "22 × 30 (352 × 480 px)" };
  const maps = choices("Feature map, at output stride 16", Object.entries(sizes), (value) => {
    const [height, width] = value.split(" ").map(Number);
    change(model, { height, width, row: height >> 1, column: width >> 1 });
  });
  const rates = [6, 12, 18, 36].map((rate) => [rate, `rate ${rate}`]);
  const branches = choices("Branch", [...rates, [POOLING, POOLING]], (value) =>
    change(model, value === POOLING ? { branch: value } : { branch: "dilated", rate: value }),
  );
  const height = slider("Height", [4, 65], (value) => change(model, { height: value }));
  const width = slider("Width", [4, 65], (value) => change(model, { width: value }));
  const rate = slider("Rate", [1, 48], (value) => change(model, { rate: value, branch: "dilated" }));
  return { maps, branches, height, width, rate };
}

function build(root, model) {
  const keysId = uniqueId("keys");
  const controls = controlsOf(model);
  const { maps, branches, height, width, rate } = controls;
  const found = shownFinding();
  const place = spokenPlace();
  const label = { "aria-label": "Feature map: choose a position", "aria-describedby": keysId };
  const picture = h("div", { class: "picture", tabindex: 0, role: "application", ...label });
  const [rows, bars] = [h("tbody"), h("tbody")];
  const todo = checklist(tasks(4, 4, 1, 0, 0, true));
  const sign = (child) => svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, child);
  const key = h("p", { class: "soft key", id: keysId }, "Click, drag, or use the arrow keys to move the kernel.");
  key.append(sign(disc("seen", 8, 8, 6)), "sees the map", sign(cross(8, 8, 5)), "reads padding");
  const means = table("Taps that see the map, mean", [], bars, { class: "means" });
  const numbers = table("Over the whole map", ["rate", "mean of 9", "all nine", "middle only"], rows);
  const settings = h("div", { class: "pw-settings" }, rate.element, height.element, width.element);
  arrange(root, {
    seen: [key, h("div", { class: "views" }, picture, means)],
    said: [...found.elements, place.element],
    moved: [branches.element, maps.element, settings],
    boxes: [...todo.elements, fold("Numbers", numbers)],
  });
  return { ...controls, found, place, picture, rows, bars, todo };
}

// Drawing
function drawPicture(picture, { H, W, r, row, column, pooling, m }) {
  const border = pooling ? 1 : r; // cells
  const cell = Math.min(Math.min(picture.clientWidth || 300, 300) / (W + 2 * border), 300 / (H + 2 * border));
  const edge = border * cell;
  const size = [(W + 2 * border) * cell, (H + 2 * border) * cell];
  const at = (place) => (place + 0.5) * cell + edge;
  const parts = [
    svg("rect", { class: "outside", x: 1, y: 1, width: size[0] - 2, height: size[1] - 2 }),
    ...cellsOf(m, pooling, cell, edge),
    svg("rect", { class: "edge", x: edge, y: edge, width: W * cell, height: H * cell }),
  ];
  const [x, y] = [at(column), at(row)];
  if (pooling) {
    for (let v = 0; v < H; v++)
      for (let u = 0; u < W; u++) parts.push(disc("seen", at(u), at(v), Math.min(5, cell / 3)));
  } else {
    const reach = Math.max(4, Math.min(9, cell * 0.7));
    for (const [v, u, sees] of tapsAt(H, W, r, row, column)) {
      parts.push(svg("path", { class: "arm", d: `M${x} ${y}L${at(u)} ${at(v)}` }));
      parts.push(sees ? disc("seen", at(u), at(v), reach) : cross(at(u), at(v), reach * 0.8));
    }
  }
  parts.push(disc("here", x, y, Math.max(7, Math.min(13, cell))));
  const drawing = svg("svg", { viewBox: `0 0 ${size[0]} ${size[1]}`, "aria-hidden": "true" }, ...parts);
  drawing.style.maxWidth = `${size[0]}px`;
  picture.replaceChildren(drawing);
  return (where) => Math.floor(where / cell) - border; // the place of a pixel
}

// The positions as squares, one path for each number of taps
function cellsOf(m, pooling, cell, edge) {
  const fills = new Map();
  const side = cell.toFixed(2);
  m.rows.forEach((v, y) =>
    m.columns.forEach((u, x) => {
      const count = pooling ? 9 : v * u;
      const corner = `${(edge + x * cell).toFixed(2)} ${(edge + y * cell).toFixed(2)}`;
      fills.set(count, `${fills.get(count) ?? ""}M${corner}h${side}v${side}h${(-cell).toFixed(2)}z`);
    }),
  );
  const strength = (count) => (0.06 + 0.05 * count).toFixed(2);
  return [...fills].map(([count, d]) => svg("path", { d, fill: "var(--fill)", "fill-opacity": strength(count) }));
}

function show(view, { H, W, r, row, column, pooling }) {
  view.maps.set(`${H} ${W}`);
  view.branches.set(pooling ? POOLING : r);
  view.height.set(H);
  view.width.set(W);
  view.rate.set(r);
  view.found.say(finding(H, W, r, row, column, pooling));
  const rates = [...new Set([...RATES, r])].toSorted((a, b) => a - b);
  const all = rates.map((each) => ({ each, kind: each === r && !pooling ? "now" : "", m: measure(H, W, each) }));
  view.rows.replaceChildren(
    ...all.map(({ each, kind, m }) => {
      const cells = [m.mean.toFixed(2), percent(m.all), percent(m.centre)].map((value) => h("td", {}, value));
      return h("tr", { class: kind }, h("th", { scope: "row" }, String(each)), ...cells);
    }),
  );
  view.bars.replaceChildren(
    ...all.map(({ each, kind, m }) => {
      const line = barRow(`rate ${each}`, kind);
      line.bar.style.width = `${(100 * m.mean) / 9}%`;
      write(line.number, m.mean.toFixed(2));
      return line.row;
    }),
  );
  view.todo.set(tasks(H, W, r, row, column, pooling));
}

function render({ model, el }) {
  const root = frame(el, "aspp-taps", "ASPP taps: how many taps of a dilated kernel see the map", CSS);
  const view = build(root, model);
  let now;
  let placeOf;
  function redraw() {
    now = stateOf(model);
    show(view, now);
    placeOf = drawPicture(view.picture, now);
  }

  // Events
  function move(row, column, save) {
    const [y, x] = [within(row, 0, now.H - 1), within(column, 0, now.W - 1)];
    change(model, { row: y, column: x }, save);
    const seen = now.pooling ? "all positions" : `${now.m.rows[y] * now.m.columns[x]} of 9 taps inside`;
    view.place.say(`row ${y}, column ${x}: ${seen}`);
  }
  function point(event) {
    const box = view.picture.firstElementChild.getBoundingClientRect();
    move(placeOf(event.clientY - box.top), placeOf(event.clientX - box.left), false);
  }
  onArrows(view.picture, (rows, columns, event) => {
    const { row, column } = stateOf(model);
    const far = event.shiftKey ? 5 : 1;
    move(row + far * rows, column + far * columns, true);
  });
  onDrag(view.picture, {
    start(event) {
      if (event.button !== 0) return false;
      view.picture.setPointerCapture(event.pointerId);
      point(event);
    },
    move: point,
    end: () => model.save_changes(),
  });
  return live({ model, el, root }, NAMES, redraw, view.picture);
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
