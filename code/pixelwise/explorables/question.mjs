// Question: a guess first, then what was measured draws itself, with the guess beside the seeds.
import { button, slider, spokenFinding } from "./shared/controls.mjs";
import { frame, h, svg, uniqueId, write } from "./shared/dom.mjs";
import { mean } from "./shared/numbers.mjs";
import { change, live } from "./shared/state.mjs";
import {
  ASKED,
  announce,
  evidence,
  isSettled,
  onPaper,
  onScale,
  remember,
  remembered,
  spell,
  ticks,
  unsettled,
} from "./question/kept.mjs";

/**
 * What a text from an address, a storage or a kernel says.
 * @param {string} text
 * @param {{ answers: string[], scale: number[] }} question
 * @returns {string} one of the answers, or a number on the scale as text; "" for anything else
 */
export function read(text, { answers, scale }) {
  if (answers.length) return answers.includes(text) ? text : "";
  if (typeof text !== "string" || text.trim() === "" || !Number.isFinite(Number(text))) return "";
  return spell(onScale(Number(text), scale));
}

/**
 * Whether a guess is right: the answer that the claims settle, or a number that is no further from the nearest seed
 * than a tenth of the scale.
 * @param {string} guess
 * @param {{ answers: string[], right: string, scale: number[], measured: [string, number[]][] }} question
 * @returns {boolean} true if it is
 */
export function isRight(guess, { answers, right, scale, measured }) {
  if (answers.length) return guess === right;
  const off = Math.min(...measured[0][1].map((value) => Math.abs(value - Number(guess))));
  return off <= ((scale[1] - scale[0]) / 10) * (1 + 1e-9);
}

/**
 * What the reader is told, in words.
 * @param {string} guess "" before there is one
 * @param {{ answers: string[], right: string, scale: number[], measured: [string, number[]][], unit: string,
 *   verdict: string, claims: { sentence: string, state: string }[] }} question
 * @returns {string} sentences; "" before there is a guess
 */
export function finding(guess, question) {
  const { answers, measured, verdict } = question;
  if (!guess) return "";
  const said = `You said ${guess}`;
  if (!isSettled(question)) return `${said}. ${unsettled(question)}`;
  const agrees = isRight(guess, question);
  if (answers.length) return `Your guess is ${agrees ? "right" : "wrong"}. ${verdict}`;
  return `${said}; measured was ${measured[0][1].map(spell).join(", ")}: ${agrees ? "close enough" : "further off than a tenth of the scale"}. ${verdict}`;
}

/**
 * What became of a question on this reader's machine.
 * @param {any} question its state
 * @returns {boolean | null} whether the guess that is kept is right; null where none is, or nothing is settled
 */
export function outcome(question) {
  const guess = read(remembered(question.key), question);
  return guess && isSettled(question) ? isRight(guess, question) : null;
}

const NAMES = ["key", "question", "answers", "right", "scale", "measured", "unit", "verdict", "not_shown", "claims"];
const [ROW, LEFT, AXIS, FLAG] = [46, 12, 38, 24];
const CSS = `${ASKED}
.pw-asked .answer{display:flex;gap:.7rem;align-items:center;min-height:2.6rem;margin-bottom:.4rem;padding:.3rem .8rem;
border:1px solid var(--line);border-radius:.5rem;background:light-dark(#fff,#12171d);cursor:pointer}
.pw-asked .answer:hover,.pw-asked .answer:has(:checked){border-color:var(--mine)}
.pw-asked .answer:has(:checked){background:light-dark(#f3edfb,#2a2440)}
.pw-asked .answer:has(:disabled){cursor:default}
.pw-asked .answer :checked{border-color:var(--mine);background:var(--mine)}
.pw-asked .pw-slider input{accent-color:var(--mine)}
.pw-asked .answer b{margin-left:auto;color:var(--mine);font-weight:600;text-align:right}
.pw-asked .answer b.right{color:var(--good)}
.pw-asked .answer b.wrong{color:light-dark(#b0413e,#ff9f50)}
.pw-asked .pw-slider{grid-template-columns:1fr auto}
.pw-asked .pw-slider>:first-child{grid-column:1/-1}
.pw-asked .chart .seed{fill:var(--fill);fill-opacity:.75;stroke:var(--ground)}
.pw-asked .chart .mean{stroke:var(--ink);stroke-width:2}
.pw-asked .chart path.mine{fill:var(--mine);stroke:var(--mine);stroke-width:2}
.pw-asked .fresh .seed,.pw-asked .fresh .mean{animation:pw-asked-in .5s both}
@keyframes pw-asked-in{from{opacity:0;transform:translateY(-14px)}}
`;

// State
function stateOf(model) {
  const state = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const guess = read(model.get("guess"), state);
  const middle = state.answers.length ? "" : read(spell((state.scale[0] + state.scale[1]) / 2), state);
  return { ...state, guess, middle, answer: guess || read(model.get("answer"), state) };
}

// Elements
function build(root, model, commit) {
  const { key, question, answers, scale, unit, not_shown, verdict, right, claims } = stateOf(model);
  const pick = (value) => change(model, { answer: value });
  // The same question may stand twice on a page
  const radios = uniqueId("answers");
  const rows = answers.map((text) => {
    const input = h("input", { type: "radio", name: radios, onchange: () => pick(text) });
    const mark = h("b");
    return { text, input, mark, element: h("label", { class: "answer" }, input, text, mark) };
  });
  const place = scale.length ? slider(unit, scale, (value) => pick(spell(value))) : null;
  if (place) place.input.step = String(scale[2]);
  const decision = button(null, commit, { class: "commit" });
  const chart = svg("svg", { class: "chart", role: "img" });
  const found = spokenFinding();
  const result = evidence({ not_shown, claims });
  root.append(
    h("fieldset", {}, h("legend", {}, question), ...rows.map((row) => row.element), place?.element),
    h("div", { class: "pw-row" }, decision),
    chart,
    found.element,
    result,
    onPaper({ right, verdict, claims }),
  );
  return { key, rows, place, decision, chart, found, result };
}

