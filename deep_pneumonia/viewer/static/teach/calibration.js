// The effect of a temperature on probabilities, as deep_pneumonia/prediction/predictor.py computes
// it.

import { h, labelledSlider } from "../dom.js";
import { percent, sum } from "../format.js";
import { barRow, switcher } from "./widgets.js";

/** @import { CalibrationData, WidgetTools } from "./types.js" */

const HINT = "A lower temperature makes the model more certain, a higher one less. The order of the classes stays: no "
  + "temperature makes a wrong answer right.";
const STEPS = 20; // of the slider, in a temperature of 1

/**
 * Probabilities at another temperature: softmax(logits / T) is p^(fitted / T), scaled to sum to 1.
 * @param {number[]} probabilities at the `fitted` temperature @param {number} fitted @param {number} temperature
 */
export function tempered(probabilities, fitted, temperature) {
  const logs = probabilities.map((p) => (Math.log(p) * fitted) / temperature);
  const top = Math.max(...logs);
  const parts = logs.map((log) => Math.exp(log - top));
  const total = sum(parts);
  return parts.map((part) => part / total);
}

/** @param {CalibrationData} data temperature: as fitted @param {WidgetTools} tools */
export function calibration({ choices, temperature: fitted }, { scene }) {
  const names = Object.keys(choices[0].probabilities);
  const chosen = { place: 0, temperature: fitted };
  const rows = names.map((name) => barRow(name));
  const words = h("div", { class: "teach-said", "aria-live": "polite" });
  const draw = () => {
    const { probabilities } = choices[chosen.place];
    const now = tempered(names.map((name) => probabilities[name]), fitted, chosen.temperature);
    rows.forEach(({ set }, i) => set(now[i], percent(now[i])));
  };
  const choose = (/** @type {number} */ place) => {
    chosen.place = place;
    words.innerHTML = choices[place].html; // escaped by the server
    draw();
  };
  // The fitted temperature itself is one of the slider's places.
  const slider = labelledSlider("Temperature", { min: -STEPS, max: 2 * STEPS, value: 0 }, {
    text: () => `${chosen.temperature.toFixed(2)}${chosen.temperature === fitted ? ", as fitted" : ""}`,
    write: (place) => {
      chosen.temperature = place ? Math.max(0.1, fitted + place / STEPS) : fitted;
      draw();
    },
  });
  choose(0);
  const buttons = switcher("Picture on the stage", choices.map(({ name }) => name), (place) => {
    choose(place);
    scene(place);
  });
  return h("div", { class: "teach-widget" }, buttons, words,
    h("table", { class: "teach-balance" }, ...rows.map(({ element }) => element)), slider.element,
    h("p", { class: "hint" }, HINT));
}
