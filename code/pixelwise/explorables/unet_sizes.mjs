// U-Net sizes: which picture sizes fit through a U-Net, what comes out, and how tiles cover a picture of any size.
import { choices, follow, frame, h, oncePerFrame, slider, speaker, svg, write } from "./shared.mjs";

const LEAST = 1;
const MOST = 700;

/** Sides through the U, [before, after the two convolutions] a level: on the way down from fine to coarse, on the way up
 * from coarse to fine. `fails` says where it breaks: {level, side, why: "odd" | "small"}; `missed` are the levels whose
 * doubled map differs from the skipped one (padded form only), as [level, skipped side, doubled side]. */
export function ladder(size, depth, form) {
  const border = form === "valid" ? 4 : 0;
  const down = [];
  const up = [];
  const missed = [];
  for (let level = 0, side = size; level <= depth; level++) {
    const after = side - border;
    if (after < 1) return { down, up, missed, fails: { level, side, why: "small", way: "down" } };
    down.push([side, after]);
    if (level < depth && form === "valid" && after % 2) return { down, up, missed, fails: { level, side: after, why: "odd" } };
    side = Math.floor(after / 2);
  }
  for (let level = depth - 1, side = down[depth][1]; level >= 0; level--) {
    const doubled = 2 * side;
    const skipped = down[level][1];
    if (form === "padded" && doubled !== skipped) missed.push([level, skipped, doubled]);
    side = form === "valid" ? doubled - border : skipped;
    if (side < 1) return { down, up, missed, fails: { level, side: doubled, why: "small", way: "up" } };
    up.push([form === "valid" ? doubled : skipped, side]);
  }
  return { down, up, missed, fails: null, output: up.length ? up.at(-1)[1] : down[0][1] };
}

/** Whether a side goes through without a remedy. */
export function fits(size, depth, form) {
  const { fails, missed } = ladder(size, depth, form);
  return !fails && !missed.length;
}

/** The nearest sides that fit, smaller first; the side itself if it does. */
export function nearest(size, depth, form) {
  if (fits(size, depth, form)) return [size];
  const step = 2 ** depth;
  const rest = form === "valid" ? (step * 4 - 4) % step : 0;
  const below = size - ((((size - rest) % step) + step) % step);
  const found = [below, below + step].filter((side) => side > 0 && fits(side, depth, form));
  return found.length ? found : [form === "valid" ? 12 * step - 4 : step];
}

/** Tiles of a valid size over a square picture: their step, where their outputs start, and the input pixels computed for
 * each pixel of the picture. A step that is a multiple of 2^depth keeps the poolings of all tiles in step. */
export function tiling(picture, size, depth) {
  const { output } = ladder(size, depth, "valid");
  const unit = 2 ** depth;
  const exact = output >= unit;
  const step = exact ? output - (output % unit) : output;
  const count = Math.max(1, Math.ceil((picture - output) / step) + 1);
  const starts = Array.from({ length: count }, (_, i) => i * step);
  return { output, step, exact, starts, work: (count * size) ** 2 / picture ** 2 };
}

/** What the numbers say, in words. */
export function finding(size, depth, form, picture) {
  const { down, missed, fails, output } = ladder(size, depth, form);
  const sides = nearest(size, depth, form).join(" and ");
  if (fails) {
    const advice = ` Nearest that fit: ${sides}.`;
    if (fails.why === "odd")
      return `${size} does not fit. On level ${fails.level + 1} the side is ${fails.side}: odd, so 2×2 pooling would drop a row and the halves would never line up again.${advice}`;
    return form === "valid"
      ? `${size} is too small. On level ${fails.level + 1}, on the way ${fails.way}, a side of ${fails.side} is eaten up by two 3×3 convolutions without padding.${advice}`
      : `${size} is too small: after ${fails.level} poolings nothing is left.${advice}`;
  }
  if (form === "padded") {
    if (!missed.length)
      return `${size} fits: it is a multiple of ${2 ** depth}, so every pooling halves it exactly and doubling leads back. ${size} in, ${output} out.`;
    const [level, skipped, doubled] = missed[0];
    return `On level ${level + 1} doubling does not lead back: ${skipped} → ${Math.floor(skipped / 2)} → ${doubled}, and the skipped map has ${skipped}. Either interpolate to ${skipped}, as the book's UNet does, or pad the picture to ${Math.max(...nearest(size, depth, form))}.`;
  }
  const { starts, step, exact, work } = tiling(picture, size, depth);
  const n = starts.length;
  const tiles = n === 1 ? "One tile covers" : `${n} × ${n} tiles cover`;
  const stride = exact ? `at a step of ${step}, a multiple of ${2 ** depth}` : `at a step of ${step}, too small to keep the poolings in step`;
  return `${size} in, ${output} out: ${(size - output) / 2} pixels are lost at each border; the lowest map has ${down[depth][0]}. ${tiles} the picture of ${picture}${n === 1 ? "" : `, ${stride}`}: ${work.toFixed(1)} pixels go in for each pixel of it.`;
}

