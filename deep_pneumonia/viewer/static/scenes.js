// Which scene a screen shows: a scene with a `screen` shows on that screen only, the opened case on
// all others.

import { frozen } from "./scene.js";

/** @import { Scene } from "./types.js" */

const OWN_SCENES_ONLY = new Set(["quiz"]); // shows nothing rather than the opened case

export class Scenes {
  /** @type {Map<string, Scene | null>} the newest scene of each screen; "": the opened case */
  #newest = new Map();
  /** @type {Map<string, Scene | null>} what the server sent for it */
  #sent = new Map();

  /** The server sent a scene, or null: no case is open. @param {Scene | null} sent */
  add(sent) {
    const screen = sent?.screen ?? "";
    if (this.#sent.has(screen) && this.#sent.get(screen) === sent) return;
    this.#sent.set(screen, sent);
    this.#newest.set(screen, sent && frozen(sent));
  }

  /**
   * Put a changed scene in place of the one it was made from.
   * @param {Scene} before @param {Scene} after
   */
  replace(before, after) {
    for (const [screen, scene] of this.#newest) if (scene === before) this.#newest.set(screen, after);
  }

  /** What a screen shows, or null. @param {string} screen @returns {Scene | null} */
  of(screen) {
    return this.#newest.get(screen) ?? (OWN_SCENES_ONLY.has(screen) ? null : this.#newest.get("")) ?? null;
  }
}
