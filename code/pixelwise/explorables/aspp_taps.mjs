// ASPP taps: at a large rate most taps of a dilated 3×3 kernel fall outside the map, and it becomes a 1×1.
import { choices, follow, frame, h, oncePerFrame, percent, slider, speaker, svg, write } from "./shared.mjs";

/** For each place of an axis, how many of the three taps at place − rate, place, place + rate lie inside. */
export function inside(length, rate) {
  return Array.from({ length }, (_, i) => 1 + (i >= rate) + (i + rate < length));
}

/** How many of nine taps see the map at each position, and how that is over the whole map. */
export function measure(height, width, rate) {
  const [rows, columns] = [inside(height, rate), inside(width, rate)];
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const share = (values, count) => values.filter((value) => value === count).length / values.length;
  return {
    rows, columns,
    mean: mean(rows) * mean(columns),
    all: share(rows, 3) * share(columns, 3),
    centre: share(rows, 1) * share(columns, 1),
  };
}

/** The nine taps at a position: [row, column, is it inside?], from top left to bottom right. */
export function tapsAt(height, width, rate, row, column) {
  return [-1, 0, 1].flatMap((v) =>
    [-1, 0, 1].map((u) => {
      const [y, x] = [row + v * rate, column + u * rate];
      return [y, x, y >= 0 && y < height && x >= 0 && x < width];
    }),
  );
}

/** What the state shows, in words. */
export function finding(height, width, rate, row, column, pooling) {
  if (pooling)
    return `Image pooling: every position of the ${height} × ${width} map reads the mean of all ${height * width}. No tap is lost, and every position gets the same answer.`;
  const m = measure(height, width, rate);
  const here = m.rows[row] * m.columns[column];
  const one = here === 9 ? "All nine taps see the map here" : here === 1 ? "Only the middle tap sees the map here; eight read padding" : `${here} of 9 taps see the map here; ${9 - here} read padding`;
  if (m.centre === 1) return `${one}. So it is at every position: at rate ${rate} this 3×3 convolution is a 1×1.`;
  const over = `Mean over the map: ${m.mean.toFixed(2)}`;
  if (m.all === 0) return `${one}. ${over}, and nowhere all nine.`;
  return `${one}. ${over}; all nine at ${percent(m.all)} of the positions.`;
}

/** What there is to do, and whether it's done. */
export function tasks(height, width, rate, row, column, pooling) {
  const here = measure(height, width, rate);
  return [
    ["A position where six of nine taps see the map", !pooling && here.rows[row] * here.columns[column] === 6],
    ["The smallest square map on which rate 18 keeps all nine somewhere", !pooling && rate === 18 && height === 37 && width === 37],
    ["On 22 × 30, the largest rate that keeps all nine at over half of the positions", !pooling && height === 22 && width === 30 && rate === 3],
  ];
}

const POOLING = "image pooling";
const RATES = [6, 12, 18, 24, 36];
const CSS = `
.pw-aspp-taps{--tap:light-dark(#0b62a8,#7db4ea);--lost:light-dark(#b84500,#f2a25f)}
.pw-aspp-taps .sides{display:grid;gap:.4rem 1.6rem;align-items:start}
.pw-aspp-taps .picture{margin-bottom:.5rem;cursor:crosshair;touch-action:none}
.pw-aspp-taps svg .outside{fill:none;stroke:var(--line);stroke-dasharray:4 4}
.pw-aspp-taps svg .edge{fill:none;stroke:var(--ink);stroke-width:1.5}
.pw-aspp-taps svg .arm{stroke:var(--ink);stroke-width:1.5;opacity:.55}
.pw-aspp-taps svg .seen{fill:var(--tap);stroke:var(--ground);stroke-width:2}
.pw-aspp-taps svg .lost{fill:none;stroke:var(--lost);stroke-width:2.5}
.pw-aspp-taps svg .here{fill:none;stroke:var(--ink);stroke-width:2.5}
.pw-aspp-taps .key svg{display:inline-block;width:1rem;height:1rem;vertical-align:-.15rem;margin:0 .2rem 0 .5rem}
.pw-aspp-taps td,.pw-aspp-taps tbody th{font-variant-numeric:tabular-nums;white-space:nowrap}
.pw-aspp-taps tr.now>*{font-weight:700;box-shadow:inset 0 -2px var(--fill)}
@container (min-width:34rem){.pw-aspp-taps .sides{grid-template-columns:3fr 2fr}}
`;

