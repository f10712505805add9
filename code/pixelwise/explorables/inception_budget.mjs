// Inception budget: set the widths of an Inception module's branches, and see where its weights and operations go.
import { choices, follow, frame, h, oncePerFrame, slider, speaker, svg, write } from "./shared.mjs";

/** The widths of a module, in the order of the paper's table: name in the state, label, greatest value. */
const WIDTHS = [
  ["one", "1×1", 256],
  ["reduce3", "3×3 reduction", 192],
  ["three", "3×3", 320],
  ["reduce5", "5×5 reduction", 192],
  ["five", "5×5", 128],
  ["project", "pool projection", 192],
];

/** The weights (without biases) of every convolution, those of each branch in the other form, and channels out. */
export function count(widths, inputs, form) {
  const [one, reduce3, three, reduce5, five, project] = widths;
  const naive = form === "naive";
  const layers = naive
    ? [inputs * one, 0, 9 * inputs * three, 0, 25 * inputs * five, 0]
    : [inputs * one, inputs * reduce3, 9 * reduce3 * three, inputs * reduce5, 25 * reduce5 * five, inputs * project];
  return {
    layers,
    weights: layers.reduce((sum, layer) => sum + layer, 0),
    without: inputs * (one + 9 * three + 25 * five),
    channels: one + three + five + (naive ? inputs : project),
  };
}

/** From how many channels on a reduction before `outputs` filters of side `size` costs more than it saves. */
export function breakEven(inputs, outputs, size) {
  return Math.floor((inputs * size ** 2 * outputs) / (inputs + size ** 2 * outputs)) + 1;
}

const whole = (number) => Math.round(number).toLocaleString("en-US");
const times = (ratio) => `${ratio.toFixed(2)} times`;

/** What the numbers say, in words. */
export function finding(widths, paper, inputs, side, form) {
  const { layers, weights, without, channels } = count(widths, inputs, form);
  const reduced = count(widths, inputs, "reduced").weights;
  if (!weights || !reduced) return `No weights: ${channels} channels go on to the next module.`;
  if (form === "naive")
    return `Without reductions: ${whole(weights)} weights, ${times(weights / reduced)} as many as with them. And ${channels} channels go on to the next module, for the pool passes all ${inputs} through.`;
  const wasted = [[1, 2, 3, "3×3"], [3, 4, 5, "5×5"]].find(([r, out, size]) => widths[r] >= breakEven(inputs, widths[out], size));
  if (wasted) {
    const [r, out, size, name] = wasted;
    return `The ${name} reduction to ${widths[r]} channels costs more than it saves: with ${widths[out]} filters behind it, that begins at ${breakEven(inputs, widths[out], size)}.`;
  }
  const base = count(paper, inputs, "reduced").weights;
  const change = 100 * (weights / base - 1);
  const than = Math.abs(change) < 0.05 ? "as many as the paper's" : `${Math.abs(change).toFixed(1)} % ${change < 0 ? "fewer" : "more"} than the paper's`;
  const largest = layers.indexOf(Math.max(...layers));
  return `${whole(weights)} weights, ${than}, and ${(weights * side ** 2 / 1e6).toFixed(0)} million multiply-adds: ${times(without / weights)} fewer than without reductions. The ${WIDTHS[largest][1]} convolution alone takes ${((100 * layers[largest]) / weights).toFixed(0)} %.`;
}

/** Tasks, and whether a state meets them. */
export function tasks(widths, paper, inputs, form) {
  const { weights, channels } = count(widths, inputs, form);
  const budget = count(paper, inputs, "reduced");
  const [, reduce3, three, reduce5, five] = widths;
  const reduced = form === "reduced";
  return [
    [
      `Beat the paper: ${budget.channels} channels or more, reductions as wide as its own (${paper[1]} and ${paper[3]}), and a fifth fewer weights`,
      reduced && channels >= budget.channels && reduce3 >= paper[1] && reduce5 >= paper[3] && weights <= 0.8 * budget.weights,
    ],
    [
      `Large filters for all: 64 or more from the 5×5 branch and ${paper[2]} or more from the 3×3, within the paper's ${whole(budget.weights)}`,
      reduced && five >= 64 && three >= paper[2] && weights <= budget.weights,
    ],
    [
      "A reduction that costs more than it saves",
      reduced && ((three > 0 && reduce3 >= breakEven(inputs, three, 3)) || (five > 0 && reduce5 >= breakEven(inputs, five, 5))),
    ],
    [
      `No reductions, and still within the paper's budget: 64 from the 3×3 branch, 8 from the 5×5`,
      !reduced && three >= 64 && five >= 8 && weights <= budget.weights,
    ],
  ];
}

