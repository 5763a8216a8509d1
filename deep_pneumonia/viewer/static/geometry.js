// Where the image lies in a pane. All panes share one View, so zoom and pan are linked.
//
// Image coordinates: x to the right, y down, pixel (row i, column j) covers
// [j, j + 1) x [i, i + 1). Screen coordinates: CSS pixels from the pane's upper left corner.

import { clamp } from "./format.js";

/** @import { Point, Rect, Size } from "./types.js" */

export const MAX_SCALE = 32; // screen pixels an image pixel

export class View {
  /** @type {Point} the image point in the middle of the pane */
  centre = [0, 0];
  scale = 1; // screen pixels an image pixel
  whole = true; // the whole image is shown, and stays so when panes change their size

  /** @param {Size} size of the image @param {Size} pane in CSS pixels */
  constructor(size, pane = [1, 1]) {
    this.size = size;
    this.pane = pane;
    this.fit();
  }

  /** The scale at which the whole image just fits. */
  get fitting() {
    return Math.min(this.pane[0] / this.size[0], this.pane[1] / this.size[1]);
  }

  /** Show the whole image. */
  fit() {
    this.whole = true;
    this.scale = this.fitting;
    this.centre = [this.size[1] / 2, this.size[0] / 2];
  }

  /** One image pixel on one device pixel. @param {number} ratio device pixels a CSS pixel */
  actual(ratio = 1) {
    this.zoom((1 / ratio) / this.scale, [this.pane[1] / 2, this.pane[0] / 2]);
  }

  /** The pane has a new size. @param {Size} pane */
  resize(pane) {
    if (pane[0] === this.pane[0] && pane[1] === this.pane[1]) return;
    this.pane = pane;
    if (this.whole) this.fit();
    else this.settle();
  }

  /**
   * Enlarge by `factor`; the image point under the screen point `at` stays there.
   * @param {number} factor @param {Point} at
   */
  zoom(factor, at) {
    const [x, y] = this.toImage(at);
    this.whole = false;
    this.scale = clamp(this.scale * factor, this.fitting / 2, MAX_SCALE);
    this.centre = [x - (at[0] - this.pane[1] / 2) / this.scale, y - (at[1] - this.pane[0] / 2) / this.scale];
    this.settle();
  }

  /** Move the image by screen pixels. @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.whole = false;
    this.centre = [this.centre[0] - dx / this.scale, this.centre[1] - dy / this.scale];
    this.settle();
  }

  /** Keep a part of the image in sight: the middle of the pane never leaves the image. */
  settle() {
    const [x, y] = this.centre;
    this.centre = [clamp(x, 0, this.size[1]), clamp(y, 0, this.size[0])];
  }

  /** The image point of a screen point. @param {Point} point @returns {Point} */
  toImage([x, y]) {
    return [
      this.centre[0] + (x - this.pane[1] / 2) / this.scale,
      this.centre[1] + (y - this.pane[0] / 2) / this.scale,
    ];
  }

  /** The screen point of an image point. @param {Point} point @returns {Point} */
  toScreen([x, y]) {
    return [
      (x - this.centre[0]) * this.scale + this.pane[1] / 2,
      (y - this.centre[1]) * this.scale + this.pane[0] / 2,
    ];
  }

  /** The part of the image in sight, in whole pixels; it may be empty. @returns {Rect} */
  visible() {
    const [left, top] = this.toImage([0, 0]);
    const [right, bottom] = this.toImage([this.pane[1], this.pane[0]]);
    return {
      top: Math.max(0, Math.floor(top)),
      left: Math.max(0, Math.floor(left)),
      bottom: Math.min(this.size[0], Math.ceil(bottom)),
      right: Math.min(this.size[1], Math.ceil(right)),
    };
  }
}

/**
 * Length of a line between two image points in millimetres, or in pixels if the spacing is unknown.
 * @param {Point} from @param {Point} to
 * @param {[number, number] | null} spacing mm a pixel, [row, column]
 * @returns {{length: number, unit: "mm" | "pixels"}}
 */
export function ruled([x0, y0], [x1, y1], spacing) {
  const [row, column] = spacing ?? [1, 1];
  return { length: Math.hypot((x1 - x0) * column, (y1 - y0) * row), unit: spacing ? "mm" : "pixels" };
}
