// Drawings outlive a reload: they are kept in this browser alone, under the radiograph's own digest.

import { encode } from "./mask.js";

const DRAWINGS = "deep-pneumonia/drawings/";
const LAST = "deep-pneumonia/last"; // the same words stand in viewer/app.py

/** What the server needs of a layer: reader, kind, size and the mask's run lengths in row order. */
export function plain({ reader, kind, mask, size }) {
  return { reader, kind, size, counts: encode(mask) };
}

/** Keep what was drawn on a radiograph. Returns false where the browser refuses or has no room. */
export function keep(key, layers) {
  const drawn = layers.filter((layer) => layer.drawn).map((l) => ({ ...plain(l), colour: l.colour, drawn: true, version: l.version }));
  try {
    if (drawn.length) localStorage.setItem(DRAWINGS + key, JSON.stringify(drawn));
    else localStorage.removeItem(DRAWINGS + key);
    return true;
  } catch {
    return false;
  }
}

/** What was drawn on a radiograph, or nothing. */
export function kept(key) {
  try {
    const found = JSON.parse(localStorage.getItem(DRAWINGS + key) ?? "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

/** Remember which files this tab has open, so that a reload opens them again. */
export function remember(files) {
  try {
    sessionStorage.setItem(LAST, JSON.stringify(files));
  } catch {
    // without it a reload opens the first case
  }
}