const CSS = `
.pw-inception-budget .views{display:grid;gap:1rem;margin-bottom:.7rem}
.pw-inception-budget figure{max-width:27rem}
.pw-inception-budget svg .pipe{fill:light-dark(#bcd3ea,#2d4a68)}
.pw-inception-budget svg .box{fill:light-dark(#fdfcf9,#11161c);stroke:var(--ink);stroke-width:1.2}
.pw-inception-budget svg .heat{fill:light-dark(#e07b39,#d9783a)}
.pw-inception-budget svg text{text-anchor:middle;font-variant-numeric:tabular-nums}
.pw-inception-budget svg text.soft{fill:var(--soft);font-size:12px}
.pw-inception-budget .costs td:last-child{text-align:right;padding-right:0;font-variant-numeric:tabular-nums;white-space:nowrap}
.pw-inception-budget .costs td:nth-child(2){width:45%}
.pw-inception-budget .bar>i{background:light-dark(#c65f1d,#d9783a)}
.pw-inception-budget .yours th,.pw-inception-budget .yours td{font-weight:600}
@container (min-width:38rem){.pw-inception-budget .views{grid-template-columns:1.15fr 1fr}}
`;

function render({ model, el }) {
  const root = frame(el, "inception-budget", CSS);
  root.setAttribute("aria-label", "Inception budget: set the widths of the branches, see what they cost");
  const inputs = model.get("inputs");
  const side = model.get("side");
  const paper = model.get("paper");

  const clamp = (value, high) => Math.max(0, Math.min(high, Math.round(Number(value)) || 0));
  const widthsNow = () => WIDTHS.map(([name, , high]) => clamp(model.get(name), high));
  const formNow = () => (model.get("form") === "naive" ? "naive" : "reduced");
  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }

  const form = choices("Module", [["reduced", "with 1×1 reductions"], ["naive", "naive, without"]], (value) => change({ form: value }));
  const sliders = WIDTHS.map(([name, label, high]) => slider(label, [0, high], (value) => change({ [name]: value })));
  const back = h("button", { type: "button", onclick: () => change({ form: "reduced", ...Object.fromEntries(WIDTHS.map(([name], i) => [name, paper[i]])) }) }, "The paper's widths");
  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);
  const diagram = svg("svg", { role: "img", viewBox: "0 0 380 330" });
  const row = (title, kind) => {
    const bar = h("i");
    const number = h("td");
    return { bar, number, element: h("tr", { class: kind }, h("th", { scope: "row" }, title), h("td", {}, h("div", { class: "bar", "aria-hidden": "true" }, bar)), number) };
  };
  const rows = WIDTHS.map(([, label]) => row(label));
  const totals = [row("yours", "yours"), row("the paper's"), row("yours, naive")];
  const operations = h("p", { class: "soft" });
  const list = tasks(paper, paper, inputs, "reduced").map(([text]) => {
    const mark = h("b");
    return { mark, item: h("li", {}, mark, text) };
  });
  const table = (title, all) => h("table", { class: "costs" }, h("caption", {}, title), h("tbody", {}, ...all.map((one) => one.element)));
  root.append(
    form.element,
    h("div", { class: "pw-settings" }, ...sliders.map((one) => one.element)),
    h("p", { class: "pw-row" }, back),
    found,
    h(
      "div",
      { class: "views" },
      h("figure", {}, h("figcaption", {}, "Breadth: channels. Filling: share of the weights."), diagram),
      h("div", {}, table("Weights by convolution", rows), table("Weights of the module", totals), operations),
    ),
    h("fieldset", {}, h("legend", {}, "Challenges"), h("ul", { class: "pw-tasks" }, ...list.map((one) => one.item))),
  );

  /** Branches as pipes from top to bottom: as broad as they have channels. */
  function drawModule(widths, layers, weights, naive, channels) {
    const scale = 0.25; // pixels of breadth for a channel
    const [one, reduce3, three, reduce5, five, project] = widths;
    const branches = [
      [["1×1", one, 0]],
      naive ? [["3×3", three, 2]] : [["1×1", reduce3, 1], ["3×3", three, 2]],
      naive ? [["5×5", five, 4]] : [["1×1", reduce5, 3], ["5×5", five, 4]],
      naive ? [["pool", inputs, -1]] : [["pool", inputs, -1], ["1×1", project, 5]],
    ];
    diagram.replaceChildren();
    const pipe = (x, top, bottom, from, to = from) => {
      const [a, b] = [Math.max(from * scale, 0.5) / 2, Math.max(to * scale, 0.5) / 2];
      diagram.append(svg("path", { class: "pipe", d: `M${x - a} ${top}H${x + a}L${x + b} ${bottom}H${x - b}Z` }));
    };
    const text = (x, y, words, kind) => diagram.append(svg("text", { x, y, class: kind }, words));
    text(190, 14, `${inputs} channels in, to each branch`, "soft");
    branches.forEach((steps, i) => {
      const x = 47 + 95 * i;
      let before = inputs;
      let top = 24;
      const first = steps.length === 2 ? 52 : 122;
      steps.forEach(([name, width, layer], k) => {
        const y = k ? 172 : first;
        pipe(x, top, y, before);
        const share = layer < 0 ? 0 : layers[layer] / weights || 0;
        diagram.append(svg("rect", { class: "box", x: x - 40, y, width: 80, height: 44, rx: 6 }));
        diagram.append(svg("rect", { class: "heat", x: x - 39, y: y + 43 - 6, width: 78 * share, height: 6, rx: 2 }));
        text(x, y + 16, name);
        text(x, y + 31, layer < 0 ? "no weights" : layers[layer] >= 1000 ? `${(layers[layer] / 1000).toFixed(1)} k` : String(layers[layer]), "soft");
        before = width;
        top = y + 44;
        if (k < steps.length - 1) text(x + Math.max(14, (width * scale) / 2 + 14), top + 20, String(width), "soft");
      });
      pipe(x, top, 268, before);
      text(x + (before * scale > 30 ? 0 : 18), 250, String(before), before * scale > 30 ? "" : "soft");
    });
    // The concatenation: the four side by side
    let from = 190 - (channels * scale) / 2;
    [one, three, five, naive ? inputs : project].forEach((width, i) => {
      const [x, half] = [47 + 95 * i, (width * scale) / 2];
      diagram.append(svg("path", { class: "pipe", d: `M${x - half} 268H${x + half}L${from + 2 * half} 304H${from}Z` }));
      from += 2 * half;
    });
    text(190, 322, `${channels} channels out`);
  }

  const draw = oncePerFrame(() => {
    const widths = widthsNow();
    const kind = formNow();
    const naive = kind === "naive";
    const { layers, weights, without, channels } = count(widths, inputs, kind);
    const base = count(paper, inputs, "reduced").weights;
    form.set(kind);
    WIDTHS.forEach(([, label], i) => {
      sliders[i].set(widths[i]);
      sliders[i].input.disabled = naive && [1, 3, 5].includes(i);
      const most = Math.max(...layers) || 1;
      rows[i].bar.style.width = `${(100 * layers[i]) / most}%`;
      write(rows[i].number, whole(layers[i]));
    });
    const all = [weights, base, without];
    totals.forEach(({ bar, number }, i) => {
      bar.style.width = `${(100 * all[i]) / Math.max(...all)}%`;
      write(number, whole(all[i]));
    });
    write(operations, `Each weight is used at ${side} × ${side} places: ${whole(weights * side ** 2)} multiply-adds. Weights are what a module costs; what it can learn they do not say.`);
    drawModule(widths, layers, weights, naive, channels);
    diagram.setAttribute("aria-label", `Four branches on ${inputs} channels put out ${widths[0]}, ${widths[2]}, ${widths[4]} and ${naive ? inputs : widths[5]} channels, ${channels} in all.`);
    tasks(widths, paper, inputs, kind).forEach(([, met], i) => {
      write(list[i].mark, met ? "✓ met" : "○ open");
      list[i].item.classList.toggle("met", met);
    });
    say(finding(widths, paper, inputs, side, kind));
  });
  write(found, " ");
  const stop = follow(model, ["form", ...WIDTHS.map(([name]) => name)], draw);
  draw();
  return () => {
    stop();
    root.remove();
  };
}

export default { render, linked: [...WIDTHS.map(([name]) => name), "form"] };
