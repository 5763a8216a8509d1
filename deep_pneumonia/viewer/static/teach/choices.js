// A few scenes to choose from, and what is to be said of each.

import { h } from "../controls.js";

/**
 * Buttons of which one is pressed.
 * @param {string} label @param {string[]} names @param {(place: number) => void} choose called for the first at once
 */
export function switcher(label, names, choose) {
  const pick = (place) => {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === place));
    choose(place);
  };
  const buttons = names.map((name, i) => h("button", { type: "button", click: () => pick(i) }, name));
  buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === 0));
  return h("div", { class: "teach-switch", role: "group", "aria-label": label }, ...buttons);
}

/** @param {{choices: {name: string, html: string}[], keep?: boolean}} data keep: zoom and window from scene to scene */
export function choices({ choices: given, keep = false }, { scene }) {
  const said = h("div", { class: "teach-said", "aria-live": "polite" });
  const say = (place) => (said.innerHTML = given[place].html); // ours, and escaped by the server
  say(0);
  const buttons = switcher("Picture on the stage", given.map(({ name }) => name), (place) => {
    say(place);
    scene(place, { keep });
  });
  return h("div", { class: "teach-widget" }, given.length > 1 ? buttons : "", said);
}
