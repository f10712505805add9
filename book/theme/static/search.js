// Sphinx's search takes any query: this stands between its functions and its index, on the search page alone.
(() => {
  "use strict";
  const LONGEST = 200; // letters of a query; stemming takes the longer, the more than proportionally
  const { htmlToText, query, setIndex } = Search;

  Search.query = (words) => query(words.slice(0, LONGEST));

  // Tables of the book's words only: in a plain object "constructor" is found although no page holds it. Sphinx calls
  // the one function that stays; its name has a capital letter, and queries have none.
  const known = Object.assign(Object.create(null), { hasOwnProperty: Object.prototype.hasOwnProperty });
  const table = (words) => Object.assign(Object.create(known), words);
  Search.setIndex = (index) => setIndex({ ...index, terms: table(index.terms), titleterms: table(index.titleterms) });

  // An excerpt in the results is what the page shows: not formulas' source, notes, and what surrounds the text.
  Search.htmlToText = (source, anchor) => {
    const page = new DOMParser().parseFromString(source, "text/html");
    for (const hidden of page.querySelectorAll("annotation, [role=tooltip], .pw-facts, .pw-stamp")) hidden.remove();
    return htmlToText(page.documentElement.outerHTML, anchor);
  };
})();
