// Small plots as SVG, in the colours of the page.

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [320, 132, 26, 10, 8, 20];

function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Places in the plot of values in [0, 1] at 0, 1, ... n - 1. */
export function placed(values) {
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, values.length - 1);
  return values.map((value, i) => [LEFT + i * step, TOP + (1 - value) * (HEIGHT - TOP - BOTTOM)]);
}

/**
 * Lines over the same places, with a marker on one of them.
 * @param {{name: string, values: number[]}[]} lines values in [0, 1] @param {{limit?: number, label: string}} options
 * @returns {{element: SVGElement, mark: (place: number) => void}}
 */
export function curves(lines, { limit = null, label }) {
  const [low, high] = [HEIGHT - BOTTOM, TOP];
  const count = lines[0].values.length;
  const element = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "teach-plot", role: "img", "aria-label": label });
  for (const [value, y] of [[0, low], [0.5, (low + high) / 2], [1, high]]) {
    element.append(s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: "grid" }));
    element.append(s("text", { x: LEFT - 5, y: y + 4, "text-anchor": "end" }, String(value)));
  }
  if (limit !== null) {
    const [[, y]] = placed([limit]);
    element.append(s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: "limit" }));
  }
  const marker = s("line", { y1: high, y2: low, class: "marker" });
  element.append(marker);
  const dots = lines.map(({ values }, i) => {
    const points = placed(values);
    element.append(s("polyline", { points: points.map((p) => p.join(",")).join(" "), class: `line line-${i}` }));
    const dot = s("circle", { r: 4.5, class: `dot line-${i}` });
    element.append(dot);
    return { dot, points };
  });
  placed(Array(count).fill(0)).forEach(([x], i) => element.append(s("text", { x, y: HEIGHT - 5, "text-anchor": "middle" }, String(i))));
  const mark = (place) => {
    for (const { dot, points } of dots) {
      dot.setAttribute("cx", points[place][0]);
      dot.setAttribute("cy", points[place][1]);
    }
    for (const end of ["x1", "x2"]) marker.setAttribute(end, dots[0].points[place][0]);
  };
  mark(0);
  return { element, mark };
}
