// Pareto front: what networks cost against what they bring, under a price, a score and a budget of the reader's choice.
import { choices, shareAt, shownFinding, slider } from "./shared/controls.mjs";
import { arrange, fold, frame, gridLine, h, svg, table, write } from "./shared/dom.mjs";
import { mean } from "./shared/numbers.mjs";
import { change, live, oneOf, within } from "./shared/state.mjs";

/**
 * The indices of the pairs that no other beats in one respect without being worse in the other.
 * @param {[number, number][]} points price and score each
 * @returns {number[]} indices
 */
export function frontOf(points) {
  const beaten = ([price, score]) => points.some(([p, s]) => p <= price && s >= score && (p < price || s > score));
  return points.flatMap((point, i) => (beaten(point) ? [] : [i]));
}

/**
 * The index of the best score among the pairs whose price is within the budget, the cheaper of equals.
 * @param {[number, number][]} points price and score each
 * @param {number} budget
 * @returns {number} -1 if none is affordable
 */
export function bestWithin(points, budget) {
  const order = ([pa, sa], [pb, sb]) => sb - sa || pa - pb;
  const open = points.map((point, i) => [...point, i]).filter(([price]) => price <= budget);
  return open.length ? open.toSorted(order)[0][2] : -1;
}

/**
 * Student's t of paired differences: mean over standard error.
 * @param {number[]} first
 * @param {number[]} second
 * @returns {number} NaN for fewer than two pairs
 */
export function pairedT(first, second) {
  const d = first.map((value, i) => value - second[i]);
  const spread = Math.sqrt(d.reduce((sum, value) => sum + (value - mean(d)) ** 2, 0) / (d.length - 1));
  return (mean(d) * Math.sqrt(d.length)) / spread;
}

/**
 * Student's t beyond which one of twenty equal pairs lies, two-sided.
 * @param {number} seeds how many
 * @returns {number} NaN for fewer than two
 */
export function critical(seeds) {
  return [NaN, NaN, 12.706, 4.303, 3.182, 2.776][seeds] ?? 2.571;
}

/**
 * A price from its place on the logarithmic axis that spans all prices.
 * @param {number} place 0 to 100
 * @param {number[]} prices
 * @returns {number} a price
 */
export function priceAt(place, prices) {
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  return place >= 100 ? high : low * (high / low) ** (place / 100);
}

/**
 * The numbers 1, 2 and 5 times a power of ten between two limits, or only the powers where these are many.
 * @param {number} low above 0
 * @param {number} high
 * @returns {number[]} ascending
 */
export function roundBetween(low, high) {
  const all = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++)
    for (const digit of [1, 2, 5]) all.push(Number(`${digit}e${power}`));
  const seen = all.filter((value) => value >= low && value <= high);
  return seen.length > 8 ? seen.filter((value) => Number.isInteger(Math.log10(value))) : seen;
}

/**
 * A number with two significant figures, or whole.
 * @param {number} value
 * @returns {string} the number
 */
export function short(value) {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}

/**
 * What the chosen price, score and budget say, in words.
 * @param {string[]} names
 * @param {[number, number][]} points price and score each
 * @param {number[][]} seeds scores of each seed
 * @param {number} budget
 * @param {string} price
 * @param {string} score
 * @returns {string} sentences
 */
export function finding(names, points, seeds, budget, price, score) {
  const [front, best] = [frontOf(points), bestWithin(points, budget)];
  const rest = points.map((_, i) => i).filter((i) => i !== best && points[i][0] <= budget);
  const second = rest.toSorted((a, b) => points[b][1] - points[a][1])[0];
  const head = `Within ${short(budget)} ${price} ${names[best]} is best: ${score} ${points[best][1].toFixed(1)}\u00a0%.`;
  let rival = "Nothing else is affordable.";
  if (second !== undefined) {
    const told = Math.abs(pairedT(seeds[best], seeds[second])) > critical(seeds[best].length);
    const lead = (points[best][1] - points[second][1]).toFixed(1);
    rival = `It leads ${names[second]} by ${lead} points, which its seeds ${told ? "" : "do not "}tell from chance.`;
  }
  const beaten = `${names.length - front.length} of ${names.length} networks are beaten by one that is no dearer`;
  return `${head} ${rival} ${beaten}.`;
}

