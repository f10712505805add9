// The work from a picture to its answer, in slices: the page does it itself, or a worker does.
import { run } from "../../browser/engine.mjs";
import { answerOf } from "./answer.mjs";
import { resample, workingSize } from "./picture.mjs";
import { stagesOf } from "./stages.mjs";

/**
 * @typedef {import("../../browser/engine.mjs").FeatureMap} FeatureMap
 * @typedef {import("../../browser/engine.mjs").Network} Network
 * @typedef {(network: Network, pixels: Uint8ClampedArray, size: number[], kept: number[], tell: (share: number) => void,
 *   wanted: () => boolean) => Promise<{ logits: FeatureMap, maps: FeatureMap[] } | null>} Way from pixels at a size,
 *   height and width, to logits and the maps of the nodes in `kept`; null where they are no longer wanted
 */

const SLICE = 12; // milliseconds of work between two looks at what the reader does

/**
 * The answer of a network for a picture.
 * @param {Network} network
 * @param {{ height: number, width: number, data: Uint8ClampedArray }} picture red, green, blue and opacity of its pixels
 * @param {(share: number) => void} tell hears of it after each slice
 * @param {() => boolean} wanted whether to go on
 * @param {Way} [way]
 * @returns {Promise<any>} classes and doubts of its pixels, logits, some maps, sizes, seconds; null where it is no longer
 *   wanted
 */
export async function segmented(network, picture, tell, wanted, way = byEngine) {
  const start = performance.now();
  const { height, width } = picture;
  const size = workingSize([height, width], network.size);
  const most = (share) => tell(0.9 * share);
  const result = await way(network, resample(picture, size), size, stagesOf(network, size), most, wanted);
  const answer = result && (await inSlices(answerOf(result.logits, height, width), (s) => tell(0.9 + s / 10), wanted));
  return answer && { ...answer, ...result, size, height, width, seconds: (performance.now() - start) / 1000 };
}

/**
 * The way of the engine.
 * @type {Way}
 */
export const byEngine = (network, pixels, [height, width], kept, tell, wanted) =>
  inSlices(run(network, pixels, height, width, kept), tell, wanted);

// Do the work of a generator, which yields the share that is done
async function inSlices(work, tell, wanted) {
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

/**
 * Let the page do what is waiting. A timer would make the browser wait four milliseconds, and longer in a tab behind.
 * @returns {Promise<void>} when that is done
 */
export function pause() {
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
