// Hypercolumn probe: choose a place, see the features stacked over it, and which other places have similar ones.
import { bytes, follow, frame, h, oncePerFrame, percent, slider, speaker, svg, write } from "./shared.mjs";

const VOID = 255;

/** Squared distances of all places to one, over the channels of the layers that are on. Features are (channels, places)
 * in whole steps, so these are whole numbers too. */
export function distances(features, layers, places, place, on) {
  const far = new Float64Array(places);
  let channel = 0;
  layers.forEach(([, channels], layer) => {
    for (let c = channel; c < channel + channels; c++)
      if (on[layer])
        for (let i = 0; i < places; i++) far[i] += (features[c * places + i] - features[c * places + place]) ** 2;
    channel += channels;
  });
  return Array.from(far);
}

/** The k nearest places that have a label, without the place itself; of equally near ones the first. */
export function nearest(far, labels, place, k) {
  return far
    .map((distance, i) => [distance, i])
    .filter(([, i]) => i !== place && labels[i] !== VOID)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .slice(0, k)
    .map(([, i]) => i);
}

/** How many of them have the place's class, how many would by chance, and how far away they lie, in places. */
export function measure(near, labels, place, width) {
  const same = (all) => all.filter((i) => labels[i] === labels[place]).length / all.length;
  const others = Array.from(labels.keys()).filter((i) => i !== place && labels[i] !== VOID);
  const away = (i) => Math.hypot((i % width) - (place % width), Math.floor(i / width) - Math.floor(place / width));
  return {
    share: labels[place] === VOID ? NaN : same(near),
    chance: labels[place] === VOID ? NaN : same(others),
    away: near.reduce((sum, i) => sum + away(i), 0) / near.length,
  };
}

/** What the neighbours are, in words; `alone` is the share for each layer by itself. */
export function finding(found, label, k, on, layers, alone) {
  if (Number.isNaN(found.share)) return "Nobody labelled this place (void), so there is nothing to compare its neighbours with.";
  const names = layers.filter((_, i) => on[i]).map(([name]) => name);
  const which = names.length === layers.length ? "all layers" : names.join(" + ");
  const start = `This place is ${label}. Of the ${k} nearest by ${which}, ${percent(found.share)} are ${label} too; by chance ${percent(found.chance)} would be.`;
  if (names.length < 2) return start;
  const [most, least] = [Math.max(...alone), Math.min(...alone)];
  if (most === least) return `${start} Every layer alone finds as many.`;
  const who = (share) => layers.filter((_, i) => alone[i] === share).map(([name]) => name).join(" / ");
  return `${start} Alone, ${who(most)}: ${percent(most)}; ${who(least)}: ${percent(least)}.`;
}

const CSS = `
.pw-hypercolumn-probe{--mark:light-dark(#c24a00,#ff9f50)}
.pw-hypercolumn-probe .views{display:grid;grid-template-columns:1fr 1fr;gap:.6rem;align-items:end;margin-bottom:.3rem}
.pw-hypercolumn-probe canvas{display:block;width:100%;height:auto;border-radius:.3rem}
.pw-hypercolumn-probe canvas.choose{cursor:crosshair;touch-action:manipulation}
.pw-hypercolumn-probe .column{margin-bottom:.7rem}
.pw-hypercolumn-probe .layer{display:grid;grid-template-columns:6.5rem 1fr 3.7rem;gap:.6rem;align-items:center}
.pw-hypercolumn-probe .layer label{display:flex;gap:.4rem;align-items:center;min-height:2.1rem;cursor:pointer}
.pw-hypercolumn-probe .layer input{width:1.1rem;height:1.1rem;flex:none;margin:0;accent-color:var(--fill)}
.pw-hypercolumn-probe .layer b{text-align:right;font-weight:400;font-variant-numeric:tabular-nums}
.pw-hypercolumn-probe .layer svg{height:2.1rem}
.pw-hypercolumn-probe .layer svg rect{fill:var(--fill)}
.pw-hypercolumn-probe .layer svg rect.minus{fill:var(--mark)}
.pw-hypercolumn-probe .layer svg line{stroke:var(--line)}
.pw-hypercolumn-probe .off svg{opacity:.3}
@container (min-width:34rem){.pw-hypercolumn-probe .layer{grid-template-columns:11rem 1fr 3.7rem}}
`;