function render({ model, el }) {
  const get = (name, low, high) => Math.max(low, Math.min(high, Math.round(model.get(name)) || low));
  const root = frame(el, "aspp-taps", CSS);
  root.setAttribute("aria-label", "ASPP taps: how many taps of a dilated kernel see the map");
  const keysId = `pw-keys-${Math.random().toString(36).slice(2)}`;
  let now = {};

  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }
  const maps = choices("Feature map, at output stride 16", [["33 33", "33 × 33 (513 × 513 px)"], ["22 30", "22 × 30 (352 × 480 px)"]], (value) => {
    const [height, width] = value.split(" ").map(Number);
    change({ height, width, row: height >> 1, column: width >> 1 });
  });
  const branches = choices("Branch", [...RATES.slice(0, 3), 36].map((rate) => [rate, `rate ${rate}`]).concat([[POOLING, POOLING]]), (value) =>
    change(value === POOLING ? { branch: value } : { branch: "dilated", rate: value }),
  );
  const height = slider("Height", [4, 65], (value) => change({ height: value }));
  const width = slider("Width", [4, 65], (value) => change({ width: value }));
  const rate = slider("Rate", [1, 48], (value) => change({ rate: value, branch: "dilated" }));
  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);
  const shown = h("p", { class: "pw-finding", "aria-hidden": "true" });
  const heard = h("p", { class: "unseen", "aria-live": "polite" });
  const sayPlace = speaker(heard, 150);
  const picture = h("div", { class: "picture", tabindex: 0, role: "application", "aria-label": "Feature map: choose a position", "aria-describedby": keysId });
  const table = h("tbody");
  const heads = ["rate", "mean of 9", "all nine", "middle only"].map((words) => h("th", { scope: "col" }, words));
  const todo = tasks(4, 4, 1, 0, 0, true).map(([text]) => {
    const state = h("b");
    return { state, item: h("li", {}, state, text) };
  });
  const sign = (child) => svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, child);
  root.append(
    maps.element,
    branches.element,
    h("div", { class: "pw-settings" }, rate.element, height.element, width.element),
    shown,
    h("div", { class: "unseen" }, found),
    h(
      "div",
      { class: "sides" },
      h(
        "div",
        {},
        picture,
        h("p", { class: "soft key", id: keysId }, "Click, drag, or use the arrow keys to move the kernel.", sign(disc("seen", 8, 8, 6)), "sees the map", sign(cross(8, 8, 5)), "reads padding"),
      ),
      h("table", {}, h("caption", {}, "Over the whole map"), h("thead", {}, h("tr", {}, ...heads)), table),
    ),
    h("fieldset", { class: "pw-tasks" }, h("legend", {}, "Can you find …"), h("ul", {}, ...todo.map(({ item }) => item))),
    heard,
  );

  function disc(kind, x, y, r) {
    return svg("circle", { class: kind, cx: x, cy: y, r });
  }
  function cross(x, y, r) {
    return svg("path", { class: "lost", d: `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}` });
  }

  function draw() {
    const { H, W, r, row, column, pooling, m } = now;
    const border = pooling ? 1 : r;
    const cell = Math.min(picture.clientWidth || 300, 430) / (W + 2 * border);
    const [left, top] = [border * cell, border * cell];
    const size = [(W + 2 * border) * cell, (H + 2 * border) * cell];
    const at = (place) => (place + 0.5) * cell + border * cell;
    const parts = [svg("rect", { class: "outside", x: 1, y: 1, width: size[0] - 2, height: size[1] - 2 })];
    const fills = new Map();
    m.rows.forEach((v, y) =>
      m.columns.forEach((u, x) => {
        const count = pooling ? 9 : v * u;
        const square = `M${(left + x * cell).toFixed(2)} ${(top + y * cell).toFixed(2)}h${cell.toFixed(2)}v${cell.toFixed(2)}h${(-cell).toFixed(2)}z`;
        fills.set(count, (fills.get(count) ?? "") + square);
      }),
    );
    for (const [count, d] of fills) parts.push(svg("path", { d, fill: "var(--fill)", "fill-opacity": (0.06 + 0.05 * count).toFixed(2) }));
    parts.push(svg("rect", { class: "edge", x: left, y: top, width: W * cell, height: H * cell }));
    const [x, y] = [at(column), at(row)];
    if (pooling) {
      for (let v = 0; v < H; v++) for (let u = 0; u < W; u++) parts.push(disc("seen", at(u), at(v), Math.min(5, cell / 3)));
    } else
      for (const [v, u, sees] of tapsAt(H, W, r, row, column)) {
        const reach = Math.max(4, Math.min(9, cell * 0.7));
        parts.push(svg("path", { class: "arm", d: `M${x} ${y}L${at(u)} ${at(v)}` }));
        parts.push(sees ? disc("seen", at(u), at(v), reach) : cross(at(u), at(v), reach * 0.8));
      }
    const ring = Math.max(7, Math.min(13, cell));
    parts.push(disc("here", x, y, ring));
    const drawing = svg("svg", { viewBox: `0 0 ${size[0]} ${size[1]}`, "aria-hidden": "true" }, ...parts);
    drawing.style.maxWidth = `${size[0]}px`;
    picture.replaceChildren(drawing);
    now.cell = cell;
    now.border = border;
  }

  const redraw = () => {
    const [H, W, r] = [get("height", 4, 65), get("width", 4, 65), get("rate", 1, 48)];
    const [row, column, pooling] = [get("row", 0, H - 1), get("column", 0, W - 1), model.get("branch") === POOLING];
    now = { H, W, r, row, column, pooling, m: measure(H, W, r) };
    maps.set(`${H} ${W}`);
    branches.set(pooling ? POOLING : r);
    height.set(H);
    width.set(W);
    rate.set(r);
    const words = finding(H, W, r, row, column, pooling);
    write(shown, words);
    say(words);
    table.replaceChildren(
      ...[...new Set([...RATES, r])].sort((a, b) => a - b).map((each) => {
        const m = measure(H, W, each);
        const cells = [m.mean.toFixed(2), percent(m.all), percent(m.centre)].map((value) => h("td", {}, value));
        return h("tr", { class: each === r && !pooling ? "now" : "" }, h("th", { scope: "row" }, String(each)), ...cells);
      }),
    );
    tasks(H, W, r, row, column, pooling).forEach(([, met], i) => {
      write(todo[i].state, met ? "✓ found" : "○ open");
      todo[i].item.classList.toggle("met", met);
    });
    draw();
  };
  const later = oncePerFrame(redraw);

  function move(row, column, save) {
    const [y, x] = [Math.max(0, Math.min(now.H - 1, row)), Math.max(0, Math.min(now.W - 1, column))];
    model.set("row", y);
    model.set("column", x);
    if (save) model.save_changes();
    const seen = now.pooling ? "all positions" : `${now.m.rows[y] * now.m.columns[x]} of 9 taps inside`;
    sayPlace(`row ${y}, column ${x}: ${seen}`);
  }
  picture.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 5 : 1;
    const step = { ArrowLeft: [0, -far], ArrowRight: [0, far], ArrowUp: [-far, 0], ArrowDown: [far, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    move(get("row", 0, now.H - 1) + step[0], get("column", 0, now.W - 1) + step[1], true);
    later();
  });
  let held = false;
  function point(event) {
    const box = picture.firstChild.getBoundingClientRect();
    const at = (where) => Math.floor(where / now.cell) - now.border;
    move(at(event.clientY - box.top), at(event.clientX - box.left), false);
  }
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    picture.setPointerCapture(event.pointerId);
    held = true;
    point(event);
  });
  picture.addEventListener("pointermove", (event) => held && point(event));
  for (const name of ["pointerup", "pointercancel"])
    picture.addEventListener(name, () => {
      if (held) model.save_changes();
      held = false;
    });
  const resized = new ResizeObserver(later);
  resized.observe(picture);

  write(found, " ");
  redraw();
  const end = follow(model, ["height", "width", "rate", "row", "column", "branch"], later);
  return () => {
    end();
    resized.disconnect();
    root.remove();
  };
}

export default { render, linked: ["height", "width", "rate", "row", "column", "branch"] };
