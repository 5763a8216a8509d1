// The display state: what a visitor may change of how a scene is shown.

/** @import { Display, GreyWindow, Scene } from "./types.js" */

export const THRESHOLD_STEPS = 100; // of the threshold's slider
const NARROWEST_FOR_TWO = 620; // CSS pixels that two panes side by side need
/** Screens on which masks are drawn, unless the scene is locked. */
const DRAWING_SCREENS = new Set(["annotate", "quiz"]);
/** Screens on which two explanations are compared. */
const COMPARING_SCREENS = new Set(["compare", "lesson"]);

/** The whole range of grey values. @returns {GreyWindow} */
export function fullWindow() {
  return { centre: 0.5, width: 1, invert: false };
}

/** The display when the page opens. @returns {Display} */
export function initialDisplay() {
  return {
    screen: "inspect", layout: "side", divider: 0.5, attention: true, masks: true, outline: true, opacity: 1,
    threshold: THRESHOLD_STEPS / 2, window: fullWindow(), tool: "move", brush: 24, active: 0,
  };
}

/**
 * What Reset changes: everything but the screen, the tool, the brush and the reader who draws.
 * @param {Display} display @param {Scene | null} scene @param {number} width of the panes in CSS pixels
 * @returns {Partial<Display>}
 */
export function resetDisplay({ screen, tool, brush, active }, scene, width) {
  return {
    ...initialDisplay(), screen, tool, brush, active, layout: preferredLayout(screen, width),
    attention: showsAttentionFirst(screen), threshold: stepOf(scene?.threshold ?? 0.5),
  };
}

/**
 * What opening a screen changes.
 * @param {string} screen @param {number} width @returns {Partial<Display>}
 */
export function screenDisplay(screen, width) {
  return {
    screen, attention: showsAttentionFirst(screen), layout: preferredLayout(screen, width),
    tool: screen === "quiz" ? "brush" : "move", // a first swipe edits no mask that was opened to be read
  };
}

/**
 * Attention is off at first where readers draw, so that the model does not lead them.
 * @param {string} screen
 */
function showsAttentionFirst(screen) {
  return screen !== "annotate";
}

/**
 * Two panes where there is room; one large pane on a phone and for drawing.
 * @param {string} screen @param {number} width
 */
export function preferredLayout(screen, width) {
  return DRAWING_SCREENS.has(screen) || width < NARROWEST_FOR_TWO ? "overlay" : "side";
}

/** The slider's step of a threshold in [0, 1]. @param {number} threshold */
export function stepOf(threshold) {
  return Math.round(threshold * THRESHOLD_STEPS);
}

/** Whether masks can be drawn on. @param {Display} display @param {Scene | null} scene */
export function isDrawing({ screen }, scene) {
  return DRAWING_SCREENS.has(screen) && !scene?.locked;
}

/** Whether a comparison shows on this screen. @param {Display} display */
export function isComparing({ screen }) {
  return COMPARING_SCREENS.has(screen);
}
