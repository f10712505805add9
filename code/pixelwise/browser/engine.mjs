// Runs a network in a browser: the graph that pixelwise.browser.packed wrote, on the bytes of one picture.
// A map is { height, width, channels, data }, data a Float32Array with the channels of a pixel side by side. A row of a
// map is the unit of work: `run` pauses after each, so that whoever calls it can let the page live meanwhile.

/**
 * @typedef {{ height: number, width: number, channels: number, data: Float32Array }} FeatureMap
 * @typedef {{ op: string, channels: number, inputs: number[], weight?: Float32Array, bias?: Float32Array,
 *   activation?: string, kernel?: number, size?: number, stride?: number, padding?: number, dilation?: number,
 *   groups?: number, aligned?: number, nearest?: number }} GraphNode
 * @typedef {{ nodes: GraphNode[], classes: string[], [more: string]: any }} Network
 */

const FORMAT = "pixelwise graph 1";
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/**
 * The bytes that a text in base 85 stands for (RFC 1924's alphabet).
 * @param {string} text
 * @returns {Uint8Array} four bytes for each five letters
 */
export function bytesOf(text) {
  const values = new Uint8Array(128);
  for (let i = 0; i < 85; i++) values[ALPHABET.charCodeAt(i)] = i;
  const view = new DataView(new ArrayBuffer((text.length / 5) * 4));
  for (let at = 0, i = 0; i < text.length; at += 4) {
    let number = 0;
    for (const end = i + 5; i < end; i++) number = number * 85 + values[text.charCodeAt(i)];
    view.setUint32(at, number);
  }
  return new Uint8Array(view.buffer);
}

/**
 * Unpack a network: weights become floats, those of a depthwise convolution one row a tap.
 * @param {any} packed what `packed` of pixelwise.browser wrote, parsed
 * @returns {Network} the network, ready to run
 */
export function load(packed) {
  if (packed.format !== FORMAT) throw new Error(`the network is a ${packed.format}, expected a ${FORMAT}`);
  const whole = new Int8Array(bytesOf(packed.weights).buffer);
  const floats = new Float32Array(bytesOf(packed.floats).buffer);
  let nextWhole = 0;
  let nextFloat = 0;
  const take = (count) => floats.subarray(nextFloat, (nextFloat += count));
  const nodes = packed.nodes.map((node) => {
    if (node.op === "affine") return { ...node, weight: take(node.channels), bias: take(node.channels) };
    if (node.op !== "conv") return node;
    const apart = node.groups > 1;
    const inputs = apart ? 1 : packed.nodes[node.inputs[0]].channels;
    const length = node.kernel * node.kernel * inputs;
    const scale = take(node.channels);
    const weight = new Float32Array(node.channels * length);
    for (let channel = 0; channel < node.channels; channel++)
      for (let i = 0; i < length; i++)
        weight[apart ? i * node.channels + channel : channel * length + i] = whole[nextWhole++] * scale[channel];
    return { ...node, weight, bias: take(node.channels) };
  });
  return { ...packed, nodes, weights: "", floats: "" };
}

/**
 * Compute all nodes of a network for one picture, a row at a time.
 * @param {Network} network
 * @param {Uint8ClampedArray} picture red, green, blue and opacity of each pixel, row by row
 * @param {number} height
 * @param {number} width
 * @param {number[]} [wanted] nodes whose maps are given too
 * @yields {number} the share of the work that is done
 * @returns {Generator<number, { logits: FeatureMap, maps: FeatureMap[] }>} the logits and those maps
 */
export function* run(network, picture, height, width, wanted = []) {
  const { nodes } = network;
  const sizes = shapes(nodes, height, width);
  const costs = nodes.map((node, i) => cost(node, sizes[i], nodes));
  const total = costs.reduce((sum, one) => sum + one, 0);
  const lastUse = nodes.map(() => 0);
  nodes.forEach((node, i) => node.inputs.forEach((j) => (lastUse[j] = i)));
  const kept = [...wanted, nodes.length - 1];
  const values = [];
  let done = 0;
  for (const [i, node] of nodes.entries()) {
    const inputs = node.inputs.map((j) => values[j]);
    const out = { ...sizes[i], data: new Float32Array(sizes[i].height * sizes[i].width * node.channels) };
    const [low, high] = { relu: [0, Infinity], relu6: [0, 6] }[node.activation] ?? [-Infinity, Infinity];
    const row = i ? OPERATIONS[node.op](node, inputs, out) : bytesToFloats(picture, out);
    const length = out.width * node.channels;
    for (let y = 0; y < out.height; y++) {
      row(y, y * length);
      if (node.activation) clip(out.data, y * length, (y + 1) * length, low, high);
      yield (done + (costs[i] * (y + 1)) / out.height) / total;
    }
    done += costs[i];
    values[i] = out;
    for (const j of node.inputs) if (lastUse[j] === i && !kept.includes(j)) values[j] = null;
  }
  return { logits: values[nodes.length - 1], maps: wanted.map((i) => values[i]) };
}