function render({ model, el }) {
  const root = frame(el, "hypercolumn-probe", CSS);
  root.setAttribute("aria-label", "Hypercolumn probe: choose a place and see which others have similar features");
  const [height, width] = model.get("grid");
  const layers = model.get("layers");
  const places = height * width;
  const features = new Int8Array(bytes(model.get("features")).buffer);
  const labels = bytes(model.get("labels"));
  const names = Object.fromEntries(model.get("classes").map(([label, name]) => [label, name]));
  const name = (place) => names[labels[place]] ?? "void, not labelled";
  const sizes = features.map(Math.abs).sort();
  const high = sizes[Math.floor(0.99 * sizes.length)] || 1; // the height of a bar's half
  const cell = 512 / width; // canvas pixels for one place

  const within = (value, low, high) => Math.max(low, Math.min(high, Math.round(Number(value)) || low));
  const placeNow = () => within(model.get("row"), 0, height - 1) * width + within(model.get("column"), 0, width - 1);
  const flags = () => {
    const given = String(model.get("on")).split(" ");
    const on = layers.map((_, i) => given.includes(String(i)));
    return on.includes(true) ? on : layers.map(() => true); // none would make all places equal
  };
  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }

  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);
  const heard = h("p", { class: "unseen", "aria-live": "polite" });
  const sayPlace = speaker(heard, 150);
  const canvas = (properties) => h("canvas", { width: 512, height: height * cell, ...properties });
  const view = canvas({ class: "choose", tabindex: 0, role: "application", "aria-label": "Scene: arrow keys choose a place" });
  const map = canvas({ role: "img", "aria-label": "How similar each place is to the chosen one" });
  const title = h("figcaption");
  const count = slider("neighbours", [1, 100], (value) => change({ k: value }));
  const rows = layers.map(([name, channels], i) => {
    const box = h("input", { type: "checkbox", onchange: () => change({ on: layers.map((_, k) => k).filter((k) => flags()[k] !== (k === i)).join(" ") }) });
    const bars = Array.from({ length: channels }, () => svg("rect", { width: 7 }));
    const chart = svg("svg", { viewBox: `0 0 ${10 * channels} 40`, preserveAspectRatio: "none", "aria-hidden": "true" });
    chart.append(svg("line", { x2: 10 * channels, y1: 20, y2: 20 }), ...bars);
    const alone = h("b");
    return { box, bars, alone, element: h("div", { class: "layer" }, h("label", {}, box, name), chart, alone) };
  });
  root.append(
    found,
    h("div", { class: "views" }, h("figure", {}, title, view), h("figure", {}, h("figcaption", {}, "similarity to it"), map)),
    h("p", { class: "soft" }, "Framed: its nearest neighbours, white with the same class, orange with another. On the right: the brighter, the nearer."),
    h(
      "fieldset",
      { class: "column" },
      h("legend", {}, "The hypercolumn, fine to coarse, and the share that each layer alone finds"),
      ...rows.map((row) => row.element),
    ),
    h("div", { class: "pw-settings" }, count.element),
    heard,
  );

  view.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const place = placeNow();
    change({ row: within(Math.floor(place / width) + step[0], 0, height - 1), column: within((place % width) + step[1], 0, width - 1) });
    sayPlace(`row ${Math.floor(placeNow() / width) + 1}, column ${(placeNow() % width) + 1}: ${name(placeNow())}`);
  });
  const pick = (event) => {
    const box = view.getBoundingClientRect();
    change({ row: within(Math.floor(((event.clientY - box.top) / box.height) * height), 0, height - 1), column: within(Math.floor(((event.clientX - box.left) / box.width) * width), 0, width - 1) });
  };
  let held = false;
  view.addEventListener("pointerdown", (event) => {
    held = event.pointerType === "mouse" && event.button === 0; // a finger that moves scrolls the page
    pick(event);
  });
  view.addEventListener("pointermove", (event) => held && pick(event));
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) view.addEventListener(end, () => (held = false));

  const jpeg = new Image();
  const outline = (pen, place, ink, paper) => {
    for (const [colour, line] of [[paper, 5], [ink, 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.strokeRect((place % width) * cell, Math.floor(place / width) * cell, cell, cell);
    }
  };

  const draw = oncePerFrame(() => {
    const place = placeNow();
    const on = flags();
    const k = within(model.get("k"), 1, 100);
    const far = distances(features, layers, places, place, on);
    const near = nearest(far, labels, place, k);
    const alone = layers.map((_, i) => measure(nearest(distances(features, layers, places, place, layers.map((_, j) => j === i)), labels, place, k), labels, place, width).share);

    const pen = view.getContext("2d");
    pen.fillStyle = "#808080";
    pen.fillRect(0, 0, view.width, view.height);
    if (jpeg.complete && jpeg.naturalWidth) pen.drawImage(jpeg, 0, 0, view.width, view.height);
    pen.fillStyle = "rgba(0,0,0,.45)";
    const bright = new Set([place, ...near]);
    for (let i = 0; i < places; i++) if (!bright.has(i)) pen.fillRect((i % width) * cell, Math.floor(i / width) * cell, cell, cell);
    near.forEach((i) => outline(pen, i, labels[i] === labels[place] ? "#fff" : "#ff7a1a", "#000"));
    outline(pen, place, "#ffe600", "#000");

    const shade = map.getContext("2d");
    const scale = [...far].sort((a, b) => a - b)[Math.floor(places / 2)] || 1; // half the places are nearer
    far.forEach((distance, i) => {
      const light = Math.exp(-distance / scale);
      shade.fillStyle = `rgb(${20 + 235 * light},${24 + 206 * light},${60 + 60 * light})`;
      shade.fillRect((i % width) * cell, Math.floor(i / width) * cell, cell + 1, cell + 1);
    });
    outline(shade, place, "#ffe600", "#000");

    let channel = 0;
    rows.forEach((row, i) => {
      row.box.checked = on[i];
      row.box.disabled = on[i] && on.filter(Boolean).length === 1;
      row.element.classList.toggle("off", !on[i]);
      row.bars.forEach((bar, c) => {
        const value = Math.max(-1, Math.min(1, features[(channel + c) * places + place] / high));
        bar.setAttribute("x", 10 * c + 1.5);
        bar.setAttribute("y", value < 0 ? 20 : 20 - 20 * value);
        bar.setAttribute("height", Math.max(20 * Math.abs(value), 0.4));
        bar.setAttribute("class", value < 0 ? "minus" : "");
      });
      channel += row.bars.length;
      write(row.alone, percent(alone[i]));
    });
    count.set(k);
    const numbers = measure(near, labels, place, width);
    write(title, `row ${Math.floor(place / width) + 1}, column ${(place % width) + 1}: ${name(place)}`);
    say(finding(numbers, name(place), near.length, on, layers, alone));
  });
  jpeg.addEventListener("load", draw);
  jpeg.src = `data:image/jpeg;base64,${model.get("image")}`;
  write(found, " ");
  const stop = follow(model, ["row", "column", "on", "k"], draw);
  draw();
  return () => {
    stop();
    root.remove();
  };
}

export default { render, linked: ["row", "column", "on", "k"] };
