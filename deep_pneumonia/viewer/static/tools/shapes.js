// Box and polygon.

import { fillBox, fillPolygon } from "../mask.js";
import { drawLine } from "../pane.js";

/** @import { Editing } from "./editing.js" */
/** @import { Point, Press } from "../types.js" */

const CLOSING_DISTANCE = 10; // CSS pixels from the first corner at which a click closes a polygon

/**
 * Show a line that is not part of the mask yet.
 * @param {Editing} editing @param {Point[]} points
 */
function preview({ roster, stage }, points) {
  const path = new Path2D();
  points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  stage.draft = (context, scale) => drawLine(context, path, roster.colour, scale);
  stage.request();
}

/** A box is dragged from corner to corner. */
export class Box {
  /** @type {Point} */
  #from = [0, 0];
  /** @type {0 | 1} */
  #value = 1;

  /** @param {Editing} editing */
  constructor(editing) {
    this.editing = editing;
  }

  /** @param {Press} press */
  down({ point, event }) {
    this.editing.begin();
    this.#from = point;
    this.#value = event.altKey ? 0 : 1;
  }

  /** @param {Press} press */
  move({ point: [x1, y1] }) {
    const [x0, y0] = this.#from;
    if (this.editing.edited) preview(this.editing, [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]);
  }

  /** @param {Press} press */
  up({ point: [x1, y1] }) {
    const { edited, stage } = this.editing;
    if (!edited) return;
    const [x0, y0] = this.#from;
    /** @type {[number, number, number, number]} */
    const box = [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
    stage.draft = null;
    this.editing.commit(fillBox(edited.mask, stage.size, box, this.#value));
  }

  cancel() {
    this.editing.cancel();
    this.editing.stage.draft = null;
  }
}

/**
 * A polygon is clicked corner by corner, and closed by a click on the first one, by Enter or by a
 * double click.
 */
export class Polygon {
  /** @type {Point[]} */
  corners = [];

  /** @param {Editing} editing */
  constructor(editing) {
    this.editing = editing;
  }

  /** @param {Press} press */
  down({ point }) {
    if (this.editing.roster.refuses()) return;
    const [first] = this.corners;
    const near = CLOSING_DISTANCE / this.editing.stage.view.scale;
    if (this.corners.length >= 3 && Math.hypot(point[0] - first[0], point[1] - first[1]) < near) {
      this.close();
      return;
    }
    this.corners.push(point);
    preview(this.editing, this.corners);
  }

  move() {}

  up() {}

  /** @param {Point} point */
  hover(point) {
    if (this.corners.length) preview(this.editing, [...this.corners, point]);
  }

  cancel() {
    this.corners = [];
    this.editing.stage.draft = null;
  }

  /** Fill the polygon. */
  close() {
    const { corners } = this;
    if (!corners.length) return;
    this.cancel();
    if (corners.length >= 3) {
      const layer = this.editing.begin();
      if (layer) this.editing.commit(fillPolygon(layer.mask, this.editing.stage.size, corners, 1));
    }
    this.editing.stage.request();
  }
}