/**
 * The size of what each node gives.
 * @param {GraphNode[]} nodes
 * @param {number} height of the picture
 * @param {number} width
 * @returns {{ height: number, width: number, channels: number }[]} a size for each
 */
export function shapes(nodes, height, width) {
  const sizes = [];
  for (const { op, channels, inputs, kernel, size, stride, padding, dilation = 1 } of nodes) {
    const before = sizes[inputs[op === "resize" ? 1 : 0]] ?? { height, width };
    const window = kernel ?? size;
    const along = (side) => Math.floor((side + 2 * padding - dilation * (window - 1) - 1) / stride) + 1;
    if (op === "mean") sizes.push({ height: 1, width: 1, channels });
    else if (window) sizes.push({ height: along(before.height), width: along(before.width), channels });
    else sizes.push({ height: before.height, width: before.width, channels });
  }
  return sizes;
}

// Multiplications and additions of a node, or a rough equal of them
function cost({ op, kernel, groups, inputs, channels }, { height, width }, nodes) {
  const each = op === "conv" ? kernel * kernel * (groups > 1 ? 1 : nodes[inputs[0]].channels) : 4;
  return height * width * channels * each;
}

function clip(data, start, end, low, high) {
  for (let i = start; i < end; i++) data[i] = data[i] < low ? low : data[i] > high ? high : data[i];
}

function bytesToFloats(picture, { width, channels, data }) {
  return (y, at) => {
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) data[at + x * channels + c] = picture[(y * width + x) * 4 + c];
  };
}

// Each operation is prepared once for a map and then makes a row y of it, which begins at `at` of its data
const OPERATIONS = {
  conv: (node, [map], out) => (node.groups > 1 ? depthwise : convolution)(node, map, out),
  affine({ weight, bias }, [map], { width, channels, data }) {
    return (y, at) => {
      for (let i = at; i < at + width * channels; i++)
        data[i] = map.data[i] * weight[i % channels] + bias[i % channels];
    };
  },
  add(node, maps, { width, channels, data }) {
    return (y, at) => {
      for (const map of maps) for (let i = at; i < at + width * channels; i++) data[i] += map.data[i];
    };
  },
  concat(node, maps, { width, data }) {
    return (y, at) => {
      for (let x = 0; x < width; x++)
        for (const map of maps) {
          const from = (y * width + x) * map.channels;
          for (let c = 0; c < map.channels; c++) data[at++] = map.data[from + c];
        }
    };
  },
  mean(node, [map], { channels, data }) {
    return () => {
      const sums = new Float64Array(channels);
      for (let i = 0; i < map.data.length; i++) sums[i % channels] += map.data[i];
      for (let c = 0; c < channels; c++) data[c] = sums[c] / (map.height * map.width);
    };
  },
  max({ size, stride, padding }, [map], { width, channels, data }) {
    const place = { size, stride, padding, dilation: 1 };
    return (y, at) => {
      data.fill(-Infinity, at, at + width * channels);
      for (const { first, end, from } of taps(place, map, y, width))
        for (let x = first, i = from; x < end; x++, i += stride * channels)
          for (let c = 0, to = at + x * channels; c < channels; c++, to++)
            data[to] = Math.max(data[to], map.data[i + c]);
    };
  },
  resize: (node, [map], out) => resized(node, map, out),
};

// The taps of a window for a row of `width` pixels: for which of them, `first` to before `end`, a tap lies in the map,
// and where in its data the first of them reads
function taps({ size, stride, padding, dilation }, map, y, width) {
  const found = [];
  for (let tap = 0; tap < size * size; tap++) {
    const row = y * stride - padding + Math.floor(tap / size) * dilation;
    const shift = (tap % size) * dilation - padding;
    const first = Math.max(0, Math.ceil(-shift / stride));
    const end = Math.min(width, Math.floor((map.width - 1 - shift) / stride) + 1);
    const from = (row * map.width + first * stride + shift) * map.channels;
    if (row >= 0 && row < map.height && first < end) found.push({ tap, first, end, from });
  }
  return found;
}

// A row of patches, each the window of one pixel, times the weights; the row itself where the window is one pixel
function convolution({ kernel, stride, padding, dilation, weight, bias }, map, { width, channels, data }) {
  const pixel = kernel === 1 && stride === 1;
  // not kernel ** 2, which V8 keeps as a float, and so each index made of it: twice the time
  const length = kernel * kernel * map.channels;
  const patches = pixel ? map.data : new Float32Array(width * length);
  const place = { size: kernel, stride, padding, dilation };
  return (y, at) => {
    if (!pixel) {
      patches.fill(0);
      for (const { tap, first, end, from } of taps(place, map, y, width))
        for (let x = first, i = from; x < end; x++, i += stride * map.channels)
          for (let c = 0, to = x * length + tap * map.channels; c < map.channels; c++)
            patches[to + c] = map.data[i + c];
    }
    multiply(patches, pixel ? y * width * length : 0, width, length, weight, bias, channels, data, at);
  };
}

