// An explorable's state, and drawing it anew when it changes.

/**
 * The part of anywidget's model that an explorable uses.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes sends what was set to Python
 * @property {(event: string, listen: () => void) => void} on
 * @property {(event: string, listen: () => void) => void} off
 */

/**
 * Where an explorable shows: its state, and the element to fill.
 * @typedef {{ model: Model, el: HTMLElement }} Place
 */

/**
 * What the module of an explorable exports by default: `render` fills an element and returns what empties it again, and
 * `linked` names the parts of the state that an address may hold.
 * @typedef {{ render: (place: Place) => () => void, linked: string[] }} Explorable
 */

/**
 * Set parts of the state.
 * @param {Model} model
 * @param {Record<string, unknown>} values
 * @param {boolean} [save] whether to send them to Python as well
 * @returns {void}
 */
export function change(model, values, save = true) {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  if (save) model.save_changes();
}

/**
 * The whole number that a value means, kept within limits; the lower one if it means none.
 * @param {unknown} value
 * @param {number} low at least 0
 * @param {number} high
 * @returns {number} low to high
 */
export function within(value, low, high) {
  return Math.max(low, Math.min(high, Math.round(Number(value)) || 0));
}

/**
 * A value if it is among those allowed, and else the first of these.
 * @template Value
 * @param {unknown} value
 * @param {Value[]} allowed
 * @returns {Value} one of the allowed
 */
export function oneOf(value, allowed) {
  return allowed.find((one) => one === value) ?? allowed[0];
}

/**
 * Call a function whenever one of these parts of the state changes.
 * @param {Model} model
 * @param {string[]} names
 * @param {() => void} listen
 * @returns {() => void} ends it
 */
export function follow(model, names, listen) {
  for (const name of names) model.on(`change:${name}`, listen);
  return () => names.forEach((name) => model.off(`change:${name}`, listen));
}

/**
 * Put off a call to the next frame, and make it once however often it is asked for before.
 * @param {() => void} draw
 * @returns {() => void} asks for the call
 */
export function oncePerFrame(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

/**
 * Draw in the next frame, and again in the one after each change of these parts of the state.
 * @param {Place & { root: HTMLElement }} place
 * @param {string[]} names
 * @param {() => void} draw
 * @param {HTMLElement} [box] whose width the drawing takes: then it is drawn at once, and again when that changes
 * @returns {() => void} ends it and removes the root
 */
export function live({ model, root }, names, draw, box) {
  const later = oncePerFrame(draw);
  const end = follow(model, names, later);
  const resized = new ResizeObserver(later);
  if (box) {
    resized.observe(box);
    draw();
  } else later();
  return () => {
    end();
    resized.disconnect();
    root.remove();
  };
}
