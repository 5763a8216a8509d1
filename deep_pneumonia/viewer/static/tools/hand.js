// Tools that leave the masks alone: move, window, ruler, and the divider of the before / after
// layout.

import { clamp } from "../format.js";

/** @import { Stage } from "../stage.js" */
/** @import { Point, Press, Tool } from "../types.js" */

const WINDOW_TRAVEL = 400; // CSS pixels from one end of the grey values to the other

/** A drag, told in CSS pixels since the last event. */
class Drag {
  /** @type {Point} */
  #last = [0, 0];

  /** @param {(dx: number, dy: number) => void} dragged */
  constructor(dragged) {
    this.dragged = dragged;
  }

  /** @param {Press} press */
  down({ at }) {
    this.#last = at;
  }

  /** @param {Press} press */
  move({ at }) {
    const [dx, dy] = [at[0] - this.#last[0], at[1] - this.#last[1]];
    this.#last = at;
    this.dragged(dx, dy);
  }

  up() {}

  cancel() {}
}

/**
 * Move the image. Where the press becomes a scroll of the page or a pinch, the image is where it was.
 * @param {Stage} stage @returns {Tool}
 */
export function moveTool(stage) {
  const drag = new Drag((dx, dy) => stage.view.pan(dx, dy));
  let { centre, whole } = stage.view;
  return {
    down: (press) => {
      ({ centre, whole } = stage.view);
      drag.down(press);
    },
    move: (press) => drag.move(press),
    up: () => {},
    cancel: () => Object.assign(stage.view, { centre, whole }),
  };
}

/**
 * Change the grey window: up and down its centre, left and right its width.
 * @param {Stage} stage @returns {Tool}
 */
export function windowTool(stage) {
  return new Drag((dx, dy) => {
    const { centre, width, invert } = stage.display.window;
    const window = {
      centre: clamp(centre + dy / WINDOW_TRAVEL, 0, 1), width: clamp(width + dx / WINDOW_TRAVEL, 0.01, 1), invert,
    };
    stage.change({ window });
  });
}

/**
 * Measure a distance. A click without a drag removes the ruler.
 * @param {Stage} stage @returns {Tool}
 */
export function rulerTool(stage) {
  return {
    down: ({ point }) => (stage.ruler = [point, point]),
    move: ({ point }) => stage.ruler && (stage.ruler = [stage.ruler[0], point]),
    up: () => {
      const [from, to] = stage.ruler ?? [];
      if (String(from) === String(to)) stage.ruler = null;
    },
    cancel: () => (stage.ruler = null),
  };
}

/** Move the divider. @param {Stage} stage @returns {Tool} */
export function dividerTool(stage) {
  return {
    down: () => {},
    move: ({ at }) => stage.change({ divider: clamp(at[0] / stage.view.pane[1], 0, 1) }),
    up: () => {},
    cancel: () => {},
  };
}
