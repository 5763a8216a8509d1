// What lies over the radiograph, made ready for drawing: maps as small pictures, masks as outlines.

import { enlarge, outlines } from "./attention.js";
import { compare, difference, overlap, thresholdTable } from "./agreement.js";
import { levelsOf, paint } from "./colours.js";

export const STEPS = 100; // of the threshold's slider
const SHOWN = 512; // longest side of a map's picture: it is smooth, and is stretched when drawn

/** [h, w] of a map's picture for an image of [H, W]. */
export function pictureSize([height, width]) {
  const shrink = Math.max(1, Math.max(height, width) / SHOWN);
  return [Math.max(1, Math.round(height / shrink)), Math.max(1, Math.round(width / shrink))];
}

/** Closed lines as one path in image coordinates; `grow` turns the coordinates of a smaller picture into those. */
export function pathOf(lines, grow = [1, 1]) {
  const path = new Path2D();
  for (const line of lines) {
    path.moveTo(line[0] * grow[1], line[1] * grow[0]);
    for (let i = 2; i < line.length; i += 2) path.lineTo(line[i] * grow[1], line[i + 1] * grow[0]);
    path.closePath();
  }
  return path;
}

/** A map of values over the whole radiograph. */
export class MapLayer {
  /**
   * @param {Float32Array} picture values at `pictureSize(size)` @param {[number, number]} size [H, W]
   * @param {{full?: () => Float32Array, signed?: boolean}} options full: the values at [H, W]
   */
  constructor(picture, size, { full = null, signed = false } = {}) {
    [this.picture, this.size, this.signed, this.make] = [picture, size, signed, full];
    this.shape = pictureSize(size);
    this.levels = levelsOf(picture, signed);
    this.canvas = new OffscreenCanvas(this.shape[1], this.shape[0]);
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(this.shape[1], this.shape[0]);
    this.lines = new Map();
  }

  /** A map on the model's grid. */
  static fromCells(cells, size) {
    const shape = [cells.length, cells[0].length];
    const values = cells.flat();
    return new MapLayer(enlarge(values, shape, pictureSize(size)), size, {
      full: () => enlarge(values, shape, size),
    });
  }

  /** A mask as a map of 0 and 1. */
  static fromMask(mask, size) {
    const shape = pictureSize(size);
    return new MapLayer(shrunk(mask, size, shape), size, { full: () => Float32Array.from(mask) });
  }

  /** Where two maps differ: a - b. */
  static between(a, b) {
    return new MapLayer(difference(a.picture, b.picture), a.size, { signed: true });
  }

  /** Values at the radiograph's own size, for figures. */
  get full() {
    this.values ??= this.make();
    return this.values;
  }

  /** Repaint with a table of colours. */
  colour(colours) {
    if (this.colours === colours) return;
    this.colours = colours;
    this.context.putImageData(paint(this.levels, colours, this.image), 0, 0);
  }

  /** The line around what is at or above the threshold k / STEPS. */
  outline(k) {
    if (!this.lines.has(k)) {
      const grow = this.size.map((n, axis) => n / this.shape[axis]);
      this.lines.set(k, pathOf(outlines(this.picture, this.shape, k / STEPS), grow));
    }
    return this.lines.get(k);
  }
}

/** Means over a mask's rectangles; a point's share of lesion. */
function shrunk(mask, [height, width], [rows, columns]) {
  const out = new Float32Array(rows * columns);
  const count = new Uint32Array(rows * columns);
  for (let i = 0; i < height; i++) {
    const row = Math.floor((i * rows) / height) * columns;
    for (let j = 0; j < width; j++) {
      const at = row + Math.floor((j * columns) / width);
      out[at] += mask[i * width + j];
      count[at]++;
    }
  }
  return out.map((sum, i) => sum / count[i]);
}

/**
 * One reader's mask, its outline, and how well the attention agrees with it. `drawn`: changed here, and not kept
 * anywhere but in this browser; `version`: the one in the work list that it was changed from.
 */
export class MaskLayer {
  constructor({ reader, kind, mask, colour, size, drawn = false, version = undefined }) {
    Object.assign(this, { reader, kind, mask, colour, size, drawn, version, shown: true });
    this.changed();
  }

  /** The mask has been drawn on. */
  changed() {
    [this.line, this.table, this.map] = [null, null, null];
  }

  get outline() {
    this.line ??= pathOf(outlines(this.mask, this.size, 0.5));
    return this.line;
  }

  get asMap() {
    this.map ??= MapLayer.fromMask(this.mask, this.size);
    return this.map;
  }

  /** IoU, Dice and share inside of a map at threshold k / STEPS; null where they have no meaning. */
  overlap(map, k) {
    if (this.table?.map !== map) this.table = { map, counts: thresholdTable(map.full, this.mask, STEPS) };
    return overlap(this.table.counts, k);
  }

  /** All five figures of a map at threshold k / STEPS. */
  figures(map, k) {
    return compare(map.full, this.mask, k / STEPS);
  }
}