const NAMES = ["price", "score", "budget"];
const [HEIGHT, LEFT, TOP, BOTTOM] = [290, 30, 12, 252];
const CSS = `
.pw-laid>.pw-finding{min-height:4.4em}
.pw-pareto-front .steps{fill:none;stroke:var(--fill);stroke-width:1.6;stroke-dasharray:7 4}
.pw-pareto-front .budget{stroke:var(--ink);stroke-width:1.5}
.pw-pareto-front .out{fill:var(--ink);opacity:.07}
.pw-pareto-front .spread{stroke:var(--fill);stroke-width:1.5}
.pw-pareto-front circle{fill:var(--ground);stroke:var(--fill);stroke-width:2}
.pw-pareto-front .wire{stroke:var(--soft);stroke-width:.8}
.pw-pareto-front .on circle{fill:var(--fill)}
.pw-pareto-front svg text{fill:var(--soft);font-size:12px}
.pw-pareto-front svg .net text{fill:var(--ink);text-anchor:start;stroke:var(--ground);stroke-width:5px;paint-order:stroke}
.pw-pareto-front svg .on text{font-weight:600}
.pw-pareto-front .dear :is(circle,.wire){opacity:.35}
.pw-pareto-front svg .dear text{fill:var(--soft)}
.pw-pareto-front svg text{text-anchor:middle;font-variant-numeric:tabular-nums}
.pw-pareto-front .wide{flex:0 0 100%}
.pw-pareto-front :is(td,th).n{text-align:right;font-variant-numeric:tabular-nums}
.pw-pareto-front tr.best>*{font-weight:700}
.pw-pareto-front tr.dear{color:var(--soft)}
`;

// State, and what follows from it: networks by rank, the front by price
function stateOf(model) {
  const networks = model.get("networks");
  const price = oneOf(model.get("price"), Object.keys(networks[0].prices));
  const score = oneOf(model.get("score"), Object.keys(networks[0].scores));
  const budget = within(model.get("budget"), 0, 100);
  const names = networks.map((network) => network.name);
  const seeds = networks.map((network) => network.scores[score].map((value) => 100 * value));
  const points = networks.map((network, i) => [network.prices[price], mean(seeds[i])]);
  const costs = points.map(([cost]) => cost);
  const limit = priceAt(budget, costs);
  const order = points.map((_, i) => i).toSorted((a, b) => points[b][1] - points[a][1]);
  const front = frontOf(points).toSorted((a, b) => points[a][0] - points[b][0]);
  return { price, score, budget, names, seeds, points, costs, limit, order, front, best: bestWithin(points, limit) };
}

// Elements
function build(root, model) {
  const [network] = model.get("networks");
  const list = (legend, name, values) =>
    choices(
      legend,
      Object.keys(values).map((value) => [value, value]),
      (value) => change(model, { [name]: value }),
    );
  const price = list("Price", "price", network.prices);
  const score = list("Score", "score", network.scores);
  const budget = slider("budget", [0, 100], (value) => change(model, { budget: value }));
  const found = shownFinding();
  const picture = svg("svg", { class: "chart", role: "img" });
  const rows = h("tbody");
  const number = (text) => h("th", { scope: "col", class: "n" }, text);
  const heads = [number(null), number(null)];
  const caption = h("figcaption");
  arrange(root, {
    seen: [h("figure", {}, caption, picture)],
    said: found.elements,
    moved: [h("div", { class: "wide" }, budget.element), price.element, score.element],
    boxes: [fold("Table", table("The networks, best first", [number("rank"), "network", ...heads, "front"], rows))],
  });
  return { price, score, budget, found, caption, picture, rows, heads };
}

