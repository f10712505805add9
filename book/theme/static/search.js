// The search: it is loaded, and with it the index, when a field of it gets the focus (site.js); what is typed is answered
// below the field.
globalThis.Search = (() => {
  "use strict";
  const LONGEST = 200; // letters of a query
  const WORD = /[\p{L}\p{N}]+(?:[-'’][\p{L}\p{N}]+)*/gu;
  const HANGUL = /[가-힣]/;
  // How much it counts that a section is of the glossary, of a chapter …; and that it is called just as the query.
  const KINDS = [
    [/glossary$/, 1.5, 6],
    [/^reference/, 0.2, 1.5],
    [/(atlas|claims|references|runs)$/, 0.6, 2],
    [/./, 1, 4],
  ];
  const root = document.documentElement.dataset.content_root ?? "";
  const given = (name) => new URLSearchParams(location.search).get(name) ?? "";
  let index = null; // what the build wrote, with a map from each word to where it stands
  let loading = null;

  function load(made) {
    const places = made.places.split(" ");
    index = {
      ...made,
      stops: new Set(made.stops),
      places: new Map(made.words.split(" ").map((word, i) => [word, places[i]])),
    };
  }

  // The words of a text, each as the parts that hyphens make of it.
  const singular = (word) => word.replace(/^(..+[^isu])s$/, "$1");
  const parted = (text) =>
    (text.slice(0, LONGEST).normalize("NFKC").toLowerCase().replaceAll("×", "x").match(WORD) ?? [])
      .filter((word) => !index?.stops.has(word))
      .map((word) => word.split(/[-'’]/).map(singular));

  // Words of the index that one may mean, each with how well it fits: itself, what begins with it, in Korean what
  // contains it; and if there is none, what begins nearly so.
  function meant(word) {
    const fits = [];
    for (const known of index.places.keys())
      if (known === word) fits.push([known, 1]);
      else if (known.startsWith(word)) fits.push([known, 0.35 + 0.4 * (word.length / known.length)]);
      else if (HANGUL.test(word) && word.length > 1 && known.includes(word)) fits.push([known, 0.5]);
    if (!fits.length && word.length > 4) return meant(word.slice(0, -1)).map(([known, fit]) => [known, 0.7 * fit]);
    return fits;
  }

  // The score of each section for one word.
  function scores(word) {
    const best = new Map();
    for (const [known, fit] of meant(word)) {
      const stands = [...index.places.get(known).matchAll(/([\da-z]+)([A-Z])/g)];
      const rarity = Math.log(1 + index.sections.length / stands.length);
      let place = -1;
      for (const [, step, weight] of stands) {
        place += parseInt(step, 36);
        best.set(place, Math.max(best.get(place) ?? 0, fit * rarity * (weight.charCodeAt(0) - 65)));
      }
    }
    return best;
  }

  // Sections with as many words of a query as any section has, the best first.
  function find(text) {
    const query = parted(text);
    const name = query.flat().join("");
    const asked = query.flatMap((parts) => (meant(parts.join("")).length ? parts.join("") : parts));
    const total = new Map();
    for (const word of asked)
      for (const [place, score] of scores(word)) {
        const [sum, count] = total.get(place) ?? [0, 0];
        total.set(place, [sum + score, count + 1]);
      }
    const rank = ([place, [sum]]) => {
      const [page, , , , ...names] = index.sections[place];
      const [, kind, called] = KINDS.find(([pattern]) => pattern.test(index.pages[page][0]));
      return [index.sections[place], sum * kind * (names.includes(name) ? called : 1)];
    };
    const most = Math.max(...[...total.values()].map(([, count]) => count));
    return [...total]
      .filter(([, [, count]]) => count === most)
      .map(rank)
      .toSorted((a, b) => b[1] - a[1])
      .map(([section]) => section);
  }

  const make = (tag, attributes, ...children) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  };

  function attach(field) {
    const here = field.form.className === "pw-search";
    const box = here
      ? document.getElementById("search-results")
      : field.form.appendChild(make("div", { className: "pw-hits", hidden: true }));
    const status = box.appendChild(make("p", { role: "status" }));
    const list = box.appendChild(make("ol", {}));
    const hit = ([place, anchor, title, excerpt]) => {
      const [address, name] = index.pages[place];
      const href = `${root}${address}.html?find=${encodeURIComponent(field.value.slice(0, LONGEST))}#${anchor}`;
      const page = title === name ? [] : [make("small", {}, name)]; // a page's own section is called as the page
      return make("li", {}, make("a", { href }, title), ...page, make("p", {}, excerpt));
    };
    const answer = () => {
      box.hidden = !here && !field.value.trim();
      if (!index) return;
      const hits = find(field.value);
      status.textContent = hits.length ? `${hits.length} places` : field.value.trim() && "Nothing found.";
      list.replaceChildren(...hits.slice(0, here ? 40 : 6).map(hit));
    };
    const ready = () =>
      (loading ??= new Promise((done) => {
        document.head.append(make("script", { src: `${root}_static/search-index.js`, onload: done }));
      })).then(answer);
    field.addEventListener("focus", ready);
    field.addEventListener("input", answer);
    const shut = () => (box.hidden = !here);
    for (const event of ["focusin", "click"])
      document.addEventListener(event, ({ target }) => {
        if (!field.form.contains(target)) shut();
      });
    field.form.parentElement.addEventListener("keydown", (event) => {
      const stops = [field, ...list.querySelectorAll("a")];
      const to = stops[stops.indexOf(document.activeElement) + { ArrowDown: 1, ArrowUp: -1 }[event.key]];
      if (to) {
        to.focus();
        event.preventDefault();
      } else if (event.key === "Escape") shut();
    });
    if (!here) {
      if (document.activeElement === field) ready(); // the focus has brought this script
      return;
    }
    field.value = given("q");
    if (field.value) ready();
    else field.focus();
  }

  // Where a result has led: mark the words in that section, and have the first in sight.
  function mark() {
    const text = parted(given("find")).flat();
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!text.length || !target || !CSS.highlights) return;
    const pattern = new RegExp(text.map((word) => (HANGUL.test(word) ? word : `(?<!\\p{L})${word}`)).join("|"), "giu");
    const walker = document.createTreeWalker(target.closest("dl.py") ?? target, NodeFilter.SHOW_TEXT);
    const ranges = [];
    while (walker.nextNode())
      for (const { index: start, 0: found } of walker.currentNode.data.matchAll(pattern)) {
        walker.currentNode.parentElement.closest("pw-withheld")?.show(true);
        const range = new Range();
        range.setStart(walker.currentNode, start);
        range.setEnd(walker.currentNode, start + found.length);
        if (range.getClientRects().length) ranges.push(range);
      }
    CSS.highlights.set("pw-found", new Highlight(...ranges));
    if (ranges[0]?.getBoundingClientRect().bottom > innerHeight)
      ranges[0].startContainer.parentElement.scrollIntoView({ block: "center" });
  }

  const begin = () => document.querySelectorAll("[role=search] input").forEach(attach);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
  if (document.readyState === "complete") mark();
  else addEventListener("load", mark);
  return { load, find };
})();
