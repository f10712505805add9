// Pareto front: what networks cost against what they bring, under a price, a score and a budget of the reader's choice.
import { choices, follow, frame, h, oncePerFrame, slider, speaker, svg, write } from "./shared.mjs";

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The indices of the [price, score] pairs that no other beats in one respect without being worse in the other. */
export function frontOf(points) {
  const beaten = ([price, score]) => points.some(([p, s]) => p <= price && s >= score && (p < price || s > score));
  return points.flatMap((point, i) => (beaten(point) ? [] : [i]));
}

/** The index of the best score among the pairs whose price is within the budget, the cheaper of equals; -1 if none is. */
export function bestWithin(points, budget) {
  const order = ([pa, sa], [pb, sb]) => sb - sa || pa - pb;
  const open = points.map((point, i) => [...point, i]).filter(([price]) => price <= budget);
  return open.length ? open.sort(order)[0][2] : -1;
}

/** Student's t of paired differences: mean over standard error; NaN for fewer than two pairs. */
export function pairedT(first, second) {
  const d = first.map((value, i) => value - second[i]);
  const spread = Math.sqrt(d.reduce((sum, value) => sum + (value - mean(d)) ** 2, 0) / (d.length - 1));
  return (mean(d) * Math.sqrt(d.length)) / spread;
}

/** Student's t beyond which one of twenty equal pairs lies, two-sided, by the number of seeds. */
export const critical = (seeds) => [NaN, NaN, 12.706, 4.303, 3.182, 2.776][seeds] ?? 2.571;

/** A price from its place 0-100 on the logarithmic axis that spans all prices. */
export function priceAt(place, prices) {
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  return place >= 100 ? high : low * (high / low) ** (place / 100);
}

/** A number with two significant figures, or whole. */
export function short(value) {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}

/** What the chosen price, score and budget say, in words. */
export function finding(names, points, seeds, budget, price, score) {
  const [front, best] = [frontOf(points), bestWithin(points, budget)];
  const rest = points.map(([p], i) => i).filter((i) => i !== best && points[i][0] <= budget);
  const second = rest.sort((a, b) => points[b][1] - points[a][1])[0];
  const head = `Within ${short(budget)} ${price} ${names[best]} is best: ${score} ${points[best][1].toFixed(1)} %.`;
  let rival = "Nothing else is affordable.";
  if (second !== undefined) {
    const told = Math.abs(pairedT(seeds[best], seeds[second])) > critical(seeds[best].length);
    const lead = (points[best][1] - points[second][1]).toFixed(1);
    rival = `It leads ${names[second]} by ${lead} points, which its seeds ${told ? "tell from chance" : "do not tell from chance"}.`;
  }
  return `${head} ${rival} ${names.length - front.length} of ${names.length} networks are beaten by one that is no dearer.`;
}

const [HEIGHT, LEFT, TOP, BOTTOM] = [300, 44, 12, 262];
const CSS = `
.pw-pareto-front .chart{display:block;width:100%;height:auto;cursor:crosshair;touch-action:manipulation;margin-bottom:.5rem}
.pw-pareto-front .grid{stroke:var(--line);stroke-width:.6;opacity:.6}
.pw-pareto-front .steps{fill:none;stroke:var(--fill);stroke-width:1.6;stroke-dasharray:7 4}
.pw-pareto-front .budget{stroke:var(--ink);stroke-width:1.5}
.pw-pareto-front .out{fill:var(--ink);opacity:.07}
.pw-pareto-front .spread{stroke:var(--fill);stroke-width:1.5}
.pw-pareto-front circle{fill:var(--ground);stroke:var(--fill);stroke-width:2}
.pw-pareto-front .on circle{fill:var(--fill)}
.pw-pareto-front .on text{fill:var(--ground)}
.pw-pareto-front .dear{opacity:.35}
.pw-pareto-front svg text{font-size:13px;fill:var(--ink);text-anchor:middle;font-variant-numeric:tabular-nums}
.pw-pareto-front svg text.y{text-anchor:end}
.pw-pareto-front td.n,.pw-pareto-front th.n{text-align:right;font-variant-numeric:tabular-nums}
.pw-pareto-front tr.best>*{font-weight:700}
.pw-pareto-front tr.dear{color:var(--soft)}
`;

