/**
 * Drawing on a mask with brush, polygon and box.
 *
 * A mask is a Uint8Array (H * W) of 0 and 1, row-major, of size [H, W]. Coordinates are (x, y):
 * pixel (row i, column j) has its centre at x = j + 0.5, y = i + 0.5. Polygons and boxes set the
 * same pixels as deep_pneumonia/masks/annotation.py. Every edit changes the mask in place and
 * returns the rectangle that it covers.
 */

/** @import { Point, Rect, Size } from "./types.js" */

const VERTEX_TOLERANCE = 1e-12; // scikit-image's

/**
 * A stroke of the brush: set every pixel whose centre is at most `radius` away from the line
 * between two points.
 *
 * @param {Uint8Array} mask
 * @param {Size} size
 * @param {Point} from
 * @param {Point} to may be `from`: a dot.
 * @param {number} radius in pixels, at least 0.
 * @param {0 | 1} value
 * @returns {Rect | null} what the stroke covers; null if it covers no pixel.
 * @throws {RangeError} a coordinate or the radius is not a finite number.
 */
export function stroke(mask, [H, W], [x0, y0], [x1, y1], radius, value) {
  finite([x0, y0, x1, y1, radius]);
  const covered = new Covered();
  const [top, bottom] = centres(Math.min(y0, y1) - radius, Math.max(y0, y1) + radius, H);
  for (let i = top; i < bottom; i++) {
    const y = i + 0.5;
    const [low, high] = within([x0, y0], [x1, y1], y - radius, y + radius);
    const [left, right] = centres(low - radius, high + radius, W);
    for (let j = left; j < right; j++) {
      if (isNear(j + 0.5, y, x0, y0, x1, y1, radius)) {
        mask[i * W + j] = value;
        covered.add(i, j);
      }
    }
  }
  return covered.rect();
}

/**
 * The pixels [first, end) along an axis of n whose centres may lie in [low, high], rather one too
 * many.
 * @param {number} low @param {number} high @param {number} n
 */
function centres(low, high, n) {
  return [Math.max(Math.floor(low - 0.5), 0), Math.min(Math.ceil(high - 0.5) + 1, n)];
}

/**
 * Lowest and highest x of the part of a line that lies between the heights `top` and `bottom`.
 * @param {Point} from @param {Point} to @param {number} top @param {number} bottom
 */
function within([x0, y0], [x1, y1], top, bottom) {
  const held = (/** @type {number} */ y) => Math.min(Math.max(y, Math.min(y0, y1)), Math.max(y0, y1));
  const along = (/** @type {number} */ y) => x0 + ((x1 - x0) * (held(y) - y0)) / (y1 - y0);
  const [a, b] = y0 === y1 ? [x0, x1] : [along(top), along(bottom)];
  return [Math.min(a, b), Math.max(a, b)];
}

/**
 * Whether (x, y) is at most `radius` from the line; without division, so that round numbers stay
 * exact.
 * @param {number} x @param {number} y @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1
 * @param {number} radius
 */
function isNear(x, y, x0, y0, x1, y1, radius) {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length2 = dx * dx + dy * dy;
  const along = (x - x0) * dx + (y - y0) * dy;
  if (along > 0 && along < length2) {
    const across = (x - x0) * dy - (y - y0) * dx;
    return across * across <= radius * radius * length2;
  }
  const ex = x - (along > 0 ? x1 : x0);
  const ey = y - (along > 0 ? y1 : y0);
  return ex * ex + ey * ey <= radius * radius;
}

/**
 * Set the pixels whose centre lies in a polygon or on its edge; a polygon that crosses itself is
 * filled even-odd.
 *
 * @param {Uint8Array} mask
 * @param {Size} size
 * @param {Point[]} points fewer than three enclose nothing.
 * @param {0 | 1} value
 * @returns {Rect | null} what the polygon covers; null if it covers no pixel.
 * @throws {RangeError} a coordinate is not a finite number.
 */
