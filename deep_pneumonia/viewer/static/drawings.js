// Drawings survive a reload: this browser stores them under the radiograph's digest.

import { encode } from "./run-lengths.js";
import { DRAWINGS, LAST_FILES, readJson, writeJson, writeTab } from "./storage.js";

/** @import { Drawing, Layer, Scene, Size } from "./types.js" */

/**
 * What the server needs of a layer.
 * @param {Layer} layer
 * @returns {{reader: string, kind: string, size: Size, counts: number[]}}
 */
export function plain({ reader, kind, mask, size }) {
  return { reader, kind, size, counts: encode(mask) };
}

/**
 * Store the layers that were drawn on, in place of what was stored for this radiograph.
 * @param {string} key of the scene @param {Layer[]} layers
 * @returns {boolean} false where the browser refuses or has no room
 */
export function keep(key, layers) {
  const drawn = layers.filter((layer) => layer.drawn).map((layer) => (
    { ...plain(layer), colour: layer.colour, drawn: true, version: layer.version, locked: layer.locked }
  ));
  return writeJson(DRAWINGS + key, drawn.length ? drawn : null);
}

/** What is stored for a radiograph. @param {string} key of the scene @returns {Drawing[]} */
export function kept(key) {
  const found = readJson(DRAWINGS + key);
  return Array.isArray(found) ? found : [];
}

/** What is stored for a scene and fits its size. @param {Scene} scene @returns {Drawing[]} */
export function restored({ key, size: [height, width] }) {
  const pixels = (/** @type {Drawing} */ { counts }) => (counts ?? []).reduce((a, b) => a + b, 0);
  return kept(key).filter((drawing) => pixels(drawing) === height * width);
}

/**
 * Remember which files this tab has open, so that a reload opens them again.
 * @param {object | null} files
 */
export function remember(files) {
  writeTab(LAST_FILES, JSON.stringify(files));
}
