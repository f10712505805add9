// Drawing an answer: the picture under its classes, the legend, and maps on the way.
import { outline, penOf } from "../shared/canvas.mjs";
import { barRow, h, write } from "../shared/dom.mjs";
import { percent } from "../shared/numbers.mjs";
import { said, sharesOf } from "./answer.mjs";
import { liveliest } from "./stages.mjs";

const RAMP = [
  [13, 8, 45],
  [200, 50, 90],
  [255, 236, 140],
]; // from sure to unsure

function layerOf({ answer, colours, hidden }, view) {
  const { labels, unsure, height, width } = answer;
  const pixels = new ImageData(width, height);
  for (let i = 0; i < labels.length; i++) {
    if (view === "unsure") pixels.data.set([...rampAt(unsure[i] / 255), 255], 4 * i);
    else if (!hidden.has(labels[i])) pixels.data.set([...colours[labels[i]], 255], 4 * i);
  }
  const layer = h("canvas", { width, height });
  penOf(layer).putImageData(pixels, 0, 0);
  return layer;
}

function rampAt(share) {
  const place = Math.min(share, 0.9999) * (RAMP.length - 1);
  const [from, to] = [RAMP[Math.floor(place)], RAMP[Math.floor(place) + 1]];
  return from.map((value, i) => value + (place % 1) * (to[i] - value));
}

/**
 * Draw the picture of a desk under its layer, which is made anew only where it differs.
 * @param {HTMLCanvasElement} canvas
 * @param {any} desk
 * @param {string} view
 * @param {number} opacity 0 to 100
 * @returns {void}
 */
export function drawPicture(canvas, desk, view, opacity) {
  const { picture, answer } = desk;
  if (!picture) return;
  const { width, height } = picture;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.style.setProperty("--shape", String(width / height));
  const pen = penOf(canvas);
  pen.globalAlpha = 1;
  pen.drawImage(picture, 0, 0);
  if (!answer) return;
  const kind = `${view} ${[...desk.hidden]}`;
  if (desk.layer?.kind !== kind) desk.layer = { kind, canvas: layerOf(desk, view) };
  pen.globalAlpha = opacity / 100;
  pen.drawImage(desk.layer.canvas, 0, 0);
  pen.globalAlpha = 1;
}

/**
 * Mark the place that is told of.
 * @param {HTMLCanvasElement} canvas
 * @param {number[] | null} cursor row and column
 * @returns {void}
 */
export function drawCursor(canvas, cursor) {
  if (!cursor) return;
  const unit = Math.max(1, canvas.width / 300);
  const corner = [cursor[1] - 3 * unit + 0.5, cursor[0] - 3 * unit + 0.5];
  outline(penOf(canvas), corner, 6 * unit, { "#000": 2.5 * unit, "#fff": unit });
}

/**
 * List the classes of an answer, the largest first, with their shares and switches.
 * @param {HTMLElement} rows
 * @param {any} desk
 * @param {() => void} redraw
 * @returns {void}
 */
export function showLegend(rows, desk, redraw) {
  const { classes, answer, hidden } = desk;
  const shares = sharesOf(answer.labels, classes.length);
  const order = shares.map((_, label) => label).filter((label) => shares[label] > 0);
  order.sort((a, b) => shares[b] - shares[a]);
  rows.replaceChildren(
    ...order.map((label) => {
      const [, colour] = classes[label];
      const { bar, number, row } = barRow("");
      const box = h("input", { type: "checkbox", checked: !hidden.has(label) });
      const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = colour;
      row.firstChild.append(h("label", {}, box, swatch, said(classes[label])));
      bar.style.width = `${(100 * shares[label]) / shares[order[0]]}%`;
      bar.style.background = colour;
      write(number, shares[label] < 0.0005 ? "< 0.1 %" : percent(shares[label]));
      box.addEventListener("change", () => {
        if (box.checked) hidden.delete(label);
        else hidden.add(label);
        row.classList.toggle("off", !box.checked);
        redraw();
      });
      row.classList.toggle("off", hidden.has(label));
      return row;
    }),
  );
}

/**
 * Show maps that the network made on the way to an answer.
 * @param {HTMLElement} maps
 * @param {any} desk
 * @returns {void}
 */
export function showMaps(maps, { answer }) {
  maps.replaceChildren(
    ...answer.maps.map((map) => {
      const step = 2 ** Math.round(Math.log2(answer.size[0] / map.height));
      const pictures = liveliest(map, 2).map((pixels, i) => {
        const name = `A map at 1/${step} of the picture's side, ${i ? "second" : "first"} of two`;
        const canvas = h("canvas", { width: map.width, height: map.height, role: "img", "aria-label": name });
        penOf(canvas).putImageData(pixels, 0, 0);
        return canvas;
      });
      const title = `1/${step}: ${map.channels} maps of ${map.height} × ${map.width}; two that vary most`;
      return h("figure", {}, ...pictures, h("figcaption", {}, title));
    }),
  );
}
