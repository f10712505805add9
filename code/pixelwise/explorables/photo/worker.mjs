// A worker for the work, so that the page has its hands free. It runs the page's own script once more, from a Blob: such
// a worker stands under the page's policy, and may connect to nothing either. One from a file would not.
import { load } from "../../browser/engine.mjs";
import { segmented } from "./segment.mjs";

/**
 * The worker's part: answer each picture that comes, unless it is told to stop or another one comes meanwhile.
 * @returns {void}
 */
export function serve() {
  const networks = new Map();
  let latest = 0;
  const answered = async ({ turn, name, packed, picture }) => {
    latest = turn;
    try {
      if (packed) networks.set(name, load(JSON.parse(packed)));
      const tell = (share) => postMessage({ turn, share });
      postMessage({ turn, answer: await segmented(networks.get(name), picture, tell, () => turn === latest) });
    } catch (error) {
      postMessage({ turn, failure: error.message });
    }
  };
  addEventListener("message", ({ data }) => {
    if (data.picture) answered(data);
    else if (data.turn === latest) latest = 0;
  });
}

/**
 * The page's part. The worker starts when it is first asked.
 * @param {string} script what it runs, which calls `serve`
 * @returns {{ ask: Function, end: () => void }} `ask(name, packed, picture, tell, wanted)` is like `segmented`, with a
 *   network's name and text, and throws where the worker fails
 */
export function hire(script) {
  const known = new Set(); // names of the networks that it has
  let worker = null;
  let turn = 0;
  const ask = (name, packed, picture, tell, wanted) => {
    worker ??= started(script);
    const task = { turn: ++turn, name, packed: known.has(name) ? "" : packed, picture };
    known.add(name);
    worker.postMessage(task, [picture.data.buffer]);
    return heard(worker, task.turn, tell, wanted);
  };
  return { ask, end: () => worker?.terminate() };
}

function started(script) {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address);
  worker.addEventListener("message", () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

// What the worker gives for one turn; while it tells how far it is, it hears whether that is still wanted
function heard(worker, turn, tell, wanted) {
  const ear = new AbortController();
  const answer = new Promise((come, fail) => {
    const listen = ({ data }) => {
      if (data.turn !== turn) return;
      if ("failure" in data) fail(new Error(data.failure));
      else if ("answer" in data) come(data.answer);
      else if (wanted()) tell(data.share);
      else worker.postMessage({ turn }, []);
    };
    worker.addEventListener("message", listen, ear);
    for (const event of ["error", "messageerror"]) worker.addEventListener(event, fail, ear);
  });
  return answer.finally(() => ear.abort());
}