// Drawing
const widthOf = (root) => (root.clientWidth < 480 ? 330 : 620); // fewer units on a phone, so that text stays legible

function scalesOf({ seeds, costs }, width) {
  const right = width - 16;
  const [low, high] = [Math.min(...costs), Math.max(...costs)];
  const [worst, top] = [Math.min(...seeds.flat()), Math.max(...seeds.flat())];
  return {
    right,
    worst,
    top,
    x: (cost) => LEFT + 14 + ((right - LEFT - 28) * Math.log(cost / low)) / Math.log(high / low),
    y: (value) => BOTTOM - 14 - ((BOTTOM - TOP - 28) * (value - worst)) / (top - worst || 1),
  };
}

function axes({ price, costs }, { right, worst, top, x, y }) {
  const step = [1, 2, 5, 10, 20, 50].find((size) => (top - worst) / size <= 6);
  const first = Math.ceil(worst / step);
  const scores = Array.from({ length: Math.floor(top / step) - first + 1 }, (_, i) => (first + i) * step);
  const prices = roundBetween(Math.min(...costs), Math.max(...costs));
  return [
    ...scores.flatMap((value) => gridLine(LEFT, right, y(value), String(value))),
    ...prices.map((cost) => svg("text", { x: x(cost), y: BOTTOM + 17 }, String(cost))),
    svg("text", { x: (LEFT + right) / 2, y: HEIGHT - 3 }, `${price}, logarithmic`),
  ];
}

// The line that leads from a dot to a name that stands far off, from end to end; null where none does
function wireOf([cost, value], [u, v, wide], { x, y }) {
  const far = Math.abs(v + 7 - y(value)) > 16;
  return far ? [x(cost), y(value), Math.max(u, Math.min(x(cost), u + wide)), v + 7] : null;
}

// What a line covers, in small boxes
const alongLine = ([a, b, c, d]) =>
  Array.from({ length: 41 }, (_, i) => [a + ((c - a) * i) / 40, b + ((d - b) * i) / 40, 1, 1]);

// Where a network's name stands: the first place beside its dot that touches no dot, no name, and no edge, and if there
// is one, no line either
function placesOf({ names, points, seeds, order, front }, scales) {
  const { right, x, y } = scales;
  const taken = points.map(([cost, value]) => [x(cost) - 7, y(value) - 7, 14, 14]);
  const lines = points.map(([cost], i) => {
    const [high, low] = [Math.max(...seeds[i]), Math.min(...seeds[i])].map(y);
    return [x(cost), high, 1, low - high];
  });
  front.slice(1).forEach((next, k) => {
    const [[u, v], [p, q]] = [front[k], next].map((i) => [x(points[i][0]), y(points[i][1])]);
    lines.push([u, v, p - u, 1], [p, q, 1, v - q]);
  });
  const touches = ([a, b, w, t], boxes) =>
    boxes.some(([u, v, wide, tall]) => a < u + wide && u < a + w && b < v + tall && v < b + t);
  const wired = (place, i) => {
    const wire = wireOf(points[i], place, scales);
    return wire ? alongLine(wire) : [];
  };
  const inside = ([a, b, w, t]) => a >= LEFT && a + w <= right + 14 && b >= 0 && b + t <= BOTTOM;
  const found = new Map();
  for (const i of order) {
    const [u, v, w] = [x(points[i][0]), y(points[i][1]), 6.8 * names[i].length];
    const places = [9, 20, 31, 42, 53, 64].flatMap((far) => [
      [u + 9, v - 7 + (far - 9)],
      [u - 9 - w, v - 7 + (far - 9)],
      [u + 9, v - 7 - (far - 9)],
      [u - 9 - w, v - 7 - (far - 9)],
      [within(u - w / 2, LEFT + 2, right - w), v - far - 13],
      [within(u - w / 2, LEFT + 2, right - w), v + far],
    ]);
    const free = places.map((place) => [...place, w, 14]).filter((one) => inside(one) && !touches(one, taken));
    const others = taken.filter((_, k) => k !== i);
    const clear = (one) => !touches(one, lines) && !wired(one, i).some((box) => touches(box, others));
    const spot = free.find(clear) ?? free[0];
    if (!spot) continue; // its title and the table name it
    taken.push(spot);
    lines.push(...wired(spot, i));
    found.set(i, spot);
  }
  return found;
}