// out[row, column] = bias[column] + sum of x[row, i] · weight[column, i], four rows by two columns at a time: so many
// sums stay in the processor's registers. At the edges the last row or column is computed more than once.
function multiply(x, start, rows, length, weight, bias, columns, out, at) {
  for (let row = 0; row < rows; row += 4) {
    const r1 = Math.min(row + 1, rows - 1);
    const r2 = Math.min(row + 2, rows - 1);
    const r3 = Math.min(row + 3, rows - 1);
    for (let column = 0; column < columns; column += 2) {
      const next = Math.min(column + 1, columns - 1);
      let x0 = start + row * length;
      let x1 = start + r1 * length;
      let x2 = start + r2 * length;
      let x3 = start + r3 * length;
      let w0 = column * length;
      let w1 = next * length;
      let a0 = bias[column];
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = bias[next];
      let b1 = b0;
      let b2 = b0;
      let b3 = b0;
      for (const end = w0 + length; w0 < end; w0++, w1++) {
        const a = weight[w0];
        const b = weight[w1];
        const v0 = x[x0++];
        const v1 = x[x1++];
        const v2 = x[x2++];
        const v3 = x[x3++];
        a0 += a * v0;
        b0 += b * v0;
        a1 += a * v1;
        b1 += b * v1;
        a2 += a * v2;
        b2 += b * v2;
        a3 += a * v3;
        b3 += b * v3;
      }
      out[at + row * columns + column] = a0;
      out[at + r1 * columns + column] = a1;
      out[at + r2 * columns + column] = a2;
      out[at + r3 * columns + column] = a3;
      out[at + row * columns + next] = b0;
      out[at + r1 * columns + next] = b1;
      out[at + r2 * columns + next] = b2;
      out[at + r3 * columns + next] = b3;
    }
  }
}

// Each channel for itself: at a pixel, three taps of the window at a time, so that a sum is fetched and stored seldom.
// What is missing to a multiple of three are taps of weight 0.
function depthwise({ kernel, stride, padding, dilation, weight, bias }, map, { width, channels, data }) {
  const place = { size: kernel, stride, padding, dilation };
  const weights = new Float32Array(weight.length + channels);
  weights.set(weight);
  const from = new Int32Array(kernel * kernel + 2);
  const weighed = new Int32Array(kernel * kernel + 2);
  return (y, at) => {
    const row = taps(place, map, y, width);
    for (let x = 0, to = at; x < width; x++, to += channels) {
      let count = 0;
      for (const one of row) {
        if (x < one.first || x >= one.end) continue;
        from[count] = one.from + (x - one.first) * stride * channels;
        weighed[count++] = one.tap * channels;
      }
      for (; count % 3; count++) {
        from[count] = from[0];
        weighed[count] = weight.length;
      }
      data.set(bias, to);
      for (let i = 0; i < count; i += 3) addThree(map.data, from, weights, weighed, i, data, to, channels);
    }
  };
}

function addThree(x, from, weights, weighed, i, data, to, channels) {
  const x0 = from[i];
  const x1 = from[i + 1];
  const x2 = from[i + 2];
  const w0 = weighed[i];
  const w1 = weighed[i + 1];
  const w2 = weighed[i + 2];
  for (let c = 0; c < channels; c++)
    data[to + c] += x[x0 + c] * weights[w0 + c] + x[x1 + c] * weights[w1 + c] + x[x2 + c] * weights[w2 + c];
}

// Interpolate between the two nearest columns, then between the two nearest rows
function resized({ aligned, nearest }, map, { height, width, channels, data }) {
  const columns = places(map.width, width, aligned, nearest);
  const rows = places(map.height, height, aligned, nearest);
  const values = map.data;
  return (y, at) => {
    const [above, below, down] = rows[y];
    for (let x = 0; x < width; x++) {
      const [left, right, along] = columns[x];
      let a = (above * map.width + left) * channels;
      let b = (below * map.width + left) * channels;
      const step = (right - left) * channels;
      for (const end = a + channels; a < end; a++, b++) {
        const top = values[a] + (values[a + step] - values[a]) * along;
        data[at++] = top + (values[b] + (values[b + step] - values[b]) * along - top) * down;
      }
    }
  };
}

/**
 * Where each of `after` places lies among `before`: the two next to it, and how far it is on the way between them.
 * @param {number} before
 * @param {number} after
 * @param {number} [aligned] whether the outermost places of both are the same
 * @param {number} [nearest] whether the one at or before it is taken alone
 * @returns {[number, number, number][]} a triple for each
 */
export function places(before, after, aligned = 0, nearest = 0) {
  return Array.from({ length: after }, (_, i) => {
    if (nearest) return [Math.floor((i * before) / after), Math.floor((i * before) / after), 0];
    const centred = Math.max(0, ((i + 0.5) * before) / after - 0.5);
    const place = aligned ? (i * (before - 1)) / Math.max(1, after - 1) : centred;
    const first = Math.min(Math.floor(place), before - 1);
    return [first, Math.min(first + 1, before - 1), place - first];
  });
}
