// What every explorable shares: elements, the frame with its colours, spoken findings, numbers as text.
// The build and the widget paste this file before an explorable's own source, so it imports nothing.

/** Make an element: h("button", { class: "x", onclick: f, "aria-label": "…" }, "text", child, …). */
export function h(tag, properties, ...children) {
  return made(document.createElement(tag), properties, children);
}

/** Make an SVG element, as `h` makes one of HTML. */
export function svg(tag, properties, ...children) {
  return made(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function made(element, properties = {}, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Set an element's text, and touch the page only if it differs. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** 0.4815 as "48.1 %", and a dash for what doesn't exist. */
export function percent(share) {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`;
}

/** Bytes from base64. */
export function bytes(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

/** A labelled range input, one step for each arrow key: its element, and set(value, text) to show a value. */
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

/** A row of buttons of which one is pressed, from [value, text] pairs: its element, and set(value). */
export function choices(legend, options, pick) {
  const buttons = options.map(([value, text]) => [value, h("button", { type: "button", onclick: () => pick(value) }, text)]);
  const row = h("div", { class: "pw-row" }, ...buttons.map(([, button]) => button));
  const set = (now) => buttons.forEach(([value, button]) => button.setAttribute("aria-pressed", String(value === now)));
  const title = h("span", { class: "pw-title", "aria-hidden": "true" }, legend);
  return { element: h("div", { class: "pw-choices", role: "group", "aria-label": legend }, title, row), set };
}

/** Call draw whenever one of these parts of the state changes; returns what ends that. */
export function follow(model, names, draw) {
  for (const name of names) model.on(`change:${name}`, draw);
  return () => names.forEach((name) => model.off(`change:${name}`, draw));
}

/** Return say(text): write into a live region once the hand has rested, so that a screen reader hears the last word only. */
export function speaker(region, rest = 300) {
  let timer;
  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => write(region, text), rest);
  };
}

/** Return a function that calls `draw` once in the next frame, however often it is called before. */
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

/** Make the root of an explorable inside el, with the shared look and the given CSS; keys never leave it (JupyterLab). */
export function frame(el, name, css) {
  const root = h("section", { class: `pw-live pw-${name}`, "data-lm-suppress-shortcuts": "true" });
  const page = el.isConnected ? el.getRootNode() : document;
  const sheets = (page.pwSheets ??= new Set());
  for (const text of [LOOK, css]) {
    if (sheets.has(text)) continue;
    sheets.add(text);
    const sheet = new CSSStyleSheet(); // not a style element: a strict content security policy forbids that
    sheet.replaceSync(text);
    page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet];
  }
  root.addEventListener("keydown", (event) => event.stopPropagation());
  el.append(root);
  return root;
}

const LOOK = `
.pw-live{color-scheme:light dark;--ink:light-dark(#1d1f24,#e9e7e2);--soft:light-dark(#565b66,#b3b7c0);
--ground:light-dark(#f8f6f1,#1b2027);--line:light-dark(#8b8a86,#7d8490);--fill:light-dark(#2b6cb0,#7db4ea);
--good:light-dark(#0b6b3a,#77d49b);box-sizing:border-box;max-width:100%;padding:.9rem;border:1px solid var(--line);
border-radius:.6rem;background:var(--ground);color:var(--ink);font:inherit;font-size:.95rem;line-height:1.45;
container-type:inline-size}
html[data-theme=light] .pw-live,[data-jp-theme-light=true] .pw-live,html[theme=light] .pw-live{color-scheme:light}
html[data-theme=dark] .pw-live,[data-jp-theme-light=false] .pw-live,html[theme=dark] .pw-live{color-scheme:dark}
.pw-live *{box-sizing:border-box}
.pw-live [hidden]{display:none!important}
.pw-live p,.pw-live ul,.pw-live fieldset,.pw-live table{margin:0 0 .7rem;padding:0;border:0;float:none}
.pw-explorable figcaption{color:inherit;font:inherit;font-size:.9em}
.pw-live figure{margin:0;padding:0}
.pw-live figcaption{margin:0 0 .2rem;padding:0;color:inherit;font:inherit;font-size:.9rem;text-align:left}
.pw-live legend,.pw-live caption{padding:0;margin-bottom:.25rem;font-weight:600;font-size:inherit;color:inherit;text-align:left;caption-side:top;width:auto}
.pw-live table{width:100%;border-collapse:collapse;font-size:inherit;color:inherit;background:none}
.pw-live th,.pw-live td{padding:.15rem .4rem .15rem 0;border:0;background:none;color:inherit;font-weight:400;text-align:left}
.pw-live label{margin:0}
.pw-live button,.pw-live select{width:auto;margin:0;min-height:2.1rem;padding:.2rem .6rem;border:1px solid var(--line);border-radius:.4rem;
background:transparent;color:inherit;font:inherit;cursor:pointer}
.pw-live select option{background:var(--ground);color:var(--ink)}
.pw-live button[aria-pressed=true]{border-color:var(--fill);box-shadow:inset 0 0 0 1px var(--fill)}
.pw-live button:disabled{color:var(--soft);cursor:default}
.pw-live :focus-visible{outline:3px solid var(--fill);outline-offset:2px}
.pw-live .pw-row{display:flex;flex-wrap:wrap;gap:.4rem;align-items:center}
.pw-live .pw-slider{display:grid;grid-template-columns:minmax(5.5rem,auto) 1fr 3.2rem;gap:.6rem;align-items:center;min-height:2.1rem}
.pw-live .pw-slider input{width:100%;margin:0;accent-color:var(--fill)}
.pw-live .pw-slider b{font-variant-numeric:tabular-nums}
.pw-live .pw-settings{display:grid;gap:.1rem 1.6rem;margin-bottom:.7rem}
.pw-live .pw-choices{margin-bottom:.7rem}
.pw-live .pw-choices .pw-title{display:block;margin-bottom:.25rem;font-weight:600}
.pw-live .pw-settings .pw-choices{display:grid;grid-template-columns:minmax(5.5rem,auto) 1fr;gap:.6rem;align-items:center;margin:0}
.pw-live .pw-settings .pw-title{margin:0;font-weight:400}
.pw-live .pw-finding{min-height:2.9em;font-weight:600}
.pw-live .pw-tasks li{list-style:none;margin:.15rem 0;padding-left:4.3rem;text-indent:-4.3rem}
.pw-live .pw-tasks b{display:inline-block;width:4.3rem;text-indent:0;font-weight:600}
.pw-live .pw-tasks .met b{color:var(--good)}
.pw-live svg{display:block;width:100%;height:auto;overflow:visible}
.pw-live svg text{fill:var(--ink);font-size:13px}
.pw-live .soft{color:var(--soft)}
.pw-live .unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.pw-live .bar{height:.75rem;border-radius:.2rem;background:light-dark(#dcd8ce,#39414c);overflow:hidden}
.pw-live .bar>i{display:block;height:100%;background:var(--fill);transition:width .15s}
@container (min-width:34rem){.pw-live .pw-settings{grid-template-columns:1fr 1fr}}
@media (prefers-reduced-motion:reduce){.pw-live *{transition:none!important}}
@media (forced-colors:active){.pw-live .bar{border:1px solid}.pw-live .bar>i{background:Highlight}}
`;
