// Drawing on a reader's mask: brush, eraser, polygon and box, with undo and redo for each reader.

import { fillBox, fillPolygon, stroke, union } from "./mask.js";
import { History } from "./history.js";
import { line } from "./pane.js";

const NEAR = 10; // CSS pixels from the first corner at which a click closes a polygon

export class Pencil {
  /** @param {Stage} stage @param {() => void} drawn called after each finished edit */
  constructor(stage, drawn) {
    [this.stage, this.drawn] = [stage, drawn];
    this.corners = [];
    this.histories = new WeakMap();
    stage.draft = null;
    stage.on("change", () => this.cancel());
  }

  /** The layer that is drawn on; the first stroke of a case without one makes it. */
  get layer() {
    const { layers, state } = this.stage;
    if (!layers.length) {
      layers.push(this.stage.layer({ reader: "Reader 1", drawn: true }));
      this.stage.tell("change", "layers");
    }
    return layers[Math.min(state.active ?? 0, layers.length - 1)];
  }

  history(layer) {
    if (!this.histories.has(layer)) this.histories.set(layer, new History(this.stage.size));
    return this.histories.get(layer);
  }

  down(point, event) {
    const { tool } = this.stage.state;
    if (tool === "polygon") {
      this.#corner(point);
      return;
    }
    this.edited = this.layer;
    this.history(this.edited).begin(this.edited.mask);
    [this.from, this.rect] = [point, null];
    this.value = tool === "eraser" || event.altKey ? 0 : 1;
    if (tool !== "box") this.#stroke(point);
  }

  move(point) {
    if (!this.edited) return;
    if (this.stage.state.tool === "box") this.#preview(boxed(this.from, point));
    else this.#stroke(point);
    this.hover(point);
  }

  up(point) {
    if (!this.edited) return;
    const { edited, value } = this;
    if (this.stage.state.tool === "box") {
      this.rect = fillBox(edited.mask, this.stage.size, sides(this.from, point), value);
      this.stage.draft = null;
    }
    this.#commit(edited);
  }

  /** The brush's size follows the pointer. */
  hover(point) {
    const { tool, brush } = this.stage.state;
    if (tool === "polygon" && this.corners.length) this.#preview([...this.corners, point]);
    if (tool !== "brush" && tool !== "eraser") return;
    const circle = new Path2D();
    circle.arc(point[0], point[1], brush / 2, 0, 7);
    this.stage.draft = (context, scale) => line(context, circle, "#fff", scale, []);
    this.stage.request();
  }

  /** Give up what is begun; the mask is as it was before. */
  cancel() {
    if (this.edited) {
      this.history(this.edited).cancel(this.edited.mask);
      this.edited.changed();
    }
    [this.edited, this.corners, this.stage.draft] = [null, [], null];
    this.stage.request();
  }

  /** Close the polygon. */
  close() {
    if (this.corners.length >= 3) {
      const layer = this.layer;
      this.history(layer).begin(layer.mask);
      this.rect = fillPolygon(layer.mask, this.stage.size, this.corners, 1);
      this.#commit(layer);
    }
    [this.corners, this.stage.draft] = [[], null];
    this.stage.request();
  }

  undo() {
    this.#step("undo");
  }

  redo() {
    this.#step("redo");
  }

  get canUndo() {
    return this.stage.layers.length > 0 && this.history(this.layer).canUndo;
  }

  get canRedo() {
    return this.stage.layers.length > 0 && this.history(this.layer).canRedo;
  }

  #step(way) {
    if (!this.stage.layers.length || !this.history(this.layer)[way](this.layer.mask)) return;
    this.#changed(this.layer);
  }

  #stroke(point) {
    const radius = this.stage.state.brush / 2;
    const rect = stroke(this.edited.mask, this.stage.size, this.from, point, radius, this.value);
    this.rect = union(this.rect, rect);
    this.from = point;
    this.edited.changed();
    this.stage.request();
  }

  #corner(point) {
    const near = NEAR / this.stage.view.scale;
    const [first] = this.corners;
    if (first && this.corners.length >= 3 && Math.hypot(point[0] - first[0], point[1] - first[1]) < near) {
      this.close();
      return;
    }
    this.corners.push(point);
    this.#preview(this.corners);
  }

  #commit(layer) {
    const changed = this.history(layer).commit(layer.mask, this.rect);
    this.edited = null;
    if (changed) this.#changed(layer);
  }

  #changed(layer) {
    layer.changed();
    layer.drawn = true;
    if (layer.kind === "normal" || layer.kind === "box") layer.kind = "pixel"; // no longer what it was loaded as
    this.stage.request();
    this.drawn();
  }

  #preview(points) {
    const path = new Path2D();
    points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    this.stage.draft = (context, scale) => line(context, path, this.layer.colour, scale, []);
    this.stage.request();
  }
}

function sides([x0, y0], [x1, y1]) {
  return [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
}

function boxed(from, to) {
  const [[x0, y0], [x1, y1]] = [from, to];
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]];
}
