// Class-balanced weights, as deep_pneumonia/training/losses.py computes them, and what they leave to a rare class.

import { h } from "../controls.js";

const FEWEST = 10;

/**
 * Weight of each class by its effective number of images (Cui et al. 2019): (1 - beta) / (1 - beta^n), normalised to
 * sum to the number of classes; a class without images gets 0.
 * @param {number[]} counts @param {number} beta in [0, 1) @returns {number[]}
 */
export function weights(counts, beta) {
  const raw = counts.map((n) => (n > 0 ? (1 - beta) / (1 - beta ** n) : 0));
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((w) => (w / sum) * counts.length);
}

/** Share of the loss that each class has while every image costs the same: its count times its weight. */
export function shares(counts, weighted) {
  const parts = counts.map((n, i) => n * weighted[i]);
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / sum);
}

/** @param {{counts: Record<string, number>, rare: string, betas: number[], beta: number}} data as in training at first */
export function balance({ counts, rare, betas, beta }) {
  const names = Object.keys(counts);
  const most = Math.max(...Object.values(counts));
  const state = { count: counts[rare], beta: betas.indexOf(beta) };
  const rows = names.map(row);
  const said = h("p", { class: "teach-fact", "aria-live": "polite" });
  const draw = () => {
    const now = names.map((name) => (name === rare ? state.count : counts[name]));
    const weighted = weights(now, betas[state.beta]);
    const [equal, share] = [shares(now, names.map(() => 1)), shares(now, weighted)];
    names.forEach((_, i) => rows[i].set(now[i], weighted[i], equal[i], share[i]));
    const at = names.indexOf(rare);
    said.textContent = `${rare}: ${percent(equal[at])} of the loss with equal weights, ${percent(share[at])} with these.`;
  };
  const setCount = (v) => (state.count = amount(v, most));
  const count = slider(`Images of ${rare}`, 0, 100, position(state.count, most), setCount, () => String(state.count), draw);
  const power = slider("β", 0, betas.length - 1, state.beta, (v) => (state.beta = v), () => String(betas[state.beta]), draw);
  draw();
  const head = h("tr", {}, ...["Class", "Images", "Weight", "Share of the loss"].map((text) => h("th", { scope: "col" }, text)));
  return h("div", { class: "teach-widget" }, count, power, h("table", { class: "teach-balance" }, head, ...rows.map(({ element }) => element)),
    h("p", { class: "hint" }, "Bar: with these weights; line in it: with equal weights; as long as every image costs the same."), said);
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;

/** A slider's place in 0 to 100 for a count from FEWEST to `most`, in equal ratios, and back. */
export function position(count, most) {
  return Math.round((100 * Math.log(count / FEWEST)) / Math.log(most / FEWEST));
}

export function amount(place, most) {
  return Math.round(FEWEST * (most / FEWEST) ** (place / 100));
}

function slider(name, min, max, value, write, text, draw) {
  const output = h("output", {}, text());
  const input = h("input", {
    type: "range", min, max, step: 1, value, "aria-label": name, "aria-valuetext": text(), input: () => {
      write(Number(input.value));
      output.textContent = text();
      input.setAttribute("aria-valuetext", text());
      draw();
    },
  });
  return h("label", { class: "teach-slider" }, h("span", {}, name), input, output);
}

function row(name) {
  const cells = [h("td"), h("td")];
  const bar = h("i", { class: "teach-bar" });
  const number = h("span");
  const element = h("tr", {}, h("th", { scope: "row" }, name), ...cells, h("td", {}, bar, number));
  const set = (count, weight, equal, share) => {
    [cells[0].textContent, cells[1].textContent, number.textContent] = [String(count), weight.toFixed(2), percent(share)];
    bar.style.setProperty("--share", percent(share));
    bar.style.setProperty("--equal", percent(equal));
  };
  return { element, set };
}