/** Tasks, and whether a state meets them. */
export function tasks(size, depth, form, picture) {
  const through = ladder(size, depth, form);
  const valid = form === "valid" && !through.fails;
  return [
    ["The paper's smallest: 4 poolings, and the least input that leaves any output", valid && depth === 4 && size === 188],
    ["Tiles for a picture of 1000 or more, with fewer than 2 pixels in for each, at 4 poolings", valid && depth === 4 && picture >= 1000 && tiling(picture, size, depth).work < 2],
    ["Padded: make a side of 7 come back as 6", form === "padded" && through.missed.some(([, skipped]) => skipped === 7)],
  ];
}

const CSS = `
.pw-unet-sizes{--bad:light-dark(#a3261c,#ff9d90);--tile:light-dark(#b35900,#f2b24c)}
.pw-unet-sizes [hidden]{display:none}
.pw-unet-sizes .views{display:grid;gap:1rem;margin-bottom:.7rem}
.pw-unet-sizes figure{max-width:27rem}
.pw-unet-sizes svg .box{fill:light-dark(#dbe6f2,#24384d);stroke:var(--fill)}
.pw-unet-sizes svg .lost{opacity:.35}
.pw-unet-sizes svg .bad{fill:light-dark(#f7dcd8,#4d211c);stroke:var(--bad);stroke-width:2}
.pw-unet-sizes svg text{text-anchor:middle;font-variant-numeric:tabular-nums}
.pw-unet-sizes svg text.why{fill:var(--bad);font-weight:600}
.pw-unet-sizes svg text.soft{fill:var(--soft);font-size:12px}
.pw-unet-sizes svg path{fill:none;stroke:var(--line);stroke-width:1.3}
.pw-unet-sizes .tiles{background:light-dark(#ece7db,#10141a);border-radius:.3rem;overflow:hidden;cursor:pointer}
.pw-unet-sizes use{fill:light-dark(#9fb3a4,#58705f);stroke:light-dark(#5e7a67,#8fb09b);stroke-width:6}
.pw-unet-sizes .mirror{opacity:.35}
.pw-unet-sizes .frame,.pw-unet-sizes .grid,.pw-unet-sizes .in,.pw-unet-sizes .out{fill:none;vector-effect:non-scaling-stroke}
.pw-unet-sizes .frame{stroke:var(--ink);stroke-width:1.5}
.pw-unet-sizes .grid{stroke:var(--line);stroke-dasharray:3 3}
.pw-unet-sizes .in{stroke:var(--fill);stroke-width:2.5}
.pw-unet-sizes .out{stroke:var(--tile);stroke-width:3}
.pw-unet-sizes .key{display:inline-block;width:.9rem;height:.9rem;border:2.5px solid var(--fill);vertical-align:-.1em}
.pw-unet-sizes .key.o{border-color:var(--tile)}
@container (min-width:38rem){.pw-unet-sizes .views{grid-template-columns:1fr 1fr}}
`;

// A picture of cells in 1000 × 1000: [x, y, radii, angle], drawn once and for ever the same.
const CELLS = Array.from({ length: 30 }, (_, i) => {
  const [a, b, c] = [12.9898, 78.233, 37.719].map((k) => Math.abs(Math.sin((i + 1) * k) * 43758.5453) % 1);
  return [70 + (i % 5) * 200 + 90 * (a - 0.5), 80 + Math.floor(i / 5) * 170 + 80 * (b - 0.5), 50 + 34 * c, 42 + 26 * a, 180 * b];
});

