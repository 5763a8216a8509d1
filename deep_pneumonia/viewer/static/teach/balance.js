// Class-balanced weights, as deep_pneumonia/training/losses.py computes them, and their effect on a
// rare class.

import { h, labelledSlider } from "../dom.js";
import { percent, sum } from "../format.js";
import { barRow } from "./widgets.js";

/** @import { BalanceData } from "./types.js" */

const FEWEST_IMAGES = 10;
const COLUMNS = ["Class", "Images", "Weight", "Share of the loss"];
const HINT = "Bar: with these weights. Line in the bar: with equal weights. Every image is taken to cost the same.";

/**
 * Weight of each class by its effective number of images (Cui et al. 2019): (1 - beta) / (1 -
 * beta^n), normalised to sum to the number of classes; a class without images gets 0.
 * @param {number[]} counts @param {number} beta in [0, 1)
 */
export function weights(counts, beta) {
  const raw = counts.map((n) => (n > 0 ? (1 - beta) / (1 - beta ** n) : 0));
  const total = sum(raw);
  return raw.map((weight) => (weight / total) * counts.length);
}

/**
 * Share of the loss that each class has if every image costs the same: its count times its weight.
 * @param {number[]} counts @param {number[]} weighted
 */
export function shares(counts, weighted) {
  const parts = counts.map((n, i) => n * weighted[i]);
  const total = sum(parts);
  return parts.map((part) => part / total);
}

/**
 * A slider's place in 0 to 100 for a count from FEWEST_IMAGES to `most`, in equal ratios.
 * @param {number} count @param {number} most
 */
export function position(count, most) {
  return Math.round((100 * Math.log(count / FEWEST_IMAGES)) / Math.log(most / FEWEST_IMAGES));
}

/** The count of a slider's place. @param {number} place @param {number} most */
export function amount(place, most) {
  return Math.round(FEWEST_IMAGES * (most / FEWEST_IMAGES) ** (place / 100));
}

/** @param {BalanceData} data */
export function balance({ counts, rare, betas, beta }) {
  const names = Object.keys(counts);
  const most = Math.max(...Object.values(counts));
  const chosen = { count: counts[rare], beta: betas.indexOf(beta) };
  const rows = names.map((name) => barRow(name, 2));
  const fact = h("p", { class: "teach-fact", "aria-live": "polite" });
  const draw = () => {
    const now = names.map((name) => (name === rare ? chosen.count : counts[name]));
    const weighted = weights(now, betas[chosen.beta]);
    const equal = shares(now, names.map(() => 1));
    const share = shares(now, weighted);
    rows.forEach(({ set }, i) => {
      const texts = [String(now[i]), weighted[i].toFixed(2)];
      set(share[i], percent(share[i], 1), texts, equal[i]);
    });
    const at = names.indexOf(rare);
    fact.textContent = `${rare}: ${percent(equal[at], 1)} of the loss with equal weights, `
      + `${percent(share[at], 1)} with these.`;
  };
  const count = labelledSlider(`Images of ${rare}`, { min: 0, max: 100, value: position(chosen.count, most) }, {
    text: () => String(chosen.count), write: (place) => {
      chosen.count = amount(place, most);
      draw();
    },
  });
  const power = labelledSlider("\u03b2", { min: 0, max: betas.length - 1, value: chosen.beta }, {
    text: () => String(betas[chosen.beta]), write: (place) => {
      chosen.beta = place;
      draw();
    },
  });
  draw();
  const head = h("tr", {}, ...COLUMNS.map((name) => h("th", { scope: "col" }, name)));
  return h("div", { class: "teach-widget" }, count.element, power.element,
    h("table", { class: "teach-balance" }, head, ...rows.map(({ element }) => element)),
    h("p", { class: "hint" }, HINT), fact);
}
