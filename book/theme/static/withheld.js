// Withholds what a chapter says below a question until the reader commits to a guess, or reads on without one. It runs
// before the text is read, so that nothing shows first and then goes.
(() => {
  "use strict";
  const storage = (act) => {
    try {
      return act(localStorage);
    } catch {
      // It is forbidden: what is opened stays open as long as the page
      return null;
    }
  };
  const kept = (key) => Boolean(storage((all) => all.getItem(key)));

  class Withheld extends HTMLElement {
    connectedCallback() {
      this.asked = this.dataset.of.split(" ");
      this.guessed = new Set(this.asked.filter((key) => kept(`question-${key}`)));
      this.place = `read-on-${this.asked.at(-1)}`;
      this.tabIndex = -1;
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: "Read on without answering" });
      button.addEventListener("click", () => this.readOn());
      this.note = document.createElement("div");
      this.note.className = "pw-hold";
      const guesses = this.asked.length > 1 ? "guesses" : "guess";
      this.note.append(`What was found waits for your ${guesses}. `, button);
      this.before(this.note);
      this.show(kept(this.place));
      this.addEventListener("beforematch", () => this.show(true));
      addEventListener("pw-guess", ({ detail }) => this.hear(detail));
      addEventListener("storage", ({ key, newValue }) => {
        const name = key?.replace(/^question-/, "");
        if (newValue) this.hear({ key: name, guess: newValue }); // answered in another tab; what is read here stays
      });
    }

    // Show it, or withhold it unless all its questions have a guess.
    show(opened) {
      const shown = opened || this.guessed.size === this.asked.length;
      this.note.hidden = shown;
      if (shown) this.removeAttribute("hidden");
      else this.setAttribute("hidden", "until-found"); // a search in the page finds it, nothing reads it out
      this.dispatchEvent(new Event("toggle"));
    }

    readOn() {
      storage((all) => all.setItem(this.place, "true"));
      this.show(true);
      this.focus({ preventScroll: true }); // the button that had it is gone
    }

    hear({ key, guess }) {
      if (!this.asked.includes(key) || Boolean(guess) === this.guessed.has(key)) return;
      if (guess) this.guessed.add(key);
      else {
        this.guessed.delete(key);
        storage((all) => all.removeItem(this.place));
      }
      this.show(Boolean(guess) && !this.hasAttribute("hidden"));
    }
  }
  customElements.define("pw-withheld", Withheld);

  // A link to a place in it opens it, where the browser does not do so by itself.
  const follow = () => {
    const target = document.getElementById(location.hash.slice(1));
    const closed = target?.closest("pw-withheld[hidden]");
    closed?.show(true);
    if (closed) target.scrollIntoView();
  };
  addEventListener("DOMContentLoaded", follow);
  addEventListener("hashchange", follow);
})();