// Drawing
function scaleOf({ scale, measured, answers, guess }, width) {
  const values = measured
    .flatMap(([, seeds]) => seeds)
    .concat(answers.length ? [] : [...scale.slice(0, 2), Number(guess)]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = answers.length ? (most - least || Math.abs(most) || 1) / 8 : 0;
  const [low, high] = [least - room, most + room];
  return { low, high, x: (value) => LEFT + ((width - 2 * LEFT) * (value - low)) / (high - low) };
}

function rowOf([label, seeds], i, top, { x }, guess) {
  const y = top + ROW * i;
  const middle = mean(seeds);
  const mine = label === guess;
  const parts = [
    svg("text", { class: mine ? "mine" : "", x: LEFT, y: y + 14 }, mine ? `⚑ ${label}, your guess` : label),
  ];
  if (!seeds.length) return parts;
  const told = `${seeds.length > 1 ? "mean " : ""}${Number(middle.toPrecision(3))}`;
  parts.push(...seeds.map((value) => svg("circle", { class: "seed", cx: x(value), cy: y + 30, r: 6 })));
  parts.push(svg("path", { class: "mean", d: `M${x(middle)} ${y + 21}v18` }));
  parts.slice(1).forEach((part, k) => (part.style.animationDelay = `${0.35 * i + 0.12 * k}s`));
  return [...parts, svg("text", { class: "end", x: x.end, y: y + 14 }, told)];
}

function drawChart(chart, state, width, fresh) {
  const { measured, answers, unit, guess } = state;
  const { low, high, x } = scaleOf(state, width);
  x.end = width - LEFT;
  const top = answers.length ? 0 : FLAG;
  const bottom = top + ROW * measured.length;
  const marks = ticks(low, high).flatMap((value) => [
    svg("path", { class: "grid", d: `M${x(value)} ${top}V${bottom}` }),
    svg("text", { class: "tick", x: x(value), y: bottom + 15 }, spell(value)),
  ]);
  const rows = measured.flatMap((row, i) => rowOf(row, i, top, { x }, guess));
  if (!answers.length && guess) {
    const at = x(Number(guess));
    // The flag flies to the side that has room
    const left = at > width / 2;
    const pennant = `M${at} ${bottom}V4l${left ? -12 : 12} 6l${left ? 12 : -12} 6`;
    const words = { class: left ? "mine end" : "mine", x: at + (left ? -17 : 17), y: 15 };
    marks.push(svg("path", { class: "mine", d: pennant })); // behind the texts that it passes
    rows.push(svg("text", words, `your guess, ${guess}`));
  }
  chart.setAttribute("viewBox", `0 0 ${width} ${bottom + AXIS}`);
  chart.setAttribute("class", fresh ? "chart fresh" : "chart");
  const told = measured.map(([label, seeds]) => `${label} ${seeds.map(spell).join(", ") || "nothing"}`).join("; ");
  chart.setAttribute("aria-label", `One dot a seed, ${unit}: ${told}. Your guess: ${guess || "none yet"}.`);
  chart.replaceChildren(
    ...marks,
    ...rows,
    svg("text", { class: "tick", x: width / 2, y: bottom + 33 }, `${unit}, one dot a seed`),
  );
}

function show(view, state, width, fresh) {
  const { guess, answer, right } = state;
  const settled = isSettled(state);
  for (const { text, input, mark } of view.rows) {
    input.checked = text === answer;
    input.disabled = !!guess;
    const found = !guess || !settled ? "" : text === right ? "right" : text === guess ? "wrong" : "";
    const told = { right: "✓ as measured", wrong: "✗ not as measured" }[found];
    write(mark, [text === guess && "⚑ your guess", told].filter(Boolean).join(" · "));
    mark.className = found;
  }
  view.place?.set(Number(answer || state.middle), answer || "none yet");
  if (view.place) view.place.input.disabled = !!guess;
  write(view.decision, guess ? "Take my guess back" : "Commit and see");
  view.decision.classList.toggle("back", !!guess);
  view.result.classList.toggle("withheld", !guess);
  drawChart(view.chart, state, width, fresh);
  view.chart.classList.toggle("withheld", !guess);
  view.found.say(finding(guess, state));
}

function render({ model, el }) {
  const root = frame(el, "asked", `Guess, then see what was measured: ${model.get("question")}`, CSS);
  let fresh = false;
  function settle(guess) {
    change(model, { guess });
    remember(root, view.key, guess);
  }
  const view = build(root, model, () => {
    const { guess, answer } = stateOf(model);
    fresh = answer && !guess;
    if (guess) settle("");
    else if (answer) settle(answer);
    else {
      view.found.say(view.place ? "Move the slider first." : "Choose an answer first.");
      (view.place ?? view.rows[0]).input.focus();
    }
  });
  const state = stateOf(model);
  const before = read(remembered(state.key), state);
  if (!state.guess && before) model.set("guess", before);
  announce(root, state.key, stateOf(model).guess);
  return live({ model, el, root }, ["answer", "guess"], () => {
    show(view, stateOf(model), root.clientWidth < 480 ? 330 : 620, fresh);
    if (fresh) view.found.element.scrollIntoView({ block: "nearest" });
    fresh = false;
  });
}

/** @type {import("./shared/state.mjs").Explorable & { outcome: typeof outcome }} */
export default { render, linked: ["answer"], outcome };
