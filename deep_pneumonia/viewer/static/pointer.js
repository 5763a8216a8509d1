// Mouse, pen and touch on the panes: finds the tool that is meant and hands it the events. Two
// fingers and the wheel zoom.

/** @import { Stage } from "./stage.js" */
/** @import { Tools } from "./tools/tools.js" */
/** @import { Point, Press, Tool } from "./types.js" */

const DIVIDER_GRIP = 18; // CSS pixels on each side of the divider that take hold of it
const ZOOM_SPEED = 0.0015; // of the wheel, a pixel of scrolling
const PIXELS_A_LINE = 20; // of wheels that scroll by lines
const MIDDLE_BUTTON = 1;
const RIGHT_BUTTON = 2;

export class Pointer {
  /** @type {Map<number, Point>} where each pressed pointer is, by its id */
  #pressed = new Map();
  /** @type {Tool | null} the tool that a press began to use */
  #tool = null;
  #pinching = false;

  /** @param {Stage} stage @param {Tools} tools */
  constructor(stage, tools) {
    this.stage = stage;
    this.tools = tools;
    for (const { canvas } of stage.renderer.panes) this.#listen(canvas);
    stage.on("frame", () => this.#style());
  }

  /** @param {HTMLCanvasElement} canvas */
  #listen(canvas) {
    canvas.addEventListener("pointerdown", (event) => this.#down(event, canvas));
    canvas.addEventListener("pointermove", (event) => this.#move(event, canvas));
    canvas.addEventListener("pointerup", (event) => this.#up(event, canvas));
    canvas.addEventListener("pointercancel", (event) => this.#up(event, canvas));
    canvas.addEventListener("wheel", (event) => this.#wheel(event, canvas), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", () => this.tools.polygon.close());
  }

  /** A finger may scroll the page over a whole picture that is not drawn on. */
  #style() {
    const { tool, layout } = this.stage.display;
    const scrolls = tool === "move" && this.stage.view.whole && layout !== "slider";
    for (const { canvas } of this.stage.renderer.panes) {
      canvas.style.touchAction = scrolls ? "pan-y" : "none";
      canvas.dataset.tool = tool;
    }
  }

  /** @param {PointerEvent} event @param {HTMLCanvasElement} canvas @returns {Press} */
  #press(event, canvas) {
    const at = placeOf(event, canvas);
    return { at, point: this.stage.view.toImage(at), event };
  }

  /** @param {PointerEvent} event @param {HTMLCanvasElement} canvas */
  #down(event, canvas) {
    if (!this.stage.scene) return;
    const press = this.#press(event, canvas);
    this.#pressed.set(event.pointerId, press.at);
    if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
    if (this.#pressed.size === 2) {
      this.#tool?.cancel(); // what the first finger began was a pinch
      this.#tool = null;
      this.#pinching = true;
      this.stage.request();
      return;
    }
    this.#tool = this.#meant(event, press.at);
    this.#tool.down(press);
  }

  /** The tool of a press. @param {PointerEvent} event @param {Point} at @returns {Tool} */
  #meant({ button }, [x]) {
    const { tool, layout, divider } = this.stage.display;
    if (button === RIGHT_BUTTON) return this.tools.window;
    if (button === MIDDLE_BUTTON) return this.tools.move;
    const distance = Math.abs(x - divider * this.stage.view.pane[1]);
    if (layout === "slider" && distance < DIVIDER_GRIP) return this.tools.divider;
    const draws = !["move", "window", "ruler"].includes(tool);
    return draws && !this.stage.draws ? this.tools.move : this.tools[tool];
  }

  /** @param {PointerEvent} event @param {HTMLCanvasElement} canvas */
  #move(event, canvas) {
    if (!this.stage.scene) return;
    const press = this.#press(event, canvas);
    if (!this.#pressed.has(event.pointerId)) {
      /** @type {Tool} */ (this.tools[this.stage.display.tool]).hover?.(press.point);
      return;
    }
    if (this.#pinching) this.#pinch(event.pointerId, press.at);
    else for (const between of travelled(event)) this.#tool?.move(this.#press(between, canvas));
    this.#pressed.set(event.pointerId, press.at);
    this.stage.request();
  }

  /** @param {number} id @param {Point} at */
  #pinch(id, at) {
    const other = [...this.#pressed].find(([pointer]) => pointer !== id)?.[1];
    const before = this.#pressed.get(id);
    if (!other || !before) return;
    /** @param {Point} point @returns {Point} */
    const middle = ([x, y]) => [(x + other[0]) / 2, (y + other[1]) / 2];
    const apart = (/** @type {Point} */ [x, y]) => Math.max(1, Math.hypot(x - other[0], y - other[1]));
    const [from, to] = [middle(before), middle(at)];
    this.stage.view.pan(to[0] - from[0], to[1] - from[1]);
    this.stage.view.zoom(apart(at) / apart(before), to);
  }

  /** @param {PointerEvent} event @param {HTMLCanvasElement} canvas */
  #up(event, canvas) {
    if (!this.#pressed.delete(event.pointerId)) return;
    if (event.type === "pointercancel") this.#tool?.cancel();
    else this.#tool?.up(this.#press(event, canvas));
    this.#tool = null; // a finger that stays after a pinch does nothing
    this.#pinching = false;
    this.stage.request();
  }

  /** @param {WheelEvent} event @param {HTMLCanvasElement} canvas */
  #wheel(event, canvas) {
    if (!this.stage.scene) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? PIXELS_A_LINE : 1);
    this.stage.view.zoom(Math.exp(-pixels * ZOOM_SPEED), placeOf(event, canvas));
    this.stage.request();
  }
}

/**
 * Where an event happened, in CSS pixels of the pane.
 * @param {MouseEvent} event @param {HTMLCanvasElement} canvas @returns {Point}
 */
function placeOf(event, canvas) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/**
 * A fast hand moves far between two frames; the browser kept the points on the way.
 * @param {PointerEvent} event
 */
function travelled(event) {
  const points = event.getCoalescedEvents?.() ?? [];
  return points.length ? points : [event];
}
