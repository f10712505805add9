// Convolution arithmetic: what kernel, stride, padding and dilation do to a size, and that dilated is not transposed.
import { choices, follow, frame, h, oncePerFrame, slider, speaker, svg, write } from "./shared.mjs";

const FORWARD = "convolution";
const STAMPS = "transposed";
const ZEROS = "transposed, as zeros inserted";
const LIMITS = { input: [1, 8], kernel: [1, 5], stride: [1, 3], padding: [0, 4], dilation: [1, 3], output_padding: [0, 2] };

/** The output's size along one axis, and what goes with it; `problem` says why there is none. */
export function measure({ direction, input, kernel, stride, padding, dilation, output_padding: extra }) {
  const extent = dilation * (kernel - 1) + 1;
  if (direction === FORWARD) {
    const room = input + 2 * padding - extent;
    if (room < 0) return { extent, output: 0, unread: 0, problem: `The kernel covers ${extent} pixels, and the padded input has only ${input + 2 * padding}.` };
    const output = Math.floor(room / stride) + 1;
    let last = -1; // the last pixel of the input that is read
    for (let o = 0; o < output; o++) for (const pixel of taps({ kernel, stride, padding, dilation }, o)) if (pixel < input) last = Math.max(last, pixel);
    return { extent, output, unread: input - 1 - last, problem: "" };
  }
  const output = (input - 1) * stride - 2 * padding + extent + extra;
  let problem = output < 1 ? "The padding cuts everything off: nothing is left of the output." : "";
  if (extra >= Math.max(stride, dilation)) problem = `output_padding (${extra}) must be smaller than the stride (${stride}) or the dilation (${dilation}).`;
  return { extent, output: problem ? 0 : output, unread: 0, problem };
}

/** Where the taps lie when the window is at `place`, along one axis; outside the grid they are padding, or cut off.

A convolution at an output pixel reads these input pixels; a transposed one at an input pixel writes these output
pixels: the same wires. With zeros inserted, places among the spread input, where pixel i stands at i * stride. */
export function taps({ direction, kernel, stride, padding, dilation }, place) {
  const start = direction === ZEROS ? place - dilation * (kernel - 1) + padding : place * stride - padding;
  return Array.from({ length: kernel }, (_, t) => start + t * dilation);
}

/** How many places the window has along one axis. */
export const places = (state) => (state.direction === STAMPS ? (measure(state).problem ? 0 : state.input) : measure(state).output);

/** The size formula: with letters, and with the numbers. */
export function formula(state) {
  const { direction, input: n, kernel: k, stride: s, padding: p, dilation: d, output_padding: extra } = state;
  const { output, problem } = measure(state);
  const result = problem ? "–" : output;
  if (direction === FORWARD) return ["⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1", `⌊(${n} + 2·${p} − ${d}·(${k} − 1) − 1) / ${s}⌋ + 1 = ${result}`];
  return ["(n − 1)s − 2p + d(k − 1) + 1 + output_padding", `(${n} − 1)·${s} − 2·${p} + ${d}·(${k} − 1) + 1 + ${extra} = ${result}`];
}

/** What happens, in words. */
export function finding(state) {
  const { direction, input: n, kernel: k, stride: s, dilation: d } = state;
  const { output, extent, unread, problem } = measure(state);
  if (problem) return `No output. ${problem}`;
  const sizes = `${n} × ${n} becomes ${output} × ${output}`;
  if (direction === FORWARD) {
    const rest = unread ? ` The last ${unread === 1 ? "row and column are" : `${unread} rows and columns are`} never read.` : "";
    if (d > 1 && k > 1) return `${sizes}. The zeros stand between the taps of the kernel: ${k * k} taps spread over ${extent} × ${extent} pixels. Dilated, not transposed: nothing grows.${rest}`;
    return `${sizes}. Each output pixel reads ${k} × ${k} input pixels; the window moves on by ${s}.${rest}`;
  }
  if (direction === STAMPS) return `${sizes}. Each input pixel stamps the ${k} × ${k} kernel onto the output, ${s} apart; overlapping stamps add up.${s > 1 && output > n ? " The stride makes it grow." : ""}`;
  if (s === 1) return `${sizes}. At stride 1 no zeros are inserted: it is a convolution with the kernel turned round.`;
  return `${sizes}. The zeros stand between the pixels of the input, ${s - 1} in each gap, and the turned kernel moves on by 1. Transposed, not dilated: ${d > 1 ? "spreading the taps as well is another matter" : "the kernel is as dense as ever"}.`;
}

