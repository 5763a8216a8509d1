// A small plot of curves, in the colours of the page.

import { svg } from "../dom.js";

/** @import { Point } from "../types.js" */

const WIDTH = 320;
const HEIGHT = 132;
const LEFT = 26; // margins
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 20;

/**
 * Where values in [0, 1] at 0, 1, ... n - 1 stand in the plot.
 * @param {number[]} values @returns {Point[]}
 */
export function placed(values) {
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, values.length - 1);
  return values.map((value, i) => [LEFT + i * step, TOP + (1 - value) * (HEIGHT - TOP - BOTTOM)]);
}

/**
 * Curves over the same places, with a marker on one place.
 * @param {number[][]} lines values in [0, 1]
 * @param {{limit: number, label: string}} options limit: a dotted line; label: for those who do not see the plot
 * @returns {{element: SVGElement, mark: (place: number) => void}}
 */
export function curves(lines, { limit, label }) {
  const points = lines.map(placed);
  const marker = svg("line", { y1: TOP, y2: HEIGHT - BOTTOM, class: "marker" });
  const dots = points.map((_, i) => svg("circle", { r: 4.5, class: `dot line-${i}` }));
  const drawn = points.flatMap((line, i) => [
    svg("polyline", { points: line.map((point) => point.join(",")).join(" "), class: `line line-${i}` }), dots[i],
  ]);
  const numbers = points[0].map(([x], i) => svg("text", { x, y: HEIGHT - 5, "text-anchor": "middle" }, String(i)));
  const element = svg("svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "teach-plot", role: "img", "aria-label": label }, ...grid(),
    level(placed([limit])[0][1], "limit"), marker, ...drawn, ...numbers);
  const mark = (/** @type {number} */ place) => {
    dots.forEach((dot, i) => {
      const [x, y] = points[i][place];
      dot.setAttribute("cx", String(x));
      dot.setAttribute("cy", String(y));
    });
    for (const end of ["x1", "x2"]) marker.setAttribute(end, String(points[0][place][0]));
  };
  mark(0);
  return { element, mark };
}

/** Lines at 0, 0.5 and 1. */
function grid() {
  return [0, 0.5, 1].flatMap((value) => {
    const [[, y]] = placed([value]);
    return [level(y, "grid"), svg("text", { x: LEFT - 5, y: y + 4, "text-anchor": "end" }, String(value))];
  });
}

/** @param {number} y @param {string} name of the class */
function level(y, name) {
  return svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: name });
}
