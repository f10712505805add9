// Runs a network on the graphics processor, by WebGL2: what `run` of engine.mjs computes, all pixels of a map at once.
// A map is a texture of floats with four channels to a texel: the first four of all pixels, below them the next four,
// and so on. A shader makes one texel of a map; weights lie in a texture of their own, a row for four channels of the
// map that is made, the bias (or shift) in its first column.

/**
 * @typedef {import("./engine.mjs").FeatureMap} FeatureMap
 * @typedef {import("./engine.mjs").Network} Network
 * @typedef {(network: Network, picture: Uint8ClampedArray, sizes: { height: number, width: number }[], kept: number[],
 *   alive: (share: number) => Promise<boolean>) => Promise<FeatureMap[] | null>} Compute maps of the nodes in `kept`, whose
 *   sizes are those that `shapes` of engine.mjs gives; `alive` lets the page live, and says whether to go on
 */

const CORNERS = `#version 300 es
void main() { gl_Position = vec4(gl_VertexID == 1 ? 3 : -1, gl_VertexID == 2 ? 3 : -1, 0, 1); }`;
const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D first, second, weights;
uniform ivec2 before, size; // width and height of the map that is read, and of the one that is made
uniform int top; // row of the texture where this draw begins
uniform int groups; // of four channels, in the map that is read
uniform int kernel, stride, padding, dilation, aligned, nearest;
uniform vec2 limits; // of the activation
out vec4 value;
vec4 read(ivec2 place, int group) { return texelFetch(first, place + ivec2(0, group * before.y), 0); }
vec4 weight(int column, int group) { return texelFetch(weights, ivec2(column, group), 0); }
ivec2 tapped(ivec2 place, int tap) { return place * stride - padding + dilation * ivec2(tap % kernel, tap / kernel); }
bool outside(ivec2 place) { return any(lessThan(place, ivec2(0))) || any(greaterThanEqual(place, before)); }
vec4 made(ivec2 place, int group);
void main() {
  ivec2 here = ivec2(gl_FragCoord.xy) - ivec2(0, top);
  value = clamp(made(ivec2(here.x, here.y % size.y), here.y / size.y), limits.x, limits.y);
}
vec4 made(ivec2 place, int group) {
`;
const BODIES = {
  convolution: `vec4 sum = weight(0, group);
    for (int tap = 0; tap < kernel * kernel; tap++) {
      ivec2 from = tapped(place, tap);
      if (outside(from)) continue;
      for (int g = 0, column = 1 + 4 * tap * groups; g < groups; g++, column += 4) {
        vec4 v = read(from, g);
        sum += v.x * weight(column, group) + v.y * weight(column + 1, group);
        sum += v.z * weight(column + 2, group) + v.w * weight(column + 3, group);
      }
    }
    return sum;`,
  depthwise: `vec4 sum = weight(0, group);
    for (int tap = 0; tap < kernel * kernel; tap++) {
      ivec2 from = tapped(place, tap);
      if (!outside(from)) sum += read(from, group) * weight(1 + tap, group);
    }
    return sum;`,
  max: `vec4 most = vec4(-3.4e38);
    for (int tap = 0; tap < kernel * kernel; tap++) {
      ivec2 from = tapped(place, tap);
      if (!outside(from)) most = max(most, read(from, group));
    }
    return most;`,
  mean: `vec4 sum = vec4(0);
    for (int y = 0; y < before.y; y++) for (int x = 0; x < before.x; x++) sum += read(ivec2(x, y), group);
    return sum / float(before.x * before.y);`,
  affine: `return read(place, group) * weight(1, group) + weight(0, group);`,
  copy: `return read(place, group);`,
  add: `return read(place, group) + texelFetch(second, place + ivec2(0, group * size.y), 0);`,
  resize: `vec2 centred = max((vec2(place) + 0.5) * vec2(before) / vec2(size) - 0.5, 0.0);
    vec2 where = aligned > 0 ? vec2(place * (before - 1)) / vec2(max(size - 1, 1)) : centred;
    ivec2 a = nearest > 0 ? place * before / size : min(ivec2(where), before - 1);
    ivec2 b = min(a + 1, before - 1);
    vec2 part = nearest > 0 ? vec2(0) : where - vec2(a);
    vec4 above = mix(read(a, group), read(ivec2(b.x, a.y), group), part.x);
    return mix(above, mix(read(ivec2(a.x, b.y), group), read(b, group), part.x), part.y);`,
};
const LIMITS = { relu: [0, 3.4e38], relu6: [0, 6] };
const DRAWS = 16; // between two looks at whether the processor is done with them

const fours = (channels) => Math.ceil(channels / 4);

/**
 * Open the graphics processor. Throws one line where it can't compute with floats.
 * @returns {Compute} runs a network on it; throws one line where that does not fit, or where the processor is lost
 */
export default function open() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) throw new Error("it can't be used in this browser");
  if (!gl.getExtension("EXT_color_buffer_float")) throw new Error("it draws no floats");
  const programOf = once((body) => program(gl, body));
  const weightsOf = once((network) => once((i) => weightTexture(gl, network.nodes, i)));
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  return async (network, picture, sizes, kept, alive) => {
    const { nodes } = network;
    const textures = [texture(gl, sizes[0].width, sizes[0].height, Float32Array.from(picture))];
    const lastUse = nodes.map(() => 0);
    nodes.forEach((node, i) => node.inputs.forEach((j) => (lastUse[j] = i)));
    try {
      for (let i = 1; i < nodes.length; i++) {
        textures[i] = texture(gl, sizes[i].width, sizes[i].height * fours(nodes[i].channels));
        draw(gl, { node: nodes[i], i, nodes, sizes, textures, programOf, weights: weightsOf(network) });
        for (const j of nodes[i].inputs) if (lastUse[j] === i && !kept.includes(j)) gl.deleteTexture(textures[j]);
        if (i % DRAWS === 0 && !(await finished(gl, () => alive(i / nodes.length)))) return null;
      }
      if (!(await finished(gl, () => alive(1)))) return null;
      const maps = kept.map((i) => readBack(gl, textures[i], { ...sizes[i], channels: nodes[i].channels }));
      if (gl.getError()) throw new Error("it gave up on the way");
      return maps;
    } catch (error) {
      throw gl.isContextLost() ? new Error("it was lost") : error;
    } finally {
      for (const one of textures) gl.deleteTexture(one);
    }
  };
}

// A function that remembers what it gave
function once(make) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) known.set(key, make(key));
    return known.get(key);
  };
}

function program(gl, body) {
  const made = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, CORNERS],
    [gl.FRAGMENT_SHADER, `${HEAD}${BODIES[body]}}`],
  ]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(`it refuses the shader for ${body}`);
  return { made, place: once((name) => gl.getUniformLocation(made, name)) };
}

function texture(gl, width, height, values = null) {
  if (Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) throw new Error("a map is too large for it");
  const made = gl.createTexture();
  gl.activeTexture(gl.TEXTURE0);
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, height, 0, gl.RGBA, gl.FLOAT, values);
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
    gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
  return made;
}

// Weights as the shaders read them, from those that `load` of engine.mjs has laid out
function weightTexture(gl, nodes, i) {
  const { op, channels, inputs, kernel = 1, groups, weight, bias } = nodes[i];
  if (!weight) return null;
  const apart = op === "affine" || groups > 1;
  const given = nodes[inputs[0]].channels;
  const taps = kernel * kernel;
  const columns = 1 + (apart ? taps : 4 * taps * fours(given));
  const values = new Float32Array(4 * columns * fours(channels));
  for (let channel = 0; channel < channels; channel++) {
    const at = 4 * columns * (channel >> 2) + (channel & 3);
    values[at] = bias[channel];
    const woven = (channel - (channel % 2)) * taps * given + (channel % 2);
    for (let tap = 0; tap < taps; tap++) {
      if (apart) values[at + 4 * (1 + tap)] = weight[tap * channels + channel];
      else
        for (let c = 0; c < given; c++)
          values[at + 4 * (1 + 4 * tap * fours(given) + c)] = weight[woven + 2 * (tap * given + c)];
    }
  }
  return texture(gl, columns, fours(channels), values);
}

// Draw the map of a node; where maps are laid beside each other, each by a draw of its own
function draw(gl, { node, i, nodes, sizes, textures, programOf, weights }) {
  const { op, inputs, groups, activation, channels } = node;
  const two = op === "add" && inputs.length === 2;
  const bodies = { conv: groups > 1 ? "depthwise" : "convolution", add: two ? "add" : "copy", concat: "copy" };
  const { made, place } = programOf(bodies[op] ?? op);
  const { width, height } = sizes[i];
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, textures[i], 0);
  gl.useProgram(made);
  const set = (name, ...numbers) => gl[`uniform${numbers.length}i`](place(name), ...numbers);
  gl.uniform2f(place("limits"), ...(LIMITS[activation] ?? [-3.4e38, 3.4e38]));
  set("size", width, height);
  for (const name of ["stride", "padding", "dilation", "aligned", "nearest"]) set(name, node[name] ?? 1);
  set("kernel", node.kernel ?? node.size ?? 1);
  bind(gl, set, "weights", 2, weights(i));
  if (two) bind(gl, set, "second", 1, textures[inputs[1]]);
  let top = 0;
  for (const j of op === "concat" ? inputs : inputs.slice(0, 1)) {
    if (top % 4) throw new Error("it lays maps beside each other by fours of channels only");
    const rows = height * fours(op === "concat" ? nodes[j].channels : channels);
    bind(gl, set, "first", 0, textures[j]);
    set("before", sizes[j].width, sizes[j].height);
    set("groups", fours(nodes[j].channels));
    set("top", (top / 4) * height);
    gl.viewport(0, (top / 4) * height, width, rows);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    top += nodes[j].channels;
  }
}

function bind(gl, set, name, unit, map) {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, map);
  set(name, unit);
}

// Wait until the processor has done what it was told; false where that is no longer wanted
async function finished(gl, alive) {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  gl.flush();
  do if (!(await alive())) return false;
  while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED);
  gl.deleteSync(fence);
  return true;
}

function readBack(gl, map, { width, height, channels }) {
  const rows = height * fours(channels);
  const values = new Float32Array(4 * width * rows);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, map, 0);
  gl.readPixels(0, 0, width, rows, gl.RGBA, gl.FLOAT, values);
  const data = new Float32Array(height * width * channels);
  const pixels = height * width;
  for (let pixel = 0, to = 0; pixel < pixels; pixel++)
    for (let c = 0; c < channels; c++) data[to++] = values[4 * ((c >> 2) * pixels + pixel) + (c & 3)];
  return { height, width, channels, data };
}
