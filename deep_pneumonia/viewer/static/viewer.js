// What the page's other parts, and the server's scripts through window.deepPneumonia, may ask of
// the viewer.

import { plain } from "./drawings.js";
import { asNpy, download, overlayOf } from "./save.js";
import { amended } from "./scene.js";

/** @import { Keys } from "./keys.js" */
/** @import { Loan } from "./loan.js" */
/** @import { ReviewPart } from "./review/types.js" */
/** @import { Quiz } from "./teach/quiz.js" */
/** @import { Scenes } from "./scenes.js" */
/** @import { Stage } from "./stage.js" */
/** @import { Tools } from "./tools/tools.js" */
/** @import { Comparison, KeyEntry, Scene, Unfolded } from "./types.js" */

/**
 * @typedef {object} Parts
 * @property {HTMLElement} root @property {HTMLElement} status
 * @property {Stage} stage @property {Tools} tools @property {Keys} keys @property {Scenes} scenes @property {Loan} loan
 */

export class Viewer {
  /** @type {ReviewPart | null} set by the Review screen */
  review = null;
  /** @type {Quiz | null} set by the quiz */
  quiz = null;
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.stage = parts.stage;
    this.tools = parts.tools;
  }

  /**
   * The masks on the stage as the server takes them; null while the stage shows another scene than
   * the one that the server opened for this screen, of which it has no file to measure them on.
   */
  drawings() {
    const { scenes, stage } = this.#parts;
    return stage.scene && stage.scene === scenes.of(stage.display.screen) ? stage.layers.map(plain) : null;
  }

  /**
   * Put a scene with some parts changed in place of the scene, wherever that is shown.
   * @param {Scene} scene @param {Partial<Scene>} part @returns {Scene} the changed one
   */
  amend(scene, part) {
    const after = amended(scene, part);
    this.#parts.scenes.replace(scene, after);
    if (this.stage.scene === scene) this.stage.scene = after;
    return after;
  }

  /**
   * Show an unfolded scene until another screen opens.
   * @param {Unfolded} ready @param {{keep?: boolean}} [options] keep: zoom, window and threshold stay
   */
  borrow(ready, options) {
    const { root, loan } = this.#parts;
    root.hidden = false;
    loan.take(ready, options);
    root.dataset.shown = ready.scene.key;
  }

  /** @param {Comparison | null} answer of /compare */
  compare(answer) {
    if (answer && this.stage.scene) this.stage.compare(answer);
  }

  /** Give a screen keys of its own. @param {string} screen @param {KeyEntry[]} entries */
  keys(screen, entries) {
    this.#parts.keys.add(screen, entries);
  }

  /** Show words, or buttons, under the panes. @param {(string | Node)[]} parts */
  say(...parts) {
    this.#parts.status.replaceChildren(...parts);
  }

  /**
   * Save a file that the server made.
   * @param {{name: string, type: string, data: string} | null} file data: base64
   */
  save(file) {
    if (file) download(file.name, file.type, Uint8Array.from(atob(file.data), (letter) => letter.charCodeAt(0)));
  }

  /** @param {unknown} value @param {string} name of the file */
  saveJson(value, name) {
    if (value) download(name, "application/json", `${JSON.stringify(value, null, 1)}\n`);
  }

  /** Save the attention's values as a NumPy file. */
  saveMap() {
    const { map, scene, size } = this.stage;
    if (map && scene) download(`${scene.stem}-attention.npy`, "application/octet-stream", asNpy(map.full, size));
  }

  /** Save the radiograph with the attention over it. */
  async savePicture() {
    const { map, scene } = this.stage;
    if (map && scene) download(`${scene.stem}-attention.png`, "image/png", await overlayOf(this.stage));
  }
}
