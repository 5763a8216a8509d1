// Confidence against the share of right answers, as a picture.

import { svg } from "../dom.js";
import { percent } from "../format.js";
import { calibration } from "./quiz-score.js";

/** @import { Point } from "../types.js" */
/** @import { Bin } from "./quiz-score.js" */
/** @import { Side } from "./types.js" */

const WIDTH = 300;
const HEIGHT = 286;
const LEFT = 44; // of the frame
const TOP = 10;
const SIDE = 226;
const LEARNER = "quiz-you"; // class
const MODEL = "quiz-model";
const x = (/** @type {number} */ share) => LEFT + share * SIDE;
const y = (/** @type {number} */ share) => TOP + (1 - share) * SIDE;

/**
 * A point for each tenth of confidence that occurs, with its number of answers and the 95% interval
 * of the share right. On the dashed line, confidence equals the share right.
 * @param {Side[]} learner results @param {Side[]} model results on the same cases
 */
export function plot(learner, model) {
  const viewBox = `0 0 ${WIDTH} ${HEIGHT}`;
  const squares = calibration(model).flatMap((bin) => point(bin, MODEL));
  const circles = calibration(learner).flatMap((bin) => point(bin, LEARNER));
  return svg("svg", { viewBox, role: "img", class: "quiz-plot", "aria-label": spoken(learner) },
    ...axes(), ...squares, ...circles);
}

/** @param {Side[]} learner */
function spoken(learner) {
  const parts = calibration(learner).map(({ n, confidence, right }) =>
    `at ${percent(confidence)} confidence ${percent(right)} of ${n} right`);
  return `Your calibration: ${parts.join("; ") || "no answer yet"}.`;
}

function axes() {
  const lines = [
    svg("path", { class: "quiz-frame", d: `M${x(0)} ${y(1)}V${y(0)}H${x(1)}` }),
    svg("path", { class: "quiz-ideal", d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}` }),
  ];
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    svg("path", { class: "quiz-grid", d: `M${x(0)} ${y(share)}H${x(1)}M${x(share)} ${y(0)}V${y(1)}` }),
    words(percent(share), [x(share), y(0) + 16]),
    words(percent(share), [x(0) - 6, y(share) + 4], { "text-anchor": "end" }),
  ]);
  return [...lines, ...ticks, words("how sure", [x(0.5), y(0) + 36]),
    words("share right", [0, 0], { transform: `translate(10 ${y(0.5)}) rotate(-90)` })];
}

/** @param {Bin} bin @param {string} name of the class */
function point({ n, confidence, right, low, high }, name) {
  const cx = x(confidence) + (name === LEARNER ? -5 : 5); // so that neither hides the other
  const cy = y(right);
  const shape = name === LEARNER ? svg("circle", { class: name, cx, cy, r: 8 })
    : svg("rect", { class: name, x: cx - 7, y: cy - 7, width: 14, height: 14 });
  return [svg("path", { class: `${name} quiz-interval`, d: `M${cx} ${y(low)}V${y(high)}` }), shape,
    words(String(n), [cx, cy + 3.5], { class: `quiz-inside ${name}` })];
}

/** @param {string} text @param {Point} at @param {Record<string, string>} attributes */
function words(text, [atX, atY], attributes = {}) {
  return svg("text", { x: atX, y: atY, "text-anchor": "middle", ...attributes }, text);
}
