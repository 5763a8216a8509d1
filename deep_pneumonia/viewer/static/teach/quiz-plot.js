// Confidence against the share that was right, as a picture.

import { calibration } from "./quiz-score.js";

const [WIDTH, HEIGHT, LEFT, TOP, SIDE] = [300, 286, 44, 10, 226];
const NS = "http://www.w3.org/2000/svg";
const x = (share) => LEFT + share * SIDE;
const y = (share) => TOP + (1 - share) * SIDE;

/**
 * @param {object[]} learner results @param {object[]} model results on the same cases
 * @returns {SVGElement} a point for each tenth of confidence that occurs, with how many answers it stands for and the
 * 95% interval of the share right; on the dashed line confidence is what it promises
 */
export function plot(learner, model) {
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "quiz-plot", "aria-label": spoken(learner) });
  svg.append(...axes());
  for (const bin of calibration(model)) svg.append(...point(bin, "quiz-model", square));
  for (const bin of calibration(learner)) svg.append(...point(bin, "quiz-you", circle));
  return svg;
}

function spoken(learner) {
  const said = calibration(learner).map(({ n, confidence, right }) =>
    `at ${percent(confidence)} confidence ${percent(right)} of ${n} right`);
  return `Your calibration: ${said.join("; ") || "no answer yet"}.`;
}

function axes() {
  const parts = [s("path", { class: "quiz-frame", d: `M${x(0)} ${y(1)}V${y(0)}H${x(1)}` })];
  parts.push(s("path", { class: "quiz-ideal", d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}` }));
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(s("path", { class: "quiz-grid", d: `M${x(0)} ${y(share)}H${x(1)}M${x(share)} ${y(0)}V${y(1)}` }));
    parts.push(words(percent(share), x(share), y(0) + 16, "middle"), words(percent(share), x(0) - 6, y(share) + 4, "end"));
  }
  parts.push(words("how sure", x(0.5), y(0) + 36, "middle"));
  const side = words("share right", 0, 0, "middle");
  side.setAttribute("transform", `translate(10 ${y(0.5)}) rotate(-90)`);
  return [...parts, side];
}

function point({ n, confidence, right, low, high }, name, shape) {
  const at = [x(confidence) + (name === "quiz-you" ? -5 : 5), y(right)]; // so that neither hides the other
  const count = words(n, at[0], at[1] + 3.5, "middle");
  count.setAttribute("class", `quiz-inside ${name}`);
  return [s("path", { class: `${name} quiz-interval`, d: `M${at[0]} ${y(low)}V${y(high)}` }), shape(at, name), count];
}

function circle([cx, cy], name) {
  return s("circle", { class: name, cx, cy, r: 8 });
}

function square([cx, cy], name) {
  return s("rect", { class: name, x: cx - 7, y: cy - 7, width: 14, height: 14 });
}

function words(text, atX, atY, anchor) {
  const found = s("text", { x: atX, y: atY, "text-anchor": anchor });
  found.textContent = text;
  return found;
}

function s(tag, attributes) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function percent(share) {
  return `${Math.round(100 * share)}%`;
}
