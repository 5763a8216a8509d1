// One canvas: the radiograph, and what lies over it.

import { cut, levelFor, windowed } from "./pixels.js";

const CASING = "#000";

/** The windowed part of the radiograph that is in sight; all panes draw the same one. */
export class Base {
  constructor(levels, full) {
    [this.levels, this.full] = [levels, full];
    this.canvas = new OffscreenCanvas(1, 1);
    this.context = this.canvas.getContext("2d");
  }

  /** Make it ready for a view and a window; nothing is done when neither has changed. */
  prepare(view, ratio, window) {
    const level = levelFor(this.levels, view.scale * ratio);
    const seen = view.visible();
    const rect = {
      top: Math.floor(seen.top / level.step),
      left: Math.floor(seen.left / level.step),
      bottom: Math.min(level.height, Math.ceil(seen.bottom / level.step)),
      right: Math.min(level.width, Math.ceil(seen.right / level.step)),
    };
    const wanted = JSON.stringify([level.step, rect, window]);
    if (wanted === this.made) return;
    this.made = wanted;
    [this.rect, this.step] = [rect, level.step];
    this.empty = rect.bottom <= rect.top || rect.right <= rect.left;
    if (this.empty) return;
    const tables = JSON.stringify(window);
    if (tables !== this.tabled) [this.tabled, this.table] = [tables, windowed(this.full, window)];
    const [height, width] = [rect.bottom - rect.top, rect.right - rect.left];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
    }
    this.context.putImageData(cut(level, rect, this.table), 0, 0);
  }

  draw(context) {
    if (this.empty) return;
    const { top, left } = this.rect;
    const [height, width] = [this.canvas.height * this.step, this.canvas.width * this.step];
    context.drawImage(this.canvas, left * this.step, top * this.step, width, height);
  }
}

/** A canvas with its caption. */
export class Pane {
  constructor(host) {
    this.element = document.createElement("figure");
    this.element.className = "pane";
    this.caption = document.createElement("figcaption");
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.element.append(this.caption, this.canvas);
    host.append(this.element);
    this.context = this.canvas.getContext("2d", { alpha: false });
  }

  label(text, description = text) {
    if (this.caption.textContent !== text) this.caption.textContent = text;
    if (this.canvas.getAttribute("aria-label") !== description) this.canvas.setAttribute("aria-label", description);
  }

  /** Height and width in CSS pixels; the canvas follows in device pixels. */
  measure(ratio) {
    const { clientHeight: height, clientWidth: width } = this.canvas;
    const [rows, columns] = [Math.max(1, Math.round(height * ratio)), Math.max(1, Math.round(width * ratio))];
    if (this.canvas.height !== rows || this.canvas.width !== columns) {
      [this.canvas.height, this.canvas.width] = [rows, columns];
    }
    return [Math.max(1, height), Math.max(1, width)];
  }

  /**
   * @param {object} scene {view, ratio, base, marks: (context, scale) => void}
   * @param {{map, outline, masks}[]} contents one, or two with a divider between them
   */
  draw({ view, ratio, base, marks }, contents, divider = 1) {
    const context = this.context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const [x, y] = view.toScreen([0, 0]);
    const transform = [view.scale * ratio, 0, 0, view.scale * ratio, x * ratio, y * ratio];
    context.imageSmoothingQuality = "medium";
    context.setTransform(...transform);
    base.draw(context);
    contents.forEach((content, side) => {
      context.save();
      if (contents.length === 2) this.#clip(side, divider);
      context.setTransform(...transform);
      over(context, content, view);
      context.restore();
    });
    marks?.(context, view.scale);
    if (contents.length === 2) this.#divide(divider, ratio);
  }

  #clip(side, divider) {
    const { context, canvas } = this;
    const at = Math.round(divider * canvas.width);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    if (side === 0) context.rect(0, 0, at, canvas.height);
    else context.rect(at, 0, canvas.width - at, canvas.height);
    context.clip();
  }

  #divide(divider, ratio) {
    const { context, canvas } = this;
    const [at, middle] = [Math.round(divider * canvas.width), canvas.height / 2];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = CASING;
    context.fillRect(at - 2 * ratio, 0, 4 * ratio, canvas.height);
    context.fillStyle = "#fff";
    context.fillRect(at - ratio, 0, 2 * ratio, canvas.height);
    context.beginPath();
    context.arc(at, middle, 9 * ratio, 0, 7);
    context.fill();
  }
}

function over(context, { map, outline, masks }, view) {
  if (map) context.drawImage(map.canvas, 0, 0, map.size[1], map.size[0]);
  if (outline) line(context, outline, "#fff", view.scale, [6, 4]);
  for (const mask of masks) line(context, mask.outline, mask.colour, view.scale, []);
}

/** A thin line with a dark casing, the same on the screen at every zoom. */
export function line(context, path, colour, scale, dash) {
  context.setLineDash([]);
  context.lineJoin = "round";
  context.strokeStyle = CASING;
  context.lineWidth = 3.5 / scale;
  context.stroke(path);
  context.setLineDash(dash.map((n) => n / scale));
  context.strokeStyle = colour;
  context.lineWidth = 1.8 / scale;
  context.stroke(path);
  context.setLineDash([]);
}