/** What there is to do, and whether it's done. */
export function tasks(state) {
  const { direction, input, kernel, dilation } = state;
  const { output, unread } = measure(state);
  return [
    ["A convolution of kernel 3 and dilation 2 that keeps the size", direction === FORWARD && kernel === 3 && dilation === 2 && output === input],
    ["A transposed convolution of kernel 3 that takes 4 × 4 to 8 × 8", direction !== FORWARD && kernel === 3 && input === 4 && output === 8],
    ["A convolution that never reads its last two rows", direction === FORWARD && unread === 2],
  ];
}

const NAMES = { input: "Input size n", kernel: "Kernel k", stride: "Stride s", padding: "Padding p", dilation: "Dilation d", output_padding: "Output padding" };
const START = { input: 5, kernel: 3, stride: 1, padding: 0, dilation: 1, output_padding: 0 };
const PRESETS = [
  ["same size", { direction: FORWARD, padding: 1 }],
  ["halve", { direction: FORWARD, input: 8, stride: 2, padding: 1 }],
  ["dilated", { direction: FORWARD, input: 7, dilation: 2 }],
  ["double: stamps", { direction: STAMPS, input: 3, kernel: 4, stride: 2, padding: 1 }],
  ["double: zeros", { direction: ZEROS, input: 3, kernel: 4, stride: 2, padding: 1 }],
].map(([name, state]) => [name, { ...START, ...state }]);
const CSS = `
.pw-convolution-arithmetic .picture{cursor:crosshair;touch-action:manipulation;margin-bottom:.5rem}
.pw-convolution-arithmetic svg .pixel{fill:var(--fill);fill-opacity:.16;stroke:var(--line)}
.pw-convolution-arithmetic svg .zero{fill:none;stroke:var(--line);opacity:.6}
.pw-convolution-arithmetic svg .nought{fill:var(--soft);text-anchor:middle;font-size:11px}
.pw-convolution-arithmetic svg .edge{fill:none;stroke:var(--line);stroke-dasharray:3 3}
.pw-convolution-arithmetic svg .on{fill:var(--fill);opacity:.85}
.pw-convolution-arithmetic svg .faint{fill:var(--fill);opacity:.3}
.pw-convolution-arithmetic svg .now{fill:none;stroke:var(--ink);stroke-width:3}
.pw-convolution-arithmetic svg .reach{fill:none;stroke:var(--fill);stroke-width:2.5}
.pw-convolution-arithmetic .formula{font-family:ui-monospace,monospace;font-size:.9rem;overflow-wrap:anywhere}
.pw-convolution-arithmetic .formula b{display:block}
`;

