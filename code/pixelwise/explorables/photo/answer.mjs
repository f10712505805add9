// What a network's logits say of a picture: a class for each pixel, how sure it is, and what it hesitates between.
import { places } from "../../browser/engine.mjs";

/**
 * @typedef {import("../../browser/engine.mjs").FeatureMap} FeatureMap
 */

/**
 * The answer for each pixel of a picture, the logits interpolated to its size.
 * @param {FeatureMap} logits
 * @param {number} height
 * @param {number} width
 * @yields {number} the share that is done
 * @returns {Generator<number, { labels: Uint8Array, unsure: Uint8Array }>} classes, and the entropy of the softmax as a
 *   share of the largest there is, 0 to 255
 */
export function* answerOf(logits, height, width) {
  const columns = places(logits.width, width);
  const labels = new Uint8Array(height * width);
  const unsure = new Uint8Array(height * width);
  const scores = new Float64Array(logits.channels);
  const full = Math.log(logits.channels);
  for (const [y, row] of places(logits.height, height).entries()) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      labels[i] = interpolate(logits, row, columns[x], scores);
      unsure[i] = Math.round((255 * entropy(scores, scores[labels[i]])) / full);
    }
    yield (y + 1) / height;
  }
  return { labels, unsure };
}

/**
 * What a reader calls a class; files keep the name that the data set gave it.
 * @param {[string, ...any[]]} entry its name and colour
 * @returns {string} a word
 */
export function said([name]) {
  return name === "signsymbol" ? "sign" : name;
}

/**
 * The classes at one pixel, the likeliest first.
 * @param {FeatureMap} logits
 * @param {number[]} place row and column
 * @param {number[]} size height and width of the picture
 * @returns {{ label: number, share: number }[]} each class with its softmax
 */
export function votesAt(logits, [y, x], [height, width]) {
  const scores = new Float64Array(logits.channels);
  const best = interpolate(logits, places(logits.height, height)[y], places(logits.width, width)[x], scores);
  const weights = Array.from(scores, (score) => Math.exp(score - scores[best]));
  const sum = weights.reduce((all, one) => all + one, 0);
  const votes = weights.map((weight, label) => ({ label, share: weight / sum }));
  return votes.toSorted((a, b) => b.share - a.share);
}

/**
 * Which share of the pixels each class has.
 * @param {Uint8Array} labels
 * @param {number} classes how many there are
 * @returns {number[]} one for each class
 */
export function sharesOf(labels, classes) {
  const counts = Array.from({ length: classes }, () => 0);
  for (const label of labels) counts[label]++;
  return counts.map((count) => count / labels.length);
}

// Fill `scores` with the logits between two rows and two columns, and return the class of the largest
function interpolate({ data, width, channels }, [above, below, down], [left, right, along], scores) {
  const [a, b] = [(above * width + left) * channels, (above * width + right) * channels];
  const [c, d] = [(below * width + left) * channels, (below * width + right) * channels];
  let best = 0;
  for (let k = 0; k < channels; k++) {
    const top = data[a + k] + (data[b + k] - data[a + k]) * along;
    const bottom = data[c + k] + (data[d + k] - data[c + k]) * along;
    scores[k] = top + (bottom - top) * down;
    if (scores[k] > scores[best]) best = k;
  }
  return best;
}

// -Σ p log p of the softmax p, written so that no p is needed: log Σ e^s - Σ p s, with s counted from the largest score
function entropy(scores, largest) {
  let sum = 0;
  let weighed = 0;
  for (const score of scores) {
    const weight = Math.exp(score - largest);
    sum += weight;
    weighed += weight * (score - largest);
  }
  return Math.log(sum) - weighed / sum;
}
