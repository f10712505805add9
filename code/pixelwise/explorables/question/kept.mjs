// What questions of every kind have: their evidence, round numbers for an axis, and what the reader's browser keeps.
import { h } from "../shared/dom.mjs";

/**
 * A number with four significant figures.
 * @param {number} value
 * @returns {string} the number
 */
export function spell(value) {
  return String(Number(value.toPrecision(4)));
}

/**
 * A number kept within a scale, on one of its steps.
 * @param {number} value
 * @param {number[]} scale lowest and highest value and the step
 * @returns {number} the nearest place of the scale
 */
export function onScale(value, [low, high, step]) {
  const near = low + step * Math.round((value - low) / step);
  return Number(spell(Math.max(low, Math.min(high, near))));
}

/**
 * Whether a run has settled a question: all claims that its verdict rests on hold.
 * @param {{ claims: { state: string }[] }} question
 * @returns {boolean} true if it has
 */
export function isSettled({ claims }) {
  return claims.every((claim) => claim.state === "holds");
}

/**
 * Why a run does not settle a question.
 * @param {{ claims: { sentence: string, state: string }[] }} question
 * @returns {string} a sentence
 */
export function unsettled({ claims }) {
  const open = claims.find((claim) => claim.state !== "holds");
  return `This run does not settle it: “${open.sentence}” is ${open.state}.`;
}

/**
 * Round numbers that lie on an axis.
 * @param {number} low
 * @param {number} high
 * @returns {number[]} three to eight of them
 */
export function ticks(low, high) {
  const rough = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [5, 2, 1].find((n) => n * power <= rough * (1 + 1e-9));
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(Number(spell(i * step)));
  return found;
}

/**
 * What a question does not show, and the claims that it rests on.
 * @param {{ not_shown: string, claims: { sentence: string, detail: string }[] }} question
 * @returns {HTMLElement} both
 */
export function evidence({ not_shown, claims }) {
  const items = claims.map(({ sentence, detail }) =>
    h("li", {}, `${sentence} `, h("small", { class: "soft" }, `(${detail})`)),
  );
  return h(
    "div",
    {},
    h("p", {}, `What this does not show: ${not_shown}`),
    h("p", {}, "It rests on what the chapter asserts:"),
    h("ul", {}, ...items),
  );
}

/**
 * The answer that stands on paper below a question that nobody answered.
 * @param {{ right: string, verdict: string, claims: { state: string }[] }} question
 * @returns {HTMLElement} a paragraph
 */
export function onPaper({ right, verdict, claims }) {
  const told = isSettled({ claims })
    ? `Measured: ${right ? `${right}. ` : ""}${verdict}`
    : "This run does not settle it.";
  return h("p", { class: "paper" }, told);
}

/**
 * Keep a guess in the reader's browser, where it may, and tell the page of it; "" forgets it.
 * @param {HTMLElement} root the question's
 * @param {string} key
 * @param {string} guess
 * @returns {void}
 */
export function remember(root, key, guess) {
  try {
    if (guess) localStorage.setItem(`question-${key}`, guess);
    else localStorage.removeItem(`question-${key}`);
  } catch {
    // storage is forbidden: the guess lasts as long as the page
  }
  announce(root, key, guess);
}

/**
 * Tell the page what guess a question has: the wall keeps the score, and a chapter withholds what was found.
 * @param {HTMLElement} root the question's
 * @param {string} key
 * @param {string} guess
 * @returns {void}
 */
export function announce(root, key, guess) {
  root.dispatchEvent(new CustomEvent("pw-guess", { bubbles: true, detail: { key, guess } }));
}

/**
 * The guess that the reader's browser keeps.
 * @param {string} key the question's
 * @returns {string} "" if it keeps none
 */
export function remembered(key) {
  try {
    return localStorage.getItem(`question-${key}`) ?? "";
  } catch {
    return "";
  }
}

/**
 * How questions look.
 * @type {string}
 */
export const ASKED = `
.pw-asked{--mine:light-dark(#6d3f9c,#c6a6ec);padding:1.1rem 1.2rem .9rem;border-top:4px solid var(--mine)}
.pw-asked fieldset{min-width:0}
.pw-asked :is(legend,.asks){margin-bottom:.7rem;font-size:1.2em;font-weight:600;line-height:1.35;text-wrap:balance}
.pw-asked .commit{min-height:2.4rem;padding:.2rem 1.2rem;border-color:var(--mine);background:var(--mine);color:var(--ground);font-weight:600}
.pw-asked .commit.back{background:transparent;color:inherit;font-weight:400}
.pw-asked .pw-row{margin-bottom:.7rem}
.pw-asked .withheld+.pw-finding{min-height:0;color:var(--soft);font-weight:400}
.pw-asked :is(.withheld,.paper){display:none}
.pw-asked .chart{margin-bottom:.7rem}
.pw-asked .chart .grid{stroke:var(--line);stroke-width:.6;opacity:.6}
.pw-asked .chart text{font-variant-numeric:tabular-nums;paint-order:stroke;stroke:var(--ground);stroke-width:4}
.pw-asked .chart text.mine{fill:var(--mine);font-weight:600}
.pw-asked .tick{text-anchor:middle}
.pw-asked .end{text-anchor:end}
.pw-asked li{margin-left:1.2rem}
@media (prefers-reduced-motion:reduce){.pw-asked *{animation:none!important}}
@media print{.pw-asked .withheld,.pw-asked .withheld+.paper{display:block}
.pw-asked :is(.pw-row,.pw-finding){display:none}}
`;