function render({ model, el }) {
  const root = frame(el, "convolution-arithmetic", CSS);
  root.setAttribute("aria-label", "Convolution arithmetic: sizes, and where the window reads and writes");
  const keysId = `pw-keys-${Math.random().toString(36).slice(2)}`;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let now = { ...START, direction: FORWARD };
  let at = [0, 0]; // row, column of the window
  let count = 0;
  let timer;

  function change(values, save = true) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    if (save) model.save_changes();
  }
  const same = (a, b) => [...Object.keys(LIMITS), "direction"].every((name) => a[name] === b[name]);
  const presets = choices("Try", PRESETS.map(([name]) => [name, name]), (name) => change({ ...PRESETS.find((each) => each[0] === name)[1], step: 0 }));
  const direction = choices("Direction", [FORWARD, STAMPS, ZEROS].map((name) => [name, name]), (value) => change({ direction: value, step: 0 }));
  const sliders = Object.entries(LIMITS).map(([name, limits]) => [name, slider(NAMES[name], limits, (value) => change({ [name]: value }))]);
  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);
  const shown = h("p", { class: "pw-finding", "aria-hidden": "true" });
  const heard = h("p", { class: "unseen", "aria-live": "polite" });
  const sayPlace = speaker(heard, 150);
  const [letters, numbers] = [h("span"), h("b")];
  const picture = h("div", { class: "picture", tabindex: 0, role: "application", "aria-label": "Window: move it with the arrow keys", "aria-describedby": keysId });
  const button = (name, onclick) => h("button", { type: "button", onclick }, name);
  const back = button("◀ Back", () => move(-1));
  const on = button("Step ▶", () => move(1));
  const play = button("Play", () => (timer ? pause() : tick()));
  const where = h("span", { class: "soft", id: keysId }, "or the arrow keys on the picture");
  const todo = tasks(now).map(([text]) => {
    const state = h("b");
    return { state, item: h("li", {}, state, text) };
  });
  root.append(
    presets.element,
    direction.element,
    h("div", { class: "pw-settings" }, ...sliders.map(([, each]) => each.element)),
    h("p", { class: "formula" }, letters, numbers),
    shown,
    h("div", { class: "unseen" }, found),
    picture,
    h("p", { class: "pw-row" }, back, on, play, where),
    h("fieldset", { class: "pw-tasks" }, h("legend", {}, "Can you set …"), h("ul", {}, ...todo.map(({ item }) => item))),
    heard,
  );

  // Steps
  const step = () => (((Math.round(model.get("step")) || 0) % count ** 2) + count ** 2) % count ** 2;
  function move(by, save = true) {
    if (!count) return;
    change({ step: (step() + by + count ** 2) % count ** 2 }, save);
    const lie = taps(now, Math.floor(step() / count));
    const across = taps(now, step() % count);
    const list = (values) => values.join(", ");
    sayPlace(`row ${Math.floor(step() / count)}, column ${step() % count}: taps at rows ${list(lie)} and columns ${list(across)}`);
  }
  function pause() {
    clearTimeout(timer);
    timer = undefined;
    write(play, "Play");
    model.save_changes();
  }
  function tick() {
    if (!root.isConnected || document.hidden || still.matches || !count) return pause();
    write(play, "Pause");
    timer = setTimeout(tick, 700);
    change({ step: (step() + 1) % count ** 2 }, false);
  }
  picture.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -count, ArrowDown: count }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    move(by);
  });

  // Drawing
  /** A grid of cells from `from` to `to` - 1 both ways, of which 0 to size - 1 are real; returns parts and a square's path. */
  function grid(x0, y0, cell, title, from, to, size, filled) {
    const square = (row, column, inset = 0, extent = 1) => {
      const side = extent * cell - 2 * inset;
      return `M${x0 + (column - from) * cell + inset} ${y0 + (row - from) * cell + inset}h${side}v${side}h${-side}z`;
    };
    let [real, edge, zero] = ["", "", ""];
    const noughts = [];
    const holds = (row, column) => Math.min(row, column) >= 0 && Math.max(row, column) < size && filled(row, column);
    for (let row = from; row < to; row++)
      for (let column = from; column < to; column++) {
        if (Math.min(row, column) < 0 || Math.max(row, column) >= size) edge += square(row, column, 1.5);
        else if (filled(row, column)) real += square(row, column, 1);
        else {
          zero += square(row, column, 1.5);
          noughts.push(svg("text", { class: "nought", x: x0 + (column - from + 0.5) * cell, y: y0 + (row - from + 0.5) * cell + 4 }, "0"));
        }
      }
    const parts = [["pixel", real], ["edge", edge], ["zero", zero]].map(([kind, d]) => svg("path", { class: kind, d }));
    if (cell > 13) parts.push(...noughts);
    parts.push(svg("text", { x: x0, y: y0 - 7 }, title));
    return { parts, square, holds };
  }

  function draw() {
    const { input: n, stride: s, padding: p, direction: way, output_padding: extra } = now;
    const m = measure(now);
    if (m.problem) return picture.replaceChildren();
    const spread = (n - 1) * s + 1;
    const ends = [taps(now, 0)[0], taps(now, count - 1).at(-1) + 1];
    const full = () => true;
    const [left, right] = {
      [FORWARD]: [[`input, ${n} × ${n}${p ? `, padded by ${p}` : ""}`, -p, n + p, n, full], [`output, ${m.output} × ${m.output}`, 0, m.output, m.output, full]],
      [STAMPS]: [[`input, ${n} × ${n}`, 0, n, n, full], [`output, ${m.output} × ${m.output}${p ? `, ${p} cut off` : ""}`, -p, Math.max(ends[1], m.output), m.output, full]],
      [ZEROS]: [
        [`input, ${["no zeros", "1 zero", "2 zeros"][s - 1]} between`, Math.min(0, ends[0]), Math.max(spread, ends[1]), spread, (row, column) => row % s === 0 && column % s === 0],
        [`output, ${m.output} × ${m.output}`, 0, m.output, m.output, full],
      ],
    }[way];
    const width = Math.max(240, picture.clientWidth);
    const wide = width > 480;
    const [a, b] = [left[2] - left[1], right[2] - right[1]];
    const cell = Math.min(34, wide ? (width - 50) / (a + b) : width / Math.max(a, b));
    const one = grid(1, 24, cell, ...left);
    const two = wide ? grid(a * cell + 48, 24, cell, ...right) : grid(1, a * cell + 60, cell, ...right);
    const [row, column] = at;
    const [down, across] = [taps(now, row), taps(now, column)];
    const [window, single] = way === STAMPS ? [two, one] : [one, two];
    const lit = (which) => down.flatMap((v) => across.filter((u) => window.holds(v, u) === which).map((u) => window.square(v, u, 2))).join("");
    const parts = [...one.parts, ...two.parts, svg("path", { class: "on", d: lit(true) }), svg("path", { class: "faint", d: lit(false) })];
    parts.push(svg("path", { class: "reach", d: window.square(down[0], across[0], 0, m.extent) }));
    parts.push(svg("path", { class: "on", d: single.square(row, column, 2) }), svg("path", { class: "now", d: single.square(row, column, 0) }));
    const height = 26 + (wide ? Math.max(a, b) * cell : (a + b) * cell + 38);
    picture.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...parts));
    now.hit = (x, y) => {
      const [x0, y0] = way === STAMPS ? [1, 24] : wide ? [a * cell + 48, 24] : [1, a * cell + 60];
      const [v, u] = [Math.floor((y - y0) / cell), Math.floor((x - x0) / cell)];
      return Math.min(v, u) >= 0 && Math.max(v, u) < count ? v * count + u : null;
    };
  }
  picture.addEventListener("pointerdown", (event) => {
    const box = picture.getBoundingClientRect();
    const hit = now.hit?.(event.clientX - box.left, event.clientY - box.top) ?? null;
    if (hit !== null) change({ step: hit });
  });

  function redraw() {
    const words = [FORWARD, STAMPS, ZEROS];
    now = { direction: words.includes(model.get("direction")) ? model.get("direction") : FORWARD };
    for (const [name, [low, high]] of Object.entries(LIMITS)) now[name] = Math.max(low, Math.min(high, Math.round(model.get(name)) || 0));
    count = places(now);
    at = count ? [Math.floor(step() / count), step() % count] : [0, 0];
    presets.set(PRESETS.find(([, state]) => same(state, now))?.[0]);
    direction.set(now.direction);
    for (const [name, each] of sliders) each.set(now[name]);
    sliders.at(-1)[1].element.hidden = now.direction === FORWARD;
    const [general, filled] = formula(now);
    write(letters, `output = ${general}`);
    write(numbers, `= ${filled}`);
    write(shown, finding(now));
    say(finding(now));
    back.disabled = on.disabled = play.disabled = !count;
    play.hidden = still.matches;
    tasks(now).forEach(([, met], i) => {
      write(todo[i].state, met ? "✓ set" : "○ open");
      todo[i].item.classList.toggle("met", met);
    });
    draw();
  }
  const later = oncePerFrame(redraw);
  const resized = new ResizeObserver(later);
  resized.observe(picture);

  write(found, " ");
  redraw();
  const end = follow(model, [...Object.keys(LIMITS), "direction", "step"], later);
  return () => {
    end();
    clearTimeout(timer);
    resized.disconnect();
    root.remove();
  };
}

export default { render, linked: [...Object.keys(LIMITS), "direction", "step"] };
