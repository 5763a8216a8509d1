// The question beside a case: a mark or nothing to mark, the class, and how sure the learner is.

import { h } from "../dom.js";
import { percent } from "../format.js";
import { confidences } from "./quiz-score.js";

/**
 * What is asked, and what is said while it is missing.
 * @type {[name: "mark" | "answer" | "confidence", words: string][]}
 */
const PARTS = [
  ["mark", "draw where the lesion is, or say that there is nothing to draw"], ["answer", "choose a class"],
  ["confidence", "say how sure you are"],
];

export class Question {
  /**
   * @param {string[]} answers @param {() => boolean} isDrawn whether there is a mark @param {() => void} reveal
   */
  constructor(answers, isDrawn, reveal) {
    this.isDrawn = isDrawn;
    this.nothing = h("input", { type: "checkbox" });
    this.hint = h("p", { class: "quiz-hint", role: "status" });
    this.button = h("button", { type: "submit", class: "quiz-main" }, "Reveal");
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      reveal();
    };
    this.element = h("form", { submit },
      h("p", { class: "quiz-step" }, "Draw on the radiograph where the lesion is, or:"),
      h("label", { class: "quiz-choice quiz-nothing" }, this.nothing, h("span", {}, "There is nothing to draw")),
      choices("What is it?", "answer", answers.map((value) => ({ value, text: value, note: "" }))),
      choices("How sure are you of that?", "confidence", confidences(answers.length).map((value, k) => (
        { value: String(value), text: percent(value), note: k === 0 ? "a guess" : value === 1 ? "certain" : "" }
      ))),
      this.hint, this.button,
    );
    this.marked();
  }

  /** The mark came or went; with a mark, "nothing to draw" cannot be chosen. */
  marked() {
    this.nothing.disabled = this.isDrawn();
    if (this.nothing.disabled) this.nothing.checked = false;
  }

  /**
   * The answer, or null with a hint of what is missing.
   * @returns {{answer: string, confidence: number} | null}
   */
  given() {
    const mark = this.isDrawn() || this.nothing.checked ? "mark" : "";
    const answer = this.#chosen("answer");
    const confidence = this.#chosen("confidence");
    const given = { mark, answer, confidence };
    const missing = PARTS.filter(([name]) => !given[name]).map(([, words]) => words);
    this.hint.textContent = missing.length ? `Still to do: ${missing.join("; ")}.` : "";
    return missing.length ? null : { answer, confidence: Number(confidence) };
  }

  /** @param {string} name @returns {string} "": nothing is chosen */
  #chosen(name) {
    const input = this.element.querySelector(`input[name="quiz-${name}"]:checked`);
    return input instanceof HTMLInputElement ? input.value : "";
  }

  /**
   * Disable the form while the model predicts; afterwards a problem may be shown.
   * @param {boolean} busy @param {string} problem
   */
  busy(busy, problem = "") {
    for (const input of this.element.querySelectorAll("input, button")) input.toggleAttribute("disabled", busy);
    this.button.textContent = busy ? "Predicting\u2026" : "Reveal";
    this.hint.textContent = problem;
    if (!busy) this.marked();
  }
}

/**
 * @param {string} legend @param {string} name @param {{value: string, text: string, note: string}[]} options
 */
function choices(legend, name, options) {
  const labels = options.map(({ value, text, note }) => h("label", { class: "quiz-choice" },
    h("input", { type: "radio", name: `quiz-${name}`, value }),
    h("span", {}, text, note && h("small", {}, ` ${note}`))));
  return h("fieldset", {}, h("legend", {}, legend), h("div", { class: `quiz-choices quiz-${name}` }, ...labels));
}
