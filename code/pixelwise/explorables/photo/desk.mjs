// The desk: the picture and the answer that lie on it, and the work from the one to the other.
import { run } from "../../browser/engine.mjs";
import { penOf } from "../shared/canvas.mjs";
import { percent } from "../shared/numbers.mjs";
import { change, oneOf } from "../shared/state.mjs";
import { answerOf, sharesOf, votesAt } from "./answer.mjs";
import { showLegend, showMaps } from "./drawing.mjs";
import { resample, workingSize } from "./picture.mjs";
import { stagesOf } from "./stages.mjs";
import { inSlices, networkOf } from "./work.mjs";

/**
 * A desk. `turn` counts the pictures and networks that were asked for, so that work for an earlier one ends.
 * @param {import("../shared/state.mjs").Model} model
 * @param {() => void} redraw
 * @returns {any} what lies on it, and what is done with it
 */
export function deskOf(model, redraw) {
  const desk = { picture: null, name: "", answer: null, hidden: new Set(), cursor: null, turn: 0, usual: null };
  const actions = {
    model,
    redraw,
    parts: null, // set once they are built
    complain: (line) => desk.parts.found.say(line),
    entry: () => named(model.get("networks"), model.get("chosen")),
    choose(network) {
      desk.usual = null;
      change(model, { chosen: network });
    },
    stop() {
      desk.turn++;
      showProgress(desk, null);
      desk.complain("Stopped. Choose a picture or a network to go on.");
    },
    segment: () => segment(desk),
    take: (read, name, network) => take(desk, read, name, network),
  };
  return Object.assign(desk, actions);
}

function named(networks, name) {
  return oneOf(
    networks.find((one) => one.name === name),
    networks,
  );
}

function showProgress({ parts }, share) {
  parts.working.hidden = share === null;
  if (share !== null) parts.progress.value = share;
}

// Lay a picture on the desk, and segment it; `read` brings it or throws one line
async function take(desk, read, name, network) {
  const turn = ++desk.turn;
  showProgress(desk, null);
  try {
    const { canvas, full } = await read();
    if (turn !== desk.turn) return;
    Object.assign(desk, { picture: canvas, full, name, answer: null, cursor: null });
    desk.hidden.clear();
    suit(desk, network);
    desk.redraw();
  } catch (error) {
    if (turn === desk.turn) desk.complain(error.message);
    return;
  }
  await segment(desk);
}

// A generated scene is shown to the network that suits it, and the next picture to the one before
function suit(desk, network) {
  const now = desk.entry().name;
  if (network && network !== now) desk.usual ??= now;
  change(desk.model, { chosen: network ?? desk.usual ?? now });
  if (!network) desk.usual = null;
}

async function segment(desk) {
  const turn = ++desk.turn;
  const wanted = () => turn === desk.turn;
  const { name, title, classes } = desk.entry();
  try {
    showProgress(desk, 0);
    desk.complain(`The network ${title} is on its way …`);
    const network = await networkOf(desk.model, name);
    if (!wanted()) return;
    desk.complain("Segmenting …");
    const answer = await segmented(network, desk.picture, (share) => showProgress(desk, share), wanted);
    if (!answer) return;
    Object.assign(desk, { answer, classes, layer: null, colours: classes.map(([, colour]) => rgb(colour)) });
    desk.complain(finding(desk));
    showLegend(desk.parts.rows, desk, desk.redraw);
    showMaps(desk.parts.maps, desk);
  } catch (error) {
    if (wanted()) desk.complain(error.message);
  }
  if (wanted()) showProgress(desk, null);
  desk.redraw();
}

function rgb(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
}

// What is said of an answer: the largest classes, and how long it took
function finding({ classes, answer, full }) {
  const shares = sharesOf(answer.labels, classes.length);
  const order = shares.map((_, label) => label).toSorted((a, b) => shares[b] - shares[a]);
  const most = order.slice(0, 3).filter((label) => shares[label] >= 0.005);
  const parts = most.map((label) => `${classes[label][0]} ${percent(shares[label])}`);
  const seconds = answer.seconds < 10 ? answer.seconds.toFixed(1) : Math.round(answer.seconds);
  const shown = `shown at ${answer.size.join(" × ")}`;
  const kept = [answer.height, answer.width];
  const smaller =
    full[0] > kept[0] ? ` It was made smaller first, from ${full.join(" × ")} to ${kept.join(" × ")}.` : "";
  return `Mostly ${parts.join(", ")}. It took ${seconds} s in plain JavaScript, the picture ${shown}.${smaller}`;
}

/**
 * What the answer says of one pixel.
 * @param {any} desk
 * @param {number[]} place row and column
 * @returns {string} words
 */
export function verdict({ classes, answer }, [row, column]) {
  const [first, second] = votesAt(answer.logits, [row, column], [answer.height, answer.width]);
  const next = second.share >= 0.01 ? `, or ${classes[second.label][0]} ${percent(second.share)}` : "";
  return `row ${row + 1}, column ${column + 1}: ${classes[first.label][0]} ${percent(first.share)}${next}`;
}

// Work: the answer of a network for the picture on the desk, or null where another one was wanted meanwhile
async function segmented(network, picture, tell, wanted) {
  const start = performance.now();
  const { width, height } = picture;
  const size = workingSize([height, width], network.size);
  const pixels = resample(penOf(picture).getImageData(0, 0, width, height), size);
  const work = run(network, pixels, size[0], size[1], stagesOf(network, size));
  const result = await inSlices(work, (share) => tell(0.9 * share), wanted);
  const answer = result && (await inSlices(answerOf(result.logits, height, width), (s) => tell(0.9 + s / 10), wanted));
  return answer && { ...answer, ...result, size, height, width, seconds: (performance.now() - start) / 1000 };
}
