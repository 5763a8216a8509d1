// What lies over the radiograph, prepared for drawing: maps as small pictures, masks as outlines.

import { difference, overlap, thresholdTable } from "./agreement.js";
import { enlarge, outlines } from "./attention.js";
import { levelsOf, paint } from "./colours.js";
import { THRESHOLD_STEPS } from "./display.js";

/** @import { Table } from "./agreement.js" */
/** @import { Size } from "./types.js" */

const LONGEST_SIDE = 512; // of a map's picture: maps are smooth, and the picture is stretched when it is drawn

/** [h, w] of a map's picture for an image of [H, W]. @param {Size} size @returns {Size} */
export function pictureSize([height, width]) {
  const shrink = Math.max(1, Math.max(height, width) / LONGEST_SIDE);
  return [Math.max(1, Math.round(height / shrink)), Math.max(1, Math.round(width / shrink))];
}

/**
 * Closed lines as one path in image coordinates.
 * @param {Float32Array[]} lines x and y in turn @param {number[]} grow [down, across] image pixels a pixel of the lines
 */
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
  /** @type {Uint32Array | null} the table of colours that it is painted with */
  #colours = null;
  /** @type {Map<number, Path2D>} outlines by the threshold's step */
  #outlines = new Map();
  /** @type {Float32Array | null} */
  #full = null;
  #image;

  /**
   * @param {Float32Array} picture values at `pictureSize(size)` @param {Size} size of the radiograph
   * @param {{full?: () => Float32Array, signed?: boolean}} options full: makes the values at `size`; signed: they are
   * differences in [-1, 1]
   */
  constructor(picture, size, { full = () => picture, signed = false } = {}) {
    this.picture = picture;
    this.size = size;
    this.signed = signed;
    this.makeFull = full;
    this.shape = pictureSize(size);
    this.levels = levelsOf(picture, signed);
    this.canvas = new OffscreenCanvas(this.shape[1], this.shape[0]);
    this.context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.#image = this.context.createImageData(this.shape[1], this.shape[0]);
  }

  /** A map on the model's grid. @param {number[][]} cells @param {Size} size */
  static fromCells(cells, size) {
    /** @type {Size} */
    const grid = [cells.length, cells[0].length];
    const values = cells.flat();
    return new MapLayer(enlarge(values, grid, pictureSize(size)), size, { full: () => enlarge(values, grid, size) });
  }

  /** A mask as a map of 0 and 1. @param {Uint8Array} mask @param {Size} size */
  static fromMask(mask, size) {
    return new MapLayer(shrunk(mask, size, pictureSize(size)), size, { full: () => Float32Array.from(mask) });
  }

  /** The difference a - b. @param {MapLayer} a @param {MapLayer} b */
  static between(a, b) {
    return new MapLayer(difference(a.picture, b.picture), a.size, { signed: true });
  }

  /** Values at the radiograph's own size, from which scores are computed. */
  get full() {
    this.#full ??= this.makeFull();
    return this.#full;
  }

  /** Paint with a table of colours. @param {Uint32Array} colours */
  colour(colours) {
    if (this.#colours === colours) return;
    this.#colours = colours;
    this.context.putImageData(paint(this.levels, colours, this.#image), 0, 0);
  }

  /**
   * The line around everything at or above a threshold.
   * @param {number} step of the threshold @returns {Path2D}
   */
  outline(step) {
    let path = this.#outlines.get(step);
    if (!path) {
      const grow = this.size.map((n, axis) => n / this.shape[axis]);
      path = pathOf(outlines(this.picture, this.shape, step / THRESHOLD_STEPS), grow);
      this.#outlines.set(step, path);
    }
    return path;
  }
}

/**
 * Means of a mask over equal rectangles.
 * @param {Uint8Array} mask @param {Size} size @param {Size} shape of the result
 */
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
  return out.map((total, i) => total / count[i]);
}

/** One reader's mask, its outline, and its agreement with the attention. */
export class MaskLayer {
  shown = true;
  /** @type {Path2D | null} */
  #outline = null;
  /** @type {{map: MapLayer, counts: Table} | null} */
  #table = null;
  /** @type {MapLayer | null} */
  #map = null;

  /**
   * @param {{reader: string, kind: string, mask: Uint8Array, colour: string, size: Size, drawn?: boolean,
   *   version?: number, locked?: boolean}} layer drawn: changed here and stored in this browser only; version: of the
   *   work list that it was changed from; locked: it cannot be drawn on
   */
  constructor({ reader, kind, mask, colour, size, drawn = false, version, locked = false }) {
    this.reader = reader;
    this.kind = kind;
    this.mask = mask;
    this.colour = colour;
    this.size = size;
    this.drawn = drawn;
    this.version = version;
    this.locked = locked;
  }

  /** The mask has been drawn on. */
  changed() {
    this.#outline = null;
    this.#table = null;
    this.#map = null;
  }

  get outline() {
    this.#outline ??= pathOf(outlines(this.mask, this.size, 0.5));
    return this.#outline;
  }

  get asMap() {
    this.#map ??= MapLayer.fromMask(this.mask, this.size);
    return this.#map;
  }

  /**
   * IoU, Dice and share inside at a threshold; null where undefined.
   * @param {MapLayer} map @param {number} step
   */
  overlap(map, step) {
    if (this.#table?.map !== map) this.#table = { map, counts: thresholdTable(map.full, this.mask, THRESHOLD_STEPS) };
    return overlap(this.#table.counts, step);
  }
}
