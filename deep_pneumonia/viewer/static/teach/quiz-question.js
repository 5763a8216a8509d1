// The question beside a case: something to draw or nothing, the class, and how sure the learner is.

import { h } from "../controls.js";
import { confidences } from "./quiz-score.js";

const MISSING = {
  mark: "draw where the lesion is, or say that there is nothing to draw", answer: "choose a class", confidence: "say how sure you are",
};

export class Question {
  /** @param {string[]} answers @param {() => boolean} isDrawn whether there is a mark @param {() => void} reveal */
  constructor(answers, isDrawn, reveal) {
    this.isDrawn = isDrawn;
    this.nothing = h("input", { type: "checkbox" });
    this.hint = h("p", { class: "quiz-hint", role: "status" });
    this.button = h("button", { type: "submit", class: "quiz-main" }, "Reveal");
    this.element = h("form", { submit: (event) => (event.preventDefault(), reveal()) },
      h("p", { class: "quiz-step" }, "Draw on the radiograph where the lesion is, or:"),
      h("label", { class: "quiz-choice quiz-nothing" }, this.nothing, h("span", {}, "There is nothing to draw")),
      choices("What is it?", "answer", answers.map((name) => [name, name])),
      choices("How sure are you of that?", "confidence", confidences(answers.length).map((value, k, all) =>
        [value, `${Math.round(100 * value)}%`, k === 0 ? "a guess" : k === all.length - 1 ? "certain" : ""])),
      this.hint, this.button,
    );
    this.marked();
  }

  /** A stroke came or went: who has drawn something does not see nothing. */
  marked() {
    this.nothing.disabled = this.isDrawn();
    if (this.nothing.disabled) this.nothing.checked = false;
  }

  /** {answer, confidence, nothing}, or null with a hint of what is still to do. */
  given() {
    const chosen = (name) => this.element.querySelector(`input[name="quiz-${name}"]:checked`)?.value ?? null;
    const [answer, confidence] = [chosen("answer"), chosen("confidence")];
    const missing = Object.entries({ mark: this.isDrawn() || this.nothing.checked, answer, confidence })
      .filter(([, there]) => !there).map(([name]) => MISSING[name]);
    this.hint.textContent = missing.length ? `Still to do: ${missing.join("; ")}.` : "";
    return missing.length ? null : { answer, confidence: Number(confidence) };
  }

  /** While the server looks, and after it could not. */
  busy(busy, problem = "") {
    for (const input of this.element.querySelectorAll("input, button")) input.disabled = busy;
    this.button.textContent = busy ? "Reading\u2026" : "Reveal";
    this.hint.textContent = problem;
    if (!busy) this.marked();
  }
}

function choices(legend, name, options) {
  return h("fieldset", {}, h("legend", {}, legend), h("div", { class: `quiz-choices quiz-${name}` },
    ...options.map(([value, text, note = ""]) => h("label", { class: "quiz-choice" },
      h("input", { type: "radio", name: `quiz-${name}`, value }), h("span", {}, text, note && h("small", {}, ` ${note}`))))));
}
