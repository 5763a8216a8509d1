/**
 * Undo and redo of edits of a mask (Uint8Array of 0 and 1, (H * W), row-major).
 *
 * A step is everything between `begin` and `commit`; a brush stroke calls `stroke` many times, but
 * is one step. A step stores the pixels of its rectangle before and after as run lengths: a few
 * hundred numbers instead of a megabyte.
 */

import { decode, encode } from "./run-lengths.js";

/** @import { Rect, Size } from "./types.js" */

/** @typedef {{rect: Rect, before: Uint32Array, after: Uint32Array}} Step */

export class History {
  #width;
  #limit;
  /** @type {Uint8Array | null} the whole mask at `begin`; null while no edit is open */
  #before = null;
  /** @type {Step[]} */
  #done = [];
  /** @type {Step[]} */
  #undone = [];

  /**
   * @param {Size} size [H, W] of the mask.
   * @param {number} [limit] steps that are stored; older ones cannot be undone.
   */
  constructor([, W], limit = 200) {
    this.#width = W;
    this.#limit = limit;
  }

  /** Whether `undo` would change something; false while an edit is open. */
  get canUndo() {
    return this.#before === null && this.#done.length > 0;
  }

  /** Whether `redo` would change something; false while an edit is open. */
  get canRedo() {
    return this.#before === null && this.#undone.length > 0;
  }

  /**
   * Open an edit, after which the mask may be drawn on. If an edit is open, it is replaced.
   *
   * @param {Uint8Array} mask as it is before.
   */
  begin(mask) {
    this.#before = mask.slice();
  }

  /**
   * Close the edit as one step, after which nothing can be redone. An edit that changed no pixel
   * makes no step.
   *
   * @param {Uint8Array} mask as it is after.
   * @param {Rect | null} rect around everything drawn since `begin`: the union of what the strokes returned.
   * @returns {boolean} whether a step was made.
   */
  commit(mask, rect) {
    const whole = this.#before;
    this.#before = null;
    if (!whole || !rect) return false;
    const before = this.#crop(whole, rect);
    const after = this.#crop(mask, rect);
    if (before.length === after.length && before.every((run, k) => run === after[k])) return false;
    this.#done.push({ rect, before, after });
    this.#undone.length = 0;
    if (this.#done.length > this.#limit) this.#done.shift();
    return true;
  }

  /**
   * Give up the open edit: the mask becomes what it was at `begin`.
   *
   * @param {Uint8Array} mask
   */
  cancel(mask) {
    if (this.#before) mask.set(this.#before);
    this.#before = null;
  }

  /**
   * Undo the last step.
   *
   * @param {Uint8Array} mask
   * @returns {Rect | null} what to draw again; null where nothing can be undone.
   */
  undo(mask) {
    return this.canUndo ? this.#move(mask, this.#done, this.#undone, "before") : null;
  }

  /**
   * Redo the last step that was undone.
   *
   * @param {Uint8Array} mask
   * @returns {Rect | null} what to draw again; null where nothing can be redone.
   */
  redo(mask) {
    return this.canRedo ? this.#move(mask, this.#undone, this.#done, "after") : null;
  }

  /**
   * @param {Uint8Array} mask @param {Step[]} from @param {Step[]} to @param {"before" | "after"} state
   */
  #move(mask, from, to, state) {
    const step = /** @type {Step} */ (from.pop());
    to.push(step);
    this.#paste(mask, step.rect, step[state]);
    return step.rect;
  }

  /** The run lengths of the pixels in a rectangle. @param {Uint8Array} mask @param {Rect} rect */
  #crop(mask, { top, left, bottom, right }) {
    const width = right - left;
    const pixels = new Uint8Array((bottom - top) * width);
    for (let i = top; i < bottom; i++) {
      const start = i * this.#width;
      pixels.set(mask.subarray(start + left, start + right), (i - top) * width);
    }
    return Uint32Array.from(encode(pixels));
  }

  /** @param {Uint8Array} mask @param {Rect} rect @param {Uint32Array} runs */
  #paste(mask, { top, left, bottom, right }, runs) {
    const width = right - left;
    const pixels = decode(runs, (bottom - top) * width);
    for (let i = top; i < bottom; i++) {
      mask.set(pixels.subarray((i - top) * width, (i - top + 1) * width), i * this.#width + left);
    }
  }
}
