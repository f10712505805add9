// Exercises that a page can check. What is right, and the hints, come from the library's checkers, which the build
// compiles into a file for each page; that file adds them to `Exercises.all`.
globalThis.Exercises = (() => {
  "use strict";
  const NUMBER = "A number is wanted here, with a point before its decimals, such as 0.25, 1/4 or 3 * 2**10.";
  const all = {};
  const right = (message) => ({ correct: true, message });
  const wrong = (message) => ({ correct: false, message });

  // What the compiled checkers call.
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const tools = {
    right,
    wrong,
    same,
    within: (one, many) => many.some((other) => same(one, other)),
    count: (list) => list.length,
    total: (list) => list.reduce((a, b) => a + b),
    least: (list) => Math.min(...list),
    sorted: (list) => list.toSorted((a, b) => a - b),
    unique: (list) => [...new Set(list)],
    modulo: (a, b) => (a % b && a % b < 0 !== b < 0 ? (a % b) + b : a % b),
    close: (a, b, relative = 1e-9, absolute = 0) =>
      Math.abs(a - b) <= Math.max(relative * Math.max(Math.abs(a), Math.abs(b)), absolute),
  };

  // A number or arithmetic, as Python reads it, and as people write it; NaN for anything else.
  function calculate(text) {
    const plain = text
      .replace(/(?<![\d.,])[1-9]\d{0,2}(,\d{3})+(?![\d,])/g, (number) => number.replaceAll(",", ""))
      .replace(/[−·×÷^]/g, (sign) => ({ "−": "-", "÷": "/", "^": "**" })[sign] ?? "*");
    const signs = plain.match(/\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|\*\*|\S/gi) ?? [];
    const next = (...wanted) => wanted.includes(signs[0]) && signs.shift();
    const sum = () => {
      let value = product();
      for (let sign; (sign = next("+", "-"));) value += sign === "+" ? product() : -product();
      return value;
    };
    const product = () => {
      let value = signed();
      for (let sign; (sign = next("*", "/"));) value = sign === "*" ? value * signed() : value / signed();
      return value;
    };
    const signed = () => (next("-") ? -signed() : next("+") ? signed() : power());
    const power = () => {
      let value = next("(") ? bracket() : Number(signs.shift() ?? NaN);
      if (next("%")) value /= 100;
      return next("**") ? value ** signed() : value;
    };
    const bracket = () => {
      const value = sum();
      return next(")") ? value : NaN;
    };
    const value = sum();
    return signs.length ? NaN : value;
  }

  // Text as the value that the exercise asks for, or undefined.
  function read({ kind }, text) {
    if (kind === "choice") return text;
    if (kind === "number") return calculate(text);
    const bare = text.replace(/^[([{]|[)\]}]$/g, "");
    return bare.split(/[,;]/.test(bare) ? /[,;]/ : /\s+/).map(calculate);
  }

  // The verdict on a value that was read.
  function judge(exercise, value) {
    const { kind, hint, many } = exercise;
    if (kind === "number" && !Number.isFinite(value)) return wrong(NUMBER);
    if (kind === "numbers" && !value.every(Number.isFinite)) return wrong(hint);
    if (many && (value.length !== many || !value.every(Number.isInteger))) return wrong(hint);
    return exercise.check(value);
  }

  // An element with attributes and what is in it.
  function make(tag, attributes, ...children) {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  }

  function field({ kind, options }, name, data) {
    if (kind !== "choice") {
      const input = make("input", { name, autocomplete: "off", spellcheck: false, maxLength: 200 });
      return make("label", {}, data.label, input);
    }
    const radios = options.map((value, i) =>
      make("label", {}, make("input", { type: "radio", name, value }), data[i] ?? value),
    );
    return make("fieldset", {}, make("legend", {}, data.label), ...radios);
  }

  // A form; the sentence that leads to the notebook is for pages without a script.
  function mount(host, place) {
    const exercise = all[host.dataset.exercise];
    const said = make("output", { id: `verdict-${place}` });
    const form = make("form", {}, field(exercise, `answer-${place}`, host.dataset), make("button", {}, "Check"), said);
    const inputs = [...form.querySelectorAll("input")];
    for (const input of inputs) input.setAttribute("aria-describedby", said.id);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = new FormData(form).get(`answer-${place}`)?.trim();
      const { correct, message } = text ? judge(exercise, read(exercise, text)) : wrong("There is no answer yet.");
      form.dataset.correct = correct;
      for (const input of inputs) input.setAttribute("aria-invalid", !correct);
      const sign = make("span", { ariaHidden: "true" }, correct ? "✓ " : "✗ ");
      said.replaceChildren(sign, make("b", {}, correct ? "Right. " : "Not yet. "), message);
    });
    host.replaceChildren(form);
    host.parentElement.querySelector(".pw-unscripted")?.remove();
  }

  addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-exercise]").forEach(mount));
  return { all, tools, read, judge };
})();
