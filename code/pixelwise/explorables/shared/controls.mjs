// What a hand moves, and what is said about it.
import { h, write } from "./dom.mjs";
import { modulo } from "./numbers.mjs";
import { within } from "./state.mjs";

/**
 * A labelled range input, one step for each arrow key.
 * @param {string} name
 * @param {number[]} limits lowest and highest value
 * @param {(value: number) => void} pick
 * @returns {{ element: HTMLElement, input: HTMLInputElement, set: (value: number, text?: string) => void }} the slider;
 *   `set` shows a value
 */
export function slider(name, [min, max], pick) {
  const input = h("input", { type: "range", min, max, oninput: () => pick(Number(input.value)) });
  const shown = h("b", { "aria-hidden": "true" });
  const element = h("label", { class: "pw-slider" }, h("span", {}, name), input, shown);
  const set = (value, text = String(value)) => {
    input.value = value;
    input.setAttribute("aria-valuetext", text);
    write(shown, text);
  };
  return { element, input, set };
}

/**
 * A row of buttons of which one is pressed; it is one tab stop, and arrow keys lead from one to the next.
 * @param {string} legend
 * @param {any[][]} options a value and its text each
 * @param {(value: any) => void} pick
 * @returns {{ element: HTMLElement, set: (value: any) => void }} the row; `set` presses the button of a value
 */
export function choices(legend, options, pick) {
  const buttons = options.map(([value, text]) => ({ value, button: button(text, () => pick(value)) }));
  const element = group(legend, ...buttons.map((one) => one.button));
  element.setAttribute("role", "toolbar");
  const stop = rove(buttons.map((one) => one.button));
  const set = (now) => {
    for (const one of buttons) one.button.setAttribute("aria-pressed", String(one.value === now));
    const pressed = buttons.find((one) => one.value === now);
    if (pressed && !element.matches(":focus-within")) stop(pressed.button);
  };
  return { element, set };
}

// Make one tab stop of buttons; what is returned says which
function rove(buttons) {
  const stop = (now) => {
    for (const one of buttons) one.tabIndex = one === now ? 0 : -1;
  };
  buttons.forEach((one, i) => {
    one.addEventListener("focus", () => stop(one));
    one.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      buttons[modulo(i + step, buttons.length)].focus();
    });
  });
  stop(buttons[0]);
  return stop;
}

/**
 * Controls in a row, with a title before them.
 * @param {string} legend
 * @param {...HTMLElement} inside
 * @returns {HTMLElement} the row
 */
export function group(legend, ...inside) {
  const title = h("span", { class: "pw-title", "aria-hidden": "true" }, legend);
  return h("div", { class: "pw-choices", role: "group", "aria-label": legend }, title, ...inside);
}

/**
 * A button that does something.
 * @param {string} text
 * @param {(event: Event) => void} onclick
 * @param {Record<string, any>} [properties]
 * @returns {HTMLButtonElement} the button
 */
export function button(text, onclick, properties) {
  return h("button", { type: "button", ...properties, onclick }, text);
}

/**
 * A live region that is written once the hand has rested, so that a screen reader hears the last word only.
 * @param {Record<string, any>} properties
 * @param {number} rest milliseconds
 * @returns {{ element: HTMLElement, say: (text: string) => void }} the region
 */
function region(properties, rest) {
  const element = h("p", properties);
  let timer;
  const say = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => write(element, text), rest);
  };
  return { element, say };
}

/**
 * Challenges in a box that opens, each with a mark that says whether it is met, and a line that tells of one that is met
 * just now, whether the box is open or not.
 * @param {[string, boolean][]} tasks texts, and whether they are met
 * @returns {{ elements: HTMLElement[], set: (tasks: [string, boolean][]) => void }} box and line; `set` marks what is met
 */
export function checklist(tasks) {
  const marks = tasks.map(() => h("b"));
  const items = tasks.map(([text], i) => h("li", {}, marks[i], text));
  const count = h("summary");
  const { element, say } = region({ class: "pw-met", role: "status" }, 300);
  let before;
  const set = (now) => {
    now.forEach(([, met], i) => {
      write(marks[i], met ? "✓ met" : "○ open");
      items[i].classList.toggle("met", met);
    });
    const done = now.map(([, met]) => met);
    write(count, `Challenges: ${done.filter(Boolean).length} of ${done.length} met`);
    const fresh = before ? done.findIndex((met, i) => met && !before[i]) : -1;
    if (fresh >= 0) say(`✓ Challenge met: ${now[fresh][0]}`);
    else if (before?.some((met, i) => met && !done[i])) say("");
    before = done;
  };
  return { elements: [h("details", { class: "pw-tasks" }, count, h("ul", {}, ...items)), element], set };
}

/**
 * The sentence on what the state shows.
 * @returns {{ element: HTMLElement, say: (text: string) => void }} its element, and what writes it
 */
export function spokenFinding() {
  const { element, say } = region({ class: "pw-finding", role: "status" }, 300);
  write(element, " ");
  return { element, say };
}

/**
 * The same, seen at once and spoken when the hand rests.
 * @returns {{ elements: HTMLElement[], say: (text: string) => void }} its elements, and what writes them
 */
export function shownFinding() {
  const { element, say } = spokenFinding();
  const shown = h("p", { class: "pw-finding", "aria-hidden": "true" });
  const both = (text) => {
    write(shown, text);
    say(text);
  };
  return { elements: [shown, h("div", { class: "unseen" }, element)], say: both };
}

/**
 * What a screen reader hears of the place that keys have chosen.
 * @returns {{ element: HTMLElement, say: (text: string) => void }} its element, and what writes it
 */
export function spokenPlace() {
  return region({ class: "unseen", "aria-live": "polite" }, 150);
}

/**
 * Whole steps (rows, columns) of the arrow keys.
 * @type {Record<string, [number, number]>}
 */
export const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/**
 * Call a function for each arrow key that an element gets.
 * @param {HTMLElement | SVGElement} element
 * @param {(rows: number, columns: number, event: KeyboardEvent) => void} move
 * @returns {void}
 */
export function onArrows(element, move) {
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (!Object.hasOwn(ARROWS, event.key)) return;
    event.preventDefault();
    move(...ARROWS[event.key], event);
  });
}

/**
 * Where a pointer is in an element.
 * @param {Element} element
 * @param {PointerEvent} event
 * @returns {[number, number]} shares of its height and of its width, from the top left
 */
export function shareAt(element, event) {
  const box = element.getBoundingClientRect();
  return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
}

/**
 * Which place of a grid that fills an element a pointer is at.
 * @param {Element} element
 * @param {PointerEvent} event
 * @param {number[]} size rows and columns of the grid
 * @returns {[number, number]} row and column
 */
export function placeAt(element, event, [rows, columns]) {
  const [down, along] = shareAt(element, event);
  return [within(Math.floor(down * rows), 0, rows - 1), within(Math.floor(along * columns), 0, columns - 1)];
}

/**
 * Follow a pointer over an element from press to release.
 * @param {HTMLElement} element
 * @param {{ start: (event: PointerEvent) => boolean | void, move: (event: PointerEvent) => void, end?: () => void }}
 *   does what to do; a start that returns false does not begin a drag
 * @param {string[]} [ends] the events that end it
 * @returns {void}
 */
export function onDrag(element, { start, move, end }, ends = ["pointerup", "pointercancel"]) {
  let held = false;
  element.addEventListener("pointerdown", (event) => {
    held = start(event) !== false;
  });
  element.addEventListener("pointermove", (event) => held && move(event));
  for (const name of ends)
    element.addEventListener(name, () => {
      if (held) end?.();
      held = false;
    });
}
