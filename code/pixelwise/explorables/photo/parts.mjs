// The parts of the figure: ways to bring a picture, the picture with its legend, and controls.
import { button, choices, group, slider, spokenFinding, spokenPlace } from "../shared/controls.mjs";
import { arrange, fold, h } from "../shared/dom.mjs";
import { change } from "../shared/state.mjs";
import { camera } from "./camera.mjs";
import { decoded, painted } from "./picture.mjs";

/**
 * What can be laid over the picture, with its text.
 * @type {[string, string][]}
 */
export const VIEWS = [
  ["classes", "its classes"],
  ["unsure", "where it is unsure"],
];

/**
 * What can compute, with its text.
 * @type {[string, string][]}
 */
export const PROCESSORS = [
  ["plain", "plain JavaScript"],
  ["graphics", "the graphics processor"],
];

/**
 * Style sheet of the figure.
 * @type {string}
 */
export const CSS = `
.pw-photo .intake{display:flex;flex-wrap:wrap;gap:.4rem .6rem;align-items:center;padding:.7rem;border:2px dashed var(--line);border-radius:.5rem}
.pw-photo .intake.over{border-color:var(--fill);background:light-dark(#e6f0fa,#22303e)}
.pw-photo .intake p{flex:1 0 100%;margin:0}
.pw-photo .intake .first{border-color:var(--fill);background:var(--fill);color:var(--ground);font-weight:600}
@media (pointer:coarse){.pw-photo .hint{display:none}}
.pw-photo .scenes{display:grid;grid-template-columns:repeat(3,minmax(0,6rem));gap:.4rem}
.pw-photo .scenes button{padding:.15rem;line-height:0}
.pw-photo .scenes img{display:block;width:100%;height:auto;border-radius:.25rem}
.pw-photo .camera{margin-top:.6rem}
.pw-photo video{display:block;width:100%;max-height:24rem;margin-bottom:.4rem;border-radius:.3rem;background:#000}
.pw-photo .working{display:flex;gap:.6rem;align-items:center;margin:.6rem 0 0}
.pw-photo progress{flex:1;height:.9rem;accent-color:var(--fill)}
.pw-photo .result{display:grid;grid-template-columns:minmax(0,1fr);gap:.6rem 1rem;margin-top:.7rem}
.pw-photo .result canvas{width:min(100%,75vh * var(--shape))}
.pw-photo .told{min-height:1.5em;margin:.3rem 0 0;font-variant-numeric:tabular-nums}
.pw-photo .result th label{display:flex;gap:.4rem;align-items:center;min-height:1.6rem}
.pw-photo .result .swatch{margin:0;flex:none}
.pw-photo .result td .bar{min-width:2rem}
.pw-photo .off .bar>i{opacity:.25}
.pw-photo .ramp{display:block;height:.8rem;border-radius:.2rem;background:linear-gradient(90deg,rgb(13,8,45),rgb(200,50,90),rgb(255,236,140))}
.pw-photo .maps{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:.6rem .8rem}
.pw-photo .maps canvas{image-rendering:pixelated;margin-bottom:.2rem}
.pw-photo.pw-laid>.pw-finding,.pw-photo .pw-laid>.pw-finding{position:static}
.pw-photo .about{flex:0 0 100%;font-size:.9rem;color:var(--soft)}
@container (min-width:40rem){.pw-photo .result{grid-template-columns:minmax(0,1fr) 15rem}}
`;

function intake(model, take, complain) {
  const file = h("input", { type: "file", accept: "image/*", hidden: true, "aria-label": "Picture" });
  file.addEventListener("change", () => {
    const [chosen] = file.files;
    file.value = ""; // so that the same one can be chosen again
    if (chosen) take(() => decoded(chosen), chosen.name);
  });
  const lens = camera((video) => take(() => painted(video, video.videoHeight, video.videoWidth), "camera"), complain);
  const scenes = model.get("scenes").map((jpeg, i) => {
    const image = h("img", { src: `data:image/jpeg;base64,${jpeg}`, alt: `Generated scene ${i + 1}` });
    const paint = async () => {
      await image.decode();
      return painted(image, image.naturalHeight, image.naturalWidth);
    };
    const chosen = button("", () => take(paint, `scene-${i + 1}`, model.get("suits")));
    chosen.append(image);
    return chosen;
  });
  const ways = [button("Choose a picture", () => file.click(), { class: "first" }), lens.opener].filter(Boolean);
  const hint = h("span", { class: "soft hint" }, "or drop one here, or paste it");
  const made = group("or a generated scene", h("div", { class: "scenes" }, ...scenes));
  const element = h("div", { class: "intake" }, ...ways, hint, file, made);
  return { element, lens };
}

function resultOf(model) {
  const canvas = h("canvas", {
    class: "choose",
    tabindex: 0,
    role: "application",
    "aria-label": "The picture with its classes: arrow keys move a cursor that tells the class below it",
  });
  const told = h("p", { class: "told", "aria-hidden": "true" });
  const [rows, title] = [h("tbody"), h("caption", {}, "What it sees")];
  const legend = h("div", {}, h("table", {}, title, rows));
  const ramp = h("p", { hidden: true }, h("span", { class: "ramp" }), "sure … it could be several classes");
  const element = h("div", { class: "result", hidden: true }, h("div", {}, canvas, ramp, told), legend);
  const view = choices("Show", VIEWS, (value) => change(model, { view: value }));
  const opacity = slider("opacity", [0, 100], (value) => change(model, { opacity: value }));
  return { element, canvas, legend, told, rows, ramp, view, opacity, place: spokenPlace() };
}

/**
 * Fill the root of the figure.
 * @param {HTMLElement} root
 * @param {import("../shared/state.mjs").Model} model
 * @param {Record<string, any>} actions what the controls do
 * @returns {Record<string, any>} the parts that change
 */
export function build(root, model, { take, choose, complain, stop, save }) {
  const start = intake(model, take, complain);
  const result = resultOf(model);
  const found = spokenFinding();
  const progress = h("progress", { max: 1, "aria-label": "Done of the work" });
  const working = h("div", { class: "working", hidden: true }, progress, button("Stop", stop));
  const networks = model.get("networks").map(({ name, title }) => [name, title]);
  const network = choices("Network", networks, choose);
  const by = choices("Computed by", PROCESSORS, (value) => change(model, { by: value }));
  by.element.hidden = !model.get("folder"); // in a notebook no script can come
  const about = h("p", { class: "about" });
  const maps = h("div", { class: "maps" });
  const way = fold("The picture's way through the network", maps);
  const saved = group(
    "Save",
    button("picture and classes", () => save("overlay")),
    button("mask", () => save("mask")),
  );
  const shown = [result.legend, result.view.element, result.opacity.element, saved, way];
  arrange(root, {
    seen: [start.element, start.lens.element, working, result.element, result.place.element],
    said: [found.element],
    moved: [result.view.element, result.opacity.element, saved, network.element, about, by.element],
    boxes: [way],
  });
  return { ...result, start, found, progress, working, network, by, about, maps, shown };
}
