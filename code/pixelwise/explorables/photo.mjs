// Segment a photo: a picture of the reader's own, labelled in their browser by a network of the book.
import { deskOf, verdict } from "./photo/desk.mjs";
import { drawCursor, drawPicture } from "./photo/drawing.mjs";
import { build, CSS, PROCESSORS, VIEWS } from "./photo/parts.mjs";
import { decoded } from "./photo/picture.mjs";
import { pngOf } from "./photo/png.mjs";
import { serve } from "./photo/worker.mjs";
import { onArrows, placeAt } from "./shared/controls.mjs";
import { frame, h, write } from "./shared/dom.mjs";
import { follow, oncePerFrame, oneOf, within } from "./shared/state.mjs";

const NAMES = ["chosen", "view", "opacity", "by"];

const among = (value, choices) =>
  oneOf(
    value,
    choices.map(([name]) => name),
  );
const viewOf = (model) => among(model.get("view"), VIEWS);
const asked = (model, desk) => `${desk.entry().name} ${among(model.get("by"), PROCESSORS)}`;
const opacityOf = (model) => within(model.get("opacity"), 0, 100);

// Save what is seen, or the mask, under the picture's name
function saver(model, desk) {
  return async (what) => {
    if (!desk.answer) return;
    const stem = desk.name.replace(/\.[^.]*$/, "") || "picture";
    if (what === "mask") {
      store(await pngOf(desk.answer.labels, desk.answer.width, desk.classes), `${stem}-mask.png`);
      return;
    }
    const canvas = h("canvas");
    drawPicture(canvas, desk, viewOf(model), opacityOf(model));
    canvas.toBlob((content) => store(content, `${stem}-overlay.png`), "image/png");
  };
}

function store(content, name) {
  const address = URL.createObjectURL(content);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

// A picture dropped on the figure, or pasted while it is on the page
function accept(root, intake, desk) {
  const files = (list) => [...(list ?? [])].filter((file) => file instanceof File);
  const over = (event) => {
    event.preventDefault();
    intake.classList.toggle("over", event.type === "dragover");
  };
  root.addEventListener("dragover", over);
  root.addEventListener("dragleave", over);
  root.addEventListener("drop", (event) => {
    over(event);
    const [file] = files(event.dataTransfer.files);
    if (file) desk.take(() => decoded(file), file.name);
    else desk.complain("Drop a file: a picture on another page would have to be fetched, which this page never does.");
  });
  const paste = (event) => {
    const [file] = files(event.clipboardData?.files);
    if (file) desk.take(() => decoded(file), file.name);
  };
  document.addEventListener("paste", paste);
  return () => document.removeEventListener("paste", paste);
}

function listen(canvas, desk, parts, redraw) {
  const point = (cursor) => {
    desk.cursor = cursor;
    redraw();
  };
  canvas.addEventListener("pointermove", (event) => {
    if (desk.answer) point(placeAt(canvas, event, [canvas.height, canvas.width]));
  });
  onArrows(canvas, (rows, columns, event) => {
    if (!desk.answer) return;
    const step = Math.max(1, Math.round(canvas.width / 100)) * (event.shiftKey ? 10 : 1);
    const [y, x] = desk.cursor ?? [canvas.height >> 1, canvas.width >> 1];
    point([within(y + step * rows, 0, canvas.height - 1), within(x + step * columns, 0, canvas.width - 1)]);
    parts.place.say(verdict(desk, desk.cursor));
  });
}

function render({ model, el }) {
  const root = frame(el, "photo", "Segment a photo: a picture of yours, labelled in this page by a network", CSS);
  const redraw = oncePerFrame(() => {
    const { answer, picture, cursor } = desk;
    parts.element.hidden = !picture;
    for (const part of parts.shown) part.hidden = !answer;
    parts.view.set(viewOf(model));
    parts.opacity.set(opacityOf(model), `${opacityOf(model)} %`);
    parts.network.set(desk.entry().name);
    parts.by.set(among(model.get("by"), PROCESSORS));
    parts.ramp.hidden = viewOf(model) !== "unsure" || !answer;
    write(parts.about, desk.entry().about);
    drawPicture(parts.canvas, desk, viewOf(model), opacityOf(model));
    drawCursor(parts.canvas, cursor);
    write(parts.told, answer && cursor ? verdict(desk, cursor) : "");
    if (task === asked(model, desk)) return;
    task = asked(model, desk);
    if (picture) desk.segment();
  });
  const desk = deskOf(model, redraw, explorable.script);
  const parts = build(root, model, { ...desk, save: saver(model, desk) });
  desk.parts = parts;
  desk.complain("Choose a picture: it stays in this browser, where a network of the book says what is where in it.");
  listen(parts.canvas, desk, parts, redraw);
  const deaf = accept(root, parts.start.element, desk);
  let task = asked(model, desk);
  const end = follow(model, NAMES, redraw);
  redraw();
  return () => {
    desk.stop();
    desk.workshop.end();
    parts.start.lens.stop();
    deaf();
    end();
    root.remove();
  };
}

// A built page says here what its script is, for a worker to run it, where it calls `serve`
const explorable = { render, linked: NAMES, serve, script: "" };

/** @type {import("./shared/state.mjs").Explorable} */
export default explorable;
