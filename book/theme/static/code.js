// What a chapter and the page of claims have beside site.js: whether code shows, Wrap and Copy, fields that narrow a list,
// notes and larger figures that open at a tap.
(() => {
  "use strict";
  const root = document.documentElement;
  const remember = (key, value) => {
    try {
      localStorage.setItem(key, value);
    } catch {
      // storage is forbidden: it is for this page, then
    }
  };

  function addCodeSwitch() {
    const group = document.querySelector(".pw-codes");
    if (!group) return;
    const show = (value) => {
      root.dataset.code = value;
      for (const button of group.children) button.setAttribute("aria-pressed", button.value === value);
    };
    group.hidden = false;
    show(root.dataset.code ?? "code");
    group.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (!button) return;
      const other = [...group.children].find((each) => each !== button && !each.checkVisibility()); // on a phone
      const value = other && button.value === root.dataset.code ? other.value : button.value;
      const top = [...document.querySelectorAll(".pw-article :is(h2, h3, p)")].find(
        (text) => text.getBoundingClientRect().top > 80, // below the head
      );
      const before = top?.getBoundingClientRect().top;
      show(value);
      if (before !== undefined) scrollBy({ top: top.getBoundingClientRect().top - before, behavior: "instant" });
      remember("code", value);
    });
  }

  function narrowClaims() {
    const form = document.querySelector(".pw-filter");
    if (!form) return;
    const rows = [...document.querySelectorAll(".pw-claimed tbody tr")];
    const narrow = () => {
      const { words, chapter, kind } = Object.fromEntries(new FormData(form));
      const plain = (text) => text.toLowerCase().replaceAll("-", ""); // U-Net is found as unet
      const wanted = plain(words).split(/\s+/);
      for (const row of rows) {
        const text = plain(row.textContent);
        const here = !chapter || row.closest(".pw-claimed").id === chapter;
        row.hidden = !(here && (!kind || row.dataset.kind === kind) && wanted.every((word) => text.includes(word)));
      }
      for (const section of document.querySelectorAll(".pw-claimed")) {
        section.hidden = !section.querySelector("tbody tr:not([hidden])");
        const listed = document.querySelector(`.pw-sections a[href="#${section.id}"]`);
        listed?.toggleAttribute("hidden", section.hidden);
      }
      form.classList.toggle("pw-narrowed", words + chapter + kind !== "");
      // Which row is the tab stop
      form.dispatchEvent(new Event("toggle"));
      const left = rows.filter((row) => !row.hidden).length;
      form.querySelector("output").value = left ? `${left} of ${rows.length}` : "No claim holds all of this";
    };
    form.hidden = false;
    form.addEventListener("input", narrow);
    form.addEventListener("submit", (event) => event.preventDefault());
    narrow();
  }

  // Beside code: Wrap where a line is too long, for all code until it is unwrapped, and Copy where the browser lets us.
  function addCodeTools() {
    for (const code of document.querySelectorAll("div.highlight:not(.cell_output *) > pre")) {
      const tools = document.createElement("div");
      const add = (name, text, act) => {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", className: name, textContent: text });
        button.addEventListener("click", () => act(button));
        tools.append(button);
        return button;
      };
      tools.className = "pw-tools";
      add("pw-wrap", "Wrap", wrap).hidden = true;
      if (navigator.clipboard) add("pw-copy", "Copy", (button) => copy(button, code.textContent)).ariaLive = "polite";
      code.after(tools);
    }
    showWrap();
  }

  async function copy(button, text) {
    button.textContent = await navigator.clipboard.writeText(text).then(
      () => "Copied",
      () => "Not allowed",
    );
    setTimeout(() => (button.textContent = "Copy"), 2000);
  }

  function wrap(button) {
    const before = button.getBoundingClientRect().top;
    root.dataset.wrap = root.dataset.wrap !== "true";
    showWrap();
    scrollBy({ top: button.getBoundingClientRect().top - before, behavior: "instant" });
    remember("wrap", root.dataset.wrap);
  }

  const showWrap = () => {
    for (const button of document.querySelectorAll(".pw-wrap")) {
      button.setAttribute("aria-pressed", root.dataset.wrap === "true");
      button.hidden &&= root.dataset.wrap !== "true";
    }
  };

  // A tap on a figure or a drawing opens its larger form, where it has one, at the place that was tapped; a tap on that
  // fits it to the window, or takes it back to its size.
  function openByTap({ target, clientX, clientY }) {
    target.closest?.(".pw-large img")?.parentElement.classList.toggle("pw-fit");
    const small = target.closest?.(":is(.pw-pane, .pw-sheet) img");
    let one = small?.parentElement;
    while (one && !one.matches(".pw-larger")) one = one.nextElementSibling;
    if (!one?.checkVisibility()) return;
    const from = small.getBoundingClientRect();
    one.focus({ preventScroll: true }); // which gets it back
    one.click();
    const form = one.nextElementSibling;
    form.classList.remove("pw-fit");
    const to = [...form.querySelectorAll("img")].find((each) => each.checkVisibility()).getBoundingClientRect();
    const scale = to.width / from.width;
    form.scrollBy(
      to.left + (clientX - from.left) * scale - innerWidth / 2,
      to.top + (clientY - from.top) * scale - innerHeight / 2,
    );
  }

  // Where nothing hovers, a tap on a term or a source opens its note, and the next one follows the link; Escape puts away
  // what hover, focus or a tap brought up.
  function openNotes() {
    const quiet = (yes) => root.classList.toggle("pw-quiet", yes);
    addEventListener("click", (event) => {
      const note = event.target.closest?.(".pw-note");
      const open = document.querySelector(".pw-note.pw-open");
      if (open !== note) open?.classList.remove("pw-open");
      // A key follows the link at once
      const tapped = event.detail > 0 && matchMedia("(hover: none)").matches;
      if (!note || note === open || !tapped) return;
      event.preventDefault();
      note.classList.add("pw-open");
      quiet(false);
    });
    addEventListener("keydown", (event) => event.key === "Escape" && quiet(true));
    for (const kind of ["pointerover", "focusin"])
      addEventListener(kind, (event) => event.target.closest?.(".pw-note") || quiet(false));
  }

  addCodeSwitch();
  narrowClaims();
  addCodeTools();
  openNotes();
  addEventListener("click", openByTap);
})();
