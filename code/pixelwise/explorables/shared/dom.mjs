// Elements, and the frame that holds an explorable. The build and the widget paste all modules of this folder into one
// scope before an explorable's own source: they import each other only, and no two declare the same name.
import { LOOK } from "./look.mjs";

/**
 * Make an element: h("button", { class: "x", onclick: f, "aria-label": "…" }, "text", child, …).
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties] attributes, and listeners as on… = function; false and null are left out
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[Tag]} the element
 */
export function h(tag, properties, ...children) {
  return made(document.createElement(tag), properties, children);
}

/**
 * Make an SVG element, as `h` makes one of HTML.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null)} children
 * @returns {SVGElementTagNameMap[Tag]} the element
 */
export function svg(tag, properties, ...children) {
  return made(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function made(element, properties = {}, children = []) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/**
 * Set an element's text, and touch the page only if it differs.
 * @param {Element} element
 * @param {string} text
 * @returns {void}
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A text under which no other element of the page is known.
 * @param {string} kind
 * @returns {string} an id
 */
export function uniqueId(kind) {
  return `pw-${kind}-${Math.random().toString(36).slice(2)}`;
}

/**
 * A line across a chart, with its value on the left.
 * @param {number} left
 * @param {number} right
 * @param {number} y
 * @param {string} text
 * @returns {SVGElement[]} line and value
 */
export function gridLine(left, right, y, text) {
  const line = svg("path", { class: "grid", d: `M${left} ${y}H${right}` });
  return [line, svg("text", { class: "y", x: left - 6, y: y + 4 }, text)];
}

/**
 * A table with a caption.
 * @param {string | HTMLElement} title its caption, as text or element
 * @param {(string | HTMLElement)[]} heads of the columns; none without a head
 * @param {HTMLElement} body
 * @param {Record<string, any>} [properties]
 * @returns {HTMLTableElement} the table
 */
export function table(title, heads, body, properties) {
  const cells = heads.map((head) => (typeof head === "string" ? h("th", { scope: "col" }, head) : head));
  const caption = typeof title === "string" ? h("caption", {}, title) : title;
  return h("table", properties, caption, cells.length ? h("thead", {}, h("tr", {}, ...cells)) : null, body);
}

/**
 * A row of a table: a title, a bar, a number.
 * @param {string} title
 * @param {string} [kind] the row's class
 * @returns {{ bar: HTMLElement, number: HTMLElement, row: HTMLElement }} the row and what changes in it
 */
export function barRow(title, kind) {
  const bar = h("i");
  const cell = h("td", {}, h("div", { class: "bar", "aria-hidden": "true" }, bar));
  const number = h("td", { class: "number" });
  return { bar, number, row: h("tr", { class: kind }, h("th", { scope: "row" }, title), cell, number) };
}

/**
 * A box that opens, closed at first.
 * @param {string} title
 * @param {...(Node | string)} inside
 * @returns {HTMLDetailsElement} the box
 */
export function fold(title, ...inside) {
  return h("details", {}, h("summary", {}, title), ...inside);
}

/**
 * Put the parts of an explorable into its root, in the order of all: what is seen, what it says, what a hand moves, and
 * boxes that open.
 * @param {HTMLElement} root
 * @param {{ seen: Node[], said: Node[], moved: Node[], boxes?: Node[] }} parts
 * @returns {void}
 */
export function arrange(root, { seen, said, moved, boxes = [] }) {
  root.classList.add("pw-laid");
  root.append(...seen, ...said, h("div", { class: "pw-panel" }, ...moved), h("div", { class: "pw-more" }, ...boxes));
}

/**
 * Make the root of an explorable inside `el`, with the shared look and its own; keys never leave it (JupyterLab).
 * @param {HTMLElement} el
 * @param {string} name
 * @param {string} label for those who do not see it
 * @param {string} css
 * @returns {HTMLElement} the root
 */
export function frame(el, name, label, css) {
  const properties = { class: `pw-live pw-${name}`, "data-lm-suppress-shortcuts": "true", "aria-label": label };
  const root = h("section", properties);
  const page = /** @type {any} */ (el.isConnected ? el.getRootNode() : document);
  const sheets = (page.pwSheets ??= new Set());
  for (const text of [LOOK, css]) {
    if (sheets.has(text)) continue;
    sheets.add(text);
    // Not a style element: a strict content security policy forbids that
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet];
  }
  root.addEventListener("keydown", (event) => event.stopPropagation());
  el.append(root);
  return root;
}
