// Parts that the lesson's widgets share.

import { h } from "../dom.js";
import { percent } from "../format.js";

/**
 * Buttons of which one is pressed; the first one is pressed at first.
 * @param {string} label @param {string[]} names @param {(place: number) => void} choose
 */
export function switcher(label, names, choose) {
  const press = (/** @type {number} */ place) =>
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === place)));
  const buttons = names.map((name, i) => h("button", {
    type: "button", click: () => {
      press(i);
      choose(i);
    },
  }, name));
  press(0);
  return h("div", { class: "teach-switch", role: "group", "aria-label": label }, ...buttons);
}

/**
 * A row of a table that ends with a bar.
 * @param {string} name @param {number} cells between the name and the bar
 * @returns {{element: HTMLElement, set: (share: number, words: string, texts?: string[], equal?: number) => void}}
 *   set: the bar's share, its words, the cells' texts, and where a line marks another share
 */
export function barRow(name, cells = 0) {
  const between = Array.from({ length: cells }, () => h("td"));
  const bar = h("i", { class: "teach-bar" });
  const words = h("span");
  const element = h("tr", {}, h("th", { scope: "row" }, name), ...between, h("td", {}, bar, words));
  return {
    element, set: (share, text, texts = [], equal = 0) => {
      texts.forEach((one, i) => (between[i].textContent = one));
      words.textContent = text;
      bar.style.setProperty("--share", percent(share, 1));
      if (cells) bar.style.setProperty("--equal", percent(equal, 1));
    },
  };
}
