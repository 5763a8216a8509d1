// What each visible pane shows: a caption, and one content or two with the divider between them.

import { stepOf } from "./display.js";
import { MapLayer } from "./layers.js";

/** @import { Stage } from "./stage.js" */
/** @import { Compared, Content, PaneContent } from "./types.js" */

/** @param {Stage} stage with a scene @returns {PaneContent[]} */
export function contentsOf(stage) {
  const { comparison, display, map } = stage;
  if (comparison) return comparisonOf(stage, comparison);
  const plain = { map: null, outline: null, masks: stage.draws ? shownMasks(stage) : [] };
  const marked = contentOf(stage, map, display.threshold);
  const caption = !map ? "No attention map" : display.attention ? "Attention" : "Attention, off";
  if (display.layout === "overlay") {
    return [pane(stage, map && display.attention ? "Attention over the radiograph" : "Radiograph", marked)];
  }
  if (display.layout === "slider") return [pane(stage, `Radiograph | ${caption}`, plain, marked)];
  return [pane(stage, "Radiograph", plain), pane(stage, caption, marked)];
}

/** @param {Stage} stage @param {Compared} compared @returns {PaneContent[]} */
function comparisonOf(stage, compared) {
  const { maps, sides } = compared;
  const [first, second] = sides.map((side) => side.name);
  const [left, right] = maps.map((map, i) => contentOf(stage, map, map ? stepOf(sides[i].threshold) : 0));
  if (stage.display.layout === "side") return [pane(stage, first, left), pane(stage, second, right)];
  if (stage.display.layout === "slider") return [pane(stage, `${first} | ${second}`, left, right)];
  const [a, b] = maps;
  compared.difference ??= a && b ? MapLayer.between(a, b) : null;
  const content = contentOf(stage, compared.difference, 0);
  return [pane(stage, `Difference: orange, ${first} is higher; blue, ${second} is higher`, content)];
}

/** @param {Stage} stage @param {string} label @param {Content[]} sides @returns {PaneContent} */
function pane({ scene }, label, ...sides) {
  return { label, description: `${label} of ${scene?.name}`, sides };
}

/**
 * @param {Stage} stage @param {MapLayer | null} map
 * @param {number} level step of its threshold; 0: no outline
 * @returns {Content}
 */
function contentOf(stage, map, level) {
  const shown = stage.display.attention ? map : null;
  const outline = shown && stage.display.outline && level > 0 ? shown.outline(level) : null;
  return { map: shown, outline, masks: shownMasks(stage) };
}

/** @param {Stage} stage */
function shownMasks({ display, layers }) {
  return display.masks ? layers.filter((layer) => layer.shown) : [];
}
