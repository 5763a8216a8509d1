// One canvas: the radiograph, and what lies over it.

import { h } from "./dom.js";
import { cut, levelFor, windowed } from "./pixels.js";

/** @import { View } from "./geometry.js" */
/** @import { Level } from "./pixels.js" */
/** @import { Content, GreyWindow, Rect, Size, Sketch } from "./types.js" */

/** @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Context */

const CASING_COLOUR = "#000";

/** The windowed part of the radiograph that is in sight; all panes draw the same one. */
export class Base {
  canvas = new OffscreenCanvas(1, 1);
  #context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
  /** @type {Rect} of the level's pixels on the canvas */
  #rect = { top: 0, left: 0, bottom: 0, right: 0 };
  #step = 1;
  #made = ""; // what the canvas was made for
  #tabled = ""; // the window that the table was made for
  #table = new Uint32Array();

  /** @param {Level[]} levels see `pyramid` @param {number} full highest grey value, 255 or 65535 */
  constructor(levels, full) {
    this.levels = levels;
    this.full = full;
  }

  /**
   * Prepare for a view and a window; nothing is done if neither has changed.
   * @param {Pick<View, "scale" | "visible">} view @param {number} ratio device pixels a CSS pixel
   * @param {GreyWindow} window
   */
  prepare(view, ratio, window) {
    const level = levelFor(this.levels, view.scale * ratio);
    const rect = seenOf(level, view.visible());
    const wanted = JSON.stringify([level.step, rect, window]);
    if (wanted === this.#made) return;
    this.#made = wanted;
    this.#rect = rect;
    this.#step = level.step;
    if (this.#isEmpty) return;
    this.#tabulate(window);
    const [height, width] = [rect.bottom - rect.top, rect.right - rect.left];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.#context.putImageData(cut(level, rect, this.#table), 0, 0);
  }

  get #isEmpty() {
    return this.#rect.bottom <= this.#rect.top || this.#rect.right <= this.#rect.left;
  }

  /** @param {GreyWindow} window */
  #tabulate(window) {
    const tabled = JSON.stringify(window);
    if (tabled === this.#tabled) return;
    this.#tabled = tabled;
    this.#table = windowed(this.full, window);
  }

  /** @param {Context} context in image coordinates */
  draw(context) {
    if (this.#isEmpty) return;
    const step = this.#step;
    const { width, height } = this.canvas;
    context.drawImage(this.canvas, this.#rect.left * step, this.#rect.top * step, width * step, height * step);
  }
}

/** The part of a level that is in sight. @param {Level} level @param {Rect} seen @returns {Rect} */
function seenOf({ step, height, width }, seen) {
  return {
    top: Math.floor(seen.top / step),
    left: Math.floor(seen.left / step),
    bottom: Math.min(height, Math.ceil(seen.bottom / step)),
    right: Math.min(width, Math.ceil(seen.right / step)),
  };
}

/** A canvas with its caption. */
export class Pane {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.caption = h("figcaption");
    this.canvas = h("canvas", { role: "img" });
    this.element = h("figure", { class: "pane" }, this.caption, this.canvas);
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    host.append(this.element);
  }

  /** @param {string} text @param {string} description for those who do not see the canvas */
  label(text, description = text) {
    if (this.caption.textContent !== text) this.caption.textContent = text;
    if (this.canvas.getAttribute("aria-label") !== description) this.canvas.setAttribute("aria-label", description);
  }

  /** Fit the canvas to device pixels. @param {number} ratio @returns {Size} in CSS pixels */
  measure(ratio) {
    const { clientHeight: height, clientWidth: width } = this.canvas;
    const [rows, columns] = [Math.max(1, Math.round(height * ratio)), Math.max(1, Math.round(width * ratio))];
    if (this.canvas.height !== rows || this.canvas.width !== columns) {
      this.canvas.height = rows;
      this.canvas.width = columns;
    }
    return [Math.max(1, height), Math.max(1, width)];
  }

  /**
   * @param {{view: View, ratio: number, base: Base, marks: Sketch}} radiograph marks: drawn last
   * @param {Content[]} contents one, or two with the divider between them @param {number} divider in [0, 1]
   */
  draw({ view, ratio, base, marks }, contents, divider) {
    const { context } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const [x, y] = view.toScreen([0, 0]);
    const scale = view.scale * ratio;
    context.imageSmoothingQuality = "medium";
    context.setTransform(scale, 0, 0, scale, x * ratio, y * ratio);
    base.draw(context);
    contents.forEach((content, side) => {
      context.save();
      if (contents.length === 2) this.#clip(side, divider);
      context.setTransform(scale, 0, 0, scale, x * ratio, y * ratio);
      drawOver(context, content, view.scale);
      context.restore();
    });
    marks(context, view.scale);
    if (contents.length === 2) this.#divide(divider, ratio);
  }

  /** @param {number} side 0: left, 1: right @param {number} divider */
  #clip(side, divider) {
    const { context, canvas } = this;
    const at = Math.round(divider * canvas.width);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    if (side === 0) context.rect(0, 0, at, canvas.height);
    else context.rect(at, 0, canvas.width - at, canvas.height);
    context.clip();
  }

  /** @param {number} divider @param {number} ratio */
  #divide(divider, ratio) {
    const { context, canvas } = this;
    const at = Math.round(divider * canvas.width);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = CASING_COLOUR;
    context.fillRect(at - 2 * ratio, 0, 4 * ratio, canvas.height);
    context.fillStyle = "#fff";
    context.fillRect(at - ratio, 0, 2 * ratio, canvas.height);
    context.beginPath();
    context.arc(at, canvas.height / 2, 9 * ratio, 0, 7);
    context.fill();
  }
}

/** @param {Context} context @param {Content} content @param {number} scale */
function drawOver(context, { map, outline, masks }, scale) {
  if (map) context.drawImage(map.canvas, 0, 0, map.size[1], map.size[0]);
  if (outline) drawLine(context, outline, "#fff", scale, [6, 4]);
  for (const mask of masks) drawLine(context, mask.outline, mask.colour, scale);
}

/**
 * A thin line with a dark casing, as wide on the screen at every zoom.
 * @param {Context} context @param {Path2D} path @param {string} colour @param {number} scale @param {number[]} dash
 */
export function drawLine(context, path, colour, scale, dash = []) {
  context.setLineDash([]);
  context.lineJoin = "round";
  context.strokeStyle = CASING_COLOUR;
  context.lineWidth = 3.5 / scale;
  context.stroke(path);
  context.setLineDash(dash.map((n) => n / scale));
  context.strokeStyle = colour;
  context.lineWidth = 1.8 / scale;
  context.stroke(path);
  context.setLineDash([]);
}
