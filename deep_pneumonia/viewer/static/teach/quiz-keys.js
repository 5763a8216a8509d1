// The quiz's keys: Enter reveals, N and the right arrow go on.

/** @import { Tools } from "../tools/tools.js" */
/** @import { Quiz } from "./quiz.js" */

const TAKES_ENTER = "button, summary, a, select, textarea, input[type=text]";
const TAKES_LETTERS = "input, select, textarea";

/**
 * Listen before the viewer's own keys do.
 * @param {Quiz} quiz @param {Tools} tools
 */
export function listenToKeys(quiz, tools) {
  document.addEventListener("keydown", (event) => pressed(quiz, tools, event), true);
}

/** @param {Quiz} quiz @param {Tools} tools @param {KeyboardEvent} event */
function pressed(quiz, tools, event) {
  const withModifier = event.ctrlKey || event.metaKey || event.altKey;
  if (!quiz.isOpen || withModifier || document.querySelector("dialog[open]")) return;
  const focus = document.activeElement;
  const isPolygonBegun = tools.polygon.corners.length > 0; // Enter closes it
  if (event.key === "Enter" && quiz.phase === "question" && !focus?.matches(TAKES_ENTER) && !isPolygonBegun) {
    event.preventDefault();
    quiz.reveal();
  }
  const goesOn = event.key === "ArrowRight" || event.key.toLowerCase() === "n";
  if (goesOn && quiz.phase === "revealed" && !focus?.matches(TAKES_LETTERS)) {
    event.preventDefault();
    event.stopPropagation();
    quiz.next();
  }
}
