// The renderer draws the stage in its panes, once a frame however many things changed.

import { attentionColours, differenceColours } from "./colours.js";
import { contentsOf } from "./contents.js";
import { ruled } from "./geometry.js";
import { Pane } from "./pane.js";

/** @import { Stage } from "./stage.js" */
/** @import { PaneContent, Point } from "./types.js" */

const REMEMBERED_FRAMES = 600; // ten seconds of them
const RULER_COLOUR = "#F0E442";
const CASING_COLOUR = "#000";

export class Renderer {
  /** @type {number[]} duration of the last frames in milliseconds */
  timings = [];
  /** @type {number | null} */
  #frame = null;
  /** @type {number | null} the opacity that the colours are made for */
  #opacity = null;
  #colours = new Uint32Array();
  #differences = new Uint32Array();

  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.panes = [new Pane(stage.host), new Pane(stage.host)];
  }

  /** Draw in the next frame. */
  request() {
    if (this.stage.scene) this.#frame ??= requestAnimationFrame(() => this.#draw());
  }

  /** Colours of the attention at the display's opacity. */
  get colours() {
    const { look, display } = this.stage;
    if (this.#opacity !== display.opacity) {
      this.#opacity = display.opacity;
      this.#colours = attentionColours(look.palette, look.most, display.opacity);
      this.#differences = differenceColours(look.most, display.opacity);
    }
    return this.#colours;
  }

  #draw() {
    this.#frame = null;
    const { base, display, host, scene, view } = this.stage;
    if (!scene || !base) return; // taken away since the frame was requested
    const start = performance.now();
    const ratio = window.devicePixelRatio || 1;
    const contents = contentsOf(this.stage);
    host.dataset.panes = String(contents.length);
    this.panes.forEach((pane, i) => (pane.element.hidden = i >= contents.length));
    view.resize(this.panes[0].measure(ratio));
    base.prepare(view, ratio, display.window);
    this.#colour(contents);
    const marks = (/** @type {CanvasRenderingContext2D} */ context) => this.#marks(context, view.scale);
    contents.forEach(({ label, description, sides }, i) => {
      this.panes[i].measure(ratio);
      this.panes[i].label(label, description);
      this.panes[i].draw({ view, ratio, base, marks }, sides, display.divider);
    });
    this.timings.push(performance.now() - start);
    if (this.timings.length > REMEMBERED_FRAMES) this.timings.shift();
    this.stage.tell("frame");
  }

  /** @param {PaneContent[]} contents */
  #colour(contents) {
    const { colours } = this;
    for (const { sides } of contents) {
      for (const { map } of sides) map?.colour(map.signed ? this.#differences : colours);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} scale */
  #marks(context, scale) {
    const { draft, ruler, scene } = this.stage;
    draft?.(context, scale);
    if (ruler) drawRuler(context, ruler, scene?.spacing_mm ?? null, scale);
  }
}

/**
 * @param {CanvasRenderingContext2D} context @param {[Point, Point]} ruler @param {[number, number] | null} spacing
 * @param {number} scale
 */
function drawRuler(context, [from, to], spacing, scale) {
  const path = new Path2D();
  path.moveTo(...from);
  path.lineTo(...to);
  context.strokeStyle = CASING_COLOUR;
  context.lineWidth = 4 / scale;
  context.stroke(path);
  context.strokeStyle = RULER_COLOUR;
  context.lineWidth = 2 / scale;
  context.stroke(path);
  const { length, unit } = ruled(from, to, spacing);
  const text = `${length.toFixed(unit === "mm" ? 1 : 0)} ${unit}`;
  const size = 14 / scale;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.lineWidth = 3 / scale;
  context.strokeStyle = CASING_COLOUR;
  context.fillStyle = RULER_COLOUR;
  context.strokeText(text, to[0] + size / 2, to[1]);
  context.fillText(text, to[0] + size / 2, to[1]);
}
