// Skip or not: depth and shortcuts, and what real runs recorded: gradients before the first step, losses while training.
import { choices, follow, frame, h, oncePerFrame, slider, speaker, svg, write } from "./shared.mjs";

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The geometric mean. */
export function geometric(values) {
  return Math.exp(mean(values.map(Math.log)));
}

/** The value at a share 0–1 of the way along a list, the nearest entry. */
export function along(values, share) {
  return values[Math.round(share * (values.length - 1))];
}

/** What a run says: gradient norms at the first layer, the last and a share of the way (geometric means over the seeds),
 * and the training loss over the last tenth of the points and at a share of the way (means); NaN where none was recorded. */
export function summary({ gradients, losses }, layer, step) {
  const norm = (share) => (gradients.length ? geometric(gradients.map((one) => along(one, share))) : NaN);
  const tail = (one) => one.slice(-Math.max(1, Math.floor(one.length / 10)));
  return {
    first: norm(0),
    last: norm(1),
    here: norm(layer),
    end: losses.length ? mean(losses.map((one) => mean(tail(one)))) : NaN,
    loss: losses.length ? mean(losses.map((one) => along(one, step))) : NaN,
  };
}

/** Three significant figures, without exponents for what a reader can picture. */
export function figure(value) {
  if (Number.isNaN(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)) {
    const [digits, power] = value.toExponential(1).split("e");
    return `${digits} × 10^${Number(power)}`;
  }
  return String(Number(value.toPrecision(3)));
}

/** What the chosen run says, in words, against the same depth with the other switch. */
export function finding(run, other) {
  const [now, then] = [summary(run, 0, 1), summary(other, 0, 1)];
  const name = `${run.kind}-${run.depth}`;
  const normed = run.norm === "yes" ? "" : " without batch normalisation";
  const ratio = now.first / now.last;
  const change =
    ratio > 3 ? `grows on its way back: ${figure(ratio)} times as large at the first layer as at the last` : ratio < 1 / 3 ? `shrinks on its way back: at the first layer it is 1/${figure(1 / ratio)} of the last's` : "is of one size from the last layer to the first";
  const size = now.first < 1e-2 ? `tiny (${figure(now.first)} at the first layer), and it ` : "";
  const start = Number.isNaN(ratio) ? `The gradient in ${name}${normed} was not looked into.` : `In ${name}${normed} the gradient ${size ? `is ${size}` : ""}${change}.`;
  if (Number.isNaN(now.end)) return `${start} This network was not trained in the recorded run.`;
  const gap = now.end - then.end;
  const versus = Math.abs(gap) < 0.05 ? "about as far as" : gap > 0 ? "not as far as" : "further than";
  const comparison = Number.isNaN(gap) ? "" : `, ${versus} ${other.kind}-${other.depth} (${then.end.toFixed(2)})`;
  return `${start} Trained, it comes down to a loss of ${now.end.toFixed(2)}${comparison}.`;
}

const [WIDTH, HEIGHT] = [320, 230];
const [LEFT, RIGHT, TOP, BOTTOM] = [38, 314, 10, 204];
const CSS = `
.pw-skip-or-not{--other:light-dark(#8b8a86,#7d8490)}
.pw-skip-or-not .views{display:grid;gap:1rem;margin-bottom:.7rem}
.pw-skip-or-not .switches{display:flex;flex-wrap:wrap;gap:0 1.6rem}
.pw-skip-or-not svg path{fill:none;stroke-linejoin:round}
.pw-skip-or-not .ghost{stroke:var(--other);stroke-width:1.2;opacity:.65}
.pw-skip-or-not .seed{stroke:var(--fill);stroke-width:1.2;opacity:.6}
.pw-skip-or-not .now{stroke:var(--fill);stroke-width:3}
.pw-skip-or-not .rival{stroke:light-dark(#c24a00,#ff9f50);stroke-width:2;stroke-dasharray:6 4}
.pw-skip-or-not .grid{stroke:var(--line);stroke-width:.6;opacity:.6}
.pw-skip-or-not .cursor{stroke:var(--ink);stroke-dasharray:4 3}
.pw-skip-or-not svg text{font-variant-numeric:tabular-nums}
.pw-skip-or-not svg text.y{text-anchor:end;fill:var(--soft);font-size:12px}
.pw-skip-or-not svg text.x{text-anchor:middle;fill:var(--soft);font-size:12px}
.pw-skip-or-not svg text.none{text-anchor:middle}
.pw-skip-or-not .chart{cursor:crosshair;touch-action:manipulation}
@container (min-width:38rem){.pw-skip-or-not .views{grid-template-columns:1fr 1fr}}
`;

