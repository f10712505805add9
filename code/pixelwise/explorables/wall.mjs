// The wall of questions: the reader's own score above them, and which of them show. The build appends this to the script
// of a built page, after what mounts the questions; without it the page is a list of questions with boxes that open.
import { h, write } from "./shared/dom.mjs";

// How a reader has done so far, in words
function scoreOf(outcomes) {
  const made = outcomes.filter((one) => one !== null);
  if (!made.length) return "You have not answered any yet.";
  const right = made.filter(Boolean).length;
  return `You have answered ${made.length} of ${outcomes.length}, ${right} of them as it was measured.`;
}

function raise(head, explorables) {
  const all = [...document.querySelectorAll(".pw-asks")].map((box) => ({
    box,
    kind: box.querySelector("[data-explorable]").dataset.explorable,
    question: JSON.parse(box.querySelector("[data-explorable]").dataset.state),
    section: box.closest("section"),
  }));
  const sections = [...new Set(all.map(({ section }) => section))];
  const outcomeOf = ({ kind, question }) => explorables[kind].outcome(question);
  const score = h("p", { class: "pw-score", role: "status" });
  const titles = JSON.parse(head.dataset.chapters).map((title) => h("option", {}, title));
  const chapter = h("select", { onchange: choose }, h("option", { value: "" }, "all chapters"), ...titles);
  const open = h("input", { type: "checkbox", onchange: choose });

  // A question that is answered under the reader's eyes stays until the choice is made anew.
  function choose() {
    for (const one of all) {
      const elsewhere = chapter.value !== "" && chapter.value !== one.box.dataset.chapter;
      one.box.hidden = elsewhere || (open.checked && outcomeOf(one) !== null);
    }
    for (const one of sections) one.hidden = all.every(({ section, box }) => section !== one || box.hidden);
  }
  const count = () => write(score, scoreOf(all.map(outcomeOf)));
  head.append(score, h("label", {}, "Show ", chapter), h("label", {}, open, " only what I have not answered"));
  addEventListener("pw-guess", count);
  addEventListener("storage", count); // answered in another tab
  count();
}

/**
 * Keep the score on the page of all questions, if this is that page.
 * @param {Record<string, any>} explorables by name
 * @returns {void}
 */
export function raiseWall(explorables) {
  for (const head of document.querySelectorAll(".pw-wall")) raise(head, explorables);
}
