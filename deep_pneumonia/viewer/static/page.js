// What the parts of the page tell each other. Each part is mounted by an element of its own, in any
// order.

/** @import { Viewer } from "./viewer.js" */
/** @import { Scene } from "./types.js" */

/**
 * - screen: another screen is open
 * - shown: a scene is on the stage
 * - drawn: the masks on the stage were drawn on
 * - step: an arrow key asks for the next (1) or previous (-1) step on a screen without teaching cases
 * @typedef {{screen: string, shown: Scene, drawn: Scene | null, step: number}} PageEvents
 */

/** @type {(viewer: Viewer) => void} */
export let resolveViewer;
/** Resolves when the viewer is mounted. @type {Promise<Viewer>} */
export const viewerReady = new Promise((resolve) => (resolveViewer = resolve));

/** @template {keyof PageEvents} Name @param {Name} name @param {PageEvents[Name]} detail */
export function announce(name, detail) {
  document.dispatchEvent(new CustomEvent(`deep-pneumonia:${name}`, { detail }));
}

/**
 * @template {keyof PageEvents} Name @param {Name} name @param {(detail: PageEvents[Name]) => void} listener
 */
export function hear(name, listener) {
  document.addEventListener(`deep-pneumonia:${name}`, (event) => listener(/** @type {CustomEvent} */ (event).detail));
}

/**
 * An element that the page always has.
 * @template {HTMLElement} [E=HTMLElement] @param {string} selector @returns {E}
 */
export function part(selector) {
  const element = /** @type {E | null} */ (document.querySelector(selector));
  if (!element) throw new Error(`The page has no ${selector}; load it again.`);
  return element;
}