function render({ model, el }) {
  const root = frame(el, "skip-or-not", CSS);
  root.setAttribute("aria-label", "Skip or not: depth and shortcuts, with the gradients and losses of real runs");
  const runs = model.get("runs");
  const [every, steps] = [model.get("every"), model.get("steps")];
  const depths = [...new Set(runs.map((run) => run.depth))].sort((a, b) => a - b);
  const trained = runs.filter((run) => run.losses.length);

  const within = (value, high) => Math.max(0, Math.min(high, Math.round(Number(value)) || 0));
  function now() {
    const depth = depths.includes(model.get("depth")) ? model.get("depth") : depths[0];
    const kind = model.get("kind") === "residual" ? "residual" : "plain";
    const norm = model.get("norm") === "no" ? "no" : "yes";
    return { depth, kind, norm, layer: within(model.get("layer"), 100), step: within(model.get("step"), 100) };
  }
  const find = (depth, kind, norm) => runs.find((run) => run.depth === depth && run.kind === kind && run.norm === norm) ?? { depth, kind, norm, gradients: [], losses: [] };
  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }

  const depth = choices("Layers", depths.map((depth) => [depth, String(depth)]), (value) => change({ depth: value }));
  const kind = choices("Shortcuts", [["plain", "none (plain)"], ["residual", "residual"]], (value) => change({ kind: value }));
  const norm = choices("Batch normalisation", [["yes", "yes"], ["no", "no"]], (value) => change({ norm: value }));
  const layer = slider("layer", [0, 100], (value) => change({ layer: value }));
  const step = slider("step", [0, 100], (value) => change({ step: value }));
  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);

  /** A chart that shows all runs faintly and one boldly; `to` maps a value to a share of the height. */
  function chart(pick, to, marks, xs, name) {
    const y = (value) => BOTTOM - (BOTTOM - TOP) * Math.max(-0.02, Math.min(1.02, to(value)));
    const x = (share) => LEFT + (RIGHT - LEFT) * share;
    const path = (values) => values.map((value, i) => `${i ? "L" : "M"}${x(values.length > 1 ? i / (values.length - 1) : 0).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const picture = svg("svg", { class: "chart", role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
    for (const [value, text] of marks) {
      picture.append(svg("path", { class: "grid", d: `M${LEFT} ${y(value)}H${RIGHT}` }), svg("text", { class: "y", x: LEFT - 6, y: y(value) + 4 }, text));
    }
    xs.forEach((text, i) => picture.append(svg("text", { class: "x", x: x(i / (xs.length - 1)) + [16, 0, -22][i], y: HEIGHT - 10 }, text)));
    for (const run of runs) for (const values of pick(run)) picture.append(svg("path", { class: "ghost", d: path(values) }));
    const front = svg("g");
    picture.append(front);
    picture.addEventListener("pointerdown", (event) => {
      const box = picture.getBoundingClientRect();
      const share = (((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (RIGHT - LEFT);
      change({ [name]: within(100 * share, 100) });
    });
    return {
      picture,
      show(all, average, share, none, rival) {
        const middle = (all) => path(all[0].map((_, i) => average(all.map((one) => one[i]))));
        front.replaceChildren(...all.map((values) => svg("path", { class: "seed", d: path(values) })));
        if (rival.length) front.append(svg("path", { class: "rival", d: middle(rival) }));
        if (all.length) front.append(svg("path", { class: "now", d: middle(all) }), svg("path", { class: "cursor", d: `M${x(share)} ${TOP}V${BOTTOM}` }));
        else front.append(svg("text", { class: "none", x: (LEFT + RIGHT) / 2, y: (TOP + BOTTOM) / 2 }, none));
      },
    };
  }
  const norms = runs.flatMap((run) => run.gradients.flat());
  const [low, high] = [Math.floor(Math.log10(Math.min(...norms))), Math.ceil(Math.log10(Math.max(...norms)))];
  const powers = Array.from({ length: high - low + 1 }, (_, i) => low + i).filter((power) => (power - low) % Math.ceil((high - low) / 6) === 0);
  const sizes = chart((run) => run.gradients, (value) => (Math.log10(value) - low) / (high - low), powers.map((power) => [10 ** power, power === 0 ? "1" : `1e${power}`]), ["first layer", "", "last layer"], "layer");
  const top = Math.ceil(Math.max(1, ...trained.flatMap((run) => run.losses.flat())));
  const curves = chart((run) => run.losses, (value) => value / top, Array.from({ length: top + 1 }, (_, i) => [i, String(i)]), ["step 1", "", `step ${steps}`], "step");
  const sizesTitle = h("figcaption");
  const curvesTitle = h("figcaption");
  root.append(
    h("div", { class: "switches" }, depth.element, kind.element, norm.element),
    found,
    h(
      "div",
      { class: "views" },
      h("figure", {}, sizesTitle, sizes.picture, layer.element),
      h("figure", {}, curvesTitle, curves.picture, step.element),
    ),
    h("p", { class: "soft" }, `Bold: this network, the mean of its seeds; thin: each seed; dashed: the same with the shortcuts switched; grey: all others. The sentence averages the last tenth of the steps. Recorded runs of this chapter, trained: ${[...new Set(trained.map((run) => run.depth))].join(" and ")} layers.`),
  );

  const draw = oncePerFrame(() => {
    const state = now();
    const run = find(state.depth, state.kind, state.norm);
    const other = find(state.depth, state.kind === "plain" ? "residual" : "plain", state.norm);
    const numbers = summary(run, state.layer / 100, state.step / 100);
    depth.set(state.depth);
    kind.set(state.kind);
    norm.set(state.norm);
    const [first] = run.gradients;
    const [curve] = run.losses;
    layer.set(state.layer, first ? `${Math.round((state.layer / 100) * (first.length - 1)) + 1}` : "–");
    step.set(state.step, curve ? `${Math.min(steps, (Math.round((state.step / 100) * (curve.length - 1)) + 1) * every)}` : "–");
    sizes.show(run.gradients, geometric, state.layer / 100, "not looked into", other.gradients);
    curves.show(run.losses, mean, state.step / 100, "not trained", other.losses);
    const name = `${run.kind}-${run.depth}${state.norm === "no" ? " without BN" : ""}`;
    write(sizesTitle, `Gradient norm before training, ${name}: ${figure(numbers.here)}`);
    write(curvesTitle, `Training loss, ${name}: ${Number.isNaN(numbers.loss) ? "–" : numbers.loss.toFixed(2)}`);
    sizes.picture.setAttribute("aria-label", `${name}: gradient norm ${figure(numbers.first)} at the first layer, ${figure(numbers.last)} at the last`);
    curves.picture.setAttribute("aria-label", curve ? `${name}: training loss ${numbers.end.toFixed(2)} at the end` : `${name}: not trained`);
    say(finding(run, other));
  });
  write(found, " ");
  const stop = follow(model, ["depth", "kind", "norm", "layer", "step"], draw);
  draw();
  return () => {
    stop();
    root.remove();
  };
}

export default { render, linked: ["depth", "kind", "norm", "layer", "step"] };