function render({ model, el }) {
  const root = frame(el, "pareto-front", CSS);
  root.setAttribute("aria-label", "Pareto front: cost against quality of the recorded networks");
  const networks = model.get("networks");
  const prices = Object.keys(networks[0].prices);
  const measures = Object.keys(networks[0].scores);

  function now() {
    const price = prices.includes(model.get("price")) ? model.get("price") : prices[0];
    const score = measures.includes(model.get("score")) ? model.get("score") : measures[0];
    return { price, score, budget: Math.max(0, Math.min(100, Math.round(Number(model.get("budget"))) || 0)) };
  }
  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }

  const price = choices("Price", prices.map((name) => [name, name]), (value) => change({ price: value }));
  const score = choices("Score", measures.map((name) => [name, name]), (value) => change({ score: value }));
  const budget = slider("budget", [0, 100], (value) => change({ budget: value }));
  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);
  const picture = svg("svg", { class: "chart", role: "img" });
  const width = () => (root.clientWidth < 480 ? 330 : 620); // on a phone fewer units, so that the text stays legible
  const rows = h("tbody");
  const heads = [h("th", { scope: "col", class: "n" }), h("th", { scope: "col", class: "n" })];
  const head = h("tr", {}, h("th", { scope: "col", class: "n" }, "rank"), h("th", { scope: "col" }, "network"), ...heads, h("th", { scope: "col" }, "front"));
  root.append(
    h("div", {}, price.element, score.element),
    picture,
    budget.element,
    found,
    h("table", {}, h("caption", {}, "The networks, best first"), h("thead", {}, head), rows),
  );
  picture.addEventListener("pointerdown", (event) => {
    const box = picture.getBoundingClientRect();
    const share = (((event.clientX - box.left) / box.width) * width() - LEFT - 14) / (width() - LEFT - 44);
    change({ budget: Math.max(0, Math.min(100, Math.round(100 * share))) });
  });

  const draw = oncePerFrame(() => {
    const state = now();
    const right = width() - 16;
    picture.setAttribute("viewBox", `0 0 ${width()} ${HEIGHT}`);
    const seeds = networks.map((network) => network.scores[state.score].map((value) => 100 * value));
    const points = networks.map((network, i) => [network.prices[state.price], mean(seeds[i])]);
    const costs = points.map(([cost]) => cost);
    const limit = priceAt(state.budget, costs);
    const [front, best] = [frontOf(points), bestWithin(points, limit)];
    const [low, high] = [Math.min(...costs), Math.max(...costs)];
    const [worst, top] = [Math.min(...seeds.flat()), Math.max(...seeds.flat())];
    const x = (cost) => LEFT + 14 + ((right - LEFT - 28) * Math.log(cost / low)) / Math.log(high / low);
    const y = (value) => BOTTOM - 14 - ((BOTTOM - TOP - 28) * (value - worst)) / (top - worst || 1);
    const order = points.map((_, i) => i).sort((a, b) => points[b][1] - points[a][1]);

    picture.replaceChildren();
    for (let i = 0; i <= 4; i++) {
      const value = worst + ((top - worst) * i) / 4;
      picture.append(svg("path", { class: "grid", d: `M${LEFT} ${y(value)}H${right}` }), svg("text", { class: "y", x: LEFT - 6, y: y(value) + 4 }, value.toFixed(0)));
      const cost = priceAt(25 * i, costs);
      picture.append(svg("text", { x: x(cost), y: BOTTOM + 18 }, short(cost)));
    }
    picture.append(svg("text", { x: (LEFT + right) / 2, y: HEIGHT - 3 }, `${state.price} (logarithmic)`));
    picture.append(svg("rect", { class: "out", x: x(limit), y: TOP, width: Math.max(0, right - x(limit)), height: BOTTOM - TOP }));
    const climb = [...front].sort((a, b) => points[a][0] - points[b][0]);
    picture.append(svg("path", { class: "steps", d: climb.map((i, k) => (k ? `H${x(points[i][0])}V${y(points[i][1])}` : `M${x(points[i][0])} ${y(points[i][1])}`)).join("") }));
    picture.append(svg("path", { class: "budget", d: `M${x(limit)} ${TOP}V${BOTTOM}` }));
    for (const i of [...order].reverse()) {
      const [cost, value] = points[i];
      const kind = `${front.includes(i) ? "on" : ""} ${cost > limit ? "dear" : ""}`;
      picture.append(
        svg("path", { class: "spread", d: `M${x(cost)} ${y(Math.min(...seeds[i]))}V${y(Math.max(...seeds[i]))}` }),
        svg("g", { class: kind }, svg("title", {}, networks[i].name), svg("circle", { cx: x(cost), cy: y(value), r: 10 }), svg("text", { x: x(cost), y: y(value) + 4.5 }, String(order.indexOf(i) + 1))),
      );
    }
    picture.setAttribute("aria-label", `${state.score} against ${state.price}; on the front: ${climb.map((i) => networks[i].name).join(", ")}`);

    price.set(state.price);
    score.set(state.score);
    budget.set(state.budget, short(limit));
    write(heads[0], state.price);
    write(heads[1], `${state.score} (%)`);
    rows.replaceChildren(
      ...order.map((i, rank) =>
        h(
          "tr",
          { class: `${i === best ? "best" : ""} ${points[i][0] > limit ? "dear" : ""}` },
          h("td", { class: "n" }, String(rank + 1)),
          h("th", { scope: "row" }, networks[i].name),
          h("td", { class: "n" }, short(points[i][0])),
          h("td", { class: "n" }, points[i][1].toFixed(1)),
          h("td", {}, front.includes(i) ? "yes" : "no"),
        ),
      ),
    );
    say(finding(networks.map((network) => network.name), points, seeds, limit, state.price, state.score));
  });
  write(found, " ");
  const stop = follow(model, ["price", "score", "budget"], draw);
  draw();
  return () => {
    stop();
    root.remove();
  };
}

export default { render, linked: ["price", "score", "budget"] };
