// A few scenes to choose from, and a text on each.

import { h } from "../dom.js";
import { switcher } from "./widgets.js";

/** @import { ChoicesData, WidgetTools } from "./types.js" */

/** @param {ChoicesData} data @param {WidgetTools} tools */
export function choices({ choices: given, keep = false }, { scene }) {
  const words = h("div", { class: "teach-said", "aria-live": "polite" });
  const say = (/** @type {number} */ place) => (words.innerHTML = given[place].html); // escaped by the server
  say(0);
  const buttons = switcher("Picture on the stage", given.map(({ name }) => name), (place) => {
    say(place);
    scene(place, { keep });
  });
  return h("div", { class: "teach-widget" }, given.length > 1 ? buttons : "", words);
}
