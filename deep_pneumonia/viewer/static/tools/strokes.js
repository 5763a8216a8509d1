// Brush and eraser.

import { stroke, union } from "../mask.js";
import { drawLine } from "../pane.js";

/** @import { Editing } from "./editing.js" */
/** @import { Point, Press, Rect } from "../types.js" */

export class Brush {
  /** @type {Point} where the last stroke ended */
  #from = [0, 0];
  /** @type {Rect | null} */
  #rect = null;
  /** @type {0 | 1} */
  #value = 1;

  /** @param {Editing} editing @param {boolean} erases */
  constructor(editing, erases = false) {
    this.editing = editing;
    this.erases = erases;
  }

  /** @param {Press} press */
  down({ point, event }) {
    this.editing.begin();
    this.#from = point;
    this.#rect = null;
    this.#value = this.erases || event.altKey ? 0 : 1;
    this.#stroke(point);
  }

  /** @param {Press} press */
  move({ point }) {
    if (this.editing.edited) this.#stroke(point);
    this.hover(point);
  }

  up() {
    if (this.editing.edited) this.editing.commit(this.#rect);
  }

  cancel() {
    this.editing.cancel();
    this.editing.stage.draft = null;
  }

  /** A circle of the brush's size follows the pointer. @param {Point} point */
  hover(point) {
    const { stage } = this.editing;
    const circle = new Path2D();
    circle.arc(point[0], point[1], stage.display.brush / 2, 0, 7);
    stage.draft = (context, scale) => drawLine(context, circle, "#fff", scale);
    stage.request();
  }

  /** @param {Point} point */
  #stroke(point) {
    const { edited, stage } = this.editing;
    if (!edited) return;
    const rect = stroke(edited.mask, stage.size, this.#from, point, stage.display.brush / 2, this.#value);
    this.#rect = union(this.#rect, rect);
    this.#from = point;
    edited.changed();
    stage.request();
  }
}
