// What a temperature makes of probabilities, as deep_pneumonia/prediction/predictor.py computes them.

import { h } from "../controls.js";
import { switcher } from "./choices.js";

/**
 * Probabilities at another temperature: softmax(logits / T) is p^(fitted / T), scaled to sum to 1.
 * @param {number[]} probabilities at the `fitted` temperature @returns {number[]}
 */
export function tempered(probabilities, fitted, temperature) {
  const logs = probabilities.map((p) => (Math.log(p) * fitted) / temperature);
  const top = Math.max(...logs);
  const parts = logs.map((log) => Math.exp(log - top));
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / sum);
}

/** @param {{choices: {name: string, html: string, probabilities: Record<string, number>}[], temperature: number}} data */
export function calibration({ choices, temperature }, { scene }) {
  const names = Object.keys(choices[0].probabilities);
  const state = { place: 0, temperature };
  const rows = names.map(row);
  const said = h("div", { class: "teach-said", "aria-live": "polite" });
  const output = h("output");
  const text = () => `${state.temperature.toFixed(2)}${state.temperature === temperature ? ", as fitted" : ""}`;
  const draw = () => {
    const now = tempered(names.map((name) => choices[state.place].probabilities[name]), temperature, state.temperature);
    rows.forEach(({ set }, i) => set(now[i]));
    output.textContent = text();
    input.setAttribute("aria-valuetext", text());
  };
  // In steps of a twentieth, one of which is the fitted temperature itself.
  const input = h("input", {
    type: "range", min: -20, max: 40, step: 1, value: 0, "aria-label": "Temperature", input: () => {
      state.temperature = Number(input.value) ? Math.max(0.1, temperature + Number(input.value) / 20) : temperature;
      draw();
    },
  });
  const pick = (place) => {
    state.place = place;
    said.innerHTML = choices[place].html; // ours, and escaped by the server
    draw();
  };
  pick(0);
  const buttons = switcher("Picture on the stage", choices.map(({ name }) => name), (place) => {
    pick(place);
    scene(place);
  });
  return h("div", { class: "teach-widget" }, buttons, said, h("table", { class: "teach-balance" }, ...rows.map(({ element }) => element)),
    h("label", { class: "teach-slider" }, h("span", {}, "Temperature"), input, output),
    h("p", { class: "hint" }, "Lower is surer, higher less sure. The order of the classes stays: no temperature makes a wrong answer right."));
}

function row(name) {
  const bar = h("i", { class: "teach-bar" });
  const number = h("span");
  const element = h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, bar, number));
  const set = (share) => {
    number.textContent = `${(100 * share).toFixed(0)}%`;
    bar.style.setProperty("--share", `${100 * share}%`);
  };
  return { element, set };
}
