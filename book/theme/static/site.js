// All the script that a page of text has. It runs in the head, so that no page flashes in the wrong colours.
(() => {
  "use strict";
  const root = document.documentElement;
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = (key = "mode") => {
    try {
      return localStorage.getItem(key);
    } catch {
      // Storage is forbidden
      return null;
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
    // Neither a link into the page nor a return to a place in it
    root.classList.add("pw-opening");

  // The letters of the first screen are asked for before the styles that name them (this script stands first), so that
  // they are there when it is painted. From file:// a browser refuses what a page asks for in advance: there the text
  // waits for its letters, which come from the disk.
  const beside = (name) => new URL(name, script.src).href;
  const font = (name) => beside(`fonts/${name}.woff2`);
  if (location.protocol === "file:")
    for (const [name, weight = "normal", style = "normal"] of [
      ["pixelwise-sans-regular"],
      ["pixelwise-sans-bold", "500 700"],
      ["pixelwise-sans-italic", "normal", "italic"],
      ["stix-two-math"],
    ]) {
      const family = name[0] === "s" ? "STIX Two Math" : "Pixelwise Sans";
      document.fonts.add(new FontFace(family, `url("${font(name)}")`, { weight, style, display: "block" }));
    }
  else
    for (const name of ["pixelwise-sans-regular", "pixelwise-sans-bold", "stix-two-math"].slice(
      0,
      "math" in root.dataset ? 3 : 2,
    )) {
      const link = document.createElement("link");
      Object.assign(link, { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href: font(name) });
      document.head.append(link);
    }

  // The search comes when its field gets the focus, and at once to mark the words that have led here.
  function searchWhenAsked() {
    let asked = Boolean(document.querySelector("script[src*='search.js']"));
    const ask = () => {
      if (!asked) document.head.append(Object.assign(document.createElement("script"), { src: beside("search.js") }));
      asked = true;
    };
    if (new URLSearchParams(location.search).has("find")) ask();
    document.querySelector(".pw-head [type=search]")?.addEventListener("focus", ask);
  }

  // In the list of chapters the one that is read lies in sight, also where the list is a panel that opens.
  function showChapter() {
    const list = document.getElementById("chapters");
    const here = list?.querySelector("[aria-current]");
    const show = () => here && (list.scrollTop = here.offsetTop - list.clientHeight / 3);
    show();
    list?.addEventListener("toggle", show);
  }

  // A panel or a larger figure closes when the focus goes elsewhere, but not to main, which has that of a tap.
  addEventListener("focusin", ({ target }) => {
    const open = document.querySelector(":popover-open");
    if (!target.contains(open) && !open?.contains(target) && target.popoverTargetElement !== open) open?.hidePopover();
  });

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

  function letKeysScroll() {
    const fit = new ResizeObserver((entries) => {
      for (const { target } of entries)
        if (target.scrollWidth > target.clientWidth) {
          target.tabIndex = 0;
          target.role ??= "group"; // what is a stop says so
          target.ariaLabel ??= "Scrolls sideways";
          target.parentElement.querySelector(".pw-wrap")?.removeAttribute("hidden");
        } else target.removeAttribute("tabindex");
    });
    for (const box of document.querySelectorAll("pre, .pw-scroll, .pw-math, .cell_output .output")) fit.observe(box);
  }

  function markSection() {
    const links = [...document.querySelectorAll(".pw-sections > ul ul a")];
    const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
    const here = document.querySelector(".pw-here");
    const mark = () => {
      const at = headings.findLastIndex((one) => one?.checkVisibility() && one.getBoundingClientRect().top < 120);
      links.forEach((link, i) => link.setAttribute("aria-current", i === at));
      if (here) here.textContent = links[at]?.textContent ?? "";
    };
    document.getElementById("sections")?.addEventListener("click", ({ target, currentTarget }) => {
      if (target.closest("a") && currentTarget.matches(":popover-open")) currentTarget.hidePopover();
    });
    if (links.length) addEventListener("scroll", mark, { passive: true }); // once a frame
  }

  // Of a long list of links one is a tab stop: where the reader is, or the first on the screen; arrow keys lead from it
  // to the others.
  function rove(kind) {
    const all = [...document.querySelectorAll(kind)];
    // Not those in a box that is closed
    const open = () => all.filter((one) => one.checkVisibility());
    const choose = (one) => all.forEach((each) => (each.tabIndex = each === one ? 0 : -1));
    const nearest = () => {
      if (all.includes(document.activeElement)) return;
      const shown = open();
      const here = shown.find((one) => one.matches("[aria-current=page], [aria-current=true]"));
      choose(here ?? shown.find((one) => one.getBoundingClientRect().top > 0) ?? shown.at(-1));
    };
    for (const one of all) {
      one.addEventListener("focus", () => choose(one));
      one.addEventListener("keydown", (event) => {
        const shown = open();
        const at = shown.indexOf(one);
        const next = shown[{ ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key]];
        if (!next) return;
        event.preventDefault();
        next.focus();
      });
    }
    addEventListener("scrollend", () => requestAnimationFrame(nearest)); // when the list of sections has followed
    addEventListener("toggle", nearest, true);
    nearest();
  }

  addEventListener("DOMContentLoaded", () => {
    markSection();
    showChapter();
    searchWhenAsked();
    addModeButton();
    letKeysScroll();
    const painted = () => {
      root.classList.remove("pw-opening");
      [".pw-chapters a", ".pw-sections a", ".pw-letters a", ".pw-claims a"].forEach(rove);
    };
    // After the next frame
    requestAnimationFrame(() => setTimeout(painted));
  });
  addEventListener(
    "keydown",
    (event) => {
      const typing = event.target.closest?.("input:not([type=radio], [type=range]), textarea, select");
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
        document.querySelector("header input[type=search]").focus();
        event.preventDefault();
      }
    },
    true,
  );
})();
