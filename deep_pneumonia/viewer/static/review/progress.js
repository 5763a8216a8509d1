// How many cases of the list are predicted, at what rate, and a button that stops the model or lets
// it go on.

import { h } from "../dom.js";
import { grouped } from "../format.js";

const RATE_SPAN = 30_000; // milliseconds over which the rate is taken: the first case also loads the model

/** @typedef {[time: number, done: number]} Mark time in milliseconds */

/**
 * What is left, in words.
 * @param {number} done @param {number} total @param {number | null} rate cases a second; null: unknown
 */
export function left(done, total, rate) {
  const counted = `Predicted ${grouped(done)} of ${grouped(total)} cases`;
  return !rate || done >= total ? counted : `${counted}, about ${duration((total - done) / rate)} left`;
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Cases a second, or null if that is unknown. @param {Mark[]} marks in their order */
export function rateOf(marks) {
  const [from, first] = marks[0] ?? [0, 0];
  const [to, last] = marks[marks.length - 1] ?? [0, 0];
  return to > from && last > first ? (1000 * (last - first)) / (to - from) : null;
}

export class Progress {
  #running = false;
  /** @type {Mark[]} */
  #marks = [];

  /** @param {{start: () => void, stop: () => void}} page */
  constructor(page) {
    this.text = h("span");
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Cases that are predicted" });
    this.button = h("button", { type: "button", click: () => (this.#running ? page.stop() : page.start()) });
    this.element = h("div", { class: "predicting" }, this.bar, this.text, this.button);
  }

  /**
   * @param {{done: number, total: number, running: boolean}} state @param {number} now milliseconds
   */
  update({ done, total, running }, now = performance.now()) {
    this.#running = running;
    this.#marks = running ? [...this.#marks.filter(([at]) => now - at < RATE_SPAN), [now, done]] : [];
    this.bar.value = total ? done / total : 1;
    this.text.textContent = left(done, total, rateOf(this.#marks));
    this.button.textContent = running ? "Stop" : "Predict the rest";
    this.element.hidden = !total || (!running && done >= total);
  }
}
