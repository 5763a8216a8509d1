// How far the readings of the list are, at what rate, and a button that stops them or goes on.

import { h } from "../controls.js";

/** What is left, in words; rate in cases a second, null while it is not known. */
export function left(done, total, rate) {
  const counted = `Read ${done.toLocaleString("en")} of ${total.toLocaleString("en")} cases`;
  if (!rate || done >= total) return counted;
  const seconds = (total - done) / rate;
  const time = seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
  return `${counted}, ${rate.toFixed(rate < 10 ? 1 : 0)} a second, about ${time} left`;
}

export class Progress {
  /** @param {{start: () => void, stop: () => void}} page */
  constructor(page) {
    this.page = page;
    this.text = h("span", { role: "status" });
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Cases that were read" });
    this.button = h("button", { type: "button", click: () => (this.running ? page.stop() : page.start()) });
    this.element = h("div", { class: "reading" }, this.bar, this.text, this.button);
  }

  update({ done, total, running }, now = performance.now()) {
    if (running && !this.running) this.from = { done, now };
    this.running = running;
    const seconds = running ? (now - this.from.now) / 1000 : 0;
    const rate = seconds > 0 ? (done - this.from.done) / seconds : null;
    this.bar.value = total ? done / total : 1;
    this.text.textContent = left(done, total, rate);
    this.button.textContent = running ? "Stop" : "Read the rest";
    this.button.hidden = !running && done >= total;
    this.element.hidden = !total || (!running && done >= total);
  }
}