export function fillPolygon(mask, [H, W], points, value) {
  finite(points.flat());
  if (points.length < 3) return null;
  const covered = new Covered();
  const [left, right] = centres(...ends(points.map(([x]) => x)), W);
  const [top, bottom] = centres(...ends(points.map(([, y]) => y)), H);
  for (let i = top; i < bottom; i++) {
    const edges = edgesAt(points, i);
    for (let j = left; j < right; j++) {
      if (encloses(edges, j)) {
        mask[i * W + j] = value;
        covered.add(i, j);
      }
    }
  }
  return covered.rect();
}

/**
 * The few edges that decide about row i, as [x0, y0, x1, y1, ...] with the row's centres at y = 0.
 * @param {Point[]} points @param {number} i
 */
function edgesAt(points, i) {
  const edges = [];
  // Half a pixel first, then the row: scikit-image's order, so that rounding is the same.
  const last = points[points.length - 1];
  let x1 = last[0] - 0.5;
  let y1 = last[1] - 0.5 - i;
  for (const point of points) {
    const x0 = point[0] - 0.5;
    const y0 = point[1] - 0.5 - i;
    if (y0 > 0 !== y1 > 0 || y0 < 0 !== y1 < 0 || Math.abs(y0) < VERTEX_TOLERANCE) {
      edges.push(x0, y0, x1, y1);
    }
    x1 = x0;
    y1 = y0;
  }
  return edges;
}

/**
 * Whether the centre of column j is in or on the polygon: skimage/_shared/geometry.pyx,
 * point_in_polygon.
 *
 * The numbers of crossings to the right and to the left are both odd inside and both even outside;
 * on an edge they differ.
 * @param {number[]} edges @param {number} j
 */
function encloses(edges, j) {
  let right = false;
  let left = false;
  for (let k = 0; k < edges.length; k += 4) {
    const x0 = edges[k] - j;
    const y0 = edges[k + 1];
    const x1 = edges[k + 2] - j;
    const y1 = edges[k + 3];
    if (Math.abs(x0) < VERTEX_TOLERANCE && Math.abs(y0) < VERTEX_TOLERANCE) return true;
    const crossing = (x0 * y1 - x1 * y0) / (y1 - y0);
    if (y0 > 0 !== y1 > 0 && crossing > 0) right = !right;
    if (y0 < 0 !== y1 < 0 && crossing < 0) left = !left;
  }
  return right || left;
}

/**
 * Set the pixels whose centre lies in a box or on its edge.
 *
 * @param {Uint8Array} mask
 * @param {Size} size
 * @param {[number, number, number, number]} box [x, y, width, height].
 * @param {0 | 1} value
 * @returns {Rect | null} what the box covers; null if it covers no pixel.
 * @throws {RangeError} a number is not finite, or width or height is negative.
 */
export function fillBox(mask, size, [x, y, w, h], value) {
  if (w < 0 || h < 0) {
    throw new RangeError(`A box has the sides ${w} and ${h}; expected [x, y, width, height] without negative sides.`);
  }
  /** @type {Point[]} */
  const corners = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
  return fillPolygon(mask, size, corners, value);
}

/** @param {number[]} values @returns {[number, number]} lowest and highest */
function ends(values) {
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
}

/** @param {number[]} numbers */
function finite(numbers) {
  if (!numbers.every(Number.isFinite)) {
    throw new RangeError("A shape has a coordinate that is not a finite number; correct it.");
  }
}

/** Finds the smallest rectangle around pixels that come row by row. */
class Covered {
  top = Infinity;
  left = Infinity;
  bottom = -1;
  right = -1;

  /** @param {number} i @param {number} j */
  add(i, j) {
    if (this.top > i) this.top = i;
    if (this.left > j) this.left = j;
    this.bottom = i + 1;
    if (this.right <= j) this.right = j + 1;
  }

  /** @returns {Rect | null} */
  rect() {
    const { top, left, bottom, right } = this;
    return bottom < 0 ? null : { top, left, bottom, right };
  }
}

/**
 * The smallest rectangle around two; either may be null.
 *
 * @param {Rect | null} a
 * @param {Rect | null} b
 * @returns {Rect | null}
 */
export function union(a, b) {
  if (a === null || b === null) return a ?? b;
  const [top, left] = [Math.min(a.top, b.top), Math.min(a.left, b.left)];
  const [bottom, right] = [Math.max(a.bottom, b.bottom), Math.max(a.right, b.right)];
  return { top, left, bottom, right };
}
