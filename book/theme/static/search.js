// The search: it is loaded, and with it the index, when a field of it gets the focus (site.js); what is typed is answered
// below the field. A result shows the sentence that holds what was asked; the texts for it come page by page.
globalThis.Search = (() => {
  "use strict";
  const LONGEST = 200; // letters of a query
  const SHOWN = 190; // letters of a sentence in a result, about
  const ALIKE = 0.4; // of the pairs of letters of two words
  const WORD = /[\p{L}\p{N}]+(?:[-'’][\p{L}\p{N}]+)*/gu;
  const PART = /[\p{L}\p{N}]+/gu;
  const HANGUL = /[가-힣]/;
  // How much it counts that a section is of the glossary, of a chapter …; and that it is called just as the query.
  const KINDS = [
    [/glossary$/, 1.5, 6],
    [/^reference/, 0.02, 4],
    [/(atlas|claims|questions|references|runs|segment)$/, 0.5, 2],
    [/./, 1, 4],
  ];
  // Who writes as code does asks for the library.
  const LIBRARY = [/^reference/, 2, 9];
  const ABBREVIATION = /\b[A-Z]{2,5}\s*$/; // and no word that is half typed, if it stands somewhere
  // What a text has that does not answer: code above all, and what stands around it.
  const UNSAID = "pre, nav, svg, script, button, summary, annotation, .pw-fold, .pw-five, .pw-stamp, [role=tooltip]";
  const root = document.documentElement.dataset.content_root ?? "";
  const given = (name) => new URLSearchParams(location.search).get(name) ?? "";
  const texts = new Map(); // of the sections of a page, in order
  const heard = new Map(); // words that were asked for, and what each may mean
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
  const normal = (text) => text.normalize("NFKC").toLowerCase().replaceAll("×", "x");
  const parted = (text) =>
    (normal(text.slice(0, LONGEST)).match(WORD) ?? [])
      .filter((word) => !index?.stops.has(word))
      .map((word) => word.split(/[-'’]/).map(singular));
  const stem = (word) => word.replace(/(?:ing|ed|e)$/, "").replace(/(.)\1$/, "$1");

  // How many letters are to be put in, left out, changed or swapped to make one word of the other; more than 2 is 3.
  function distance(a, b) {
    if (Math.abs(a.length - b.length) > 2) return 3;
    let [last, row] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1]));
        if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], last[j - 2] + 1);
      }
      [last, row] = [row, next];
      if (Math.min(...row) > 2) return 3;
    }
    return row.at(-1);
  }

  // Words of the index that one may mean, each with how well it fits: itself, what begins with it (anything, if it may
  // be half typed), what has its stem, in Korean what contains it.
  function like(word, open) {
    const [fits, origin] = [new Map(), stem(word)];
    for (const known of index.places.keys()) {
      const share = word.length / known.length;
      if (known === word) fits.set(known, 1);
      else if (known.startsWith(word) && (open || (share > 0.6 && word.length > 3)))
        fits.set(known, 0.35 + 0.4 * share);
      else if (origin.length > 3 && known.startsWith(origin) && stem(known) === origin) fits.set(known, 0.6);
      else if (HANGUL.test(word) && word.length > 1 && known.includes(word)) fits.set(known, 0.5);
    }
    return fits;
  }

  // Typed letter by letter, a query asks the same again and again.
  function meant(word, open) {
    const key = `${open} ${word}`;
    if (!heard.has(key)) heard.set(key, guess(word, open));
    return heard.get(key);
  }

  // If there are none: the British spelling, the words that are spelt nearly so, in Korean a word without its ending.
  function guess(word, open) {
    let fits = like(word, open || !index.places.has(word));
    if (!fits.size && /[iy]z/.test(word)) fits = like(stem(word.replace(/([iy])z/, "$1s")), true);
    if (!fits.size && HANGUL.test(word) && word.length > 2) fits = meant(word.slice(0, -1), open);
    else if (!fits.size && word.length > 3) {
      const most = word.length > 6 ? 2 : 1;
      const near = [...index.places.keys()]
        .filter((one) => one[0] === word[0] || (one[0] === word[1] && one[1] === word[0]))
        .map((known) => [known, distance(word, known)]);
      const least = Math.min(...near.map(([, steps]) => steps));
      if (least <= most) fits = new Map(near.filter(([, steps]) => steps === least).map(([known]) => [known, 0.5]));
    }
    return fits;
  }

  // The score of each section for one word of a query.
  function scores(fits) {
    const best = new Map();
    for (const [known, fit] of fits) {
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

  // What a query asks for: each of its words with what it may mean, and other names of what it names, in one word each.
  function understand(text) {
    const query = parted(text);
    const whole = query.flat().join("");
    const words = query.flatMap((parts) =>
      parts.length > 1 && index.places.has(parts.join("")) ? parts.join("") : parts,
    );
    const done = ABBREVIATION.test(text) && index.places.has(words.at(-1));
    const asked = words.map((word, i) => ({ word, fits: meant(word, !done && i === words.length - 1) }));
    const named = (group) =>
      group.some(
        (name) =>
          name === whole || (name.length > 4 && whole.includes(name)) || (whole.length > 4 && name.startsWith(whole)),
      );
    const also = new Set(index.groups.filter(named).flat());
    also.delete(whole); // its words are asked for themselves
    return { whole, asked, also };
  }

  // Sections, the best first: what holds little of the query counts for little. A word counts as much as it is rare.
  function find(text) {
    const { whole, asked } = understand(text);
    const known = asked.filter(({ fits }) => fits.size).map(({ fits }) => scores(fits));
    const worth = known.map((places) => Math.log(1 + index.sections.length / places.size));
    const every = worth.reduce((sum, one) => sum + one, 0);
    const total = new Map();
    known.forEach((places, i) => {
      for (const [place, score] of places) {
        const [sum, held] = total.get(place) ?? [0, 0];
        total.set(place, [sum + score, held + worth[i] / every]);
      }
    });
    index.sections.forEach(([, , , ...names], place) => {
      if (whole && names.includes(whole)) total.set(place, [Math.max(50, total.get(place)?.[0] ?? 0), 1]);
    });
    const kinds = /[_(]/.test(text) ? [LIBRARY, ...KINDS] : KINDS;
    const rank = ([place, [sum, held]]) => {
      const [page, , , ...names] = index.sections[place];
      const [, kind, called] = kinds.find(([pattern]) => pattern.test(index.pages[page][0]));
      return [place, sum * held ** 3 * kind * (names.includes(whole) ? called : 1), held];
    };
    const most = Math.max(...[...total.values()].map(([, held]) => held));
    return [...total]
      .filter(([, [, held]]) => held > 0.5 * most)
      .map(rank)
      .toSorted((a, b) => b[1] - a[1])
      .map(([place]) => place);
  }

  // Where a text holds one of these words; a word may be written in several, as "u-net" and "u net" are "unet".
  function spots(text, wanted) {
    const parts = [...text.replaceAll("×", "x").matchAll(PART)].map(({ 0: found, index: start }) => ({
      start,
      end: start + found.length,
      word: singular(normal(found)),
    }));
    const found = [];
    for (let i = 0; i < parts.length; i++)
      for (let j = Math.min(parts.length, i + 5) - 1, last = i; j >= last; j--) {
        const word = parts.slice(i, j + 1).reduce((all, one) => all + one.word, "");
        if (!wanted.has(word)) continue;
        const within = parts.slice(i, j + 1).map((part) => part.word);
        found.push({
          start: parts[i].start,
          end: parts[j].end,
          words: [word, ...within].filter((one) => wanted.has(one)),
        });
        i = j;
        break;
      }
    return found;
  }

  // The sentence of a text that holds most of what was asked, each word once, shortened around it; and its spots.
  function excerpt(text, query) {
    const worth = new Map([...query.also].map((name) => [name, { counts: 2, as: name }]));
    query.asked.forEach(({ fits }, i) => fits.forEach((fit, known) => worth.set(known, { counts: fit, as: i })));
    const holds = (spoken) => {
      const best = {};
      for (const { counts, as } of spoken.flatMap(({ words }) => words.map((word) => worth.get(word))))
        best[as] = Math.max(best[as] ?? 0, counts);
      return Object.values(best).reduce((sum, one) => sum + one, 0);
    };
    const found = text.split("\n").flatMap((line, i) =>
      (line.match(/\S.*?(?:[.?!…]["”’)]*(?=\s+[\p{Lu}\p{Lo}“(]|$)|$)/gu) ?? []).map((words) => {
        const held = holds(spots(words, worth)) * (/[.?!…:]["”’)]*$/.test(words) ? 1 : 0.6);
        return { words, line: i, held };
      }),
    );
    if (!found.length) return { text: "", spoken: [] };
    const best = Math.max(...found.map(({ held }) => held));
    let from = found.findIndex(({ held }) => held === best);
    let to = from;
    const { line } = found[from];
    const room = (one) =>
      one && found.slice(from, to + 1).reduce((sum, { words }) => sum + words.length, one.words.length) < SHOWN;
    while (room(found[to + 1])) to++;
    while (found[from - 1]?.line === line && room(found[from - 1])) from--;
    const shown = found
      .slice(from, to + 1)
      .map(({ words }) => words)
      .join(" ");
    return shorten(shown, spots(shown, worth));
  }

  // A text of some length around its first spot, from word to word.
  function shorten(text, spoken) {
    if (text.length <= SHOWN) return { text, spoken };
    const first = Math.max(0, Math.min((spoken[0]?.start ?? 0) - SHOWN / 3, text.length - SHOWN));
    const from = first && text.indexOf(" ", first) + 1;
    const to = from + SHOWN >= text.length ? text.length : text.lastIndexOf(" ", from + SHOWN);
    const [before, after] = [from ? "… " : "", to < text.length ? " …" : ""];
    const inside = spoken.filter(({ start, end }) => start >= from && end <= to);
    const moved = inside.map((spot) => ({ ...spot, start: spot.start - from + before.length }));
    return {
      text: before + text.slice(from, to) + after,
      spoken: moved.map((spot, i) => ({ ...spot, end: spot.start + inside[i].end - inside[i].start })),
    };
  }

  const make = (tag, attributes, ...children) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  };
  const fetched = (name) =>
    new Promise((done) => {
      const script = make("script", { src: `${root}_static/${name}.js`, onload: done, onerror: done });
      document.head.append(script);
    });

  // A text in pieces: what is Korean says so, and the spots are marked.
  const speak = (text) =>
    text.split(/([가-힣]+(?:[ /·]+[가-힣]+)*)/).map((part, i) => (i % 2 ? make("span", { lang: "ko" }, part) : part));
  function* mark(text, spoken) {
    let from = 0;
    for (const { start, end } of spoken) {
      yield* speak(text.slice(from, start));
      yield make("mark", {}, ...speak(text.slice(start, end)));
      from = end;
    }
    yield* speak(text.slice(from));
  }

  // A result: its title, its page and, once the page's texts are there, a sentence of it.
  function hit(place, query) {
    const [page, anchor, title] = index.sections[place];
    const [address, name] = index.pages[page];
    const wanted = new Set([...query.asked.flatMap(({ fits }) => [...fits.keys()]), ...query.also]);
    const link = make("a", {}, ...mark(title, spots(title, wanted)));
    const leads = (text) => {
      const held = new Set(spots(text, wanted).flatMap(({ words }) => words));
      const own = query.asked.flatMap(({ word, fits }) =>
        held.has(word) ? word : [...fits.keys()].filter((one) => held.has(one)),
      );
      const words = own.length < query.asked.length ? [...held] : own;
      link.href = `${root}${address}.html?find=${encodeURIComponent(words.join(" ").slice(0, LONGEST))}#${anchor}`;
    };
    const quote = make("p", {});
    const say = () => {
      const text = texts.get(page)[index.sections.slice(0, place).filter(([other]) => other === page).length];
      const shown = excerpt(text, query);
      quote.replaceChildren(...mark(shown.text, shown.spoken));
      leads(`${title} ${text}`);
    };
    leads(title);
    if (texts.has(page)) say();
    else void fetched(`search/${address.replaceAll("/", "-")}`).then(() => texts.has(page) && say());
    const around = title === name ? [] : [make("small", {}, name.split(": ")[0])]; // a page's own section is called as the page
    return make("li", {}, link, ...around, quote);
  }

  // What was understood where it is not what was typed; and where nothing is found, terms of the glossary like it.
  function reply(query, hits, limit, offered) {
    const guessed = query.asked.filter(
      ({ word, fits }) => fits.size && ![...fits.keys()].some((known) => known.startsWith(word.slice(0, -1))),
    );
    const quoted = ([...words]) =>
      words
        .slice(0, 3)
        .map((word) => `“${word}”`)
        .join(", ");
    const instead = guessed
      .map(({ word, fits }) => `“${word}” stands nowhere; this is for ${quoted(fits.keys())}. `)
      .join("");
    const missing = query.asked.filter(({ fits }) => !fits.size).map(({ word }) => word);
    const without = missing.length && hits.length ? `${quoted(missing)} stands nowhere. ` : "";
    const shown = hits.length > limit ? `, the best ${limit} here` : "";
    if (hits.length) return `${instead}${without}${hits.length} ${hits.length > 1 ? "places" : "place"}${shown}`;
    const offer = offered.length ? " Terms of the glossary that are written alike:" : "";
    return query.asked.length ? `Nothing found.${offer}` : "";
  }

  function alike(whole) {
    const pairs = (word) => new Set(Array.from(word, (letter, i) => word.slice(i, i + 2)));
    const asked = pairs(whole);
    const share = (name) => {
      const own = pairs(name);
      return (2 * [...asked].filter((pair) => own.has(pair)).length) / (asked.size + own.size);
    };
    return index.sections
      .map(([page, , , ...names], place) => [
        place,
        index.pages[page][0].endsWith("glossary") ? Math.max(...names.map(share)) : 0,
      ])
      .filter(([, likeness]) => likeness > ALIKE)
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, 3)
      .map(([place]) => place);
  }

  function attach(field) {
    const here = field.form.className === "pw-search";
    const box = here
      ? document.getElementById("search-results")
      : field.form.appendChild(make("div", { className: "pw-hits" }));
    const status = box.appendChild(make("p", { role: "status" })); // always there, so that what it says is spoken
    const list = box.appendChild(make("ol", {}));
    const limit = here ? 20 : 6;
    const shut = () => {
      if (!here) status.textContent = list.textContent = "";
    };
    const answer = () => {
      if (!index) return;
      const query = understand(field.value);
      const hits = query.asked.length ? find(field.value) : [];
      const shown = hits.length || !query.asked.length ? hits.slice(0, limit) : alike(query.whole);
      const keys = here || !hits.length ? "" : "; ↓ leads to them, Enter to all";
      status.textContent = reply(query, hits, limit, shown) + keys;
      list.replaceChildren(...shown.map((place) => hit(place, query)));
    };
    const ready = () => (loading ??= fetched("search-index")).then(answer);
    let left = false; // a result for the field, which then stays without them until something is typed
    field.addEventListener("focus", () => (left ? (left = false) : ready()));
    field.addEventListener("input", answer);
    for (const event of ["focusin", "click"])
      document.addEventListener(event, ({ target }) => {
        if (!field.form.contains(target)) shut();
      });
    (here ? field.form.parentElement : field.form).addEventListener("keydown", (event) => {
      const stops = [field, ...list.querySelectorAll("a")];
      const to = stops[stops.indexOf(document.activeElement) + { ArrowDown: 1, ArrowUp: -1 }[event.key]];
      if (to) {
        to.focus();
        event.preventDefault();
      } else if (event.key === "Escape") {
        left = document.activeElement !== field;
        field.focus();
        shut();
      }
    });
    if (!here) {
      if (document.activeElement === field) void ready(); // the focus has brought this script
      return;
    }
    field.value = given("q");
    if (field.value) void ready();
    else field.focus();
  }

  // Where a result has led: mark the words in that section, and have in sight the passage that holds most of them.
  function arrive() {
    const wanted = new Set(parted(given("find")).map((parts) => parts.join("")));
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!wanted.size || !target || !CSS.highlights) return;
    const walker = document.createTreeWalker(target.closest("dl.py") ?? target, NodeFilter.SHOW_TEXT);
    const [ranges, passages] = [[], new Map()];
    while (walker.nextNode()) {
      const text = walker.currentNode;
      if (text.parentElement.closest(UNSAID)) continue;
      for (const { start, end, words } of spots(text.data, wanted)) {
        const range = new Range();
        range.setStart(text, start);
        range.setEnd(text, end);
        ranges.push(range);
        const passage = text.parentElement.closest("p, li, dd, dt, tr, figcaption, :is(h1, h2, h3, h4)");
        passages.set(passage, (passages.get(passage) ?? new Set()).add(words[0]));
      }
    }
    CSS.highlights.set("pw-found", new Highlight(...ranges));
    const open = [...passages].filter(([passage]) => !passage?.closest("details:not([open]), pw-withheld[hidden]"));
    const seen = open.length ? open : [...passages];
    const most = Math.max(...seen.map(([, words]) => words.size));
    const [best] = seen.find(([, words]) => words.size === most) ?? [];
    for (let box = best?.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    best?.closest("pw-withheld")?.show(true);
    if (best?.getBoundingClientRect().bottom > innerHeight) best.scrollIntoView({ block: "center" });
  }

  const begin = () => document.querySelectorAll("[role=search] input").forEach(attach);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
  if (document.readyState === "complete") arrive();
  else addEventListener("load", arrive);
  return { load, find, know: (page, sections) => texts.set(page, sections), understand, excerpt };
})();
