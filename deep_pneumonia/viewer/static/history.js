/**
 * Undo and redo of what is drawn on a mask (Uint8Array of 0 and 1, (H * W), row-major).
 *
 * One step is all between `begin` and `commit`: a brush stroke is many calls of `stroke`, but one step. It
 * keeps its rectangle's pixels before and after as run lengths: a few hundred numbers, not a megabyte.
 */

import { decode, encode } from "./mask.js";

/** @typedef {import("./mask.js").Size} Size */
/** @typedef {import("./mask.js").Rect} Rect */

export class History {
  #width;
  #limit;
  #before = null; // the whole mask at begin; null while no edit is open
  #done = [];
  #undone = [];

  /**
   * @param {Size} size [H, W] of the mask.
   * @param {number} [limit] steps that are kept; older ones can no longer be undone.
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
   * Open an edit; the mask may then be drawn on. Beginning anew forgets where the open edit began.
   *
   * @param {Uint8Array} mask as it is before.
   */
  begin(mask) {
    this.#before = mask.slice();
  }

  /**
   * Close the edit as one step; then nothing is left to redo. One that changed no pixel is no step.
   *
   * @param {Uint8Array} mask as it is after.
   * @param {Rect | null} rect around all drawn since `begin`: the union of what the strokes returned.
   * @returns {boolean} whether it became a step.
   */
  commit(mask, rect) {
    const before = this.#before && rect && this.#crop(this.#before, rect);
    this.#before = null;
    const after = before && this.#crop(mask, rect);
    if (!after || (before.length === after.length && before.every((run, k) => run === after[k]))) {
      return false;
    }
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
   * Take the last step back.
   *
   * @param {Uint8Array} mask
   * @returns {Rect | null} what to draw again; null where nothing can be undone.
   */
  undo(mask) {
    return this.canUndo ? this.#move(mask, this.#done, this.#undone, "before") : null;
  }

  /**
   * Take the last undone step again.
   *
   * @param {Uint8Array} mask
   * @returns {Rect | null} what to draw again; null where nothing can be redone.
   */
  redo(mask) {
    return this.canRedo ? this.#move(mask, this.#undone, this.#done, "after") : null;
  }

  #move(mask, from, to, state) {
    const step = from.pop();
    to.push(step);
    this.#paste(mask, step.rect, step[state]);
    return step.rect;
  }

  /** The runs of the pixels in a rectangle. */
  #crop(mask, { top, left, bottom, right }) {
    const width = right - left;
    const pixels = new Uint8Array((bottom - top) * width);
    for (let i = top; i < bottom; i++) {
      const start = i * this.#width;
      pixels.set(mask.subarray(start + left, start + right), (i - top) * width);
    }
    return Uint32Array.from(encode(pixels));
  }

  #paste(mask, { top, left, bottom, right }, runs) {
    const width = right - left;
    const pixels = decode(runs, (bottom - top) * width);
    for (let i = top; i < bottom; i++) {
      mask.set(pixels.subarray((i - top) * width, (i - top + 1) * width), i * this.#width + left);
    }
  }
}
