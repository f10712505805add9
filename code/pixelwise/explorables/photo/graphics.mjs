// The graphics processor for the work, once it has shown that it computes what the engine does.
import { shapes } from "../../browser/engine.mjs";
import { pause } from "./segment.mjs";

const SMALL = [32, 48]; // height and width of the picture that both are shown
const NEAR = 1e-3; // how far logits may be apart, as a share of the largest

/**
 * A network's maps by WebGL2, instead of `byEngine`.
 * @param {import("../../browser/webgl.mjs").Compute} compute
 * @returns {import("./segment.mjs").Way} throws one line where the processor fails
 */
export function byGraphics(compute) {
  return async (network, pixels, size, kept, tell, wanted) => {
    const alive = async (share) => {
      tell(share);
      await pause();
      return wanted();
    };
    const last = network.nodes.length - 1;
    const maps = await compute(network, pixels, shapes(network.nodes, size[0], size[1]), [...kept, last], alive);
    return maps && { logits: maps.pop(), maps };
  };
}

/**
 * Compare two ways on a small picture. Throws one line where their logits differ.
 * @param {import("../../browser/engine.mjs").Network} network
 * @param {import("./segment.mjs").Way} trusted
 * @param {import("./segment.mjs").Way} tried
 * @returns {Promise<void>} when they agree
 */
export async function compare(network, trusted, tried) {
  const pixels = Uint8ClampedArray.from({ length: 4 * SMALL[0] * SMALL[1] }, (_, i) => (i * i * 31 + i * 7) % 251);
  const task = [network, pixels, SMALL, [], () => {}, () => true];
  const right = (await trusted(...task)).logits.data;
  const found = (await tried(...task)).logits.data;
  const largest = right.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  if (!right.every((one, i) => Math.abs(one - found[i]) <= NEAR * largest)) throw new Error("it gives other numbers");
}
