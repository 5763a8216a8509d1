// Scenes: cases as the server sends them. A scene is frozen; `amended` makes the one that takes its
// place.

import { Base } from "./pane.js";
import { MapLayer, MaskLayer } from "./layers.js";
import { decode } from "./run-lengths.js";
import { pyramid, unpack } from "./pixels.js";

/** @import { Drawing, Scene, Size, Unfolded } from "./types.js" */

/** @param {Scene} sent @returns {Scene} a frozen copy */
export function frozen(sent) {
  const masks = Object.freeze(sent.masks.map((mask) => Object.freeze({ ...mask })));
  return Object.freeze({ ...sent, masks: /** @type {Drawing[]} */ (masks) });
}

/**
 * The scene with some parts changed.
 * @param {Scene} scene @param {Partial<Scene>} part @returns {Scene}
 */
export function amended(scene, part) {
  return frozen({ ...scene, ...part });
}

/**
 * Decode a scene for drawing; the result may be shown again and again.
 * @param {Scene} scene
 * @param {Drawing[]} drawings take the place of the scene's masks by the same readers
 * @param {string[]} colours of readers
 * @returns {Promise<Unfolded>}
 */
export async function unfold(scene, drawings, colours) {
  const { size, bits, cells, work } = scene;
  const pixels = await unpack(scene.pixels, size, bits);
  const masks = scene.masks.map((mask) => ({ ...mask, version: work?.versions[mask.reader], locked: true }));
  for (const drawing of drawings) {
    const place = masks.findIndex(({ reader }) => reader === drawing.reader);
    const locked = place >= 0 || drawing.locked === true; // a loaded mask that was changed is locked again
    masks.splice(place < 0 ? masks.length : place, place < 0 ? 0 : 1, { version: undefined, ...drawing, locked });
  }
  if (scene.mark && !masks.length) masks.push({ version: undefined, ...scene.mark, locked: false });
  return {
    scene, size, layers: masks.map((mask, place) => layerOf(mask, size, colours[place % colours.length])),
    base: new Base(pyramid(pixels, size), bits === 8 ? 255 : 65535),
    map: cells ? MapLayer.fromCells(cells, size) : null,
  };
}

/**
 * A layer from run lengths, or an empty one.
 * @param {Drawing} drawing @param {Size} size @param {string} colour
 */
export function layerOf({ reader, kind = "pixel", counts, colour: own, drawn = false, version, locked }, size, colour) {
  const length = size[0] * size[1];
  const mask = counts ? decode(counts, length) : new Uint8Array(length);
  return new MaskLayer({ reader, kind, mask, colour: own ?? colour, drawn, version, locked, size });
}
