// Runs a network in a browser: the graph that pixelwise.browser.packed wrote, on the bytes of one picture.
// A map is { height, width, channels, data }, data a Float32Array with the channels of a pixel side by side. A row of a
// map is the unit of work: `run` pauses after each, so that whoever calls it can let the page live meanwhile.

/**
 * @typedef {{ height: number, width: number, channels: number, data: Float32Array }} FeatureMap
 * @typedef {{ op: string, channels: number, inputs: number[], weight?: Float32Array | Float64Array, bias?: Float32Array,
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
 * Unpack a network: weights become floats, two channels woven into one; those of a depthwise
 * convolution lie tap by tap.
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
    const Floats = apart ? Float32Array : Float64Array;
    const weight = new Floats((node.channels + 1) * (length + 1)); // and zeros, where some are missing
    const step = apart ? node.channels : 2;
    for (let channel = 0; channel < node.channels; channel++) {
      const first = apart ? channel : (channel - (channel % 2)) * length + (channel % 2);
      for (let i = 0; i < length; i++) weight[first + i * step] = whole[nextWhole++] * scale[channel];
    }
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

// Multiplications of a node, or a rough equal
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
      for (const { data: values } of maps) for (let i = at; i < at + width * channels; i++) data[i] += values[i];
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
function convolution(node, map, { width, data }) {
  const { kernel, stride, padding, dilation } = node;
  const pixel = kernel === 1 && stride === 1;
  // not kernel ** 2: V8 keeps a power, and each index made of it, as a float
  const length = kernel * kernel * map.channels;
  const patches = pixel ? map.data : new Float32Array(width * length);
  const four = new Float64Array(4 * length);
  const place = { size: kernel, stride, padding, dilation };
  return (y, at) => {
    if (!pixel) {
      patches.fill(0);
      for (const { tap, first, end, from } of taps(place, map, y, width))
        for (let x = first, i = from; x < end; x++, i += stride * map.channels)
          for (let c = 0, to = x * length + tap * map.channels; c < map.channels; c++)
            patches[to + c] = map.data[i + c];
    }
    multiply(patches, pixel ? y * width * length : 0, width, length, node, four, data, at);
  };
}

// out[row, column] = bias[column] + sum of x[row, i] · weight[column, i], four rows, woven into one, by two columns at
// a time: so many sums stay in registers. The last row or column may be computed twice or more.
function multiply(x, start, rows, length, { weight, bias, channels }, four, out, at) {
  for (let row = 0; row < rows; row += 4) {
    for (let r = 0; r < 4; r++) {
      let from = start + Math.min(row + r, rows - 1) * length;
      for (let to = r; to < 4 * length; to += 4) four[to] = x[from++];
    }
    const o0 = at + row * channels;
    const o1 = at + Math.min(row + 1, rows - 1) * channels;
    const o2 = at + Math.min(row + 2, rows - 1) * channels;
    const o3 = at + Math.min(row + 3, rows - 1) * channels;
    for (let column = 0; column < channels; column += 2) {
      const next = Math.min(column + 1, channels - 1);
      let a0 = bias[column];
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = bias[next];
      let b1 = b0;
      let b2 = b0;
      let b3 = b0;
      for (let i = 0, w = column * length; i < 4 * length; i += 4, w += 2) {
        const a = weight[w];
        const b = weight[w + 1];
        const v0 = four[i];
        const v1 = four[i + 1];
        const v2 = four[i + 2];
        const v3 = four[i + 3];
        a0 += a * v0;
        b0 += b * v0;
        a1 += a * v1;
        b1 += b * v1;
        a2 += a * v2;
        b2 += b * v2;
        a3 += a * v3;
        b3 += b * v3;
      }
      out[o0 + next] = b0;
      out[o1 + next] = b1;
      out[o2 + next] = b2;
      out[o3 + next] = b3;
      out[o0 + column] = a0;
      out[o1 + column] = a1;
      out[o2 + column] = a2;
      out[o3 + column] = a3;
    }
  }
}

// Each channel for itself, three taps of the window at a time; what is missing to a multiple of three weighs 0
function depthwise({ kernel, stride, padding, dilation, weight, bias }, map, { width, channels, data }) {
  const place = { size: kernel, stride, padding, dilation };
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
        weighed[count] = kernel * kernel * channels;
      }
      data.set(bias, to);
      for (let i = 0; i < count; i += 3) addThree(map.data, from, weight, weighed, i, data, to, channels);
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

// Between the two nearest columns, then between the two nearest rows
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
 * Where each of `after` places lies among `before`: the two next to it, and how far it is between them.
 * @param {number} before
 * @param {number} after
 * @param {number} [aligned] whether the outermost of both are the same
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
