// How far the readings of the list are, at what rate, and a button that stops them or goes on.

import { h } from "../controls.js";

const SPAN = 30_000; // ms over which the rate is taken, for the first case also loads the model

/** What is left, in words; rate: cases a second, null while it is not known. */
export function left(done, total, rate) {
  const counted = `Read ${done.toLocaleString("en")} of ${total.toLocaleString("en")} cases`;
  return !rate || done >= total ? counted : `${counted}, about ${time((total - done) / rate)} left`;
}

function time(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Cases a second, from [ms, cases done] in their order; null while it is not known. */
export function rateOf(marks) {
  const [[from, first], [to, last]] = [marks[0] ?? [0, 0], marks.at(-1) ?? [0, 0]];
  return to > from && last > first ? (1000 * (last - first)) / (to - from) : null;
}

export class Progress {
  /** @param {{start: () => void, stop: () => void}} page */
  constructor(page) {
    Object.assign(this, { page, marks: [] });
    this.text = h("span");
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Cases that were read" });
    this.button = h("button", { type: "button", click: () => (this.running ? page.stop() : page.start()) });
    this.element = h("div", { class: "reading" }, this.bar, this.text, this.button);
  }

  /** @param {{done: number, total: number, running: boolean}} state @param {number} now ms */
  update({ done, total, running }, now = performance.now()) {
    this.running = running;
    this.marks = running ? [...this.marks.filter(([at]) => now - at < SPAN), [now, done]] : [];
    this.bar.value = total ? done / total : 1;
    this.text.textContent = left(done, total, rateOf(this.marks));
    this.button.textContent = running ? "Stop" : "Read the rest";
    this.element.hidden = !total || (!running && done >= total);
  }
}