function render({ model, el }) {
  const root = frame(el, "unet-sizes", CSS);
  root.setAttribute("aria-label", "U-Net sizes: choose an input size, see what fits and what comes out");
  const id = `pw-cells-${Math.random().toString(36).slice(2)}`;

  // State, kept within what can be shown
  const clamp = (value, low, high) => Math.max(low, Math.min(high, Math.round(Number(value)) || low));
  const now = () => ({
    size: clamp(model.get("size"), LEAST, MOST),
    depth: clamp(model.get("depth"), 1, 5),
    form: model.get("form") === "padded" ? "padded" : "valid",
    whole: clamp(model.get("whole"), 256, 1200),
    tile: Math.max(0, Math.round(Number(model.get("tile"))) || 0),
  });
  function change(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }

  // Controls
  const form = choices("Convolutions", [["valid", "valid, as in the paper"], ["padded", "padded, as today"]], (value) => change({ form: value }));
  const size = slider("input", [LEAST, MOST], (value) => change({ size: value }));
  const bottom = slider("lowest map", [1, 60], (value) => {
    const { depth, form } = now();
    change({ size: clamp(value * 2 ** depth + (form === "valid" ? 4 * (2 ** depth - 1) : 0), LEAST, MOST) });
  });
  const output = slider("output", [2, MOST], (value) => {
    const { depth, form } = now();
    change({ size: clamp(form === "valid" ? value + 12 * 2 ** depth - 8 : value, LEAST, MOST) });
  });
  const depth = slider("poolings", [1, 5], (value) => change({ depth: value }));
  const picture = slider("picture", [256, 1200], (value) => change({ whole: value }));
  const jumps = [0, 1].map(() => h("button", { type: "button", onclick: (event) => change({ size: Number(event.currentTarget.value) }) }));
  const found = h("p", { class: "pw-finding", role: "status" });
  const say = speaker(found);

  // The two pictures
  const u = svg("svg", { role: "img", viewBox: "0 0 360 260" });
  const map = svg("svg", { class: "tiles", role: "application", tabindex: 0, "aria-label": "Tiles on the picture: arrow keys choose one" });
  const cells = svg("g", { id });
  for (const [x, y, a, b, turn] of CELLS)
    cells.append(svg("ellipse", { cx: x, cy: y, rx: a, ry: b, transform: `rotate(${turn} ${x} ${y})` }));
  const clip = svg("clipPath", { id: `${id}-c` }, svg("rect", { width: 1000, height: 1000 }));
  const mirrored = svg("g");
  const overlay = svg("g");
  map.append(svg("defs", {}, clip, cells), mirrored, overlay);
  const mapTitle = h("figcaption");
  const uTitle = h("figcaption");
  const legend = h("p", { class: "soft" });
  const list = [0, 1, 2].map(() => {
    const mark = h("b");
    const text = h("span");
    return { mark, text, item: h("li", {}, mark, text) };
  });

  root.append(
    form.element,
    h("div", { class: "pw-settings" }, size.element, bottom.element, output.element, depth.element, picture.element),
    h("p", { class: "pw-row" }, "Nearest that fit:", ...jumps),
    found,
    h("div", { class: "views" }, h("figure", {}, uTitle, u), h("figure", {}, mapTitle, map, legend)),
    h("fieldset", {}, h("legend", {}, "Find them"), h("ul", { class: "pw-tasks" }, ...list.map((one) => one.item))),
  );

  // Tiles: the pointer or the arrow keys choose one
  let shape = { count: 1, step: 1, view: [0, 1000] };
  map.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const { count } = shape;
    const tile = Math.min(now().tile, count * count - 1);
    const [x, y] = [(tile % count) + step[0], Math.floor(tile / count) + step[1]];
    if (x >= 0 && y >= 0 && x < count && y < count) change({ tile: y * count + x });
  });
  map.addEventListener("pointerdown", (event) => {
    const box = map.getBoundingClientRect();
    const { count, step, view } = shape;
    const at = (share) => clamp(Math.floor((view[0] + share * view[1]) / step), 0, count - 1);
    change({ tile: at((event.clientY - box.top) / box.height) * count + at((event.clientX - box.left) / box.width) });
  });

  function drawU({ down, up, missed, fails }, depth, form) {
    u.replaceChildren();
    const row = 238 / (depth + 1);
    const y = (level) => 20 + level * row;
    const place = (x, level, pair, kind = "") => {
      const wide = pair[0] === pair[1] ? 64 : 92;
      u.append(svg("rect", { class: `box ${kind}`, x: x - wide / 2, y: y(level) - 12, width: wide, height: 24, rx: 5 }));
      u.append(svg("text", { x, y: y(level) + 4.5 }, pair[0] === pair[1] ? String(pair[0]) : `${pair[0]} → ${pair[1]}`));
    };
    const line = (path, kind = "") => u.append(svg("path", { d: path, class: kind }));
    const note = (x, place, text, kind) => u.append(svg("text", { x, y: place, class: kind }, text));
    const [left, right] = [60, 300];
    down.forEach((pair, level) => {
      const x = level === depth ? 180 : left;
      if (level && level < depth) line(`M${left} ${y(level - 1) + 12}V${y(level) - 12}`);
      if (level === depth) line(`M${left} ${y(level - 1) + 12}V${y(level)}H${x - 46}`);
      if (level) note(left + 17, y(level) - row / 2 + 4, "÷ 2", "soft");
      place(x, level, pair, fails?.level === level && fails.why === "odd" ? "bad" : "");
    });
    up.forEach((pair, i) => {
      const level = depth - 1 - i;
      const miss = missed.find(([at]) => at === level);
      line(i ? `M${right} ${y(level + 1) - 12}V${y(level) + 12}` : `M226 ${y(depth)}H${right}V${y(level) + 12}`);
      note(right - 17, y(level) + row / 2 + 4, "× 2", "soft");
      line(`M${left + 48} ${y(level)}H${right - 48}`);
      const crop = (down[level][1] - pair[0]) / 2;
      const words = miss ? `${miss[1]} ≠ ${miss[2]}` : form === "valid" ? `crop ${crop} each side` : `${pair[0]} = ${pair[0]}`;
      note(180, y(level) - 5, words, miss ? "why" : "soft");
      place(right, level, pair, miss ? "bad" : "");
    });
    if (!fails) return;
    const words = fails.why === "odd" ? `${fails.side} is odd` : fails.side < 1 ? "nothing left" : `${fails.side} − 4: nothing left`;
    if (fails.why === "odd") note(left + 100, y(fails.level) + 4.5, words, "why");
    else if (fails.way === "down") note(fails.level === depth ? 180 : left + 40, y(fails.level) + 4.5, words, "why");
    else note(right - 30, y(fails.level) + 4.5, words, "why");
  }

  function drawTiles({ fails, output }, { size, depth, form, whole: picture, tile }) {
    // Without padding: tiles over the picture. With: the picture of the input's side, padded to a side that fits.
    const padded = form === "padded";
    const side = padded ? size : picture;
    const fit = padded ? Math.max(...nearest(size, depth, form)) : 0;
    const tiles = padded || fails ? null : tiling(picture, size, depth);
    const margin = tiles ? (size - output) / 2 : 0;
    const end = tiles ? tiles.starts.at(-1) + output + margin : Math.max(side, fit);
    const rim = (end + margin) * 0.015;
    const view = [-margin - rim, end + margin - (tiles ? margin : 0) + 2 * rim];
    view[1] = end - view[0] + rim;
    shape = { count: tiles?.starts.length ?? 1, step: tiles?.step ?? side, view };
    map.setAttribute("viewBox", `${view[0]} ${view[0]} ${view[1]} ${view[1]}`);
    const scale = side / 1000;
    const first = Math.floor(view[0] / side);
    const last = Math.ceil(end / side);
    mirrored.replaceChildren();
    for (let v = first; v < last; v++)
      for (let w = first; w < last; w++) {
        const flip = (k) => (k % 2 ? `${(k + 1) * side}` : `${k * side}`);
        const [sx, sy] = [w % 2 ? -scale : scale, v % 2 ? -scale : scale];
        const copy = svg("g", { transform: `translate(${flip(w)} ${flip(v)}) scale(${sx} ${sy})` }, svg("use", { href: `#${id}`, "clip-path": `url(#${id}-c)` }));
        if (v || w) copy.setAttribute("class", "mirror");
        mirrored.append(copy);
      }
    overlay.replaceChildren();
    const box = (x, y, width, kind) => overlay.append(svg("rect", { x, y, width, height: width, class: kind }));
    box(0, 0, side, "frame");
    if (padded && fit !== side) box(0, 0, fit, "in");
    if (!tiles) {
      write(mapTitle, padded ? `The picture, ${size} px a side${fit > side ? `, mirrored to ${fit}` : ""}` : `No tile of ${size} px fits this network`);
      legend.replaceChildren(padded ? (fit > side ? `${((fit / side) ** 2 * 100 - 100).toFixed(0)} % more pixels to compute, cropped off again.` : "Nothing to add.") : "");
      return;
    }
    for (const y of tiles.starts) for (const x of tiles.starts) box(x, y, output, "grid");
    const count = tiles.starts.length;
    const chosen = Math.min(tile, count * count - 1);
    const [x, y] = [tiles.starts[chosen % count], tiles.starts[Math.floor(chosen / count)]];
    box(x - margin, y - margin, size, "in");
    box(x, y, output, "out");
    write(mapTitle, `Tile ${chosen + 1} of ${count * count} on a picture of ${picture} px`);
    legend.replaceChildren(h("span", { class: "key" }), ` what the network sees, ${size} px; `, h("span", { class: "key o" }), ` what it labels, ${output} px. Pale: the picture, mirrored.`);
  }

  const draw = oncePerFrame(() => {
    const state = now();
    const { size: side, depth: poolings, form: kind, whole } = state;
    const through = ladder(side, poolings, kind);
    form.set(kind);
    size.set(side, `${side} px`);
    const unit = 2 ** poolings;
    bottom.input.max = Math.max(1, Math.floor((MOST - (kind === "valid" ? 4 * (unit - 1) : 0)) / unit));
    output.input.step = unit;
    output.input.min = kind === "valid" ? 4 : unit;
    output.input.max = kind === "valid" ? MOST - 12 * unit + 8 : MOST;
    bottom.set(through.down[poolings]?.[0] ?? 1, through.down[poolings] ? `${through.down[poolings][0]} px` : "–");
    output.set(through.output ?? 0, through.output ? `${through.output} px` : "–");
    depth.set(poolings);
    picture.set(whole, `${whole} px`);
    picture.element.hidden = kind === "padded";
    const sides = nearest(side, poolings, kind);
    const around = sides[0] === side ? [side - unit, side + unit].filter((one) => one > 0 && one <= MOST && fits(one, poolings, kind)) : sides;
    jumps.forEach((button, i) => {
      button.hidden = around[i] === undefined;
      button.value = around[i];
      write(button, `${around[i]}`);
    });
    write(uTitle, kind === "valid" ? "Side of the maps, before and after two 3×3 convolutions" : "Side of the maps; convolutions keep it");
    u.setAttribute("aria-label", through.fails ? `Sides on the way down: ${through.down.map((pair) => pair.join(" to ")).join(", ")}; there it breaks.` : `Sides on the way down: ${through.down.map((pair) => pair[0]).join(", ")}; on the way up: ${through.up.map((pair) => pair[0]).join(", ")}.`);
    drawU(through, poolings, kind);
    drawTiles(through, state);
    tasks(side, poolings, kind, whole).forEach(([text, met], i) => {
      write(list[i].text, text);
      write(list[i].mark, met ? "✓ met" : "○ open");
      list[i].item.classList.toggle("met", met);
    });
    say(finding(side, poolings, kind, whole));
  });
  write(found, " ");
  const stop = follow(model, ["size", "depth", "form", "whole", "tile"], draw);
  draw();
  return () => {
    stop();
    root.remove();
  };
}

export default { render, linked: ["size", "form", "depth", "whole", "tile"] };
