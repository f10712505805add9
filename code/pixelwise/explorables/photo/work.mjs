// A network fetched when it is wanted, and long work done in slices, so that the page stays alive.
import { load } from "../../browser/engine.mjs";
import { change } from "../shared/state.mjs";

/**
 * @typedef {import("../shared/state.mjs").Model} Model
 * @typedef {import("../../browser/engine.mjs").Network} Network
 */

const SLICE = 12; // milliseconds of work between two looks at what the reader does

/**
 * Do the work of a generator in slices.
 * @template Result
 * @param {Generator<number, Result>} work yields the share that is done
 * @param {(share: number) => void} tell hears of it after each slice
 * @param {() => boolean} wanted whether to go on
 * @returns {Promise<Result | null>} what it returns, or null where it is no longer wanted
 */
export async function inSlices(work, tell, wanted) {
  while (wanted()) {
    const end = performance.now() + SLICE;
    let step = work.next();
    while (!step.done && performance.now() < end) step = work.next();
    if (step.done) return step.value;
    tell(step.value);
    await pause();
  }
  return null;
}

// Let the page do what is waiting; a timer would make the browser wait four milliseconds, and longer in a tab behind
function pause() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((go) => {
    port1.addEventListener("message", () => {
      port1.close();
      go();
    });
    port1.start();
    port2.postMessage(null);
  });
}

const networks = new Map();

/**
 * The network of a name, fetched the first time: on a page by a script, which works from a folder too; in a notebook
 * from the kernel. Throws one line where it does not come.
 * @param {Model} model
 * @param {string} name
 * @returns {Promise<Network>} the network, ready to run
 */
export function networkOf(model, name) {
  if (!networks.has(name)) {
    const text = model.get("folder") ? fromScript(model.get("folder"), name) : fromKernel(model, name);
    const network = text.then((packed) => load(JSON.parse(packed)));
    networks.set(name, network);
    network.catch(() => networks.delete(name)); // the next try begins anew
  }
  return networks.get(name);
}

function fromScript(folder, name) {
  return new Promise((come, fail) => {
    const script = document.createElement("script");
    script.src = `${folder}${name}.js`;
    script.addEventListener("load", () => {
      const texts = /** @type {any} */ (globalThis).pixelwiseNetworks;
      come(texts[name]);
      delete texts[name];
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
