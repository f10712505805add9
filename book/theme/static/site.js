// All the script that a page of text has. It runs in the head, so that no page flashes in the wrong colours.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = (key = "mode") => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is forbidden
    }
  };
  const colour = () => {
    root.dataset.theme = remembered() ?? (dark.matches ? "dark" : "light");
    document.getElementById("mode")?.setAttribute("aria-pressed", root.dataset.theme === "dark");
  };
  colour();
  dark.addEventListener("change", colour);
  if (remembered("code") === "text") root.dataset.code = "text";
  if (remembered("wrap") === "true") root.dataset.wrap = "true";
  if (!location.hash && performance.getEntriesByType("navigation")[0]?.type === "navigate")
    root.classList.add("pw-opening"); // neither a link into the page nor a return to a place in it

  // The letters of the first screen are asked for before the styles that name them (this script stands first), so that
  // they are there when it is painted. From file:// a browser refuses what a page asks for in advance, and needs it not.
  if (location.protocol !== "file:")
    for (const style of ["regular", "bold"]) {
      const link = document.createElement("link");
      const href = new URL(`fonts/pixelwise-sans-${style}.woff2`, document.currentScript.src).href;
      Object.assign(link, { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href });
      document.head.append(link);
    }

  function addModeButton() {
    const button = document.getElementById("mode");
    button.hidden = false;
    button.addEventListener("click", () => {
      const mode = root.dataset.theme === "dark" ? "light" : "dark";
      try {
        if (mode === (dark.matches ? "dark" : "light")) localStorage.removeItem("mode");
        else localStorage.setItem("mode", mode);
        colour();
      } catch {
        root.dataset.theme = mode;
      }
    });
    colour();
  }

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
      const value = button.value === root.dataset.code ? (button.value === "code" ? "text" : "code") : button.value;
      const top = [...document.querySelectorAll(".pw-article :is(h2, h3, p)")].find(
        (text) => text.getBoundingClientRect().top > 0,
      );
      const before = top?.getBoundingClientRect().top;
      show(value);
      if (before !== undefined) scrollBy({ top: top.getBoundingClientRect().top - before, behavior: "instant" });
      try {
        localStorage.setItem("code", value);
      } catch {
        // it is for this page, then
      }
    });
  }

  function narrowClaims() {
    const form = document.querySelector(".pw-filter");
    if (!form) return;
    const rows = [...document.querySelectorAll(".pw-claimed tbody tr")];
    const narrow = () => {
      const { words, chapter, kind } = Object.fromEntries(new FormData(form));
      const wanted = words.toLowerCase().split(/\s+/);
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const here = !chapter || row.closest(".pw-claimed").id === chapter;
        row.hidden = !(here && (!kind || row.dataset.kind === kind) && wanted.every((word) => text.includes(word)));
      }
      for (const section of document.querySelectorAll(".pw-claimed"))
        section.hidden = !section.querySelector("tbody tr:not([hidden])");
      form.querySelector("output").value = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
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
      if (navigator.clipboard) add("pw-copy", "Copy", (button) => copy(button, code.textContent));
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
    try {
      localStorage.setItem("wrap", root.dataset.wrap);
    } catch {
      // it is for this page, then
    }
  }

  const showWrap = () => {
    for (const button of document.querySelectorAll(".pw-wrap")) {
      button.setAttribute("aria-pressed", root.dataset.wrap === "true");
      button.hidden &&= root.dataset.wrap !== "true";
    }
  };

  function letKeysScroll() {
    const fit = new ResizeObserver((entries) => {
      for (const { target } of entries)
        if (target.scrollWidth > target.clientWidth) {
          target.tabIndex = 0;
          target.parentElement.querySelector(".pw-wrap")?.removeAttribute("hidden");
        } else target.removeAttribute("tabindex");
    });
    for (const box of document.querySelectorAll("pre, .pw-scroll, .pw-math, .cell_output .output")) fit.observe(box);
  }

  function markSection() {
    const links = [...document.querySelectorAll(".pw-sections > ul ul a")];
    const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
    const mark = () => {
      const past = headings.filter((heading) => heading && heading.getBoundingClientRect().top < 120).length;
      links.forEach((link, i) => link.setAttribute("aria-current", i === past - 1));
    };
    document.getElementById("sections")?.addEventListener("click", ({ target, currentTarget }) => {
      if (target.closest("a") && currentTarget.matches(":popover-open")) currentTarget.hidePopover();
    });
    let waiting = false;
    const soon = () => {
      if (!waiting) requestAnimationFrame(() => ((waiting = false), mark()));
      waiting = true;
    };
    if (links.length) addEventListener("scroll", soon, { passive: true });
  }

  // Of many that do the same one is a tab stop, the first on the screen; arrow keys lead from it to the others.
  function rove(kind) {
    const all = [...document.querySelectorAll(kind)];
    const open = () => all.filter((one) => one.checkVisibility()); // not those in a box that is closed
    const choose = (one) => all.forEach((each) => (each.tabIndex = each === one ? 0 : -1));
    const nearest = () => {
      if (all.includes(document.activeElement)) return;
      const shown = open();
      choose(shown.find((one) => one.getBoundingClientRect().top > 0) ?? shown.at(-1));
    };
    for (const one of all) {
      one.addEventListener("focus", () => choose(one));
      one.addEventListener("keydown", (event) => {
        const shown = open();
        const next = shown[shown.indexOf(one) + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? NaN)];
        if (!next) return;
        event.preventDefault();
        next.focus();
      });
    }
    addEventListener("scrollend", nearest);
    addEventListener("toggle", nearest, true);
    nearest();
  }

  // Where nothing hovers, a tap on a term or a source opens its note, and the next one follows the link.
  function openNotes() {
    addEventListener("click", (event) => {
      const note = event.target.closest?.(".pw-note");
      const open = document.querySelector(".pw-note.pw-open");
      if (open !== note) open?.classList.remove("pw-open");
      const tapped = event.detail > 0 && matchMedia("(hover: none)").matches; // a key follows the link at once
      if (!note || note === open || !tapped) return;
      event.preventDefault();
      note.classList.add("pw-open");
      root.classList.remove("pw-quiet");
    });
  }

  addEventListener("DOMContentLoaded", () => {
    markSection();
    openNotes();
    addModeButton();
    addCodeSwitch();
    narrowClaims();
    addCodeTools();
    letKeysScroll();
    const painted = () => {
      root.classList.remove("pw-opening");
      for (const kind of [".pw-wrap", ".pw-copy", ".headerlink"]) rove(kind);
    };
    requestAnimationFrame(() => setTimeout(painted)); // after the next frame
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") root.classList.add("pw-quiet"); // puts away what hover, focus or a tap brought up
    else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      document.querySelector("header input[type=search]").focus();
      event.preventDefault();
    }
  });
  for (const kind of ["pointerover", "focusin"])
    addEventListener(kind, (event) => {
      if (!event.target.closest?.(".pw-note")) root.classList.remove("pw-quiet");
    });
})();
