// The desk: the picture and the answer that lie on it, and the work from the one to the other.
import { percent } from "../shared/numbers.mjs";
import { change, oneOf } from "../shared/state.mjs";
import { said, sharesOf, votesAt } from "./answer.mjs";
import { showLegend, showMaps } from "./drawing.mjs";
import { workshopOf } from "./work.mjs";

/**
 * A desk. `turn` counts the pictures and networks that were asked for, so that work for an earlier one ends.
 * @param {import("../shared/state.mjs").Model} model
 * @param {() => void} redraw
 * @param {string} script of the page, for a worker; empty where there is none
 * @returns {any} what lies on it, and what is done with it
 */
export function deskOf(model, redraw, script) {
  const desk = { picture: null, name: "", answer: null, hidden: new Set(), cursor: null, turn: 0, usual: null };
  const actions = {
    model,
    redraw,
    workshop: workshopOf(model, script),
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
  requestAnimationFrame(() => desk.parts.canvas.scrollIntoView({ block: "nearest" })); // it is drawn by then
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
    let begun = false;
    const tell = (share) => {
      if (!begun) desk.complain("Segmenting …");
      begun = true;
      showProgress(desk, share);
    };
    const answer = await desk.workshop.segment(name, desk.picture, tell, wanted);
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

// How long each way took for the picture and the network on the desk, the last one first
function timesOf(desk) {
  const { way, seconds } = desk.answer;
  const { name } = desk.entry();
  const same = desk.times?.picture === desk.picture && desk.times.name === name;
  const ways = new Map([[way, seconds], ...(same ? desk.times.ways : [])]).set(way, seconds);
  desk.times = { picture: desk.picture, name, ways };
  return Array.from(ways, ([one, time]) => `${time.toFixed(time < 10 ? 1 : 0)} s ${one}`).join(", ");
}

// What is said of an answer: the largest classes, and how long it took
function finding(desk) {
  const { classes, answer, full } = desk;
  const shares = sharesOf(answer.labels, classes.length);
  const order = shares.map((_, label) => label).toSorted((a, b) => shares[b] - shares[a]);
  const most = order.slice(0, 3).filter((label) => shares[label] >= 0.005);
  const parts = most.map((label) => `${said(classes[label])} ${percent(shares[label])}`);
  const shown = `shown at ${answer.size.join(" × ")}`;
  const kept = [answer.height, answer.width];
  const smaller =
    full[0] > kept[0] ? `It was made smaller first, from ${full.join(" × ")} to ${kept.join(" × ")}.` : "";
  const took = `It took ${timesOf(desk)}, the picture ${shown}.`;
  return [`Mostly ${parts.join(", ")}.`, took, smaller, answer.why].filter(Boolean).join(" ");
}

/**
 * What the answer says of one pixel.
 * @param {any} desk
 * @param {number[]} place row and column
 * @returns {string} words
 */
export function verdict({ classes, answer }, [row, column]) {
  const [first, second] = votesAt(answer.logits, [row, column], [answer.height, answer.width]);
  const next = second.share >= 0.01 ? `, or ${said(classes[second.label])} ${percent(second.share)}` : "";
  return `row ${row + 1}, column ${column + 1}: ${said(classes[first.label])} ${percent(first.share)}${next}`;
}