function networkOf({ names, seeds, points, limit, front }, scales, i, place) {
  const { x, y } = scales;
  const [cost, value] = points[i];
  const kind = `net ${front.includes(i) ? "on" : ""} ${cost > limit ? "dear" : ""}`;
  const ends = place && wireOf(points[i], place, scales);
  const wire = ends && svg("path", { class: "wire", d: `M${ends[0]} ${ends[1]}L${ends[2]} ${ends[3]}` });
  const name = place && svg("text", { x: place[0], y: place[1] + 11 }, names[i]);
  const circle = svg("circle", { cx: x(cost), cy: y(value), r: 5.5 });
  return [
    svg("path", { class: "spread", d: `M${x(cost)} ${y(Math.min(...seeds[i]))}V${y(Math.max(...seeds[i]))}` }),
    svg("g", { class: kind }, svg("title", {}, names[i]), wire || null, circle, name ?? null),
  ];
}

function drawChart(picture, width, state) {
  const { price, score, names, points, limit, order, front } = state;
  const scales = scalesOf(state, width);
  const { right, x, y } = scales;
  const steps = front.map((i) => [x(points[i][0]), y(points[i][1])]);
  const dear = { x: x(limit), y: TOP, width: Math.max(0, right - x(limit)), height: BOTTOM - TOP };
  const places = placesOf(state, scales);
  picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  picture.replaceChildren(
    ...axes(state, scales),
    svg("rect", { class: "out", ...dear }),
    svg("path", { class: "steps", d: steps.map(([u, v], k) => (k ? `H${u}V${v}` : `M${u} ${v}`)).join("") }),
    svg("path", { class: "budget", d: `M${x(limit)} ${TOP}V${BOTTOM}` }),
    ...order.toReversed().flatMap((i) => networkOf(state, scales, i, places.get(i))),
  );
  const best = front.map((i) => names[i]).join(", ");
  picture.setAttribute("aria-label", `${score} against ${price}; on the front: ${best}`);
}

function show(view, { price, score, budget, names, seeds, points, limit, order, front, best }) {
  view.price.set(price);
  view.score.set(score);
  view.budget.set(budget, short(limit));
  write(view.caption, `${score} in per cent, against ${price}; filled: no other is better and no dearer`);
  write(view.heads[0], price);
  write(view.heads[1], `${score} (%)`);
  view.rows.replaceChildren(
    ...order.map((i, rank) => {
      const [cost, value] = points[i];
      const number = (text) => h("td", { class: "n" }, text);
      const kind = `${i === best ? "best" : ""} ${cost > limit ? "dear" : ""}`;
      const name = h("th", { scope: "row" }, names[i]);
      const numbers = [number(short(cost)), number(value.toFixed(1))];
      const on = h("td", {}, front.includes(i) ? "yes" : "no");
      return h("tr", { class: kind }, number(String(rank + 1)), name, ...numbers, on);
    }),
  );
  view.found.say(finding(names, points, seeds, limit, price, score));
}

function render({ model, el }) {
  const root = frame(el, "pareto-front", "Pareto front: cost against quality of the recorded networks", CSS);
  const view = build(root, model);
  view.picture.addEventListener("pointerdown", (event) => {
    const width = widthOf(root);
    const share = (shareAt(view.picture, event)[1] * width - LEFT - 14) / (width - LEFT - 44);
    change(model, { budget: within(100 * share, 0, 100) });
  });
  return live({ model, el, root }, NAMES, () => {
    const state = stateOf(model);
    drawChart(view.picture, widthOf(root), state);
    show(view, state);
  });
}

/** @type {import("./shared/state.mjs").Explorable} */
export default { render, linked: NAMES };
