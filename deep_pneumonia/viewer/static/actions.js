// What buttons and keys do, besides changing the display.

import { announce, part } from "./page.js";

/** @import { Editing } from "./tools/editing.js" */
/** @import { Stage } from "./stage.js" */
/** @import { Tools } from "./tools/tools.js" */

/** Screens that step through the teaching cases; others have steps of their own. */
const TEACHING_CASE_SCREENS = new Set(["inspect", "annotate", "compare"]);

/** @typedef {ReturnType<typeof actionsOf>} Actions */

/**
 * @param {Stage} stage @param {Editing} editing @param {Tools} tools @param {HTMLElement} root of the viewer
 */
export function actionsOf(stage, editing, tools, root) {
  const { roster } = editing;
  const onView = (/** @type {() => void} */ change) => {
    if (!stage.scene) return;
    change();
    stage.request();
  };
  return {
    fit: () => onView(() => stage.view.fit()),
    actual: () => onView(() => stage.view.actual(window.devicePixelRatio || 1)),
    zoom: (/** @type {number} */ factor) =>
      onView(() => stage.view.zoom(factor, [stage.view.pane[1] / 2, stage.view.pane[0] / 2])),
    reset: () => stage.reset(),
    fullscreen: () => void (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.()),
    undo: () => editing.undo(),
    redo: () => editing.redo(),
    canUndo: () => editing.canUndo,
    canRedo: () => editing.canRedo,
    lock: () => stage.managesReaders && roster.toggle(),
    close: () => tools.polygon.close(),
    cancel: () => tools.cancelDrawing(),
    step: (/** @type {number} */ by) => step(stage, by),
  };
}

/** Open the next or previous teaching case. @param {Stage} stage @param {number} by 1 or -1 */
function step(stage, by) {
  if (!TEACHING_CASE_SCREENS.has(stage.display.screen)) return announce("step", by);
  const items = part("#cases").querySelectorAll(".thumbnail-item");
  const now = stage.asked ?? stage.scene?.place ?? null; // two quick steps go two cases further
  if (now === null || !items.length) return;
  stage.asked = (now + by + items.length) % items.length;
  /** @type {HTMLElement} */ (items[stage.asked]).click();
}
