// The picture's way through a network: which of its maps are worth a look, and what they look like.
import { shapes } from "../../browser/engine.mjs";

/**
 * @typedef {import("../../browser/engine.mjs").FeatureMap} FeatureMap
 * @typedef {import("../../browser/engine.mjs").Network} Network
 */

/**
 * The nodes before each change of size on the way to the logits: the last map of each stage.
 * @param {Network} network
 * @param {number[]} size height and width at which the network is shown the picture
 * @returns {number[]} numbers of nodes
 */
export function stagesOf({ nodes }, [height, width]) {
  const sizes = shapes(nodes, height, width);
  const own = (i) => ["conv", "add", "concat", "max"].includes(nodes[i].op) && sizes[i].height > 1;
  const made = nodes.map((_, i) => i).filter((i) => own(i) && sizes[i].height < height);
  return made.filter((i, k) => k === made.length - 1 || sizes[made[k + 1]].height !== sizes[i].height);
}

/**
 * The channels of a map that differ most from place to place, as pictures from black to white.
 * @param {FeatureMap} map
 * @param {number} count
 * @returns {ImageData[]} pictures of the map's size
 */
export function liveliest({ height, width, channels, data }, count) {
  const spreads = Array.from({ length: channels }, (_, channel) => {
    let [sum, squares, low, high] = [0, 0, Infinity, -Infinity];
    for (let i = channel; i < data.length; i += channels) {
      sum += data[i];
      squares += data[i] ** 2;
      low = Math.min(low, data[i]);
      high = Math.max(high, data[i]);
    }
    const pixels = height * width;
    return { channel, low, high, spread: squares / pixels - (sum / pixels) ** 2 };
  });
  spreads.sort((a, b) => b.spread - a.spread);
  return spreads.slice(0, count).map(({ channel, low, high }) => {
    const picture = new ImageData(width, height);
    for (let i = 0; i < height * width; i++) {
      const grey = (255 * (data[i * channels + channel] - low)) / (high - low || 1);
      picture.data.set([grey, grey, grey, 255], 4 * i);
    }
    return picture;
  });
}
