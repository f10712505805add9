// Having a picture segmented: the network is fetched when it is wanted; a worker does the work where there is one.
import { load } from "../../browser/engine.mjs";
import { penOf } from "../shared/canvas.mjs";
import { change } from "../shared/state.mjs";
import { byGraphics, compare } from "./graphics.mjs";
import { byEngine, segmented } from "./segment.mjs";
import { hire } from "./worker.mjs";

/**
 * @typedef {import("../shared/state.mjs").Model} Model
 */

/**
 * Who does the work: the graphics processor where that is wished for, a worker where the page is served and has a script
 * that a worker can run, and the page itself else, or once those have failed.
 * @param {Model} model
 * @param {string} script
 * @returns {{ segment: Function, end: () => void }} `segment(name, canvas, tell, wanted)` is like `segmented`, its
 *   answer says the `way` it went and `why` not another one; `end` frees what is held
 */
export function workshopOf(model, script) {
  let worker = script && location.protocol.startsWith("http") ? hire(script) : null;
  let failed = "";
  const end = () => worker?.end();
  const plainly = async (name, packed, pixels, ...more) => {
    if (worker) {
      try {
        const answer = await worker.ask(name, packed, pixels(), ...more);
        return answer && { ...answer, way: "in plain JavaScript in a worker" };
      } catch {
        end();
        worker = null;
        failed = ", without the worker, which failed";
      }
    }
    const answer = await segmented(networkOf(name, packed), pixels(), ...more);
    return answer && { ...answer, way: `in plain JavaScript${failed}` };
  };
  const segment = async (name, canvas, tell, wanted) => {
    const pixels = () => {
      const { height, width, data } = penOf(canvas).getImageData(0, 0, canvas.width, canvas.height);
      return { height, width, data };
    };
    const packed = await textOf(model, name);
    if (!wanted()) return null;
    let why = "";
    if (model.get("folder") && model.get("by") === "graphics") {
      try {
        const network = networkOf(name, packed);
        const answer = await segmented(network, pixels(), tell, wanted, await graphicsFor(model, network));
        return answer && { ...answer, way: "on the graphics processor" };
      } catch (error) {
        why = `The graphics processor was of no use (${error.message}).`;
      }
    }
    const answer = await plainly(name, packed, pixels, tell, wanted);
    return answer && { ...answer, why };
  };
  return { segment, end };
}

const texts = new Map();
const networks = new Map();
const agreed = new Map();
let processor = null;

function networkOf(name, packed) {
  if (!networks.has(name)) networks.set(name, load(JSON.parse(packed)));
  return networks.get(name);
}

// The way by the graphics processor, which is asked once for each network whether it computes what the engine does
async function graphicsFor(model, network) {
  const open = await textOf(model, "webgl");
  const tried = async () => {
    processor ??= byGraphics(open());
    await compare(network, byEngine, processor);
    return processor;
  };
  if (!agreed.has(network)) agreed.set(network, tried());
  return agreed.get(network);
}

// The network of a name as `packed` of pixelwise.browser wrote it, or "webgl", which opens the graphics processor. It is
// fetched the first time: on a page by a script, which works from a folder too; in a notebook from the kernel. Throws one
// line where it does not come.
function textOf(model, name) {
  if (!texts.has(name)) {
    const text = model.get("folder") ? fromScript(model.get("folder"), name) : fromKernel(model, name);
    texts.set(name, text);
    text.catch(() => texts.delete(name)); // the next try begins anew
  }
  return texts.get(name);
}

function fromScript(folder, name) {
  return new Promise((come, fail) => {
    const script = document.createElement("script");
    script.src = `${folder}${name}.js`;
    script.addEventListener("load", () => {
      const { pixelwiseNetworks } = /** @type {any} */ (globalThis);
      come(pixelwiseNetworks[name]);
      delete pixelwiseNetworks[name];
      script.remove();
    });
    script.addEventListener("error", () => {
      script.remove();
      fail(new Error("The network's file did not come: is there a connection? Try again."));
    });
    document.head.append(script);
  });
}

function fromKernel(model, name) {
  return new Promise((come, fail) => {
    const impatience = setTimeout(() => fail(new Error("The kernel sends no network: is it busy? Try again.")), 60_000);
    const listen = () => {
      const [given, packed] = model.get("network").split("\n");
      if (given !== name) return;
      clearTimeout(impatience);
      model.off("change:network", listen);
      come(packed);
    };
    model.on("change:network", listen);
    listen(); // it may have come for an earlier view of the same figure
    change(model, { wanted: name });
  });
}
