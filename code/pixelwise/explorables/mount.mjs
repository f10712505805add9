// Brings the explorables of a built page to life, without a kernel. The build puts all of them and this into one
// classic script, for module scripts don't load from file://.
import { button } from "./shared/controls.mjs";
import { h, write } from "./shared/dom.mjs";

// The part of anywidget's model that an explorable uses, over a plain object
function modelOf(state) {
  const listeners = {};
  return {
    get: (name) => state[name],
    set(name, value) {
      if (Object.is(state[name], value)) return;
      state[name] = value;
      for (const listen of listeners[`change:${name}`] ?? []) listen();
    },
    save_changes() {},
    on: (event, listen) => void (listeners[event] ??= new Set()).add(listen),
    off: (event, listen) => void listeners[event]?.delete(listen),
  };
}

// What a host is called in an address: a name of its own, if it is one of many of its kind
const addressOf = (host) => host.dataset.name ?? host.dataset.explorable;

// The state in the address, as #name.key=value&name.other=value: only keys that the explorable lets be linked
function addressed(name, linked, state) {
  const values = {};
  for (const [key, value] of new URLSearchParams(location.hash.slice(1))) {
    const own = key.startsWith(`${name}.`) ? key.slice(name.length + 1) : "";
    if (!linked.includes(own)) continue;
    const number = typeof state[own] === "number";
    if (!number || (value !== "" && Number.isFinite(Number(value)))) values[own] = number ? Number(value) : value;
  }
  return values;
}

function mount(host, { render, linked }) {
  const name = addressOf(host);
  const state = JSON.parse(host.dataset.state);
  const model = modelOf({ ...state, ...addressed(name, linked, state) });
  addEventListener("hashchange", () =>
    Object.entries(addressed(name, linked, state)).forEach((entry) => model.set(...entry)),
  );

  const still = [...host.querySelectorAll("img, .pw-still")];
  const live = h("div");
  still[0].after(live);
  render({ model, el: live });
  if (!host.dataset.name) addLink(live, name, model, state, linked);
  for (const part of still) part.remove();
}

// A button for the address of a figure as it stands; a question has a page of its own instead
function addLink(live, name, model, state, linked) {
  const told = h("span", { role: "status" });
  const link = button("Link to this state", () => {
    const changed = linked.filter((key) => model.get(key) !== state[key]);
    const pairs = (changed.length ? changed : linked.slice(0, 1)).map((key) => [`${name}.${key}`, model.get(key)]);
    history.replaceState(null, "", `#${new URLSearchParams(pairs)}`);
    const copying = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
    copying.then(
      () => write(told, "Copied."),
      () => write(told, "It is in the address bar."),
    );
  });
  (live.querySelector(".pw-more") ?? live.firstElementChild).append(h("div", { class: "pw-row" }, told, link));
}

/**
 * Bring every explorable of the page to life when it comes into view, or before, once the browser has nothing else to do:
 * who walks by keys or by a list of the page's fields comes to it unseen. Go to the one that the address names.
 * @param {Record<string, import("./shared/state.mjs").Explorable>} explorables by name
 * @returns {void}
 */
export function mountAll(explorables) {
  const waiting = new Set();
  const wake = (host) => waiting.delete(host) && mount(host, explorables[host.dataset.explorable]);
  const seen = new IntersectionObserver((entries) => entries.forEach((one) => one.isIntersecting && wake(one.target)), {
    rootMargin: "200px",
  });
  for (const host of document.querySelectorAll(".pw-explorable")) {
    if (!Object.hasOwn(explorables, /** @type {HTMLElement} */ (host).dataset.explorable)) continue;
    waiting.add(host);
    seen.observe(host);
    globalThis.requestIdleCallback?.(() => wake(host));
    if (location.hash.startsWith(`#${addressOf(host)}.`)) host.scrollIntoView();
  }
}
